/* augment.h - what happens to an image between the dataset and the network.
 *
 * A pipeline is a list of words. Images pass through it one at a time as float [h, w, c], from 0 to
 * 1 where the dataset holds bytes; without `normalize` that is what the network sees. Every
 * random draw is a function of (seed, epoch, sample, position in the pipeline).
 *
 * In validation nothing is random: random_crop takes the centre, random_resized_crop resizes
 * the short side to the size and takes the centre, and words marked training_only are left out. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

#include <stdbool.h>
#include <stdint.h>

enum { AUGMENT_MAX = 16, AUGMENT_DRAWS = 64 }; /* words of a pipeline; draws each may make */

/* What the dataset knows of its images. */
struct augment_source {
    struct shape shape; /* [h, w, c] of one image */
    const double *mean; /* [c] of values 0..1, borrowed; NULL: unknown */
    const double *std;  /* [c] */
};

/* One image through one word. out never overlaps in, unless the word is in_place, then out = in. */
struct augment_call {
    const void *args;
    const struct augment_source *source;
    bool training;
    uint64_t key;   /* of seed, epoch and sample */
    uint64_t first; /* draws of this word are elements first .. first + AUGMENT_DRAWS - 1 of key */
    struct shape in_shape, out_shape; /* [h, w, c] */
    const float *in;
    float *out;
};

struct augment {
    struct word word;   /* first: augment_find() gives its address */
    bool training_only; /* left out in validation */
    bool in_place;
    /* Shape of the output. Errors: ERR_CONFIG, beginning with the word's name. */
    int (*plan)(const void *args, bool training, const struct augment_source *source,
                const struct shape *in, struct shape *out, struct err *err);
    void (*apply)(const struct augment_call *c);
};

/* A pipeline that is checked against a dataset. */
struct augment_plan {
    struct augment_source source; /* mean and std borrowed */
    bool training;
    int n;
    struct augment_stage {
        const struct augment *word;
        const void *args; /* borrowed */
        int position;     /* in the pipeline as written, so that draws do not depend on what
                           * validation leaves out */
        struct shape in, out;
    } stage[AUGMENT_MAX];
    struct shape out;       /* [h, w, c] that the network sees */
    int64_t scratch_floats; /* that augment_run needs */
};

/* Check a pipeline and find its shapes.
 *   pipeline  [n] words that augment_find() gave; arguments borrowed for the plan's life
 * Nothing to release. Errors: ERR_CONFIG in the words of the job. */
int augment_plan_init(struct augment_plan *plan, const struct applied *pipeline, int n,
                      bool training, const struct augment_source *source, struct err *err);

/* One image through the pipeline.
 *   key      rng_key(seed, RNG_AUGMENT, epoch, sample)
 *   bytes    [source shape] or NULL: scaled to 0..1 first
 *   floats   [source shape] where bytes is NULL
 *   scratch  [scratch_floats]
 *   out      [plan->out] */
void augment_run(const struct augment_plan *plan, uint64_t key, const unsigned char *bytes,
                 const float *floats, float *scratch, float *out);

/* The word (first member of its struct augment) of that name, or NULL. */
const struct word *augment_find(const char *name);

/* All augmentations; *n is their number. */
const struct augment *const *augment_table(int *n);
