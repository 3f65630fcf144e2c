#include "support/mpi_main.h"

#include "core/base/rng.h"
#include "dist/small.h"

#include <sched.h>
#include <string.h>

enum { MOST = 3000, N_LAYOUTS = 4 };

/* Hosts that the ranks pretend to be on: one, one each, pairs of neighbours, rank 0 by itself. */
static int host_in(int layout, int rank) {
    const int hosts[N_LAYOUTS] = {0, rank, rank / 2, rank > 0};

    return hosts[layout];
}

/* Whole numbers, whose sums are exact. */
static double whole(int rank, int i, int turn) {
    return (double)((i * 31 + rank * rank * 17 + rank * i + turn * 11) % 1009 - 300);
}

static void check(const double *v, int n, int n_max, int turn) {
    for (int i = 0; i < n; i++) {
        double sum = 0, most = -1e9;
        for (int r = 0; r < comm_size(comm); r++) {
            const double x = whole(r, i, turn);
            sum += x;
            most = x > most ? x : most;
        }
        const double expected = i < n - n_max ? sum : most;
        if (v[i] != expected)
            fail_msg("rank %d: number %d of %d (%d largest) is %g, not %g", comm_rank(comm), i, n,
                     n_max, v[i], expected);
    }
}

static void sum_with(struct small *s, int n, int n_max, int turn) {
    static double v[MOST];

    for (int i = 0; i < n; i++)
        v[i] = whole(comm_rank(comm), i, turn);
    small_sum(s, v, n, n_max);
    check(v, n, n_max, turn);
}

static void sums_of_any_length_are_those_of_all(void **state) {
    const int p = comm_size(comm);
    const int lengths[] = {0, 1, p - 1, p, p + 1, 1023, 1024, 1025, MOST};

    (void)state;
    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        struct small *s = small_new(comm, host_in(layout, comm_rank(comm)));
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            const int n = lengths[i];
            sum_with(s, n, 0, (int)i);
            sum_with(s, n, n < 2 ? n : 2, (int)i + 100);
            sum_with(s, n, n, (int)i + 200);
        }
        small_free(s);
    }
}

/* Ranks that dawdle, each at other times, find no numbers of another turn. */
static void turns_do_not_mix(void **state) {
    (void)state;
    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        struct small *s = small_new(comm, host_in(layout, comm_rank(comm)));
        for (int turn = 0; turn < 500; turn++) {
            const uint64_t key = rng_key(2, RNG_TEST, (uint64_t)layout, (uint64_t)comm_rank(comm));
            for (uint64_t k = rng_below(key, (uint64_t)turn, 8); k > 5; k--)
                sched_yield();
            sum_with(s, 1 + turn % 5, turn % 2, turn);
        }
        small_free(s);
    }
}

static void all_ranks_have_the_same_bits_every_time(void **state) {
    double all[64];

    (void)state;
    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        struct small *s = small_new(comm, host_in(layout, comm_rank(comm)));
        double first = 0;
        for (int turn = 0; turn < 3; turn++) {
            double v = 0.1 / (1 + comm_rank(comm) * comm_rank(comm));
            small_sum(s, &v, 1, 0);
            first = turn ? first : v;
            assert_memory_equal(&first, &v, sizeof v);
            comm_all_gather(comm, &v, all, sizeof v);
            for (int r = 1; r < comm_size(comm); r++)
                assert_memory_equal(&all[r], &all[0], sizeof v);
        }
        small_free(s);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_of_any_length_are_those_of_all),
    cmocka_unit_test(turns_do_not_mix),
    cmocka_unit_test(all_ranks_have_the_same_bits_every_time),
};

MPI_MAIN(tests)
