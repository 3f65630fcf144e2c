#include "core/base/arena.h"

#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void what_is_taken_is_aligned_zeroed_and_apart(void **state) {
    static const size_t sizes[] = {1, 63, 64, 65, 0, 1000, 7};
    enum { N = sizeof sizes / sizeof *sizes };
    unsigned char *taken[N];
    struct arena a = {0};
    struct err err = {0};
    size_t sum = 0;

    (void)state;
    for (int i = 0; i < N; i++)
        sum += arena_round(sizes[i]);
    assert_int_equal(arena_init(&a, sum, &err), 0);
    for (int i = 0; i < N; i++) {
        taken[i] = arena_take(&a, sizes[i]);
        assert_int_equal((uintptr_t)taken[i] % ARENA_ALIGN, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(taken[i][j], 0);
        memset(taken[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(taken[i][j], i + 1);
    assert_int_equal(a.used, sum);
    arena_release(&a);
}

static void sizes_are_rounded_up(void **state) {
    (void)state;
    assert_int_equal(arena_round(0), 0);
    assert_int_equal(arena_round(1), 64);
    assert_int_equal(arena_round(64), 64);
    assert_int_equal(arena_round(65), 128);
    assert_int_equal(arena_apart(65) % ARENA_ALIGN, 0);
    assert_true(arena_apart(65) >= 65 + (32 << 10)); /* as far as prefetchers were seen to run */
}

static void releasing_nothing_and_twice_is_fine(void **state) {
    struct arena a = {0};
    struct err err = {0};

    (void)state;
    arena_release(&a);
    assert_int_equal(arena_init(&a, 10, &err), 0);
    arena_release(&a);
    arena_release(&a);
    assert_null(a.base);
}

static void more_than_the_system_has_is_refused(void **state) {
    struct arena a = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(arena_init(&a, (size_t)1 << 62, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg, "not enough memory: 4398046511104.0 MiB are needed");
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_aligned_zeroed_and_apart),
        cmocka_unit_test(sizes_are_rounded_up),
        cmocka_unit_test(releasing_nothing_and_twice_is_fine),
        cmocka_unit_test(more_than_the_system_has_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
