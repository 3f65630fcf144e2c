#include "core/math/winograd.h"

#include "core/math/conv_parts.h"
#include "core/math/winograd_parts.h"

#include <string.h>

/* Channels that one sum takes at a time: the sums of all such parts are added in order, which
 * halves the error of long ones. */
enum { DEPTH = 64 };

/* Transformed weights of up to STORED_LEN filters are stored, and used by BLOCK squares at a time,
 * which stay in the second-level cache. Those of more filters are made where they are used, in
 * pieces that stay there, for SHARED squares that all threads share. */
enum { STORED_LEN = 1 << 14, BLOCK = 24, SHARED = 128 };

struct winograd_work {
    const struct isa *isa;
    struct winograd_squares from, to;
    int64_t n_squares;
    bool transposed; /* the gradient for the input: filters turned round, to.c x from.c of them */
    const act *src;
    const real *w, *bias;
    bool add;
    act *dst;

    bool stored;
    int64_t n_block; /* squares computed together */
    struct winograd_layout v, m;
    int64_t u_step;         /* elements between the matrices [DEPTH, tile_cols] of two points */
    int64_t begin, n_begun; /* squares in v, where it is shared */
    real *u;                /* [to's panels][from's panels][36], where stored */
    real *shared;           /* v, where it is shared */
    unsigned char *slots;   /* [PATCH_SLOTS] */
};

static struct winograd_work work_of(const struct conv_shape *s, bool transposed) {
    struct winograd_work k = {.isa = isa_get(), .transposed = transposed};
    int64_t width;

    k.from = transposed ? winograd_y(s) : winograd_x(s);
    k.to = transposed ? winograd_x(s) : winograd_y(s);
    winograd_cut(transposed ? 2 - s->pad_h : s->pad_h, transposed ? 2 - s->pad_w : s->pad_w,
                 &k.from, &k.to);
    k.n_squares = s->n * k.to.per_image;
    k.stored = s->c * s->k <= STORED_LEN;
    k.n_block = winograd_part(0, k.stored ? BLOCK : SHARED, k.n_squares);
    width = winograd_parts(k.from.c, k.isa->vec_len) * k.isa->vec_len;
    width = width < DEPTH ? width : DEPTH;
    k.v = winograd_layout(k.n_block, width);
    k.m = winograd_layout(k.n_block, k.isa->tile_cols);
    k.u_step = winograd_layout(width, k.isa->tile_cols).step;
    return k;
}

static int64_t from_panels(const struct winograd_work *k) {
    return winograd_parts(k->from.c, k->v.width);
}

static int64_t to_panels(const struct winograd_work *k) {
    return winograd_parts(k->to.c, k->isa->tile_cols);
}

/* Transformed weights from one panel of inputs to one of outputs. */
static int64_t piece_len(const struct winograd_work *k) {
    return WINOGRAD_POINTS * k->u_step;
}

static size_t pieces_bytes(const struct winograd_work *k, int64_t n) {
    return arena_round((size_t)(n * piece_len(k)) * sizeof(real));
}

/* Of what all threads see. */
static size_t common_bytes(const struct winograd_work *k) {
    return k->stored ? pieces_bytes(k, from_panels(k) * to_panels(k))
                     : winograd_layout_bytes(&k->v, k->from.c);
}

/* Of one thread: its squares or its piece of the weights, and its products. */
static size_t slot_bytes(const struct winograd_work *k) {
    return arena_apart(winograd_layout_bytes(&k->m, k->m.width) +
                       (k->stored ? winograd_layout_bytes(&k->v, k->from.c) : pieces_bytes(k, 1)));
}

size_t winograd_scratch_bytes(const struct conv_shape *s) {
    const struct winograd_work forward = work_of(s, false), data = work_of(s, true);
    const size_t a = common_bytes(&forward) + PATCH_SLOTS * slot_bytes(&forward);
    const size_t b = common_bytes(&data) + PATCH_SLOTS * slot_bytes(&data);
    const size_t c = winograd_weights_scratch_bytes(s);
    const size_t most = a > b ? a : b;

    return most > c ? most : c;
}

/* Weights of inputs [c0, c0 + depth) and outputs [k0, k0 + cols) as [9][depth][tile_cols]. */
static void copy_filters(const struct winograd_work *k, int64_t c0, int64_t depth, int64_t k0,
                         int64_t cols, real *out) {
    const int64_t c = k->from.c, n = k->to.c, ld = k->isa->tile_cols;

    memset(out, 0, (size_t)(WINOGRAD_TAPS * depth * ld) * sizeof *out);
    for (int64_t t = 0; t < WINOGRAD_TAPS; t++, out += depth * ld) {
        if (!k->transposed) {
            for (int64_t i = 0; i < depth; i++)
                memcpy(out + i * ld, k->w + (t * c + c0 + i) * n + k0, (size_t)cols * sizeof *out);
            continue;
        }
        for (int64_t j = 0; j < cols; j++) {
            const real *row = k->w + ((WINOGRAD_TAPS - 1 - t) * n + k0 + j) * c + c0;

            for (int64_t i = 0; i < depth; i += ARENA_ALIGN / (int64_t)sizeof *row)
                __builtin_prefetch(row + 4 * c + i); /* the weights lie far apart */
            for (int64_t i = 0; i < depth; i++)
                out[i * ld + j] = row[i];
        }
    }
}

