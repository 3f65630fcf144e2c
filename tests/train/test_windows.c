/* Predictions in windows, and of turned copies. */
#include "train/job_text.h"

#include "train/predictor.h"
#include "train/predictor_parts.h"
#include "train/windows.h"

#include <math.h>

enum { SIZE = 8, BATCH = 3 };

static const char pictures[] = "[job]\nmodel = u\n[net u(image)]\n"
                               "out = image | conv(2, 5) | tanh | conv(3, 3)\n"
                               "[step]\nloss = mean(u(image))\ntrain = u\noptimizer = sgd(lr=1)\n";
static const char volumes[] = "[job]\nmodel = u\n[net u(image)]\n"
                              "out = image | conv(2, 3) | tanh | conv(1, 3)\n"
                              "[step]\nloss = mean(u(image))\ntrain = u\noptimizer = sgd(lr=1)\n";

struct tried {
    struct job job;
    struct predictor predictor;
    struct windows windows;
};

static void open_case(struct tried *c, const char *text, const struct shape *sample,
                      const char *output, enum predictor_turns turns, double overlap) {
    const struct field field = {.name = "image", .sample = *sample};
    struct err err = {0};

    *c = (struct tried){0};
    if (job_of_text(&c->job, text, &err))
        fail_msg("%s", err.msg);
    const struct predictor_config config = {.job = &c->job,
                                            .fields = &field,
                                            .n_fields = 1,
                                            .output = output,
                                            .batch = BATCH,
                                            .threads = 1,
                                            .data_name = "test",
                                            .turns = turns};
    if (predictor_init(&c->predictor, &config, &err) ||
        windows_init(&c->windows, &c->predictor, overlap, &err))
        fail_msg("%s", err.msg);
}

static void close_case(struct tried *c) {
    windows_release(&c->windows);
    predictor_release(&c->predictor);
    job_release(&c->job);
}

static float *numbers(int64_t n) {
    float *x = malloc((size_t)n * sizeof *x);

    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i * 37 % 101) / 50 - 1;
    return x;
}

