/* Everything that can be wrong with a dataset is found here. */
#include "io/dataset/dataset_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

int dataset_no_memory(const struct dataset *ds, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", ds->name);
}

/* mean or std: [c] into *out; NULL where the file does not say. */
static int read_channels(struct dataset *ds, int field, const struct attr_homes *homes,
                         const char *name, float **out, struct err *err) {
    const char *home;
    const bool positive = strcmp(name, "std") == 0;
    const int channels = (int)shape_channels(&ds->field[field].sample);
    const double most = ds->field[field].kind == DATASET_REALS ? HUGE_VAL : 1;
    double *values;
    int n, status = 0;

    if (dataset_attr(ds, homes, name, &home, err))
        return -1;
    if (!home)
        return 0;
    if (h5_attr_reals(ds->file, home, name, &values, &n, err))
        return -1;
    *out = malloc((size_t)channels * sizeof **out);
    if (!*out)
        status = dataset_no_memory(ds, err);
    else if (n != channels)
        status = err_set(err, ERR_DATA, "%s: attribute %s has %d values for %d channels", ds->name,
                         name, n, channels);
    for (int i = 0; !status && i < n; i++) {
        if (!isfinite(values[i]) || values[i] > most || (positive && values[i] <= 0) ||
            (most <= 1 && values[i] < 0))
            status = err_set(err, ERR_DATA, "%s: attribute %s is %g for channel %d, expected %s",
                             ds->name, name, values[i], i,
                             most <= 1 ? "a value of pixels scaled to 0 .. 1" : "a finite number");
        (*out)[i] = (float)values[i];
    }
    free(values);
    return status;
}

static int read_statistics(struct dataset *ds, int i, const struct attr_homes *homes,
                           struct err *err) {
    struct column *c = &ds->column[i];

    if (read_channels(ds, i, homes, "mean", &c->mean, err) ||
        read_channels(ds, i, homes, "std", &c->std, err))
        return -1;
    if (!c->mean != !c->std)
        return err_set(err, ERR_DATA, "%s: has the attribute %s but not %s", ds->name,
                       c->mean ? "mean" : "std", c->mean ? "std" : "mean");
    return 0;
}

static int check_version(struct dataset *ds, struct err *err) {
    const int there = h5_attr_exists(ds->file, "/", "dltrain_dataset", err);
    int64_t version;

    if (there <= 0)
        return there;
    if (h5_attr_int(ds->file, "/", "dltrain_dataset", &version, err))
        return -1;
    if (version != VERSION)
        return err_set(err, ERR_DATA, "%s: is a dataset of version %lld, this program reads %d",
                       ds->name, (long long)version, VERSION);
    ds->declared = true;
    return 0;
}

/* Open the datasets, and find what each of them is. */
static int open_columns(struct dataset *ds, const struct dataset_layout *at, bool hashed,
                        struct err *err) {
    ds->len = -1;
    for (int i = 0; i < at->n_fields; i++) {
        ds->n_fields++;
        if (h5_data_open(&ds->column[i].data, ds->file, at->field[i].path, err) ||
            dataset_column_init(ds, i, at, err) || (hashed && dataset_hashes_init(ds, i, err)))
            return -1;
        if (ds->len < 0 && !ds->field[i].unpaired)
            ds->len = ds->field[i].rows;
    }
    if (ds->len < 0)
        return err_set(err, ERR_DATA, "%s: all its fields are unpaired, expected one that is not",
                       ds->name);
    for (int i = 0; i < ds->n_fields; i++)
        if (!ds->field[i].unpaired && ds->field[i].rows != ds->len)
            return err_set(err, ERR_DATA, "%s: has %lld %ss but %lld %ss", ds->name,
                           (long long)ds->len, ds->field[0].name, (long long)ds->field[i].rows,
                           ds->field[i].name);
    return 0;
}

static bool is_class(const struct dataset *ds, int i) {
    return ds->field[i].kind == DATASET_CLASS;
}

/* The group's and the file's classes, mean and std are those of the first field that can have
 * them. */
static int read_facts(struct dataset *ds, const struct dataset_layout *at, bool maps,
                      struct err *err) {
    bool classes = true, statistics = true;

    for (int i = 0; i < ds->n_fields; i++) {
        const struct dataset_field *f = &ds->field[i];
        const struct attr_homes homes =
            dataset_attr_homes(at, i, is_class(ds, i) || f->boxes ? classes : statistics);

        if (is_class(ds, i)) {
            classes = false;
            if ((f->sample.rank > 0) == maps && dataset_classes_init(ds, i, &homes, err))
                return -1;
        } else if (f->boxes) {
            if (maps && dataset_boxes_init(ds, i, &homes, err))
                return -1;
            classes = false;
        } else if (f->image) {
            statistics = false;
            if (maps ? dataset_doubt_scale(ds, i, err) : read_statistics(ds, i, &homes, err))
                return -1;
        } else if (!maps && ds->declared && f->sample.rank) { /* an importer's table, or volumes */
            const struct attr_homes own = dataset_attr_homes(at, i, false);

            if (read_statistics(ds, i, &own, err))
                return -1;
        }
    }
    return 0;
}

