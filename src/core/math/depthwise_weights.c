/* The gradient of filters that have a channel each: dw[t, c] += sum over output pixels p of
 * x[p at tap t, c] * dy[p, c]. */
#include "core/math/conv_parts.h"

#include "core/base/arena.h"
#include "core/math/isa/isa.h"

#include <string.h>

/* Rows of one sample go by blocks that the second-level cache holds. The blocks of the batch are
 * cut into a fixed number of groups, each with a sum of its own, and the sums added in order: so
 * they are spread over threads without the result depending on how many there are. Fewer pixels in
 * a group would spend the time on the sums. */
enum { BLOCK_LEN = 1 << 15, MAX_GROUPS = 32, MIN_PIXELS = 96, MAX_COLS = 8 };

struct depthwise_weights_work {
    const struct conv_shape *s;
    const struct isa *isa;
    int64_t n_blocks, n_groups; /* blocks of one sample; groups of the batch */
    const act *x, *dy;
    real *sums; /* [n_groups][kernel_h * kernel_w * c] */
    real *dw;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* a / b rounded up, 0 where a is negative; b > 0. */
static int64_t ratio_up(int64_t a, int64_t b) {
    return a > 0 ? (a + b - 1) / b : 0;
}

static int64_t blocks_of(const struct conv_shape *s) {
    const int64_t row_len = (s->out_w + s->stride_h * s->w) * s->c;
    const int64_t rows = BLOCK_LEN / row_len > 1 ? BLOCK_LEN / row_len : 1;

    return ratio_up(s->out_h, rows);
}

static int64_t groups_of(const struct conv_shape *s) {
    const int64_t blocks = s->n * blocks_of(s);
    int64_t groups = 1;

    while (groups < MAX_GROUPS && 2 * groups <= blocks &&
           2 * groups * MIN_PIXELS <= s->n * s->out_h * s->out_w)
        groups *= 2;
    return groups;
}

static int64_t sum_len(const struct conv_shape *s) {
    return s->kernel_h * s->kernel_w * s->c;
}

size_t depthwise_scratch_bytes(const struct conv_shape *s) {
    return arena_round((size_t)(groups_of(s) * sum_len(s)) * sizeof(real));
}

/* The rows [*begin, *end) of outputs among [from, to) that have tap row a. */
static void rows_with(const struct conv_shape *s, int64_t a, int64_t from, int64_t to,
                      int64_t *begin, int64_t *end) {
    const int64_t shift = a * s->dilation_h - s->pad_h;

    *begin = ratio_up(-shift, s->stride_h);
    *end = least(ratio_up(s->h - shift, s->stride_h), to);
    if (*begin < from)
        *begin = from;
}

/* Tap rows a .. a + rows - 1, all inside for the output rows [begin, end) of sample n. */
static void add_rows(const struct depthwise_weights_work *work, int64_t n, int64_t a, int rows,
                     int64_t begin, int64_t end, real *sums) {
    const struct conv_shape *s = work->s;
    const int64_t first_row = begin * s->stride_h - s->pad_h + a * s->dilation_h;

    if (begin >= end)
        return;
    for (int64_t b = 0; b < s->kernel_w; b += MAX_COLS) {
        const int cols = (int)least(s->kernel_w - b, MAX_COLS);
        const int64_t first = b * s->dilation_w - s->pad_w;
        const int64_t room = s->w - first - (cols - 1) * s->dilation_w;
        struct isa_depthwise_weights d = {
            .rows = rows,
            .cols = cols,
            .n_h = end - begin,
            .n_w = s->out_w,
            .channels = s->c,
            .w = s->w,
            .first = first,
            .stride = s->stride_w,
            .dilation = s->dilation_w,
            .inner_begin = least(ratio_up(-first, s->stride_w), s->out_w),
            .inner_end = least(ratio_up(room, s->stride_w), s->out_w),
            .x_row = s->stride_h * s->w * s->c,
            .x_tap_h = s->dilation_h * s->w * s->c,
            .dy_row = s->out_w * s->c,
            .dw_tap_h = s->kernel_w * s->c,
            .x = work->x + n * conv_x_n(s) + first_row * s->w * s->c,
            .dy = work->dy + (n * s->out_h + begin) * s->out_w * s->c,
            .dw = sums + (a * s->kernel_w + b) * s->c,
            .ahead = a + b == 0,
        };
        if (d.inner_end < d.inner_begin)
            d.inner_end = d.inner_begin;
        work->isa->depthwise_weights(&d);
    }
}

/* All taps of the output rows [from, to) of sample n. */
static void add_block(const struct depthwise_weights_work *work, int64_t n, int64_t from,
                      int64_t to, real *sums) {
    const struct conv_shape *s = work->s;
    int64_t inner_begin = from, inner_end = from, begin, end;

    if (s->kernel_h == 3 && s->kernel_w == 3) { /* rows that have all nine taps: one pass */
        rows_with(s, 0, from, to, &inner_begin, &end);
        rows_with(s, 2, from, to, &begin, &inner_end);
        inner_end = least(inner_end, end);
        if (begin > inner_begin)
            inner_begin = begin;
        if (inner_begin >= inner_end)
            inner_begin = inner_end = from;
        add_rows(work, n, 0, 3, inner_begin, inner_end, sums);
    }
    for (int64_t a = 0; a < s->kernel_h; a++) {
        rows_with(s, a, from, to, &begin, &end);
        add_rows(work, n, a, 1, begin, least(end, inner_begin), sums);
        add_rows(work, n, a, 1, begin > inner_end ? begin : inner_end, end, sums);
    }
}

static void run_groups(void *context, int64_t begin, int64_t end) {
    const struct depthwise_weights_work *work = context;
    const struct conv_shape *s = work->s;
    const int64_t blocks = work->n_blocks, all = s->n * blocks;

    for (int64_t g = begin; g < end; g++) {
        real *sums = work->sums + g * sum_len(s);

        memset(sums, 0, (size_t)sum_len(s) * sizeof *sums);
        for (int64_t u = all * g / work->n_groups; u < all * (g + 1) / work->n_groups; u++)
            add_block(work, u / blocks, s->out_h * (u % blocks) / blocks,
                      s->out_h * (u % blocks + 1) / blocks, sums);
    }
}

static void add_sums(void *context, int64_t begin, int64_t end) {
    const struct depthwise_weights_work *work = context;

    for (int64_t g = 0; g < work->n_groups; g++) {
        const real *restrict from = work->sums + g * sum_len(work->s);
        real *restrict dw = work->dw;

        for (int64_t i = begin; i < end; i++)
            dw[i] += from[i];
    }
}

void depthwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw, void *scratch) {
    struct depthwise_weights_work work = {s, isa_get(), blocks_of(s), groups_of(s),
                                          x, dy,        scratch,      dw};

    if (s->n * s->out_h * s->out_w == 0)
        return;
    team_run(team, work.n_groups, run_groups, &work);
    team_run(team, sum_len(s), add_sums, &work);
}
