/* split(x, parts, part): part number `part`, from 0, of `parts` equal parts of the channels. */
#include "core/ops/parts/piece.h"

struct split {
    int parts, part;
};

static const struct arg_spec specs[] = {
    {.name = "parts",
     .kind = ARG_INT,
     .offset = offsetof(struct split, parts),
     .min = 1,
     .required = true,
     .help = "divides the number of channels"},
    {.name = "part",
     .kind = ARG_INT,
     .offset = offsetof(struct split, part),
     .min = 0,
     .max = -1,
     .required = true,
     .help = "which of them, from 0"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct split *a = args;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2 || shape_channels(x) % a->parts)
        return err_set(err, ERR_CONFIG, "split: x is %s, expected channels in %d equal parts",
                       shape_text(x, text), a->parts);
    if (a->part >= a->parts)
        return err_set(err, ERR_CONFIG, "split: part is %d, expected 0 to %d", a->part,
                       a->parts - 1);
    plan->y = x[0];
    plan->y.dim[x->rank - 1] /= a->parts;
    return 0;
}

static int64_t from_of(const struct op_call *c) {
    return ((const struct split *)c->args)->part * shape_channels(&c->y.shape);
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    piece_forward(c, c->y.shape.rank - 1, from_of(c), begin, end);
}

static void forward(const struct op_call *c) {
    share(c, piece_outer(c, c->y.shape.rank - 1), forward_part);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    piece_backward(c, c->y.shape.rank - 1, from_of(c), begin, end);
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, piece_outer(c, c->y.shape.rank - 1), backward_part);
}

const struct op op_split = {
    .word = {"split", "one of several equal parts of the channels", sizeof(struct split), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
