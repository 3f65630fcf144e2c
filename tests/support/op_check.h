/* op_check.h - the questions that every operator's test asks. */
#pragma once
#include "core/ops/op.h"

/* One operator on operands of its own; {0} where nothing is said. Random numbers are uniform in
 * (-1, 1) and the same in every run. */
struct op_case {
    const char *op;
    const void *args; /* the operator's own struct, copied; NULL: what `with` says */
    int n_x;
    struct shape x[OP_ANY_INPUTS];
    const act *x_data[OP_ANY_INPUTS]; /* NULL: random */
    unsigned constant; /* bit i: x[i] is not differentiated; class indices never are */
    const real *w_data[OP_MAX_WEIGHTS];    /* NULL: random */
    const real *state_data[OP_MAX_STATES]; /* NULL: as initialised */
    bool evaluate;                         /* false: training */
    bool no_bias;                          /* what plan is told of bias=auto, negated */
    int64_t batch;                         /* 0: x[0].dim[0] */
    uint64_t key;
    int64_t first;
    int64_t every;             /* differences are taken in every so many elements; 0: in all */
    double tolerance;          /* |found - expected| <= tolerance * (1 + |expected|); 0: 1e-7 for
                                * gradients, 1e-6 for outputs */
    const char *with;          /* arguments as a job writes them: "8, 3, stride=2" */
    const struct op *internal; /* that is no word of the language, in place of op */
};

/* Backward agrees with central differences of forward, in double, for every gradient; in float with
 * what the same test in double finds. And
 *   - backward adds: dx and dw start from random numbers;
 *   - forward overwrites y, and neither direction relies on what scratch held before;
 *   - a gradient is the same when it is the only one wanted, and the others are left alone;
 *   - backward reads no x and no y but those that reads_x and reads_y name;
 *   - recompute, where there is one, gives y once more;
 *   - where in_place, y in x[0]'s memory and dx[0] in dy's give the same numbers;
 *   - teams of 2 and 3 threads give the same bits as one thread. */
void check_gradients(const struct op_case *c);

/* Forward gives exactly this shape and these numbers, which come from elsewhere; teams and y in
 * x[0]'s memory too, and reals where it is arithmetic of means. Of losses and metrics the numbers
 * are means: y over what count() says. */
void check_output(const struct op_case *c, struct shape y, const act *y_data);

/* The same of a loss or metric before it is divided: the sum of its terms. */
void check_sum(const struct op_case *c, struct shape y, const act *y_data);

/* After one forward, state i holds these numbers, which come from elsewhere. */
void check_state(const struct op_case *c, int i, const real *state);

/* count() gives this, before forward and after it. */
void check_count(const struct op_case *c, double count);

/* Planning fails with exactly this message, of kind ERR_CONFIG. */
void check_refused(const struct op_case *c, const char *msg);

/* What the operator plans; its refusal fails the test. Nothing of it may be used that init= among
 * the arguments has said: those are gone. */
struct op_plan plan_of(const struct op_case *c);

/* y of one forward (of losses and metrics over what count() says), of shape *y; heap, the caller
 * frees. */
act *forward_of(const struct op_case *c, struct shape *y);
