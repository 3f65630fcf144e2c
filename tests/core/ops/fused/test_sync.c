/* Batch norm over several ranks, alone and in every fused operator: as many threads as ranks, each
 * with some rows of a batch or none, give what one call on all rows gives. */
#include "core/base/rng.h"
#include "core/ops/fused/fused.h"
#include "support/op_check.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 7, IN = 3, OUT = 4, MAX_RANKS = 4, ROOM = 1024 };

/* What one rank computes with: rows [first, first + n) of the batch. */
struct rank_case {
    const struct op *op;
    const void *args;
    int64_t first, n;
    int size; /* ranks; 1: alone */
    struct ranks ranks;
    act y[ROOM], dx[2][ROOM], dy[ROOM];
    real dw[OP_MAX_WEIGHTS][64], state[OP_MAX_STATES][OUT];
};

static pthread_barrier_t meeting;
static double *brought[MAX_RANKS];

/* Added up in the order of ranks, by each into room of its own. */
static void sum(const struct ranks *ranks, double *v, int64_t n) {
    double *all = calloc((size_t)n, sizeof *all);

    brought[ranks->rank] = v;
    pthread_barrier_wait(&meeting);
    for (int r = 0; r < ranks->size; r++)
        for (int64_t i = 0; i < n; i++)
            all[i] += brought[r][i];
    pthread_barrier_wait(&meeting);
    memcpy(v, all, (size_t)n * sizeof *v);
    free(all);
}

/* Reproducible numbers around 1, other ones for each purpose. */
static void numbers(act *v, int64_t len, uint64_t purpose) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (act)(1 + 2 * rng_uniform(purpose, (uint64_t)i));
}

static struct shape rows_of(int64_t n, int64_t channels) {
    return (struct shape){4, {n, 2, 3, channels}};
}

static void plan_call(const struct rank_case *r, int64_t n, struct op_plan *plan) {
    const struct shape x[2] = {rows_of(n, r->op->max_x > 1 && r->op == &op_norm_add_act ? OUT : IN),
                               rows_of(n, OUT)};
    struct err err = {0};

    *plan = (struct op_plan){.batch = BATCH};
    if (r->op->plan(r->args, x, r->op->max_x, plan, &err))
        fail_msg("%s", err.msg);
}

/* Forward, recompute, backward of one rank. */
static void *compute(void *context) {
    struct rank_case *r = context;
    struct op_plan plan;
    act x[2][ROOM], whole[ROOM];
    real w[OP_MAX_WEIGHTS][64];
    struct tensor tx[2], tdx[2];

    plan_call(r, BATCH, &plan);
    const int64_t c = shape_channels(&plan.y), in = plan.w[0].shape.rank > 1 ? IN : c;
    const int64_t sample[2] = {6 * in, 6 * c};
    struct op_call call = {.args = r->args,
                           .x = tx,
                           .dx = tdx,
                           .n_x = r->op->max_x,
                           .y = {.shape = rows_of(r->n, c), .data = r->y},
                           .dy = {.shape = rows_of(r->n, c), .data = r->dy},
                           .saved = aligned_alloc(64, (plan.saved_bytes / 64 + 1) * 64),
                           .scratch = aligned_alloc(64, (plan.scratch_bytes / 64 + 1) * 64),
                           .ranks = r->size > 1 ? &r->ranks : NULL,
                           .training = true};
    for (int k = 0; k < call.n_x; k++) {
        numbers(whole, BATCH * sample[k], 10 + (uint64_t)k);
        memcpy(x[k], whole + r->first * sample[k], (size_t)(r->n * sample[k]) * sizeof(act));
        tx[k] = (struct tensor){.shape = rows_of(r->n, sample[k] / 6), .data = x[k]};
        tdx[k] = (struct tensor){.shape = tx[k].shape, .data = r->dx[k]};
    }
    for (int k = 0; k < OP_MAX_WEIGHTS && plan.w[k].shape.rank; k++) {
        numbers(whole, shape_len(&plan.w[k].shape), 20 + (uint64_t)k);
        for (int64_t i = 0; i < shape_len(&plan.w[k].shape); i++)
            w[k][i] = (real)whole[i] - 2;
        call.w[k] = w[k], call.dw[k] = r->dw[k];
    }
    for (int64_t i = 0; i < c; i++)
        r->state[0][i] = (real)0.1 * (real)i, r->state[1][i] = 1;
    call.state[0] = r->state[0], call.state[1] = r->state[1];
    numbers(whole, BATCH * sample[1], 30);
    memcpy(r->dy, whole + r->first * 6 * c, (size_t)(r->n * 6 * c) * sizeof(act));
    r->op->forward(&call);
    if (r->op->memory.start_backward)
        r->op->memory.start_backward(&call);
    r->op->backward(&call);
    free(call.saved), free(call.scratch);
    return NULL;
}

