#include "io/dataset/dataset_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUESS_TEXT = 1024 };

static void column_release(struct column *c) {
    h5_data_close(c->data);
    h5_texts_free(c->class_name, c->class_name ? c->n_classes : 0);
    free(c->kept);
    free(c->counts);
    free(c->mean);
    free(c->std);
}

void dataset_close(struct dataset *ds) {
    if (!ds)
        return;
    for (int i = 0; i < DATASET_MAX_FIELDS; i++)
        column_release(&ds->column[i]);
    h5_close(ds->file);
    free(ds->name);
    free(ds->run);
    free(ds->wanted);
    free(ds->guesses);
    free(ds);
}

const char *dataset_name(const struct dataset *ds) {
    return ds->name;
}

int64_t dataset_len(const struct dataset *ds) {
    return ds->len;
}

int dataset_n_fields(const struct dataset *ds) {
    return ds->n_fields;
}

const struct dataset_field *dataset_field(const struct dataset *ds, int i) {
    return &ds->field[i];
}

int dataset_find_field(const struct dataset *ds, const char *name) {
    for (int i = 0; i < ds->n_fields; i++)
        if (strcmp(ds->field[i].name, name) == 0)
            return i;
    return -1;
}

int dataset_guess(struct dataset *ds, struct err *err, const char *fmt, ...) {
    const size_t used = ds->guesses ? strlen(ds->guesses) : 0;
    char line[GUESS_TEXT], *more;
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    more = realloc(ds->guesses, used + strlen(line) + 2);
    if (!more)
        return dataset_no_memory(ds, err);
    sprintf(more + used, "%s%s", used ? "\n" : "", line);
    ds->guesses = more;
    return 0;
}

const char *dataset_guesses(const struct dataset *ds) {
    return ds->guesses ? ds->guesses : "";
}

const char *dataset_ignored(const struct dataset *ds) {
    return ds->ignored;
}

int dataset_field_classes(const struct dataset *ds, int i) {
    return ds->column[i].n_classes;
}

const int64_t *dataset_class_counts(const struct dataset *ds, int i) {
    return ds->column[i].counts;
}

const char *dataset_class_name(const struct dataset *ds, int i, int class) {
    return ds->column[i].class_name[class];
}

const float *dataset_mean(const struct dataset *ds, int i) {
    return ds->column[i].mean;
}

const float *dataset_std(const struct dataset *ds, int i) {
    return ds->column[i].std;
}

uint64_t dataset_fingerprint(const struct dataset *ds) {
    return ds->fingerprint;
}

const int32_t *dataset_labels(const struct dataset *ds, int i) {
    const struct dataset_field *f = &ds->field[i];

    return f->kind == DATASET_CLASS && !f->sample.rank
               ? (const int32_t *)(const void *)ds->column[i].kept
               : NULL;
}

const char *dataset_field_path(const struct dataset *ds, int i) {
    return ds->column[i].path;
}

const char *dataset_place(const struct shape *sample, int64_t k, char text[DATASET_PLACE_TEXT]) {
    int64_t left = sample->rank ? shape_len(sample) : 1;
    int used = 0;

    text[0] = 0;
    for (int d = 0; d < sample->rank; d++) {
        left /= sample->dim[d];
        used += snprintf(text + used, (size_t)(DATASET_PLACE_TEXT - used), "%s%" PRId64,
                         d ? ", " : " at [", k / left);
        k %= left;
    }
    if (sample->rank)
        snprintf(text + used, (size_t)(DATASET_PLACE_TEXT - used), "]");
    return text;
}

bool dataset_in_memory(const struct dataset *ds) {
    return !ds->file;
}
