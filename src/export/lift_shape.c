/* lift_shape.c - where numbers stand: pieces, orders, sizes. */
#include "export/lift.h"

#include <math.h>
#include <string.h>

static int same(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_input(l, node, 0);

    return x ? lift_same(l, node, x, err) : lift_refuse(l, node, err, "has no input");
}

/* Numbers of the type that they have here anyway: whole constants, computed floats. */
static int cast(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_input(l, node, 0);
    const int64_t to = lift_int(node, "to", 0);

    if (!x || !(x->ints ? to == ONNX_INT64 || to == ONNX_INT32 : to == ONNX_FLOAT))
        return lift_refuse(l, node, err, "to is %lld, expected the type that it has",
                           (long long)to);
    return lift_same(l, node, x, err);
}

/* The places among n of axis, which may count from the end. */
static int64_t axis_among(int64_t axis, int n) {
    return axis < 0 ? axis + n : axis;
}

/* Our axis of theirs: 1, the channels, is the last. */
static int64_t our_axis(const struct shape *x, int64_t axis) {
    return axis == 1 ? x->rank - 1 : axis - 1;
}

/* --- tensors --- */

enum { CONCAT_MAX = 16 };

static int concat(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    struct lift_value *first = lift_input(l, node, 0);
    const char *text = "concat(";

    if (first && first->ints)
        return lift_concat_ints(l, node, err);
    if (!(first = lift_tensor(l, node, 0, err)))
        return -1;
    struct shape y = first->shape;
    const int64_t axis = axis_among(lift_int(node, "axis", 1), y.rank);
    if (axis < 1 || axis >= y.rank || node->n_input > CONCAT_MAX)
        return lift_refuse(l, node, err,
                           "%zu inputs along axis %lld, expected up to %d along an axis of 1 to %d",
                           node->n_input, (long long)axis, CONCAT_MAX, y.rank - 1);
    y.dim[axis] = 0;
    for (size_t k = 0; k < node->n_input; k++) {
        struct lift_value *v = lift_tensor(l, node, k, err);
        if (!v)
            return -1;
        struct shape rest = v->shape;
        rest.dim[axis] = y.dim[axis];
        if (!shape_equal(&rest, &y))
            return lift_refuse(l, node, err, "its inputs differ in more than axis %lld",
                               (long long)axis);
        y.dim[axis] += v->shape.dim[axis];
        text = pool_print(l->pool, "%s%s%s", text, k ? ", " : "", lift_name(l, v));
    }
    if (axis != 1)
        text = pool_print(l->pool, "%s, axis=%lld", text, (long long)our_axis(&y, axis));
    return lift_pipe(l, node, 0, NULL, &y, pool_print(l->pool, "%s)", text), err);
}

static int flat(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *x,
                struct err *err) {
    const struct shape y = {2, {1, shape_len(&x->shape)}};

    return x->shape.rank == 2 ? lift_same(l, node, x, err)
                              : lift_pipe(l, node, 0, x, &y, "flatten", err);
}

static int flatten(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    if (!x)
        return -1;
    if (axis_among(lift_int(node, "axis", 1), x->shape.rank) != 1)
        return lift_refuse(l, node, err, "axis is %lld, expected 1",
                           (long long)lift_int(node, "axis", 1));
    return flat(l, node, x, err);
}

/* What Reshape makes of x: 0 stays, -1 is worked out. Returns -1 with err. */
static int reshaped(const struct lifting *l, const Onnx__NodeProto *node, const struct shape *x,
                    const struct lift_value *to, struct shape *y, struct err *err) {
    int64_t known = 1;
    int open = -1;

    *y = (struct shape){(int)shape_len(&to->shape), {0}};
    if (y->rank < 2 || y->rank > SHAPE_MAX_RANK)
        return lift_refuse(l, node, err, "its shape has %d numbers, expected 2 to %d", y->rank,
                           SHAPE_MAX_RANK);
    for (int i = 0; i < y->rank; i++) {
        const int64_t v = to->ints[i];
        if (v < -1 || v > INT32_MAX || (v == -1 && open >= 0) || (!v && i >= x->rank))
            return lift_refuse(l, node, err, "its shape holds %lld", (long long)v);
        y->dim[i] = v ? v : x->dim[i];
        if (v == -1)
            open = i;
        else if (known <= TENSOR_MAX_LEN / (y->dim[i] > 0 ? y->dim[i] : 1))
            known *= y->dim[i];
        else
            return lift_refuse(l, node, err, "its shape is too large");
    }
    if (open >= 0)
        y->dim[open] = shape_len(x) / known;
    if (!shape_fits(y) || shape_len(y) != shape_len(x) || y->dim[0] != 1)
        return lift_refuse(l, node, err,
                           "its shape is not that of one sample at a time, whatever the batch");
    return 0;
}

