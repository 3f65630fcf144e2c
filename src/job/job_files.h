/* job_files.h - what rank 0 has read of a job, for all ranks. */
#pragma once
#include "core/lang/source_files.h"
#include "dist/comm.h"

/* Give every rank the files of rank 0, which are complete then.
 * Collective. Cost: one message of all files, at most SOURCE_MAX_BYTES and their paths. */
void job_files_broadcast(struct comm *comm, struct source_files *files);

/* Hosts may lack the files, but not have others under their names: who edited the one on the wrong
 * host would train what they did not mean. One rank of each folder of each host looks at those that
 * are there.
 *   files  complete
 * Collective. Errors, the same on all ranks: ERR_CONFIG, naming rank, host and file. */
int job_files_compare(struct comm *comm, const struct source_files *files, struct err *err);
