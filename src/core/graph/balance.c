/* balance.c - class weights by frequency: weights=balanced. */
#include "core/graph/build.h"

#include <string.h>

/* The field that a name means, or the only one of class indices. */
static const struct field *class_field(const struct graph_config *config, const char *name,
                                       struct pos pos, struct err *err) {
    const struct field *found = NULL;

    for (int i = 0; i < config->n_fields; i++) {
        const struct field *f = &config->fields[i];
        if (name ? strcmp(f->name, name) != 0 : !f->n_classes)
            continue;
        if (found && f->n_classes < 0)
            return found; /* without data every label is one that may be there */
        if (found) {
            pos_error(err, pos,
                      "balanced: found the classes of %s and of %s, expected "
                      "balanced(%s)",
                      found->name, f->name, found->name);
            return NULL;
        }
        found = f;
    }
    if (found && found->n_classes)
        return found;
    pos_error(err, pos, "balanced: %s%sthe data has no class indices%s", name ? name : "",
              name ? ": " : "", name ? " of that name" : "");
    return NULL;
}

int build_balanced(struct builder *b, const struct expr *e, const struct value *piped,
                   struct value *out, struct err *err) {
    const struct expr *name = e->n_args == 1 ? e->args[0].value : NULL;

    (void)piped;
    if (e->n_args > 1 || (name && name->kind != EXPR_NAME))
        return pos_error(err, e->pos, "balanced takes the name of a field, as in balanced(label)");
    const struct field *f = class_field(b->config, name ? name->text : NULL, e->pos, err);
    if (!f)
        return -1;
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = 1};
    if (f->n_classes < 0 || !f->class_counts)
        return 0;
    struct value *items =
        pool_take(&b->config->model->pool, (size_t)(f->n_classes + 1) * sizeof *items);
    double total = 0;
    int occurring = 0;

    for (int i = 0; i < f->n_classes; i++) {
        total += (double)f->class_counts[i];
        occurring += f->class_counts[i] > 0;
    }
    for (int i = 0; i < f->n_classes; i++) {
        const double count = (double)f->class_counts[i];
        items[i] = *out;
        items[i].number = count > 0 ? total / (occurring * count) : 0;
    }
    *out =
        (struct value){.kind = VALUE_LIST, .pos = e->pos, .items = items, .n_items = f->n_classes};
    return 0;
}
