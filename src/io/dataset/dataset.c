#include "io/dataset/dataset_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUESS_TEXT = 1024 };

static void column_release(struct column *c) {
    h5_data_close(c->data);
    dataset_classes_release(c);
    if (!c->lent)
        free(c->kept);
    if (!c->indexed) {
        free(c->offset);
        row_hashes_release(&c->hashes);
    }
    free(c->blob);
    free(c->mean);
    free(c->std);
}

void dataset_close(struct dataset *ds) {
    if (!ds)
        return;
    for (int i = 0; i < DATASET_MAX_FIELDS; i++)
        column_release(&ds->column[i]);
    for (int k = 0; k < ds->n_parts; k++) {
        if (ds->part[k].ds)
            ds->part[k].ds->run = NULL; /* it is ours */
        dataset_close(ds->part[k].ds);
    }
    free(ds->part);
    free(ds->joined);
    h5_close(ds->file);
    free(ds->name);
    free(ds->path);
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

bool dataset_classes_named(const struct dataset *ds, int i) {
    return ds->column[i].named;
}

const int64_t *dataset_class_first(const struct dataset *ds, int i) {
    return ds->column[i].first;
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

int dataset_n_parts(const struct dataset *ds) {
    return ds->n_parts ? ds->n_parts : 1;
}

const char *dataset_part_text(const struct dataset *ds, int k, char text[DATASET_PART_TEXT]) {
    static const char *const hashed[] = {
        [HASHED_ROWS] = "a few rows of what is not in memory",
        [HASHED_BEFORE] = "its content_hash",
        [HASHED_ALL] = "all values",
    };
    const struct dataset *part = ds->n_parts ? ds->part[k].ds : ds;

    snprintf(text, DATASET_PART_TEXT, "%.120s: %lld samples, fingerprint %016llx of %s", part->name,
             (long long)part->len, (unsigned long long)part->fingerprint, hashed[part->hashed]);
    return text;
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
    for (int k = 0; k < ds->n_parts; k++)
        if (!dataset_in_memory(ds->part[k].ds))
            return false;
    return !ds->file;
}

static int64_t bytes_of(const struct dataset *ds, bool kept) {
    int64_t bytes = 0;

    for (int k = 0; k < ds->n_parts; k++)
        bytes += bytes_of(ds->part[k].ds, kept);
    for (int i = 0; i < ds->n_fields && !ds->n_parts; i++)
        if (!ds->column[i].kept != kept)
            bytes += dataset_cached_bytes(ds, i);
    return bytes;
}

int64_t dataset_kept_bytes(const struct dataset *ds) {
    return bytes_of(ds, true);
}

int64_t dataset_unkept_bytes(const struct dataset *ds) {
    return bytes_of(ds, false);
}

const char *dataset_origin(const struct dataset *ds, int i, int64_t row, int64_t *row_there) {
    int k = ds->n_parts - 1;

    *row_there = row;
    if (k < 0)
        return ds->name;
    while (row < ds->part[k].begin[i])
        k--;
    *row_there = row - ds->part[k].begin[i];
    return ds->part[k].ds->name;
}
