/* fused.h - operators that compute several at once, each number read as seldom as can be: what
 * graph/fuse.h puts in the place of chains of nodes. They are no words of the language.
 *
 * Weights are those of the product, then weight and bias of the normalisation. A second input is
 * added before `then`; it has y's shape. */
#pragma once
#include "core/ops/parts/after.h"
#include "core/ops/bn.h"

struct fused {
    const struct op *product; /* conv, conv_transpose or linear, of x[0]; NULL: none */
    const void *product_args;
    int64_t n_weights; /* of the product, without bias */
    bool bias;         /* has it one? */
    bool transposed;   /* conv_transpose: weights are [.., y's channels / groups, x's] */
    int64_t groups;
    const struct bn *bn; /* NULL: no normalisation */
    struct then then;
};

/* then(bn(x) [+ other]) */
extern const struct op op_norm_act, op_norm_add_act;

/* then(product(x)) */
extern const struct op op_conv_act;

/* then(bn(product(x)) [+ other]). The product is kept in saved, or stands in y's memory where no
 * backward follows. */
extern const struct op op_conv_norm_act, op_conv_norm_add_act;

/* The same by running statistics, which are folded into weights and bias: nothing is kept.
 * Gradients of weights are never wanted. */
extern const struct op op_conv_fixed_act, op_conv_fixed_add_act;

/* What these are made of: plans of the product and of the normalisation, together. */
int fused_plan_product(const struct fused *f, const struct shape *x, struct op_plan *plan,
                       struct err *err);
int fused_plan_norm(const struct fused *f, const struct shape *x, struct op_plan *plan,
                    struct err *err);

/* The call of the product alone, and its gradients. */
struct op_call fused_product_call(const struct fused *f, const struct op_call *c);
void fused_product_backward(const struct op_call *c);

/* What comes behind the product where no statistics do; scratch: of after_scratch_bytes. */
struct after fused_after(const struct op_call *c, void *scratch);

/* Of the normalisation, its weights. */
static inline int fused_norm_weight(const struct fused *f) {
    return !f->product ? 0 : f->bias ? 2 : 1;
}
