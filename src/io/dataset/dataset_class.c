/* Classes: their names, their number, how often each occurs. Every value is looked at. */
#include "io/dataset/dataset_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 1 << 24, IGNORED_BYTE = 255, NUMBER_TEXT = 12 };

/* Names 0, 1, 2, ... say no more than numbers do. */
static bool are_numbers(const struct column *c) {
    char number[NUMBER_TEXT];

    for (int k = 0; k < c->n_classes; k++) {
        snprintf(number, sizeof number, "%d", k);
        if (strcmp(number, c->class_name[k]))
            return false;
    }
    return true;
}

/* Class names, where the file has them. */
int dataset_read_names(struct dataset *ds, int i, const struct attr_homes *homes, struct err *err) {
    struct column *c = &ds->column[i];
    const char *home;

    if (dataset_attr(ds, homes, "classes", &home, err))
        return -1;
    if (!home)
        return 0;
    if (h5_attr_texts(ds->file, home, "classes", &c->class_name, &c->n_classes, err))
        return -1;
    if (c->n_classes == 0)
        return err_set(err, ERR_DATA, "%s: attribute classes is empty", ds->name);
    c->named = !are_numbers(c);
    return 0;
}

char **dataset_number_names(int n) {
    char **name = calloc((size_t)n, sizeof *name);

    for (int k = 0; name && k < n; k++) {
        name[k] = malloc(NUMBER_TEXT);
        if (!name[k]) {
            h5_texts_free(name, k);
            return NULL;
        }
        snprintf(name[k], NUMBER_TEXT, "%d", k);
    }
    return name;
}

void dataset_classes_release(struct column *c) {
    h5_texts_free(c->class_name, c->class_name ? c->n_classes : 0);
    free(c->counts);
    free(c->first);
    free(c->map);
    c->class_name = NULL;
    c->counts = c->first = NULL;
    c->map = NULL;
}

/* Counting where the number of classes may still grow. */
struct census {
    int64_t *count, *first; /* [room] */
    int room, n;
    int64_t ignored;
};

/* Number k of the values from row `first` on is no class. */
static int refuse_class(const struct dataset *ds, int i, int64_t first, int64_t k, int32_t as_read,
                        int most, struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    const int64_t len = dataset_sample_len(f), row = first + k / len;
    const long long value = dataset_stored_value(ds, i, row, k % len, as_read);
    char names[64] = "";

    if (ds->column[i].class_name)
        snprintf(names, sizeof names, " (the attribute classes has %d name%s)", most,
                 most == 1 ? "" : "s");
    if (!f->sample.rank)
        return err_set(
            err, ERR_DATA,
            "%s: %s %lld of sample %lld, expected 0 to %d%s, or -1 for what does not count",
            ds->name, f->name, value, (long long)row, most - 1, names);
    return err_set(err, ERR_DATA,
                   "%s: %s of sample %lld holds class %lld, expected 0 to %d%s, or %s", ds->name,
                   f->name, (long long)row, value, most - 1, names,
                   ds->column[i].type == H5_TYPE_U8 ? "255 for what does not count"
                                                    : "-1 for what does not count");
}

static int grow(struct dataset *ds, struct census *s, int32_t value, struct err *err) {
    const int room = value < 128 ? 256 : 2 * (value + 1);
    int64_t *count = realloc(s->count, (size_t)room * sizeof *count);

    s->count = count ? count : s->count;
    int64_t *first = realloc(s->first, (size_t)room * sizeof *first);
    s->first = first ? first : s->first;
    if (!count || !first)
        return dataset_no_memory(ds, err);
    for (; s->room < room; s->room++) {
        count[s->room] = 0;
        first[s->room] = -1;
    }
    return 0;
}

/* Count values[n * row] of rows first .. first + n - 1. */
static int count_rows(struct dataset *ds, int i, const void *values, int64_t first, int64_t n,
                      struct census *s, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t row = dataset_sample_len(&ds->field[i]);
    const int most = c->n_classes ? c->n_classes : MOST_CLASSES;

    for (int64_t k = 0; k < n * row; k++) {
        const int32_t v = c->type == H5_TYPE_U8 ? ((const unsigned char *)values)[k]
                                                : ((const int32_t *)values)[k];

        if (v == (c->type == H5_TYPE_U8 ? IGNORED_BYTE : -1)) {
            s->ignored++;
            continue;
        }
        if (v < 0 || v >= most)
            return refuse_class(ds, i, first, k, v, most, err);
        if (v >= s->room && grow(ds, s, v, err))
            return -1;
        if (!s->count[v]++)
            s->first[v] = first + k / row;
        s->n = v >= s->n ? v + 1 : s->n;
    }
    return 0;
}

