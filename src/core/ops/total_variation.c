/* total_variation(x): the sum of |differences| between neighbours along every axis between samples
 * and channels, divided by the number of elements: a smoothness that does not depend on the size of
 * the image. The slope of no difference is 0. Source: Rudin et al. 1992,
 * doi:10.1016/0167-2789(92)90242-F; the anisotropic form. */
#include "core/ops/parts/share.h"

#include <math.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 3)
        return err_set(err, ERR_CONFIG, "total_variation: x is %s, expected images",
                       shape_text(x, text));
    op_plan_mean(plan);
    plan->flops = 2 * (double)shape_len(x) * (x->rank - 2);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)shape_len(&c->x->shape);
}

/* Elements from one to its neighbour along that axis. */
static int64_t stride_of(const struct shape *s, int axis) {
    int64_t stride = 1;

    for (int i = axis + 1; i < s->rank; i++)
        stride *= s->dim[i];
    return stride;
}

static double sum_of_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct shape *s = &c->x->shape;
    double sum = 0;

    for (int axis = 1; axis < s->rank - 1; axis++) {
        const int64_t stride = stride_of(s, axis), len = stride * s->dim[axis];

        for (int64_t at = begin * shape_sample_len(s); at < end * shape_sample_len(s); at += len) {
            const act *x = c->x->data + at;
            for (int64_t i = 0; i + stride < len; i++)
                sum += fabs((double)x[i + stride] - (double)x[i]);
        }
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, c->x->shape.dim[0], sum_of_samples);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct shape *s = &c->x->shape;
    const act g = (act)c->dy.reals[0];

    for (int axis = 1; axis < s->rank - 1; axis++) {
        const int64_t stride = stride_of(s, axis), len = stride * s->dim[axis];

        for (int64_t at = begin * shape_sample_len(s); at < end * shape_sample_len(s); at += len) {
            const act *restrict x = c->x->data + at;
            act *restrict dx = c->dx->data + at;
            for (int64_t i = 0; i + stride < len; i++) {
                const act slope = g * (act)((x[i + stride] > x[i]) - (x[i + stride] < x[i]));
                dx[i + stride] += slope;
                dx[i] -= slope;
            }
        }
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->x->shape.dim[0], backward_samples);
}

const struct op op_total_variation = {
    .word = {"total_variation", "sum of |differences| of neighbours over number of elements", 0,
             NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
