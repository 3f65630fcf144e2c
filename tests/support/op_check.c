/* Here acts and reals are double, and .data reads both. */
#include "support/op_check.h"

#include "core/base/rng.h"
#include "core/ops/parts/init.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WANT_W = OP_ANY_INPUTS, WANT_ALL = (1 << (WANT_W + OP_MAX_WEIGHTS)) - 1 };

/* How one operator is run: bit i of wanted is dx[i], bit WANT_W + i is dw[i]. */
struct way {
    const char *name;
    unsigned wanted;
    int threads;
    bool poison, alias_y, alias_dx, first, recompute, of_means;
};

static const struct way plainly = {.name = "plainly", WANT_ALL, 1};

/* One operator and operands of its own. */
struct bench {
    const struct op_case *c;
    const struct op *op;
    struct op_plan plan;
    struct way way;
    void *args;
    struct tensor x[OP_ANY_INPUTS], dx[OP_ANY_INPUTS];
    real *w[OP_MAX_WEIGHTS], *state[OP_MAX_STATES];
    struct op_call call;
};

static void *bytes_new(size_t n_bytes) { /* exact, so that the sanitizer sees the end */
    void *memory = NULL;

    assert_int_equal(posix_memalign(&memory, 64, n_bytes ? n_bytes : 1), 0);
    memset(memory, 0xff, n_bytes); /* NaN */
    return memory;
}

static double *numbers_new(const double *from, int64_t len, uint64_t id) {
    double *v = bytes_new((size_t)len * sizeof *v);
    const uint64_t key = rng_key(1, RNG_TEST, id, 0);

    for (int64_t i = 0; i < len; i++)
        v[i] = from ? from[i] : 2 * (double)rng_uniform(key, (uint64_t)i) - 1;
    return v;
}

/* The numbers, which are freed, as class indices. */
static int32_t *indices_new(double *numbers, int64_t len) {
    int32_t *v = bytes_new((size_t)len * sizeof *v);

    for (int64_t i = 0; i < len; i++)
        v[i] = (int32_t)floor(numbers[i]);
    free(numbers);
    return v;
}

static bool differentiated(const struct bench *b, int i) {
    return !(b->c->constant >> i & 1) && op_x_kind(b->op, i) != TENSOR_INDICES;
}

static enum tensor_kind kind_of(const struct bench *b, int i) {
    return b->way.of_means ? TENSOR_REALS : op_x_kind(b->op, i);
}

static void *arguments_new(const struct op *op, const void *given) {
    void *args = bytes_new(op->word.args_size);

    if (given)
        memcpy(args, given, op->word.args_size);
    else
        word_defaults(&op->word, args);
    return args;
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

static void bench_init(struct bench *b, const struct op_case *c, const struct way *way) {
    struct err err = {0};

    *b = (struct bench){.c = c, .op = c->internal ? c->internal : op_find(c->op), .way = *way};
    if (!b->op)
        fail_msg("no operator %s in ops.def", c->op);
    b->args = arguments_new(b->op, c->args);
    b->plan.batch = c->batch ? c->batch : c->x[0].dim[0];
    b->plan.bias_auto = !c->no_bias;
    if (b->op->plan(b->args, c->x, c->n_x, &b->plan, &err))
        fail_msg("%s", err.msg);
    b->call = (struct op_call){.args = b->args, .x = b->x, .dx = b->dx, .n_x = c->n_x};
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
        if (way->wanted >> i & 1 && differentiated(b, i))
            b->dx[i].data = numbers_new(NULL, len, 100 + (uint64_t)i);
    }
    bench_params(b);
    b->call.saved = bytes_new(b->plan.saved_bytes);
    b->call.scratch = bytes_new(b->plan.scratch_bytes);
    b->call.key = c->key, b->call.first = c->first, b->call.training = !c->evaluate;
    for (int64_t i = 0; b->op->count && i < shape_len(&b->plan.y); i++)
        b->call.dy.data[i] /= 1 + b->op->count(&b->call); /* as large as that of a mean */
    if (team_new(&b->call.team, way->threads, &err))
        fail_msg("%s", err.msg);
}

