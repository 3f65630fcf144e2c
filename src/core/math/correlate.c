#include "core/math/correlate.h"

#include "core/base/arena.h"
#include "core/math/isa/isa.h"

#include <string.h>

/* A patch stays in the second-level cache (256 KiB of floats); the part of the weights that one
 * pass over its pixels uses, MAX_DEPTH x tile_cols, in the first. */
enum { PATCH_LEN = 65536, MAX_DEPTH = 256, PACK_ROWS = 64, MIN_SLICE = 32 };

/* Fewer pixels would spend the time on reading weights. */
enum { MIN_PIXELS = 48 };

/* Pixels packed in the order in which tiles read them pay where so many outputs read them, and no
 * pixel is in several windows. */
enum { MIN_PACKED = 96 };

/* Blocks for each thread, where there are pixels for them, so that threads end together. */
enum { BLOCKS_PER_THREAD = 8, SHARED_PIXELS = 192 };

/* Taps of a window that lie behind each other in a patch are one run. */
struct runs {
    int64_t n, len; /* runs of a window, elements of each */
    int64_t across; /* runs in one row of the window */
};

struct correlate_work {
    struct correlation s; /* from is cut, and of one slice of channels */
    int64_t n_slices;
    const struct isa *isa;
    struct runs runs;
    const act *src;
    const real *w, *bias;
    act *dst;
    bool direct;          /* windows are read where they are, not from patches */
    int64_t pixel, row;   /* elements from one pixel, or row, of what is read to the next */
    real *packed;         /* [panels][n_slices][runs.n * runs.len][tile_cols] */
    unsigned char *slots; /* [PATCH_SLOTS] */
};

static struct runs runs_of(const struct patches *p, int64_t pixel) {
    if (p->w.tap_step == 1 && pixel == p->c)
        return (struct runs){p->h.taps, p->w.taps * p->c, 1};
    return (struct runs){p->h.taps * p->w.taps, p->c, p->w.taps};
}

static int64_t panels(const struct correlation *s, int tile_cols) {
    return (s->k + tile_cols - 1) / tile_cols;
}

/* Rows of the weights, of from.c channels. */
static int64_t depth(const struct correlation *s) {
    return s->from.h.taps * s->from.w.taps * s->from.c;
}

static size_t packed_bytes(const struct correlation *s) {
    const int tile_cols = isa_get()->tile_cols;

    return arena_round((size_t)((panels(s, tile_cols) * depth(s) + 1) * tile_cols) * sizeof(real));
}

static bool packs(const struct correlation *s) {
    return s->from.h.taps * s->from.w.taps == 1 && s->k >= MIN_PACKED;
}

static size_t table_bytes(const struct patches *p) {
    return arena_round((size_t)patches_pixels(p) * sizeof(int64_t));
}

/* Of a block's pixels in tiles; the last one may be filled up. */
static size_t tiles_bytes(const struct correlation *s) {
    const int64_t rows = patches_pixels(&s->from) + isa_get()->tile_rows;

    return packs(s) ? arena_round((size_t)(rows * MAX_DEPTH) * sizeof(real)) : 0;
}

static size_t slot_bytes(const struct correlation *s) {
    return arena_apart(2 * table_bytes(&s->from) + tiles_bytes(s) +
                       (size_t)patches_len(&s->from) * sizeof(real));
}

static int64_t pack_blocks(const struct patches *p) {
    return (p->c + PACK_ROWS - 1) / PACK_ROWS;
}

/* Reads of weights and of dst beyond the caches, if patches have c channels. */
static int64_t traffic(const struct correlation *s, int64_t c) {
    const int64_t n_slices = s->from.c / c, pixels = s->from.n * s->from.h.out * s->from.w.out;
    struct patches p = s->from;

    p.c = c;
    patches_cut(&p, PATCH_LEN, MIN_PIXELS);
    return patches_count(&p) * depth(s) * s->k + 2 * (n_slices - 1) * pixels * s->k;
}

/* Cut into blocks of pixels and slices of channels: fewer channels make larger blocks, which read
 * the weights fewer times, but dst more often. Returns the number of slices. */
