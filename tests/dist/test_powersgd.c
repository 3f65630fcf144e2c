#include "support/mpi_main.h"

#include "dist/allreduce/allreduce.h"
#include "dist/golden_powersgd.h"
#include "dist/reducer.h"

#include <math.h>
#include <string.h>

enum { MOST = 20000, N_TENSORS = 3 };

/* As the arguments of the word: rank, warmup, by. */
static const int plain[] = {GOLDEN_RANK, 0, 0}, late[] = {GOLDEN_RANK, 2, 0},
                 of_hosts[] = {GOLDEN_RANK, 0, 1}, *const all[] = {plain, late, of_hosts};

static struct applied powersgd(const int *args) {
    return (struct applied){allreduce_find("powersgd"), args};
}

static struct allreduce *plan(const struct allreduce_vector *vector, int n, const int *args) {
    static struct applied algorithm;
    struct allreduce *a = NULL;
    struct err err = {0};

    algorithm = powersgd(args);
    if (allreduce_new(&a, comm, &algorithm, vector, n, &err))
        fail_msg("%s", err.msg);
    return a;
}

static void same_on_all_ranks(const real *v, int64_t len) {
    static real first[MOST];

    memcpy(first, v, (size_t)len * sizeof *v);
    comm_bcast(comm, first, (size_t)len * sizeof *v, 0);
    assert_memory_equal(first, v, (size_t)len * sizeof *v);
}

/* Element i of rank r, as the generator has it. */
static real number(int r, int64_t i, int step) {
    return (real)((i * 31 + r * r * 17 + r * i + step * 7) % 101 - 50) / 16;
}

static double whole_sum(int64_t i, int step) {
    double sum = 0;

    for (int r = 0; r < comm_size(comm); r++)
        sum += (double)number(r, i, step);
    return sum;
}

static void fill(real *v, int64_t len, int step) {
    for (int64_t i = 0; i < len; i++)
        v[i] = number(comm_rank(comm), i, step);
}

static const struct allreduce_tensor golden_matrix = {GOLDEN_AT, GOLDEN_ROWS, GOLDEN_COLS};

static void steps_are_those_of_the_paper(void **state) {
    (void)state;
    real v[GOLDEN_LEN];
    const struct allreduce_vector vector = {
        .v = v, .len = GOLDEN_LEN, .tensor = &golden_matrix, .n_tensors = 1};
    const int size = comm_size(comm);
    struct allreduce *a = plan(&vector, 1, plain);

    for (int step = 0; step < GOLDEN_STEPS; step++) {
        fill(v, GOLDEN_LEN, step);
        allreduce_run(a, 0);
        same_on_all_ranks(v, GOLDEN_LEN);
        for (int i = 0; i < GOLDEN_LEN; i++) {
            const double expected =
                size == 1 ? whole_sum(i, step) : golden_powersgd[size - 2][step][i];
            if (!(fabs((double)v[i] - expected) <= 2e-4 * size))
                fail_msg("step %d, number %d is %g, not %g", step, i, (double)v[i], expected);
        }
    }
    allreduce_free(a);
}

/* A matrix of no higher rank than the factors, and what stands around it. */
static void matrices_of_low_rank_come_out_whole(void **state) {
    (void)state;
    enum { ROWS = 33, COLS = 70, LEN = 3 + ROWS * COLS + 4 };
    static real v[LEN];
    const struct allreduce_tensor tensor = {3, ROWS, COLS};
    const struct allreduce_vector vector = {
        .v = v, .len = LEN, .own = true, .tensor = &tensor, .n_tensors = 1};
    const int size = comm_size(comm), rank = comm_rank(comm);

    for (int w = 0; w < 3; w++) {
        struct allreduce *a = plan(&vector, 1, all[w]);
        for (int step = 0; step < 4; step++) {
            for (int i = 0; i < LEN; i++)
                v[i] = (real)((i - 3) / COLS % 7 + 1) * (real)((i - 3) % COLS % 5 - rank);
            allreduce_run(a, 0);
            same_on_all_ranks(v, LEN);
            for (int i = 0; i < LEN; i++) {
                const double y = (i - 3) / COLS % 7 + 1, x = (i - 3) % COLS % 5;
                const double sum = y * (x * size - size * (size - 1) / 2.);
                if (!(fabs((double)v[i] - sum) <= 1e-3))
                    fail_msg("step %d: number %d is %g, not %g", step, i, (double)v[i], sum);
            }
        }
        allreduce_free(a);
    }
}

/* What a step lacks goes with the next ones: the mean of many comes near what one alone misses. */
static void means_of_sums_converge(void **state) {
    (void)state;
    enum { STEPS = 400 };
    real v[GOLDEN_LEN];
    double mean[GOLDEN_LEN] = {0}, first = 0, last = 0;
    const struct allreduce_vector vector = {
        .v = v, .len = GOLDEN_LEN, .tensor = &golden_matrix, .n_tensors = 1};
    struct allreduce *a = plan(&vector, 1, plain);

    for (int step = 0; step < STEPS; step++) {
        fill(v, GOLDEN_LEN, 0);
        allreduce_run(a, 0);
        for (int i = 0; i < GOLDEN_LEN; i++) {
            mean[i] += (double)v[i] / STEPS;
            first += step ? 0 : fabs((double)v[i] - whole_sum(i, 0));
        }
    }
    for (int i = 0; i < GOLDEN_LEN; i++)
        last += fabs(mean[i] - whole_sum(i, 0));
    assert_true(comm_size(comm) == 1 ? last < 1e-3 : first > 10);
    assert_true(last <= first / 20 + 1e-3);
    allreduce_free(a);
}

