/* The kernels against the definition of convolution, written as seven nested loops. */
#include "core/math/conv.h"

#include "core/base/rng.h"
#include "core/math/isa/isa.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#ifdef CORE_DOUBLE
#define TOLERANCE 1e-10
#else
#define TOLERANCE 3e-4 /* the definition itself adds up to 8000 terms one after another */
#endif

struct operands {
    struct conv_shape s;
    int64_t x_len, w_len, y_len;
    act *x, *dx, *y, *dy;
    real *w, *dw, *bias, *dbias;
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
    const size_t bytes = (conv_scratch_bytes(s) + 127) / 64 * 64;

    *o = (struct operands){.s = *s};
    o->x_len = s->n * (s->x_n ? s->x_n : s->h * s->w * s->c);
    o->w_len = s->kernel_h * s->kernel_w * (s->c / s->groups) * s->k;
    o->y_len = s->n * s->out_h * s->out_w * s->k;
    o->x = numbers(1, o->x_len), o->dx = numbers(2, o->x_len);
    o->y = numbers(3, o->y_len), o->dy = numbers(4, o->y_len);
    o->w = numbers(5, o->w_len), o->dw = numbers(6, o->w_len);
    o->bias = numbers(7, s->k), o->dbias = numbers(8, s->k);
    o->scratch = aligned_alloc(64, bytes);
    assert_non_null(o->scratch);
    memset(o->scratch, 0xff, bytes); /* NaN */
}

static void operands_release(struct operands *o) {
    free(o->x), free(o->dx), free(o->y), free(o->dy);
    free(o->w), free(o->dw), free(o->bias), free(o->dbias), free(o->scratch);
}

static void run(struct operands *o, struct team *team, bool with_bias) {
    const struct conv_shape *s = &o->s;

    conv_forward(s, team, o->x, o->w, with_bias ? o->bias : NULL, o->y, o->scratch);
    conv_backward_data(s, team, o->dy, o->w, true, o->dx, o->scratch);
    conv_backward_weights(s, team, o->x, o->dy, o->dw, o->scratch);
    conv_backward_bias(s->n * s->out_h * s->out_w, s->k, team, o->dy, o->dbias);
}

/* One output pixel of the definition, forward and both gradients. */
static void define_pixel(struct operands *o, int64_t n, int64_t i, int64_t j) {
    const struct conv_shape *s = &o->s;
    const int64_t c_in = s->c / s->groups, k_out = s->k / s->groups;

    for (int64_t k = 0; k < s->k; k++) {
        const int64_t out = ((n * s->out_h + i) * s->out_w + j) * s->k + k;

        for (int64_t a = 0; a < s->kernel_h; a++)
            for (int64_t b = 0; b < s->kernel_w; b++)
                for (int64_t c = 0; c < c_in; c++) {
                    const int64_t h = i * s->stride_h - s->pad_h + a * s->dilation_h;
                    const int64_t w = j * s->stride_w - s->pad_w + b * s->dilation_w;
                    const int64_t in =
                        n * (o->x_len / s->n) + (h * s->w + w) * s->c + k / k_out * c_in + c;
                    const int64_t tap = ((a * s->kernel_w + b) * c_in + c) * s->k + k;

                    if (h < 0 || h >= s->h || w < 0 || w >= s->w)
                        continue;
                    o->y[out] += o->x[in] * o->w[tap];
                    o->dx[in] += o->dy[out] * o->w[tap];
                    o->dw[tap] += o->dy[out] * o->x[in];
                }
        o->dbias[k] += o->dy[out];
    }
}

static void define(struct operands *o, bool with_bias) {
    const struct conv_shape *s = &o->s;

    for (int64_t i = 0; i < o->y_len; i++)
        o->y[i] = with_bias ? o->bias[i % s->k] : 0;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t i = 0; i < s->out_h; i++)
            for (int64_t j = 0; j < s->out_w; j++)
                define_pixel(o, n, i, j);
}

