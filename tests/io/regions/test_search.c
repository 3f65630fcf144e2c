/* Selective search: colours, likeness worked by hand, and boxes of things that are there. */
#include "io/scratch.h"

#include "io/regions/grouping.h"
#include "io/regions/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 60, W = 80 };

static void near(double found, double expected, double by) {
    if (!(fabs(found - expected) <= by))
        fail_msg("%g is not near %g", found, expected);
}

/* By the formulas: pure red is H 0, S 1, V 1; L 53.24, a 80.09, b 67.20 (CIE Lab of sRGB). */
static void colours_are_those_of_their_spaces(void **state) {
    static const unsigned char pixels[] = {255, 0, 0, 0, 0, 255, 50, 100, 50, 0, 0, 0};
    float planes[3 * 4];

    (void)state;
    colour_convert(pixels, 4, 3, COLOUR_HSV, planes);
    near((double)planes[0], 0, 0.01), near((double)planes[4], 255, 0.01);
    near((double)planes[8], 255, 0.01);
    near((double)planes[1], 170, 0.01); /* blue is two thirds of a turn */
    near((double)planes[2], 85, 0.01), near((double)planes[6], 127.5, 0.01);
    near((double)planes[10], 100, 0.01);
    colour_convert(pixels, 4, 3, COLOUR_LAB, planes);
    near((double)planes[0], 2.55 * 53.24, 0.05), near((double)planes[4], 128 + 80.09, 0.05);
    near((double)planes[8], 128 + 67.20, 0.05);
    near((double)planes[1], 2.55 * 32.30, 0.05), near((double)planes[5], 128 + 79.19, 0.05);
    near((double)planes[9], 128 - 107.86, 0.05);
    near((double)planes[3], 0, 0.01), near((double)planes[7], 128, 0.01);
    colour_convert(pixels, 4, 3, COLOUR_RGI, planes);
    near((double)planes[2], 63.75, 0.01), near((double)planes[6], 127.5, 0.01);
    near((double)planes[10], 200.0 / 3, 0.01);
    colour_convert(pixels, 4, 1, COLOUR_INTENSITY, planes);
    near((double)planes[0], 255, 0.01), near((double)planes[1], 0, 0.01);
}

/* Two pieces of 12 and 6 pixels in a picture of 100: a box of 24 around both.
 * Size: 1 - 18/100; fill: 1 - (24 - 18)/100; colour: min(0.5, 0.25) + min(0.5, 0.75) = 0.75. */
static void likeness_is_that_of_the_paper(void **state) {
    static struct portion a, b, both;

    (void)state;
    a = (struct portion){.size = 12, .left = 0, .top = 0, .right = 4, .bottom = 3};
    b = (struct portion){.size = 6, .left = 4, .top = 0, .right = 6, .bottom = 4};
    a.colour[3] = a.colour[7] = 0.5F;
    b.colour[3] = 0.25F, b.colour[7] = 0.75F;
    a.texture[100] = 1, b.texture[100] = 0.125F, b.texture[0] = 0.875F;
    near((double)pieces_alike(&a, &b, LIKE_COLOUR, 100), 0.75, 1e-6);
    near((double)pieces_alike(&a, &b, LIKE_TEXTURE, 100), 0.125, 1e-6);
    near((double)pieces_alike(&a, &b, LIKE_SIZE, 100), 0.82, 1e-6);
    near((double)pieces_alike(&a, &b, LIKE_FILL, 100), 0.94, 1e-6);
    near((double)pieces_alike(&b, &a, 15, 100), 0.75 + 0.125 + 0.82 + 0.94, 1e-6);
    pieces_join(&a, &b, &both);
    assert_int_equal(both.size, 18);
    assert_true(both.left == 0 && both.right == 6 && both.top == 0 && both.bottom == 4);
    near((double)both.colour[3], (12 * 0.5 + 6 * 0.25) / 18, 1e-6);
    near((double)both.texture[100], (12 + 6 * 0.125) / 18, 1e-6);
}

