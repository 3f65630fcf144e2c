#include "support/mpi_main.h"

#include "dist/gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static unsigned char byte_of(int rank, size_t i) {
    return (unsigned char)(rank * 37 + (int)(i % 251));
}

/* Rank r has `base` + r * `more` bytes. */
static void gather(size_t base, size_t more) {
    const int rank = comm_rank(comm), p = comm_size(comm);
    const size_t n = base + (size_t)rank * more;
    unsigned char *mine = malloc(n + 1);
    size_t at[64];
    struct err err = {0};
    char *all;

    for (size_t i = 0; i < n; i++)
        mine[i] = byte_of(rank, i);
    assert_int_equal(gather_bytes(comm, mine, n, at, &all, &err), 0);
    assert_true((all != NULL) == (rank == 0));
    for (int r = 0; rank == 0 && r < p; r++) {
        assert_int_equal(at[r + 1] - at[r], base + (size_t)r * more);
        for (size_t i = 0; i < at[r + 1] - at[r]; i++)
            assert_int_equal((unsigned char)all[at[r] + i], byte_of(r, i));
    }
    free(all);
    free(mine);
}

static void bytes_of_all_ranks_come_in_their_order(void **state) {
    (void)state;
    gather(0, 0);
    gather(0, 1);
    gather(5, 1000);
    gather(100000, 7);
}

/* On one machine all clocks are one. */
static void clocks_differ_by_no_more_than_is_said(void **state) {
    struct gather_clock clock[64];
    struct err err = {0};

    (void)state;
    assert_int_equal(gather_clocks(comm, clock, &err), 0);
    for (int r = 0; comm_rank(comm) == 0 && r < comm_size(comm); r++) {
        assert_true(fabs(clock[r].offset_s) <= clock[r].error_s + 1e-9);
        assert_true(r == 0 ? !(clock[r].error_s > 0) : clock[r].error_s > 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_of_all_ranks_come_in_their_order),
    cmocka_unit_test(clocks_differ_by_no_more_than_is_said),
};

MPI_MAIN(tests)
