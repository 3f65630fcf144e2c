/* confusion_parts.h - measures of a confusion matrix, as confusion() gives it: rows are the classes
 * of the labels, columns those that the network chose. A ratio of nothing to nothing is 0, as in
 * scikit-learn and torchmetrics. */
#pragma once
#include "core/ops/op.h"

enum { CONFUSION_MEAN = -1 }; /* in place of a class */

/* The arguments of measures of one class: its index, or CONFUSION_MEAN where fallback is. */
struct confusion_class {
    int index;
    int average; /* of CONFUSION_MEAN */
};

/* What is the mean over: classes, all the same or by their labels; or all labels as if of one
 * class.
 */
enum confusion_average { CONFUSION_MACRO, CONFUSION_MICRO, CONFUSION_WEIGHTED };

extern const struct arg_spec confusion_class_or_mean[]; /* class=-1, average=macro */
extern const struct arg_spec confusion_class_one[];     /* class=1 */

/* What there is of one class, as shares of all labels. */
struct confusion_tally {
    double hits;    /* of this class and taken for it */
    double labels;  /* of this class */
    double guesses; /* taken for this class */
};

/* x[0] is a confusion matrix; y is one number. index: a class, or CONFUSION_MEAN.
 * Errors: ERR_CONFIG, beginning with name. */
int confusion_plan(const char *name, int index, const struct shape *x, struct op_plan *plan,
                   struct err *err);

struct confusion_tally confusion_of(const struct op_call *c, int64_t index);

/* a / b; 0 where b is 0. NaN stays NaN. */
static inline double confusion_ratio(double a, double b) {
    return b == 0 ? 0 : a / b;
}

/* y = the measure of that class, or for CONFUSION_MEAN the mean over the classes that occur among
 * labels or guesses, 0 where none does. */
void confusion_forward(const struct op_call *c, const struct confusion_class *which,
                       double (*measure)(const struct confusion_tally *t));
