#include "support/mpi_main.h"

#include "dist/algorithm_args.h"

#include "core/base/rng.h"
#include "dist/reducer.h"

#include <string.h>

static struct applied algorithm; /* that the tests are about */

enum { N_SPANS = 4 };
static const int64_t span_len[N_SPANS] = {1000, 0, 3, 100003};

static real whole(int r, int span, int64_t i, int step) {
    return (real)((i * 31 + r * r * 17 + r * i + span * 5 + step * 11) % 1009);
}

static void fill(real *const *v, int step) {
    for (int s = 0; s < N_SPANS; s++)
        for (int64_t i = 0; i < span_len[s]; i++)
            v[s][i] = whole(comm_rank(comm), s, i, step);
}

static void assert_summed(const struct reducer_piece *p, int span, int step) {
    for (int64_t i = p->begin; i < p->begin + p->len; i++) {
        real sum = 0;
        for (int r = 0; r < comm_size(comm); r++)
            sum += whole(r, span, i, step);
        if (!(p->sum[i - p->begin] == sum))
            fail_msg("rank %d: span %d, element %lld is %g, not %g", comm_rank(comm), span,
                     (long long)i, (double)p->sum[i - p->begin], (double)sum);
    }
}

struct piece {
    int span;
    int64_t begin, len;
};

/* All spans in pieces of up to longest elements, in an order of this rank's own. */
static struct piece *pieces(int64_t longest, uint64_t key, int *n) {
    struct piece *p = calloc(110000, sizeof *p);
    uint64_t draw = 0;

    assert_non_null(p);
    *n = 0;
    for (int s = 0; s < N_SPANS; s++)
        for (int64_t begin = 0; begin < span_len[s];) {
            int64_t len = 1 + (int64_t)rng_below(key, draw++, (uint64_t)longest);
            if (len > span_len[s] - begin)
                len = span_len[s] - begin;
            p[(*n)++] = (struct piece){s, begin, len};
            begin += len;
        }
    for (int i = *n - 1; i > 0; i--) {
        const int j = (int)rng_below(key, draw++, (uint64_t)i + 1);
        const struct piece keep = p[i];
        p[i] = p[j];
        p[j] = keep;
    }
    return p;
}

/* In pieces, as the last span were that of the last layers. */
static void expect(struct reducer *r) {
    for (int s = N_SPANS - 1; s >= 0; s--)
        for (int64_t end = span_len[s]; end > 0;) {
            const int64_t begin = end > 777 ? end - 777 : 0;
            reducer_expect(r, s, begin, end - begin);
            end = begin;
        }
}

/* The sum of a piece, of which each element comes once. */
static void check_piece(const struct reducer *r, const struct reducer_piece *got,
                        unsigned char *const *seen, int step) {
    assert_summed(got, got->span, step);
    for (int64_t i = got->begin; i < got->begin + got->len; i++)
        assert_int_equal(seen[got->span][i]++, 0);
    assert_true(reducer_returned(r, got->span, got->begin, got->len));
}

/* Steps in which every rank's elements become ready in another order and other pieces, whatever the
 * reducer is told of the order. */
