/* ssim(a, b, max=1): structural similarity of images, the mean over samples, channels and windows
 * of
 *   (2 ma mb + C1) (2 sab + C2) / ((ma^2 + mb^2 + C1) (saa + sbb + C2)),
 * where means m and covariances s are weighted by a Gaussian of 11x11 pixels with a standard
 * deviation of 1.5 (windows within the image only), C1 = (0.01 max)^2 and C2 = (0.03 max)^2. It has
 * a gradient: 1 - ssim(a, b) is a loss.
 * Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861 */
#include "core/ops/parts/share.h"

#include <math.h>
#include <string.h>

enum { TAPS = 11 };
/* Rows of windows are cut into so many ranges, each with lines of its own. */
enum { RANGES = 64 };
/* Weighted sums of one row of windows, before they are added along the row; and the slopes of all
 * windows along the mean of a, that of b, the mean of a^2 and that of b^2 (equal), that of a b. */
enum { LINE_A, LINE_B, LINE_AA, LINE_BB, LINE_AB, N_LINES };
enum { MAP_A, MAP_B, MAP_SQUARE, MAP_AB, N_MAPS };

/* exp(-i^2 / (2 * 1.5^2)) for i = -5 .. 5, divided by their sum. */
static const real taps[TAPS] = {
    (real)0.00102838008447911, (real)0.00759875813523919, (real)0.0360007721284308,
    (real)0.109360689500970,   (real)0.213005537711254,   (real)0.266011724861794,
    (real)0.213005537711254,   (real)0.109360689500970,   (real)0.0360007721284308,
    (real)0.00759875813523919, (real)0.00102838008447911,
};

struct ssim {
    double max;
};

static const struct arg_spec specs[] = {
    {.name = "max",
     .kind = ARG_REAL,
     .offset = offsetof(struct ssim, max),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "largest value less smallest that a pixel may have"},
    {0},
};

/* Lengths in elements; a row of an image is [w, c], one of windows [w - 10, c]. */
struct sizes {
    int64_t n, h, c, row, window_row, window_rows; /* window_rows: of one image */
    int64_t line;                                  /* of scratch: row with room on both sides */
};

static struct sizes sizes_of(const struct shape *s) {
    const int64_t c = s->dim[3];

    return (struct sizes){.n = s->dim[0],
                          .h = s->dim[1],
                          .c = c,
                          .row = s->dim[2] * c,
                          .window_row = (s->dim[2] - TAPS + 1) * c,
                          .window_rows = s->dim[1] - TAPS + 1,
                          .line = (s->dim[2] + TAPS - 1) * c};
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct ssim *a = args;
    char text[2][SHAPE_TEXT];

    (void)n_x;
    if (!(a->max > 0))
        return err_set(err, ERR_CONFIG, "ssim: max is %g, expected more than 0", a->max);
    if (!shape_equal(&x[0], &x[1]))
        return err_set(err, ERR_CONFIG, "ssim: the first input is %s and the second %s",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    if (x->rank != 4 || x->dim[1] < TAPS || x->dim[2] < TAPS)
        return err_set(err, ERR_CONFIG, "ssim: x is %s, expected images of at least %dx%d pixels",
                       shape_text(x, text[0]), TAPS, TAPS);
    const struct sizes s = sizes_of(x);
    const int64_t windows = s.n * s.window_rows * s.window_row;
    op_plan_mean(plan);
    plan->scratch_bytes = (size_t)(RANGES * 2 * N_LINES * s.line) * sizeof(real) +
                          (size_t)(N_MAPS * windows) * sizeof(real);
    plan->flops = (double)windows * 2 * N_LINES * TAPS * 2;
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x->shape.dim[0];
}

/* scratch: the lines [RANGES, 2, N_LINES, line], sums down the image and then along it as well;
 * in backward the maps [N_MAPS, windows] after them. */
static real *lines_of(const struct op_call *c, const struct sizes *s, int64_t range) {
    return (real *)c->scratch + range * 2 * N_LINES * s->line;
}

static real *maps_of(const struct op_call *c, const struct sizes *s) {
    return (real *)c->scratch + RANGES * 2 * N_LINES * s->line;
}

/* lines[N_LINES, line] = weighted sums over the 11 rows from a and b on. */
static void sum_down(const struct sizes *s, const act *restrict a, const act *restrict b,
                     real *restrict lines) {
    memset(lines, 0, (size_t)(N_LINES * s->line) * sizeof *lines);
    for (int t = 0; t < TAPS; t++, a += s->row, b += s->row) {
        const real g = taps[t];
        for (int64_t i = 0; i < s->row; i++) {
            const real ga = g * a[i], gb = g * b[i];
            lines[LINE_A * s->line + i] += ga;
            lines[LINE_B * s->line + i] += gb;
            lines[LINE_AA * s->line + i] += ga * a[i];
            lines[LINE_BB * s->line + i] += gb * b[i];
            lines[LINE_AB * s->line + i] += ga * b[i];
        }
    }
}

/* out[i] = weighted sum of the 11 pixels from i on. */
static void sum_along(const struct sizes *s, int64_t len, const real *restrict line,
                      real *restrict out) {
    for (int64_t i = 0; i < len; i++) {
        real sum = 0;
        for (int t = 0; t < TAPS; t++)
            sum += taps[t] * line[i + t * s->c];
        out[i] = sum;
    }
}

/* One row of windows from its weighted sums: the sum of similarities, and where map is not NULL
 * their slopes, at map and every `step` after it. */
static double compare_row(const struct op_call *c, const struct sizes *s, const real *sums,
                          real *map, int64_t step) {
    const double max = ((const struct ssim *)c->args)->max;
    const real c1 = (real)(0.01 * max * 0.01 * max), c2 = (real)(0.03 * max * 0.03 * max);
    double sum = 0;

    for (int64_t i = 0; i < s->window_row; i++) {
        const real ma = sums[LINE_A * s->line + i], mb = sums[LINE_B * s->line + i];
        const real saa = sums[LINE_AA * s->line + i] - ma * ma;
        const real sbb = sums[LINE_BB * s->line + i] - mb * mb;
        const real sab = sums[LINE_AB * s->line + i] - ma * mb;
        const real a1 = 2 * ma * mb + c1, a2 = 2 * sab + c2;
        const real b1 = ma * ma + mb * mb + c1, b2 = saa + sbb + c2;
        const real over = 1 / (b1 * b2), similarity = a1 * a2 * over;

        sum += (double)similarity;
        if (!map)
            continue;
        map[MAP_A * step + i] = 2 * (mb * (a2 - a1) * over + ma * similarity * (1 / b2 - 1 / b1));
        map[MAP_B * step + i] = 2 * (ma * (a2 - a1) * over + mb * similarity * (1 / b2 - 1 / b1));
        map[MAP_SQUARE * step + i] = -similarity / b2;
        map[MAP_AB * step + i] = 2 * a1 * over;
    }
    return sum;
}

/* Rows of windows of that range, with maps or without; the sum of their similarities. */
static double compare_range(const struct op_call *c, int64_t range, real *maps) {
    const struct sizes s = sizes_of(&c->x->shape);
    const int64_t rows = s.n * s.window_rows;
    real *lines = lines_of(c, &s, range), *sums = lines + N_LINES * s.line;
    double sum = 0;

    for (int64_t r = range * rows / RANGES; r < (range + 1) * rows / RANGES; r++) {
        const int64_t at = (r / s.window_rows * s.h + r % s.window_rows) * s.row;

        sum_down(&s, c->x[0].data + at, c->x[1].data + at, lines);
        for (int k = 0; k < N_LINES; k++)
            sum_along(&s, s.window_row, lines + k * s.line, sums + k * s.line);
        sum += compare_row(c, &s, sums, maps ? maps + r * s.window_row : NULL, rows * s.window_row);
    }
    return sum;
}

static double similarities(const struct op_call *c, int64_t begin, int64_t end) {
    double sum = 0;

    for (int64_t range = begin; range < end; range++)
        sum += compare_range(c, range, NULL);
    return sum;
}

/* Windows of one image. */
static double windows_of(const struct op_call *c) {
    const struct sizes s = sizes_of(&c->x->shape);

    return (double)(s.window_rows * s.window_row);
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)(share_sum(c, RANGES, similarities) / windows_of(c));
}

