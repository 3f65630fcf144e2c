/* op.h - what an operator is. The smallest complete example is ops/avgpool.c.
 *
 * An operator is one const struct op, named in ops.def. It declares its arguments,
 * plans its output and memory, and computes. plan() is the only function that may fail;
 * the graph calls it before any number is allocated. Losses and metrics are operators too. */
#pragma once
#include "core/base/err.h"
#include "core/base/mode.h"
#include "core/base/parallel.h"
#include "core/base/ranks.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

enum { OP_MAX_WEIGHTS = 4, OP_MAX_STATES = 2, OP_ANY_INPUTS = 16 };

/* A trained tensor or a saved, untrained one (running mean). */
struct op_param {
    const char *name; /* "weight": the last part of the parameter's name; static */
    struct shape shape;
    struct applied init;     /* word NULL: zeros */
    int64_t fan_in, fan_out; /* for the initialiser */
    bool decay;              /* subject to weight decay */
    bool norm;               /* scale or offset of a normalisation */
    bool plain;              /* of two dimensions or more, but no [.., inputs, outputs]: PyTorch's
                              * has the same order (embedding) */
};

/* What an operator needs, said before any memory exists. */
struct op_plan {
    int64_t batch;  /* given: samples that this rank computes at a time */
    bool bias_auto; /* given: what bias=auto means here: true unless batch norm follows */
    const struct compute_mode *mode; /* given; NULL: the usual one */

    struct shape y;
    enum tensor_kind y_kind;
    int64_t n_classes;                    /* of class indices in y: they are below this */
    struct op_param w[OP_MAX_WEIGHTS];    /* shape.rank 0: not used */
    struct op_param state[OP_MAX_STATES]; /* saved with the weights, not trained */
    size_t saved_bytes;                   /* kept from forward to backward: positions of maxima */
    size_t scratch_bytes;                 /* shared by all operators, valid within one call */
    /* Whom it talks to in forward and backward of training, which are called with 0 samples (dim[0]
     * of all shapes) where there are none. */
    struct ranks_group ranks;
    /* Values of a channel in one sample, where training normalises by statistics over samples,
     * which are nothing of one value alone; 0: it takes none. */
    int64_t normalised;
    double flops;               /* of forward, a multiply-add counted as 2 */
    struct ints kernel, stride; /* of a window over h, w: its extent in input pixels (dilation
                                 * included) and step; n = 0: every output sees one pixel */
};

/* y is one mean, of losses and metrics. */
static inline void op_plan_mean(struct op_plan *plan) {
    plan->y = (struct shape){1, {1}};
    plan->y_kind = TENSOR_REALS;
}

/* The operands of one call, all borrowed. Inputs are acts but for those that op_meaning names. */
struct op_call {
    const void *args;
    const struct tensor *x;  /* [n_x] */
    const struct tensor *dx; /* [n_x]; data NULL where nobody wants the gradient */
    int n_x;
    unsigned dx_first; /* bit k: dx[k] holds nothing yet and is overwritten; of op->overwrites */
    struct tensor y, dy;
    const real *w[OP_MAX_WEIGHTS]; /* NULL where not planned */
    real *dw[OP_MAX_WEIGHTS];      /* NULL where not wanted */
    real *state[OP_MAX_STATES];
    void *saved, *scratch;
    uint64_t key;              /* all randomness is a function of key, first and element index */
    int64_t first;             /* position of this rank's sample 0 in the global batch */
    struct team *team;         /* NULL: one thread */
    const struct ranks *ranks; /* the group that the plan asked for; NULL: it is alone */
    bool training;
    const struct compute_mode *mode; /* that of the plan */
};

/* How little memory it can do with. {0}: nothing is read in backward, nothing shared. */
struct op_memory {
    /* What backward reads, so that memory can be reused: bit i of reads_x: the values of x[i]. */
    unsigned reads_x;
    bool reads_y;
    unsigned weights_x; /* those of reads_x that are read for gradients of weights only */
    /* Bit i: backward honours dx_first for x[i], in place of adding to zeros. */
    unsigned overwrites;
    /* y may be x[0]'s memory and dx[0] dy's: element-wise, shape kept. Where they alias, dx = dy's
     * memory on entry and backward overwrites it (c->dx[0].data == c->dy.data). */
    bool in_place;
    bool saves_all; /* saved is for backward alone: NULL where none follows */
    /* Fill y once more with what forward left there, from x[0] (if reads_x has bit 0) and saved; in
     * a small part of forward's time. NULL: that cannot be. */
    void (*recompute)(const struct op_call *c);
    /* What backward begins with, once, where it is two steps: overwrite dy, which nobody else reads
     * any more, by what `backward` is to read there. Here y and saved are read and gradients of
     * x[1] .. are added to; in `backward` those of x[0]. NULL: one step. */
    void (*start_backward)(const struct op_call *c);
};

/* How the value moves with the inputs, of arithmetic on losses and metrics; OP_GROWTH: it grows
 * with x[0], and is no weighted sum. */
