/* optim.h - optimisers: how a gradient moves the weights. Each is one pass over flat spans. */
#pragma once
#include "core/base/tensor.h"
#include "core/base/word.h"

#include <stdbool.h>
#include <stdint.h>

enum { OPTIM_MAX_MOMENTS = 2 };

/* A contiguous piece of a network's weights, all of them with or all without weight decay: the
 * caller cuts its spans where that changes. Pieces may be taken in any order and at once by several
 * threads; the numbers do not depend on the cuts. All borrowed. */
struct optim_call {
    real *w;                         /* [len] weights, updated */
    const real *dw;                  /* [len] gradient */
    real *moment[OPTIM_MAX_MOMENTS]; /* [len] each, zeros before the first update; those from the
                                      * optimiser's n_moments on are not used */
    int64_t len;                     /* elements; may be 0 */
    double lr;                       /* what the schedule says for this update */
    double scale;                    /* of the gradient, applied first: clipping, mean; usually 1 */
    int64_t t;                       /* number of this update, counted from 1 */
    bool decay;                      /* weight_decay and l1 act on this piece */
};

struct optimizer {
    struct word word; /* first: optim_find() gives its address */
    int n_moments;    /* spans of the weights' length that it keeps between updates */
    void (*step)(const void *args, const struct optim_call *c);
};

/* Arguments. All begin with lr, so that it is found without knowing the optimiser; and all have
 *   g = scale * dw + l1 * sign(w) + weight_decay * w      (the latter two where decay is set)
 * but adamw, which takes weight_decay out of g and shrinks w by lr * weight_decay at once. */

/* buf = momentum * buf + g; w -= lr * (nesterov ? g + momentum * buf : buf). As torch.optim.SGD. */
struct optim_sgd {
    struct applied lr; /* a schedule */
    double momentum, weight_decay, l1;
    int nesterov; /* 0 or 1 */
};

/* sum += g^2; w -= lr * g / (sqrt(sum) + eps). Duchi et al. 2011; as torch.optim.Adagrad. */
struct optim_adagrad {
    struct applied lr;
    double eps, weight_decay, l1;
};

/* avg = alpha * avg + (1 - alpha) * g^2; u = g / (sqrt(avg) + eps); buf = momentum * buf + u;
 * w -= lr * buf. Hinton 2012, lecture 6e; as torch.optim.RMSprop. */
struct optim_rmsprop {
    struct applied lr;
    double alpha, eps, momentum, weight_decay, l1;
};

/* m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
 * w -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
 * adam: Kingma & Ba 2015, arXiv:1412.6980. adamw: Loshchilov & Hutter 2019, arXiv:1711.05101.
 * As torch.optim.Adam and AdamW. */
struct optim_adam {
    struct applied lr;
    double beta1, beta2, eps, weight_decay, l1;
};

/* The word (first member of its struct optimizer) of that name, or NULL. */
const struct word *optim_find(const char *name);

/* All optimisers; *n is their number. */
const struct optimizer *const *optim_table(int *n);