static void same(const char *what, const struct conv_shape *s, const real *ours, const real *theirs,
                 int64_t len) {
    for (int64_t i = 0; i < len; i++)
        if (!(fabs((double)(ours[i] - theirs[i])) <= TOLERANCE * (1 + fabs((double)theirs[i]))))
            fail_msg("%s[%lld] is %.12g, not %.12g: input %lldx%lldx%lldx%lld, k %lld, kernel "
                     "%lldx%lld, stride %lldx%lld, pad %lldx%lld, dilation %lldx%lld, groups %lld",
                     what, (long long)i, (double)ours[i], (double)theirs[i], (long long)s->n,
                     (long long)s->h, (long long)s->w, (long long)s->c, (long long)s->k,
                     (long long)s->kernel_h, (long long)s->kernel_w, (long long)s->stride_h,
                     (long long)s->stride_w, (long long)s->pad_h, (long long)s->pad_w,
                     (long long)s->dilation_h, (long long)s->dilation_w, (long long)s->groups);
}

static void same_results(const struct operands *a, const struct operands *b) {
    same("y", &a->s, a->y, b->y, a->y_len);
    same("dx", &a->s, a->dx, b->dx, a->x_len);
    same("dw", &a->s, a->dw, b->dw, a->w_len);
    same("dbias", &a->s, a->dbias, b->dbias, a->s.k);
}

/* conv_backward_data that overwrites: nothing of what dx held is left. */
static void check_first_gradient(struct operands *ours, struct operands *theirs,
                                 struct team *team) {
    const struct conv_shape *s = &ours->s;
    const int64_t len = s->h * s->w * s->c;

    for (int64_t n = 0; n < s->n; n++) { /* what lies between samples stays */
        memset(ours->dx + n * (ours->x_len / s->n), 0xff, (size_t)len * sizeof(act)); /* NaN */
        memset(theirs->dx + n * (ours->x_len / s->n), 0, (size_t)len * sizeof(act));
    }
    conv_backward_data(s, team, ours->dy, ours->w, false, ours->dx, ours->scratch);
    define(theirs, false);
    same("first dx", s, ours->dx, theirs->dx, ours->x_len);
}

/* With as many outputs as there are places for the kernel, unless it says how many. */
static void check(struct conv_shape s, bool with_bias, struct team *team) {
    struct operands ours, theirs;

    if (!s.out_h) {
        s.out_h = (s.h + 2 * s.pad_h - s.dilation_h * (s.kernel_h - 1) - 1) / s.stride_h + 1;
        s.out_w = (s.w + 2 * s.pad_w - s.dilation_w * (s.kernel_w - 1) - 1) / s.stride_w + 1;
    }
    operands_init(&ours, &s);
    operands_init(&theirs, &s);
    run(&ours, team, with_bias);
    define(&theirs, with_bias);
    same_results(&ours, &theirs);
    check_first_gradient(&ours, &theirs, team);
    operands_release(&ours);
    operands_release(&theirs);
}

/* n, h, w, c to k channels, a square kernel and the same step and so on along both axes. */
static struct conv_shape square(int64_t n, int64_t h, int64_t w, int64_t c, int64_t k,
                                int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                                int64_t groups) {
    return (struct conv_shape){.n = n,
                               .h = h,
                               .w = w,
                               .c = c,
                               .k = k,
                               .kernel_h = kernel,
                               .kernel_w = kernel,
                               .stride_h = stride,
                               .stride_w = stride,
                               .pad_h = pad,
                               .pad_w = pad,
                               .dilation_h = dilation,
                               .dilation_w = dilation,
                               .groups = groups};
}

static void all_channel_counts_agree_with_the_definition(void **state) {
    static const int64_t channels[] = {1, 3, 4, 8, 16, 17, 64, 65};
    enum { N = sizeof channels / sizeof *channels };

    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            check(square(2, 5, 7, channels[i], channels[j], 3, 1, 1, 1, 1), j % 2, NULL);
}

static void all_windows_agree_with_the_definition(void **state) {
    static const int64_t kernels[] = {1, 2, 3, 4, 5, 7, 11};

    (void)state;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        for (int64_t stride = 1; stride <= 4; stride++)
            for (int64_t pad = 0; pad <= 3; pad++)
                for (int64_t dilation = 1; dilation <= 3; dilation++)
                    if (dilation * (kernels[i] - 1) < 11 + 2 * pad)
                        check(square(3, 13, 11, 3, 5, kernels[i], stride, pad, dilation, 1), true,
                              NULL);
}

static void unequal_axes_agree_with_the_definition(void **state) {
    (void)state;
    check((struct conv_shape){.n = 2,
                              .h = 9,
                              .w = 14,
                              .c = 6,
                              .k = 10,
                              .kernel_h = 1,
                              .kernel_w = 5,
                              .stride_h = 3,
                              .stride_w = 2,
                              .pad_h = 0,
                              .pad_w = 2,
                              .dilation_h = 1,
                              .dilation_w = 2,
                              .groups = 2},
          true, NULL);
}

