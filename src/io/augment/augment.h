/* augment.h - what happens to an image between the dataset and the network.
 *
 * A pipeline is a list of words. Images pass through it one at a time as float [h, w, c], from 0 to
 * 1 where the dataset holds bytes; without `normalize` that is what the network sees. Every
 * random draw is a function of (seed, epoch, sample, position in the pipeline).
 *
 * In validation nothing is random: random_crop takes the centre, random_resized_crop the largest
 * centred piece of the wanted form, and words marked training_only are left out. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

#include <stdbool.h>
#include <stdint.h>

/* Words of a pipeline; random draws that each may make for an image. */
enum { AUGMENT_MAX = 16, AUGMENT_DRAWS = 64 };

/* Images of the same size move alike: each word draws the same for all of them. */
enum augment_role {
    AUGMENT_IMAGE,  /* all words; zeros come in from outside */
    AUGMENT_MASK,   /* classes: words that move, by the nearest pixel; -1 comes in */
    AUGMENT_VALUES, /* other numbers: words that move, as images */
};

/* What the dataset knows of its images. */
struct augment_source {
    struct shape shape; /* [h, w, c] of one image */
    const float *mean;  /* [c] of values as the pipeline gets them, borrowed; NULL: unknown */
    const float *std;   /* [c] */
    enum augment_role role;
    bool unit; /* values are from 0 to 1 */
};

/* One word in its place in a pipeline, as planned. */
struct augment_stage {
    const struct augment *augment;
    const void *args;     /* borrowed */
    int position;         /* in the pipeline as written: what validation leaves out is counted */
    struct shape in, out; /* [h, w, c] */
    int64_t scratch_len;  /* floats that apply needs */
};

/* One image through one word. */
struct augment_call {
    const void *args;
    const struct augment_source *source;
    bool training;
    uint64_t key;    /* of seed, epoch and sample */
    uint64_t steady; /* of seed and sample: the same in every epoch */
    bool odd;        /* is the epoch, counted from 0? */
    uint64_t first;  /* the word's draws are elements first .. first + AUGMENT_DRAWS - 1 of a key */
    struct shape in_shape, out_shape;
    const float *in;
    float *out;     /* in itself where the word is in_place, else apart from it */
    float *scratch; /* [scratch_len] */
};

/* What becomes of values from 0 to 1. */
enum augment_values {
    AUGMENT_KEEPS_UNIT,
    AUGMENT_NEEDS_UNIT, /* is defined for such values alone, and keeps them such */
    AUGMENT_ENDS_UNIT,
};

struct augment {
    struct word word;   /* first: augment_find() gives its address */
    bool training_only; /* left out in validation */
    bool in_place;
    enum augment_values values;
    bool moves; /* pixels to other places; otherwise it changes values, of images only */
    /* Set out (which is in on entry) and scratch_len. Pure.
     * Errors: ERR_CONFIG, beginning with the word's name. */
    int (*plan)(const void *args, bool training, const struct augment_source *source,
                struct augment_stage *stage, struct err *err);
    void (*apply)(const struct augment_call *c);
};

/* A pipeline that is checked against a dataset; nothing to release. */
struct augment_plan {
    struct augment_source source;
    bool training;
    int n;
    struct augment_stage stage[AUGMENT_MAX];
    struct shape out;    /* [h, w, c] that the network sees */
    int64_t scratch_len; /* floats that augment_run needs */
};

/* Check a pipeline and find its shapes.
 *   pipeline  [n] words that augment_find() gave; arguments borrowed for the plan's life
 *   source    copied; mean and std borrowed
 * Errors: ERR_CONFIG in the words of the job. */
int augment_plan_init(struct augment_plan *plan, const struct applied *pipeline, int n,
                      bool training, const struct augment_source *source, struct err *err);

/* What is random about an image. */
struct augment_draw {
    uint64_t key;    /* rng_key(seed, RNG_AUGMENT, epoch, sample) */
    uint64_t steady; /* the same in every epoch: rng_key(seed, RNG_AUGMENT, -1, sample) */
    bool odd;        /* is the epoch, counted from 0? */
};

/* One image through the pipeline.
 *   bytes    [source.shape], divided by 255 first; or NULL and
 *   floats   [source.shape], taken as they are
 *   scratch  [scratch_len]
 *   out      [plan->out] */
void augment_run(const struct augment_plan *plan, const struct augment_draw *draw,
                 const unsigned char *bytes, const float *floats, float *scratch, float *out);

/* The word (first member of its struct augment) of that name, or NULL. */
const struct word *augment_find(const char *name);

/* All augmentations; *n is their number. */
const struct augment *const *augment_table(int *n);
