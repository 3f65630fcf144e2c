/* The gradient of 3x3 filters: dw += G^T (sum over squares of (B^T x B) (A dy A^T)) G, the
 * transposes of the forward pass. */
#include "core/math/conv_parts.h"
#include "core/math/copies.h"
#include "core/math/winograd_parts.h"

#include <string.h>

/* Gradients of up to GROUPED_LEN filters are summed by groups of squares, a fixed number of them,
 * each into a copy of its own, and the copies added in order, while BLOCK squares at a time stay in
 * the second-level cache. For others all threads share squares, SHARED_LEN transformed numbers or
 * at least MIN_SHARED squares, and each takes panels of filters. */
enum { GROUPS = 8, GROUPED_LEN = 1 << 12, BLOCK = 48, SHARED_LEN = 1 << 20, MIN_SHARED = 64 };

struct winograd_weights_work {
    const struct isa *isa;
    struct winograd_squares x, dy;
    int64_t n_squares, n_groups; /* n_groups is 1 where squares are shared */
    int64_t n_block;             /* squares transformed together */
    struct winograd_layout vx, vdy, sum;
    const act *from_x, *from_dy;
    real *dw;
    int64_t begin, n_begun; /* squares that are shared */
    real *shared;
    struct copies copies; /* [9 * c][k], one for each group where there are several */
    unsigned char *slots; /* [n_groups], or [PATCH_SLOTS] where that is 1 */
};

static struct winograd_weights_work work_of(const struct conv_shape *s) {
    struct winograd_weights_work k = {
        .isa = isa_get(), .x = winograd_x(s), .dy = winograd_y(s), .n_groups = 1};
    const int64_t width = winograd_parts(s->c, k.isa->vec_len) * k.isa->vec_len;
    int64_t per_group, most = BLOCK;

    winograd_cut(s->pad_h, s->pad_w, &k.x, &k.dy);
    k.n_squares = s->n * k.dy.per_image;
    if (s->c * s->k > GROUPED_LEN)
        most = SHARED_LEN / (WINOGRAD_POINTS * (s->c + s->k));
    if (s->c * s->k > GROUPED_LEN && most < MIN_SHARED)
        most = MIN_SHARED;
    if (s->c * s->k <= GROUPED_LEN && k.n_squares >= 2 * BLOCK)
        k.n_groups = winograd_part(0, GROUPS, k.n_squares / BLOCK);
    k.copies = (struct copies){.n = k.n_groups, .rows = WINOGRAD_TAPS * s->c, .cols = s->k};
    per_group = winograd_parts(k.n_squares, k.n_groups);
    most = winograd_part(0, most, per_group);
    k.vx = winograd_layout(most, winograd_part(0, 3 * k.isa->vec_len, width));
    k.vdy = winograd_layout(most, k.isa->tile_cols);
    k.sum = winograd_layout(k.vx.width, k.vdy.width);
    if (most > 0) /* blocks of nearly equal size */
        k.n_block = winograd_parts(per_group, winograd_parts(per_group, most));
    return k;
}

static size_t squares_bytes(const struct winograd_weights_work *k) {
    return winograd_layout_bytes(&k->vx, k->x.c) + winograd_layout_bytes(&k->vdy, k->dy.c);
}

static size_t slot_bytes(const struct winograd_weights_work *k) {
    return arena_apart(winograd_layout_bytes(&k->sum, k->sum.width) +
                       (k->n_groups > 1 ? squares_bytes(k) : 0));
}

size_t winograd_weights_scratch_bytes(const struct conv_shape *s) {
    const struct winograd_weights_work k = work_of(s);
    const size_t sum_bytes = arena_apart(winograd_layout_bytes(&k.sum, k.sum.width));
    const size_t shared = squares_bytes(&k) + PATCH_SLOTS * sum_bytes;
    const size_t grouped = copies_bytes(&k.copies) + (size_t)k.n_groups * slot_bytes(&k);

    /* A smaller batch may be shared where a larger one is grouped. */
    return k.n_groups > 1 && grouped > shared ? grouped : shared;
}

/* Squares [begin, end) of both into rows from begin - first. */
static void transform(const struct winograd_weights_work *k, int64_t first, int64_t begin,
                      int64_t end, real *v) {
    winograd_transform(k->isa, k->isa->winograd.input, &k->x, k->from_x, first, begin, end, &k->vx,
                       v);
    winograd_transform(k->isa, k->isa->winograd.gradient, &k->dy, k->from_dy, first, begin, end,
                       &k->vdy, v + winograd_layout_bytes(&k->vx, k->x.c) / sizeof *v);
}

