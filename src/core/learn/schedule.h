/* schedule.h - the learning rate as a function of time; no state, so nothing to checkpoint.
 *
 * Time is in epochs with fractions. All schedules take warmup (epochs): for the update that begins
 * at `epoch` the rate is multiplied by min(1, (epoch + step) / warmup), so that the first update
 * already moves and the last one of the warm-up has the whole rate (Goyal et al. 2017,
 * arXiv:1706.02677). poly, cosine and exponential begin to fall when the warm-up is over, and
 * poly and cosine end with the job; the epochs in step and multistep count from its beginning. */
#pragma once
#include "core/base/word.h"

#include <stdbool.h>

struct schedule_time {
    double epoch;          /* at the beginning of this update: updates done / updates per epoch */
    double step;           /* length of one update: 1 / updates per epoch; > 0 */
    double epochs;         /* length of the whole job */
    const double *measure; /* [n_measures] the measure that decides 'best', of all validations so
                            * far; borrowed; read by plateau only */
    int n_measures;
    bool maximise; /* the larger measure is the better one */
};

struct schedule {
    struct word word; /* first: schedule_find() gives its address. Its arguments begin with
                       * struct schedule_common */
    /* The rate without warm-up. */
    double (*at)(const void *args, const struct schedule_time *t);
    bool reads_measure; /* needs a measure that decides 'best' */
};

/* What the arguments of every schedule begin with. */
struct schedule_common {
    double lr;     /* the highest rate */
    double warmup; /* epochs; 0: none */
};

/* The learning rate of one update, warm-up included.
 *   s  a word that schedule_find() gave, with its arguments
 * Pure: every rank and every restart gets the same number for the same time. */
double schedule_at(const struct applied *s, const struct schedule_time *t);

/* The word (first member of its struct schedule) of that name, or NULL: constant, step, multistep,
 * exponential, poly, cosine, one_cycle, plateau. For arg_spec.find of an optimiser's lr. */
const struct word *schedule_find(const char *name);

/* The word of the i-th, NULL past the end. For arg_spec.at. */
const struct word *schedule_word(int i);

/* All schedules; *n is their number. */
const struct schedule *const *schedule_table(int *n);
