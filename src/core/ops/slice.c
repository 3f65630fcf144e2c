/* slice(x, from=0, to=0, axis=-1): what lies from `from` up to but not including `to` along an
 * axis, the channels unless said otherwise. Places and axes that are negative count from the end.
 */
#include "core/ops/parts/piece.h"

struct slice {
    int from, to, axis;
};

static const struct arg_spec specs[] = {
    {.name = "from",
     .kind = ARG_INT,
     .offset = offsetof(struct slice, from),
     .fallback = 0,
     .min = INT32_MIN,
     .max = INT32_MAX,
     .help = "first place; negative: from the end"},
    {.name = "to",
     .kind = ARG_INT,
     .offset = offsetof(struct slice, to),
     .fallback = 0,
     .min = INT32_MIN,
     .max = INT32_MAX,
     .help = "place after the last; 0: the end; negative: from the end"},
    {.name = "axis",
     .kind = ARG_INT,
     .offset = offsetof(struct slice, axis),
     .fallback = -1,
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK,
     .help = "1: the first after the batch; -1: channels"},
    {0},
};

static int axis_of(const struct slice *a, const struct shape *x) {
    return a->axis < 0 ? x->rank + a->axis : a->axis;
}

static int64_t from_of(const struct slice *a, int64_t len) {
    return a->from < 0 ? len + a->from : a->from;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct slice *a = args;
    const int axis = axis_of(a, x);
    char text[SHAPE_TEXT];

    (void)n_x;
    if (axis < 1 || axis >= x->rank)
        return err_set(err, ERR_CONFIG, "slice: x is %s, expected an axis of 1 to %d, not %d",
                       shape_text(x, text), x->rank - 1, a->axis);
    const int64_t len = x->dim[axis], from = from_of(a, len);
    const int64_t to = a->to > 0 ? a->to : len + a->to;
    if (from < 0 || to > len || from >= to)
        return err_set(err, ERR_CONFIG, "slice: %lld to %lld of %lld places in %s is not a piece",
                       (long long)from, (long long)to, (long long)len, shape_text(x, text));
    plan->y = x[0];
    plan->y.dim[axis] = to - from;
    return 0;
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const int axis = axis_of(c->args, &c->x->shape);

    piece_forward(c, axis, from_of(c->args, c->x->shape.dim[axis]), begin, end);
}

static void forward(const struct op_call *c) {
    share(c, piece_outer(c, axis_of(c->args, &c->x->shape)), forward_part);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const int axis = axis_of(c->args, &c->x->shape);

    piece_backward(c, axis, from_of(c->args, c->x->shape.dim[axis]), begin, end);
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, piece_outer(c, axis_of(c->args, &c->x->shape)), backward_part);
}

const struct op op_slice = {
    .word = {"slice", "a piece of the channels or of another axis", sizeof(struct slice), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
