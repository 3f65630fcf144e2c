#include "train/node_label.h"

const char *node_label(const struct graph *g, int node, struct pool *pool) {
    const struct node *n = &g->nodes[node];
    const char *path = n->part ? part_path(pool, n->part, "") : "";

    if (path[0] && n->part->name)
        return path;
    if (!n->op)
        return n->field ? n->field : "number";
    /* One step back: names stay short however long a chain without parameters is. */
    const struct node *before = n->n_x ? &g->nodes[n->x[0]] : NULL;
    if (before && before->home == n->home && before->part && before->part->name)
        return pool_print(pool, "%s.%s", part_path(pool, before->part, ""), n->op->word.name);
    const char *inside = n->inside ? part_path(pool, n->inside, "") : "";
    return inside[0] ? pool_print(pool, "%s.%s", inside, n->op->word.name) : n->op->word.name;
}
