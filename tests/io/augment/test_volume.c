/* What words do to volumes, beside scipy.ndimage, and on drawn volumes. */
#include "core/base/rng.h"
#include "io/augment/augment_volume.h"

#include "io/augment/golden_volumes.h"
#include "io/augment/made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { D = 4, H = 5, W = 6, SIDE = 24, VOXELS = SIDE * SIDE * SIDE };

static const struct augment_source numbers = {.shape = {4, {D, H, W, 1}}, .role = AUGMENT_IMAGE};

static struct augment_call golden_call(float *out) {
    return (struct augment_call){.source = &numbers,
                                 .in_shape = numbers.shape,
                                 .out_shape = numbers.shape,
                                 .in = golden_volume,
                                 .out = out};
}

static void near(const float *found, const float *expected, int n) {
    for (int i = 0; i < n; i++)
        if (fabsf(found[i] - expected[i]) > 2e-6f)
            fail_msg("number %d is %g, expected %g", i, (double)found[i], (double)expected[i]);
}

static void rotating_is_that_of_scipy(void **state) {
    float out[D * H * W];
    const struct augment_call c = golden_call(out);

    (void)state;
    augment_volume_rotate(&c, (const double[]){10, -20, 30});
    near(out, golden_rotated, D * H * W);
    augment_volume_rotate(&c, (const double[]){25, 0, 0});
    near(out, golden_rotated_depth, D * H * W);
}

static void fetching_is_that_of_scipy(void **state) {
    float out[10];
    const struct augment_call c = golden_call(out);

    (void)state;
    for (int i = 0; i < 10; i++)
        augment_volume_fetch(&c,
                             (const double[]){(double)golden_points[3 * i],
                                              (double)golden_points[3 * i + 1],
                                              (double)golden_points[3 * i + 2]},
                             &out[i]);
    near(out, golden_fetched, 10);
}

static void run(const struct made *word, const struct augment_draw *draw, enum augment_role role,
                const struct shape *shape, const float *in, float *out, struct shape *out_shape) {
    const struct augment_source source = {.shape = *shape, .role = role};
    struct augment_plan plan;
    struct err err = {0};

    if (augment_plan_init(&plan, &word->applied, 1, true, &source, &err))
        fail_msg("%s", err.msg);
    float *scratch = malloc((size_t)plan.scratch_len * sizeof *scratch + 1);
    assert_non_null(scratch);
    augment_run(&plan, draw, NULL, in, scratch, out);
    free(scratch);
    *out_shape = plan.out;
}

static const struct shape cube = {4, {SIDE, SIDE, SIDE, 1}};

static float *ball(void) {
    float *v = malloc(VOXELS * sizeof *v);

    assert_non_null(v);
    for (int i = 0; i < VOXELS; i++) {
        const double z = i / SIDE / SIDE - 11.5, y = i / SIDE % SIDE - 11.5, x = i % SIDE - 11.5;
        v[i] = z * z + y * y + x * x < 49;
    }
    return v;
}

/* rotate(30), elastic(40, 3), random_crop3d(6, foreground=1) */
static struct made about_all, pulled, box;

static int make_words(void **state) {
    (void)state;
    make(&about_all, "rotate");
    *(double *)spot(&about_all, "degrees", ARG_REAL) = 30;
    make(&pulled, "elastic");
    *(double *)spot(&pulled, "alpha", ARG_REAL) = 40;
    *(double *)spot(&pulled, "sigma", ARG_REAL) = 3;
    make(&box, "random_crop3d");
    *(struct ints *)spot(&box, "size", ARG_INTS) = (struct ints){1, {6}};
    *(double *)spot(&box, "foreground", ARG_REAL) = 1;
    return 0;
}

static void a_ball_stays_a_ball_however_it_is_turned(void **state) {
    float *in = ball(), *out = malloc(VOXELS * sizeof *out);
    struct shape shape;

    (void)state;
    for (uint64_t key = 0; key < 5; key++) {
        int64_t before = 0, after = 0, other = 0;

        run(&about_all, &(struct augment_draw){.key = rng_key(1, RNG_AUGMENT, 0, key)},
            AUGMENT_MASK, &cube, in, out, &shape);
        for (int i = 0; i < VOXELS; i++) {
            before += in[i] == 1;
            after += out[i] == 1;
            other += (in[i] == 1) != (out[i] == 1);
        }
        assert_true(llabs(before - after) * 20 < before);
        assert_true(other * 5 < before); /* at its surface */
    }
    free(in);
    free(out);
}

