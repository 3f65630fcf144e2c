/* terms.h - which rows of a target count in a loss of detection, and what the loss is a mean over:
 *   per=positives  rows that find a box: the terms of all samples over their number
 *   per=samples    of each sample the terms over its positives (1 where it has none), then the mean
 *                  over samples
 *   per=rows       rows that count: positives and background
 * A batch without anything to be a mean over costs nothing. */
#pragma once
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

enum { PER_POSITIVES, PER_SAMPLES, PER_ROWS };

extern const char *const terms_per[];

#define TERMS_PER(type)                                                                            \
    {                                                                                              \
        .name = "per", .kind = ARG_WORD, .offset = offsetof(type, per), .fallback = PER_POSITIVES, \
        .words = terms_per,                                                                        \
        .help = "what it is a mean over: rows that find a box, samples, rows that count"           \
    }

/* Does the row find a box, does it count at all? */
static inline bool terms_positive(const act *row) {
    return row[4] >= 0;
}
static inline bool terms_counts(const act *row) {
    return row[4] >= TARGET_BACKGROUND;
}

/* How many the mean is over; target [n, r, 5]. */
double terms_count(const struct tensor *target, int per);

/* What the terms of one sample are multiplied by before they are added. */
double terms_scale(const struct tensor *target, int per, int64_t sample);
