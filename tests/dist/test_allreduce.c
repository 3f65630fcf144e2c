#include "support/mpi_main.h"
#include "dist/algorithm_args.h"

#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/ring.h"

#include <limits.h>
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

/* The algorithm that the tests are about, and its vectors: some lie in memory of their host, some
 * are wanted where they are. */
static struct applied algorithm;
static bool at_home, own;
static int64_t longest; /* reals */
static struct comm *host;
static struct allreduce_vector vectors[16];

static struct allreduce *plan(int n) {
    struct allreduce *a = NULL;
    struct err err = {0};

    if (allreduce_new(&a, comm, &algorithm, vectors, n, &err))
        fail_msg("%s", err.msg);
    return a;
}

/* vectors[i]: len numbers and one more, which must stay. Collective. */
static void make(int i, int64_t len) {
    const size_t bytes = (size_t)(len + 1) * sizeof(real);
    struct comm_shared *home = NULL;
    struct err err = {0};

    if (at_home && !(home = comm_shared_new(host, bytes, &err)))
        fail_msg("%s", err.msg);
    vectors[i] =
        (struct allreduce_vector){.v = home ? comm_shared_of(home, comm_rank(host)) : malloc(bytes),
                                  .len = len,
                                  .home = home,
                                  .own = own};
    assert_non_null(vectors[i].v);
    vectors[i].v[len] = -7;
}

static void unmake(int i) {
    assert_true(vectors[i].v[vectors[i].len] == -7);
    if (!vectors[i].home)
        free(vectors[i].v);
    comm_shared_free((struct comm_shared *)vectors[i].home); /* made above */
}

static void fill(struct allreduce *a, int i, real (*f)(int r, int64_t i)) {
    while (!allreduce_writable(a, i))
        sched_yield();
    for (int64_t k = 0; k < vectors[i].len; k++)
        vectors[i].v[k] = f(comm_rank(comm), k);
}

/* Wait for a sum that was started; where it is. */
static const real *wait(struct allreduce *a, int i) {
    while (!allreduce_progress(a, i))
        sched_yield();
    const real *sum = allreduce_sum(a, i);
    assert_true(!own || sum == vectors[i].v);
    return sum;
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
        if (len[i] > longest)
            continue;
        make(0, len[i]);
        struct allreduce *a = plan(1);
        fill(a, 0, whole);
        allreduce_start(a, 0);
        assert_whole_sum(wait(a, 0), len[i]);
        allreduce_used(a, 0);
        allreduce_free(a);
        unmake(0);
    }
}

static void all_ranks_get_the_same_bits(void **state) {
    (void)state;
    const int64_t len = longest < 300007 ? longest : 300007;

    make(0, len);
    struct allreduce *a = plan(1);
    fill(a, 0, rough);
    allreduce_start(a, 0);
    const real *v = wait(a, 0);
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
    allreduce_used(a, 0);
    allreduce_free(a);
    unmake(0);
}

/* Some ranks are slow to read what they got, others a step ahead. */
static void one_plan_serves_many_steps(void **state) {
    (void)state;
    const int64_t len = longest < 70001 ? longest : 70001;

    make(0, len);
    struct allreduce *a = plan(1);
    for (int step = 0; step < 20; step++) { /* no barrier */
        fill(a, 0, whole);
        allreduce_start(a, 0);
        const real *sum = wait(a, 0);
        for (int turn = 0; turn < (step + comm_rank(comm)) % 4 * 20; turn++)
            sched_yield();
        assert_whole_sum(sum, len);
        allreduce_used(a, 0);
    }
    allreduce_free(a);
    unmake(0);
}

/* Who gets the sum in its own vector may write there at once. */
static void an_own_vector_is_written_while_others_read_theirs(void **state) {
    (void)state;
    const int64_t len = longest < 200003 ? longest : 200003;

    if (!own)
        return;
    make(0, len);
    struct allreduce *a = plan(1);
    for (int step = 0; step < 10; step++) {
        fill(a, 0, whole);
        allreduce_run(a, 0);
        if ((step + comm_rank(comm)) % 2)
            assert_whole_sum(vectors[0].v, len);
        for (int64_t k = 0; k < len; k++)
            vectors[0].v[k] = -1;
    }
    allreduce_free(a);
    unmake(0);
}

static void several_may_be_under_way_in_any_order(void **state) {
    (void)state;
    enum { N = 7 };
    bool done[N] = {false};

    for (int i = 0; i < N; i++)
        make(i, i ? 1000 + (longest < 90000 ? longest : 90000) * i : 0);
    struct allreduce *a = plan(N);
    for (int i = 0; i < N; i++) { /* each rank starts with another one */
        const int k = (i * 3 + comm_rank(comm) * 2) % N;
        fill(a, k, whole);
        allreduce_start(a, k);
    }
    for (int left = N; left > 0; sched_yield())
        for (int i = 0; i < N; i++)
            if (!done[i] && allreduce_progress(a, i))
                done[i] = true, left--;
    for (int i = 0; i < N; i++) {
        assert_whole_sum(allreduce_sum(a, i), vectors[i].len);
        allreduce_used(a, i);
    }
    allreduce_free(a);
    for (int i = 0; i < N; i++)
        unmake(i);
}

