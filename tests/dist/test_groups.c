#include "support/mpi_main.h"

#include "dist/groups.h"

#include <math.h>
#include <string.h>

/* Data by rank and index; each sum of whole numbers is exact. */
static void check_sums(const struct ranks *ranks, int first, int size) {
    double v[5];

    assert_int_equal(ranks->size, size);
    assert_int_equal(ranks->rank, comm_rank(comm) - first);
    for (int i = 0; i < 5; i++)
        v[i] = 100 * comm_rank(comm) + i;
    ranks->sum(ranks, v, 5);
    for (int i = 0; i < 5; i++) {
        double expected = 0;
        for (int r = first; r < first + size; r++)
            expected += 100 * r + i;
        assert_true(v[i] == expected);
    }
}

static bool folds; /* whether the groups that are made add along one tree */

static struct groups *make(void) {
    struct groups *g = NULL;
    struct err err = {0};

    assert_int_equal(groups_new(&g, comm, folds, &err), 0);
    return g;
}

static void all_ranks_are_a_group(void **state) {
    (void)state;
    struct groups *g = make();
    const struct ranks *all = groups_all(g);

    check_sums(all, 0, comm_size(comm));
    assert_ptr_equal(all->group(all, (struct ranks_group){RANKS_ALL, 0}), all);
    groups_free(g);
}

/* One host, or two where DLTRAIN_HOSTS says so. */
static void so_are_those_of_a_host(void **state) {
    (void)state;
    struct groups *g = make();
    const struct ranks *all = groups_all(g);

    const int first = comm_rank(comm) - comm_local_rank(comm);
    check_sums(all->group(all, (struct ranks_group){RANKS_HOST, 0}), first, comm_local_size(comm));
    groups_free(g);
}

static void so_are_every_n_ranks(void **state) {
    (void)state;
    struct groups *g = make();
    const struct ranks *all = groups_all(g);

    for (int n = 1; n <= comm_size(comm); n++) {
        if (comm_size(comm) % n)
            continue;
        const struct ranks *group = all->group(all, (struct ranks_group){RANKS_EVERY, n});
        check_sums(group, comm_rank(comm) / n * n, n);
        assert_ptr_equal(all->group(all, (struct ranks_group){RANKS_EVERY, n}), group);
    }
    groups_free(g);
}

static void sums_may_be_folded(void **state) {
    folds = true;
    all_ranks_are_a_group(state);
    so_are_those_of_a_host(state);
    so_are_every_n_ranks(state);
    struct groups *g = make();
    const struct ranks *all = groups_all(g);
    double v[3] = {1, ldexp(1, 54), -0.0}, more[5] = {1, 2, 3, 4, 5};

    if (comm_rank(comm) > 0)
        v[1] = comm_rank(comm) == 2 ? -ldexp(1, 54) : 1;
    all->sum(all, v, 3);
    all->sum(all, more, 5); /* longer than any before */
    /* (2^54 + 1) + (-2^54 + 1): both are lost; added one by one, the last would be left */
    const double expected = comm_size(comm) < 3 ? ldexp(1, 54) : 0;
    assert_true(v[0] == comm_size(comm));
    assert_true(v[1] == expected);
    assert_true(more[4] == 5 * comm_size(comm));
    groups_free(g);
    folds = false;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_may_be_folded),
    cmocka_unit_test(all_ranks_are_a_group),
    cmocka_unit_test(so_are_those_of_a_host),
    cmocka_unit_test(so_are_every_n_ranks),
};

MPI_MAIN(tests)
