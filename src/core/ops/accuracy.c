/* accuracy(logits, label, k=1, ignore=-1): the share of labels among the k largest logits. Of equal
 * logits the first ranks first; a NaN never hits. */
#include "core/ops/parts/labels.h"

struct accuracy {
    int k, ignore;
};

static const struct arg_spec specs[] = {
    {.name = "k",
     .kind = ARG_INT,
     .offset = offsetof(struct accuracy, k),
     .fallback = 1,
     .min = 1,
     .max = 0,
     .help = "guesses allowed"},
    LABELS_IGNORE(struct accuracy),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct accuracy *a = args;

    (void)n_x;
    if (labels_check("accuracy", &x[0], &x[1], err))
        return -1;
    if (a->k > shape_channels(&x[0]))
        return err_set(err, ERR_CONFIG, "accuracy: k is %d, but there are only %lld classes", a->k,
                       (long long)shape_channels(&x[0]));
    op_plan_mean(plan);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count(c, ((const struct accuracy *)c->args)->ignore);
}

static double hits_of_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct accuracy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    int64_t hits = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *s = c->x[0].data + row * n;
        const int64_t label = labels_at(c, row, a->ignore);
        int64_t ahead = 0;

        for (int64_t j = 0; label >= 0 && j < n; j++)
            ahead += j < label ? !(s[label] > s[j]) : j > label && !(s[label] >= s[j]);
        hits += label >= 0 && ahead < a->k && s[label] == s[label];
    }
    return (double)hits;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, labels_rows(c), hits_of_rows);
}

const struct op op_accuracy = {
    .word = {"accuracy", "share of labels among the k largest logits", sizeof(struct accuracy),
             specs},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
};