static real odd(int r, int64_t i) {
    return i == 0 && r == comm_size(comm) - 1 ? (real)NAN : i == 2 && r == 0 ? (real)INFINITY : 1;
}

static void infinities_and_nans_are_not_lost(void **state) {
    (void)state;
    make(0, 3);
    struct allreduce *a = plan(1);

    fill(a, 0, odd);
    allreduce_start(a, 0);
    const real *v = wait(a, 0);
    assert_true(isnan(v[0]));
    assert_true(v[1] == (real)comm_size(comm));
    assert_true(isinf(v[2]));
    allreduce_used(a, 0);
    allreduce_free(a);
    unmake(0);
}

/* Where one rank has other vectors, all of them would wait. */
static void ranks_that_plan_otherwise_are_refused(void **state) {
    (void)state;
    const int last = comm_size(comm) - 1;
    const bool other = last > 0 && comm_rank(comm) == last;
    real v[8] = {0};
    struct allreduce *a = NULL;
    struct err err = {0};
    char expected[128];

    vectors[0] = (struct allreduce_vector){.v = v, .len = other ? 3 : 2};
    vectors[1] = (struct allreduce_vector){.v = v + 4, .len = other ? 2 : 3};
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
    assert_int_equal(allreduce_new(&a, comm, &algorithm, vectors, other ? 1 : 2, &err), -1);
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
    cmocka_unit_test(an_own_vector_is_written_while_others_read_theirs),
    cmocka_unit_test(several_may_be_under_way_in_any_order),
    cmocka_unit_test(infinities_and_nans_are_not_lost),
    cmocka_unit_test(ranks_that_plan_otherwise_are_refused),
};

static void check_algorithm(const struct word *w, void *args, const char *way) {
    algorithm = (struct applied){w, args};
    if (!comm_rank(comm))
        print_message("%s%s%s%s\n", w->name, way, at_home ? ", in memory of the host" : "",
                      own ? ", sums wanted there" : "");
    for (size_t k = 0; k < sizeof each / sizeof *each; k++)
        each[k].test_func(NULL);
}

/* Every algorithm, with its defaults and with small chunks and several leaders where it has such;
 * with vectors and sums wherever they may be. */
static void all_algorithms_do_all_that(void **state) {
    (void)state;
    const bool many = comm_size(comm) > 4; /* ranks that share processors */
    const struct word *w;

    host = comm_on_host(comm);
    for (int place = 0; place < 4; place++) {
        at_home = place % 2, own = place / 2;
        for (int i = 0; (w = allreduce_word(i)); i++) {
            if (((const struct allreduce_algorithm *)(const void *)w)->measures && place < 3)
                continue; /* it plans many others */
            void *args = algorithm_args(w);
            longest = many ? 1 << 14 : place ? 1 << 17 : INT64_MAX;
            check_algorithm(w, args, "");
            longest = many ? 1 << 12 : 1 << 15;
            const bool cuts = algorithm_set(w, args, "chunk", 4096),
                       leads = algorithm_set(w, args, "leaders", 2);
            const bool halves = algorithm_set(w, args, "whole", 0);
            if (cuts || leads || halves)
                check_algorithm(w, args, " of small chunks");
            free(args);
        }
    }
    comm_free(host);
}

/* MPI counts in int, bytes and numbers; nobody touches what only is planned for. */
static void no_message_is_longer_than_mpi_counts(void **state) {
    (void)state;
    const int64_t len = (int64_t)1 << 30;
    const struct ring_args args = {.chunk = 1 << 30};
    const struct allreduce_vector vector = {.len = (int64_t)INT_MAX + 1};
    struct allreduce *a = NULL;
    struct ring ring = {0};
    struct err err = {0};

    if (ring_init(&ring, &args, NULL, comm, NULL, len, &err))
        fail_msg("%s", err.msg);
    assert_true(ring.slot_len * (int64_t)sizeof(real) <= INT_MAX);
    ring_release(&ring);
    for (int i = 0; i < 2; i++) {
        const struct word *w = allreduce_find(i ? "tree" : "mpi");
        void *own_args = algorithm_args(w);
        algorithm = (struct applied){w, own_args};
        err = (struct err){0};
        assert_int_equal(allreduce_new(&a, comm, &algorithm, &vector, 1, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.msg, "expected at most 2147483647"));
        free(own_args);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_message_is_longer_than_mpi_counts),
    cmocka_unit_test(words_are_found_by_name),
    cmocka_unit_test(all_algorithms_do_all_that),
};

MPI_MAIN(tests)
