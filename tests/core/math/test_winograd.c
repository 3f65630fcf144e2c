/* The functions against the definition of convolution, written as nested loops, and every
 * instruction set's transforms and products against one square worked the same way. */
#include "core/math/isa/isa.h"
#include "core/math/winograd.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Of the root mean square: the error of a square's points is spread over all of its pixels. */
#ifdef CORE_DOUBLE
#define TOLERANCE 1e-11
#else
#define TOLERANCE 5e-5
#endif

#ifdef HAVE_ISA_WIDE
extern const struct isa isa_wide; /* avx512 without its instructions */
#endif

struct operands {
    struct conv_shape s;
    int64_t x_n, x_len, w_len, y_len;
    act *x, *dx, *y, *dy;
    real *w, *dw, *bias;
    void *scratch;
};

static void *numbers(uint64_t key, int64_t len) {
    real *v = malloc((size_t)(len + 1) * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(2 * rng_uniform(key, (uint64_t)i) - 1);
    return v;
}

/* Everything random, outputs too: what is overwritten or added to shows. */
static void operands_init(struct operands *o, const struct conv_shape *s) {
    const size_t bytes = (winograd_scratch_bytes(s) + 127) / 64 * 64;

    *o = (struct operands){.s = *s};
    o->x_n = s->x_n ? s->x_n : s->h * s->w * s->c;
    o->x_len = s->n * o->x_n;
    o->w_len = 9 * s->c * s->k;
    o->y_len = s->n * s->out_h * s->out_w * s->k;
    o->x = numbers(1, o->x_len), o->dx = numbers(2, o->x_len);
    o->y = numbers(3, o->y_len), o->dy = numbers(4, o->y_len);
    o->w = numbers(5, o->w_len), o->dw = numbers(6, o->w_len);
    o->bias = numbers(7, s->k);
    o->scratch = aligned_alloc(64, bytes);
    assert_non_null(o->scratch);
    memset(o->scratch, 0xff, bytes); /* NaN */
}

static void operands_release(struct operands *o) {
    free(o->x), free(o->dx), free(o->y), free(o->dy);
    free(o->w), free(o->dw), free(o->bias), free(o->scratch);
}

enum kind { PLAIN, WITH_BIAS, ADDED };

static void run(struct operands *o, struct team *team, enum kind kind) {
    const struct conv_shape *s = &o->s;

    if (kind == ADDED)
        winograd_forward_add(s, team, o->x, o->w, o->y, o->scratch);
    else
        winograd_forward(s, team, o->x, o->w, kind == WITH_BIAS ? o->bias : NULL, o->y, o->scratch);
    winograd_backward_data(s, team, o->dy, o->w, true, o->dx, o->scratch);
    winograd_backward_weights(s, team, o->x, o->dy, o->dw, o->scratch);
}

/* One tap of one output pixel, forward and both gradients. */
static void define_tap(struct operands *o, int64_t out, int64_t in, int64_t t) {
    const int64_t n_c = o->s.c, n_k = o->s.k;

    for (int64_t c = 0; c < n_c; c++)
        for (int64_t k = 0; k < n_k; k++) {
            const int64_t tap = (t * n_c + c) * n_k + k;

            o->y[out + k] += o->x[in + c] * o->w[tap];
            o->dx[in + c] += o->dy[out + k] * o->w[tap];
            o->dw[tap] += o->dy[out + k] * o->x[in + c];
        }
}

static void define(struct operands *o, enum kind kind) {
    const struct conv_shape *s = &o->s;

    for (int64_t i = 0; i < o->y_len && kind != ADDED; i++)
        o->y[i] = kind == WITH_BIAS ? o->bias[i % s->k] : 0;
    for (int64_t p = 0; p < s->n * s->out_h * s->out_w; p++)
        for (int64_t t = 0; t < 9; t++) {
            const int64_t n = p / (s->out_h * s->out_w);
            const int64_t h = p / s->out_w % s->out_h - s->pad_h + t / 3;
            const int64_t w = p % s->out_w - s->pad_w + t % 3;

            if (h >= 0 && h < s->h && w >= 0 && w < s->w)
                define_tap(o, p * s->k, n * o->x_n + (h * s->w + w) * s->c, t);
        }
}

static void same(const char *what, const struct conv_shape *s, const real *ours, const real *theirs,
                 int64_t len) {
    double squares = 0;

    for (int64_t i = 0; i < len; i++)
        squares += (double)theirs[i] * (double)theirs[i];
    for (int64_t i = 0; i < len; i++)
        if (!(fabs((double)(ours[i] - theirs[i])) <= TOLERANCE * sqrt(squares / (double)len)))
            fail_msg("%s[%lld] is %.12g, not %.12g: %lldx%lldx%lldx%lld to %lldx%lldx%lld, pad "
                     "%lldx%lld",
                     what, (long long)i, (double)ours[i], (double)theirs[i], (long long)s->n,
                     (long long)s->h, (long long)s->w, (long long)s->c, (long long)s->out_h,
                     (long long)s->out_w, (long long)s->k, (long long)s->pad_h,
                     (long long)s->pad_w);
}

static void same_results(const struct operands *a, const struct operands *b) {
    same("y", &a->s, a->y, b->y, a->y_len);
    same("dx", &a->s, a->dx, b->dx, a->x_len);
    same("dw", &a->s, a->dw, b->dw, a->w_len);
}

/* n images of h x w, c to k channels. */
static struct conv_shape shape(int64_t n, int64_t h, int64_t w, int64_t c, int64_t k, int64_t pad_h,
                               int64_t pad_w) {
    return (struct conv_shape){.n = n,
                               .h = h,
                               .w = w,
                               .c = c,
                               .k = k,
                               .out_h = h + 2 * pad_h - 2,
                               .out_w = w + 2 * pad_w - 2,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .stride_h = 1,
                               .stride_w = 1,
                               .pad_h = pad_h,
                               .pad_w = pad_w,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .groups = 1};
}

static void check(struct conv_shape s, enum kind kind, struct team *team) {
    struct operands ours, theirs;

    operands_init(&ours, &s);
    operands_init(&theirs, &s);
    run(&ours, team, kind);
    define(&theirs, kind);
    same_results(&ours, &theirs);
    operands_release(&ours);
    operands_release(&theirs);
}

static void sizes_that_squares_do_not_divide(void **state) {
    (void)state;
    for (int64_t h = 3; h <= 11; h++)
        check(shape(2, h, 14 - h, 5, 7, 1, 1), PLAIN, NULL);
    check(shape(1, 1, 9, 4, 4, 1, 1), PLAIN, NULL);
    check(shape(1, 30, 6, 4, 4, 1, 1), PLAIN, NULL);
}

static void every_padding(void **state) {
    (void)state;
    for (int64_t pad = 0; pad < 9; pad++)
        check(shape(2, 6, 5, 3, 4, pad / 3, pad % 3), WITH_BIAS, NULL);
}

static void outputs_beyond_or_short_of_the_padding(void **state) {
    struct conv_shape s = shape(2, 6, 7, 4, 4, 0, 1);

    (void)state;
    s.out_h += 2, s.out_w += 1;
    check(s, WITH_BIAS, NULL);
    s.out_h -= 3, s.out_w -= 3;
    check(s, WITH_BIAS, NULL);
}

static void channels_that_vectors_do_not_divide(void **state) {
    static const int64_t channels[] = {1, 3, 16, 17, 64, 65, 130};

    (void)state;
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            check(shape(1, 5, 6, channels[i], channels[j], 1, 1), (enum kind)((i + j) % 3), NULL);
}

static void outputs_added_to(void **state) {
    (void)state;
    check(shape(2, 8, 8, 16, 19, 1, 1), ADDED, NULL);
}

/* Weights not stored, more squares than are shared at a time. */
static void many_channels_and_squares(void **state) {
    (void)state;
    check(shape(3, 31, 30, 120, 140, 1, 1), WITH_BIAS, NULL);
    check(shape(1, 4, 4, 260, 70, 1, 1), ADDED, NULL);
}

static void gradients_summed_by_groups_of_squares(void **state) {
    (void)state;
    for (int64_t n = 7; n <= 10; n++)
        check(shape(n, 9, 9, 6, 5, 1, 1), PLAIN, NULL);
    check(shape(9, 30, 29, 3, 4, 1, 1), PLAIN, NULL); /* several blocks */
}

static void scratch_does_not_grow_when_the_batch_shrinks(void **state) {
    static const int64_t channels[] = {16, 64, 96, 300};

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int64_t n = 1; n < 40; n++) {
            const struct conv_shape less = shape(n, 14, 9, channels[i], 64, 1, 1);
            const struct conv_shape more = shape(n + 1, 14, 9, channels[i], 64, 1, 1);

            assert_true(winograd_scratch_bytes(&less) <= winograd_scratch_bytes(&more));
        }
}

