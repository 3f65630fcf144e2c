/* Tables: a row is a sample, or, of series, a window of rows and what follows it. */
#include "io/import/csv_import.h"
#include "io/import/import_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void field_release(struct csv_field *f) {
    for (int k = 0; k < f->n; k++)
        csv_column_release(&f->column[k]);
    free(f->column);
}

static void release(struct csv_import *t) {
    field_release(&t->part[FEATURES]);
    field_release(&t->part[TARGET]);
    free(t->row);
    free(t->label);
    free(t->group);
    csv_release(&t->csv);
}

static const struct csv_column *missing_in(const struct csv_import *t, int64_t row, int part) {
    const struct csv_field *f = &t->part[part];

    for (int k = 0; k < f->n; k++)
        if (f->column[k].n_missing && csv_is_missing(csv_cell(&t->csv, row, f->column[k].at)))
            return &f->column[k];
    return NULL;
}

static int refuse_missing(const struct csv_import *t, int64_t row, const struct csv_column *c,
                          const char *advice, struct err *err) {
    return err_set(err, ERR_DATA,
                   "%s:%" PRId64 ": column '%s' holds '%s', no value (%" PRId64 " of %" PRId64
                   " rows): %s",
                   t->csv.path, t->csv.line[row], t->csv.name[c->at], csv_cell(&t->csv, row, c->at),
                   c->n_missing, t->csv.n, advice);
}

/* Rows that have all values, or get them. */
static int choose_rows(struct csv_import *t, struct err *err) {
    t->row = malloc((size_t)t->csv.n * sizeof *t->row + 1);
    if (!t->row)
        return err_set(err, ERR_IO, "%s: out of memory", t->csv.path);
    for (int64_t i = 0; i < t->csv.n; i++) {
        const struct csv_column *of_target = missing_in(t, i, TARGET);
        const struct csv_column *c = of_target ? of_target : missing_in(t, i, FEATURES);

        if (c && t->how->missing == MISSING_REFUSE)
            return refuse_missing(t, i, c,
                                  "--missing drop leaves such rows out, --missing mean "
                                  "puts the mean of the column there",
                                  err);
        if (c && t->how->missing == MISSING_MEAN && (of_target || !c->number))
            return refuse_missing(t, i, c,
                                  "there is no mean of targets and texts; --missing drop "
                                  "leaves such rows out",
                                  err);
        if (!c || t->how->missing == MISSING_MEAN)
            t->row[t->n++] = i;
    }
    if (t->n < t->csv.n)
        import_note(t->result,
                    "%" PRId64 " of %" PRId64 " rows are left out: they have no value in "
                    "some column",
                    t->csv.n - t->n, t->csv.n);
    return 0;
}

/* Numbers for the names in a column, one for each row that is used. */
static int32_t *numbers_of(const struct csv_import *t, const struct csv_column *c) {
    int32_t *out = malloc((size_t)t->n * sizeof *out + 1);

    for (int64_t i = 0; out && i < t->n; i++)
        out[i] = csv_column_class(c, csv_cell(&t->csv, t->row[i], c->at));
    return out;
}

static int take_groups(struct csv_import *t, struct err *err) {
    struct csv_column c = {0};
    const int at = t->how->group ? csv_find(&t->csv, t->how->group, err) : -1;
    int status = 0;

    if (!t->how->group)
        return 0;
    if (at < 0 || csv_column_init(&c, &t->csv, at, true, err))
        return -1;
    for (int64_t i = 0; !status && i < t->n; i++)
        if (csv_is_missing(csv_cell(&t->csv, t->row[i], at)))
            status = refuse_missing(t, t->row[i], &c, "every row needs its group", err);
    if (!status && !(t->group = numbers_of(t, &c)))
        status = err_set(err, ERR_IO, "%s: out of memory", t->csv.path);
    if (!status)
        import_note(t->result, "%d groups of rows by column '%s' stay together", c.n_classes,
                    t->csv.name[at]);
    csv_column_release(&c);
    return status;
}

