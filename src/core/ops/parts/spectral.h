/* spectral.h - spectral normalisation: weights divided by their largest singular value u^T W v,
 * estimated by one step of power iteration in each forward of training, which moves the states u
 * and v; in evaluation they stay. The weights are a matrix W [outputs, rest], as in
 * torch.nn.utils.spectral_norm. Gradients take u and v as constants.
 * States: weight_u [outputs]; weight_v [rest] in PyTorch's order, inputs x pixels of the kernel,
 * zeros where none was computed yet: then it follows from u. Source: Miyato et al. 2018,
 * arXiv:1802.05957 */
#pragma once
#include "core/ops/op.h"

/* Weights [n, rows, cols]. */
struct spectral {
    bool on; /* false: everything below leaves the weights alone */
    int64_t n, rows, cols;
    int64_t inputs; /* of the rest, beside pixels */
    bool out_rows;  /* rows are outputs (transposed convolutions), otherwise cols are */
};

/* Of weights [..., inputs, outputs], or [..., outputs, inputs] where out_rows. */
struct spectral spectral_of(bool on, const struct shape *w, bool out_rows);

/* Add states 0 and 1, what is saved, and scratch to a plan whose scratch_bytes is that of the rest.
 */
void spectral_plan(const struct spectral *s, struct op_plan *plan);

/* Forward: the weights to compute with, c->w[0] or in scratch. Moves the states in training. */
const real *spectral_forward(const struct spectral *s, const struct op_call *c);

/* Backward: the same weights again; until the next function is called. */
const real *spectral_weights(const struct spectral *s, const struct op_call *c);

/* Backward: zeros in scratch to which the gradient of those weights is added, or c->dw[0] itself;
 * and then c->dw[0] += what follows from it. */
real *spectral_gradient(const struct spectral *s, const struct op_call *c);
void spectral_backward(const struct spectral *s, const struct op_call *c);

/* Scratch for the rest of the operator. */
void *spectral_rest(const struct spectral *s, const struct op_call *c);

extern const char *const spectral_no_yes[];

#define SPECTRAL_SPEC(args)                                                                        \
    {                                                                                              \
        .name = "spectral", .kind = ARG_WORD, .offset = offsetof(args, spectral),                  \
        .words = spectral_no_yes, .help = "weights divided by their largest singular value"        \
    }
