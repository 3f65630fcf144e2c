/* Pictures of curves, read back: what is where. */
#include "report/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <gd.h>

static const double x[] = {1, 2, 4, 8}, rising[] = {1, 2, 4, 8}, broken[] = {100, NAN, 50, 0};

static struct plot two_panels(int width) {
    return (struct plot){.title = "t",
                         .subtitle = "s",
                         .x_label = "x",
                         .x = x,
                         .n = 4,
                         .panel = {{.y_label = "log",
                                    .curve = {{"up", rising, PLOT_BLUE, false, true}},
                                    .n_curves = 1,
                                    .log = true},
                                   {.y_label = "lin",
                                    .curve = {{"down", broken, PLOT_ORANGE, false, true}},
                                    .n_curves = 1,
                                    .max_y = 100,
                                    .unit = "%"}},
                         .n_panels = 2,
                         .width = width};
}

static gdImagePtr drawn(const struct plot *p) {
    struct err err = {0};

    if (plot_write(p, "plot_test.png", &err))
        fail_msg("%s", err.msg);
    FILE *file = fopen("plot_test.png", "rb");
    assert_non_null(file);
    gdImagePtr image = gdImageCreateFromPng(file);
    fclose(file);
    remove("plot_test.png");
    assert_non_null(image);
    return image;
}

/* Pixels of about that colour in columns [left, right) and rows [top, bottom). */
static int count(gdImagePtr image, int colour, int left, int right, int top, int bottom) {
    int n = 0;

    for (int i = left; i < right; i++)
        for (int j = top; j < bottom; j++) {
            const int c = gdImageGetTrueColorPixel(image, i, j);
            int far = 0;
            for (int shift = 0; shift < 24; shift += 8) {
                const int d = (c >> shift & 255) - (colour >> shift & 255);
                far = (d < 0 ? -d : d) > far ? (d < 0 ? -d : d) : far;
            }
            n += far < 8;
        }
    return n;
}

static void a_picture_has_its_size_and_its_curves(void **state) {
    static const int widths[] = {640, 1000, 1600};

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const struct plot p = two_panels(widths[i]);
        gdImagePtr image = drawn(&p);
        const int w = gdImageSX(image), h = gdImageSY(image);
        assert_int_equal(w, widths[i]);
        assert_int_equal(h, widths[i] * 48 / 100);
        /* blue is left, orange right */
        assert_true(count(image, 0x2563eb, 0, w / 2, 0, h) > 100);
        assert_int_equal(count(image, 0x2563eb, w / 2, w, 0, h), 0);
        assert_true(count(image, 0xea7317, w / 2, w, 0, h) > 50);
        assert_int_equal(count(image, 0xea7317, 0, w / 2, 0, h), 0);
        gdImageDestroy(image);
    }
}

/* Below the legend, a curve that rises is lower on the left, and its end higher. */
static void curves_rise_to_the_right(void **state) {
    const struct plot p = two_panels(1000);
    gdImagePtr image = drawn(&p);
    const int h = gdImageSY(image), top = h / 5, middle = (top + h) / 2;

    (void)state;
    assert_int_equal(count(image, 0x2563eb, 0, 200, top, middle), 0);
    assert_true(count(image, 0x2563eb, 0, 200, middle, h) > 50);
    assert_true(count(image, 0x2563eb, 300, 500, top, middle) > 50);
    assert_int_equal(count(image, 0x2563eb, 300, 500, middle + 40, h), 0);
    gdImageDestroy(image);
}

/* Where a point is missing its neighbours have dots, and no line leads to them. */
static void missing_points_break_a_curve(void **state) {
    struct plot p = two_panels(1000);
    gdImagePtr image = drawn(&p);
    const double whole[] = {100, 75, 50, 0};
    const int h = gdImageSY(image), with_gap = count(image, 0xea7317, 500, 1000, h / 5, h);

    (void)state;
    gdImageDestroy(image);
    p.panel[1].curve[0].y = whole;
    image = drawn(&p);
    assert_true(count(image, 0xea7317, 500, 1000, h / 5, h) > with_gap + 200);
    gdImageDestroy(image);
}

static void what_cannot_be_written_is_said(void **state) {
    const struct plot p = two_panels(640);
    struct err err = {0};

    (void)state;
    assert_int_equal(plot_write(&p, "no/such/folder.png", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg,
                        "no/such/folder.png: cannot be written: No such file or directory");
}

/* Lines from top to bottom: what is not white in the row that has least of it. */
static int upright_lines(gdImagePtr image) {
    int least = gdImageSX(image);

    for (int j = gdImageSY(image) / 3; j < gdImageSY(image) / 2; j++) {
        int n = 0;
        for (int i = 1, was = 0; i < gdImageSX(image); i++) {
            const int inked = (gdImageGetTrueColorPixel(image, i, j) & 0xffffff) != 0xffffff;
            n += inked && !was;
            was = inked;
        }
        least = n < least ? n : least;
    }
    return least;
}

static void an_axis_may_be_marked_at_powers_of_ten(void **state) {
    static const double rates[] = {1e-3, 1e-2, 0.1, 1}, low[] = {0, 0, 0, 0};
    struct plot p = two_panels(900);

    (void)state;
    p.x = rates;
    p.n_panels = 1;
    p.panel[0] = p.panel[1];
    p.panel[0].curve[0].y = low;
    gdImagePtr image = drawn(&p);
    assert_true(upright_lines(image) > 4);
    gdImageDestroy(image);
    p.tens = true;
    image = drawn(&p);
    assert_int_equal(upright_lines(image), 4);
    gdImageDestroy(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_its_size_and_its_curves),
        cmocka_unit_test(curves_rise_to_the_right),
        cmocka_unit_test(missing_points_break_a_curve),
        cmocka_unit_test(an_axis_may_be_marked_at_powers_of_ten),
        cmocka_unit_test(what_cannot_be_written_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
