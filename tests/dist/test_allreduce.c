#include "support/mpi_main.h"

#include "dist/allreduce.h"

#include <math.h>
#include <string.h>

/* Element i of rank r: a small whole number, so that sums are exact in any order. */
static real whole(int r, int64_t i) {
    return (real)((i * 31 + r * r * 17 + r * i) % 1009);
}

/* A number whose sums depend on the order of addition. */
static real rough(int r, int64_t i) {
    return (real)(sin((double)i * 0.7 + r) * pow(10, (double)((i + r) % 7) - 3));
}

static struct allreduce *new_ring(int64_t len) {
    struct allreduce *a = NULL;
    struct err err = {0};

    if (allreduce_new(&a, comm, "ring", len, &err))
        fail_msg("%s", err.msg);
    return a;
}

static real *filled(real (*f)(int r, int64_t i), int64_t len) {
    real *v = malloc((size_t)(len + 1) * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < len; i++)
        v[i] = f(comm_rank(comm), i);
    v[len] = -7; /* must stay */
    return v;
}

static void assert_whole_sum(const real *v, int64_t len) {
    for (int64_t i = 0; i < len; i++) {
        real sum = 0;
        for (int r = 0; r < comm_size(comm); r++)
            sum += whole(r, i);
        if (!(v[i] == sum))
            fail_msg("rank %d: sum[%lld of %lld] is %g, not %g", comm_rank(comm), (long long)i,
                     (long long)len, (double)v[i], (double)sum);
    }
    assert_true(v[len] == -7);
}

static void sums_of_every_length_are_exact(void **state) {
    (void)state;
    const int p = comm_size(comm);
    const int64_t chunk = 128 * 1024; /* of ring.c: lengths on both sides of one and of several */
    const int64_t len[] = {0,
                           1,
                           p - 1,
                           p,
                           p + 1,
                           1000,
                           1 << 20,
                           chunk * p - 1,
                           chunk * p,
                           chunk * p + 1,
                           4 * chunk * p,
                           4 * chunk * p + 1,
                           chunk * p * 9 + 5};

    for (size_t i = 0; i < sizeof len / sizeof *len; i++) {
        struct allreduce *a = new_ring(len[i]);
        real *v = filled(whole, len[i]);
        allreduce_run(a, v);
        assert_whole_sum(v, len[i]);
        free(v);
        allreduce_free(a);
    }
}

static void all_ranks_get_the_same_bits(void **state) {
    (void)state;
    const int64_t len = 300007;
    struct allreduce *a = new_ring(len);
    real *v = filled(rough, len);

    allreduce_run(a, v);
    real *first = malloc((size_t)len * sizeof *first);
    assert_non_null(first);
    memcpy(first, v, (size_t)len * sizeof *v);
    comm_bcast(comm, first, (size_t)len * sizeof *v, 0);
    assert_int_equal(memcmp(first, v, (size_t)len * sizeof *v), 0);
    for (int64_t i = 0; i < len; i++) {
        double sum = 0, scale = 0;
        for (int r = 0; r < comm_size(comm); r++)
            sum += (double)rough(r, i), scale += fabs((double)rough(r, i));
        if (!(fabs((double)v[i] - sum) <= 4e-7 * scale))
            fail_msg("sum[%lld] is %g, not %g", (long long)i, (double)v[i], sum);
    }
    free(first);
    free(v);
    allreduce_free(a);
}

static void one_plan_serves_many_steps(void **state) {
    (void)state;
    const int64_t len = 70001;
    struct allreduce *a = new_ring(len);

    for (int step = 0; step < 20; step++) {
        real *v = filled(whole, len);
        allreduce_run(a, v); /* no barrier: ranks may be a step apart */
        assert_whole_sum(v, len);
        free(v);
    }
    allreduce_free(a);
}

static void several_may_be_under_way_in_any_order(void **state) {
    (void)state;
    enum { N = 7 };
    struct allreduce *a[N];
    real *v[N];
    bool done[N] = {false};

    for (int i = 0; i < N; i++) {
        a[i] = new_ring(1000 + 90000 * i);
        v[i] = filled(whole, a[i]->len);
    }
    for (int i = 0; i < N; i++) { /* each rank starts with another one */
        const int k = (i * 3 + comm_rank(comm) * 2) % N;
        allreduce_start(a[k], v[k]);
    }
    for (int left = N; left > 0;)
        for (int i = 0; i < N; i++)
            if (!done[i] && allreduce_progress(a[i]))
                done[i] = true, left--;
    for (int i = 0; i < N; i++) {
        assert_whole_sum(v[i], a[i]->len);
        free(v[i]);
        allreduce_free(a[i]);
    }
}

static void infinities_and_nans_are_not_lost(void **state) {
    (void)state;
    real v[3] = {comm_rank(comm) == comm_size(comm) - 1 ? (real)NAN : 1, 1,
                 comm_rank(comm) == 0 ? (real)INFINITY : 1};
    struct allreduce *a = new_ring(3);

    allreduce_run(a, v);
    assert_true(isnan(v[0]));
    assert_true(v[1] == (real)comm_size(comm));
    assert_true(isinf(v[2]));
    allreduce_free(a);
}

static void unknown_names_are_refused(void **state) {
    (void)state;
    struct allreduce *a;
    struct err err = {0};

    assert_int_equal(allreduce_new(&a, comm, "rings", 10, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, "no all-reduce is called 'rings'; there are: ring");
    assert_string_equal(allreduce_at(0)->name, "ring");
    assert_null(allreduce_at(1));
    allreduce_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_of_every_length_are_exact),
    cmocka_unit_test(all_ranks_get_the_same_bits),
    cmocka_unit_test(one_plan_serves_many_steps),
    cmocka_unit_test(several_may_be_under_way_in_any_order),
    cmocka_unit_test(infinities_and_nans_are_not_lost),
    cmocka_unit_test(unknown_names_are_refused),
};

MPI_MAIN(tests)
