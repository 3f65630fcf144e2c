/* op_bench.h - one operator on operands of its own, run in one way. Internal to op_check. */
#pragma once
#include "support/op_args.h"
#include "support/op_check.h"

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
    struct op_args args;
    struct tensor x[OP_ANY_INPUTS], dx[OP_ANY_INPUTS];
    real *w[OP_MAX_WEIGHTS], *state[OP_MAX_STATES];
    struct op_call call;
};

/* Is the loss differentiated by input i? */
bool bench_differentiates(const struct bench *b, int i);

/* Operands as the case has them, others random; what forward and backward write is NaN, dx and dw
 * begin with random numbers. Refusals fail the test. */
void bench_init(struct bench *b, const struct op_case *c, const struct way *way);
void bench_release(struct bench *b);

void bench_forward(struct bench *b);
void bench_recompute(struct bench *b);
void bench_backward(struct bench *b);

/* The numbers of y, whatever they are; heap. */
act *bench_values(const struct bench *b);

/* Losses and metrics give sums; what they mean, and what other programs print, are means. */
void bench_divide_sum(struct bench *b);

/* The operator of the case; fails the test where ops.def has none. */
const struct op *bench_op(const struct op_case *c);

/* Read the arguments and plan; *a is releasable after errors too. */
int bench_plan(const struct op_case *c, const struct op *op, struct op_args *a,
               struct op_plan *plan, struct err *err);
