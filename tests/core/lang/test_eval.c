#include "core/lang/eval_case.h"

static void check_number(void **state, const char *let, const char *x, double expected) {
    struct run r;

    if (run_init(&r, *state, let, x, &host))
        fail_msg("%s", r.err.msg);
    assert_int_equal(r.value.kind, VALUE_NUMBER);
    if (fabs(r.value.number - expected) > 1e-12)
        fail_msg("%s is %.17g, expected %g", x, r.value.number, expected);
    run_release(&r);
}

static void arithmetic_follows_precedence(void **state) {
    check_number(state, "", "1 + 2 * 3 - 8 / 4", 5);
    check_number(state, "", "-(1 + 2) * -2", 6);
    check_number(state, "", "1 / 4", 0.25);
    check_number(state, "", "7 - 2 - 1", 4);
}

static void comparisons_are_0_or_1(void **state) {
    check_number(state, "", "if(2 < 3, 10, 20)", 10);
    check_number(state, "", "if(3 <= 2, 10, 20)", 20);
    check_number(state, "", "if(2 > 2 or 2 >= 2, 10, 20)", 10);
    check_number(state, "", "if(2 == 2 and 2 != 3, 10, 20)", 10);
    check_number(state, "", "if(not 2 == 2, 10, 20)", 20);
    check_number(state, "", "if(not 0, 10, 20)", 10);
    check_number(state, "", "(2 == 2) + (1 != 1) + true - false", 2);
}

static void if_evaluates_only_the_branch_taken(void **state) {
    check_number(state, "", "if(1 < 2, 4, nonsense)", 4);
    check_number(state, "", "if(1 > 2, 1 / 0, 5)", 5);
    check_refused(state, "", "if(1 < 2, nonsense, 4)",
                  "DIR/a.ini:2:15: found 'nonsense', expected the name of a known colour");
}

static void if_takes_three_values(void **state) {
    check_refused(state, "", "if(1, 2)",
                  "DIR/a.ini:2:5: if takes (condition, value if true, value if false)");
    check_refused(state, "", "if(1, a=2, 3)",
                  "DIR/a.ini:2:5: if takes (condition, value if true, value if false)");
    check_refused(state, "", "if(\"a\", 2, 3)", "DIR/a.ini:2:8: found a string, expected a number");
}

static void and_or_stop_at_the_first_answer(void **state) {
    struct run r;

    check_number(state, "", "0 and nonsense", 0);
    check_number(state, "", "1 or nonsense", 1);
    check_number(state, "", "3 and 2", 1);
    check_number(state, "", "0 or 0", 0);
    assert_int_equal(run_init(&r, *state, "", "(0 and count) + (1 or count)", &host), 0);
    assert_int_equal(r.world.calls, 0);
    run_release(&r);
}

static void division_by_zero_is_refused(void **state) {
    check_refused(state, "", "1 + 2 / (3 - 3)", "DIR/a.ini:2:11: division by zero");
}

static void lists_and_strings_are_values(void **state) {
    struct run r;

    assert_int_equal(run_init(&r, *state, "", "[1, 2 * 3, \"a b\", [4]]", &host), 0);
    assert_int_equal(r.value.kind, VALUE_LIST);
    assert_int_equal(r.value.n_items, 4);
    assert_true(fabs(r.value.items[1].number - 6) < 1e-12);
    assert_string_equal(r.value.items[2].text, "a b");
    assert_int_equal(r.value.items[3].kind, VALUE_LIST);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "1, seven", &host), 0);
    assert_int_equal(r.value.n_items, 2);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "[]", &host), 0);
    assert_int_equal(r.value.n_items, 0);
    run_release(&r);
}

static void constants_use_constants(void **state) {
    check_number(state, "width = 4 * base\nbase = 16\n", "width / 2", 32);
    check_number(state, "deep = true\n", "if(deep, 3, 4)", 3);
}

static void the_host_knows_names_first(void **state) {
    check_number(state, "shadowed = 3\n", "shadowed", 7);
}

static void circles_of_constants_are_refused(void **state) {
    check_refused(state, "a = a\n", "a",
                  "DIR/a.ini:4:5: constant 'a' of [let] is defined by itself");
    struct run r;

    assert_int_equal(run_init(&r, *state, "a = 1 + b\nb = 2 * c\nc = a\n", "a", &host), -1);
    assert_non_null(strstr(r.err.msg, "of [let] is defined by itself"));
    run_release(&r);
}

