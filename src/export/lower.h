/* lower.h - from a graph of ours to one of ONNX, operator by operator.
 *
 * Values keep their meaning and change their order: ours [n, spatial..., c] is ONNX's
 * [n, c, spatial...]; what has two dimensions or fewer, and class indices, are the same in both.
 * Weights are turned once, into PyTorch's order (io/weights/layout.h), which is ONNX's. Everything
 * computes as in validation: dropout is gone, batch norm takes its running statistics. */
#pragma once
#include "core/graph/graph.h"
#include "export/onnx_build.h"

struct lowering {
    struct onnx_build out;
    const struct graph *graph;
    const struct net *net; /* whose parameters keep their names; those of others begin with NET. */
    bool fold;             /* batch norm into the weights before it */
    bool *live;            /* [graph->n_nodes] the output depends on it */
    const char **value;    /* [graph->n_nodes] what holds a node's value; NULL: nothing yet */
};

/* How one operator is said in ONNX. */
struct lower_op {
    const char *word; /* of the language */
    const char *as;   /* operators of ONNX that it becomes, for the reader of the docs */
    /* Add what computes the node; returns the name of its value. NULL with err where ONNX cannot
     * say it with these arguments: ERR_CONFIG in words without a place. */
    const char *(*lower)(struct lowering *l, int node, struct err *err);
};

/* Tables by kind of operator, each ends with {0}. */
extern const struct lower_op lower_ops_window[], lower_ops_norm[], lower_ops_math[],
    lower_ops_shape[];

/* The row of that operator, or NULL; the i-th of all rows, NULL past the last. */
const struct lower_op *lower_find(const char *word);
const struct lower_op *lower_at(int i);

/* Add everything that `output` depends on, from nodes whose value is set. Errors: ERR_CONFIG with
 * the place in the job, where an operator cannot be said. */
int lower_graph(struct lowering *l, int output, struct err *err);

/* What helps the rows of the tables. */

static inline const struct node *lower_node(const struct lowering *l, int node) {
    return &l->graph->nodes[node];
}

/* The value of a node's input k; its shape as we have it. */
const char *lower_x(const struct lowering *l, int node, int k);
const struct shape *lower_shape(const struct lowering *l, int node, int k);

/* Arguments of a node by name. */
int lower_int(const struct lowering *l, int node, const char *name);
double lower_real(const struct lowering *l, int node, const char *name);
const struct ints *lower_ints(const struct lowering *l, int node, const char *name);

/* A node's weight or state k: its numbers; its name in the file. */
const float *lower_weights(const struct lowering *l, int node, int k);
const float *lower_states(const struct lowering *l, int node, int k);
const char *lower_name(struct lowering *l, int node, const struct op_param *param);

/* A vector of a node, made once: weight k as it is, or, where rank > 2, as [c, 1 ...] that
 * stretches over [n, c, spatial...]. */
const char *lower_vector(struct lowering *l, int node, int k, int rank);
const char *lower_state(struct lowering *l, int node, int k);

/* The batch norm that a product is folded into, or -1. */
int lower_folded(const struct lowering *l, int node);

/* Our shape as ONNX has it: dim[rank], of which the first is 0, "as it is". Returns rank. */
int lower_dims(const struct shape *ours, int64_t dim[SHAPE_MAX_RANK]);

/* A value with its channels last, and one of [n, spatial..., c] with its channels second. */
const char *lower_channels_last(struct lowering *l, const char *x, int rank);
const char *lower_channels_second(struct lowering *l, const char *x, int rank);
