/* upsample(x, scale=2, mode=nearest, size=0): [n, ..., c] with every axis between stretched, by
 * repeating the nearest pixel or by (bi-, tri-) linear interpolation between pixel centres, as
 * torch.nn.Upsample with align_corners=False. */
#include "core/ops/parts/share.h"

#include <string.h>

enum { NEAREST, BILINEAR };
enum { AXES = 3 }; /* depth, height, width; those that x lacks have length 1 */

struct upsample {
    struct ints scale;
    int mode;
    struct ints size;
};

static const char *const modes[] = {"nearest", "bilinear", NULL};

static const struct arg_spec specs[] = {
    {.name = "scale",
     .kind = ARG_INTS,
     .offset = offsetof(struct upsample, scale),
     .fallback = 2,
     .min = 1,
     .max = 0,
     .help = "times as large: one number or height, width"},
    {.name = "mode",
     .kind = ARG_WORD,
     .offset = offsetof(struct upsample, mode),
     .fallback = NEAREST,
     .words = modes,
     .help = "bilinear: between pixel centres"},
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct upsample, size),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "of the output, in place of scale; 0: by scale"},
    {0},
};

/* One output pixel along an axis: shares of two input pixels. */
struct upsample_taps {
    int64_t at[2];
    real share[2];
};

struct upsample_axis {
    int64_t n_in, n_out;
    bool linear;
    const struct upsample_taps *taps; /* of every output; of the width only */
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct upsample *a = args;
    const bool sized = a->size.n > 1 || a->size.v[0];
    const struct ints *list = sized ? &a->size : &a->scale;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 3)
        return err_set(err, ERR_CONFIG,
                       "upsample: x is %s, expected images (samples x height x width x channels)",
                       shape_text(x, text));
    if (list->n != 1 && list->n != x->rank - 2)
        return err_set(err, ERR_CONFIG, "upsample: %s has %d numbers, expected one or %d",
                       sized ? "size" : "scale", list->n, x->rank - 2);
    plan->y = x[0];
    for (int i = 0; i < x->rank - 2; i++) {
        const int64_t v = ints_at(list, i);

        plan->y.dim[i + 1] = sized ? v : v * x->dim[i + 1];
        if (!v)
            return err_set(err, ERR_CONFIG, "upsample: size holds a 0");
    }
    plan->scratch_bytes = (size_t)plan->y.dim[x->rank - 2] * sizeof(struct upsample_taps);
    plan->flops =
        (a->mode == NEAREST ? 1.0 : (double)(2 << (x->rank - 2))) * (double)shape_len(&plan->y);
    return 0;
}

static struct upsample_axis axis_of(const struct op_call *c, int i) {
    const struct shape *x = &c->x->shape;
    const int dim = i - (AXES - (x->rank - 2)) + 1;

    if (dim < 1)
        return (struct upsample_axis){1, 1, false, NULL};
    return (struct upsample_axis){x->dim[dim], c->y.shape.dim[dim],
                                  ((const struct upsample *)c->args)->mode == BILINEAR,
                                  i == AXES - 1 ? c->scratch : NULL};
}

static inline struct upsample_taps taps_at(const struct upsample_axis *a, int64_t out) {
    if (!a->linear)
        return (struct upsample_taps){{out * a->n_in / a->n_out, 0}, {1, 0}};
    const double centre = ((double)out + 0.5) * (double)a->n_in / (double)a->n_out - 0.5;
    const double at = centre > 0 ? centre : 0;
    const int64_t near = (int64_t)at, far = near + 1 < a->n_in ? near + 1 : near;
    const real share = (real)(at - (double)near);

    return (struct upsample_taps){{near, far}, {1 - share, share}};
}

/* What output `out` has of input `in`. */
static real share_of(const struct upsample_axis *a, int64_t out, int64_t in) {
    const struct upsample_taps t = taps_at(a, out);

    return (t.at[0] == in ? t.share[0] : 0) + (t.at[1] == in ? t.share[1] : 0);
}

/* Outputs that may have something of input `in`: a few too many. */
static void reach(const struct upsample_axis *a, int64_t in, int64_t *begin, int64_t *end) {
    const int64_t from = (in - 1) * a->n_out / a->n_in - 1;
    const int64_t to = (in + 2) * a->n_out / a->n_in + 2;

    *begin = from > 0 ? from : 0;
    *end = to < a->n_out ? to : a->n_out;
}