/* Where nnU-Net's compute_steps_for_sliding_window has them. */
static void windows_stand_where_nnunet_has_them(void **state) {
    static const struct {
        int64_t len, size;
        double overlap;
        int64_t n, begin[4];
    } cases[] = {{110, 64, 0.5, 3, {0, 23, 46}}, {64, 64, 0.5, 1, {0}},
                 {65, 64, 0.5, 2, {0, 1}},       {128, 64, 0, 2, {0, 64}},
                 {20, 8, 0.5, 4, {0, 4, 8, 12}}, {5, 8, 0.5, 1, {-1}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct windows_axis a =
            windows_axis_of(cases[i].len, cases[i].size, 1, cases[i].overlap);
        assert_int_equal(a.n, cases[i].n);
        for (int64_t k = 0; k < a.n; k++)
            assert_int_equal(windows_begin(&a, k), cases[i].begin[k]);
    }
}

/* The same by the definition: every window by itself, weights in double. */
static void blend_plainly(struct tried *c, const float *sample, int64_t h, int64_t w,
                          double *expected) {
    const struct windows_axis down = windows_axis_of(h, SIZE, 1, 0.5),
                              across = windows_axis_of(w, SIZE, 1, 0.5);
    double *weights = calloc((size_t)(h * w), sizeof *weights);
    const struct predictor_draw draw = {0};
    float in[SIZE * SIZE * 2], out[SIZE * SIZE * 3];

    for (int64_t k = 0; k < down.n * across.n; k++) {
        const int64_t top = windows_begin(&down, k / across.n),
                      left = windows_begin(&across, k % across.n);
        for (int64_t i = 0; i < SIZE * SIZE * 2; i++)
            in[i] = sample[((top + i / 2 / SIZE) * w + left + i / 2 % SIZE) * 2 + i % 2];
        predictor_run(&c->predictor, in, NULL, 1, &draw, out);
        for (int64_t i = 0; i < SIZE * SIZE; i++) {
            const double y = (double)(i / SIZE) - 3.5, x = (double)(i % SIZE) - 3.5;
            const double weight = exp(-(x * x + y * y) / 2); /* deviation: an eighth of 8 */
            const int64_t at = (top + i / SIZE) * w + left + i % SIZE;
            weights[at] += weight;
            for (int k3 = 0; k3 < 3; k3++)
                expected[at * 3 + k3] += weight * (double)out[i * 3 + k3];
        }
    }
    for (int64_t i = 0; i < h * w * 3; i++)
        expected[i] /= weights[i / 3];
    free(weights);
}

static void windows_are_blended_by_a_gaussian(void **state) {
    const struct shape sample = {3, {SIZE, SIZE, 2}}, large = {3, {13, 21, 2}};
    const struct predictor_draw draw = {0};
    float *x = numbers(shape_len(&large)), *y;
    double expected[13 * 21 * 3] = {0};
    struct tried c;
    struct err err = {0};

    (void)state;
    open_case(&c, pictures, &sample, "u(image)", PREDICT_PLAIN, 0.5);
    if (windows_run(&c.windows, x, &large, &draw, &y, &err))
        fail_msg("%s", err.msg);
    blend_plainly(&c, x, 13, 21, expected);
    for (int i = 0; i < 13 * 21 * 3; i++)
        assert_true(fabs((double)y[i] - expected[i]) < 1e-5);
    free(x);
    free(y);
    close_case(&c);
}

static void one_window_is_the_network_itself(void **state) {
    const struct shape sample = {3, {SIZE, SIZE, 2}};
    const struct predictor_draw draw = {0};
    float *x = numbers(shape_len(&sample)), *y, plain[SIZE * SIZE * 3];
    struct tried c;
    struct err err = {0};

    (void)state;
    open_case(&c, pictures, &sample, "u(image)", PREDICT_PLAIN, 0.5);
    if (windows_run(&c.windows, x, &sample, &draw, &y, &err))
        fail_msg("%s", err.msg);
    predictor_run(&c.predictor, x, NULL, 1, &draw, plain);
    assert_memory_equal(y, plain, sizeof plain);
    free(x);
    free(y);
    close_case(&c);
}

/* Five rows in a window of eight, as numpy.pad(mode="reflect") has them. */
static void what_is_smaller_is_mirrored_at_its_edges(void **state) {
    static const int rows[SIZE] = {1, 0, 1, 2, 3, 4, 3, 2};
    const struct shape sample = {3, {SIZE, SIZE, 2}}, small = {3, {5, SIZE, 2}};
    const struct predictor_draw draw = {0};
    float *x = numbers(shape_len(&small)), *y, in[SIZE * SIZE * 2], out[SIZE * SIZE * 3];
    struct tried c;
    struct err err = {0};

    (void)state;
    open_case(&c, pictures, &sample, "u(image)", PREDICT_PLAIN, 0.5);
    for (int i = 0; i < SIZE; i++)
        memcpy(in + i * SIZE * 2, x + rows[i] * SIZE * 2, SIZE * 2 * sizeof *in);
    predictor_run(&c.predictor, in, NULL, 1, &draw, out);
    if (windows_run(&c.windows, x, &small, &draw, &y, &err))
        fail_msg("%s", err.msg);
    for (int i = 0; i < 5 * SIZE * 3; i++)
        assert_true(fabsf(y[i] - out[SIZE * 3 + i]) < 1e-5f);
    free(x);
    free(y);
    close_case(&c);
}

/* What does not look beside itself gives everywhere what it gives in one piece: all windows
 * together cover the sample, also one smaller than they are. */
static void check_pointwise(const char *text, const struct shape *sample, const struct shape *large,
                            double overlap) {
    const struct predictor_draw draw = {0};
    const int64_t n = shape_len(large);
    float *x = numbers(n), *y;
    struct tried c;
    struct err err = {0};

    open_case(&c, text, sample, "image * 2 + 1", PREDICT_PLAIN, overlap);
    if (windows_run(&c.windows, x, large, &draw, &y, &err))
        fail_msg("%s", err.msg);
    for (int64_t i = 0; i < n; i++)
        if (!(fabsf(y[i] - (2 * x[i] + 1)) < 1e-5f))
            fail_msg("number %lld is %g, expected %g", (long long)i, (double)y[i],
                     (double)(2 * x[i] + 1));
    free(x);
    free(y);
    close_case(&c);
}

static void every_pixel_of_pictures_and_volumes_is_covered(void **state) {
    const struct shape sample = {3, {SIZE, SIZE, 2}}, volume = {4, {4, 6, 8, 1}};
    const struct shape larger[] = {{3, {9, 30, 2}}, {3, {3, 8, 2}}, {3, {1, 1, 2}}, {3, {8, 5, 2}}};
    const struct shape volume_larger[] = {{4, {7, 13, 8, 1}}, {4, {2, 6, 20, 1}}};

    (void)state;
    for (int i = 0; i < 4; i++)
        for (double overlap = 0; overlap < 0.8; overlap += 0.25)
            check_pointwise(pictures, &sample, &larger[i], overlap);
    for (int i = 0; i < 2; i++)
        check_pointwise(volumes, &volume, &volume_larger[i], 0.5);
}

/* Turned and turned back, a sample is itself: as many times as there are turns. */
static void turning_back_undoes_turning(void **state) {
    static const enum predictor_turns all[] = {PREDICT_FLIP, PREDICT_FLIPS, PREDICT_ROT90};
    const struct shape square = {3, {3, 3, 2}}, volume = {4, {2, 3, 3, 1}};

    (void)state;
    for (int i = 0; i < 6; i++) {
        const struct shape *s = i % 2 ? &volume : &square;
        const int64_t len = 2 * shape_len(s);
        float *x = numbers(len), turned[64], sum[64] = {0};
        const int n = predictor_n_turns(all[i / 2], s, false);

        for (int t = 0; t < n; t++) {
            predictor_turn(all[i / 2], t, s, false, 2, x, turned);
            assert_true((t == 0) == !memcmp(x, turned, (size_t)len * sizeof *x));
            predictor_turn_back(all[i / 2], t, s, false, 2, turned, sum);
        }
        for (int64_t k = 0; k < len; k++)
            assert_true(fabsf(sum[k] - (float)n * x[k]) < 1e-5f);
        free(x);
    }
}

/* Of a picture 0 1 / 2 3, by hand. */
static void turns_are_mirrors_and_quarters(void **state) {
    static const struct {
        enum predictor_turns turns;
        int turn;
        float expected[4];
    } cases[] = {{PREDICT_FLIP, 1, {1, 0, 3, 2}},  {PREDICT_FLIPS, 2, {2, 3, 0, 1}},
                 {PREDICT_FLIPS, 3, {3, 2, 1, 0}}, {PREDICT_ROT90, 1, {1, 3, 0, 2}},
                 {PREDICT_ROT90, 2, {3, 2, 1, 0}}, {PREDICT_ROT90, 3, {2, 0, 3, 1}}};
    const struct shape s = {3, {2, 2, 1}};
    const float x[] = {0, 1, 2, 3};
    float y[4];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        predictor_turn(cases[i].turns, cases[i].turn, &s, false, 1, x, y);
        assert_memory_equal(y, cases[i].expected, sizeof y);
    }
}

