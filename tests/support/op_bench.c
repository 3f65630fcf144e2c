/* Here acts and reals are of one type, and .data reads both. */
#include "support/op_bench.h"

#include "core/base/rng.h"
#include "core/math/isa/isa.h"
#include "core/ops/parts/init.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Before main: where the environment wants instructions that this processor lacks, no test runs. */
__attribute__((constructor)) static void skip_without_instructions(void) {
    struct err err = {0};

    if (isa_check(&err)) {
        printf("skipped: %s\n", err.msg);
        exit(77);
    }
}

static void *bytes_new(size_t n_bytes) { /* exact, so that the sanitizer sees the end */
    void *memory = NULL;

    assert_int_equal(posix_memalign(&memory, 64, n_bytes ? n_bytes : 1), 0);
    memset(memory, 0xff, n_bytes); /* NaN */
    return memory;
}

static real *numbers_new(const real *from, int64_t len, uint64_t id) {
    real *v = bytes_new((size_t)len * sizeof *v);
    const uint64_t key = rng_key(1, RNG_TEST, id, 0);

    for (int64_t i = 0; i < len; i++)
        v[i] = from ? from[i] : 2 * (real)rng_uniform(key, (uint64_t)i) - 1;
    return v;
}

/* The numbers, which are freed, as class indices. */
static int32_t *indices_new(real *numbers, int64_t len) {
    int32_t *v = bytes_new((size_t)len * sizeof *v);

    for (int64_t i = 0; i < len; i++)
        v[i] = (int32_t)floor((double)numbers[i]);
    free(numbers);
    return v;
}

bool bench_differentiates(const struct bench *b, int i) {
    return !(b->c->constant >> i & 1) && op_x_kind(b->op, i) != TENSOR_INDICES;
}

static enum tensor_kind kind_of(const struct bench *b, int i) {
    return b->way.of_means ? TENSOR_REALS : op_x_kind(b->op, i);
}

int bench_plan(const struct op_case *c, const struct op *op, struct op_args *a,
               struct op_plan *plan, struct err *err) {
    *plan =
        (struct op_plan){.batch = c->batch ? c->batch : c->x[0].dim[0], .bias_auto = !c->no_bias};
    if (op_args_init(a, op, c->with, err))
        return -1;
    if (c->args)
        memcpy(a->args, c->args, op->word.args_size);
    return op->plan(a->args, c->x, c->n_x, plan, err);
}

const struct op *bench_op(const struct op_case *c) {
    const struct op *op = c->internal ? c->internal : op_find(c->op);

    if (!op)
        fail_msg("no operator %s in ops.def", c->op);
    return op;
}

static void bench_params(struct bench *b) {
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        const int64_t len = shape_len(&b->plan.w[i].shape);

        b->w[i] = numbers_new(b->c->w_data[i], len, 200 + (uint64_t)i);
        b->call.w[i] = len ? b->w[i] : NULL;
        if (len && b->way.wanted >> (WANT_W + i) & 1)
            b->call.dw[i] = numbers_new(NULL, len, 300 + (uint64_t)i);
    }
    for (int i = 0; i < OP_MAX_STATES; i++) {
        const struct op_param *p = &b->plan.state[i];

        b->state[i] = numbers_new(b->c->state_data[i], shape_len(&p->shape), 0);
        if (!b->c->state_data[i])
            init_fill(&p->init, p->fan_in, p->fan_out, 1, b->state[i], shape_len(&p->shape));
        b->call.state[i] = b->state[i];
    }
}

