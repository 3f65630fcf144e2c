#include "support/op_check.h"
#include "support/op_bench.h"
#include "support/op_reference.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What rounding leaves of `tolerance` in this type, which also adds in another order. */
#ifdef CORE_DOUBLE
static double within(double tolerance) {
    return tolerance;
}
#else
static double within(double tolerance) {
    return tolerance > 1e-5 ? tolerance : 1e-5;
}
#endif

static void near(const struct bench *b, const char *what, const real *found, const real *expected,
                 int64_t len, double tolerance) {
    for (int64_t i = 0; i < len; i++)
        if (!(fabs((double)(found[i] - expected[i])) <=
              tolerance * (1 + fabs((double)expected[i])))) /* NaN too */
            fail_msg("%s: %s[%lld] is %.9g, not %.9g (%s, %d threads)", b->op->word.name, what,
                     (long long)i, (double)found[i], (double)expected[i], b->way.name,
                     b->way.threads);
}

#ifdef CORE_DOUBLE
/* sum(dy * y) with *where set to value for the moment. */
static double loss_at(struct bench *b, real *where, real value) {
    const real keep = *where;
    double loss = 0;

    *where = value;
    bench_forward(b);
    *where = keep;
    for (int64_t i = 0; i < shape_len(&b->plan.y); i++)
        loss += b->call.dy.data[i] * b->call.y.data[i];
    return loss;
}

/* dv - dv0 against the slope of the loss in each of the len elements of v. */
static void compare(struct bench *b, const char *what, real *v, const real *dv, const real *dv0,
                    int64_t len) {
    const double eps = 1e-5, tolerance = b->c->tolerance > 0 ? b->c->tolerance : 1e-7;

    if (reference_asked()) {
        reference_give(dv, dv0, len);
        return;
    }
    for (int64_t i = 0; i < len; i += b->c->every ? b->c->every : 1) {
        const double up = loss_at(b, &v[i], v[i] + eps), down = loss_at(b, &v[i], v[i] - eps);
        const double slope = (up - down) / (2 * eps), ours = dv[i] - dv0[i];

        if (!(fabs(ours - slope) <= tolerance * (1 + fabs(slope)))) /* NaN fails too */
            fail_msg("%s: d%s[%lld] is %.9g, differences give %.9g", b->op->word.name, what,
                     (long long)i, ours, slope);
    }
}
#else
/* dv - dv0 against the gradients of the same test in double; v stays as it is. What is a sum over
 * many elements of y is rounded as often: errors grow as its root. */
static void compare(struct bench *b, const char *what, real *v, const real *dv, const real *dv0,
                    int64_t len) {
    const double *expected = reference_next(len);
    const double terms = len ? (double)shape_len(&b->plan.y) / (double)len : 0;
    const double tolerance = fmax(within(b->c->tolerance), 4 * FLT_EPSILON * sqrt(terms));

    (void)v;
    for (int64_t i = 0; i < len; i++) {
        const double ours = (double)dv[i] - (double)dv0[i];

        if (!(fabs(ours - expected[i]) <= tolerance * (1 + fabs(expected[i]))))
            fail_msg("%s: d%s[%lld] is %.9g, in double %.9g", b->op->word.name, what, (long long)i,
                     ours, expected[i]);
    }
}
#endif

/* `start` was made as b was and has not run: it holds what dx and dw began with. */
static void compare_all(struct bench *b, const struct bench *start) {
    for (int i = 0; i < b->c->n_x; i++)
        if (bench_differentiates(b, i)) {
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
        near(&o, "dx", o.dx[i].data, b->dx[i].data, len, over ? within(1e-12) : 0);
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
    way = (struct way){
        .name = "the only gradient wanted, unread operands poisoned", 0, 1, .poison = true};
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
    if (bench_differentiates(b, 0))
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
    if (!reference_asked())
        check_ways(&b, &start);
    bench_release(&trial);
    bench_release(&start);
    bench_release(&b);
}

static void check_values(const struct op_case *c, struct shape y, const act *y_data, bool mean) {
    const double tolerance = within(c->tolerance > 0 ? c->tolerance : 1e-6);
    const struct way ways[] = {plainly,
                               {.name = "in a team", 0, 3},
                               {.name = "y in x[0]'s memory", 0, 1, .alias_y = true},
                               {.name = "of means", 0, 1, .of_means = true}};
    const int n_ways = bench_op(c)->meaning.of_means ? 4 : 3;

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
            bench_divide_sum(&b);
        act *found_y = bench_values(&b);
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
         within(c->tolerance > 0 ? c->tolerance : 1e-6));
    bench_release(&b);
}

void check_count(const struct op_case *c, double count) {
    struct bench b;

    bench_init(&b, c, &plainly);
    const double before = b.op->count(&b.call);
    bench_forward(&b);
    const double after = b.op->count(&b.call);
    assert_true(fabs(before - count) <= 1e-12 * (1 + fabs(count)));
    assert_true(fabs(after - count) <= 1e-12 * (1 + fabs(count)));
    bench_release(&b);
}

void check_refused(const struct op_case *c, const char *msg) {
    struct op_plan plan;
    struct op_args args;
    struct err err = {0};

    const int rc = bench_plan(c, bench_op(c), &args, &plan, &err);
    op_args_release(&args);
    assert_int_equal(rc, -1);
    assert_string_equal(err.msg, msg);
    assert_int_equal(err.kind, ERR_CONFIG);
}

struct op_plan plan_of(const struct op_case *c) {
    struct op_plan plan;
    struct op_args args;
    struct err err = {0};

    if (bench_plan(c, bench_op(c), &args, &plan, &err))
        fail_msg("%s", err.msg);
    op_args_release(&args);
    return plan;
}

act *forward_of(const struct op_case *c, struct shape *y) {
    struct bench b;

    bench_init(&b, c, &plainly);
    bench_forward(&b);
    bench_divide_sum(&b);
    act *data = bench_values(&b);
    *y = b.plan.y;
    bench_release(&b);
    return data;
}
