#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Masks of 2 x 3 pixels: two found, two there. */
static const act found[] = {0.5, 0.9, 0.4, 0, 1, 0.2, 0, 0, 0, 0, 0, 0},
                 there[] = {1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0}, crowd[] = {1, 0};

static struct op_case two(int n_x) {
    return (struct op_case){"mask_overlap", .n_x = n_x,
                            .x = {{4, {1, 2, 2, 3}}, {4, {1, 2, 2, 3}}, {2, {1, 2}}},
                            .x_data = {found, there, crowd}, .constant = 7};
}

/* The first found has pixels 0, 1, 4; the second none. */
static void output_worked_by_hand(void **state) {
    const act y[] = {2 / 4., 2 / 3., 0, 0}, of_crowd[] = {2 / 3., 2 / 3., 0, 0};
    struct op_case c = two(2);

    (void)state;
    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
    c = two(3);
    check_output(&c, (struct shape){3, {1, 2, 2}}, of_crowd);
}

static void a_mask_begins_where_the_job_says(void **state) {
    const act y[] = {1 / 4., 2 / 2., 0, 0};
    struct op_case c = two(2);

    (void)state;
    c.with = "least=0.6";
    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
}

/* Of 10 x 13 pixels, beyond two words of 64. */
static void large_masks_are_counted_to_the_last_pixel(void **state) {
    act a[130], b[130], y[1];

    (void)state;
    for (int i = 0; i < 130; i++)
        a[i] = i >= 60, b[i] = i % 2;
    y[0] = 35 / (act)(70 + 65 - 35);
    check_output(&(struct op_case){"mask_overlap", .n_x = 2,
                                   .x = {{4, {1, 1, 10, 13}}, {4, {1, 1, 10, 13}}},
                                   .x_data = {a, b}},
                 (struct shape){3, {1, 1, 1}}, y);
}

static void what_does_not_fit_is_refused(void **state) {
    struct op_case c = two(3);

    (void)state;
    c.x[1].dim[3] = 4;
    check_refused(&c,
                  "mask_overlap: masks found are 1x2x2x3 and those of boxes 1x2x2x4, expected a "
                  "list of pictures each, of one height and width");
    c = two(3);
    c.x[2].dim[1] = 3;
    check_refused(&c, "mask_overlap: crowd is 1x3, expected a number for each mask of 1x2x2x3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(a_mask_begins_where_the_job_says),
        cmocka_unit_test(large_masks_are_counted_to_the_last_pixel),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
