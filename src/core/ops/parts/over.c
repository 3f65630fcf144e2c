#include "core/ops/parts/over.h"

#include <string.h>

enum { LANES = 8 };

const struct arg_spec over_specs[] = {
    {.name = "axes",
     .kind = ARG_INTS,
     .offset = offsetof(struct over, axes),
     .min = 1,
     .max = SHAPE_MAX_RANK - 1,
     .required = true,
     .help = "1: the first after the batch, as height of images"},
    {0},
};

int over_plan(const char *name, const struct over *a, const struct shape *x, struct op_plan *plan,
              struct err *err) {
    bool taken[SHAPE_MAX_RANK] = {false};
    char text[SHAPE_TEXT];

    plan->y = x[0];
    for (int i = 0; i < a->axes.n; i++) {
        const int axis = a->axes.v[i];

        if (axis < 1 || axis >= x->rank)
            return err_set(err, ERR_CONFIG, "%s: x is %s, expected axes of 1 to %d, not %d", name,
                           shape_text(x, text), x->rank - 1, axis);
        if (taken[axis])
            return err_set(err, ERR_CONFIG, "%s: axis %d is named twice", name, axis);
        taken[axis] = true;
        plan->y.dim[axis] = 1;
    }
    plan->scratch_bytes = (size_t)shape_len(&plan->y) * sizeof(double);
    plan->flops = (double)shape_len(x);
    return 0;
}

/* One sample of x as nested loops, neighbours that are walked alike merged. Steps in elements of y,
 * 0 where the axis is reduced. */
struct over_walk {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK];
};

static struct over_walk walk_of(const struct op_call *c) {
    const struct shape *x = &c->x->shape, *y = &c->y.shape;
    int64_t step[SHAPE_MAX_RANK], len = 1;
    struct over_walk w = {1, {1}, {0}};

    for (int i = x->rank - 1; i > 0; i--) {
        step[i] = y->dim[i] == 1 ? 0 : len;
        len *= y->dim[i];
    }
    for (int i = 1; i < x->rank; i++) {
        const int last = w.rank - 1;

        if (x->dim[i] == 1)
            continue;
        if (w.dim[last] == 1 || w.step[last] == step[i] * x->dim[i]) {
            w.dim[last] *= x->dim[i];
            w.step[last] = step[i];
        } else {
            w.dim[w.rank] = x->dim[i];
            w.step[w.rank++] = step[i];
        }
    }
    return w;
}

/* Where the first number of a row, of all samples, goes in y. */
static int64_t place(const struct op_call *c, const struct over_walk *w, int64_t row) {
    const int64_t rows = shape_sample_len(&c->x->shape) / w->dim[w->rank - 1];
    int64_t at = row / rows * shape_sample_len(&c->y.shape), i = row % rows;

    for (int d = w->rank - 2; d >= 0; d--) {
        at += i % w->dim[d] * w->step[d];
        i /= w->dim[d];
    }
    return at;
}

static double sum_of(const act *x, int64_t n) {
    double lanes[LANES] = {0}, sum = 0;
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += (double)x[i + l];
    for (; i < n; i++)
        sum += (double)x[i];
    for (int l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

struct over_task {
    const struct op_call *c;
    double scale;
};

static void forward_samples(void *context, int64_t begin, int64_t end) {
    const struct op_call *c = ((const struct over_task *)context)->c;
    const double scale = ((const struct over_task *)context)->scale;
    const struct over_walk w = walk_of(c);
    const int64_t len = w.dim[w.rank - 1], rows = shape_sample_len(&c->x->shape) / len;
    const int64_t y_len = shape_sample_len(&c->y.shape);
    double *sums = c->scratch;

    if (begin < end)
        memset(sums + begin * y_len, 0, (size_t)((end - begin) * y_len) * sizeof(double));
    for (int64_t row = begin * rows; row < end * rows; row++) {
        const act *restrict x = c->x->data + row * len;
        double *restrict to = sums + place(c, &w, row);

        if (w.step[w.rank - 1])
            for (int64_t i = 0; i < len; i++)
                to[i] += (double)x[i];
        else
            *to += sum_of(x, len);
    }
    for (int64_t i = begin * y_len; i < end * y_len; i++)
        c->y.data[i] = (act)(scale * sums[i]);
}

void over_forward(const struct op_call *c, double scale) {
    struct over_task job = {c, scale};

    team_run(c->team, c->y.shape.dim[0], forward_samples, &job);
}

static void backward_rows(void *context, int64_t begin, int64_t end) {
    const struct op_call *c = ((const struct over_task *)context)->c;
    const act scale = (act)((const struct over_task *)context)->scale;
    const struct over_walk w = walk_of(c);
    const int64_t len = w.dim[w.rank - 1];

    for (int64_t row = begin; row < end; row++) {
        const act *restrict dy = c->dy.data + place(c, &w, row);
        act *restrict dx = c->dx->data + row * len;

        if (w.step[w.rank - 1])
            for (int64_t i = 0; i < len; i++)
                dx[i] += scale * dy[i];
        else
            for (int64_t i = 0; i < len; i++)
                dx[i] += scale * *dy;
    }
}

void over_backward(const struct op_call *c, double scale) {
    struct over_task job = {c, scale};
    const struct over_walk w = walk_of(c);

    if (c->dx->data)
        team_run(c->team, shape_len(&c->x->shape) / w.dim[w.rank - 1], backward_rows, &job);
}