static void samples_of_a_longer_batch(void **state) {
    struct conv_shape s = shape(3, 7, 6, 5, 4, 1, 1);

    (void)state;
    s.x_n = 2 * s.h * s.w * s.c;
    check(s, WITH_BIAS, NULL);
}

static void nothing_at_all(void **state) {
    (void)state;
    check(shape(0, 7, 6, 5, 4, 1, 1), WITH_BIAS, NULL);
}

static void threads_change_no_bit(void **state) {
    static const struct {
        int64_t n, size, c, k;
    } cases[] = {{9, 12, 16, 16}, {2, 21, 40, 24}, {3, 11, 130, 136}, {1, 5, 64, 20}};
    struct err err;

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int threads = 2; threads <= 5; threads++) {
            const struct conv_shape s =
                shape(cases[i].n, cases[i].size, cases[i].size, cases[i].c, cases[i].k, 1, 1);
            struct operands one, many;
            struct team *team;

            assert_int_equal(team_new(&team, threads, &err), 0);
            operands_init(&one, &s);
            operands_init(&many, &s);
            run(&one, NULL, WITH_BIAS);
            run(&many, team, WITH_BIAS);
            assert_memory_equal(one.y, many.y, (size_t)one.y_len * sizeof *one.y);
            assert_memory_equal(one.dx, many.dx, (size_t)one.x_len * sizeof *one.dx);
            assert_memory_equal(one.dw, many.dw, (size_t)one.w_len * sizeof *one.dw);
            operands_release(&one);
            operands_release(&many);
            team_free(team);
        }
}

