/* optim.h - optimisers: how a gradient moves the weights. Each is one file in optim/ and one line
 * in optim.def, and computes element by element over flat spans; one that scales its step by the
 * norms of whole parameters says how to measure them. */
#pragma once
#include "core/base/parallel.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

#include <stdbool.h>
#include <stdint.h>

enum { OPTIM_MAX_MOMENTS = 2 };

/* A contiguous piece of a network's weights, all of them with or all without weight decay: the
 * caller cuts its spans where that changes. All borrowed. */
struct optim_call {
    real *w;                         /* [len] weights, updated */
    const real *dw;                  /* [len] gradient */
    real *moment[OPTIM_MAX_MOMENTS]; /* [len] each, zeros before the first update; those from the
                                      * optimiser's n_moments on are not used */
    int64_t len;                     /* elements; may be 0 */
    double lr;                       /* what the schedule says for this update */
    double scale;                    /* of the gradient, applied first: clipping, mean; usually 1 */
    int64_t t;                       /* number of this update, counted from 1 */
    bool decay;                      /* an ordinary weight: penalties act on it; false: a bias, the
                                      * scale or offset of a normalisation */
    bool norm;                       /* the latter */
};

/* Norms of a whole parameter. */
struct optim_norms {
    double w;    /* of the weights before the update */
    double step; /* of what the optimiser measures beside them */
};

struct optimizer {
    struct word word; /* first: optim_find() gives its address. Its arguments have an `lr` */
    int n_moments;    /* spans of the weights' length that it keeps between updates */
    /* NULL, or: the step needs norms of whole parameters. Adds the squares of a piece to those of
     * the weights and of the step; moves nothing. */
    void (*measure)(const void *args, const struct optim_call *c, struct optim_norms *squares);
    /* NULL, or: takes this piece for one with decay, whatever the caller says. */
    bool (*adapts)(const void *args, const struct optim_call *c);
    /* Update a piece, whose numbers must not depend on where it was cut.
     *   norms  of the parameter that it belongs to; NULL where none were measured */
    void (*step)(const void *args, const struct optim_call *c, const struct optim_norms *norms);
};

/* Must a piece be a whole parameter, with its whole gradient? */
static inline bool optim_whole(const struct optimizer *o) {
    return o->measure != NULL;
}

/* Update a piece by all threads of the team. Pieces may be taken in any order; the bits depend
 * neither on the team nor, unless optim_whole(), on where the pieces are cut.
 *   args  the arguments of o->word, as the job gives them */
void optim_update(const struct optimizer *o, const void *args, const struct optim_call *c,
                  struct team *team);

/* The schedule that an optimiser was given for its argument of that name, "lr" of all; NULL for an
 * argument that it does not have or that takes none. */
const struct applied *optim_schedule(const struct applied *optimizer, const char *name);

/* The word (first member of its struct optimizer) of that name, or NULL. */
const struct word *optim_find(const char *name);

/* All optimisers; *n is their number. */
const struct optimizer *const *optim_table(int *n);
