/* Pictures cut into pieces, against the algorithm as written from its paper. */
#include "io/regions/golden_segments.h"
#include "io/scratch.h"

#include "io/regions/segment.h"

#include <math.h>

enum { LEN = GOLDEN_H * GOLDEN_W };

static float picture_at(int p, int y, int x) {
    const int noise = (x * 37 + y * 101 + p * 59 + x * y * 13) % 23;

    if (x >= 3 && x < 11 && y >= 4 && y < 12)
        return (float)(180 - 40 * p + noise);
    if ((x - 19) * (x - 19) + (y - 12) * (y - 12) < 30)
        return (float)(40 + 60 * p + noise);
    return (float)(90 + 2 * x + noise);
}

static void pieces_are_those_of_the_paper(void **state) {
    float planes[GOLDEN_C * LEN];
    int32_t label[LEN];
    struct err err = {0};
    int64_t n;

    (void)state;
    for (size_t k = 0; k < sizeof golden_pieces / sizeof *golden_pieces; k++) {
        const struct segment_options options = {golden_pieces[k].sigma, golden_pieces[k].k,
                                                golden_pieces[k].least};
        for (int i = 0; i < GOLDEN_C * LEN; i++)
            planes[i] = picture_at(i / LEN, i % LEN / GOLDEN_W, i % GOLDEN_W);
        assert_int_equal(
            segment_picture(planes, GOLDEN_C, GOLDEN_H, GOLDEN_W, &options, label, &n, &err), 0);
        assert_int_equal(n, golden_pieces[k].n);
        for (int i = 0; i < LEN; i++)
            if (label[i] != golden_pieces[k].label[i])
                fail_msg("case %zu: pixel %d, %d is of piece %d, expected %d", k, i / GOLDEN_W,
                         i % GOLDEN_W, (int)label[i], golden_pieces[k].label[i]);
    }
}

/* A picture of one pixel, of one row, and of one colour are one piece. */
static void nothing_to_cut_is_one_piece(void **state) {
    static const int64_t size[][2] = {{1, 1}, {1, 7}, {9, 1}, {6, 5}};
    const struct segment_options options = {0.8, 50, 50};
    struct err err = {0};

    (void)state;
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        float planes[30];
        int32_t label[30];
        int64_t n = 0;
        for (int i = 0; i < 30; i++)
            planes[i] = 77;
        assert_int_equal(
            segment_picture(planes, 1, size[k][0], size[k][1], &options, label, &n, &err), 0);
        assert_int_equal(n, 1);
        for (int64_t i = 0; i < size[k][0] * size[k][1]; i++)
            assert_int_equal(label[i], 0);
    }
}

/* An impulse becomes the product of two normalised Gaussians: 1 / (2 pi sigma^2) in its middle. */
static void smoothing_keeps_the_sum(void **state) {
    enum { SIDE = 41 };
    static float plane[SIDE * SIDE];
    struct err err = {0};
    double sum = 0;

    (void)state;
    plane[20 * SIDE + 20] = 1000;
    assert_int_equal(segment_smooth(plane, 1, SIDE, SIDE, 2, &err), 0);
    for (int i = 0; i < SIDE * SIDE; i++)
        sum += (double)plane[i];
    assert_true(fabs(sum - 1000) < 0.01);
    assert_true(fabs((double)plane[20 * SIDE + 20] - 1000 / (2 * 3.14159265 * 4)) < 0.1);
    assert_true(plane[20 * SIDE + 23] > 0 &&
                fabsf(plane[20 * SIDE + 23] - plane[17 * SIDE + 20]) < 1e-4F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_those_of_the_paper),
        cmocka_unit_test(nothing_to_cut_is_one_piece),
        cmocka_unit_test(smoothing_keeps_the_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
