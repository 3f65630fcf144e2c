/* model.h - the named networks of a job and their parameters. A network has one set of parameters
 * however often and in whatever graph it is used: its weights are one flat span, its gradients
 * another, its states (running means) a third. Graphs find parameters by name and add new ones
 * until model_allocate; after that a name that is not there is a fault of the program. */
#pragma once
#include "core/base/arena.h"
#include "core/base/names.h"
#include "core/ops/op.h"

/* One parameter or state of a network. */
struct param {
    const char *name; /* "layer1.0.conv1.weight" */
    struct shape shape;
    struct applied init;
    int64_t fan_in, fan_out;
    bool decay, norm, plain; /* as in struct op_param */
    bool frozen;             /* no step trains it: it has neither gradient nor moments */
    int64_t offset, len;     /* elements, in the network's span of weights or states */
};

struct params {
    struct param *items;
    int n;
    struct names names;  /* numbers of the items */
    int64_t len;         /* of the span, with gaps that keep each parameter 64-byte aligned */
    int64_t trained_len; /* of its beginning, where those stand that are not frozen */
};

struct net {
    const char *name;
    const struct section *section; /* its text; of arch("...") too */
    const struct value *bound;     /* [section->n_params] values of its parameters, kind 0: none */
    struct params weights, states;
    bool trained;         /* some step updates it: it has gradients */
    bool averaged;        /* and keeps a moving average of its weights */
    real *w, *dw, *state; /* the spans; dw [weights.trained_len], NULL unless trained */
    real *ema;            /* the average, as w; NULL unless averaged */
    int index;            /* in the model */
};

struct model {
    struct net **nets; /* in order of first use */
    int n_nets;
    int n_nodes;        /* of all graphs */
    struct pool pool;   /* nets, parameters, graphs' nodes: everything of planning */
    struct arena arena; /* weights, gradients, states */
    void *gradients;    /* [model_gradient_bytes] where these lie in its place, borrowed; or NULL */
};

void model_release(struct model *m);

/* The net of that name, or NULL. */
struct net *model_find(const struct model *m, const char *name);

/* A new, empty net at the end of the model; name borrowed. */
struct net *model_add(struct model *m, const char *name, const struct section *section);

/* The parameter of that name, added if it is new. *out is its index.
 * Errors: ERR_CONFIG when it exists with another shape, or when the net has more parameters than
 * any computer holds. */
int params_find_or_add(struct params *params, struct pool *pool, const char *name,
                       const struct op_param *spec, int *out, struct err *err);

/* The parameter that an element of the span is of; NULL: it is in a gap. */
const struct param *param_at(const struct params *params, int64_t element);

/* Elements that a parameter takes in its span, with the gap behind it. */
int64_t param_room(const struct param *param);

/* Place those that are frozen behind the others, which keep their order. Before plans and
 * allocation, when all parameters are known. */
void params_arrange(struct params *params);

/* Bytes that model_allocate will take; of them those of gradients. */
size_t model_bytes(const struct model *m);
size_t model_gradient_bytes(const struct model *m);

/* Reserve all spans and fill them from their initialisers; every draw is a function of seed, the
 * net's name and the parameter's name, so that adding a net changes no other. */
int model_allocate(struct model *m, uint64_t seed, struct err *err);

/* Trained elements (without gaps). */
int64_t net_n_weights(const struct net *net);
