/* classes.c - do the fields of the data, and their classes, fit the networks? */
#include "core/ops/parts/convert.h"
#include "io/dataset/dataset.h"
#include "train/replica_parts.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_TEXT = 300 };

/* The field that is an input of a node, as it is or as numbers, or NULL. */
static const struct field *input_field(const struct graph *g, int node, int input,
                                       const struct replica_data *data) {
    const struct node *x = input < 0 ? NULL : &g->nodes[g->nodes[node].x[input]];

    if (x && x->op == &op_acts_of_indices)
        x = &g->nodes[x->x[0]];
    for (int i = 0; x && x->field && i < data->n_fields; i++)
        if (!strcmp(data->fields[i].name, x->field))
            return &data->fields[i];
    return NULL;
}

/* The field whose classes a loss, a metric or a table chooses from `limit` numbers, or NULL. */
static const struct field *chosen_field(const struct graph *g, int node,
                                        const struct replica_data *data, int64_t *limit) {
    return input_field(g, node, graph_class_input(g, node, limit), data);
}

int replica_check_fields(const struct graph *g, const struct replica_data *data, struct err *err) {
    for (int i = 0; i < g->n_nodes; i++) {
        const char *name = g->nodes[i].field;
        int k = 0;

        while (name && k < data->n_fields && strcmp(data->fields[k].name, name) != 0)
            k++;
        if (!name || k < data->n_fields)
            continue;
        pos_error(err, g->nodes[i].pos, "%s has no %s", data->name, name);
        err->kind = ERR_DATA;
        return -1;
    }
    return 0;
}

/* " (class 3 first in sample 5 of b.h5)" of the first sample whose class is `limit` or more and
 * counts; "" where none is known. */
static const char *first_text(const struct field *f, const struct replica_data *data, int64_t limit,
                              int ignored, char text[FIRST_TEXT]) {
    const int i = data->dataset ? dataset_find_field(data->dataset, f->name) : -1;
    const int64_t *first = i < 0 ? NULL : dataset_class_first(data->dataset, i);
    int64_t row;
    int least = -1;

    *text = 0;
    for (int k = (int)limit; first && k < f->n_classes; k++)
        if (k != ignored && first[k] >= 0 && (least < 0 || first[k] < first[least]))
            least = k;
    if (least < 0)
        return text;
    const char *file = dataset_origin(data->dataset, i, first[least], &row);
    const bool whole = !strcmp(file, data->name);
    snprintf(text, FIRST_TEXT, " (class %d first in sample %lld%s%.200s)", least, (long long)row,
             whole ? "" : " of ", whole ? "" : file);
    return text;
}

/* Class 2, taken for a target of 2, would be a loss without a least value. */
static int check_shares(const struct graph *g, int i, const struct replica_data *data,
                        struct err *err) {
    const struct node *node = &g->nodes[i];
    char first[FIRST_TEXT];

    for (int k = 0; node->op && k < node->n_x; k++) {
        const struct field *f =
            node->op->meaning.share_x >> k & 1 ? input_field(g, i, k, data) : NULL;

        if (!f || f->kind != TENSOR_INDICES || f->n_classes <= 2)
            continue;
        pos_error(err, node->pos,
                  "%s: %s has %d classes%s, but %s takes targets from 0 to 1: of two classes, or "
                  "one_hot(%s, %d) against as many numbers",
                  data->name, f->name, f->n_classes, first_text(f, data, 2, -1, first),
                  node->op->word.name, f->name, f->n_classes);
        err->kind = ERR_DATA;
        return -1;
    }
    return 0;
}

/* How many classes it takes to hold those of the field, but for one that does not count. Where that
 * is no class of the network, the others that occur say how many there are. */
static int n_classes(const struct field *f, int64_t limit, int ignored) {
    int n = f->n_classes;

    while (ignored >= limit && n > limit && f->class_counts &&
           (n - 1 == ignored || !f->class_counts[n - 1]))
        n--;
    return n;
}

int replica_check_classes(const struct graph *g, const struct replica_data *data, struct err *err) {
    char first[FIRST_TEXT];
    int64_t limit;

    for (int i = 0; i < g->n_nodes; i++) {
        const struct field *f = chosen_field(g, i, data, &limit);
        const struct node *node = &g->nodes[i];
        const int ignored = f ? op_ignored(node->op, node->args) : -1;
        const int n = f ? n_classes(f, limit, ignored) : 0;

        if (check_shares(g, i, data, err))
            return -1;
        if (n <= limit)
            continue;
        pos_error(err, node->pos,
                  node->op->meaning.index_limit
                      ? "%s: %s has %d classes%s, but %lld are expected here"
                      : "%s: %s has %d classes%s, but the network gives %lld numbers here",
                  data->name, f->name, n, first_text(f, data, limit, ignored, first),
                  (long long)limit);
        err->kind = ERR_DATA;
        return -1;
    }
    return 0;
}

bool replica_spare_classes(const struct replica *r, const struct replica_config *c, char *text,
                           size_t size) {
    const struct replica_data train = replica_train_data(c);
    int64_t limit;

    for (int s = 0; s < r->n_steps; s++)
        for (int i = 0; i < r->step[s].graph->n_nodes; i++) {
            const struct node *node = &r->step[s].graph->nodes[i];
            const struct field *f = chosen_field(r->step[s].graph, i, &train, &limit);

            if (!f || f->n_classes < 1 || limit <= f->n_classes || node->op->meaning.index_limit)
                continue;
            snprintf(text, size,
                     "%s: %s has %d classes, but the network gives %lld numbers at %s:%d:%d: some "
                     "classes never occur",
                     train.name, f->name, f->n_classes, (long long)limit, node->pos.file,
                     node->pos.line, node->pos.column);
            return true;
        }
    return false;
}

static bool steps_read(const struct replica *r, const char *field) {
    for (int s = 0; s < r->n_steps; s++)
        for (int i = 0; i < r->step[s].graph->n_nodes; i++) {
            const struct node *node = &r->step[s].graph->nodes[i];
            if (node->field && !strcmp(node->field, field))
                return true;
        }
    return false;
}

bool replica_ignores_shares(const struct replica *r, const struct replica_config *c) {
    bool mixes = false, reads_classes = false;

    for (int i = 0; i < c->n_fields; i++) {
        const struct field *f = &c->fields[i];
        const bool added = dataset_find_field(c->dataset, f->name) < 0; /* by the pipeline */
        mixes = mixes || (added && !steps_read(r, f->name));
        reads_classes = reads_classes ||
                        (f->kind == TENSOR_INDICES && !f->sample.rank && steps_read(r, f->name));
    }
    return mixes && reads_classes;
}
