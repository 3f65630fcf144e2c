#include "support/mpi_main.h"

#include "dist/gather.h"

#include <string.h>

/* Rank r gives `len(r)` bytes r, r + 1 ... */
static void check(struct gather *g, const size_t *len) {
    const int rank = comm_rank(comm), size = comm_size(comm);
    unsigned char *mine = malloc(len[rank] + 1);
    struct err err = {0};
    size_t at = 0;

    for (size_t i = 0; i < len[rank]; i++)
        mine[i] = (unsigned char)((size_t)rank + i);
    assert_int_equal(gather_bytes(g, mine, len[rank], &err), 0);
    free(mine);
    for (int r = 0; r < size && !rank; r++)
        for (size_t i = 0; i < len[r]; i++)
            assert_int_equal(g->bytes[at++], (unsigned char)((size_t)r + i));
    assert_int_equal(g->len, at);
}

static void the_first_rank_gets_bytes_of_any_length_in_order(void **state) {
    static const size_t lens[][4] = {
        {3, 5, 0, 7}, {0, 0, 0, 0}, {0, 1, 0, 0}, {100000, 1, 70000, 3}, {1, 1, 1, 1}};
    struct gather g = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(gather_init(&g, comm, &err), 0);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        check(&g, lens[i]);
    gather_release(&g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_first_rank_gets_bytes_of_any_length_in_order),
};

MPI_MAIN(tests)