/* The mean of what is trained on, where a value is missing. */
static int take_means(void *context, const bool *trained, struct err *err) {
    struct csv_import *t = context;
    const struct csv_field *f = &t->part[FEATURES];

    for (int k = 0; k < f->n; k++) {
        struct csv_column *c = &f->column[k];
        double value, sum = 0, n = 0;

        for (int64_t i = 0; c->n_missing && c->number && i < t->n; i++)
            if (trained[i] && csv_number(csv_cell(&t->csv, t->row[i], c->at), &value)) {
                sum += value;
                n++;
            }
        if (c->n_missing && c->number && n < 1)
            return err_set(err, ERR_DATA,
                           "%s: column '%s' has no value in any row that is trained "
                           "on",
                           t->csv.path, t->csv.name[c->at]);
        c->mean = sum / (n > 0 ? n : 1);
        if (c->n_missing)
            import_note(t->result, "%s: %" PRId64 " missing values become the mean %g",
                        t->csv.name[c->at], c->n_missing, c->mean);
    }
    return 0;
}

/* The numbers of one row of the table. */
static void put_row(const struct csv_import *t, const struct csv_field *f, int64_t row,
                    float *out) {
    for (int k = 0; k < f->n; k++) {
        const struct csv_column *c = &f->column[k];
        const char *cell = csv_cell(&t->csv, row, c->at);
        double value = c->mean;

        if (c->number) {
            csv_number(cell, &value);
            *out++ = (float)value;
            continue;
        }
        memset(out, 0, (size_t)c->n_classes * sizeof *out);
        out[csv_column_class(c, cell)] = 1;
        out += c->n_classes;
    }
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    const struct csv_import *t = context;
    const struct csv_field *f = &t->part[field];
    const int64_t first = i + (field == TARGET ? t->how->window : 0);
    const int64_t n = !t->how->window ? 1 : field == TARGET ? t->how->horizon : t->how->window;

    (void)err;
    if (field == TARGET && t->label)
        memcpy(out, &t->label[i], sizeof *t->label);
    else
        for (int64_t k = 0; k < n; k++)
            put_row(t, f, t->row[first + k], (float *)out + k * f->width);
    return 0;
}

/* "red", or "color=red" of a column of texts: a name for each number of a field. */
static int write_names(const struct csv_import *t, int part, struct dataset_writer *writer,
                       struct err *err) {
    const struct csv_field *f = &t->part[part];
    char(*text)[128] = calloc((size_t)f->width + 1, sizeof *text);
    const char **names = calloc((size_t)f->width + 1, sizeof *names);
    int n = 0, status;

    for (int k = 0; text && names && k < f->n; k++) {
        const struct csv_column *c = &f->column[k];

        for (int v = 0; v < (c->number ? 1 : c->n_classes); v++, n++) {
            snprintf(text[n], sizeof *text, "%.60s%s%.60s", t->csv.name[c->at],
                     c->number ? "" : "=", c->number ? "" : c->class_name[v]);
            names[n] = text[n];
        }
    }
    if (!text || !names)
        status = err_set(err, ERR_IO, "%s: out of memory", t->csv.path);
    else
        status = dataset_writer_texts(writer, part, "columns", names, n, err);
    free(text);
    free(names);
    return status;
}

static int describe(void *context, struct dataset_writer *writer, struct err *err) {
    const struct csv_import *t = context;

    if (write_names(t, FEATURES, writer, err))
        return -1;
    return t->part[TARGET].n && !t->label ? write_names(t, TARGET, writer, err) : 0;
}