/* [n, c, spatial...] as [n, groups, c / groups, ...]: does Reshape do this? */
static bool is_grouped(const struct shape *x, const struct shape *y) {
    return x->rank > 2 && y->rank > 3 && y->dim[1] > 1 && y->dim[1] * y->dim[2] == x->dim[1];
}

static int group(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *x,
                 const struct shape *y, struct err *err) {
    struct lift_value *v = lift_add(l, node->output[0], err);

    if (!v)
        return -1;
    v->whole = x;
    v->groups = y->dim[1];
    v->shape = *y;
    return 0;
}

/* Groups exchanged with the channels of a group; all other transpositions stand behind a Reshape
 * that has read them. */
static int transpose(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_input(l, node, 0);
    const Onnx__AttributeProto *perm = onnx_attribute(node, "perm");
    bool fits = x && x->whole && !x->turned && perm && perm->n_ints == (size_t)x->shape.rank;

    for (int i = 0; fits && i < x->shape.rank; i++)
        fits = perm->ints[i] == (i == 1 ? 2 : i == 2 ? 1 : i);
    if (!fits)
        return lift_refuse(l, node, err,
                           "an order of dimensions that has no counterpart but in a shuffle of "
                           "channels");
    struct lift_value *v = lift_add(l, node->output[0], err);
    if (!v)
        return -1;
    v->whole = x->whole;
    v->groups = x->groups;
    v->shape = x->shape;
    v->shape.dim[1] = x->shape.dim[2];
    v->shape.dim[2] = x->shape.dim[1];
    v->turned = true;
    return 0;
}

/* Back from groups: the shuffle is whole. */
static int shuffle(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *x,
                   struct err *err) {
    const struct lift_value *to = lift_ints(l, node, 1, err);
    struct shape y;

    if (!to || reshaped(l, node, &x->shape, to, &y, err))
        return -1;
    if (!x->turned || !shape_equal(&y, &x->whole->shape))
        return lift_refuse(l, node, err, "groups of channels have no counterpart but in a shuffle");
    return lift_pipe(l, node, 0, x->whole, &y,
                     pool_print(l->pool, "channel_shuffle(%lld)", (long long)x->groups), err);
}

/* A Transpose behind it that brings channels from the end to the second place, or NULL: then the
 * numbers keep our order. y becomes what the Transpose gives. */
static const Onnx__NodeProto *channels_second(const struct lifting *l, const Onnx__NodeProto *node,
                                              struct shape *y) {
    const Onnx__NodeProto *turn = lift_reader(l, node);
    const Onnx__AttributeProto *perm = turn ? onnx_attribute(turn, "perm") : NULL;
    const struct shape last = *y;

    if (!perm || strcmp(turn->op_type, "Transpose") != 0 || perm->n_ints != (size_t)y->rank)
        return NULL;
    for (int i = 1; i < y->rank; i++)
        if (perm->ints[i] != (i == 1 ? y->rank - 1 : i - 1))
            return NULL;
    for (int i = 1; i < y->rank; i++)
        y->dim[i] = last.dim[i == 1 ? y->rank - 1 : i - 1];
    return turn;
}

static int reshape(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_input(l, node, 0);
    struct shape y;

    if (x && x->ints)
        return lift_vector(l, node, err);
    if (x && x->whole)
        return shuffle(l, node, x, err);
    if (!(x = lift_tensor(l, node, 0, err)))
        return -1;
    const struct lift_value *to = lift_ints(l, node, 1, err);
    if (!to || reshaped(l, node, &x->shape, to, &y, err))
        return -1;
    if (y.rank == 2)
        return flat(l, node, x, err);
    if (is_grouped(&x->shape, &y))
        return group(l, node, x, &y, err);
    /* The same order of numbers with channels last: where either has no pixels or one channel. */
    const bool from =
        x->shape.rank == 2 || x->shape.dim[1] == 1 || shape_len(&x->shape) == x->shape.dim[1];
    const Onnx__NodeProto *turn = from ? channels_second(l, node, &y) : NULL;
    if (turn)
        lift_done(l, turn);
    if (!from || (!turn && y.dim[1] != 1 && shape_len(&y) != y.dim[1]))
        return lift_refuse(
            l, node, err,
            "mixes channels with pixels, which has no counterpart but as a Flatten or "
            "a shuffle of channels");
    const char *list = "";
    for (int i = 2; i < y.rank; i++)
        list = pool_print(l->pool, "%s%lld, ", list, (long long)y.dim[i]);
    return lift_pipe(l, turn ? turn : node, 0, x, &y,
                     pool_print(l->pool, "reshape([%s%lld])", list, (long long)y.dim[1]), err);
}

