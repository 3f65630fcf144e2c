#include "core/ops/parts/pairs.h"

static bool is_number(const struct shape *s) {
    return s->rank == 1 && s->dim[0] == 1;
}

static struct shape without_trailing_ones(struct shape s) {
    while (s.rank > 1 && s.dim[s.rank - 1] == 1)
        s.dim[--s.rank] = 0;
    return s;
}

int pairs_plan(const char *name, const char *const called[2], const struct shape *x,
               struct op_plan *plan, struct err *err) {
    const struct shape a = without_trailing_ones(x[0]), b = without_trailing_ones(x[1]);
    const int64_t len = shape_len(&a) > shape_len(&b) ? shape_len(&a) : shape_len(&b);

    if (!is_number(&x[0]) && !is_number(&x[1]) && !shape_equal(&a, &b)) {
        char text[2][SHAPE_TEXT];

        return err_set(err, ERR_CONFIG, "%s: %s is %s and %s %s", name, called[0],
                       shape_text(&x[0], text[0]), called[1], shape_text(&x[1], text[1]));
    }
    op_plan_mean(plan);
    plan->flops = 3 * (double)len;
    return 0;
}

double pairs_count(const struct op_call *c) {
    return (double)pairs_len(c);
}

void pairs_forward(const struct op_call *c,
                   double (*sum)(const struct op_call *c, int64_t begin, int64_t end)) {
    c->y.reals[0] = (real)share_sum(c, pairs_len(c), sum);
}

void pairs_run_backward(const struct op_call *c, const struct pairs_tasks *tasks) {
    for (int operand = 0; operand < 2; operand++) {
        if (!c->dx[operand].data)
            continue;
        if (shape_len(&c->x[operand].shape) == pairs_len(c))
            share(c, pairs_len(c), tasks->backward[operand]);
        else
            c->dx[operand].data[0] +=
                (act)((double)c->dy.reals[0] * share_sum(c, pairs_len(c), tasks->slopes[operand]));
    }
}