/* Columns of four pieces; by size alone the two smallest are joined first, and so on. */
static void pieces_are_joined_by_likeness(void **state) {
    static const int32_t label[] = {0, 0, 0, 0, 1, 1, 2, 3, 3, 3};
    static const float zeros[2 * 10];
    static struct portion piece[7];
    struct err err = {0};

    (void)state;
    pieces_describe(zeros, zeros, 1, 1, 10, label, 4, piece);
    assert_int_equal(piece[0].size, 4);
    near((double)piece[1].colour[0], 1, 1e-6);
    near((double)piece[1].texture[0], 1.0 / 8, 1e-6);
    assert_int_equal(pieces_group(piece, 4, label, 1, 10, LIKE_SIZE, &err), 0);
    assert_true(piece[4].left == 4 && piece[4].right == 7); /* 1 + 2: 3 pixels */
    assert_true(piece[5].left == 4 && piece[5].right == 10);
    assert_true(piece[6].left == 0 && piece[6].right == 10 && piece[6].size == 10);
}

/* Three things of their own colours on a background. */
static const int things[][4] = {{5, 6, 25, 26}, {40, 10, 70, 30}, {20, 35, 60, 55}};

static void paint(unsigned char *pixels, int channels) {
    static const unsigned char colour[][3] = {{200, 30, 30}, {30, 60, 200}, {40, 190, 60}};

    for (int i = 0; i < H * W; i++) {
        const int x = i % W, y = i / W;
        unsigned char rgb[3] = {120, 120, 110};
        for (int k = 0; k < 3; k++)
            if (x >= things[k][0] && y >= things[k][1] && x < things[k][2] && y < things[k][3])
                memcpy(rgb, colour[k], 3);
        for (int c = 0; c < channels; c++)
            pixels[i * channels + c] = (unsigned char)(rgb[c] + (x * 7 + y * 11) % 5);
    }
}

static double iou(const int32_t *a, const int *b) {
    const int left = a[0] > b[0] ? a[0] : b[0], top = a[1] > b[1] ? a[1] : b[1];
    const int right = a[2] < b[2] ? a[2] : b[2], bottom = a[3] < b[3] ? a[3] : b[3];
    const double both = right > left && bottom > top ? (right - left) * (bottom - top) : 0;

    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (double)(b[2] - b[0]) * (b[3] - b[1]) - both);
}

static void things_that_are_there_are_found(void **state) {
    static unsigned char pixels[H * W * 3];
    struct err err = {0};

    (void)state;
    for (int channels = 1; channels <= 3; channels += 2)
        for (int good = 0; good < 2; good++) {
            const struct search_options options = {.quality = good, .most = 200, .seed = 1};
            struct search_box *box;
            int64_t n;
            paint(pixels, channels);
            assert_int_equal(regions_search(pixels, H, W, channels, &options, &box, &n, &err), 0);
            for (int k = 0; k < 3; k++) {
                double best = 0;
                for (int64_t i = 0; i < n; i++)
                    best = fmax(best, iou(box[i].at, things[k]));
                if (best < 0.9)
                    fail_msg("%d channels: thing %d is met by %.2f", channels, k, best);
            }
            for (int64_t i = 0; i < n; i++) {
                const int32_t *at = box[i].at;
                assert_true(at[0] >= 0 && at[1] >= 0 && at[2] <= W && at[3] <= H);
                assert_true(at[0] < at[2] && at[1] < at[3]);
                for (int64_t j = 0; j < i; j++)
                    assert_memory_not_equal(at, box[j].at, sizeof box[j].at);
            }
            free(box);
        }
}

/* The same number, the same boxes; fewer are the first of more. */
static void the_order_follows_from_the_seed(void **state) {
    static unsigned char pixels[H * W * 3];
    struct search_options options = {.most = 1000, .seed = 4};
    struct search_box *all, *few, *other;
    int64_t n_all, n_few, n_other;
    struct err err = {0};

    (void)state;
    paint(pixels, 3);
    assert_int_equal(regions_search(pixels, H, W, 3, &options, &all, &n_all, &err), 0);
    options.most = 3;
    assert_int_equal(regions_search(pixels, H, W, 3, &options, &few, &n_few, &err), 0);
    assert_true(n_few == 3 && n_all > 3);
    assert_memory_equal(few, all, 3 * sizeof *few);
    options = (struct search_options){.most = 1000, .seed = 5};
    assert_int_equal(regions_search(pixels, H, W, 3, &options, &other, &n_other, &err), 0);
    assert_int_equal(n_other, n_all);
    assert_memory_not_equal(other, all, (size_t)n_all * sizeof *all);
    free(all);
    free(few);
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_those_of_their_spaces),
        cmocka_unit_test(likeness_is_that_of_the_paper),
        cmocka_unit_test(pieces_are_joined_by_likeness),
        cmocka_unit_test(things_that_are_there_are_found),
        cmocka_unit_test(the_order_follows_from_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
