/* ranking.h - measures of how well the score of a class ranks its samples before all others: auc,
 * average_precision, roc. They are of all samples at once, op_meaning.whole. */
#pragma once
#include "core/ops/parts/labels.h"

struct ranking {
    int index; /* of the class, or RANKING_MEAN */
    int points, ignore;
};

enum { RANKING_MEAN = -1 };

#define RANKING_CLASS                                                                              \
    {                                                                                              \
        .name = "class", .kind = ARG_INT, .offset = offsetof(struct ranking, index),               \
        .fallback = RANKING_MEAN, .min = RANKING_MEAN, .max = RANKING_MEAN - 1,                    \
        .help = "against all others; -1: class 1 of two, else the mean of all"                     \
    }

extern const struct arg_spec ranking_args[]; /* class, ignore */

/* Samples that share a score. */
struct ranking_group {
    int64_t of_class, others;             /* with that score */
    int64_t of_class_above, others_above; /* with a higher one */
};

/* A class whose samples are sorted: the best score first. */
struct ranking_class {
    const struct ranking_score *score; /* [n] */
    int64_t n, of_class, others;
    bool finite; /* no score is nan */
};

/* Logits and labels, and memory for sorting. Errors: ERR_CONFIG, beginning with name. */
int ranking_plan(const char *name, const struct ranking *a, const struct shape *x,
                 struct op_plan *plan, struct err *err);

/* One: it is no mean. */
double ranking_count(const struct op_call *c);

/* What ranking_sort takes from the scratch of the call, for all classes. */
void ranking_find_log_sums(const struct op_call *c);

/* Sort by the score of a class: with several channels its share of softmax(logits), else the one
 * that there is. Of the scratch of the call, until the next. */
struct ranking_class ranking_sort(const struct op_call *c, int64_t index);

/* The next samples from *at on, which begins at 0; false: there are no more. */
bool ranking_next(const struct ranking_class *r, int64_t *at, struct ranking_group *group);

/* y = measure of the class that is asked for, or the mean over all that have samples and others;
 * nan where there is none. */
void ranking_forward(const struct op_call *c, double (*measure)(const struct ranking_class *r));