static void fill_maps(const struct op_call *c, int64_t begin, int64_t end) {
    const struct sizes s = sizes_of(&c->x->shape);

    for (int64_t range = begin; range < end; range++)
        compare_range(c, range, maps_of(c, &s));
}

/* out[row] = weighted sum of the map's values whose windows hold each pixel of row y: those down
 * the image in line[line], with zeros on both sides, then along it. The taps are symmetric. */
static void spread(const struct sizes *s, const real *map, int64_t y, real *line, real *out) {
    memset(line, 0, (size_t)s->line * sizeof *line);
    for (int t = 0; t < TAPS; t++) {
        const int64_t from = y - t;
        if (from < 0 || from >= s->window_rows)
            continue;
        for (int64_t i = 0; i < s->window_row; i++)
            line[(TAPS - 1) * s->c + i] += taps[t] * map[from * s->window_row + i];
    }
    sum_along(s, s->row, line, out);
}

/* du += slope along the mean of u + 2 u slope along that of u^2 + v slope along that of u v. */
static void backward_range(const struct op_call *c, int operand, int64_t range) {
    const struct sizes s = sizes_of(&c->x->shape);
    const int64_t rows = s.n * s.h, windows = s.n * s.window_rows * s.window_row;
    const real scale = (real)((double)c->dy.reals[0] / windows_of(c));
    real *line = lines_of(c, &s, range), *mean = line + s.line, *square = mean + s.line,
         *both = square + s.line;

    for (int64_t r = range * rows / RANGES; r < (range + 1) * rows / RANGES; r++) {
        const real *map = maps_of(c, &s) + r / s.h * s.window_rows * s.window_row;
        const act *u = c->x[operand].data + r * s.row, *v = c->x[!operand].data + r * s.row;
        act *du = c->dx[operand].data + r * s.row;

        spread(&s, map + (operand ? MAP_B : MAP_A) * windows, r % s.h, line, mean);
        spread(&s, map + MAP_SQUARE * windows, r % s.h, line, square);
        spread(&s, map + MAP_AB * windows, r % s.h, line, both);
        for (int64_t i = 0; i < s.row; i++)
            du[i] += (act)(scale * (mean[i] + 2 * u[i] * square[i] + v[i] * both[i]));
    }
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    for (int64_t range = begin; range < end; range++)
        backward_range(c, 0, range);
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    for (int64_t range = begin; range < end; range++)
        backward_range(c, 1, range);
}

static void backward(const struct op_call *c) {
    if (!c->dx[0].data && !c->dx[1].data)
        return;
    share(c, RANGES, fill_maps);
    if (c->dx[0].data)
        share(c, RANGES, backward_a);
    if (c->dx[1].data)
        share(c, RANGES, backward_b);
}

const struct op op_ssim = {
    .word = {"ssim", "structural similarity of images", sizeof(struct ssim), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.better = 1,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
