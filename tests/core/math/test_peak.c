#include "core/math/isa/isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A round is one multiply-add for each number of each vector that is kept in registers. */
static void peak_counts_its_flops(void **state) {
    int n;
    const struct isa *const *table = isa_table(&n);

    (void)state;
    for (int i = 0; i < n; i++) {
        const double one = table[i]->peak(1);
        assert_true(one >= 2.0 * 8 * table[i]->vec_len); /* 2 units of at least 4 cycles */
        assert_true(one == 2.0 * table[i]->vec_len * (double)(int)(one / 2 / table[i]->vec_len));
        assert_true(table[i]->peak(0) == 0);
        assert_true(table[i]->peak(1000) == 1000 * one);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peak_counts_its_flops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
