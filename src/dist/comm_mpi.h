/* comm_mpi.h - what the files of comm share of MPI; private to them. */
#pragma once
#include "dist/comm.h"

#include <mpi.h>

/* What MPI calls this comm. */
MPI_Comm comm_mpi(const struct comm *comm);

/* End the job unless rc says success. */
void comm_check(const struct comm *comm, int rc, const char *what);

/* One thread at a time calls MPI: between these, where calls are shared. */
void comm_enter(const struct comm *comm);
void comm_leave(const struct comm *comm);

/* Names of memory that MPI shares: removed where all ranks of a host have mapped it, so that a
 * killed process leaves nothing in /dev/shm. Collective over world. NULL: out of memory. */
struct comm_names;

struct comm_names *comm_names_forget(MPI_Comm world);

/* Before the end, as empty files: MPI complains of names that it does not find to remove. The
 * others wait for this. NULL is fine. */
void comm_names_restore(struct comm_names *names);

/* All messages under way, of a comm and its parts together: one question to MPI is about all. */
struct comm_messages;

struct comm_messages *comm_messages_new(void); /* NULL: out of memory */
void comm_messages_free(struct comm_messages *m);
struct comm_messages *comm_messages_of(const struct comm *comm);