static int64_t cut(struct correlation *s) {
    const int64_t c = s->from.c;
    int64_t best = c;

    for (int64_t part = c; part % 2 == 0 && part / 2 >= MIN_SLICE;) {
        part /= 2;
        if (traffic(s, part) < traffic(s, best))
            best = part;
    }
    s->from.c = best;
    patches_cut(&s->from, PATCH_LEN, MIN_PIXELS);
    return c / best;
}

size_t correlate_scratch_bytes(const struct correlation *s) {
    struct correlation part = *s;

    cut(&part);
    return packed_bytes(s) + PATCH_SLOTS * slot_bytes(&part);
}

/* Columns [0, cols) of n rows of the weights, zeros beyond. */
static void pack_panel(const struct correlate_work *work, const real *w, int64_t n, int64_t cols,
                       real *out) {
    const struct correlation *s = &work->s;
    const int tile_cols = work->isa->tile_cols;

    if (cols == tile_cols && s->w_c == 1) {
        work->isa->pack_columns(n, w, s->w_k, out);
        return;
    }
    for (int64_t c = 0; c < n; c++, w += s->w_c, out += tile_cols) {
        if (s->w_k == 1)
            memcpy(out, w, (size_t)cols * sizeof *out);
        else
            for (int64_t k = 0; k < cols; k++)
                out[k] = w[k * s->w_k];
        memset(out + cols, 0, (size_t)(tile_cols - cols) * sizeof *out);
    }
}

/* Weights in the order in which tiles read them, zeros beyond k. A block of one tap, PACK_ROWS
 * source channels and all k is read once and stays in a cache meanwhile. */
static void pack(void *context, int64_t begin, int64_t end) {
    const struct correlate_work *work = context;
    const struct correlation *s = &work->s;
    const int64_t w_taps = s->from.w.taps, blocks = pack_blocks(&s->from);
    const int64_t panel_rows = work->n_slices * depth(s);
    const int tile_cols = work->isa->tile_cols;

    for (int64_t i = begin; i < end; i++) {
        const int64_t slice = i / blocks % work->n_slices, t = i / blocks / work->n_slices;
        const int64_t c0 = i % blocks * PACK_ROWS;
        const int64_t c1 = s->from.c - c0 < PACK_ROWS ? s->from.c : c0 + PACK_ROWS;
        const int64_t row = s->h.w_first + t / w_taps * s->h.w_step;
        const int64_t column = s->w.w_first + t % w_taps * s->w.w_step;
        const real *w =
            work->w + (row * s->w_columns + column) * s->w_pixel + slice * s->from.c * s->w_c;

        for (int64_t panel = 0; panel < panels(s, tile_cols); panel++) {
            const int64_t k0 = panel * tile_cols;
            const int64_t cols = s->k - k0 < tile_cols ? s->k - k0 : tile_cols;
            real *out = work->packed +
                        (panel * panel_rows + slice * depth(s) + t * s->from.c + c0) * tile_cols;

            pack_panel(work, w + c0 * s->w_c + k0 * s->w_k, c1 - c0, cols, out);
        }
    }
}

/* The part of a window that one pass takes: runs [0, n), elements [0, len) of each, from a. */
struct pass {
    int n;
    int64_t len;
    int64_t tap[MAX_DEPTH];
    real *tiles; /* packed, of all pixels; NULL: rows are read where they are */
};

/* One tile of a pass. */
struct tile {
    const real *packed; /* or NULL */
    const real *patch;
    const int64_t *at; /* of its rows in patch */
    const real *b, *init;
    real *c;
    const int64_t *to; /* of its rows in c */
};

static void multiply(const struct isa *isa, const struct pass *pass, const struct tile *t,
                     bool narrow) {
    if (t->packed)
        isa->packed_product(pass->n * pass->len, t->packed, t->b, t->init, narrow, t->c, t->to);
    else
        isa->product(pass->n, pass->tap, pass->len, t->patch, t->at, t->b, t->init, narrow, t->c,
                     t->to);
}

