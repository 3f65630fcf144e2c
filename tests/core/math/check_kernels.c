/* Every family of kernels against its definition on the same numbers, with the instruction set that
 * DLTRAIN_ISA names.
 *   check_kernels          each case is within its bound
 *   check_kernels --time   also says how long both took, each term counted as 2 FLOPs, and how far
 *                          they are apart */
#include "core/math/reference.h"

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/math/copies.h"
#include "core/math/gemm.h"
#include "core/math/isa/isa.h"
#include "core/math/winograd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool timed;
static const struct compute_mode direct = {.winograd = false};

struct kernel_case {
    const char *family, *what;
    double bound; /* of |kernel - definition|, in epsilons of real times the sum of magnitudes */
    struct conv3d conv;
    struct {
        bool trans_a, trans_b;
        int64_t m, n, k;
    } gemm;
    struct copies copies;
    enum { CONV, VOLUME, WINOGRAD, CORRELATE, GEMM, BIAS, COPIES } kind;
};

/* A square kernel, and the same step and so on along both axes. */
#define IMAGES(n_, size, c_, k_, kernel, stride, pad, dilation, groups_)                           \
    .slice = {.n = (n_),                                                                           \
              .h = (size),                                                                         \
              .w = (size) + 1,                                                                     \
              .c = (c_),                                                                           \
              .k = (k_),                                                                           \
              .out_h = ((size) + 2 * (pad) - (dilation) * ((kernel)-1) - 1) / (stride) + 1,        \
              .out_w = ((size) + 2 * (pad) - (dilation) * ((kernel)-1)) / (stride) + 1,            \
              .kernel_h = (kernel),                                                                \
              .kernel_w = (kernel),                                                                \
              .stride_h = (stride),                                                                \
              .stride_w = (stride),                                                                \
              .pad_h = (pad),                                                                      \
              .pad_w = (pad),                                                                      \
              .dilation_h = (dilation),                                                            \
              .dilation_w = (dilation),                                                            \
              .groups = (groups_),                                                                 \
              .mode = &direct}
#define FLAT .d = 1, .out_d = 1, .kernel_d = 1, .stride_d = 1, .dilation_d = 1

/* Bounds: direct sums stay below 4 epsilons (a sum of n terms is rounded n times, in either
 * direction); winograd's points, of which each goes into 16 pixels, take 32. */
static const struct kernel_case cases[] = {
    {"conv", "3x3", 4, .conv = {IMAGES(4, 14, 64, 64, 3, 1, 1, 1, 1), FLAT}},
    {"conv", "3x3 stride 2", 4, .conv = {IMAGES(3, 17, 33, 47, 3, 2, 1, 1, 1), FLAT}},
    {"conv", "7x7 of 3", 4, .conv = {IMAGES(2, 40, 3, 24, 7, 2, 3, 1, 1), FLAT}},
    {"conv", "3x3 dilated", 4, .conv = {IMAGES(2, 13, 20, 19, 3, 1, 2, 2, 1), FLAT}},
    {"conv", "3x3 in 4 groups", 4, .conv = {IMAGES(2, 12, 32, 48, 3, 1, 1, 1, 4), FLAT}},
    {"conv", "covering", 4, .conv = {IMAGES(9, 4, 70, 33, 4, 1, 0, 1, 1), FLAT}},
    {"pointwise", "1x1", 4, .conv = {IMAGES(4, 14, 130, 200, 1, 1, 0, 1, 1), FLAT}},
    {"pointwise", "1x1 stride 2", 4, .conv = {IMAGES(3, 15, 130, 129, 1, 2, 0, 1, 1), FLAT}},
    {"depthwise", "3x3", 4, .conv = {IMAGES(4, 28, 65, 65, 3, 1, 1, 1, 65), FLAT}},
    {"depthwise", "5x5 stride 2", 4, .conv = {IMAGES(4, 27, 40, 40, 5, 2, 2, 1, 40), FLAT}},
    {"depthwise", "11x11", 4, .conv = {IMAGES(1, 23, 17, 17, 11, 1, 5, 1, 17), FLAT}},
    {"winograd", "64 to 64", 32, .conv = {IMAGES(4, 14, 64, 64, 3, 1, 1, 1, 1), FLAT},
     .kind = WINOGRAD},
    {"winograd", "35 to 70", 32, .conv = {IMAGES(2, 15, 35, 70, 3, 1, 2, 1, 1), FLAT},
     .kind = WINOGRAD},
    {"conv3d", "3x3x3", 4, .conv = {IMAGES(2, 8, 16, 24, 3, 1, 1, 1, 1), 6, 6, 3, 1, 1, 1},
     .kind = VOLUME},
    {"conv3d", "2x3x3 stride 2", 4, .conv = {IMAGES(2, 9, 12, 10, 3, 2, 1, 1, 2), 7, 4, 2, 2, 1, 2},
     .kind = VOLUME},
    {"correlate", "of channels", 4, .conv = {IMAGES(3, 12, 40, 50, 3, 2, 1, 1, 1), FLAT},
     .kind = CORRELATE},
    {"gemm", "nn", 4, .gemm = {false, false, 130, 170, 190}, .kind = GEMM},
    {"gemm", "tn", 4, .gemm = {true, false, 65, 33, 310}, .kind = GEMM},
    {"gemm", "nt", 4, .gemm = {false, true, 17, 10, 64}, .kind = GEMM},
    {"gemm", "tt", 4, .gemm = {true, true, 1, 64, 100}, .kind = GEMM},
    {"bias", "of 64", 4, .gemm = {.m = 5000, .n = 65}, .kind = BIAS},
    {"copies", "of a matrix", 4, .copies = {7, 30, 65, NULL}, .kind = COPIES},
};