/* The prediction of a turned picture is the turned prediction. */
static void means_over_turns_turn_with_the_picture(void **state) {
    const struct shape sample = {3, {SIZE, SIZE, 2}}, out = {3, {SIZE, SIZE, 3}};
    const struct predictor_draw draw = {0};
    float *x = numbers(shape_len(&sample)), turned[SIZE * SIZE * 2];
    float y[SIZE * SIZE * 3], y_turned[SIZE * SIZE * 3], expected[SIZE * SIZE * 3];

    (void)state;
    for (int t = 1; t < 4; t++) {
        struct tried c;
        const enum predictor_turns turns = t == 1 ? PREDICT_FLIPS : PREDICT_ROT90;
        open_case(&c, pictures, &sample, "u(image)", turns, 0.5);
        predictor_turn(turns, t, &sample, false, 1, x, turned);
        predictor_run(&c.predictor, x, NULL, 1, &draw, y);
        predictor_run(&c.predictor, turned, NULL, 1, &draw, y_turned);
        predictor_turn(turns, t, &out, false, 1, y, expected);
        for (int i = 0; i < SIZE * SIZE * 3; i++)
            assert_true(fabsf(y_turned[i] - expected[i]) < 1e-5f);
        close_case(&c);
    }
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_stand_where_nnunet_has_them),
        cmocka_unit_test(windows_are_blended_by_a_gaussian),
        cmocka_unit_test(one_window_is_the_network_itself),
        cmocka_unit_test(what_is_smaller_is_mirrored_at_its_edges),
        cmocka_unit_test(every_pixel_of_pictures_and_volumes_is_covered),
        cmocka_unit_test(turning_back_undoes_turning),
        cmocka_unit_test(turns_are_mirrors_and_quarters),
        cmocka_unit_test(means_over_turns_turn_with_the_picture),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
