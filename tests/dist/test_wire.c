#include "support/mpi_main.h"

#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/ring.h"
#include "dist/allreduce/wire.h"
#include "dist/golden_wire.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST = 70000 };

static const int block_16[] = {16}, block_256[] = {256}, block_1024[] = {1024};

static struct applied wire_of(const char *name, const int *block) {
    return (struct applied){wire_find(name), block};
}

static uint32_t bits_of(float x) {
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* What v[len] are when they have travelled; residual[len] is moved as it is then. */
static void travel(const struct applied *wire, const real *v, real *residual, int64_t len,
                   real *out) {
    static char packed[MOST * 8];
    const struct wire_format *format = wire_format(wire);

    memset(packed, 0x5a, sizeof packed);
    format->pack(wire->args, v, residual, len, packed);
    assert_int_equal(packed[format->bytes(wire->args, len)], 0x5a);
    format->unpack(wire->args, packed, len, out);
}

static void bf16_rounds_as_pytorch_does(void **state) {
    (void)state;
    const struct applied wire = wire_of("bf16", NULL);

    for (size_t i = 0; i < sizeof golden_bf16 / sizeof *golden_bf16; i++) {
        real x = float_of(golden_bf16[i][0]), residual = 0, y;
        travel(&wire, &x, &residual, 1, &y);
        if (!(y == float_of(golden_bf16[i][1] << 16))) /* -0 may become 0 */
            fail_msg("%08x becomes %08x, not %04x0000", golden_bf16[i][0], bits_of(y),
                     golden_bf16[i][1]);
        assert_true(!isfinite(y) ? bits_of(residual) == 0 : residual == x - y);
    }
}

static void every_bf16_comes_out_as_itself(void **state) {
    (void)state;
    static real v[1 << 16], residual[1 << 16], out[1 << 16];
    const struct applied wire = wire_of("bf16", NULL);

    for (uint32_t i = 0; i < 1 << 16; i++)
        v[i] = float_of(i << 16), residual[i] = 0;
    travel(&wire, v, residual, 1 << 16, out);
    for (uint32_t i = 0; i < 1 << 16; i++) {
        assert_true(isnan(v[i]) ? isnan(out[i]) : out[i] == v[i]);
        assert_true(bits_of(residual[i]) == 0);
    }
}

/* The NaN whose upper bits alone are those of an infinity. */
static void nans_do_not_turn_into_numbers(void **state) {
    (void)state;
    const char *const names[] = {"bf16", "int8"};
    real v[] = {float_of(0x7f800001), 1, INFINITY, -INFINITY, -3, float_of(0xffffffff)}, y[6];

    for (int i = 0; i < 2; i++) {
        const struct applied wire = wire_of(names[i], block_16);
        real residual[6] = {0};
        travel(&wire, v, residual, 6, y);
        assert_true(isnan(y[0]) && isnan(y[5]));
        assert_true(y[2] == INFINITY && y[3] == -INFINITY);
        assert_true(fabsf(y[1] - 1) < 0.02F && fabsf(y[4] + 3) < 0.02F);
        for (int k = 0; k < 6; k++)
            assert_true(isfinite(residual[k]));
        assert_true(fabsf(residual[1] - (1 - y[1])) < 1e-6F);
    }
}

static void int8_packs_as_numpy_does(void **state) {
    (void)state;
    enum { N = sizeof golden_int8 / sizeof *golden_int8 };
    const struct applied wire = wire_of("int8", block_16);
    real residual[N] = {0}, out[N];

    assert_int_equal(wire_format(&wire)->bytes(wire.args, N), 3 * 4 + N);
    travel(&wire, golden_int8, residual, N, out);
    for (int i = 0; i < N; i++) {
        const float scale = golden_int8_scale[i / GOLDEN_BLOCK];
        const float expected = scale * (float)golden_int8_code[i];
        if (!(out[i] == expected))
            fail_msg("number %d, %g, becomes %g, not %g", i, (double)golden_int8[i], (double)out[i],
                     (double)expected);
        assert_true(fabsf(residual[i] - (golden_int8[i] - expected)) <= 1e-6F * scale * 127);
        assert_true(fabsf(residual[i]) <= 0.5001F * scale);
    }
}

static void int8_bears_extremes(void **state) {
    (void)state;
    const struct applied wire = wire_of("int8", block_16);
    real v[48] = {0}, residual[48] = {0}, out[48];

    v[0] = FLT_MAX, v[1] = -FLT_MAX, v[2] = FLT_MIN; /* what is small beside them is lost, */
    for (int i = 16; i < 32; i++)
        v[i] = (real)(i - 20) * float_of(1); /* subnormal */
    travel(&wire, v, residual, 48, out);
    assert_true(isfinite(out[0]) && out[0] > 0.9999F * FLT_MAX && out[1] == -out[0]);
    assert_true(out[2] == 0 && residual[2] == FLT_MIN); /* and kept */
    for (int i = 16; i < 32; i++)
        assert_true(out[i] == 0 && residual[i] == v[i]);
    for (int i = 32; i < 48; i++)
        assert_true(out[i] == 0 && residual[i] == 0);
}

/* Sums of what came out come as near to sums of what went in as one step's loss. */
static void what_is_lost_is_sent_later(void **state) {
    (void)state;
    enum { N = 100, STEPS = 200 };
    const char *const names[] = {"bf16", "int8"};

    for (int i = 0; i < 2; i++) {
        const struct applied wire = wire_of(names[i], block_16);
        real v[N], residual[N] = {0}, out[N];
        double sent[N] = {0};
        for (int k = 0; k < N; k++)
            v[k] = (real)(0.001 * k + (k % 7 ? 0 : 1));
        for (int step = 0; step < STEPS; step++) {
            travel(&wire, v, residual, N, out);
            for (int k = 0; k < N; k++)
                sent[k] += (double)out[k];
        }
        for (int k = 0; k < N; k++) {
            const double total = STEPS * (double)v[k];
            assert_true(fabs(sent[k] + (double)residual[k] - total) < 1e-4);
            assert_true(fabs(sent[k] - total) < 0.006);
        }
    }
}

/* --- sums over ranks --- */

enum { SMALL = 1024, LARGE = 512 * 1024 }; /* bytes of chunks */

/* An algorithm that packs; its arguments begin with those of a ring. */
static struct applied algorithm_of(const char *name, int64_t chunk) {
    static _Alignas(16) char args[256];
    const struct word *word = allreduce_find(name);

    assert_true(word->args_size <= sizeof args);
    word_defaults(word, args);
    ((struct ring_args *)(void *)args)->chunk = chunk;
    return (struct applied){word, args};
}

/* Element i of rank r in a step. */
static real number(int r, int64_t i, int step) {
    return (real)(sin((double)(i * 3 + r * 5 + step)) * (double)(1 + i % 11));
}

/* The first step that is wrong by more than packing is: half of a level of each rank and of the sum
 * at most, where a level is the 127th part of the largest, and no less than 2^-8 of bf16. */
static void check_sum(const real *v, int64_t len, int step, bool packed) {
    const int p = comm_size(comm);
    const double level = 11.0 * p / 120;

    for (int64_t i = 0; i < len; i++) {
        double sum = 0;
        for (int r = 0; r < p; r++)
            sum += (double)number(r, i, step);
        if (!(fabs((double)v[i] - sum) <= (packed ? 2 * level : 1e-5)))
            fail_msg("rank %d: element %lld of %lld is %g, not %g", comm_rank(comm), (long long)i,
                     (long long)len, (double)v[i], sum);
    }
}

static void same_on_all_ranks(const real *v, int64_t len) {
    static real first[MOST];

    memcpy(first, v, (size_t)len * sizeof *v);
    comm_bcast(comm, first, (size_t)len * sizeof *v, 0);
    assert_memory_equal(first, v, (size_t)len * sizeof *v);
}

/* A few steps of one length. */
static void sum_steps(const struct applied *algorithm, const struct applied *wire, int64_t len) {
    static real v[MOST];
    struct allreduce_vector vector = {.v = v, .len = len, .own = true, .wire = wire};
    struct allreduce *a = NULL;
    struct err err = {0};

    if (allreduce_new(&a, comm, algorithm, &vector, 1, &err))
        fail_msg("%s", err.msg);
    for (int step = 0; step < 3; step++) {
        for (int64_t i = 0; i < len; i++)
            v[i] = number(comm_rank(comm), i, step);
        v[len] = -7;
        allreduce_run(a, 0);
        check_sum(v, len, step, true);
        same_on_all_ranks(v, len);
        assert_true(v[len] == -7);
    }
    allreduce_free(a);
}

/* Every algorithm that packs, every format. */
static void with_each(void (*f)(const struct applied *algorithm, const struct applied *wire)) {
    const struct applied wires[] = {wire_of("bf16", NULL), wire_of("int8", block_16),
                                    wire_of("int8", block_1024)};
    const char *const names[] = {"ring", "host"};

    for (int n = 0; n < 2; n++)
        for (int w = 0; w < 3; w++)
            for (int c = 0; c < 2; c++) {
                const struct applied algorithm = algorithm_of(names[n], c ? SMALL : LARGE);
                f(&algorithm, &wires[w]);
            }
}

static void each_length(const struct applied *algorithm, const struct applied *wire) {
    const int64_t p = comm_size(comm), chunk = 256; /* and blocks, whose edges fall everywhere */
    const int64_t len[] = {0,  1,   p - 1, p,         p + 1,         15,        16 * p,
                           17, 255, 1023,  chunk * p, chunk * p + 1, 5 * chunk, MOST - 1};

    for (size_t i = 0; i < sizeof len / sizeof *len; i++)
        sum_steps(algorithm, wire, len[i]);
}

static void sums_of_every_length_are_near(void **state) {
    (void)state;
    with_each(each_length);
}

/* The mean over many steps, from which packing alone would stay away. */
static void converge(const struct applied *algorithm, const struct applied *wire) {
    enum { LEN = 1000, STEPS = 100 };
    static real v[LEN];
    static double mean[LEN];
    struct allreduce_vector vector = {.v = v, .len = LEN, .own = true, .wire = wire};
    struct allreduce *a = NULL;
    struct err err = {0};

    assert_int_equal(allreduce_new(&a, comm, algorithm, &vector, 1, &err), 0);
    memset(mean, 0, sizeof mean);
    for (int step = 0; step < STEPS; step++) {
        for (int64_t i = 0; i < LEN; i++)
            v[i] = number(comm_rank(comm), i, 0);
        allreduce_run(a, 0);
        for (int64_t i = 0; i < LEN; i++)
            mean[i] += (double)v[i] / STEPS;
    }
    for (int64_t i = 0; i < LEN; i++)
        v[i] = (real)mean[i];
    allreduce_free(a);
    const int p = comm_size(comm);
    for (int64_t i = 0; i < LEN; i++) {
        double sum = 0;
        for (int r = 0; r < p; r++)
            sum += (double)number(r, i, 0);
        if (!(fabs(mean[i] - sum) <= 11.0 * p * p / 120 / STEPS))
            fail_msg("the mean of element %lld is %g, not %g", (long long)i, mean[i], sum);
    }
}

static void means_of_sums_converge(void **state) {
    (void)state;
    with_each(converge);
}

/* In one job some vectors are packed and some are not, and several are under way. */
static void vectors_without_a_wire_stay_exact(void **state) {
    (void)state;
    enum { N = 4, LEN = 5000 };
    static real v[N][LEN];
    const struct applied wire = wire_of("int8", block_256), none = wire_of("fp32", NULL);
    const struct applied algorithm = algorithm_of("ring", SMALL);
    struct allreduce_vector vector[N];
    struct allreduce *a = NULL;
    struct err err = {0};
    bool done[N] = {false};

    for (int i = 0; i < N; i++) {
        vector[i] = (struct allreduce_vector){.v = v[i],
                                              .len = LEN,
                                              .own = true,
                                              .wire = i == 1  ? NULL
                                                      : i % 2 ? &none
                                                              : &wire};
        for (int64_t k = 0; k < LEN; k++)
            v[i][k] = number(comm_rank(comm), k, i);
    }
    assert_int_equal(allreduce_new(&a, comm, &algorithm, vector, N, &err), 0);
    for (int i = 0; i < N; i++)
        allreduce_start(a, (i + comm_rank(comm)) % N);
    for (int left = N; left > 0;)
        for (int i = 0; i < N; i++)
            if (!done[i] && allreduce_progress(a, i))
                done[i] = true, left--;
    for (int i = 0; i < N; i++)
        check_sum(v[i], LEN, i, i % 2 == 0);
    allreduce_free(a);
}

static void sums_keep_infinities_and_nans(const struct applied *algorithm,
                                          const struct applied *wire) {
    real v[40];
    struct allreduce_vector vector = {.v = v, .len = 40, .own = true, .wire = wire};
    struct allreduce *a = NULL;
    struct err err = {0};

    for (int i = 0; i < 40; i++)
        v[i] = 1;
    v[3] = comm_rank(comm) == comm_size(comm) - 1 ? (real)NAN : 1;
    v[39] = comm_rank(comm) == 0 ? -INFINITY : 1;
    assert_int_equal(allreduce_new(&a, comm, algorithm, &vector, 1, &err), 0);
    allreduce_run(a, 0);
    for (int i = 0; i < 40; i++)
        assert_true(i == 3    ? isnan(v[i])
                    : i == 39 ? v[i] == -INFINITY
                              : fabsf(v[i] - (real)comm_size(comm)) < 0.05F);
    for (int i = 0; i < 40; i++)
        v[i] = 1;
    allreduce_run(a, 0); /* what is not finite leaves nothing behind */
    for (int i = 0; i < 40; i++)
        assert_true(fabsf(v[i] - (real)comm_size(comm)) < 0.1F);
    allreduce_free(a);
}

static void infinities_and_nans_are_not_lost(void **state) {
    (void)state;
    with_each(sums_keep_infinities_and_nans);
}

static void ranks_that_pack_otherwise_are_refused(void **state) {
    (void)state;
    const int last = comm_size(comm) - 1;
    const struct applied algorithm = algorithm_of("ring", SMALL);
    const struct applied wire =
        wire_of("int8", last && comm_rank(comm) == last ? block_16 : block_256);
    real v[4] = {0};
    struct allreduce_vector vector = {.v = v, .len = 4, .wire = &wire};
    struct allreduce *a = NULL;
    struct err err = {0};

    assert_int_equal(allreduce_new(&a, comm, &algorithm, &vector, 1, &err), last ? -1 : 0);
    if (last)
        assert_non_null(strstr(err.msg, "packed otherwise on their way"));
    allreduce_free(a);
}

static void words_are_found_by_name(void **state) {
    (void)state;
    const int block_48[] = {48};
    struct applied wire = wire_of("int8", block_48);
    struct err err = {0};
    int n = 0;

    for (const struct word *w; (w = wire_word(n)); n++)
        assert_ptr_equal(wire_find(w->name), w);
    assert_int_equal(n, 3);
    assert_null(wire_find("fp8"));
    assert_null(wire_format(&(struct applied){0}));
    wire.args = block_256;
    assert_int_equal(wire_check(&wire, &err), 0);
    wire.args = block_48;
    assert_int_equal(wire_check(&wire, &err), -1);
    assert_string_equal(err.msg,
                        "int8: block is 48, expected a power of two, as in int8(block=256)");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_found_by_name),
    cmocka_unit_test(bf16_rounds_as_pytorch_does),
    cmocka_unit_test(every_bf16_comes_out_as_itself),
    cmocka_unit_test(nans_do_not_turn_into_numbers),
    cmocka_unit_test(int8_packs_as_numpy_does),
    cmocka_unit_test(int8_bears_extremes),
    cmocka_unit_test(what_is_lost_is_sent_later),
    cmocka_unit_test(sums_of_every_length_are_near),
    cmocka_unit_test(means_of_sums_converge),
    cmocka_unit_test(vectors_without_a_wire_stay_exact),
    cmocka_unit_test(infinities_and_nans_are_not_lost),
    cmocka_unit_test(ranks_that_pack_otherwise_are_refused),
};

MPI_MAIN(tests)