/* Operands of a case, and what it gives. */
struct trial {
    const struct kernel_case *c;
    enum direction direction;
    int64_t a_len, b_len, len; /* out [len] */
    real *a, *b, *bias, *start, *out;
    void *scratch;
};

/* With all digits of real: products of random floats alone would be exact in double. */
static real *numbers(uint64_t key, int64_t len) {
    real *v = aligned_alloc(64, ((size_t)len * sizeof *v + 127) / 64 * 64);

    assert_non_null(v);
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(sqrt(0.5) * (2 * (double)rng_uniform(key, (uint64_t)i) - 1));
    return v;
}

/* What is not added to. */
static bool overwrites(const struct trial *t) {
    return t->c->kind < CORRELATE && (t->direction == FORWARD || t->direction == DATA);
}

/* All but the lowest 3 source channels and the highest 5 destination channels. */
static struct correlation correlation_of(const struct conv3d *v) {
    const struct conv_shape *s = &v->slice;

    return (struct correlation){
        .from = {.h = {s->h, s->out_h, s->stride_h, -s->pad_h, s->kernel_h, s->dilation_h},
                 .w = {s->w, s->out_w, s->stride_w, -s->pad_w, s->kernel_w, s->dilation_w},
                 .n = s->n,
                 .src_c = s->c,
                 .src_n = s->h * s->w * s->c,
                 .c = s->c - 3},
        .h = {.dst = s->out_h, .dst_step = 1, .w_step = 1},
        .w = {.dst = s->out_w, .dst_step = 1, .w_step = 1},
        .c0 = 3,
        .dst_c = s->k,
        .dst_n = s->out_h * s->out_w * s->k,
        .k = s->k - 5,
        .w_columns = s->kernel_w,
        .w_pixel = s->c * s->k,
        .w_c = s->k,
        .w_k = 1,
        .add = true,
    };
}