static inline void add_scaled(const act *restrict from, real scale, int64_t channels,
                              act *restrict to) {
    for (int64_t ch = 0; ch < channels; ch++)
        to[ch] += (act)(from[ch] * scale);
}

/* y[w_out] += the stretched row x[w_in] times scale; and its transpose. */
static void add_row(const struct upsample_axis *w, const act *x, real scale, int64_t channels,
                    act *y) {
    const struct upsample_taps *t = w->taps;

    for (int64_t out = 0; out < w->n_out; out++, t++, y += channels)
        for (int i = 0; i < 1 + w->linear; i++)
            add_scaled(x + t->at[i] * channels, t->share[i] * scale, channels, y);
}

static void add_row_back(const struct upsample_axis *w, const act *dy, real scale, int64_t channels,
                         act *dx) {
    const struct upsample_taps *t = w->taps;

    for (int64_t out = 0; out < w->n_out; out++, t++, dy += channels)
        for (int i = 0; i < 1 + w->linear; i++)
            add_scaled(dy, t->share[i] * scale, channels, dx + t->at[i] * channels);
}

/* Rows of y: samples x depth x height. */
static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct upsample_axis d = axis_of(c, 0), h = axis_of(c, 1), w = axis_of(c, 2);
    const int64_t channels = shape_channels(&c->y.shape), row_len = w.n_out * channels;

    for (int64_t row = begin; row < end; row++) {
        const int64_t sample = row / (d.n_out * h.n_out);
        const struct upsample_taps td = taps_at(&d, row / h.n_out % d.n_out);
        const struct upsample_taps th = taps_at(&h, row % h.n_out);
        act *y = c->y.data + row * row_len;

        memset(y, 0, (size_t)row_len * sizeof(act));
        for (int i = 0; i < 1 + d.linear; i++)
            for (int j = 0; j < 1 + h.linear; j++) {
                const int64_t from = (sample * d.n_in + td.at[i]) * h.n_in + th.at[j];
                const real share = td.share[i] * th.share[j];

                if (share > 0)
                    add_row(&w, c->x->data + from * w.n_in * channels, share, channels, y);
            }
    }
}

static void fill_taps(const struct op_call *c) {
    const struct upsample_axis w = axis_of(c, AXES - 1);
    struct upsample_taps *taps = c->scratch;

    for (int64_t out = 0; out < w.n_out; out++)
        taps[out] = taps_at(&w, out);
}

static int64_t rows_of(const struct op_call *c, const struct shape *s) {
    return s->dim[0] * (c->x->shape.rank == 3   ? 1
                        : c->x->shape.rank == 4 ? s->dim[1]
                                                : s->dim[1] * s->dim[2]);
}

static void forward(const struct op_call *c) {
    fill_taps(c);
    share(c, rows_of(c, &c->y.shape), forward_rows);
}

/* Rows of x, each of which gathers from the rows of y that have something of it. */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct upsample_axis d = axis_of(c, 0), h = axis_of(c, 1), w = axis_of(c, 2);
    const int64_t channels = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++) {
        const int64_t sample = row / (d.n_in * h.n_in), i = row / h.n_in % d.n_in, j = row % h.n_in;
        int64_t i0, i1, j0, j1;

        if (c->dx_first)
            memset(c->dx->data + row * w.n_in * channels, 0,
                   (size_t)(w.n_in * channels) * sizeof(act));
        reach(&d, i, &i0, &i1);
        reach(&h, j, &j0, &j1);
        for (int64_t out_i = i0; out_i < i1; out_i++)
            for (int64_t out_j = j0; out_j < j1; out_j++) {
                const int64_t from = (sample * d.n_out + out_i) * h.n_out + out_j;
                const real share = share_of(&d, out_i, i) * share_of(&h, out_j, j);

                if (share > 0)
                    add_row_back(&w, c->dy.data + from * w.n_out * channels, share, channels,
                                 c->dx->data + row * w.n_in * channels);
            }
    }
}

static void backward(const struct op_call *c) {
    if (!c->dx->data)
        return;
    fill_taps(c);
    share(c, rows_of(c, &c->x->shape), backward_rows);
}

const struct op op_upsample = {
    .word = {"upsample", "images enlarged", sizeof(struct upsample), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
