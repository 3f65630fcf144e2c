#include "core/base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *const words[] = {"conv", "bn", "relu", "maxpool", "momentum", "convolve"};

static void check(const char *word, const char *expected) {
    const char *found = nearest(word, words, 6);

    if (expected) {
        assert_non_null(found);
        assert_string_equal(found, expected);
    } else {
        assert_null(found);
    }
}

static void word_off_by_one_letter_is_found(void **state) {
    (void)state;
    check("conf", "conv");
    check("cov", "conv");
    check("rellu", "relu");
    check("bn", "bn");
    check("b", "bn");
}

static void case_separators_and_dimensions_make_no_difference(void **state) {
    (void)state;
    check("Conv", "conv");
    check("Conv2d", "conv");
    check("MAX_POOL", "maxpool");
    check("MaxPool3d", "maxpool");
    check("BatchNorm1d", "bn"); /* as others call it */
}

static void two_letters_exchanged_are_one_edit(void **state) {
    (void)state;
    check("cnov", "conv");
    check("nb", "bn");
    check("elru", NULL); /* exchanged over a letter between: two */
}

static void long_words_may_be_off_by_a_third(void **state) {
    (void)state;
    check("maxpol1", "maxpool"); /* 2 of 7 */
    check("mxpol1", NULL);       /* 3 of 6 */
    check("momnetum", "momentum");
}

static void far_words_are_not_suggested(void **state) {
    (void)state;
    check("softmax", NULL);
    check("rule", NULL); /* 2 edits of 4 letters */
    check("", NULL);
    assert_null(nearest("conv", NULL, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_off_by_one_letter_is_found),
        cmocka_unit_test(case_separators_and_dimensions_make_no_difference),
        cmocka_unit_test(two_letters_exchanged_are_one_edit),
        cmocka_unit_test(long_words_may_be_off_by_a_third),
        cmocka_unit_test(far_words_are_not_suggested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
