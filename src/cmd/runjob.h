/* runjob.h - the job that a checkpoint holds, for commands that take a run in place of a job file.
 */
#pragma once
#include "cmd/jobargs.h"

/* Does a command line mean a run by it? A folder, or a file that is a checkpoint by its name or its
 * beginning. */
bool runjob_is(const char *path);

/* The checkpoint that a path means: itself, or of a run's folder best.h5, else last.h5; in pool.
 * Errors: ERR_IO for a folder without. */
int runjob_file(struct pool *pool, const char *path, const char **file, struct err *err);

/* Find the job of a checkpoint; of a folder, that of best.h5 in it, else of last.h5. The checkpoint
 * and its job are the only file that is added.
 * Errors: ERR_IO; ERR_DATA where it is damaged or holds no job. */
int runjob_find(struct jobargs *a, const char *path, struct source_files *files, struct err *err);

/* Read that job. The checkpoint is a->run, and its weights are those to take unless the command
 * line names others. Errors: those of job_read. */
int runjob_read(struct jobargs *a, const struct source_files *files, struct err *err);
