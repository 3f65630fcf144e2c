/* job_files.h - what rank 0 has read of a job, for all ranks. */
#pragma once
#include "core/lang/source_files.h"
#include "dist/comm.h"

/* Give every rank the files of rank 0, which are complete then.
 * Collective. Cost: one message of all files, at most SOURCE_MAX_BYTES and their paths. */
void job_files_broadcast(struct comm *comm, struct source_files *files);
