/* lower_shape.c - where numbers stand: pieces, orders, sizes, classes. */
#include "export/lower.h"

#include <math.h>

/* What does nothing in validation. */
static const char *nothing(struct lowering *l, int node, struct err *err) {
    (void)err;
    return lower_x(l, node, 0);
}

/* Class indices have no channels; of numbers the last dimension is that. */
static const char *numbers(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *cast = onnx_add(&l->out, "Cast", &x, 1);

    (void)err;
    onnx_set_int(&l->out, cast, "to", ONNX_FLOAT);
    return lower_channels_second(l, onnx_output(cast), lower_shape(l, node, 0)->rank);
}

static const char *concat(struct lowering *l, int node, struct err *err) {
    const struct node *n = lower_node(l, node);
    const char *x[OP_ANY_INPUTS];

    (void)err;
    for (int k = 0; k < n->n_x; k++)
        x[k] = lower_x(l, node, k);
    Onnx__NodeProto *y = onnx_add(&l->out, "Concat", x, n->n_x);
    const int rank = lower_shape(l, node, 0)->rank, given = lower_int(l, node, "axis");
    const int axis = given < 0 ? rank + given : given;
    onnx_set_int(&l->out, y, "axis", axis == rank - 1 ? 1 : axis + 1);
    return onnx_output(y);
}

static const char *flatten(struct lowering *l, int node, struct err *err) {
    if (lower_int(l, node, "from") > 1) {
        err_set(err, ERR_CONFIG, "flatten: ONNX has no operators for lists of images");
        return NULL;
    }
    return onnx_apply(&l->out, "Flatten", lower_x(l, node, 0), NULL, NULL);
}

/* Pixels times channels in the same order whether channels come first or last? */
static bool is_one_order(const struct shape *s) {
    return s->rank < 3 || shape_channels(s) == 1 || shape_sample_len(s) == shape_channels(s);
}

/* The numbers of a sample keep our order, channels last. */
static const char *reshape(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0), *out = &lower_node(l, node)->plan.y;
    const char *x = lower_x(l, node, 0);
    int64_t dim[SHAPE_MAX_RANK] = {0};

    (void)err;
    if (!is_one_order(in))
        x = lower_channels_last(l, x, in->rank);
    if (is_one_order(out))
        return onnx_reshape(&l->out, x, dim, lower_dims(out, dim));
    for (int i = 1; i < out->rank; i++)
        dim[i] = out->dim[i];
    return lower_channels_second(l, onnx_reshape(&l->out, x, dim, out->rank), out->rank);
}

static const char *piece(struct lowering *l, int node, int64_t from, int64_t to, int64_t axis) {
    const char *const x[] = {lower_x(l, node, 0), onnx_int64s(&l->out, &from, 1),
                             onnx_int64s(&l->out, &to, 1), onnx_int64s(&l->out, &axis, 1)};

    return onnx_output(onnx_add(&l->out, "Slice", x, 4));
}

static const char *slice(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0);
    const int given = lower_int(l, node, "axis"), axis = given < 0 ? in->rank + given : given;
    const int64_t first = lower_int(l, node, "from");
    const int64_t from = first < 0 ? in->dim[axis] + first : first;

    (void)err;
    return piece(l, node, from, from + lower_node(l, node)->plan.y.dim[axis],
                 axis == in->rank - 1 ? 1 : axis + 1);
}

static const char *split(struct lowering *l, int node, struct err *err) {
    const int64_t len = shape_channels(&lower_node(l, node)->plan.y);
    const int64_t from = lower_int(l, node, "part") * len;

    (void)err;
    return piece(l, node, from, from + len, 1);
}

static const char *channel_shuffle(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0);
    const int64_t groups = lower_int(l, node, "groups");
    const int64_t cut[] = {0, groups, shape_channels(in) / groups, -1}, turned[] = {0, 2, 1, 3};
    int64_t whole[SHAPE_MAX_RANK];
    const char *y = onnx_reshape(&l->out, lower_x(l, node, 0), cut, 4);

    (void)err;
    return onnx_reshape(&l->out, onnx_transpose(&l->out, y, turned, 4), whole,
                        lower_dims(in, whole));
}

static const char *pixel_shuffle(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *y = onnx_add(&l->out, "DepthToSpace", &x, 1);

    (void)err;
    onnx_set_int(&l->out, y, "blocksize", lower_int(l, node, "scale"));
    onnx_set_text(&l->out, y, "mode", "CRD");
    return onnx_output(y);
}

/* Runtimes multiply in float and round down: the factor that gives n_out of n_in. */
static float factor(int64_t n_in, int64_t n_out) {
    float scale = (float)n_out / (float)n_in;

    while ((int64_t)floorf((float)n_in * scale) < n_out)
        scale = nextafterf(scale, HUGE_VALF);
    return scale;
}