/* Elements of operands and result; returns the bytes of scratch. */
static size_t measure(struct trial *t) {
    const struct conv3d *v = &t->c->conv;
    const struct conv_shape *s = &v->slice;
    const int64_t x_len = s->n * v->d * s->h * s->w * s->c;
    const int64_t y_len = s->n * v->out_d * s->out_h * s->out_w * s->k;
    const int64_t w_len =
        s->groups ? v->kernel_d * s->kernel_h * s->kernel_w * (s->c / s->groups) * s->k : 0;
    const struct correlation correlation = correlation_of(v);

    switch (t->c->kind) {
    case GEMM:
        t->a_len = t->c->gemm.m * t->c->gemm.k, t->b_len = t->c->gemm.k * t->c->gemm.n;
        t->len = t->c->gemm.m * t->c->gemm.n;
        return 0;
    case BIAS:
        t->a_len = t->c->gemm.m * t->c->gemm.n, t->len = t->c->gemm.n;
        return 0;
    case COPIES:
        t->a_len = (int64_t)(copies_bytes(&t->c->copies) / sizeof(real));
        t->len = t->c->copies.rows * t->c->copies.cols;
        return 0;
    default:
        t->a_len = t->direction == DATA || t->direction == DATA_ADD ? y_len : x_len;
        t->b_len = t->direction == WEIGHTS ? y_len : w_len;
        t->len = x_len + w_len + y_len - t->a_len - t->b_len;
        return t->c->kind == WINOGRAD    ? winograd_scratch_bytes(s)
               : t->c->kind == CORRELATE ? correlate_scratch_bytes(&correlation)
                                         : conv3d_scratch_bytes(v);
    }
}

static void trial_init(struct trial *t, const struct kernel_case *c, enum direction direction) {
    *t = (struct trial){.c = c, .direction = direction};
    const size_t bytes = (measure(t) + 127) / 64 * 64;
    t->a = numbers(1, t->a_len), t->b = numbers(2, t->b_len);
    t->start = numbers(3, t->len), t->out = numbers(3, t->len);
    t->bias = numbers(4, c->conv.slice.k);
    if (overwrites(t))
        memset(t->out, 0xff, (size_t)t->len * sizeof *t->out); /* NaN */
    t->scratch = aligned_alloc(64, bytes);
    assert_non_null(t->scratch);
    memset(t->scratch, 0xff, bytes);
}

static void trial_release(struct trial *t) {
    free(t->a), free(t->b), free(t->bias), free(t->start), free(t->out), free(t->scratch);
}

static void run_winograd(struct trial *t) {
    const struct conv_shape *s = &t->c->conv.slice;

    switch (t->direction) {
    case FORWARD:
        winograd_forward(s, NULL, t->a, t->b, t->bias, t->out, t->scratch);
        return;
    case FORWARD_ADD:
        winograd_forward_add(s, NULL, t->a, t->b, t->out, t->scratch);
        return;
    case WEIGHTS:
        winograd_backward_weights(s, NULL, t->a, t->b, t->out, t->scratch);
        return;
    default:
        winograd_backward_data(s, NULL, t->a, t->b, t->direction == DATA_ADD, t->out, t->scratch);
    }
}

/* Of images, conv3d is conv itself. */
static void run_conv(struct trial *t) {
    const struct conv3d *s = &t->c->conv;

    switch (t->direction) {
    case FORWARD:
        conv3d_forward(s, NULL, t->a, t->b, t->bias, t->out, t->scratch);
        return;
    case FORWARD_ADD:
        conv3d_forward_add(s, NULL, t->a, t->b, t->out, t->scratch);
        return;
    case WEIGHTS:
        conv3d_backward_weights(s, NULL, t->a, t->b, t->out, t->scratch);
        return;
    default:
        conv3d_backward_data(s, NULL, t->a, t->b, t->direction == DATA_ADD, t->out, t->scratch);
    }
}

static void run(struct trial *t) {
    const struct kernel_case *c = t->c;
    const struct correlation correlation = correlation_of(&c->conv);
    struct copies copies = c->copies;

    switch (c->kind) {
    case WINOGRAD:
        run_winograd(t);
        return;
    case CORRELATE:
        correlate(&correlation, NULL, t->a, t->b, NULL, t->out, t->scratch);
        return;
    case GEMM:
        gemm(c->gemm.trans_a, c->gemm.trans_b, c->gemm.m, c->gemm.n, c->gemm.k, t->a,
             c->gemm.trans_a ? c->gemm.m : c->gemm.k, t->b, c->gemm.trans_b ? c->gemm.k : c->gemm.n,
             1, t->out, c->gemm.n);
        return;
    case BIAS:
        conv_backward_bias(c->gemm.m, c->gemm.n, NULL, t->a, t->out);
        return;
    case COPIES:
        copies.first = t->a;
        copies_add(&copies, NULL, t->out, copies.cols);
        return;
    default:
        run_conv(t);
    }
}

