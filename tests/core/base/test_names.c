#include "core/base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void names_are_found_in_their_group(void **state) {
    struct pool pool = {0};
    struct names names = {0};

    (void)state;
    assert_int_equal(names_find(&names, "", "a"), -1);
    names_set(&names, &pool, "net", "a", 3);
    names_set(&names, &pool, "block", "a", 4);
    names_set(&names, &pool, "", "net a", 5);
    assert_int_equal(names_find(&names, "net", "a"), 3);
    assert_int_equal(names_find(&names, "block", "a"), 4);
    assert_int_equal(names_find(&names, "", "net a"), 5);
    assert_int_equal(names_find(&names, "", "a"), -1);
    assert_int_equal(names.n, 3);
    pool_release(&pool);
}

static void a_second_number_takes_the_place_of_the_first(void **state) {
    struct pool pool = {0};
    struct names names = {0};

    (void)state;
    names_set(&names, &pool, "", "a", 1);
    names_set(&names, &pool, "", "a", 2);
    assert_int_equal(names_find(&names, "", "a"), 2);
    assert_int_equal(names.n, 1);
    pool_release(&pool);
}

static void ten_thousand_names_are_kept_apart(void **state) {
    enum { N = 10000 };
    struct pool pool = {0};
    struct names names = {0};

    (void)state;
    for (int i = 0; i < N; i++)
        names_set(&names, &pool, "", pool_print(&pool, "h%d", i), i);
    for (int i = 0; i < N; i++)
        assert_int_equal(names_find(&names, "", pool_print(&pool, "h%d", i)), i);
    assert_int_equal(names_find(&names, "", "h10000"), -1);
    assert_int_equal(names.n, N);
    pool_release(&pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_their_group),
        cmocka_unit_test(a_second_number_takes_the_place_of_the_first),
        cmocka_unit_test(ten_thousand_names_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