static void constants_are_numbers_only(void **state) {
    check_refused(state, "a = count\nb = paint(1)\n", "b",
                  "DIR/a.ini:5:5: found 'paint(...)', expected numbers only: constants of [let] "
                  "cannot use functions");
    check_refused(state, "a = widt\nwidth = 1\n", "a",
                  "DIR/a.ini:4:5: found 'widt', expected a number or the name of a known constant "
                  "of [let]; did you mean 'width'?");
}

static void unknown_names_are_told_the_nearest(void **state) {
    check_refused(state, "half = 0.5\n", "1 + hal",
                  "DIR/a.ini:2:9: found 'hal', expected the name of a known colour; did you mean "
                  "'half'?");
    check_refused(state, "", "4 | twise",
                  "DIR/a.ini:2:9: found 'twise', expected the name of a known colour; did you mean "
                  "'twice'?");
    check_refused(state, "", "quite(3)",
                  "DIR/a.ini:2:5: found 'quite', expected the name of a known colour");
}

static void without_a_host_there_are_only_constants(void **state) {
    struct run r;

    assert_int_equal(run_init(&r, *state, "a = 2\n", "a * 3", NULL), 0);
    assert_true(fabs(r.value.number - 6) < 1e-12);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "a = 2\n", "seven", NULL), -1);
    check_message(*state, r.err.msg,
                  "DIR/a.ini:2:5: found 'seven', expected a number or the name of a known constant "
                  "of [let]");
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "\"a\" * 2", NULL), -1);
    check_message(*state, r.err.msg,
                  "DIR/a.ini:2:9: '*' between a string and a number, expected numbers");
    run_release(&r);
}

static void powers_repeat_a_call(void **state) {
    check_number(state, "", "3 | twice^4", 48);
    check_number(state, "n = 2\n", "3 | twice^(n + 1) | twice", 48);
    check_number(state, "", "3 | twice^0", 3);
    check_number(state, "", "3 | (twice^2 | twice)^2 | twice", 384);
    check_number(state, "", "3 | (twice)^0", 3);
}

static void powers_are_whole_numbers(void **state) {
    check_refused(state, "", "3 | twice^(3/2)",
                  "DIR/a.ini:2:17: 'twice' is repeated 1.5 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "3 | twice^(0 - 1)",
                  "DIR/a.ini:2:18: 'twice' is repeated -1 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "3 | twice^(4000)",
                  "DIR/a.ini:2:16: 'twice' is repeated 4000 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "3 | (twice)^(1/2)",
                  "DIR/a.ini:2:19: '(...)' is repeated 0.5 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "count^2",
                  "DIR/a.ini:2:5: 'count^2' stands alone, expected a value and a bar before it");
}

static void the_host_is_asked_for_members_and_arithmetic(void **state) {
    struct run r;

    check_number(state, "", "paint(4).coats + 1", 5);
    check_refused(state, "", "paint(4).coat",
                  "DIR/a.ini:2:14: '.coat' of a function, expected the output of a net");
    assert_int_equal(run_init(&r, *state, "", "\"a\" * 3", &host), 0);
    assert_string_equal(r.value.text, "a");
    run_release(&r);
    check_refused(state, "", "3 * \"a\"",
                  "DIR/a.ini:2:7: '*' between a number and a string, expected numbers");
    check_refused(state, "", "-[1, 2]", "DIR/a.ini:2:5: found a list, expected a number");
    check_refused(state, "", "not \"a\"", "DIR/a.ini:2:5: found a string, expected a number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FILES(arithmetic_follows_precedence),
        IN_FILES(comparisons_are_0_or_1),
        IN_FILES(if_evaluates_only_the_branch_taken),
        IN_FILES(if_takes_three_values),
        IN_FILES(and_or_stop_at_the_first_answer),
        IN_FILES(division_by_zero_is_refused),
        IN_FILES(lists_and_strings_are_values),
        IN_FILES(constants_use_constants),
        IN_FILES(the_host_knows_names_first),
        IN_FILES(circles_of_constants_are_refused),
        IN_FILES(constants_are_numbers_only),
        IN_FILES(unknown_names_are_told_the_nearest),
        IN_FILES(without_a_host_there_are_only_constants),
        IN_FILES(powers_repeat_a_call),
        IN_FILES(powers_are_whole_numbers),
        IN_FILES(the_host_is_asked_for_members_and_arithmetic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