static int depth_to_space(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const int64_t scale = lift_int(node, "blocksize", 0);

    if (!x)
        return -1;
    if (!lift_text_is(node, "mode", "CRD") || scale < 1 || scale > 1024 || x->shape.rank != 4 ||
        x->shape.dim[1] % (scale * scale))
        return lift_refuse(l, node, err,
                           "expected mode CRD, and a blocksize whose square divides the channels");
    const struct shape y = {
        4,
        {1, x->shape.dim[1] / (scale * scale), x->shape.dim[2] * scale, x->shape.dim[3] * scale}};
    return lift_pipe(l, node, 0, x, &y,
                     pool_print(l->pool, "pixel_shuffle(%lld)", (long long)scale), err);
}

/* --- pieces --- */

static int piece(struct lifting *l, const Onnx__NodeProto *node, size_t k,
                 const struct lift_value *x, int64_t axis, int64_t from, int64_t to,
                 struct err *err) {
    struct shape y = x->shape;

    if (axis < 1 || axis >= y.rank || from < 0 || to > y.dim[axis] || from >= to)
        return lift_refuse(l, node, err, "takes %lld to %lld along axis %lld", (long long)from,
                           (long long)to, (long long)axis);
    y.dim[axis] = to - from;
    return lift_pipe(l, node, k, x, &y,
                     pool_print(l->pool, "slice(%lld, %lld, axis=%lld)", (long long)from,
                                (long long)to, (long long)our_axis(&x->shape, axis)),
                     err);
}

static int slice(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err), *v[5] = {NULL};

    for (size_t k = 1; x && k < 5; k++) {
        v[k] = lift_input(l, node, k);
        if ((v[k] || k < 4) &&
            (!(v[k] = lift_ints(l, node, k, err)) || shape_len(&v[k]->shape) != 1))
            return v[k] ? lift_refuse(l, node, err, "cuts several axes at once, expected one") : -1;
    }
    if (!x)
        return -1;
    if (v[4] && v[4]->ints[0] != 1)
        return lift_refuse(l, node, err, "its step is %lld, expected 1", (long long)v[4]->ints[0]);
    const int64_t axis = axis_among(v[3]->ints[0], x->shape.rank);
    const int64_t len = axis > 0 && axis < x->shape.rank ? x->shape.dim[axis] : 0;
    const int64_t from = v[1]->ints[0] < 0 ? v[1]->ints[0] + len : v[1]->ints[0];
    const int64_t end = v[2]->ints[0] < 0 ? v[2]->ints[0] + len : v[2]->ints[0];
    return piece(l, node, 0, x, axis, from, end < len ? end : len, err);
}

static int split(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    struct lift_value *x = lift_tensor(l, node, 0, err);
    const Onnx__AttributeProto *listed = onnx_attribute(node, "split");
    const struct lift_value *given = lift_input(l, node, 1);
    const int64_t *sizes = listed ? listed->ints : given ? given->ints : NULL;
    const size_t n = listed ? listed->n_ints : given ? (size_t)shape_len(&given->shape) : 0;
    int64_t from = 0;

    if (!x)
        return -1;
    const int64_t axis = axis_among(lift_int(node, "axis", 0), x->shape.rank);
    const int64_t len = axis > 0 && axis < x->shape.rank ? x->shape.dim[axis] : 0;
    if ((sizes && n != node->n_output) || (!sizes && len % (int64_t)node->n_output))
        return lift_refuse(l, node, err, "has %zu outputs, which are not what its sizes say",
                           node->n_output);
    lift_name(l, x);
    for (size_t k = 0; k < node->n_output; k++) {
        const int64_t size = sizes ? sizes[k] : len / (int64_t)node->n_output;
        if (size < 1 || size > len - from)
            return lift_refuse(l, node, err, "a part has size %lld", (long long)size);
        if (piece(l, node, k, x, axis, from, from + size, err))
            return -1;
        from += size;
    }
    return 0;
}

