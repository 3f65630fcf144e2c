#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void setting_keeps_kind_and_message(void **state) {
    struct err err = {0};

    (void)state;
    assert_int_equal(err_set(&err, ERR_DATA, "%s: %d of %d", "train", 3, 4), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_string_equal(err.msg, "train: 3 of 4");
}

static void wrapping_puts_context_in_front_and_keeps_the_kind(void **state) {
    struct err err = {0};

    (void)state;
    err_set(&err, ERR_CONFIG, "no such word");
    assert_int_equal(err_wrap(&err, "%s:%d", "job.ini", 12), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, "job.ini:12: no such word");
}

/* Where it is stands first, and why last. */
static void a_message_too_long_keeps_both_ends(void **state) {
    struct err err = {0};
    char text[4096];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    err_set(&err, ERR_IO, "/%s: No such file", text);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_memory_equal(err.msg, "/aaa", 4);
    assert_non_null(strstr(err.msg, "a...a"));
    assert_string_equal(err.msg + sizeof err.msg - 1 - 15, "a: No such file");
    err_wrap(&err, "outer");
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_memory_equal(err.msg, "outer: /aaa", 11);
    assert_string_equal(err.msg + sizeof err.msg - 1 - 15, "a: No such file");
    err_wrap(&err, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_string_equal(err.msg + sizeof err.msg - 1 - 15, "a: No such file");
}

/* As in the name of a file. UTF-8 is no control character. */
static void a_message_is_one_line(void **state) {
    struct err err = {0};

    (void)state;
    err_set(&err, ERR_DATA, "a\nb\t\033[31m\x7f/\xc3\xa9.jpg: is empty");
    assert_string_equal(err.msg, "a?b??[31m?/\xc3\xa9.jpg: is empty");
    err_wrap(&err, "x\ry");
    assert_string_equal(err.msg, "x?y: a?b??[31m?/\xc3\xa9.jpg: is empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_keeps_kind_and_message),
        cmocka_unit_test(wrapping_puts_context_in_front_and_keeps_the_kind),
        cmocka_unit_test(a_message_too_long_keeps_both_ends),
        cmocka_unit_test(a_message_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
