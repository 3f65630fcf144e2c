/* train_try.h - training that leaves nothing behind: --dry-run and --overfit of dltrain train. */
#pragma once
#include "cmd/jobargs.h"
#include "train/event.h"

/* A folder for a run that is thrown away; {0} is releasable. */
struct dry_run {
    const struct jobargs *args; /* borrowed */
    struct pool pool;
    const char *folder; /* that runs are made in meanwhile; NULL: none */
    const char *output; /* the folder of all runs, in which it is */
    bool made_output;   /* that was not there */
};

/* Make of the job one of so many steps whose run goes into a folder beside all others. Collective.
 * Errors, the same on all ranks: ERR_IO. */
int dry_run_init(struct dry_run *d, struct jobargs *a, int64_t steps, struct err *err);

/* Say what was tried and written, and read back what it saved. On rank 0. Errors: ERR_DATA, ERR_IO
 * where a checkpoint is not what was written. */
int dry_run_say(struct dry_run *d, struct err *err);

/* Throw it away. Local. */
void dry_run_release(struct dry_run *d);

/* Train on the first `batches` batches alone, and say whether they are learnt. Collective. Errors,
 * the same on all ranks: those of overfit_run. */
int overfit_say(struct jobargs *a, int64_t batches, const struct sinks *sinks, struct err *err);
