/* classes.c - do the classes of the data fit the networks? */
#include "io/dataset/dataset.h"
#include "train/replica_parts.h"

#include <stdio.h>
#include <string.h>

/* A use of classes that a loss, a metric or a table chooses from. */
struct choice {
    const struct node *node;
    int field; /* of the data; -1: none */
    int n;     /* classes of the data; < 1: not known */
    int64_t limit;
};

static struct choice choice_of(const struct graph *g, int node, const struct replica_config *c) {
    struct choice out = {.node = &g->nodes[node], .field = -1};
    const int input = graph_class_input(g, node, &out.limit);
    const char *name = input < 0 ? NULL : g->nodes[out.node->x[input]].field;

    for (int i = 0; name && i < c->n_fields; i++)
        if (!strcmp(c->fields[i].name, name))
            out.field = i;
    if (out.field < 0)
        return out;
    const struct class_source *from = c->classes ? &c->classes[out.field] : NULL;
    out.n = from ? dataset_field_classes(from->data, from->field) : c->fields[out.field].n_classes;
    return out;
}

/* " (class 3 first in sample 5)" of the first sample whose class has no place; "" where none is
 * known. */
static const char *first_text(const struct choice *choice, const struct replica_config *c,
                              char *text, size_t size) {
    const struct class_source *from = c->classes ? &c->classes[choice->field] : NULL;
    const int64_t *first = from ? dataset_class_first(from->data, from->field) : NULL;
    int64_t row, there;
    int least = -1;

    *text = 0;
    for (int k = (int)choice->limit; first && k < choice->n; k++)
        if (first[k] >= 0 && (least < 0 || first[k] < first[least]))
            least = k;
    if (least < 0)
        return text;
    row = first[least];
    const char *file = dataset_origin(from->data, from->field, row, &there);
    const bool whole = file == dataset_name(from->data);
    snprintf(text, size, " (class %d first in sample %lld%s%s)", least, (long long)there,
             whole ? "" : " of ", whole ? "" : file);
    return text;
}

static const char *data_name(const struct choice *choice, const struct replica_config *c) {
    return c->classes ? dataset_name(c->classes[choice->field].data) : c->data_name;
}

int replica_check_classes(const struct graph *g, const struct replica_config *c, struct err *err) {
    char first[300];

    for (int i = 0; i < g->n_nodes; i++) {
        const struct choice choice = choice_of(g, i, c);

        if (choice.n <= choice.limit)
            continue;
        pos_error(err, choice.node->pos,
                  choice.node->op->meaning.index_limit
                      ? "%s has %d classes of %s%s, but %lld are expected here"
                      : "%s has %d classes of %s%s, but the network gives %lld numbers here",
                  data_name(&choice, c), choice.n, c->fields[choice.field].name,
                  first_text(&choice, c, first, sizeof first), (long long)choice.limit);
        err->kind = ERR_DATA;
        return -1;
    }
    return 0;
}

bool replica_spare_classes(const struct replica *r, const struct replica_config *c, char *text,
                           size_t size) {
    for (int s = 0; s < r->n_steps; s++)
        for (int i = 0; i < r->step[s].graph->n_nodes; i++) {
            const struct choice choice = choice_of(r->step[s].graph, i, c);
            const struct pos at = choice.node->pos;

            if (choice.n < 1 || choice.limit <= choice.n || choice.node->op->meaning.index_limit)
                continue;
            snprintf(
                text, size,
                "%s has %d classes of %s, but the network gives %lld numbers at %s:%d:%d: some "
                "classes never occur",
                data_name(&choice, c), choice.n, c->fields[choice.field].name,
                (long long)choice.limit, at.file, at.line, at.column);
            return true;
        }
    return false;
}
