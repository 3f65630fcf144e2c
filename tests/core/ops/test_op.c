#include "core/ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_operator_is_found_by_its_word(void **state) {
    int n;
    const struct op *const *ops = op_table(&n);

    (void)state;
    assert_true(n > 0);
    for (int i = 0; i < n; i++)
        assert_ptr_equal(op_find(ops[i]->word.name), ops[i]);
    assert_null(op_find("nonsense"));
}

static void lsgan_is_mse(void **state) {
    (void)state;
    assert_non_null(op_find("lsgan"));
    assert_ptr_equal(op_find("lsgan"), op_find("mse"));
}

static void aliases_are_told_and_no_operator_has_their_names(void **state) {
    int n, n_aliases = 0;
    const struct op *const *ops = op_table(&n);

    (void)state;
    for (const struct word *alias; (alias = op_alias_at(n_aliases)); n_aliases++) {
        assert_non_null(op_find(alias->name));
        assert_string_not_equal(op_find(alias->name)->word.name, alias->name);
        for (int i = 0; i < n; i++)
            assert_string_not_equal(ops[i]->word.name, alias->name);
    }
    assert_true(n_aliases > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_is_found_by_its_word),
        cmocka_unit_test(lsgan_is_mse),
        cmocka_unit_test(aliases_are_told_and_no_operator_has_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
