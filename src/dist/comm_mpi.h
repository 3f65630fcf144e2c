/* comm_mpi.h - what the files of comm share of MPI; private to them. */
#pragma once
#include "dist/comm.h"

#include <mpi.h>

/* What MPI calls this comm. */
MPI_Comm comm_mpi(const struct comm *comm);

/* End the job unless rc says success. */
void comm_check(const struct comm *comm, int rc, const char *what);
