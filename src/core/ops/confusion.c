/* confusion(logits, label, ignore=-1): y [1, classes, classes], the share of labels that are of the
 * row's class and taken for the column's, which has the largest logit (of equal ones the first).
 * One channel is a score: class 1 where it is positive, else class 0. */
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

#include <string.h>

struct confusion {
    int ignore;
};

static const struct arg_spec specs[] = {
    LABELS_IGNORE(struct confusion),
    {0},
};

static size_t tally_bytes(int64_t classes) {
    return (size_t)(classes * classes) * sizeof(int64_t);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t channels = shape_channels(&x[0]), classes = labels_classes(channels);

    (void)args, (void)n_x;
    if (labels_check("confusion", &x[0], &x[1], err))
        return -1;
    plan->y = (struct shape){3, {1, classes, classes}};
    plan->y_kind = TENSOR_REALS;
    plan->scratch_bytes =
        tally_bytes(classes) + (size_t)(shape_len(&x[0]) / channels) * sizeof(int32_t);
    plan->flops = (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count_binary(c, ((const struct confusion *)c->args)->ignore);
}

/* scratch: the tally int64_t[classes, classes], then the guess int32_t of each row. */
static int32_t *guesses(const struct op_call *c) {
    return (int32_t *)(void *)((char *)c->scratch + tally_bytes(c->y.shape.dim[1]));
}

static int32_t guess(const act *x, int64_t n) {
    if (n == 1)
        return x[0] > 0;
    const act max = row_max(x, n);
    for (int64_t j = 0; j < n; j++)
        if (x[j] == max)
            return (int32_t)j;
    return 0; /* not a number */
}

static void guess_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape);
    int32_t *all = guesses(c);

    for (int64_t row = begin; row < end; row++)
        all[row] = guess(c->x[0].data + row * n, n);
}

static void forward(const struct op_call *c) {
    const struct confusion *a = c->args;
    const int64_t classes = c->y.shape.dim[1], rows = labels_rows(c);
    const int32_t *guessed = guesses(c);
    int64_t *tally = c->scratch;

    share(c, rows, guess_rows);
    memset(tally, 0, tally_bytes(classes));
    for (int64_t row = 0; row < rows; row++) {
        const int64_t label = labels_below(c, row, classes, a->ignore);
        if (label >= 0)
            tally[label * classes + guessed[row]]++;
    }
    for (int64_t i = 0; i < classes * classes; i++)
        c->y.reals[i] = (real)tally[i];
}

const struct op op_confusion = {
    .word = {"confusion", "share of labels of each class (row) taken for each class (column)",
             sizeof(struct confusion), specs},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .meaning.tally = true,
    .meaning.binary = true,
    .plan = plan,
    .count = count,
    .forward = forward,
};
