/* Where numbers are not finite is found, whatever it is and wherever it stands, by any team. */
#include "core/learn/finite.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 1000 };

static void the_first_is_found_at_every_place(void **state) {
    static const int64_t lens[] = {1, 2, 63, 64, 65, 127, 1000};
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    real v[MOST] = {0};
    struct team *team = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(team_new(&team, 3, &err), 0);
    for (size_t l = 0; l < sizeof lens / sizeof *lens; l++)
        for (int64_t at = 0; at < lens[l]; at++) {
            v[at] = (real)bad[at % 3];
            v[lens[l] - 1] = (real)NAN; /* not the last one, where there are two */
            assert_int_equal(finite_first(v, lens[l], at % 2 ? team : NULL), at);
            v[at] = v[lens[l] - 1] = 0;
        }
    team_free(team);
}

/* The largest number, the least one above 0, and what is below that. */
static void what_is_finite_is_not_found(void **state) {
    const real largest = sizeof(real) == sizeof(float) ? (real)3.4028234e38 : (real)1.7e308;
    const real v[] = {0, -(real)0., largest, -largest, (real)1e-40, (real)-1e-45};

    (void)state;
    assert_int_equal(finite_first(v, sizeof v / sizeof *v, NULL), -1);
    assert_int_equal(finite_first(v, 0, NULL), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_found_at_every_place),
        cmocka_unit_test(what_is_finite_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
