/* Bars and sparklines, by what is printed. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "report/glyphs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect_bar(double share, int columns, bool utf8, const char *expected) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    bar_print(out, share, columns, utf8);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void bars_are_full_by_their_share(void **state) {
    (void)state;
    expect_bar(0, 6, false, "[....]");
    expect_bar(0.5, 6, false, "[##..]");
    expect_bar(1, 6, false, "[####]");
    expect_bar(7, 6, false, "[####]");
    expect_bar(NAN, 6, false, "[....]");
    expect_bar(0.5, 5, true, "|█▌ |");
    expect_bar(1, 5, true, "|███|");
}

static void expect_spark(const struct spark *s, int columns, bool utf8, const char *expected) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    spark_print(out, s->v, s->n, columns, utf8);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void sparks_go_from_the_least_to_the_greatest(void **state) {
    struct spark s = {0};

    (void)state;
    for (int i = 0; i < 8; i++)
        spark_add(&s, 100 - i);
    spark_add(&s, NAN); /* passed over */
    expect_spark(&s, 8, true, "█▇▆▅▄▃▂▁");
    expect_spark(&s, 10, false, "#*+=~-._  ");
    expect_spark(&s, 4, true, "█▆▃▁");
    struct spark same = {.v = {3, 3}, .n = 2};
    expect_spark(&same, 2, true, "▁▁");
}

/* Of a million values as many means as fit, of equally many each. */
static void a_long_course_is_kept_in_means(void **state) {
    struct spark s = {0};

    (void)state;
    for (int i = 0; i < 1000000; i++)
        spark_add(&s, i);
    assert_in_range(s.n, SPARK_MOST / 2, SPARK_MOST);
    for (int i = 0; i < s.n; i++)
        assert_true(fabs(s.v[i] - ((i + 0.5) * (double)s.each - 0.5)) < 1e-6);
    assert_true((double)(s.n + 1) * (double)s.each > 1e6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_are_full_by_their_share),
        cmocka_unit_test(sparks_go_from_the_least_to_the_greatest),
        cmocka_unit_test(a_long_course_is_kept_in_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