static void groups_agree_with_the_definition(void **state) {
    (void)state;
    check(square(2, 6, 7, 12, 20, 3, 1, 1, 1, 4), true, NULL);
    check(square(2, 6, 7, 12, 24, 3, 2, 1, 1, 12), true, NULL); /* two filters per channel */
    check(square(2, 6, 7, 32, 64, 3, 2, 2, 2, 2), false, NULL);
}

static void one_filter_per_channel_agrees_with_the_definition(void **state) {
    (void)state;
    check(square(2, 6, 7, 70, 70, 3, 1, 1, 1, 70), true, NULL);
    check(square(3, 9, 8, 20, 20, 5, 2, 2, 1, 20), false, NULL);
    check(square(1, 9, 8, 3, 3, 3, 3, 0, 2, 3), true, NULL);
    check(square(1, 3, 3, 2, 2, 5, 1, 2, 1, 2), true, NULL); /* kernel larger than the image */
    check(square(40, 7, 7, 17, 17, 3, 1, 1, 1, 17), true, NULL);
    check(square(2, 60, 70, 65, 65, 3, 1, 1, 1, 65), true, NULL); /* several blocks of rows */
    check(square(1, 14, 23, 5, 5, 11, 2, 3, 1, 5), true, NULL);
}

static void one_filter_per_channel_agrees_for_all_channel_counts(void **state) {
    static const int64_t channels[] = {2, 3, 4, 7, 8, 9, 16, 17, 31, 33, 64, 65};

    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int64_t stride = 1; stride <= 2; stride++)
            check(square(2, 9, 23, channels[i], channels[i], 3, stride, 1, 1, channels[i]), i % 2,
                  NULL);
}

static void one_filter_per_channel_agrees_for_all_windows(void **state) {
    static const int64_t kernels[] = {1, 2, 3, 4, 5, 7, 11};

    (void)state;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        for (int64_t stride = 1; stride <= 4; stride++)
            for (int64_t pad = 0; pad <= 3; pad++)
                for (int64_t dilation = 1; dilation <= 3; dilation++)
                    if (dilation * (kernels[i] - 1) < 12 + 2 * pad)
                        check(square(2, 13, 12, 5, 5, kernels[i], stride, pad, dilation, 5), true,
                              NULL);
    check((struct conv_shape){.n = 2,
                              .h = 9,
                              .w = 14,
                              .c = 10,
                              .k = 10,
                              .kernel_h = 3,
                              .kernel_w = 5,
                              .stride_h = 3,
                              .stride_w = 2,
                              .pad_h = 0,
                              .pad_w = 2,
                              .dilation_h = 1,
                              .dilation_w = 2,
                              .groups = 10},
          true, NULL);
}

static void long_sums_are_taken_in_several_passes(void **state) {
    (void)state;
    check(square(1, 4, 5, 300, 20, 3, 1, 1, 1, 1), true, NULL);
    check(square(2, 4, 5, 600, 9, 1, 1, 0, 1, 1), true, NULL);
}

static void images_larger_than_a_cache_are_cut_into_rows(void **state) {
    (void)state;
    check(square(2, 61, 67, 17, 9, 3, 1, 1, 1, 1), true, NULL);
    check(square(1, 120, 130, 5, 4, 7, 2, 3, 1, 1), true, NULL);
}

static void a_batch_of_small_images_is_taken_together(void **state) {
    (void)state;
    check(square(37, 4, 4, 5, 6, 3, 1, 1, 1, 1), true, NULL);
    check(square(19, 1, 1, 40, 33, 1, 1, 0, 1, 1), true, NULL);
}

static void gradients_of_many_weights_agree_with_the_definition(void **state) {
    (void)state;
    check(square(3, 3, 3, 260, 130, 3, 1, 1, 1, 1), false, NULL); /* beyond COPIED_LEN */
}

static void one_tap_between_many_channels_agrees_with_the_definition(void **state) {
    (void)state;
    check(square(3, 10, 13, 130, 200, 1, 1, 0, 1, 1), true, NULL);
    check(square(1, 2, 3, 128, 128, 1, 1, 0, 1, 1), false, NULL);
    check(square(2, 40, 30, 130, 200, 1, 1, 0, 1, 1), true, NULL);
    check(square(3, 9, 9, 37, 300, 1, 2, 0, 1, 1), true, NULL);
    check(square(2, 7, 6, 600, 101, 1, 1, 0, 1, 1), false, NULL);
    check(square(2, 9, 8, 130, 40, 1, 2, 0, 1, 1), true, NULL);
}