/* A sample's outputs are the same bits in whatever batch it is. */
static void batches_change_no_bit(void **state) {
    const struct conv_shape one = shape(1, 13, 13, 130, 136, 1, 1);
    struct conv_shape many = one;
    struct operands a, b;

    (void)state;
    many.n = 12;
    operands_init(&a, &one);
    operands_init(&b, &many);
    run(&a, NULL, WITH_BIAS);
    run(&b, NULL, WITH_BIAS);
    assert_memory_equal(a.y, b.y, (size_t)a.y_len * sizeof *a.y);
    assert_memory_equal(a.dx, b.dx, (size_t)a.x_len * sizeof *a.dx);
    operands_release(&a);
    operands_release(&b);
}

static void other_convolutions_are_not_possible(void **state) {
    struct conv_shape s = shape(2, 8, 8, 64, 64, 1, 1);

    (void)state;
    assert_true(winograd_possible(&s));
    assert_true(winograd_fits(&s, WINOGRAD_FORWARD));
    s.stride_w = 2;
    assert_false(winograd_possible(&s) || winograd_fits(&s, WINOGRAD_FORWARD));
    s = shape(2, 8, 8, 64, 64, 1, 1), s.dilation_h = 2;
    assert_false(winograd_possible(&s) || winograd_fits(&s, WINOGRAD_DATA));
    s = shape(2, 8, 8, 64, 64, 1, 1), s.groups = 2;
    assert_false(winograd_possible(&s) || winograd_fits(&s, WINOGRAD_WEIGHTS));
    s = shape(2, 8, 8, 64, 64, 1, 1), s.kernel_w = 1;
    assert_false(winograd_possible(&s) || winograd_fits(&s, WINOGRAD_WEIGHTS));
    s = shape(2, 8, 8, 64, 64, 3, 1);
    assert_false(winograd_possible(&s) || winograd_fits(&s, WINOGRAD_FORWARD));
    s = shape(2, 8, 8, 3, 64, 1, 1);
    assert_true(winograd_possible(&s));
    assert_false(winograd_fits(&s, WINOGRAD_FORWARD));
}

