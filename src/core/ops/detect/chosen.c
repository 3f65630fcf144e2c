/* chosen(list, target, n, positive=false): the rows of a list [n, r, k] that count in its target
 * [n, r, 5], or with positive=true those that find a box, in their order: [n, n, k]. Behind them
 * rows of zeros; of targets, ignored ones. Where there are more than n, the last are left out. */
#include "core/ops/detect/terms.h"

#include <string.h>

struct chosen {
    int n, positive;
};

static const char *const truths[] = {"false", "true", NULL};

static const struct arg_spec specs[] = {
    {.name = "n",
     .kind = ARG_INT,
     .offset = offsetof(struct chosen, n),
     .min = 1,
     .max = 1 << 24,
     .required = true,
     .help = "rows of each sample"},
    {.name = "positive",
     .kind = ARG_WORD,
     .offset = offsetof(struct chosen, positive),
     .words = truths,
     .help = "only rows that find a box"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x[0].rank != 3)
        return err_set(err, ERR_CONFIG, "chosen: x is %s, expected a list",
                       shape_text(&x[0], text));
    if (list_check("chosen", "targets", &x[1], TRUTH, err) ||
        list_rows_check("chosen", "rows", &x[0], "targets", &x[1], err))
        return -1;
    plan->y = (struct shape){3, {x->dim[0], ((const struct chosen *)args)->n, x->dim[2]}};
    return 0;
}

static bool is_chosen(const struct chosen *a, const act *target) {
    return a->positive ? terms_positive(target) : terms_counts(target);
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct chosen *a = c->args;
    const int64_t rows = c->x->shape.dim[1], len = c->x->shape.dim[2];

    for (int64_t sample = begin; sample < end; sample++) {
        const act *x = c->x->data + sample * rows * len;
        const act *target = c->x[1].data + sample * rows * TRUTH;
        act *y = c->y.data + sample * a->n * len;
        int64_t n = 0;

        for (int64_t i = 0; i < rows && n < a->n; i++)
            if (is_chosen(a, target + i * TRUTH))
                memcpy(y + n++ * len, x + i * len, (size_t)len * sizeof *y);
        memset(y + n * len, 0, (size_t)((a->n - n) * len) * sizeof *y);
        for (; len == TRUTH && n < a->n; n++)
            y[n * len + 4] = TARGET_IGNORED;
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct chosen *a = c->args;
    const int64_t rows = c->x->shape.dim[1], len = c->x->shape.dim[2];

    for (int64_t sample = begin; sample < end; sample++) {
        const act *target = c->x[1].data + sample * rows * TRUTH;
        const act *dy = c->dy.data + sample * a->n * len;
        act *dx = c->dx->data + sample * rows * len;
        int64_t n = 0;

        for (int64_t i = 0; i < rows && n < a->n; i++) {
            if (!is_chosen(a, target + i * TRUTH))
                continue;
            for (int64_t j = 0; j < len; j++)
                dx[i * len + j] += dy[n * len + j];
            n++;
        }
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_chosen = {
    .word = {"chosen", "the rows of a list that count in its target", sizeof(struct chosen), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 2,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