/* As a stride beyond the image leaves it. */
static void one_output_of_several_places_agrees_with_the_definition(void **state) {
    struct conv_shape shapes[] = {
        square(3, 2, 2, 130, 128, 1, 1, 0, 1, 1), square(3, 2, 3, 130, 128, 3, 1, 1, 1, 1),
        square(3, 2, 2, 6, 6, 1, 1, 0, 1, 6),     square(3, 2, 2, 5, 7, 1, 1, 0, 1, 1),
        square(3, 3, 3, 5, 7, 2, 1, 0, 1, 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shapes[i].out_h = shapes[i].out_w = 1;
        check(shapes[i], true, NULL);
    }
}

static void kernels_that_cover_the_image_agree_with_the_definition(void **state) {
    (void)state;
    check(square(5, 4, 4, 20, 7, 4, 1, 0, 1, 1), true, NULL);
    check(square(300, 2, 2, 3, 1, 2, 1, 0, 1, 1), false, NULL);
}

/* conv_forward_add: what is there stays. */
/* Whole numbers add up exactly, but not by way of Winograd's thirds. */
static bool adds_up_exactly(const struct compute_mode *mode) {
    struct conv_shape s = square(1, 32, 32, 16, 16, 3, 1, 1, 1, 1);
    struct operands ours, theirs;

    s.out_h = s.out_w = 32;
    s.mode = mode;
    operands_init(&ours, &s);
    operands_init(&theirs, &s);
    for (int64_t i = 0; i < ours.x_len; i++)
        ours.x[i] = theirs.x[i] = (act)(i % 7 - 3);
    for (int64_t i = 0; i < ours.w_len; i++)
        ours.w[i] = theirs.w[i] = (real)(i % 5 - 2);
    conv_forward(&s, NULL, ours.x, ours.w, NULL, ours.y, ours.scratch);
    define(&theirs, false);
    const bool exactly = !memcmp(ours.y, theirs.y, (size_t)ours.y_len * sizeof *ours.y);
    operands_release(&ours);
    operands_release(&theirs);
    return exactly;
}

static void the_mode_says_whether_every_product_is_added_up(void **state) {
    static const struct compute_mode direct = {.winograd = false}, fast = {.winograd = true};

    (void)state;
    assert_true(adds_up_exactly(&direct));
    assert_false(adds_up_exactly(&fast));
    assert_false(adds_up_exactly(NULL));
}

static void sums_agree_with_the_definition(void **state) {
    const struct conv_shape shapes[] = {
        square(2, 5, 4, 3, 7, 3, 2, 1, 1, 1),
        square(2, 5, 4, 6, 6, 3, 1, 1, 1, 6),
        square(2, 5, 4, 130, 128, 1, 1, 0, 1, 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct conv_shape s = shapes[i];
        struct operands ours, theirs;

        s.out_h = (s.h + 2 * s.pad_h - s.kernel_h) / s.stride_h + 1;
        s.out_w = (s.w + 2 * s.pad_w - s.kernel_w) / s.stride_w + 1;
        operands_init(&ours, &s), operands_init(&theirs, &s);
        conv_forward_add(&s, NULL, ours.x, ours.w, ours.y, ours.scratch);
        for (int64_t n = 0; n < s.n * s.out_h * s.out_w; n++)
            define_pixel(&theirs, n / s.out_w / s.out_h, n / s.out_w % s.out_h, n % s.out_w);
        same("y", &s, ours.y, theirs.y, ours.y_len);
        operands_release(&ours), operands_release(&theirs);
    }
}

/* Every third image of a row of them. */
static void samples_that_lie_apart_agree_with_the_definition(void **state) {
    struct conv_shape shapes[] = {
        square(3, 5, 4, 3, 7, 3, 2, 1, 1, 1),     square(3, 5, 4, 6, 6, 3, 1, 1, 1, 6),
        square(3, 5, 4, 130, 128, 1, 1, 0, 1, 1), square(3, 5, 4, 4, 6, 3, 1, 1, 1, 2),
        square(3, 4, 4, 5, 6, 4, 1, 0, 1, 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shapes[i].x_n = 3 * shapes[i].h * shapes[i].w * shapes[i].c;
        check(shapes[i], true, NULL);
    }
}

static void the_number_of_threads_does_not_change_a_bit(void **state) {
    struct conv_shape shapes[] = {
        square(9, 8, 8, 16, 16, 3, 1, 1, 1, 1),     square(9, 8, 8, 13, 24, 3, 2, 1, 1, 1),
        square(2, 5, 5, 260, 130, 3, 1, 1, 1, 1),   square(5, 9, 9, 40, 40, 3, 1, 1, 1, 40),
        square(2, 40, 40, 24, 32, 5, 1, 2, 1, 4),   square(3, 5, 5, 260, 130, 3, 1, 2, 2, 1),
        square(5, 11, 11, 150, 140, 1, 1, 0, 1, 1), square(2, 5, 5, 7, 6000, 3, 1, 1, 1, 1),
        square(5, 4, 4, 20, 7, 4, 1, 0, 1, 1),      square(2, 40, 50, 33, 33, 3, 2, 1, 1, 33),
        square(3, 40, 40, 128, 129, 1, 1, 0, 1, 1), square(6, 9, 9, 70, 130, 1, 2, 0, 1, 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct conv_shape *s = &shapes[i];
        struct operands one;

        s->out_h = s->out_w =
            (s->h + 2 * s->pad_h - s->dilation_h * (s->kernel_h - 1) - 1) / s->stride_h + 1;
        operands_init(&one, s);
        run(&one, NULL, true);
        for (int n_threads = 2; n_threads <= 5; n_threads++) {
            struct team *team = NULL;
            struct operands many;
            struct err err = {0};

            assert_int_equal(team_new(&team, n_threads, &err), 0);
            operands_init(&many, s);
            run(&many, team, true);
            assert_memory_equal(one.y, many.y, (size_t)one.y_len * sizeof(act));
            assert_memory_equal(one.dx, many.dx, (size_t)one.x_len * sizeof(act));
            assert_memory_equal(one.dw, many.dw, (size_t)one.w_len * sizeof(real));
            assert_memory_equal(one.dbias, many.dbias, (size_t)s->k * sizeof(real));
            operands_release(&many);
            team_free(team);
        }
        operands_release(&one);
    }
}

static void scratch_does_not_grow_when_the_batch_shrinks(void **state) {
    (void)state;
    for (int64_t c = 1; c <= 20; c++)
        for (int64_t n = 1; n < 70; n++)
            for (int64_t kernel = 1; kernel <= 3; kernel += 2) {
                struct conv_shape less = square(n, 9, 9, c, 2, kernel, 1, kernel / 2, 1, 1);

                less.out_h = less.out_w = 9;
                struct conv_shape more = less;
                more.n++;
                assert_true(conv_scratch_bytes(&less) <= conv_scratch_bytes(&more));
            }
}

int main(void) {
    struct err err = {0};

    if (isa_check(&err)) {
        printf("skipped: %s\n", err.msg);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_channel_counts_agree_with_the_definition),
        cmocka_unit_test(all_windows_agree_with_the_definition),
        cmocka_unit_test(unequal_axes_agree_with_the_definition),
        cmocka_unit_test(groups_agree_with_the_definition),
        cmocka_unit_test(one_filter_per_channel_agrees_with_the_definition),
        cmocka_unit_test(one_filter_per_channel_agrees_for_all_channel_counts),
        cmocka_unit_test(one_filter_per_channel_agrees_for_all_windows),
        cmocka_unit_test(long_sums_are_taken_in_several_passes),
        cmocka_unit_test(images_larger_than_a_cache_are_cut_into_rows),
        cmocka_unit_test(a_batch_of_small_images_is_taken_together),
        cmocka_unit_test(gradients_of_many_weights_agree_with_the_definition),
        cmocka_unit_test(one_tap_between_many_channels_agrees_with_the_definition),
        cmocka_unit_test(one_output_of_several_places_agrees_with_the_definition),
        cmocka_unit_test(kernels_that_cover_the_image_agree_with_the_definition),
        cmocka_unit_test(the_mode_says_whether_every_product_is_added_up),
        cmocka_unit_test(sums_agree_with_the_definition),
        cmocka_unit_test(samples_that_lie_apart_agree_with_the_definition),
        cmocka_unit_test(the_number_of_threads_does_not_change_a_bit),
        cmocka_unit_test(scratch_does_not_grow_when_the_batch_shrinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