static void sums_of(int64_t bucket_bytes, int64_t longest_piece, int n_buckets, bool expects,
                    bool by_thread) {
    struct mover *mover = NULL;
    real *v[N_SPANS];
    struct allreduce_vector spans[N_SPANS];
    unsigned char *seen[N_SPANS];
    struct reducer *r = NULL;
    struct err err = {0};

    for (int s = 0; s < N_SPANS; s++) {
        v[s] = calloc((size_t)span_len[s] + 1, sizeof(real));
        spans[s] = (struct allreduce_vector){.v = v[s], .len = span_len[s], .own = s % 2};
        seen[s] = malloc((size_t)span_len[s] + 1);
    }
    if (reducer_new(&r, comm, &algorithm, spans, N_SPANS, bucket_bytes, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(reducer_n_buckets(r), n_buckets);
    if (expects)
        expect(r);
    if (by_thread && (mover_new(&mover, comm, &err) || reducer_move_by(r, mover, &err)))
        fail_msg("%s", err.msg);
    for (int step = 0; step < 3; step++) {
        const uint64_t key = rng_key(1, RNG_TEST, (uint64_t)step, (uint64_t)comm_rank(comm));
        int n, returned = 0;
        struct reducer_piece got;
        struct piece *p = pieces(longest_piece, key, &n);
        fill(v, step);
        reducer_begin(r);
        assert_false(reducer_done(r) || reducer_returned(r, N_SPANS - 1, 0, 1));
        for (int s = 0; s < N_SPANS; s++)
            memset(seen[s], 0, (size_t)span_len[s] + 1);
        for (int i = 0; i < n; i++) {
            reducer_ready(r, p[i].span, p[i].begin, p[i].len);
            if (i % 3)
                reducer_progress(r);
            else
                for (; reducer_poll(r, &got); returned++)
                    check_piece(r, &got, seen, step);
        }
        for (; reducer_next(r, &got); returned++)
            check_piece(r, &got, seen, step);
        assert_int_equal(returned, n_buckets);
        for (int s = 0; s < N_SPANS; s++)
            assert_null(memchr(seen[s], 0, (size_t)span_len[s]));
        assert_false(reducer_next(r, &got));
        assert_true(reducer_done(r) && reducer_seconds(r) > 0);
        free(p);
    }
    mover_free(mover);
    reducer_free(r);
    for (int s = 0; s < N_SPANS; s++)
        free(v[s]), free(seen[s]);
}

static void sums_with(int64_t bucket_bytes, int64_t longest_piece, int n_buckets) {
    sums_of(bucket_bytes, longest_piece, n_buckets, false, false);
    sums_of(bucket_bytes, longest_piece, n_buckets, true, false);
    sums_of(bucket_bytes, longest_piece, n_buckets, true, true);
}

static void buckets_are_summed_whatever_becomes_ready_first(void **state) {
    (void)state;
    sums_with(16 * 1024, 5000, 1 + 1 + 25); /* 4096 reals: 1000, 3, 24 * 4096 + 1699 */
}

static void single_elements_may_become_ready(void **state) {
    (void)state;
    sums_with(64 * 1024, 1, 1 + 1 + 7); /* 16384 reals: 6 * 16384 + 1699 */
}

static void one_bucket_may_hold_a_span(void **state) {
    (void)state;
    sums_with((int64_t)1 << 40, 20000, 3);
}

static void tiny_buckets_work(void **state) {
    (void)state;
    sums_with(1000 * (int64_t)sizeof(real), 3001, 1 + 1 + 101);
}

static void buckets_are_cut_from_the_end(void **state) {
    (void)state;
    real v[10] = {0};
    const struct allreduce_vector span = {.v = v, .len = 10};
    const int64_t expected[][2] = {{6, 4}, {2, 4}, {0, 2}};
    struct reducer *r = NULL;
    struct err err = {0};

    assert_int_equal(reducer_new(&r, comm, &algorithm, &span, 1, 4 * sizeof(real), &err), 0);
    reducer_begin(r);
    for (int b = 0; b < 3; b++) { /* one at a time, so that the order is known */
        struct reducer_piece got;
        reducer_ready(r, 0, expected[b][0], expected[b][1]);
        assert_true(reducer_next(r, &got));
        assert_int_equal(got.begin, expected[b][0]);
        assert_int_equal(got.len, expected[b][1]);
    }
    reducer_free(r);
}

/* Forward needs it first, and it comes last. */
static void the_first_bucket_of_a_long_span_is_small(void **state) {
    (void)state;
    enum { SMALL = (1 << 20) / sizeof(real), CUT = 3 * SMALL, LEN = 2 * CUT + SMALL + 5 };
    const int64_t expected[][2] = {{LEN - CUT, CUT}, {LEN - 2 * CUT, CUT}, {SMALL, 5}, {0, SMALL}};
    real *v = calloc(LEN, sizeof *v);
    const struct allreduce_vector span = {.v = v, .len = LEN};
    struct reducer *r = NULL;
    struct err err = {0};

    assert_int_equal(reducer_new(&r, comm, &algorithm, &span, 1, CUT * sizeof(real), &err), 0);
    assert_int_equal(reducer_n_buckets(r), 4);
    reducer_begin(r);
    for (int b = 0; b < 4; b++) {
        struct reducer_piece got;
        reducer_ready(r, 0, expected[b][0], expected[b][1]);
        assert_true(reducer_next(r, &got));
        assert_true(got.begin == expected[b][0] && got.len == expected[b][1]);
        assert_true(reducer_returned(r, 0, got.begin, LEN - got.begin));
        assert_true(!got.begin || !reducer_returned(r, 0, got.begin - 1, 2));
    }
    assert_true(reducer_done(r));
    reducer_free(r);
    free(v);
}

static void two_reducers_do_not_mix(void **state) {
    (void)state;
    enum { LEN = 5000 };
    static real v[2][LEN];
    struct reducer *r[2];
    struct err err = {0};
    struct reducer_piece got;

    for (int i = 0; i < 2; i++) {
        const struct allreduce_vector span = {.v = v[i], .len = LEN};
        assert_int_equal(reducer_new(&r[i], comm, &algorithm, &span, 1, 4096, &err), 0);
        for (int e = 0; e < LEN; e++)
            v[i][e] = whole(comm_rank(comm), i, e, 0);
        reducer_begin(r[i]);
    }
    for (int i = 0; i < 2; i++) /* odd ranks begin with the other one */
        reducer_ready(r[i ^ (comm_rank(comm) & 1)], 0, 0, LEN);
    for (int i = 0; i < 2; i++) {
        while (reducer_next(r[i], &got)) {
            reducer_progress(r[1 - i]);
            assert_summed(&got, i, 0);
        }
    }
    reducer_free(r[0]);
    reducer_free(r[1]);
}

/* Within a host, where ranks add up in memory that they share; otherwise there are messages. What
 * is measured to be best may be either. */
static void memory_of_a_host_takes_no_call_of_mpi(void **state) {
    (void)state;
    enum { LEN = 5000 };
    static real v[LEN];
    const struct allreduce_vector span = {.v = v, .len = LEN};
    const char *name = algorithm.word->name; /* others may be by either */
    struct reducer *r = NULL;
    struct err err = {0};
    struct reducer_piece got;

    assert_int_equal(reducer_new(&r, comm, &algorithm, &span, 1, 4096, &err), 0);
    const int64_t before = comm_n_calls(comm);
    for (int step = 0; step < 3; step++) {
        reducer_begin(r);
        reducer_ready(r, 0, 0, LEN);
        while (reducer_next(r, &got))
            reducer_progress(r);
    }
    if (!strcmp(name, "host") && comm_local_size(comm) == comm_size(comm))
        assert_true(comm_n_calls(comm) == before);
    else if (comm_size(comm) > 1 && !strcmp(name, "ring"))
        assert_true(comm_n_calls(comm) > before);
    reducer_free(r);
}

static void impossible_plans_are_refused(void **state) {
    (void)state;
    struct reducer *r = NULL;
    struct err err = {0};
    real v[4];
    const struct allreduce_vector span = {.v = v, .len = 4};

    assert_int_equal(reducer_new(&r, comm, &algorithm, &span, 1, 3, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "a gradient bucket of 3 bytes holds no number of 4"));
    assert_null(r);
    reducer_free(NULL);
}

static const struct CMUnitTest each[] = {
    cmocka_unit_test(buckets_are_summed_whatever_becomes_ready_first),
    cmocka_unit_test(single_elements_may_become_ready),
    cmocka_unit_test(one_bucket_may_hold_a_span),
    cmocka_unit_test(tiny_buckets_work),
    cmocka_unit_test(buckets_are_cut_from_the_end),
    cmocka_unit_test(the_first_bucket_of_a_long_span_is_small),
    cmocka_unit_test(two_reducers_do_not_mix),
    cmocka_unit_test(memory_of_a_host_takes_no_call_of_mpi),
    cmocka_unit_test(impossible_plans_are_refused),
};

static void all_algorithms_do_all_that(void **state) {
    (void)state;
    const struct word *w;

    for (int i = 0; (w = allreduce_word(i)); i++) {
        void *args = algorithm_args(w);
        algorithm = (struct applied){w, args};
        if (!comm_rank(comm))
            print_message("%s\n", w->name);
        for (size_t k = 0; k < sizeof each / sizeof *each; k++)
            each[k].test_func(NULL);
        free(args);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_algorithms_do_all_that),
};

MPI_MAIN(tests)
