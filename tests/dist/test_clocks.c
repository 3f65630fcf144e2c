#include "support/mpi_main.h"

#include "dist/clocks.h"

#include <math.h>

/* On one machine all clocks are one. */
static void clocks_differ_by_no_more_than_is_said(void **state) {
    struct clock_offset clock[64];
    struct err err = {0};

    (void)state;
    assert_int_equal(clocks_compare(comm, clock, &err), 0);
    for (int r = 0; comm_rank(comm) == 0 && r < comm_size(comm); r++) {
        assert_true(fabs(clock[r].offset_s) <= clock[r].error_s + 1e-9);
        assert_true(r == 0 ? !(clock[r].error_s > 0) : clock[r].error_s > 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(clocks_differ_by_no_more_than_is_said),
};

MPI_MAIN(tests)