/* --- sizes --- */

/* y's dimensions by scales or sizes. */
static int resized(const struct lifting *l, const Onnx__NodeProto *node, const struct shape *x,
                   struct shape *y, struct err *err) {
    const struct lift_value *scales = lift_input(l, node, 2), *sizes = lift_input(l, node, 3);
    const bool by_scale = scales && scales->floats && shape_len(&scales->shape) == x->rank;
    const bool by_size = sizes && sizes->ints && shape_len(&sizes->shape) == x->rank;

    *y = *x;
    if (x->rank < 3 || by_scale == by_size)
        return lift_refuse(l, node, err, "expected scales or sizes as constants for %d dimensions",
                           x->rank);
    for (int i = 0; i < x->rank; i++) {
        const double wanted = by_scale ? floor((double)((float)x->dim[i] * scales->floats[i]))
                              : sizes->ints[i] ? (double)sizes->ints[i]
                                               : (double)x->dim[i];
        if (!(wanted >= 1 && wanted <= INT32_MAX))
            return lift_refuse(l, node, err, "dimension %d would be %g", i, wanted);
        y->dim[i] = (int64_t)wanted;
    }
    return y->dim[0] == x->dim[0] && y->dim[1] == x->dim[1]
               ? 0
               : lift_refuse(l, node, err, "changes batch or channels, expected pixels alone");
}

static int resize(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const bool linear = lift_text_is(node, "mode", "linear");
    const char *const where = "coordinate_transformation_mode";
    struct shape y;

    if (!x || resized(l, node, &x->shape, &y, err))
        return -1;
    bool whole = true;
    for (int i = 2; i < y.rank; i++)
        whole = whole && y.dim[i] % x->shape.dim[i] == 0;
    const bool fits = linear ? !onnx_attribute(node, where) ||
                                   lift_text_is(node, where, "half_pixel") ||
                                   lift_text_is(node, where, "pytorch_half_pixel")
                             : lift_text_is(node, where, "asymmetric") &&
                                   lift_text_is(node, "nearest_mode", "floor");
    if (!fits ||
        (!linear && onnx_attribute(node, "mode") && !lift_text_is(node, "mode", "nearest")))
        return lift_refuse(l, node, err,
                           "expected mode nearest (asymmetric, floor) or linear (half_pixel)");
    int64_t list[SHAPE_MAX_RANK];
    for (int i = 2; i < y.rank; i++)
        list[i - 2] = whole ? y.dim[i] / x->shape.dim[i] : y.dim[i];
    return lift_pipe(l, node, 0, x, &y,
                     pool_print(l->pool, "upsample(%s%s%s)", whole ? "" : "size=",
                                lift_numbers(l, list, y.rank - 2), linear ? ", mode=bilinear" : ""),
                     err);
}

/* Zeros around nothing. */
static int pad(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const struct lift_value *pads = x ? lift_ints(l, node, 1, err) : NULL;

    if (!pads)
        return -1;
    for (int64_t i = 0; i < shape_len(&pads->shape); i++)
        if (pads->ints[i])
            return lift_refuse(
                l, node, err,
                "pads holds %lld, expected 0: padding has no counterpart but as part "
                "of convolutions and pools",
                (long long)pads->ints[i]);
    return lift_same(l, node, x, err);
}

static const char *const of_dropout[] = {"ratio", "seed", NULL};
static const char *const of_axis[] = {"axis", NULL};
static const char *const of_transpose[] = {"perm", NULL};
static const char *const of_cast[] = {"to", NULL};
static const char *const of_split[] = {"axis", "split", NULL};
static const char *const of_depth[] = {"blocksize", "mode", NULL};
static const char *const of_pad[] = {"mode", NULL};
static const char *const of_reshape[] = {"allowzero", NULL};
static const char *const of_resize[] = {"coordinate_transformation_mode", "mode", "nearest_mode",
                                        "cubic_coeff_a", NULL};

const struct lift_op lift_ops_shape[] = {
    {"Identity", NULL, same},
    {"Dropout", of_dropout, same},
    {"Concat", of_axis, concat},
    {"Flatten", of_axis, flatten},
    {"Reshape", of_reshape, reshape},
    {"Transpose", of_transpose, transpose},
    {"Cast", of_cast, cast},
    {"DepthToSpace", of_depth, depth_to_space},
    {"Slice", NULL, slice},
    {"Split", of_split, split},
    {"Resize", of_resize, resize},
    {"Pad", of_pad, pad},
    {0},
};
