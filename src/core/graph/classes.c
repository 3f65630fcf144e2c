/* classes.c - how many classes the data has, as a number in nets and steps: auto and classes(mask).
 */
#include "core/graph/build.h"
#include "core/base/nearest.h"

#include <string.h>

static const struct field *find_field(const struct graph_config *config, const char *name) {
    for (int i = 0; i < config->n_fields; i++)
        if (!strcmp(config->fields[i].name, name))
            return &config->fields[i];
    return NULL;
}

const char *build_fields_text(const struct graph_config *config) {
    const char *text = "";

    for (int i = 0; i < config->n_fields; i++)
        text = pool_print(&config->model->pool, "%s%s%s", text,
                          i ? ", " : " (the data has the fields ", config->fields[i].name);
    return *text ? pool_print(&config->model->pool, "%s)", text) : text;
}

static int no_field(const struct graph_config *config, const struct expr *e, struct err *err) {
    const char *names[64];
    int n = 0;

    for (; n < config->n_fields && n < 64; n++)
        names[n] = config->fields[n].name;
    const char *near = nearest(e->text, names, n);
    return pos_error(err, e->pos, "classes: the data has no field '%s'%s%s%s%s", e->text,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "",
                     build_fields_text(config));
}

static int not_known(const struct field *f, const char *word, struct pos pos, struct err *err) {
    if (f->n_classes)
        return pos_error(err, pos,
                         "%s: how many classes %s has is not known without data; write the number",
                         word, f->name);
    return pos_error(err, pos, "%s: %s of the data is no class, so that nothing can be counted",
                     word, f->name);
}

int build_classes(struct builder *b, const struct expr *e, const struct value *piped,
                  struct value *out, struct err *err) {
    const struct expr *name = e->n_args == 1 && !e->args[0].name ? e->args[0].value : NULL;

    (void)piped;
    if (!name || name->kind != EXPR_NAME)
        return pos_error(err, e->pos, "classes takes the name of a field, as in classes(label)");
    const struct field *f = find_field(b->config, name->text);
    if (!f)
        return no_field(b->config, name, err);
    if (f->n_classes <= 0)
        return not_known(f, "classes", e->pos, err);
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = f->n_classes};
    return 0;
}

int build_auto(struct builder *b, struct value *v, struct err *err) {
    const struct field *label = find_field(b->config, "label");

    if (v->kind != VALUE_AUTO)
        return 0;
    if (!label)
        return pos_error(
            err, v->pos,
            "auto is the number of classes of the field label, which the data does not "
            "have; classes(FIELD) is that of another field");
    if (label->n_classes <= 0)
        return not_known(label, "auto", v->pos, err);
    *v = (struct value){.kind = VALUE_NUMBER, .pos = v->pos, .number = label->n_classes};
    return 0;
}
