/* worst.h - the samples of a validation with the largest loss: where to look first. */
#pragma once
#include "dist/comm.h"
#include "train/replica.h"
#include "train/terms.h"

enum { WORST_USUAL = 16, WORST_MOST = 10000 };

/* One of them. */
struct worst_sample {
    int64_t index; /* in the validation set */
    double loss;
    double p, p_label;    /* softmax at the guess and at the label, where it is classified */
    int32_t label, guess; /* -1: none */
};

struct worst {
    int leaf;                    /* whose terms are compared; -1: there is none */
    bool classifies;             /* one label a sample */
    bool is_loss;                /* else the loss is -log p of the label */
    const char *field;           /* of the data, that the labels are; NULL: they are computed */
    struct worst_sample *sample; /* [n], the worst first, once they are gathered */
    int64_t n, room;
};

/* Find what is compared: of a classifier the first loss of [validate] that takes logits and labels,
 * or the -log p of the first metric that does; else the first loss. {0} before.
 *   count  samples to be kept; -1: WORST_USUAL of a classifier, none of others
 * Errors: ERR_IO for lack of memory. */
int worst_init(struct worst *w, const struct replica *r, int64_t count, struct err *err);

/* {0} is fine. */
void worst_release(struct worst *w);

/* An evaluation begins. */
static inline void worst_begin(struct worst *w) {
    w->n = 0;
}

/* Keep sample number i of terms, k of the batch that is computed, if it is among the worst. While
 * run_context.leaf is told of w->leaf, and after terms_take. */
void worst_take(struct worst *w, const struct terms *terms, int64_t i, int64_t k, int64_t index);

/* Those of all ranks, the same on each, the worst first; of equal ones the first in the data.
 * Collective. Errors: ERR_IO for lack of memory, the same on all ranks. */
int worst_gather(struct worst *w, struct comm *comm, struct err *err);

/* What they are of. */
struct worst_run {
    const struct job *job;
    struct dataset *dataset; /* nobody reads it meanwhile */
    int64_t step;
    double epoch;
};

/* Write folder/worst.json, and as folder/worst/0001.png what networks see of each, but for
 * `normalize`, where samples have images of 1 or 3 channels. Local. Errors: ERR_IO; those of
 * reading. */
int worst_write(const struct worst *w, const struct worst_run *run, const char *folder,
                struct err *err);