/* Gradients that are 0 for a while, or not finite, must not stop a matrix for good. */
static void columns_that_vanished_are_drawn_again(void **state) {
    (void)state;
    real v[GOLDEN_LEN];
    const struct allreduce_vector vector = {
        .v = v, .len = GOLDEN_LEN, .tensor = &golden_matrix, .n_tensors = 1};
    struct allreduce *a = plan(&vector, 1, plain);

    memset(v, 0, sizeof v);
    allreduce_run(a, 0);
    for (int i = 0; i < GOLDEN_LEN; i++)
        assert_true(v[i] == 0);
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < GOLDEN_LEN; i++)
            v[i] = 1;
        v[40] = step == 1 && comm_rank(comm) == comm_size(comm) - 1 ? (real)NAN : 1;
        allreduce_run(a, 0);
        assert_true(step != 1 || isnan(v[40]));
        for (int i = 0; i < GOLDEN_LEN && step != 1; i++)
            assert_true(fabsf((float)v[i] - (float)comm_size(comm)) < 1e-3F);
    }
    allreduce_free(a);
}

/* Matrices too small for factors, vectors, and nothing at all, beside one that has factors. */
static void what_has_no_factors_is_exact(void **state) {
    (void)state;
    const struct allreduce_tensor tensor[N_TENSORS] = {{0, 4, 4}, {16, 30, 1}, {48, 1, 30}};
    const int64_t p = comm_size(comm), len[] = {0, 1, p - 1, p, p + 1, 80};
    static real v[6][80];
    struct allreduce_vector vector[6];

    for (int i = 0; i < 6; i++)
        vector[i] = (struct allreduce_vector){
            .v = v[i], .len = len[i], .tensor = tensor, .n_tensors = i == 5 ? N_TENSORS : 0};
    struct allreduce *a = plan(vector, 6, plain);
    for (int step = 0; step < 2; step++) {
        for (int i = 0; i < 6; i++)
            fill(v[i], len[i], step);
        for (int i = 0; i < 6; i++)
            allreduce_start(a, (i + comm_rank(comm)) % 6);
        for (int i = 0; i < 6; i++) {
            while (!allreduce_progress(a, i))
                ;
            assert_ptr_equal(allreduce_sum(a, i), v[i]);
            allreduce_used(a, i);
            for (int64_t e = 0; e < len[i]; e++)
                assert_true(v[i][e] == (real)whole_sum(e, step));
        }
    }
    allreduce_free(a);
}

/* Buckets end where tensors do; one that is larger than a bucket has one of its own. */
static void buckets_hold_whole_tensors(void **state) {
    (void)state;
    static real v[1200];
    const struct allreduce_tensor tensor[] = {
        {0, 10, 10}, {112, 20, 1}, {144, 30, 30}, {1056, 10, 1}, {1072, 10, 10}};
    const struct allreduce_vector span = {
        .v = v, .len = 1184, .own = true, .tensor = tensor, .n_tensors = 5};
    const int64_t expected[][2] = {{1072, 112}, {144, 928}, {0, 144}};
    const struct applied algorithm = powersgd(plain);
    struct reducer *r = NULL;
    struct err err = {0};

    assert_int_equal(reducer_new(&r, comm, &algorithm, &span, 1, 112 * sizeof(real), &err), 0);
    assert_int_equal(reducer_n_buckets(r), 3);
    for (int step = 0; step < 2; step++) {
        reducer_begin(r);
        for (int b = 0; b < 3; b++) {
            struct reducer_piece got;
            const int64_t begin = expected[b][0], len = expected[b][1];
            for (int64_t i = begin; i < begin + len; i++) /* matrices of rank 1 */
                v[i] = (real)(comm_rank(comm) + 1);
            reducer_ready(r, 0, begin + 1, len - 1);
            reducer_ready(r, 0, begin, 1);
            assert_true(reducer_next(r, &got));
            assert_true(got.begin == begin && got.len == len);
            for (int64_t i = 0; i < len; i++) {
                const float sum = (float)(comm_size(comm) * (comm_size(comm) + 1) / 2);
                assert_true(fabsf((float)got.sum[i] - sum) < 1e-3F);
            }
        }
    }
    reducer_free(r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(steps_are_those_of_the_paper),
    cmocka_unit_test(matrices_of_low_rank_come_out_whole),
    cmocka_unit_test(means_of_sums_converge),
    cmocka_unit_test(columns_that_vanished_are_drawn_again),
    cmocka_unit_test(what_has_no_factors_is_exact),
    cmocka_unit_test(buckets_hold_whole_tensors),
};

MPI_MAIN(tests)
