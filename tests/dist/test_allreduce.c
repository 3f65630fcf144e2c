#include "support/mpi_main.h"

#include "dist/allreduce/ring.h"
#include "dist/allreduce/allreduce.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Element i of rank r: a small whole number, so that sums are exact in any order. */
static real whole(int r, int64_t i) {
    return (real)((i * 31 + r * r * 17 + r * i) % 1009);
}

/* A number whose sums depend on the order of addition. */
static real rough(int r, int64_t i) {
    return (real)(sin((double)i * 0.7 + r) * pow(10, (double)((i + r) % 7) - 3));
}

/* The algorithm that the tests are about, and its vectors. */
static struct applied algorithm;
static struct allreduce_vector vectors[16];

static struct allreduce *plan(int n) {
    struct allreduce *a = NULL;
    struct err err = {0};

    if (allreduce_new(&a, comm, &algorithm, vectors, n, &err))
        fail_msg("%s", err.msg);
    return a;
}

static struct allreduce *plan_one(real *v, int64_t len) {
    vectors[0] = (struct allreduce_vector){.v = v, .len = len};
    return plan(1);
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
    const int64_t chunk = 128 * 1024; /* of a ring: lengths on both sides of one and of several */
    const int64_t len[] = {0,
                           1,
                           p - 1,
                           p,
                           p + 1,
                           1000,
                           1000003,
                           1 << 20,
                           chunk * p - 1,
                           chunk * p,
                           chunk * p + 1,
                           4 * chunk * p,
                           4 * chunk * p + 1,
                           chunk * p * 9 + 5};

    for (size_t i = 0; i < sizeof len / sizeof *len; i++) {
        real *v = filled(whole, len[i]);
        struct allreduce *a = plan_one(v, len[i]);
        allreduce_run(a, 0);
        assert_whole_sum(v, len[i]);
        free(v);
        allreduce_free(a);
    }
}

static void all_ranks_get_the_same_bits(void **state) {
    (void)state;
    const int64_t len = 300007;
    real *v = filled(rough, len);
    struct allreduce *a = plan_one(v, len);

    allreduce_run(a, 0);
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
    real *v = filled(whole, len);
    struct allreduce *a = plan_one(v, len);

    for (int step = 0; step < 20; step++) {
        for (int64_t i = 0; i < len; i++)
            v[i] = whole(comm_rank(comm), i);
        allreduce_run(a, 0); /* no barrier: ranks may be a step apart */
        assert_whole_sum(v, len);
    }
    free(v);
    allreduce_free(a);
}

static void several_may_be_under_way_in_any_order(void **state) {
    (void)state;
    enum { N = 7 };
    bool done[N] = {false};

    for (int i = 0; i < N; i++) {
        const int64_t len = i ? 1000 + 90000 * i : 0;
        vectors[i] = (struct allreduce_vector){.v = filled(whole, len), .len = len};
    }
    struct allreduce *a = plan(N);
    for (int i = 0; i < N; i++) /* each rank starts with another one */
        allreduce_start(a, (i * 3 + comm_rank(comm) * 2) % N);
    for (int left = N; left > 0; sched_yield())
        for (int i = 0; i < N; i++)
            if (!done[i] && allreduce_progress(a, i))
                done[i] = true, left--;
    for (int i = 0; i < N; i++) {
        assert_whole_sum(vectors[i].v, vectors[i].len);
        free(vectors[i].v);
    }
    allreduce_free(a);
}

static void infinities_and_nans_are_not_lost(void **state) {
    (void)state;
    real v[3] = {comm_rank(comm) == comm_size(comm) - 1 ? (real)NAN : 1, 1,
                 comm_rank(comm) == 0 ? (real)INFINITY : 1};
    struct allreduce *a = plan_one(v, 3);

    allreduce_run(a, 0);
    assert_true(isnan(v[0]));
    assert_true(v[1] == (real)comm_size(comm));
    assert_true(isinf(v[2]));
    allreduce_free(a);
}

/* Where one rank has other vectors, all of them would wait. */
static void ranks_that_plan_otherwise_are_refused(void **state) {
    (void)state;
    const int last = comm_size(comm) - 1;
    const bool odd = last > 0 && comm_rank(comm) == last;
    real v[8] = {0};
    struct allreduce *a = NULL;
    struct err err = {0};
    char expected[128];

    vectors[0] = (struct allreduce_vector){.v = v, .len = odd ? 3 : 2};
    vectors[1] = (struct allreduce_vector){.v = v + 4, .len = odd ? 2 : 3};
    const int rc = allreduce_new(&a, comm, &algorithm, vectors, 2, &err);
    assert_int_equal(rc, last > 0 ? -1 : 0);
    allreduce_free(a);
    if (!last)
        return;
    snprintf(expected, sizeof expected, "rank %d on %s: the sum of gradients over ranks", last,
             comm_host(comm));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.msg, expected));
    assert_non_null(strstr(err.msg, "vectors of other lengths"));
    err = (struct err){0};
    assert_int_equal(allreduce_new(&a, comm, &algorithm, vectors, odd ? 1 : 2, &err), -1);
    assert_non_null(strstr(err.msg, "another number of vectors"));
}

static void words_are_found_by_name(void **state) {
    (void)state;
    int n = 0;

    for (const struct word *w; (w = allreduce_word(n)); n++) {
        assert_ptr_equal(allreduce_find(w->name), w);
        assert_true(strlen(w->help) > 10);
    }
    assert_true(n >= 3);
    assert_null(allreduce_find("rings"));
    assert_string_equal(allreduce_word(0)->name, "ring");
    allreduce_free(NULL);
}

static const struct CMUnitTest each[] = {
    cmocka_unit_test(sums_of_every_length_are_exact),
    cmocka_unit_test(all_ranks_get_the_same_bits),
    cmocka_unit_test(one_plan_serves_many_steps),
    cmocka_unit_test(several_may_be_under_way_in_any_order),
    cmocka_unit_test(infinities_and_nans_are_not_lost),
    cmocka_unit_test(ranks_that_plan_otherwise_are_refused),
};

/* Every algorithm, with its defaults and, where it cuts vectors, with small chunks. */
static void all_algorithms_do_all_that(void **state) {
    (void)state;
    static struct ring_args small = {.chunk = 4096};
    const struct word *w;

    for (int i = 0; (w = allreduce_word(i)); i++)
        for (int way = 0; way < (w->args == ring_specs ? 2 : 1); way++) {
            void *args = malloc(w->args_size + 1);
            word_defaults(w, args);
            algorithm = (struct applied){w, way ? &small : args};
            if (!comm_rank(comm))
                print_message("%s\n", w->name);
            for (size_t k = 0; k < sizeof each / sizeof *each; k++)
                each[k].test_func(NULL);
            free(args);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_found_by_name),
    cmocka_unit_test(all_algorithms_do_all_that),
};

MPI_MAIN(tests)