/* n rows and cols columns of a tile; what is beyond them is computed aside and dropped. */
static void part_of_tile(const struct isa *isa, const struct pass *pass, struct tile t, int n,
                         int64_t cols) {
    const size_t bytes = (size_t)cols * sizeof(real);
    real aside[ISA_MAX_ROWS][ISA_MAX_COLS] = {{0}};
    int64_t at[ISA_MAX_ROWS], rows[ISA_MAX_ROWS];
    real *c = t.c;
    const int64_t *to = t.to;

    for (int r = 0; r < isa->tile_rows; r++) {
        at[r] = t.at[r < n ? r : 0];
        rows[r] = r * (int64_t)ISA_MAX_COLS;
    }
    for (int r = 0; r < n && !t.init; r++)
        memcpy(aside[r], c + to[r], bytes);
    t.at = at, t.c = aside[0], t.to = rows;
    multiply(isa, pass, &t, cols <= isa->vec_len);
    for (int r = 0; r < n; r++)
        memcpy(c + to[r], aside[r], bytes);
}

/* All pixels of a block, all panels, one pass. b: the pass' first row of panel 0. */
static void all_tiles(const struct correlate_work *work, const struct pass *pass, const real *patch,
                      const real *b, bool first, const int64_t *at, const int64_t *to, int64_t n) {
    const struct correlation *s = &work->s;
    const struct isa *isa = work->isa;
    const int64_t panel_rows = work->n_slices * depth(s);

    for (int64_t panel = 0; panel < panels(s, isa->tile_cols);
         panel++, b += panel_rows * isa->tile_cols) {
        const int64_t k0 = panel * isa->tile_cols;
        const int64_t cols = s->k - k0 < isa->tile_cols ? s->k - k0 : isa->tile_cols;
        const bool whole = cols == isa->vec_len || cols == isa->tile_cols;
        real bias[ISA_MAX_COLS] = {0};
        struct tile t = {.patch = patch, .b = b, .init = first ? bias : NULL, .c = work->dst + k0};

        if (work->bias)
            memcpy(bias, work->bias + k0, (size_t)cols * sizeof *bias);
        for (int64_t p = 0; p < n; p += isa->tile_rows) {
            t.packed = pass->tiles ? pass->tiles + p * pass->n * pass->len : NULL;
            t.at = at + p, t.to = to + p;
            if (whole && n - p >= isa->tile_rows)
                multiply(isa, pass, &t, cols == isa->vec_len);
            else
                part_of_tile(isa, pass, t, n - p < isa->tile_rows ? (int)(n - p) : isa->tile_rows,
                             cols);
        }
    }
}

static void pack_tiles(const struct isa *isa, const struct pass *pass, const real *patch,
                       const int64_t *at, int64_t n) {
    int64_t last[ISA_MAX_ROWS];

    for (int64_t p = 0; p < n; p += isa->tile_rows) {
        const bool whole = n - p >= isa->tile_rows;

        for (int r = 0; r < isa->tile_rows && !whole; r++)
            last[r] = at[p + r < n ? p + r : p];
        isa->pack(pass->n, pass->tap, pass->len, patch, whole ? at + p : last,
                  pass->tiles + p * pass->n * pass->len);
    }
}

