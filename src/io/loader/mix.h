/* mix.h - batches whose samples are mixed with each other: mixup and cutmix.
 *
 * Sample i of a step's batch is mixed with sample i + 1, the last one with the first, each pair in
 * a share of its own, which follows from seed, epoch and sample i: whichever rank has the pair, and
 * however a batch is shared out, it is the same to the bit. So a rank prepares one sample beyond
 * its part. Of the classes that samples are labelled with, a field of its own says the shares:
 * `target`. */
#pragma once
#include "io/augment/augment_mix.h"
#include "io/loader/prepare.h"

struct mix {
    bool mixes; /* {0}: nothing is mixed, in validation for one */
    struct augment_mixing how;
    uint64_t first;                 /* the word's first draw, as struct augment_call */
    int64_t height, width;          /* of images and of all that is mixed with them */
    bool mixed[DATASET_MAX_FIELDS]; /* otherwise the field is that of sample i */
    int label;                      /* the field that `target` is made of */
    int n_classes;                  /* numbers of a `target`; 0: there is none */
};

/* Look for a word of the pipeline that mixes, once p is planned; nothing to release.
 * Errors: ERR_CONFIG in the words of the pipeline. */
int mix_init(struct mix *m, const struct prepare *p, const struct prepare_config *config,
             struct err *err);

/* Mix the first n samples of a batch of which n + 1 are prepared, where m->mixes, in place.
 *   target  [n, n_classes], shares of the classes, which sum to 1, or to less where a label is -1;
 *           in validation 1 at the label. Not read where n_classes is 0 */
void mix_run(const struct mix *m, const struct prepare *p, const struct prepare_batch *b, int64_t n,
             float *target);
