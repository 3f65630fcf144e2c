/* Boxes, masks and text on pictures, pixel by pixel: all expected by hand. */
#include "io/scratch.h"

#include "io/image/mark.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE = 40 };

static unsigned char pixels[SIDE * SIDE * 3];

/* A grey canvas whose picture is what lies `edge` within it. */
static struct mark_canvas blank(int64_t edge) {
    memset(pixels, 90, sizeof pixels);
    return (struct mark_canvas){pixels, SIDE, edge, edge, SIDE - edge, SIDE - edge, 1, 1};
}

static const unsigned char *at(int x, int y) {
    return pixels + 3 * (y * SIDE + x);
}

static bool is_blank(int x, int y) {
    return at(x, y)[0] == 90 && at(x, y)[1] == 90 && at(x, y)[2] == 90;
}

/* Squares that are not blank. */
static int count(int left, int top, int right, int bottom) {
    int n = 0;

    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            n += !is_blank(x, y);
    return n;
}

/* 2 (1 + (right - left) + (bottom - top)) pixels less the corners: the edges of a box, within it.
 */
static void a_region_is_a_frame_within_its_edges(void **state) {
    const float rows[] = {5, 8, 20, 30};
    const struct marks m = {.kind = MARK_REGION, .rows = rows, .count = 1};
    const struct mark_canvas c = blank(0);

    (void)state;
    marks_draw(&m, 0, &c);
    assert_int_equal(count(0, 0, SIDE, SIDE), 2 * 15 + 2 * 22 - 4);
    assert_true(!is_blank(5, 8) && !is_blank(19, 8) && !is_blank(5, 29) && !is_blank(19, 29));
    assert_true(is_blank(20, 29) && is_blank(6, 9));
    assert_int_equal(at(5, 8)[0], 170);
}

/* Sides of 12 pixels: four drawn, four not, four drawn; corners count once. The label 7 stands
 * above the box: (4 + 1) x 7 pixels. */
static void truth_is_dashed_and_says_its_class(void **state) {
    const float rows[] = {10, 20, 22, 32, 7, 1, 1, 1, 1, -1, 5, 5, 3, 9, 2};
    const struct marks m = {.kind = MARK_TRUTH, .rows = rows, .count = 3};
    const struct mark_canvas c = blank(0);

    (void)state;
    marks_draw(&m, 0, &c);
    assert_int_equal(count(0, 20, SIDE, SIDE), 4 * 8 - 4);
    assert_true(!is_blank(13, 20) && is_blank(14, 20) && is_blank(17, 20) && !is_blank(18, 20));
    assert_int_equal(count(10, 13, 15, 20), 5 * 7);
    assert_int_equal(count(0, 0, SIDE, 20), 5 * 7);
    /* The glyph 7: a full row, then the right column, then the middle. */
    const unsigned char *ink = at(11, 14);
    assert_true(ink[0] == ink[1] && ink[1] == ink[2]);
    assert_memory_equal(ink, at(12, 14), 3);
    assert_memory_equal(ink, at(13, 15), 3);
    assert_memory_equal(ink, at(12, 18), 3);
    assert_memory_not_equal(ink, at(11, 15), 3);
}

static const char *name(const void *context, int class, char number[MARK_NUMBER]) {
    (void)number;
    return ((const char *const *)context)[class];
}

/* The better one, first in the list, is drawn last. */
static void found_boxes_have_scores_and_the_best_is_on_top(void **state) {
    static const char *const names[] = {"a", "bee"};
    const float rows[2][6] = {{2, 20, 12, 30, 0, 0.9F}, {2, 20, 12, 30, 1, 0.5F}};
    const struct marks m = {.kind = MARK_FOUND,
                            .rows = &rows[0][0],
                            .count = 2,
                            .least = 0.4,
                            .name = name,
                            .context = names};
    struct mark_canvas c = blank(0);
    unsigned char first[3], second[3];

    (void)state;
    marks_draw(&m, 0, &c);
    mark_colour(0, first);
    mark_colour(1, second);
    assert_memory_not_equal(first, second, 3);
    assert_memory_equal(at(2, 25), first, 3);
    /* "A 0.90" covers 25 pixels, "BEE 0.50" 33. */
    assert_memory_equal(at(26, 13), first, 3);
    assert_memory_equal(at(27, 13), second, 3);
    assert_true(!is_blank(34, 13) && is_blank(35, 13));
    c = blank(0);
    struct marks strict = m;
    strict.least = 0.7;
    marks_draw(&strict, 0, &c);
    assert_true(is_blank(27, 13) && !is_blank(26, 13));
}

/* Whatever the numbers are, nothing is written outside the picture; a label that has no room above
 * its box moves into it. */
static void nothing_is_drawn_outside_the_picture(void **state) {
    const float rows[][6] = {{-50, -50, 100, 100, 3, 1},  {-1e30F, 3, 1e30F, 4, 1, 1},
                             {30, -1e9F, 31, 1e9F, 1, 1}, {NAN, 0, 9, 9, 1, 1},
                             {0, 0, INFINITY, 9, 1, 1},   {29, 2, 39, 12, 1e20F, 1}};
    for (int kind = MARK_REGION; kind <= MARK_FOUND; kind++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            const struct marks m = {.kind = (enum mark_kind)kind, .rows = rows[i], .count = 1};
            const struct mark_canvas c = blank(10);
            marks_draw(&m, 0, &c);
            assert_int_equal(count(0, 0, SIDE, SIDE), count(10, 10, SIDE - 10, SIDE - 10));
        }

    (void)state;
    const float corner[] = {2, 1, 30, 30, 4};
    const struct marks m = {.kind = MARK_TRUTH, .rows = corner, .count = 1};
    const struct mark_canvas c = blank(0);
    marks_draw(&m, 0, &c);
    assert_int_equal(count(2, 1, 7, 8), 5 * 7);
    assert_int_equal(count(0, 0, SIDE, 1), 0);
}

/* A mask of 2 x 2 in a box of 10 x 10: a quarter of it; of the size of the picture: where it is.
 * Half of 90 and half of green, 255, is 172. */
static void masks_are_stretched_into_their_boxes(void **state) {
    const float rows[] = {20, 20, 30, 30, 0}, quarter[] = {1, 0, 0, 0.4F};
    static float whole[SIDE * SIDE];
    struct marks m = {.kind = MARK_TRUTH,
                      .rows = rows,
                      .count = 1,
                      .masks = quarter,
                      .mask_h = 2,
                      .mask_w = 2,
                      .picture_h = SIDE,
                      .picture_w = SIDE};
    struct mark_canvas c = blank(0);

    (void)state;
    marks_draw(&m, 0, &c);
    assert_true(at(24, 24)[0] == 45 && at(24, 24)[1] == 172 && at(24, 24)[2] == 45);
    assert_true(is_blank(25, 24) && is_blank(24, 25) && is_blank(26, 26));
    whole[35 * SIDE + 3] = 1;
    m.masks = whole, m.mask_h = SIDE, m.mask_w = SIDE;
    c = blank(0);
    marks_draw(&m, 0, &c);
    assert_true(at(3, 35)[1] == 172);
    assert_true(is_blank(24, 24) && is_blank(4, 35));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_is_a_frame_within_its_edges),
        cmocka_unit_test(truth_is_dashed_and_says_its_class),
        cmocka_unit_test(found_boxes_have_scores_and_the_best_is_on_top),
        cmocka_unit_test(nothing_is_drawn_outside_the_picture),
        cmocka_unit_test(masks_are_stretched_into_their_boxes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
