/* The gradient of convolution weights: dw[t, c, k] += sum over output pixels p of
 * x[window of p at tap t, c] * dy[p, k]. */
#include "core/math/conv_parts.h"

#include "core/base/arena.h"
#include "core/math/copies.h"
#include "core/math/isa/isa.h"

#include <string.h>

/* Small gradients are summed by sample groups, a fixed number of them, each into a copy of its
 * own, and the copies added in order; large ones are cut by input channels instead. So are both
 * spread over threads without the sum depending on how many there are. */
enum { GROUPS = 16, COPIED_LEN = 1 << 18 };

/* Channels of a patch, at most, so that it stays in the second-level cache with many pixels; with
 * few the time would go into loading and storing dw. */
enum { SLICE = 64, PATCH_LEN = 10240, MIN_PIXELS = 96 };

struct conv_weights_work {
    const struct conv_shape *s;
    const struct isa *isa;
    struct patches cut; /* the same for all slices, however many, so that no sum depends on them */
    int64_t c, k, k0, c0;
    int64_t n_groups, n_slices;
    const act *x, *dy;
    real *dw;
    struct copies copies; /* [taps * c][k], one for each group where there are several */
    unsigned char *slots; /* [PATCH_SLOTS] */
};

static int64_t copy_len(const struct conv_shape *s) {
    return s->kernel_h * s->kernel_w * (s->c / s->groups) * (s->k / s->groups);
}

static int64_t groups_of(const struct conv_shape *s) {
    if (copy_len(s) > COPIED_LEN || s->n < 2)
        return 1;
    return s->n < GROUPS ? s->n : GROUPS;
}

/* Tiles read a few channels of many pixels: pixels a power of two apart would share a few sets of
 * the first-level cache. */
static int64_t spread(int64_t c) {
    return c * (int64_t)sizeof(real) % 256 ? c : c + 64 / (int64_t)sizeof(real);
}

static struct patches cut(const struct conv_shape *s) {
    struct patches p = conv_patches(s, s->c / s->groups);
    const int64_t share = (s->n + groups_of(s) - 1) / groups_of(s);

    p.c = p.c < SLICE ? p.c : SLICE;
    p.pitch_c = spread(p.c);
    patches_cut(&p, PATCH_LEN, MIN_PIXELS);
    if (p.images > share)
        p.images = share;
    return p;
}

/* What one thread needs for patches of c channels. */
static size_t slot_bytes(struct patches p, int64_t c) {
    p.c = c;
    p.pitch_c = spread(c);
    return arena_apart(arena_round((size_t)(patches_len(&p) + ISA_MAX_ROWS) * sizeof(real)) +
                       arena_round((size_t)patches_pixels(&p) * sizeof(int64_t)) +
                       (size_t)(patches_pixels(&p) * isa_get()->tile_cols) * sizeof(real));
}

/* Channels of the widest of n slices. */
static int64_t slice_len(int64_t c, int64_t n) {
    return (c + n - 1) / n;
}

static struct copies copies_of(const struct conv_shape *s, void *scratch) {
    return (struct copies){groups_of(s), s->kernel_h * s->kernel_w * (s->c / s->groups),
                           s->k / s->groups, scratch};
}

size_t conv_weights_scratch_bytes(const struct conv_shape *s) {
    const struct copies copies = copies_of(s, NULL);
    const struct patches p = cut(s);

    return copies_bytes(&copies) + PATCH_SLOTS * slot_bytes(p, p.c);
}

/* n rows of `bytes`, a length that the compiler knows where this is inlined. What lies behind each
 * is copied next, too far apart for the processor to foresee. */
static inline void copy_rows(const act *dy, int64_t ld, int64_t n, size_t bytes, real *out,
                             int64_t ld_out) {
    for (int64_t p = 0; p < n; p++) {
        const act *row = dy + p * ld;

        memcpy(out + p * ld_out, row, bytes);
        __builtin_prefetch((const char *)row + bytes, 0, 2); /* into the second-level cache */
    }
}

/* Columns [0, cols) of dy's rows, tile_cols apart, zeros beyond. */
static void pack_columns(const act *dy, int64_t ld, int64_t n, int64_t cols, int64_t tile_cols,
                         real *out) {
    const size_t bytes = (size_t)cols * sizeof *out;

    if (cols == tile_cols && bytes == 64)
        copy_rows(dy, ld, n, 64, out, tile_cols);
    else if (cols == tile_cols && bytes == 128)
        copy_rows(dy, ld, n, 128, out, tile_cols);
    else
        for (int64_t p = 0; p < n; p++)
            for (int64_t j = 0; j < tile_cols; j++)
                out[p * tile_cols + j] = j < cols ? dy[p * ld + j] : 0;
}

static void add_tile(const struct isa *isa, int rows, int64_t n, const int64_t *at, const real *a,
                     const real *b, int64_t cols, real *c, int64_t ldc) {
    const bool narrow = cols <= isa->vec_len;
    real aside[ISA_MAX_ROWS * ISA_MAX_COLS];

    if (cols == (narrow ? isa->vec_len : isa->tile_cols)) {
        isa->outer(rows, n, at, a, b, narrow, c, ldc);
        return;
    }
    memset(aside, 0, sizeof aside);
    isa->outer(rows, n, at, a, b, narrow, aside, isa->tile_cols);
    for (int r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++)
            c[r * ldc + j] += aside[r * isa->tile_cols + j];
}

