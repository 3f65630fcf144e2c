/* fuse.h - a pass over a graph before it is planned: chains of operators become single ones, which
 * read and write each number less often.
 *   conv | bn [+ z] [| relu], bn [+ z] [| relu], conv | relu
 * and likewise conv_transpose and linear in place of conv, relu6 and leaky_relu in place of relu.
 * The operators themselves know nothing of this, nor does anything that is looked at by the user:
 * parameters keep their names, order, decay and state. */
#pragma once
#include "core/graph/graph.h"

/* Rewrite g. A fused node stands where the last one of its chain stood; the others become numbers
 * that nobody reads. What more than one node reads, or keep names, stays, and so do chains whose
 * parts are frozen differently.
 *   keep      [n_keep] nodes whose values are wanted: all outputs of plans of this graph
 *   training  as plans of this graph will be. Of others no gradients can be wanted: bn is folded
 *             into the weights before it
 * Returns the number of chains; 0 where the graph's mode is without fusion. */
int graph_fuse(struct graph *g, const int *keep, int n_keep, bool training);