static void assert_near(double found, double expected) {
    if (!(fabs(found - expected) <= 1e-11 * (1 + fabs(expected))))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

/*   n  [size] rows of each rank, BATCH together */
static void check(const struct op *op, const void *args, int size, const int64_t *n) {
    static struct rank_case one, part[MAX_RANKS];
    pthread_t thread[MAX_RANKS];
    struct op_plan plan;

    one = (struct rank_case){.op = op, .args = args, .n = BATCH, .size = 1};
    compute(&one);
    plan_call(&one, BATCH, &plan);
    assert_int_equal(plan.ranks.kind, RANKS_ALL);
    pthread_barrier_init(&meeting, NULL, (unsigned)size);
    for (int64_t r = 0, first = 0; r < size; first += n[r++]) {
        part[r] = (struct rank_case){.op = op,
                                     .args = args,
                                     .first = first,
                                     .n = n[r],
                                     .size = size,
                                     .ranks = {.rank = (int)r, .size = size, .sum = sum}};
        assert_int_equal(pthread_create(&thread[r], NULL, compute, &part[r]), 0);
    }
    for (int r = 0; r < size; r++)
        pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&meeting);

    const int64_t c = shape_channels(&plan.y);
    const int64_t in = plan.w[0].shape.rank > 1 ? IN : c, sample[2] = {6 * in, 6 * c};
    for (int r = 0; r < size; r++) {
        for (int64_t i = 0; i < n[r] * 6 * c; i++)
            assert_near((double)part[r].y[i], (double)one.y[part[r].first * 6 * c + i]);
        for (int k = 0; k < op->max_x; k++)
            for (int64_t i = 0; i < n[r] * sample[k]; i++)
                assert_near((double)part[r].dx[k][i],
                            (double)one.dx[k][part[r].first * sample[k] + i]);
        for (int k = 0; k < 2; k++) /* to the bit, or replicas would differ */
            assert_memory_equal(part[r].state[k], part[0].state[k], (size_t)c * sizeof(real));
    }
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < c; i++)
            assert_near((double)part[0].state[k][i], (double)one.state[k][i]);
    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        for (int64_t i = 0; i < shape_len(&plan.w[k].shape); i++) {
            double dw = 0;
            for (int r = 0; r < size; r++)
                dw += (double)part[r].dw[k][i];
            assert_near(dw, (double)one.dw[k][i]);
        }
}

static void check_all_shares(const struct op *op, const void *args) {
    check(op, args, 2, (const int64_t[]){4, 3});
    check(op, args, 2, (const int64_t[]){0, 7});
    check(op, args, 3, (const int64_t[]){1, 6, 0});
    check(op, args, 4, (const int64_t[]){2, 2, 2, 1});
}

static const struct bn bn = {.momentum = 0.3, .eps = 1e-3, .sync = {0, {1}}};

static void bn_over_ranks_is_bn_of_the_whole_batch(void **state) {
    (void)state;
    check_all_shares(&op_bn, &bn);
}

static void so_are_normalisations_that_were_fused(void **state) {
    (void)state;
    const struct fused relu = {.bn = &bn, .then = {THEN_RELU, 0}};
    check_all_shares(&op_norm_act, &relu);
    check_all_shares(&op_norm_add_act, &relu);
}

/* A product without bias in front. */
static void so_are_convolutions_that_were_fused(void **state) {
    (void)state;
    struct fused conv = {.product = op_find("conv"), .bn = &bn, .then = {THEN_LEAKY_RELU, 0.2}};
    void *args = calloc(1, conv.product->word.args_size);

    word_defaults(&conv.product->word, args);
    for (const struct arg_spec *a = conv.product->word.args; a->name; a++) {
        if (!strcmp(a->name, "channels"))
            *(int *)((char *)args + a->offset) = OUT;
        if (!strcmp(a->name, "kernel"))
            *(struct ints *)((char *)args + a->offset) = (struct ints){1, {1}};
        if (!strcmp(a->name, "bias"))
            *(int *)((char *)args + a->offset) = 2; /* false */
    }
    conv.product_args = args;
    conv.n_weights = IN * OUT;
    conv.groups = 1;
    check_all_shares(&op_conv_norm_act, &conv);
    check_all_shares(&op_conv_norm_add_act, &conv);
    free(args);
}

/* No rank of the group has a row: statistics stay. */
static void nothing_to_normalise_moves_nothing(void **state) {
    (void)state;
    static struct rank_case part[2];
    pthread_t thread[2];

    pthread_barrier_init(&meeting, NULL, 2);
    for (int r = 0; r < 2; r++) {
        part[r] = (struct rank_case){
            .op = &op_bn, .args = &bn, .size = 2, .ranks = {.rank = r, .size = 2, .sum = sum}};
        assert_int_equal(pthread_create(&thread[r], NULL, compute, &part[r]), 0);
    }
    for (int r = 0; r < 2; r++)
        pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&meeting);
    for (int r = 0; r < 2; r++)
        for (int i = 0; i < IN; i++) {
            assert_true(part[r].state[0][i] == (real)0.1 * (real)i);
            assert_true(part[r].state[1][i] == 1 && part[r].dw[0][i] == 0);
        }
}

static void groups_follow_from_sync(void **state) {
    (void)state;
    const struct ints sync[] = {{0, {0}}, {0, {1}}, {0, {2}}, {1, {8}}};
    const enum ranks_kind kinds[] = {RANKS_NONE, RANKS_ALL, RANKS_HOST, RANKS_EVERY};

    for (int i = 0; i < 4; i++) {
        const struct bn args = {.momentum = 0.1, .eps = 1e-5, .sync = sync[i]};
        const struct shape x = rows_of(2, IN);
        struct op_plan plan = {.batch = 2};
        struct err err = {0};
        assert_int_equal(op_bn.plan(&args, &x, 1, &plan, &err), 0);
        assert_int_equal(plan.ranks.kind, kinds[i]);
    }
    const struct bn list = {.momentum = 0.1, .eps = 1e-5, .sync = {2, {2, 4}}};
    check_refused(&(struct op_case){"bn", .args = &list, .n_x = 1, .x = {{2, {2, 2}}}},
                  "bn: sync is a list, expected none, all, host or a number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bn_over_ranks_is_bn_of_the_whole_batch),
        cmocka_unit_test(so_are_normalisations_that_were_fused),
        cmocka_unit_test(so_are_convolutions_that_were_fused),
        cmocka_unit_test(nothing_to_normalise_moves_nothing),
        cmocka_unit_test(groups_follow_from_sync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