/* Of 2x2 pixels a square would throw 12 of 16 away; 12 channels are 1 1/2 vectors. */
static void what_wastes_squares_or_vectors_does_not_fit(void **state) {
    static const struct {
        int64_t size, c, k;
        bool fits;
    } cases[] = {{2, 64, 64, false}, {3, 64, 64, true}, {5, 64, 64, true}, {8, 12, 12, false},
                 {8, 8, 8, true},    {8, 64, 12, true}, {8, 3, 64, false}, {8, 64, 3, false}};

    (void)state;
    for (int i = 0; i < 8; i++)
        for (int64_t n = 1; n < 100; n += 33) {
            const struct conv_shape s =
                shape(n, cases[i].size, cases[i].size, cases[i].c, cases[i].k, 1, 1);

            for (int d = WINOGRAD_FORWARD; d <= WINOGRAD_WEIGHTS; d++)
                assert_int_equal(winograd_fits(&s, (enum winograd_direction)d), cases[i].fits);
        }
}

/* What one table computes of one square, ROWS times over, each row scaled differently. */
enum { ROWS = 15, DEPTH = 32, COLS = ISA_MAX_COLS };

struct square {
    real x[36][DEPTH], g[9][DEPTH][COLS], dy[16][COLS];
    real v[36][ROWS][DEPTH], u[36][DEPTH][COLS], m[36][ROWS][COLS], s[36][DEPTH][COLS];
    real vdy[36][ROWS][COLS];
    real y[16][COLS], dg[9][DEPTH][COLS];
};

static void fill(real *v, uint64_t key, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(2 * rng_uniform(key, (uint64_t)i) - 1);
}

static void scaled_rows(real *v, int64_t rows, int64_t width, real scale) {
    for (int64_t i = 1; i < rows; i++)
        for (int64_t j = 0; j < width; j++)
            v[i * width + j] = v[j] * (1 + scale * (real)i);
}

static void near(real ours, double theirs, double size) {
    if (!(fabs((double)ours - theirs) <= TOLERANCE * size))
        fail_msg("%.15g, not %.15g", (double)ours, theirs);
}

static void check_forward(const struct isa *isa, struct square *q, int64_t rows, bool narrow) {
    const int cols = isa->tile_cols, n = narrow ? isa->vec_len : cols;
    const real *x[36];
    real *y[16];

    for (int i = 0; i < 36; i++)
        x[i] = q->x[i];
    for (int i = 0; i < 16; i++)
        y[i] = q->y[i];
    isa->winograd.input(DEPTH, x, q->v[0][0], ROWS * DEPTH);
    isa->winograd.filter(DEPTH, q->g[0][0], DEPTH * COLS, COLS, q->u[0][0], DEPTH * COLS);
    for (int p = 0; p < 36; p++) {
        scaled_rows(q->v[p][0], rows, DEPTH, 1);
        isa->winograd.product(rows, DEPTH / 2, q->v[p][0], DEPTH, q->u[p][0], narrow, false,
                              q->m[p][0]);
        isa->winograd.product(rows, DEPTH / 2, q->v[p][0] + DEPTH / 2, DEPTH,
                              q->u[p][0] + DEPTH / 2 * cols, narrow, true, q->m[p][0]);
    }
    for (int64_t row = 0; row < rows; row++) {
        isa->winograd.output(n, q->m[0][0] + row * cols, ROWS * COLS, NULL, false, y);
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < n; k++) {
                double sum = 0;

                for (int t = 0; t < 9; t++)
                    for (int c = 0; c < DEPTH; c++)
                        sum += (double)q->x[(i / 4 + t / 3) * 6 + i % 4 + t % 3][c] *
                               (double)q->g[t][c][k];
                near(q->y[i][k], sum * (double)(row + 1), 6 * (double)(row + 1));
            }
    }
}