static int count_all(struct dataset *ds, int i, struct census *s, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, most = column_run_rows(c);

    if (c->kept)
        return count_rows(ds, i, c->kept, 0, rows, s, err);
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t n = rows - first < most ? rows - first : most;

        if (dataset_read_run(ds, i, first, n, err) || count_rows(ds, i, ds->run, first, n, s, err))
            return -1;
    }
    return 0;
}

/* The counts that the file tells, so that maps need not all be read to begin with. Those that are
 * read later are checked then. 1: there are none. */
static int read_counts(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    int64_t left = ds->field[i].rows * dataset_sample_len(&ds->field[i]);
    double *values;
    int n, status = 0;

    if (c->kept)
        return 1;
    n = h5_attr_exists(ds->file, c->path, "class_counts", err);
    if (n <= 0)
        return n ? -1 : 1;
    if (h5_attr_reals(ds->file, c->path, "class_counts", &values, &n, err))
        return -1;
    if (!n || (c->n_classes && c->n_classes != n))
        status = err_set(err, ERR_DATA,
                         "%s: attribute class_counts of %s has %d values for %d "
                         "classes",
                         ds->name, c->path, n, c->n_classes);
    c->counts = calloc((size_t)n + 1, sizeof *c->counts);
    c->first = calloc((size_t)n + 1, sizeof *c->first);
    if ((!c->counts || !c->first) && !status)
        status = dataset_no_memory(ds, err);
    for (int k = 0; k < n && !status; k++) {
        c->first[k] = -1;
        if (!(values[k] >= 0 && values[k] < 9e15))
            status = err_set(err, ERR_DATA, "%s: attribute class_counts of %s is %g for class %d",
                             ds->name, c->path, values[k], k);
        else
            left -= c->counts[k] = (int64_t)values[k];
    }
    if (!status && left < 0)
        status = err_set(err, ERR_DATA,
                         "%s: attribute class_counts of %s counts %lld more than there are",
                         ds->name, c->path, (long long)-left);
    if (!status)
        c->n_classes = n;
    free(values);
    return status;
}

static int count(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    struct column *c = &ds->column[i];
    struct census s = {0};
    int status = count_all(ds, i, &s, err);

    if (!status && s.n == 1 && s.ignored && (c->type == H5_TYPE_U8 || c->void_255) &&
        c->n_classes != 1)
        status = err_set(err, ERR_DATA,
                         "%s: %s holds 0 and 255 only, and 255 is for what does not count; store "
                         "the classes as 0 and 1",
                         ds->name, c->path);
    if (!status && !s.n)
        status = err_set(err, ERR_DATA, "%s: %s holds no class, only %s", ds->name, f->name,
                         c->type == H5_TYPE_U8 || c->void_255 ? "255" : "-1");
    if (!status && s.ignored && !f->sample.rank)
        status = dataset_guess(ds, err, "%s: the label of %lld samples is -1: they do not count",
                               c->path, (long long)s.ignored);
    if (!status && s.ignored && f->sample.rank && !c->void_255 && !ds->declared)
        status = dataset_guess(ds, err, "%s: %s stands for what does not count", c->path,
                               c->type == H5_TYPE_U8 ? "255" : "-1");
    c->n_classes = c->n_classes ? c->n_classes : s.n;
    if (!status && c->n_classes > s.room)
        status = grow(ds, &s, c->n_classes, err);
    c->counts = s.count;
    c->first = s.first;
    return status;
}

int dataset_classes_init(struct dataset *ds, int i, const struct attr_homes *homes,
                         struct err *err) {
    struct column *c = &ds->column[i];

    if (dataset_read_names(ds, i, homes, err) || dataset_find_void(ds, i, err))
        return -1;
    const int told = read_counts(ds, i, err);
    if (told < 0 || (told > 0 && count(ds, i, err)) || dataset_doubt_classes(ds, i, homes, err))
        return -1;
    if (!c->class_name && !(c->class_name = dataset_number_names(c->n_classes)))
        return dataset_no_memory(ds, err);
    return 0;
}