static void transform_filters(const struct winograd_work *k, int64_t from_panel, int64_t to_panel,
                              real *u) {
    const int64_t cols = k->isa->tile_cols, k0 = to_panel * cols, c0 = from_panel * k->v.width;
    const int64_t depth = winograd_part(c0, k->v.width, k->from.c);
    real aside[WINOGRAD_TAPS * DEPTH * ISA_MAX_COLS];

    if (!k->transposed && k0 + cols <= k->to.c) {
        k->isa->winograd.filter(depth, k->w + c0 * k->to.c + k0, k->from.c * k->to.c, k->to.c, u,
                                k->u_step);
        return;
    }
    copy_filters(k, c0, depth, k0, winograd_part(k0, cols, k->to.c), aside);
    k->isa->winograd.filter(depth, aside, depth * cols, cols, u, k->u_step);
}

static void store_filters(void *context, int64_t begin, int64_t end) {
    const struct winograd_work *k = context;

    for (int64_t i = begin; i < end; i++)
        transform_filters(k, i % from_panels(k), i / from_panels(k), k->u + i * piece_len(k));
}

/* m (+)= products of all 36 points with one piece of the weights. */
static void multiply(const struct winograd_work *k, int64_t rows, const real *v, int64_t from_panel,
                     const real *u, bool narrow, real *m) {
    const int64_t depth = winograd_part(from_panel * k->v.width, k->v.width, k->from.c);

    v += from_panel * WINOGRAD_POINTS * k->v.step;
    for (int64_t p = 0; p < WINOGRAD_POINTS; p++)
        k->isa->winograd.product(rows, depth, v + p * k->v.step, k->v.width, u + p * k->u_step,
                                 narrow, from_panel > 0, m + p * k->m.step);
}

/* The last channels, less than a vector, of one square. */
static void put_tail(const struct winograd_work *k, const real *m, int64_t n, const real *bias,
                     real *const *y) {
    enum { PIXELS = WINOGRAD_OUT * WINOGRAD_OUT };
    real aside[PIXELS][ISA_MAX_COLS], init[ISA_MAX_COLS] = {0};
    real *rows[PIXELS];

    for (int p = 0; p < PIXELS; p++) {
        rows[p] = aside[p];
        memset(aside[p], 0, sizeof aside[p]);
        memcpy(aside[p], y[p], (size_t)n * sizeof(real));
    }
    if (bias)
        memcpy(init, bias, (size_t)n * sizeof(real));
    k->isa->winograd.output(k->isa->vec_len, m, k->m.step, init, k->add, rows);
    for (int p = 0; p < PIXELS; p++)
        memcpy(y[p], aside[p], (size_t)n * sizeof(real));
}

/* Squares [begin, begin + n), one panel of channels, from their products. */
static void put(const struct winograd_work *k, int64_t begin, int64_t n, int64_t panel,
                const real *m) {
    enum { PIXELS = WINOGRAD_OUT * WINOGRAD_OUT, AHEAD = 2 };
    const int64_t k0 = panel * k->isa->tile_cols;
    const int64_t cols = winograd_part(k0, k->isa->tile_cols, k->to.c);
    const int64_t whole = cols - cols % k->isa->vec_len;
    const real *bias = k->bias ? k->bias + k0 : NULL;
    real nowhere[ISA_MAX_COLS] = {0};
    int64_t at[AHEAD + 1][PIXELS];
    real *y[PIXELS];

    for (int64_t i = -AHEAD; i < n; i++) {
        const int64_t *pixel = at[(i + AHEAD) % (AHEAD + 1)];

        if (i + AHEAD < n) {
            int64_t *next = at[(i + 2 * AHEAD) % (AHEAD + 1)];

            winograd_square(&k->to, begin + i + AHEAD, next);
            for (int p = 0; p < PIXELS; p++)
                if (next[p] >= 0)
                    __builtin_prefetch(k->dst + next[p] + k0, 1);
        }
        if (i < 0)
            continue;
        for (int p = 0; p < PIXELS; p++)
            y[p] = pixel[p] < 0 ? nowhere : k->dst + pixel[p] + k0;
        k->isa->winograd.output(whole, m + i * k->m.width, k->m.step, bias, k->add, y);
        if (whole == cols)
            continue;
        for (int p = 0; p < PIXELS; p++)
            y[p] += whole;
        put_tail(k, m + i * k->m.width + whole, cols - whole, bias ? bias + whole : NULL, y);
    }
}

static bool narrow(const struct winograd_work *k, int64_t panel) {
    return k->to.c - panel * k->isa->tile_cols <= k->isa->vec_len;
}

