/* node_label.h - what a node of a graph is called where it is shown to people. */
#pragma once
#include "core/graph/graph.h"

/* Its own part, "layer1.0.conv1"; of an operator without parameters what it follows and its word,
 * "layer1.0.bn1.relu", or the word alone. In pool. A fused node is called as its first part. */
const char *node_label(const struct graph *g, int node, struct pool *pool);