/* The nearest pixels of an axis by their places: exact for any two sizes. */
static const char *gather(struct lowering *l, const char *x, int axis, int64_t n_in,
                          int64_t n_out) {
    int64_t *places = pool_take(l->out.pool, (size_t)n_out * sizeof *places);

    for (int64_t i = 0; i < n_out; i++)
        places[i] = i * n_in / n_out;
    const char *const inputs[] = {x, onnx_int64s(&l->out, places, (int)n_out)};
    Onnx__NodeProto *y = onnx_add(&l->out, "Gather", inputs, 2);
    onnx_set_int(&l->out, y, "axis", axis);
    return onnx_output(y);
}

static const char *upsample(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0), *out = &lower_node(l, node)->plan.y;
    const struct shape rank = {1, {in->rank}};
    const bool linear = lower_int(l, node, "mode");
    float scale[SHAPE_MAX_RANK] = {1, 1};
    const char *x = lower_x(l, node, 0);
    bool whole = true;

    (void)err;
    for (int i = 1; i < in->rank - 1; i++) {
        whole = whole && out->dim[i] % in->dim[i] == 0;
        scale[i + 1] = factor(in->dim[i], out->dim[i]);
    }
    for (int i = 1; !linear && !whole && i < in->rank - 1; i++)
        x = gather(l, x, i + 1, in->dim[i], out->dim[i]);
    if (!linear && !whole)
        return x;
    const char *const inputs[] = {x, "", onnx_floats(&l->out, &rank, scale)};
    Onnx__NodeProto *y = onnx_add(&l->out, "Resize", inputs, 3);
    onnx_set_text(&l->out, y, "mode", linear ? "linear" : "nearest");
    onnx_set_text(&l->out, y, "coordinate_transformation_mode",
                  linear ? "half_pixel" : "asymmetric");
    if (!linear)
        onnx_set_text(&l->out, y, "nearest_mode", "floor");
    return onnx_output(y);
}

/* --- class indices; negative ones are no class --- */

static const char *is_negative(struct lowering *l, const char *label) {
    const int64_t zero = 0;

    return onnx_apply(&l->out, "Less", label, onnx_int64s(&l->out, &zero, 1), NULL);
}

/* OneHot counts negative indices from the end; those beyond it are zeros. */
static const char *one_hot(struct lowering *l, int node, struct err *err) {
    static const float values[] = {0, 1};
    static const struct shape two = {1, {2}};
    const int64_t classes = lower_int(l, node, "classes");
    const char *label = lower_x(l, node, 0), *depth = onnx_int64s(&l->out, &classes, 1);
    const char *const x[] = {onnx_apply(&l->out, "Where", is_negative(l, label), depth, label),
                             depth, onnx_floats(&l->out, &two, values)};
    Onnx__NodeProto *y = onnx_add(&l->out, "OneHot", x, 3);

    (void)err;
    onnx_set_int(&l->out, y, "axis", 1);
    return onnx_output(y);
}

static const char *embedding(struct lowering *l, int node, struct err *err) {
    const struct op_param *w = &lower_node(l, node)->plan.w[0];
    const char *label = lower_x(l, node, 0), *name = lower_name(l, node, w);
    const int64_t zero = 0, last = -1;
    const char *no_class = is_negative(l, label);
    const char *row = onnx_apply(&l->out, "Where", no_class, onnx_int64s(&l->out, &zero, 1), label);

    (void)err;
    if (!onnx_has_weight(&l->out, name))
        onnx_weight(&l->out, name, &w->shape, lower_weights(l, node, 0));
    const char *y = onnx_apply(&l->out, "Gather", name, row, NULL);
    y = onnx_apply(&l->out, "Where",
                   onnx_apply(&l->out, "Unsqueeze", no_class, onnx_int64s(&l->out, &last, 1), NULL),
                   onnx_scalar(&l->out, 0), y);
    return lower_channels_second(l, y, lower_node(l, node)->plan.y.rank);
}

const struct lower_op lower_ops_shape[] = {
    {"dropout", "nothing", nothing},
    {"drop_path", "nothing", nothing},
    {"detach", "nothing", nothing},
    {"numbers", "Cast", numbers},
    {"concat", "Concat", concat},
    {"flatten", "Flatten", flatten},
    {"reshape", "Reshape, with Transpose where the order of numbers needs it", reshape},
    {"slice", "Slice", slice},
    {"split", "Slice", split},
    {"channel_shuffle", "Reshape, Transpose, Reshape", channel_shuffle},
    {"pixel_shuffle", "DepthToSpace", pixel_shuffle},
    {"upsample", "Resize; Gather for nearest pixels by no whole factor", upsample},
    {"one_hot", "Where, OneHot", one_hot},
    {"embedding", "Where, Gather", embedding},
    {0},
};