/* All passes over one slice of a block. */
static void all_passes(const struct correlate_work *work, int64_t slice, const real *patch,
                       const int64_t *at, const int64_t *to, int64_t n, real *tiles) {
    const struct patches *p = &work->s.from;
    const struct runs *runs = &work->runs;
    const int64_t parts = (runs->len + MAX_DEPTH - 1) / MAX_DEPTH;
    const int64_t part = (runs->len + parts - 1) / parts;
    const int64_t together = MAX_DEPTH / runs->len > 1 ? MAX_DEPTH / runs->len : 1;
    bool first = !work->s.add && slice == 0;
    struct pass pass;

    pass.tiles = tiles;
    for (int64_t s0 = 0; s0 < runs->n; s0 += together)
        for (int64_t k0 = 0; k0 < runs->len; k0 += part) {
            const int64_t n_runs = runs->n - s0 < together ? runs->n - s0 : together;

            pass.n = (int)n_runs;
            pass.len = runs->len - k0 < part ? runs->len - k0 : part;
            for (int64_t s = 0; s < n_runs; s++)
                pass.tap[s] = (s0 + s) / runs->across * p->h.tap_step * work->row +
                              (s0 + s) % runs->across * p->w.tap_step * work->pixel + k0;
            if (tiles)
                pack_tiles(work->isa, &pass, patch, at, n);
            all_tiles(work, &pass, patch,
                      work->packed +
                          (slice * depth(&work->s) + s0 * runs->len + k0) * work->isa->tile_cols,
                      first, at, to, n);
            first = false;
        }
}

static void place_pixels(const struct correlation *s, struct block b, int64_t *to) {
    for (int64_t n = b.n0; n < b.n1; n++)
        for (int64_t i = b.i0; i < b.i1; i++) {
            const int64_t row = s->h.dst_first + i * s->h.dst_step;

            for (int64_t j = 0; j < s->from.w.out; j++)
                *to++ = n * s->dst_n +
                        (row * s->w.dst + s->w.dst_first + j * s->w.dst_step) * s->dst_c + s->k0;
        }
}

static void run_blocks(void *context, int slot, int64_t begin, int64_t end) {
    const struct correlate_work *work = context;
    const struct patches *p = &work->s.from;
    unsigned char *memory = work->slots + (size_t)slot * slot_bytes(&work->s);
    const size_t table = table_bytes(p), tiles_at = 2 * table;
    int64_t *at = (int64_t *)(void *)memory, *to = (int64_t *)(void *)(memory + table);
    real *tiles = packs(&work->s) ? (real *)(void *)(memory + tiles_at) : NULL;
    real *patch = (real *)(void *)(memory + tiles_at + tiles_bytes(&work->s));

    for (int64_t i = begin; i < end; i++) {
        const struct block b = patches_block(p, i);

        place_pixels(&work->s, b, to);
        for (int64_t slice = 0; slice < work->n_slices; slice++) {
            const int64_t c0 = work->s.c0 + slice * p->c;
            const int64_t n = work->direct ? patches_at(p, b, c0, at)
                                           : patches_copy(p, b, work->src, c0, patch, at);

            all_passes(work, slice, work->direct ? work->src : patch, at, to, n, tiles);
        }
    }
}

/* Smaller blocks, if there are too few for so many threads. */
static void share(struct patches *p, int64_t n_threads) {
    while (n_threads > 1 && patches_count(p) < BLOCKS_PER_THREAD * n_threads &&
           p->images * p->rows > 1 && patches_pixels(p) >= SHARED_PIXELS) {
        if (p->images > 1)
            p->images = (p->images + 1) / 2;
        else
            p->rows = (p->rows + 1) / 2;
    }
}

void correlate(const struct correlation *s, struct team *team, const act *src, const real *w,
               const real *bias, act *dst, void *scratch) {
    struct correlate_work work = {
        .s = *s, .isa = isa_get(), .src = src, .w = w, .bias = bias, .dst = dst};
    struct patches *p = &work.s.from;
    const int64_t team_n = team_size(team) < PATCH_SLOTS ? team_size(team) : PATCH_SLOTS;

    if (p->n * p->h.out * p->w.out == 0)
        return;
    work.n_slices = cut(&work.s);
    share(p, team_n);
    work.direct = patches_inside(p);
    work.pixel = work.direct ? p->src_c : patches_pixel(p);
    work.row = work.direct ? p->w.src * p->src_c : patches_pitch(p);
    work.runs = runs_of(p, work.pixel);
    work.packed = scratch;
    work.slots = (unsigned char *)scratch + packed_bytes(s);
    team_run(team, p->h.taps * p->w.taps * work.n_slices * pack_blocks(p), pack, &work);
    team_run_slots(team, patches_count(p), PATCH_SLOTS, run_blocks, &work);
}
