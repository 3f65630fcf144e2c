#include "core/ops/parts/confusion_parts.h"

static const char *const averages[] = {"macro", "micro", "weighted", NULL};

const struct arg_spec confusion_class_or_mean[] = {
    {.name = "class",
     .kind = ARG_INT,
     .offset = offsetof(struct confusion_class, index),
     .fallback = CONFUSION_MEAN,
     .min = CONFUSION_MEAN,
     .max = CONFUSION_MEAN - 1,
     .help = "that is measured; -1: the mean of all that occur"},
    {.name = "average",
     .kind = ARG_WORD,
     .offset = offsetof(struct confusion_class, average),
     .fallback = CONFUSION_MACRO,
     .words = averages,
     .help = "of class -1: of classes, of all labels alike, or of classes by their labels"},
    {0},
};

const struct arg_spec confusion_class_one[] = {
    {.name = "class",
     .kind = ARG_INT,
     .offset = offsetof(struct confusion_class, index),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "that is measured"},
    {0},
};

int confusion_plan(const char *name, int index, const struct shape *x, struct op_plan *plan,
                   struct err *err) {
    char text[SHAPE_TEXT];

    if (x->rank != 3 || x->dim[0] != 1 || x->dim[1] != x->dim[2])
        return err_set(err, ERR_CONFIG,
                       "%s: x is %s, expected the matrix of confusion(logits, label)", name,
                       shape_text(x, text));
    if (index >= x->dim[1])
        return err_set(err, ERR_CONFIG, "%s: class is %d, but there are only %lld classes", name,
                       index, (long long)x->dim[1]);
    op_plan_mean(plan);
    return 0;
}

struct confusion_tally confusion_of(const struct op_call *c, int64_t index) {
    const int64_t n = c->x->shape.dim[1];
    const real *x = c->x->reals;
    struct confusion_tally t = {.hits = (double)x[index * n + index]};

    for (int64_t j = 0; j < n; j++) {
        t.labels += (double)x[index * n + j];
        t.guesses += (double)x[j * n + index];
    }
    return t;
}

/* Hits, labels and guesses of all classes. */
static struct confusion_tally all_of(const struct op_call *c) {
    struct confusion_tally all = {0};

    for (int64_t j = 0; j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        all.hits += t.hits, all.labels += t.labels, all.guesses += t.guesses;
    }
    return all;
}

void confusion_forward(const struct op_call *c, const struct confusion_class *which,
                       double (*measure)(const struct confusion_tally *t)) {
    const bool weighted = which->average == CONFUSION_WEIGHTED;
    const bool one = which->index >= 0 || which->average == CONFUSION_MICRO;
    double sum = 0, n = 0;

    for (int64_t j = 0; !one && j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        if (t.labels + t.guesses == 0)
            continue;
        sum += (weighted ? t.labels : 1) * measure(&t);
        n += weighted ? t.labels : 1;
    }
    if (one) {
        const struct confusion_tally t =
            which->index >= 0 ? confusion_of(c, which->index) : all_of(c);
        sum = measure(&t), n = 1;
    }
    c->y.reals[0] = (real)confusion_ratio(sum, n);
}