/* Say what every column was taken for. */
static void note_columns(const struct csv_import *t) {
    struct import_names numbers = {0};

    for (int k = 0; k < t->part[FEATURES].n; k++) {
        const struct csv_column *c = &t->part[FEATURES].column[k];

        if (c->number)
            import_names_add(&numbers, t->csv.name[c->at]);
        else
            import_note(t->result, "column '%s': texts, %d columns of 0 and 1", t->csv.name[c->at],
                        c->n_classes);
    }
    if (numbers.n)
        import_note(t->result, "numbers: %s", numbers.text);
    for (int k = 0; k < t->part[TARGET].n; k++) {
        const struct csv_column *c = &t->part[TARGET].column[k];
        struct import_names classes = {0};
        double value, sum = 0, squares = 0;

        for (int v = 0; v < c->n_classes; v++)
            import_names_add(&classes, c->class_name[v]);
        if (!c->number) {
            import_note(t->result, "target '%s': classes %s", t->csv.name[c->at], classes.text);
            continue;
        }
        for (int64_t i = 0; i < t->n; i++)
            sum += csv_number(csv_cell(&t->csv, t->row[i], c->at), &value) ? value : 0;
        for (int64_t i = 0; i < t->n; i++)
            squares += csv_number(csv_cell(&t->csv, t->row[i], c->at), &value)
                           ? pow(value - sum / (double)t->n, 2)
                           : 0;
        import_note(t->result, "target '%s': numbers from %g to %g, mean %.6g, std %.6g",
                    t->csv.name[c->at], c->least, c->most, sum / (double)t->n,
                    sqrt(squares / (double)t->n));
    }
}

static int prepare(struct csv_import *t, struct err *err) {
    const struct import_table *how = t->how;
    const struct csv_column *target = t->part[TARGET].column;

    if (choose_rows(t, err))
        return -1;
    if (how->window && t->n < how->window + how->horizon)
        return err_set(err, ERR_USAGE,
                       "data: %s has %" PRId64 " rows, --window %" PRId64 " and --horizon %" PRId64
                       " need more",
                       t->csv.path, t->n, how->window, how->horizon);
    if (how->window && t->n < t->csv.n)
        return err_set(err, ERR_DATA,
                       "%s: %" PRId64 " rows have no value in some column; a series "
                       "has no gaps: --missing mean",
                       t->csv.path, t->csv.n - t->n);
    if (t->part[TARGET].n && !target->number && !(t->label = numbers_of(t, target)))
        return err_set(err, ERR_IO, "%s: out of memory", t->csv.path);
    return take_groups(t, err);
}

static int write(struct csv_import *t, const char *target, const struct import_options *options,
                 struct err *err) {
    const int64_t window = t->how->window, width = t->part[FEATURES].width;
    const int64_t targets = t->part[TARGET].width;
    const struct csv_column *of_target = t->part[TARGET].column;
    const struct writer_field fields[] = {
        {.name = window ? "series" : "features",
         .kind = DATASET_REALS,
         .sample = window ? (struct shape){2, {window, width}} : (struct shape){1, {width}},
         .measured = true,
         .says = "real"},
        t->label
            ? (struct writer_field){.name = "labels",
                                    .kind = DATASET_CLASS,
                                    .class_name = of_target->class_name,
                                    .n_classes = of_target->n_classes}
            : (struct writer_field){.name = "target",
                                    .kind = DATASET_REALS,
                                    .sample = {1, {window ? t->how->horizon * targets : targets}},
                                    .says = "real"}};
    const struct rows_source source = {.name = t->csv.path,
                                       .what = window ? "windows" : "rows",
                                       .context = t,
                                       .n = window ? t->n - window - t->how->horizon + 1 : t->n,
                                       .n_fields = t->part[TARGET].n ? 2 : 1,
                                       .field = fields,
                                       .label = t->label,
                                       .group = window ? NULL : t->group,
                                       .ordered = window > 0,
                                       .apart = window + t->how->horizon - 1,
                                       .make = make,
                                       .describe = describe,
                                       .trained = take_means};

    note_columns(t);
    t->result->n_classes = t->label ? of_target->n_classes : 0;
    return import_rows(&source, target, options, t->result, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct csv_import t = {.how = &options->table, .result = result};
    int status;

    if (csv_init(&t.csv, source, options->table.no_header, result, err))
        return -1;
    status = csv_choose(&t, err) || prepare(&t, err) || write(&t, target, options, err);
    release(&t);
    return status ? -1 : 0;
}

const struct importer import_csv = {
    "csv", "a table of rows with a header: commas, semicolons or tabs between cells, .gz or not",
    IMPORT_SPLIT | IMPORT_FOLDS | IMPORT_TABLE, run};