/* Weights stored: blocks of squares. */
static void run_blocks(void *context, int slot, int64_t begin, int64_t end) {
    const struct winograd_work *k = context;
    real *m = (real *)(void *)(k->slots + (size_t)slot * slot_bytes(k));
    real *v = m + winograd_layout_bytes(&k->m, k->m.width) / sizeof *m;

    for (int64_t b = begin; b < end; b++) {
        const int64_t first = b * k->n_block;
        const int64_t n = winograd_part(first, k->n_block, k->n_squares);

        winograd_transform(k->isa, k->isa->winograd.input, &k->from, k->src, first, first,
                           first + n, &k->v, v);
        for (int64_t panel = 0; panel < to_panels(k); panel++) {
            const real *u = k->u + panel * from_panels(k) * piece_len(k);

            for (int64_t c = 0; c < from_panels(k); c++)
                multiply(k, n, v, c, u + c * piece_len(k), narrow(k, panel), m);
            put(k, first, n, panel, m);
        }
    }
}

static void share_squares(void *context, int64_t begin, int64_t end) {
    const struct winograd_work *k = context;

    winograd_transform(k->isa, k->isa->winograd.input, &k->from, k->src, k->begin, k->begin + begin,
                       k->begin + end, &k->v, k->shared);
}

/* Squares shared: panels of outputs. */
static void run_panels(void *context, int slot, int64_t begin, int64_t end) {
    const struct winograd_work *k = context;
    real *m = (real *)(void *)(k->slots + (size_t)slot * slot_bytes(k));
    real *u = m + winograd_layout_bytes(&k->m, k->m.width) / sizeof *m;

    for (int64_t panel = begin; panel < end; panel++) {
        for (int64_t c = 0; c < from_panels(k); c++) {
            transform_filters(k, c, panel, u);
            multiply(k, k->n_begun, k->shared, c, u, narrow(k, panel), m);
        }
        put(k, k->begin, k->n_begun, panel, m);
    }
}

static void run(struct winograd_work *k, struct team *team, const act *src, const real *w,
                const real *bias, bool add, act *dst, void *scratch) {
    const int64_t threads = team_size(team) < PATCH_SLOTS ? team_size(team) : PATCH_SLOTS;

    if (k->n_squares == 0)
        return;
    if (k->stored && k->n_squares < k->n_block * threads)
        k->n_block = winograd_parts(k->n_squares, threads);
    k->src = src, k->w = w, k->bias = bias, k->add = add, k->dst = dst;
    k->u = k->shared = scratch;
    k->slots = (unsigned char *)scratch + common_bytes(k);
    if (k->stored) {
        team_run(team, from_panels(k) * to_panels(k), store_filters, k);
        team_run_slots(team, winograd_parts(k->n_squares, k->n_block), PATCH_SLOTS, run_blocks, k);
        return;
    }
    for (k->begin = 0; k->begin < k->n_squares; k->begin += k->n_block) {
        k->n_begun = winograd_part(k->begin, k->n_block, k->n_squares);
        team_run(team, k->n_begun, share_squares, k);
        team_run_slots(team, to_panels(k), PATCH_SLOTS, run_panels, k);
    }
}

void winograd_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                      const real *bias, act *y, void *scratch) {
    struct winograd_work k = work_of(s, false);

    run(&k, team, x, w, bias, false, y, scratch);
}

void winograd_forward_add(const struct conv_shape *s, struct team *team, const act *x,
                          const real *w, act *y, void *scratch) {
    struct winograd_work k = work_of(s, false);

    run(&k, team, x, w, NULL, true, y, scratch);
}

void winograd_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx, void *scratch) {
    struct winograd_work k = work_of(s, true);

    run(&k, team, dy, w, NULL, add, dx, scratch);
}

bool winograd_possible(const struct conv_shape *s) {
    return s->kernel_h == 3 && s->kernel_w == 3 &&
           s->stride_h * s->stride_w * s->dilation_h * s->dilation_w * s->groups == 1 &&
           s->pad_h >= 0 && s->pad_h <= 2 && s->pad_w >= 0 && s->pad_w <= 2;
}

/* Measured on AVX2 (Zen 3): below 0.7 of the multiplications, squares that reach beyond the image
 * included, the rest of the work is paid for, given 8 channels on both sides; channels that fill
 * no vector cost as much as a vector, which only many of them are worth. */
bool winograd_fits(const struct conv_shape *s, enum winograd_direction direction) {
    enum { CHANNELS = 8, RAGGED_LEN = 24 * 24 };
    const int64_t h = direction == WINOGRAD_DATA ? s->h : s->out_h;
    const int64_t w = direction == WINOGRAD_DATA ? s->w : s->out_w;
    const int64_t squares = winograd_parts(h, WINOGRAD_OUT) * winograd_parts(w, WINOGRAD_OUT);

    return winograd_possible(s) && s->c >= CHANNELS && s->k >= CHANNELS &&
           (s->c % CHANNELS + s->k % CHANNELS == 0 || s->c * s->k >= RAGGED_LEN) &&
           10 * squares * WINOGRAD_POINTS < 7 * h * w * WINOGRAD_TAPS;
}
