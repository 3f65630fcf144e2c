/* Which columns of a table are features, which the target. */
#include "io/import/csv_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 1 << 14 };

/* Mark the columns that a list names. Errors: ERR_USAGE. */
static int mark(const struct csv *csv, const char *list, const char *option, bool *marked,
                struct err *err) {
    char name[256];

    while (list) {
        const size_t len = strcspn(list, ",");
        int at;

        if (snprintf(name, sizeof name, "%.*s", (int)len, list) >= (int)sizeof name || !len)
            return err_set(err, ERR_USAGE,
                           "data: %s is '%.80s', expected names of columns with "
                           "commas between them",
                           option, list);
        if ((at = csv_find(csv, name, err)) < 0)
            return err_wrap(err, "data: %s", option);
        marked[at] = true;
        list = list[len] ? list + len + 1 : NULL;
    }
    return 0;
}

static int take_columns(struct csv_field *f, const struct csv *csv, const bool *marked, bool texts,
                        struct err *err) {
    f->column = calloc((size_t)csv->n_columns, sizeof *f->column);
    if (!f->column)
        return err_set(err, ERR_IO, "%s: out of memory", csv->path);
    for (int at = 0; at < csv->n_columns; at++) {
        if (!marked[at])
            continue;
        struct csv_column *c = &f->column[f->n++];
        if (csv_column_init(c, csv, at, texts, err))
            return -1;
        f->width += c->number ? 1 : c->n_classes;
    }
    return 0;
}

/* Which columns are what, by name. */
static int choose(struct csv_import *t, struct err *err) {
    const struct csv *csv = &t->csv;
    const bool all = !t->how->features || strcmp(t->how->features, "all") == 0;
    bool *marked[3] = {0}; /* features, target, group */
    int status = 0;

    for (int k = 0; k < 3; k++)
        if (!(marked[k] = calloc((size_t)csv->n_columns, sizeof **marked)))
            status = err_set(err, ERR_IO, "%s: out of memory", csv->path);
    if (!status)
        status = mark(csv, t->how->target, "--target", marked[TARGET], err) ||
                 mark(csv, t->how->group, "--group", marked[2], err) ||
                 mark(csv, all ? NULL : t->how->features, "--features", marked[FEATURES], err);
    for (int at = 0; !status && all && at < csv->n_columns; at++)
        marked[FEATURES][at] = !marked[2][at] && (t->how->window || !marked[TARGET][at]);
    for (int at = 0; !status && at < csv->n_columns; at++)
        if (marked[FEATURES][at] && marked[TARGET][at] && !t->how->window)
            status = err_set(err, ERR_USAGE, "data: '%s' is both a feature and the target",
                             csv->name[at]);
    if (!status)
        status =
            take_columns(&t->part[FEATURES], csv, marked[FEATURES], false, err) ||
            take_columns(&t->part[TARGET], csv, marked[TARGET], t->how->as == TARGET_CLASSES, err);
    for (int k = 0; k < 3; k++)
        free(marked[k]);
    return status ? -1 : 0;
}

/* Classes or numbers: where a column leaves that open, the user decides. */
static int check_target(const struct csv_import *t, struct err *err) {
    const struct csv_field *f = &t->part[TARGET];
    const struct csv_column *c = f->column;
    const char *path = t->csv.path;

    for (int k = 0; k < f->n; k++) {
        const char *name = t->csv.name[c[k].at];

        if (!c[k].number && (f->n > 1 || t->how->window))
            return err_set(err, ERR_DATA, "%s: column '%s' holds texts; %s are numbers", path, name,
                           t->how->window ? "targets of series" : "several targets");
        if (!c[k].number && t->how->as == TARGET_NUMBERS)
            return err_set(err, ERR_DATA,
                           "%s: column '%s' holds texts such as '%s', --regression "
                           "expects numbers",
                           path, name, c[k].class_name[0]);
    }
    if (f->n == 1 && !t->how->window && c->number && c->whole && t->how->as == TARGET_BY_TYPE &&
        c->most - c->least < CSV_MOST_TEXTS)
        return err_set(err, ERR_USAGE,
                       "data: the target '%s' holds whole numbers from %g to %g: "
                       "say --classes or --regression",
                       t->csv.name[c->at], c->least, c->most);
    if (f->n == 1 && !c->number && c->n_classes < 2)
        return err_set(err, ERR_DATA, "%s: column '%s' holds '%s' alone, expected several classes",
                       path, t->csv.name[c->at], c->class_name[0]);
    return 0;
}

static int check_features(const struct csv_import *t, struct err *err) {
    const struct csv_field *f = &t->part[FEATURES];

    if (!f->n)
        return err_set(err, ERR_USAGE, "%s: there are no columns left for features", t->csv.path);
    if (f->width > MOST_COLUMNS)
        return err_set(err, ERR_DATA, "%s: %d columns of features, expected %d at most",
                       t->csv.path, f->width, MOST_COLUMNS);
    for (int k = 0; k < f->n; k++) {
        const struct csv_column *c = &f->column[k];

        if (!c->number && c->n_classes > CSV_MOST_TEXTS)
            return err_set(err, ERR_DATA,
                           "%s: column '%s' holds %d different texts ('%.40s', "
                           "'%.40s' ...), expected %d at most: leave it out by --features",
                           t->csv.path, t->csv.name[c->at], c->n_classes, c->class_name[0],
                           c->class_name[1], CSV_MOST_TEXTS);
    }
    return 0;
}

int csv_choose(struct csv_import *t, struct err *err) {
    if (choose(t, err) || check_features(t, err))
        return -1;
    return t->part[TARGET].n ? check_target(t, err) : 0;
}