static void bench_release(struct bench *b) {
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
    free(b->args);
    team_free(b->call.team);
}

static void poison(struct tensor *t) {
    memset(t->data, 0xff, (size_t)shape_len(&t->shape) * tensor_item_bytes(t->kind));
}

static void bench_forward(struct bench *b) {
    if (b->way.alias_y) {
        free(b->call.y.data);
        b->call.y.data = b->x[0].data;
    }
    memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    b->op->forward(&b->call);
}

/* The numbers of y, whatever they are; heap. */
static act *values_of(const struct bench *b) {
    const int64_t len = shape_len(&b->plan.y);
    act *v = bytes_new((size_t)len * sizeof *v);

    for (int64_t i = 0; i < len; i++)
        v[i] = b->call.y.kind == TENSOR_INDICES ? b->call.y.indices[i] : b->call.y.data[i];
    return v;
}

/* Losses and metrics give sums; what they mean, and what other programs print, are means. */
static void divide_sum(struct bench *b) {
    const double count = b->op->count ? b->op->count(&b->call) : 0;

    for (int64_t i = 0; count > 0 && i < shape_len(&b->plan.y); i++)
        b->call.y.data[i] /= count;
}

static void bench_recompute(struct bench *b) {
    poison(&b->call.y);
    for (int i = 0; i < b->c->n_x; i++)
        if (i || !(b->op->memory.reads_x & 1))
            poison(&b->x[i]);
    memset(b->call.scratch, 0xff, b->plan.scratch_bytes);
    b->op->memory.recompute(&b->call);
}