/* One block of pixels, channels [c0, c0 + p->c) of the group, one panel of columns. */
static void add_panel(const struct conv_weights_work *work, const struct patches *p, int64_t c0,
                      const real *patch, const int64_t *at, int64_t n, const real *dy, int64_t cols,
                      real *dw, int64_t ldw) {
    /* A row of taps lies in one piece. */
    const bool runs = p->w.tap_step == 1 && p->c == work->c && patches_pixel(p) == p->c;
    const int64_t across = runs ? 1 : p->w.taps, len = runs ? p->w.taps * p->c : p->c;
    const int outer_rows = work->isa->outer_rows;

    for (int64_t t = 0; t < p->h.taps * across; t++) {
        const int64_t tap = t / across * p->h.tap_step * patches_pitch(p) +
                            t % across * p->w.tap_step * patches_pixel(p);
        real *rows = dw + (runs ? t * len : t * work->c + c0) * ldw;

        for (int64_t k = 0; k < len; k += outer_rows)
            add_tile(work->isa, len - k < outer_rows ? (int)(len - k) : outer_rows, n, at,
                     patch + tap + k, dy, cols, rows + k * ldw, ldw);
    }
}

/* Samples of one group, channels [c0, c1) of the group's. */
static void add_part(const struct conv_weights_work *work, int64_t group, int64_t c0, int64_t c1,
                     unsigned char *memory, real *dw, int64_t ldw) {
    const struct conv_shape *s = work->s;
    const int64_t first = s->n * group / work->n_groups;
    const size_t table_bytes = arena_round((size_t)patches_pixels(&work->cut) * sizeof(int64_t));
    const size_t panel_bytes =
        arena_round((size_t)(patches_pixels(&work->cut) * work->isa->tile_cols) * sizeof(real));
    const int tile_cols = work->isa->tile_cols;
    int64_t *at = (int64_t *)(void *)memory;
    real *panel = (real *)(void *)(memory + table_bytes);
    real *patch = (real *)(void *)(memory + table_bytes + panel_bytes);
    struct patches p = work->cut;

    p.n = s->n * (group + 1) / work->n_groups - first;
    p.c = c1 - c0;
    p.pitch_c = spread(p.c);
    for (int64_t i = 0; i < patches_count(&p); i++) {
        const struct block b = patches_block(&p, i);
        const act *dy = work->dy + ((first + b.n0) * s->out_h + b.i0) * s->out_w * s->k + work->k0;
        const int64_t n =
            patches_copy(&p, b, work->x + first * conv_x_n(s), work->c0 + c0, patch, at);

        for (int64_t k = 0; k < work->k; k += tile_cols) {
            const int64_t cols = work->k - k < tile_cols ? work->k - k : tile_cols;

            pack_columns(dy + k, s->k, n, cols, tile_cols, panel);
            add_panel(work, &p, c0, patch, at, n, panel, cols, dw + k, ldw);
        }
    }
}

/* Units: the slices of each group of samples. */
static void run_units(void *context, int slot, int64_t begin, int64_t end) {
    const struct conv_weights_work *work = context;
    unsigned char *memory =
        work->slots + (size_t)slot * slot_bytes(work->cut, slice_len(work->c, work->n_slices));

    for (int64_t u = begin; u < end; u++) {
        const int64_t group = u / work->n_slices, slice = u % work->n_slices;
        const int64_t c0 = work->c * slice / work->n_slices;
        const int64_t c1 = work->c * (slice + 1) / work->n_slices;
        real *copy;

        if (work->n_groups == 1) {
            add_part(work, 0, c0, c1, memory, work->dw + work->k0, work->s->k);
            continue;
        }
        copy = copies_at(&work->copies, group);
        for (int64_t t = 0; t < work->s->kernel_h * work->s->kernel_w; t++)
            memset(copy + (t * work->c + c0) * work->k, 0,
                   (size_t)((c1 - c0) * work->k) * sizeof(real));
        add_part(work, group, c0, c1, memory, copy, work->k);
    }
}

void conv_weights_of_group(const struct conv_shape *s, int64_t group, struct team *team,
                           const act *x, const act *dy, real *dw, void *scratch) {
    const int64_t team_n = team_size(team) < PATCH_SLOTS ? team_size(team) : PATCH_SLOTS;
    struct conv_weights_work work = {
        .s = s,
        .isa = isa_get(),
        .cut = cut(s),
        .c = s->c / s->groups,
        .k = s->k / s->groups,
        .c0 = group * (s->c / s->groups),
        .k0 = group * (s->k / s->groups),
        .n_groups = groups_of(s),
        .n_slices = 1,
        .x = x,
        .dy = dy,
        .dw = dw,
        .copies = copies_of(s, scratch),
    };

    if (s->n * s->out_h * s->out_w == 0)
        return;
    work.slots = (unsigned char *)scratch + copies_bytes(&work.copies);
    work.n_slices = (work.c + SLICE - 1) / SLICE;
    if (work.n_groups == 1 && work.n_slices < team_n)
        work.n_slices = team_n < work.c ? team_n : work.c;
    team_run_slots(team, work.n_groups * work.n_slices, PATCH_SLOTS, run_units, &work);
    if (work.n_groups > 1)
        copies_add(&work.copies, team, dw + work.k0, s->k);
}