void bench_init(struct bench *b, const struct op_case *c, const struct way *way) {
    struct err err = {0};

    *b = (struct bench){.c = c, .op = bench_op(c), .way = *way};
    if (bench_plan(c, b->op, &b->args, &b->plan, &err))
        fail_msg("%s", err.msg);
    b->call = (struct op_call){.args = b->args.args, .x = b->x, .dx = b->dx, .n_x = c->n_x};
    const enum tensor_kind kind = way->of_means ? TENSOR_REALS : b->plan.y_kind;
    const int64_t y_len = shape_len(&b->plan.y);
    b->call.y =
        (struct tensor){b->plan.y, kind, {bytes_new((size_t)y_len * tensor_item_bytes(kind))}};
    b->call.dy = (struct tensor){b->plan.y, kind, {numbers_new(NULL, y_len, 400)}};
    for (int i = 0; i < c->n_x; i++) {
        const int64_t len = shape_len(&c->x[i]);

        b->x[i] = (struct tensor){.shape = c->x[i], .kind = kind_of(b, i)};
        b->x[i].data = numbers_new(c->x_data[i], len, (uint64_t)i);
        if (b->x[i].kind == TENSOR_INDICES)
            b->x[i].indices = indices_new(b->x[i].data, len);
        b->dx[i].shape = c->x[i], b->dx[i].kind = b->x[i].kind;
        if (way->wanted >> i & 1 && bench_differentiates(b, i))
            b->dx[i].data = numbers_new(NULL, len, 100 + (uint64_t)i);
    }
    bench_params(b);
    b->call.saved = bytes_new(b->plan.saved_bytes);
    b->call.scratch = bytes_new(b->plan.scratch_bytes);
    b->call.key = c->key, b->call.first = c->first, b->call.training = !c->evaluate;
    for (int64_t i = 0; b->op->count && i < shape_len(&b->plan.y); i++)
        b->call.dy.data[i] /= (act)(1 + b->op->count(&b->call)); /* as large as that of a mean */
    if (team_new(&b->call.team, way->threads, &err))
        fail_msg("%s", err.msg);
}

void bench_release(struct bench *b) {
    if (b->way.alias_y)
        b->call.y.data = NULL;
    if (b->way.alias_dx)
        b->dx[0].data = NULL;
    for (int i = 0; i < b->c->n_x; i++)
        free(b->x[i].data), free(b->dx[i].data);
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        free(b->w[i]), free(b->call.dw[i]);
    for (int i = 0; i < OP_MAX_STATES; i++)
        free(b->state[i]);
    free(b->call.y.data), free(b->call.dy.data), free(b->call.saved), free(b->call.scratch);
    op_args_release(&b->args);
    team_free(b->call.team);
}

static void poison(struct tensor *t) {
    memset(t->data, 0xff, (size_t)shape_len(&t->shape) * tensor_item_bytes(t->kind));
}

void bench_forward(struct bench *b) {
    if (b->way.alias_y) {
        free(b->call.y.data);
        b->call.y.data = b->x[0].data;
    }
    memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    b->op->forward(&b->call);
}

act *bench_values(const struct bench *b) {
    const int64_t len = shape_len(&b->plan.y);
    act *v = bytes_new((size_t)len * sizeof *v);

    for (int64_t i = 0; i < len; i++)
        v[i] = b->call.y.kind == TENSOR_INDICES ? (act)b->call.y.indices[i] : b->call.y.data[i];
    return v;
}

void bench_divide_sum(struct bench *b) {
    const double count = b->op->count ? b->op->count(&b->call) : 0;

    for (int64_t i = 0; count > 0 && i < shape_len(&b->plan.y); i++)
        b->call.y.data[i] /= (act)count;
}

void bench_recompute(struct bench *b) {
    poison(&b->call.y);
    for (int i = 0; i < b->c->n_x; i++)
        if (i || !(b->op->memory.reads_x & 1))
            poison(&b->x[i]);
    memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    b->op->memory.recompute(&b->call);
}

void bench_backward(struct bench *b) {
    if (b->way.alias_dx) {
        free(b->dx[0].data);
        b->dx[0].data = b->call.dy.data;
    }
    const unsigned unread = b->way.wanted >> WANT_W ? 0 : b->op->memory.weights_x;
    for (int i = 0; b->way.poison && i < b->c->n_x; i++)
        if (!((b->op->memory.reads_x & ~unread) >> i & 1))
            poison(&b->x[i]);
    if (b->way.poison && !b->op->memory.reads_y)
        poison(&b->call.y);
    for (int i = 0; b->way.first && i < b->c->n_x; i++)
        if (b->op->memory.overwrites >> i & 1 && b->dx[i].data)
            poison(&b->dx[i]);
    if (b->way.first)
        b->call.dx_first = b->op->memory.overwrites;
    memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    if (b->op->memory.start_backward) {
        b->op->memory.start_backward(&b->call);
        memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    }
    b->op->backward(&b->call);
}