static void bench_backward(struct bench *b) {
    if (b->way.alias_dx) {
        free(b->dx[0].data);
        b->dx[0].data = b->call.dy.data;
    }
    for (int i = 0; b->way.poison && i < b->c->n_x; i++)
        if (!(b->op->memory.reads_x >> i & 1))
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

static void near(const struct bench *b, const char *what, const double *found,
                 const double *expected, int64_t len, double tolerance) {
    for (int64_t i = 0; i < len; i++)
        if (!(fabs(found[i] - expected[i]) <= tolerance * (1 + fabs(expected[i])))) /* NaN too */
            fail_msg("%s: %s[%lld] is %.9g, not %.9g (%s, %d threads)", b->op->word.name, what,
                     (long long)i, found[i], expected[i], b->way.name, b->way.threads);
}

/* sum(dy * y) with *where set to value for the moment. */
static double loss_at(struct bench *b, double *where, double value) {
    const double keep = *where;
    double loss = 0;

    *where = value;
    bench_forward(b);
    *where = keep;
    for (int64_t i = 0; i < shape_len(&b->plan.y); i++)
        loss += b->call.dy.data[i] * b->call.y.data[i];
    return loss;
}

/* dv - dv0 against the slope of the loss in each of the len elements of v. */
static void compare(struct bench *b, const char *what, double *v, const double *dv,
                    const double *dv0, int64_t len) {
    const double eps = 1e-5, tolerance = b->c->tolerance > 0 ? b->c->tolerance : 1e-7;

    for (int64_t i = 0; i < len; i += b->c->every ? b->c->every : 1) {
        const double up = loss_at(b, &v[i], v[i] + eps), down = loss_at(b, &v[i], v[i] - eps);
        const double slope = (up - down) / (2 * eps), ours = dv[i] - dv0[i];

        if (!(fabs(ours - slope) <= tolerance * (1 + fabs(slope)))) /* NaN fails too */
            fail_msg("%s: d%s[%lld] is %.9g, differences give %.9g", b->op->word.name, what,
                     (long long)i, ours, slope);
    }
}

/* `start` was made as b was and has not run: it holds what dx and dw began with. */
static void compare_all(struct bench *b, const struct bench *start) {
    for (int i = 0; i < b->c->n_x; i++)
        if (differentiated(b, i)) {
            const char what[] = {'x', '[', (char)('0' + i / 10), (char)('0' + i % 10), ']', 0};

            compare(b, what, b->x[i].data, b->dx[i].data, start->dx[i].data,
                    shape_len(&b->x[i].shape));
        }
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        compare(b, b->plan.w[i].name, b->w[i], b->call.dw[i], start->call.dw[i],
                shape_len(&b->plan.w[i].shape));
}

/* Run another way and expect the numbers of `b`: the same bits (tolerance 0), or nearly so where
 * backward overwrites dx in place of adding to what `start` holds. */
static void check_way(const struct bench *b, const struct bench *start, const struct way *way) {
    struct bench o;

    bench_init(&o, b->c, way);
    bench_forward(&o);
    if (way->recompute)
        bench_recompute(&o);
    near(&o, "y", o.call.y.data, b->call.y.data, shape_len(&b->plan.y), 0);
    bench_backward(&o);
    for (int i = 0; i < b->c->n_x; i++) {
        const int64_t len = shape_len(&b->x[i].shape);
        const bool over =
            (!i && way->alias_dx) || (way->first && b->op->memory.overwrites >> i & 1);

        if (!o.dx[i].data)
            continue;
        for (int64_t j = 0; over && j < len; j++)
            o.dx[i].data[j] += start->dx[i].data[j];
        near(&o, "dx", o.dx[i].data, b->dx[i].data, len, over ? 1e-12 : 0);
    }
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        if (o.call.dw[i])
            near(&o, "dw", o.call.dw[i], b->call.dw[i], shape_len(&b->plan.w[i].shape), 0);
    for (int i = 0; i < OP_MAX_STATES; i++)
        near(&o, "state", o.state[i], b->state[i], shape_len(&b->plan.state[i].shape), 0);
    bench_release(&o);
}

/* y may lie in x[0]'s memory where forward is all there is, dx[0] in dy's always. */
static bool may_alias_y(const struct bench *b) {
    return b->op->memory.in_place && shape_len(&b->x[0].shape) == shape_len(&b->plan.y);
}

static void check_ways(const struct bench *b, const struct bench *start) {
    struct way way = plainly;

    for (way.threads = 2; way.threads <= 3; way.threads++)
        check_way(b, start, &way);
    way = (struct way){.name = "unread operands poisoned", WANT_ALL, 1, .poison = true};
    check_way(b, start, &way);
    way = (struct way){.name = "y recomputed", WANT_ALL, 1, .recompute = true};
    if (b->op->memory.recompute)
        check_way(b, start, &way);
    way = (struct way){.name = "the only gradient wanted", 0, 1};
    check_way(b, start, &way);
    for (int i = 0; i < WANT_W + OP_MAX_WEIGHTS; i++) {
        way.wanted = 1u << i;
        if (i < b->c->n_x || i >= WANT_W)
            check_way(b, start, &way);
    }
    way = (struct way){.name = "dx overwritten", WANT_ALL, 2, .first = true};
    if (b->op->memory.overwrites)
        check_way(b, start, &way);
    if (!may_alias_y(b))
        return;
    way = (struct way){.name = "y in x[0]'s memory", WANT_ALL, 2, .alias_y = true};
    if (!(b->op->memory.reads_x & 1))
        check_way(b, start, &way);
    way = (struct way){.name = "dx[0] in dy's memory", WANT_ALL, 2, .alias_dx = true};
    if (differentiated(b, 0))
        check_way(b, start, &way);
}

void check_gradients(const struct op_case *c) {
    struct bench b, start, trial;

    bench_init(&b, c, &plainly);
    bench_init(&start, c, &plainly);
    bench_init(&trial, c, &plainly);
    if (!b.op->backward)
        fail_msg("%s has no backward", c->op);
    bench_forward(&b);
    bench_backward(&b);
    for (int i = 0; i < c->n_x; i++) /* trial: forward may run again and again, states move on */
        if (trial.dx[i].data)
            memcpy(trial.dx[i].data, b.dx[i].data, (size_t)shape_len(&c->x[i]) * sizeof(act));
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        if (trial.call.dw[i])
            memcpy(trial.call.dw[i], b.call.dw[i],
                   (size_t)shape_len(&b.plan.w[i].shape) * sizeof(real));
    compare_all(&trial, &start);
    check_ways(&b, &start);
    bench_release(&trial);
    bench_release(&start);
    bench_release(&b);
}

static void check_values(const struct op_case *c, struct shape y, const act *y_data, bool mean) {
    const double tolerance = c->tolerance > 0 ? c->tolerance : 1e-6;
    const struct way ways[] = {plainly,
                               {.name = "in a team", 0, 3},
                               {.name = "y in x[0]'s memory", 0, 1, .alias_y = true},
                               {.name = "of means", 0, 1, .of_means = true}};
    const struct op *op = c->internal ? c->internal : op_find(c->op);
    const int n_ways = op && op->meaning.of_means ? 4 : 3;

    for (int i = 0; i < n_ways; i++) {
        struct bench b;
        char found[SHAPE_TEXT], expected[SHAPE_TEXT];

        bench_init(&b, c, &ways[i]);
        if (!shape_equal(&b.plan.y, &y))
            fail_msg("%s: y is %s, not %s", c->op, shape_text(&b.plan.y, found),
                     shape_text(&y, expected));
        b.way.alias_y = ways[i].alias_y && c->n_x && may_alias_y(&b);
        bench_forward(&b);
        if (mean)
            divide_sum(&b);
        act *found_y = values_of(&b);
        near(&b, "y", found_y, y_data, shape_len(&y), tolerance);
        free(found_y);
        bench_release(&b);
    }
}

void check_output(const struct op_case *c, struct shape y, const act *y_data) {
    check_values(c, y, y_data, true);
}

void check_sum(const struct op_case *c, struct shape y, const act *y_data) {
    check_values(c, y, y_data, false);
}

void check_state(const struct op_case *c, int i, const real *state) {
    struct bench b;

    bench_init(&b, c, &plainly);
    bench_forward(&b);
    near(&b, b.plan.state[i].name, b.state[i], state, shape_len(&b.plan.state[i].shape),
         c->tolerance > 0 ? c->tolerance : 1e-6);
    bench_release(&b);
}

void check_count(const struct op_case *c, double count) {
    struct bench b;

    bench_init(&b, c, &plainly);
    const double before = b.op->count(&b.call);
    bench_forward(&b);
    const double after = b.op->count(&b.call);
    near(&b, "count before forward", &before, &count, 1, 1e-12);
    near(&b, "count", &after, &count, 1, 1e-12);
    bench_release(&b);
}

void check_refused(const struct op_case *c, const char *msg) {
    const struct op *op = op_find(c->op);
    struct op_plan plan = {.batch = c->batch ? c->batch : c->x[0].dim[0], .bias_auto = !c->no_bias};
    struct err err = {0};

    if (!op)
        fail_msg("no operator %s in ops.def", c->op);
    void *args = arguments_new(op, c->args);
    const int rc = op->plan(args, c->x, c->n_x, &plan, &err);
    free(args);
    assert_int_equal(rc, -1);
    assert_string_equal(err.msg, msg);
    assert_int_equal(err.kind, ERR_CONFIG);
}

act *forward_of(const struct op_case *c, struct shape *y) {
    struct bench b;

    bench_init(&b, c, &plainly);
    bench_forward(&b);
    divide_sum(&b);
    act *data = values_of(&b);
    *y = b.plan.y;
    bench_release(&b);
    return data;
}