/* Filters from one panel of inputs to one of outputs, from their sums. */
static void put(const struct winograd_weights_work *k, int64_t c0, int64_t k0, const real *sum,
                real *dw) {
    const int64_t c = k->x.c, n = k->dy.c, cols = winograd_part(k0, k->vdy.width, n);
    const int64_t rows = winograd_part(c0, k->vx.width, c);
    real aside[WINOGRAD_TAPS * ISA_MAX_COLS];

    if (cols == k->vdy.width) {
        k->isa->winograd.filter_back(rows, sum, k->sum.step, dw + c0 * n + k0, c * n, n);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        memset(aside, 0, sizeof aside);
        k->isa->winograd.filter_back(1, sum + i * k->sum.width, k->sum.step, aside, k->vdy.width,
                                     k->vdy.width);
        for (int64_t t = 0; t < WINOGRAD_TAPS; t++)
            for (int64_t j = 0; j < cols; j++)
                dw[(t * c + c0 + i) * n + k0 + j] += aside[t * k->vdy.width + j];
    }
}

/* One panel of inputs, one of outputs, the squares in rows [0, n) of v. */
static void add_panels(const struct winograd_weights_work *k, int64_t n, int64_t x_panel,
                       int64_t dy_panel, const real *v, real *sum, real *dw) {
    const int64_t c0 = x_panel * k->vx.width, k0 = dy_panel * k->vdy.width;
    const int64_t rows = winograd_part(c0, k->vx.width, k->x.c);
    const real *vx = v + x_panel * WINOGRAD_POINTS * k->vx.step;
    const real *vdy = v + winograd_layout_bytes(&k->vx, k->x.c) / sizeof *v +
                      dy_panel * WINOGRAD_POINTS * k->vdy.step;

    for (int64_t p = 0; p < WINOGRAD_POINTS; p++)
        k->isa->winograd.outer(rows, n, vx + p * k->vx.step, k->vx.width, vdy + p * k->vdy.step,
                               k->dy.c - k0 <= k->isa->vec_len, sum + p * k->sum.step);
    put(k, c0, k0, sum, dw);
}

static int64_t x_panels(const struct winograd_weights_work *k) {
    return winograd_parts(k->x.c, k->vx.width);
}

static int64_t dy_panels(const struct winograd_weights_work *k) {
    return winograd_parts(k->dy.c, k->vdy.width);
}

static void run_groups(void *context, int slot, int64_t begin, int64_t end) {
    const struct winograd_weights_work *k = context;
    const int64_t len = WINOGRAD_TAPS * k->x.c * k->dy.c;
    real *sum = (real *)(void *)(k->slots + (size_t)slot * slot_bytes(k));
    real *v = sum + winograd_layout_bytes(&k->sum, k->sum.width) / sizeof *sum;

    for (int64_t g = begin; g < end; g++) {
        const int64_t last = k->n_squares * (g + 1) / k->n_groups;
        real *copy = copies_at(&k->copies, g);

        memset(copy, 0, (size_t)len * sizeof *copy);
        for (int64_t i = k->n_squares * g / k->n_groups; i < last; i += k->n_block) {
            const int64_t n = winograd_part(i, k->n_block, last);

            transform(k, i, i, i + n, v);
            for (int64_t c = 0; c < x_panels(k); c++)
                for (int64_t j = 0; j < dy_panels(k); j++)
                    add_panels(k, n, c, j, v, sum, copy);
        }
    }
}

static void share_squares(void *context, int64_t begin, int64_t end) {
    const struct winograd_weights_work *k = context;

    transform(k, k->begin, k->begin + begin, k->begin + end, k->shared);
}

/* Squares shared: pairs of panels. */
static void run_panels(void *context, int slot, int64_t begin, int64_t end) {
    const struct winograd_weights_work *k = context;
    real *sum = (real *)(void *)(k->slots + (size_t)slot * slot_bytes(k));

    for (int64_t i = begin; i < end; i++)
        add_panels(k, k->n_begun, i / dy_panels(k), i % dy_panels(k), k->shared, sum, k->dw);
}

void winograd_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                               const act *dy, real *dw, void *scratch) {
    struct winograd_weights_work k = work_of(s);

    if (k.n_squares == 0)
        return;
    k.from_x = x, k.from_dy = dy, k.dw = dw;
    k.copies.first = k.shared = scratch;
    k.slots =
        (unsigned char *)scratch + (k.n_groups > 1 ? copies_bytes(&k.copies) : squares_bytes(&k));
    if (k.n_groups > 1) {
        team_run_slots(team, k.n_groups, (int)k.n_groups, run_groups, &k);
        copies_add(&k.copies, team, dw, s->k);
        return;
    }
    for (k.begin = 0; k.begin < k.n_squares; k.begin += k.n_block) {
        k.n_begun = winograd_part(k.begin, k.n_block, k.n_squares);
        team_run(team, k.n_begun, share_squares, &k);
        team_run_slots(team, x_panels(&k) * dy_panels(&k), PATCH_SLOTS, run_panels, &k);
    }
}