enum op_arithmetic { OP_NO_ARITHMETIC, OP_SUM, OP_DIFFERENCE, OP_PRODUCT, OP_QUOTIENT, OP_GROWTH };

/* What its inputs and its value mean, for those who must know more than numbers. */
struct op;

struct op_meaning {
    bool cancels_bias; /* a constant added to x[0] changes nothing: bn */
    unsigned index_x;  /* bit k: x[k] is class indices; negative: does not count */
    unsigned share_x;  /* bit k: x[k] is from 0 to 1, so that of classes there are two */
    bool tally;        /* y are shares of all terms: how often something occurs */
    bool binary;       /* where one channel is the score of class 1 of two */
    enum op_arithmetic arithmetic;
    unsigned means_x;  /* bit k: x[k] is a metric, as reals: what this one is computed from */
    bool of_means;     /* computes in reals, forward alone, where y is to be reals: arithmetic */
    unsigned counts_x; /* bit k: count() reads the values of x[k], not its shape alone */
    /* y is of all samples at once, and no mean of them: forward is called with what all ranks have
     * of x, in whatever order, where nothing else can be made of a metric. */
    bool whole;
    /* What it is computed from where its inputs are tensors, with the same inputs and arguments:
     * sums over samples, as of a metric. NULL: its inputs are what it takes. */
    const struct op *sums;
    signed char better; /* of metrics: 1 where larger is better, -1 where smaller; 0: not said */
    /* What class indices must be below; NULL: the channels of x[0]. */
    int64_t (*index_limit)(const void *args);
    /* What computes it, with the same arguments, where x[1] is numbers in the dimensions of x[0]: a
     * share for each class. NULL: x[1] is class indices only. */
    const struct op *of_shares;
};

/* Its part in a chain of operators that is computed as one: see graph/fuse.h. */
enum fusion_role {
    FUSION_NONE,
    FUSION_PRODUCT, /* w[0] times x[0], and w[1] if planned: a bias. One with a state has no part */
    FUSION_NORM,    /* bn: its arguments are those of ops/bn.h */
    FUSION_ADD,     /* x[0] + x[1] */
    FUSION_ACTIVATION, /* of every element by itself, as then() says */
};

struct then;

struct op_fusion {
    enum fusion_role role;
    bool transposed; /* product: w[0] is [.., channels of y / groups, of x], not [.., of x, of y] */
    int (*groups)(const void *args);       /* product: of channels; NULL: one */
    struct then (*then)(const void *args); /* activation; ops/parts/then.h */
};

struct op {
    struct word word; /* the word in the job language, with its arguments */
    int min_x, max_x; /* number of tensor inputs; a number is accepted in place of a tensor and
                       * arrives as shape {1, {1}} */

    /* Fill the plan, zeroed but for what is given, from arguments and input shapes. Pure.
     * Returns 0, or -1 with err set (ERR_CONFIG), in words that the author of the job used,
     * beginning with the operator's name. Must give y.dim[0] = x.dim[0] for batches: the graph
     * plans again when a batch is smaller. */
    int (*plan)(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err);
    /* Losses and metrics, which are means over the samples of all ranks. forward gives this rank's
     * sum of terms, y of reals and shape {1, {1}}, or {.., {1, ..}} for metrics that are several
     * means at once; count() how many terms it has (after class weights and ignored elements). It
     * is called right after forward, and before it where all that counts_x names is data. dy is the
     * slope along the sum: that along the mean divided by the terms of all ranks; 0 where there are
     * none. Backward must not read y. NULL for all others. */
    double (*count)(const struct op_call *c);
    /* Overwrite y, saved and state. */
    void (*forward)(const struct op_call *c);
    /* Add to every wanted dx and dw: a tensor that is read twice gets both gradients. Overwrite
     * what dx_first names.
     * NULL: no gradient passes (metrics, noise, detach). */
    void (*backward)(const struct op_call *c);

    struct op_memory memory;
    struct op_meaning meaning;
    struct op_fusion fusion;
};

/* The operator of that name or alias, or NULL. Static lifetime. */
const struct op *op_find(const char *name);

/* What it takes its input k for. */
static inline enum tensor_kind op_x_kind(const struct op *op, int k) {
    return op->meaning.index_x >> k & 1   ? TENSOR_INDICES
           : op->meaning.means_x >> k & 1 ? TENSOR_REALS
                                          : TENSOR_ACTS;
}

/* Which of its inputs holds class indices (-1: none), and below what they must be.
 *   x  shapes of the inputs */
int op_class_input(const struct op *op, const void *args, const struct shape *x, int64_t *limit);

/* The class index that its arguments leave out; -1: no other than negative ones. */
int op_ignored(const struct op *op, const void *args);

/* All operators in the order of ops.def; *n is their number. */
const struct op *const *op_table(int *n);

/* The i-th of the words that mean an operator of another name; NULL past the last. */
const struct word *op_alias_at(int i);