static void define_copies(struct trial *t, struct expected *e) {
    struct copies copies = t->c->copies;

    copies.first = t->a;
    for (int64_t i = 0; i < copies.n; i++)
        for (int64_t j = 0; j < t->len; j++)
            expect_term(e, j, copies_at(&copies, i)[j]);
    e->terms += copies.n * t->len;
}

static void define(struct trial *t, struct expected *e) {
    const struct kernel_case *c = t->c;
    const struct conv_operands operands = {&c->conv, t->direction, t->a, t->b};
    const struct correlation correlation = correlation_of(&c->conv);

    for (int64_t i = 0; i < t->len; i++)
        if (!overwrites(t))
            expect_term(e, i, t->start[i]);
        else if (t->direction == FORWARD)
            expect_term(e, i, t->bias[i % c->conv.slice.k]);
    switch (c->kind) {
    case CORRELATE:
        reference_correlate(&correlation, t->a, t->b, e);
        return;
    case GEMM:
        reference_gemm(c->gemm.trans_a, c->gemm.trans_b, c->gemm.m, c->gemm.n, c->gemm.k, t->a,
                       t->b, e);
        return;
    case BIAS:
        for (int64_t i = 0; i < t->a_len; i++)
            expect_term(e, i % t->len, t->a[i]);
        e->terms += t->a_len;
        return;
    case COPIES:
        define_copies(t, e);
        return;
    default:
        reference_conv(&operands, e);
    }
}

/* The largest distance, in epsilons times magnitudes; infinite where a number is none. */
static double distance(const struct trial *t, const struct expected *e) {
    double most = 0;

    for (int64_t i = 0; i < t->len; i++) {
        const double off = fabs((double)(t->out[i] - e->sum[i]));
        const double unit = REAL_EPSILON * (double)e->size[i];

        if (!(off <= most * unit))
            most = isnan(off) ? INFINITY : off / unit;
    }
    return most;
}

static const char *const direction_names[] = {"forward", "forward, added", "data", "data, added",
                                              "weights"};

static void print_times(struct trial *t, const struct expected *e, double reference_s,
                        double found) {
    const double flops = 2 * (double)e->terms;
    int rounds = 0;
    const double start = clock_now();
    double seconds = 0;

    for (; seconds < 0.05; seconds = clock_now() - start, rounds++)
        run(t);
    seconds /= rounds;
    printf("%-10s %-16s %-15s %8.3f ms %7.2f GFLOP/s   definition %8.2f ms %5.2f GFLOP/s   "
           "%.2f eps\n",
           t->c->family, t->c->what, t->c->kind <= WINOGRAD ? direction_names[t->direction] : "",
           1e3 * seconds, 1e-9 * flops / seconds, 1e3 * reference_s, 1e-9 * flops / reference_s,
           found);
}

static void check(const struct kernel_case *c, enum direction direction) {
    struct trial t;

    trial_init(&t, c, direction);
    struct expected e = {.len = t.len};
    e.sum = calloc((size_t)t.len, sizeof *e.sum), e.size = calloc((size_t)t.len, sizeof *e.size);
    assert_true(e.sum && e.size);
    run(&t);
    const double start = clock_now();
    define(&t, &e);
    const double seconds = clock_now() - start, found = distance(&t, &e);
    if (timed)
        print_times(&t, &e, seconds, found);
    if (!(found <= c->bound))
        fail_msg("%s %s, %s: %.3g epsilons from its definition, expected at most %g", c->family,
                 c->what, direction_names[direction], found, c->bound);
    free(e.sum), free(e.size);
    trial_release(&t);
}

static void kernels_agree_with_their_definitions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int d = 0; d < (cases[i].kind <= WINOGRAD ? N_DIRECTIONS : 1); d++)
            check(&cases[i], (enum direction)d);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_agree_with_their_definitions)};
    struct err err = {0};

    if (isa_check(&err)) {
        printf("skipped: %s\n", err.msg);
        return 77;
    }
    timed = argc > 1 && !strcmp(argv[1], "--time");
    if (timed)
        printf("%s, %zu bytes\n", isa_get()->name, sizeof(real));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