static void check_weights(const struct isa *isa, struct square *q, int64_t rows, int64_t channels,
                          bool narrow) {
    const int cols = isa->tile_cols, n = narrow ? isa->vec_len : cols;
    const double scale = (double)(rows * (rows + 1) / 2);
    const real *x[36], *dy[16];

    for (int i = 0; i < 36; i++)
        x[i] = q->x[i];
    for (int i = 0; i < 16; i++)
        dy[i] = q->dy[i];
    isa->winograd.input(DEPTH, x, q->v[0][0], ROWS * DEPTH);
    isa->winograd.gradient(cols, dy, q->vdy[0][0], ROWS * COLS);
    for (int p = 0; p < 36; p++) {
        scaled_rows(q->v[p][0], rows, DEPTH, 1);
        scaled_rows(q->vdy[p][0], rows, cols, 0);
        isa->winograd.outer(channels, rows, q->v[p][0], DEPTH, q->vdy[p][0], narrow, q->s[p][0]);
    }
    fill(q->dg[0][0], 4, 9 * DEPTH * COLS);
    isa->winograd.filter_back(channels, q->s[0][0], DEPTH * COLS, q->dg[0][0], DEPTH * COLS, COLS);
    for (int t = 0; t < 9; t++)
        for (int64_t c = 0; c < channels; c++)
            for (int k = 0; k < n; k++) {
                const uint64_t at = (uint64_t)((t * DEPTH + c) * COLS + k);
                double sum = 0;

                for (int i = 0; i < 16; i++)
                    sum +=
                        (double)q->x[(i / 4 + t / 3) * 6 + i % 4 + t % 3][c] * (double)q->dy[i][k];
                near(q->dg[t][c][k], sum * scale + 2 * rng_uniform(4, at) - 1, 1 + scale);
            }
}

static void check_table(const struct isa *isa, struct square *q) {
    for (int64_t rows = 1; rows <= ROWS; rows++)
        for (int narrow = 0; narrow < 2; narrow++) {
            check_forward(isa, q, rows, narrow);
            check_weights(isa, q, rows, 2 * rows, narrow);
        }
}

static void every_instruction_set(void **state) {
    struct square *q = calloc(1, sizeof *q);
    int n;
    const struct isa *const *table = isa_table(&n);

    (void)state;
    assert_non_null(q);
    fill(q->x[0], 1, 36 * DEPTH);
    fill(q->g[0][0], 2, 9 * DEPTH * COLS);
    fill(q->dy[0], 3, 16 * COLS);
    for (int i = 0; i < n; i++)
        check_table(table[i], q);
#ifdef HAVE_ISA_WIDE
    if (table[n - 1] != &isa_generic)
        check_table(&isa_wide, q);
#endif
    free(q);
}

int main(void) {
    struct err err = {0};

    if (isa_check(&err)) {
        printf("skipped: %s\n", err.msg);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_squares_do_not_divide),
        cmocka_unit_test(every_padding),
        cmocka_unit_test(outputs_beyond_or_short_of_the_padding),
        cmocka_unit_test(channels_that_vectors_do_not_divide),
        cmocka_unit_test(outputs_added_to),
        cmocka_unit_test(many_channels_and_squares),
        cmocka_unit_test(gradients_summed_by_groups_of_squares),
        cmocka_unit_test(scratch_does_not_grow_when_the_batch_shrinks),
        cmocka_unit_test(samples_of_a_longer_batch),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(batches_change_no_bit),
        cmocka_unit_test(other_convolutions_are_not_possible),
        cmocka_unit_test(what_wastes_squares_or_vectors_does_not_fit),
        cmocka_unit_test(every_instruction_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
