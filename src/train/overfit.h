/* overfit.h - can the network learn a few batches by heart? One that cannot has something wrong in
 * it, its loss or its labels, that no search for a learning rate finds. */
#pragma once
#include "train/tryout.h"

/* Losses of a pass over the batches, means of the steps of it. */
struct overfit_pass {
    double loss[JOB_MAX_STEPS];
    bool ran[JOB_MAX_STEPS];
};

struct overfit {
    int64_t batches;     /* the same ones, as validation would prepare them */
    int64_t steps, most; /* taken; at most, those of the job */
    struct overfit_pass first, last;
    /* Called after some of the passes, of this rank; or NULL. */
    void (*report)(const struct overfit *o, const struct overfit_pass *pass);
    const struct job *job;
};

enum { OVERFIT_SHARE = 100 }; /* it is learnt where a loss is so small a part of the first one */

/* Has every loss become so small? */
bool overfit_learnt(const struct overfit *o);

/* Train on the first `batches` batches of the job, again and again, until overfit_learnt or as long
 * as the job is. The learning rates are those of the job. Writes nothing. Collective. Errors, the
 * same on all ranks: those of tryout.h; ERR_USAGE where the data has not so many batches. */
int overfit_run(struct overfit *o, struct job *job, struct comm *comm, int threads,
                const struct sinks *sinks, struct err *err);