/* Labels always, everything else where all of it fits. */
static int load_columns(struct dataset *ds, bool labels, struct err *err) {
    for (int i = 0; i < ds->n_fields; i++)
        if ((is_class(ds, i) && !ds->field[i].sample.rank) == labels && dataset_load(ds, i, err))
            return -1;
    return 0;
}

int64_t dataset_field_bytes(const struct dataset *ds, int i) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, bytes = (int64_t)c->row_bytes;

    if (c->offset)
        return c->offset[rows];
    return rows > INT64_MAX / bytes ? INT64_MAX : rows * bytes;
}

int64_t dataset_cached_bytes(const struct dataset *ds, int i) {
    const bool label = is_class(ds, i) && !ds->field[i].sample.rank;

    return label ? 0 : dataset_field_bytes(ds, i);
}

static bool fits(const struct dataset *ds, int64_t cache_bytes) {
    int64_t left = cache_bytes;

    for (int i = 0; i < ds->n_fields; i++) {
        const int64_t bytes = dataset_cached_bytes(ds, i);

        if (bytes > left)
            return false;
        left -= bytes;
    }
    return true;
}

/* Fields begin at multiples of this many bytes, as what is read from memory should. */
static size_t aligned(int64_t bytes) {
    return ((size_t)bytes + 63) / 64 * 64;
}

int dataset_take_memory(struct dataset *ds, const struct dataset_memory *memory, bool *filled,
                        struct err *err) {
    unsigned char *at;
    size_t bytes = 0;

    *filled = false;
    if (!memory->take)
        return 0;
    for (int i = 0; i < ds->n_fields; i++)
        bytes += aligned(dataset_cached_bytes(ds, i));
    if (!bytes)
        return 0;
    at = memory->take(memory->context, bytes, filled, err);
    if (!at)
        return err_wrap(err, "%s", ds->name);
    for (int i = 0; i < ds->n_fields; i++) {
        if (!dataset_cached_bytes(ds, i))
            continue;
        ds->column[i].kept = at;
        ds->column[i].lent = true;
        at += aligned(dataset_cached_bytes(ds, i));
    }
    return 0;
}

void dataset_close_file(struct dataset *ds) {
    for (int i = 0; i < ds->n_fields; i++) {
        h5_data_close(ds->column[i].data);
        ds->column[i].data = NULL;
        free(ds->column[i].blob);
        ds->column[i].blob = NULL;
    }
    h5_close(ds->file);
    ds->file = NULL;
    free(ds->run);
    ds->run = NULL;
}

size_t dataset_run_bytes(const struct dataset *ds) {
    size_t most = 1;

    for (int i = 0; i < ds->n_fields; i++) {
        const size_t bytes = (size_t)column_run_rows(&ds->column[i]) * ds->column[i].row_bytes;

        if (ds->field[i].kind == DATASET_ENCODED) /* read to where it is wanted */
            continue;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static int allocate_run(struct dataset *ds, struct err *err) {
    ds->run = malloc(dataset_run_bytes(ds));
    return ds->run ? 0 : dataset_no_memory(ds, err);
}

static int open_group(struct dataset *ds, const char *group, const struct dataset_memory *memory,
                      struct err *err) {
    struct dataset_layout at;
    bool filled;

    if (check_version(ds, err) || dataset_layout_find(ds->file, group, &at, err))
        return -1;
    strcpy(ds->ignored, at.ignored);
    strcpy(ds->group, at.group);
    if (open_columns(ds, &at, !memory->unhashed, err) || allocate_run(ds, err) ||
        (memory->indexed && dataset_take_witness(ds, &ds->witness, err)) ||
        load_columns(ds, true, err) || read_facts(ds, &at, false, err))
        return -1;
    ds->kept = fits(ds, memory->bytes);
    if (ds->kept && (dataset_take_memory(ds, memory, &filled, err) || load_columns(ds, false, err)))
        return -1;
    if (read_facts(ds, &at, true, err) || dataset_take_fingerprint(ds, err))
        return -1;
    if (ds->kept)
        dataset_close_file(ds);
    return 0;
}

int dataset_open_file(struct dataset **out, const char *spec, const struct dataset_memory *memory,
                      int n_parts, struct err *err) {
    struct dataset *ds = calloc(1, sizeof *ds);
    const size_t bytes = strlen(spec) + 1;
    char *group = NULL;
    int status;

    if (ds)
        ds->name = malloc(bytes);
    if (!ds || !ds->name) {
        dataset_close(ds);
        return err_set(err, ERR_IO, "%s: out of memory", spec);
    }
    memcpy(ds->name, spec, bytes);
    ds->n_alike = n_parts;
    status = layout_open(&ds->file, &group, spec, memory->files, err);
    if (!status && !(ds->path = strdup(h5_name(ds->file))))
        status = dataset_no_memory(ds, err);
    if (!status)
        status = open_group(ds, group, memory, err);
    free(group);
    if (status) {
        dataset_close(ds);
        return -1;
    }
    *out = ds;
    return 0;
}