static void masks_move_with_their_volumes(void **state) {
    const struct made *const words[] = {&about_all, &pulled};
    float *in = ball(), *image = malloc(VOXELS * sizeof *image),
          *mask = malloc(VOXELS * sizeof *mask);
    struct shape shape;

    (void)state;
    for (int i = 0; i < VOXELS / 2; i++) /* no ball any more: turning it shows */
        in[i] = 0;
    for (int w = 0; w < 2; w++) {
        const struct augment_draw draw = {.key = rng_key(2, RNG_AUGMENT, 0, (uint64_t)w)};
        int64_t wrong = 0, moved = 0, n = 0;

        run(words[w], &draw, AUGMENT_IMAGE, &cube, in, image, &shape);
        run(words[w], &draw, AUGMENT_MASK, &cube, in, mask, &shape);
        for (int i = 0; i < VOXELS; i++) {
            n += mask[i] == 1;
            wrong += (image[i] > 0.5f) != (mask[i] == 1);
            moved += (in[i] == 1) != (mask[i] == 1);
        }
        assert_true(n > 300 && moved > 30);
        assert_true(wrong * 8 < n); /* between voxels only */
    }
    free(in);
    free(image);
    free(mask);
}

static void each_axis_can_be_turned_round(void **state) {
    float out[D * H * W];
    struct augment_call c = golden_call(out);

    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        memcpy(out, golden_volume, sizeof out);
        augment_volume_flip(&c, axis);
        for (int z = 0; z < D; z++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    const int from[] = {axis == 0 ? D - 1 - z : z, axis == 1 ? H - 1 - y : y,
                                        axis == 2 ? W - 1 - x : x};
                    assert_true(out[(z * H + y) * W + x] ==
                                golden_volume[(from[0] * H + from[1]) * W + from[2]]);
                }
    }
}

static void boxes_hold_the_voxel_that_is_looked_for(void **state) {
    static float in[VOXELS], out[VOXELS];
    const int places[][3] = {{0, 0, 0}, {23, 23, 23}, {3, 20, 12}, {11, 0, 23}};
    int64_t first[4] = {-1, -1, -1, -1};
    bool differs = false;
    struct shape shape;

    (void)state;
    for (uint64_t key = 0; key < 40; key++) {
        const int *at = places[key % 4];
        struct augment_draw draw = {.key = rng_key(3, RNG_AUGMENT, 0, key),
                                    .focused = true,
                                    .focus = {at[0], at[1], at[2]}};
        int64_t found = -1;

        memset(in, 0, sizeof in);
        in[(at[0] * SIDE + at[1]) * SIDE + at[2]] = 1;
        run(&box, &draw, AUGMENT_IMAGE, &cube, in, out, &shape);
        assert_true(shape_equal(&shape, &(struct shape){4, {6, 6, 6, 1}}));
        for (int i = 0; i < 6 * 6 * 6; i++)
            found = out[i] == 1 ? i : found;
        assert_true(found >= 0);
        differs = differs || (first[key % 4] >= 0 && first[key % 4] != found);
        first[key % 4] = found;
    }
    assert_true(differs); /* and not always in one place */
}

static void words_for_images_are_refused(void **state) {
    const struct applied word = {augment_find("rotate90"), NULL};
    const struct augment_source source = {.shape = cube, .role = AUGMENT_IMAGE};
    struct augment_plan plan;
    struct err err = {0};

    (void)state;
    assert_int_equal(augment_plan_init(&plan, &word, 1, true, &source, &err), -1);
    assert_string_equal(err.msg, "rotate90: is for images; these are volumes [d, h, w, c]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotating_is_that_of_scipy),
        cmocka_unit_test(fetching_is_that_of_scipy),
        cmocka_unit_test(a_ball_stays_a_ball_however_it_is_turned),
        cmocka_unit_test(masks_move_with_their_volumes),
        cmocka_unit_test(each_axis_can_be_turned_round),
        cmocka_unit_test(boxes_hold_the_voxel_that_is_looked_for),
        cmocka_unit_test(words_for_images_are_refused),
    };

    return cmocka_run_group_tests(tests, make_words, NULL);
}
