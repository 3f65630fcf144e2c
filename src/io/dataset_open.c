/* Everything that can be wrong with a dataset is found here. */
#include "io/dataset_layout.h"
#include "io/dataset_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    VERSION = 1,
    MOST_CLASSES = 1 << 24,
    DEFLATE_RATIO = 1100, /* gzip packs at most 1032 to 1 */
    LABELS_AT_A_TIME = 1 << 16,
};

static int no_memory(const struct dataset *ds, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", ds->name);
}

/* The group's attribute, else the file's: the object that has it, or NULL. */
static const char *attr_home(const struct dataset *ds, const struct dataset_layout *at,
                             const char *name) {
    const char *const homes[] = {at->images, at->group, "/"};

    for (int i = 0; i < 3; i++)
        if (h5_attr_exists(ds->file, homes[i], name))
            return homes[i];
    return NULL;
}

/* A file may claim rows that it does not hold; they would read as zeros. */
static int check_stored(const struct dataset *ds, const char *path, const struct h5_info *info,
                        struct err *err) {
    const int64_t bytes = info->dim[0] * h5_row_len(info) * info->item_bytes;
    const int64_t least = info->n_filters ? bytes / DEFLATE_RATIO : bytes;

    if (info->stored_bytes >= least)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %s claims %lld bytes but stores %lld; it was not written completely",
                   ds->name, path, (long long)bytes, (long long)info->stored_bytes);
}

static bool channel_count(int64_t n) {
    return n == 1 || n == 3 || n == 4;
}

/* Does the file hold [n, c, h, w]? Its attribute says so, or its shape does. */
static int find_order(struct dataset *ds, const struct dataset_layout *at,
                      const struct h5_info *info, struct err *err) {
    const char *home = attr_home(ds, at, "layout");
    char *order;
    int status = 0;

    if (!home) {
        ds->channels_first = channel_count(info->dim[1]) && !channel_count(info->dim[3]);
        return 0;
    }
    if (h5_attr_text(ds->file, home, "layout", &order, err))
        return -1;
    ds->channels_first = strcmp(order, "NCHW") == 0;
    if (!ds->channels_first && strcmp(order, "NHWC") != 0)
        status = err_set(err, ERR_DATA, "%s: attribute layout is '%.40s', expected NHWC or NCHW",
                         ds->name, order);
    free(order);
    return status;
}

static int check_images(struct dataset *ds, const struct dataset_layout *at,
                        const struct h5_info *info, struct err *err) {
    struct dataset_field *field = &ds->field[0];
    const int64_t *dim = info->dim;
    struct shape *s = &field->sample;

    if (info->rank != 3 && info->rank != 4)
        return err_set(err, ERR_DATA,
                       "%s: %s has %d dimensions, expected 4 (samples, height, width, channels) or "
                       "3 (samples, height, width)",
                       ds->name, at->images, info->rank);
    if (info->class == H5_CLASS_UINT && info->item_bytes == 1)
        field->kind = DATASET_BYTES;
    else if (info->class == H5_CLASS_FLOAT)
        field->kind = DATASET_REALS;
    else
        return err_set(err, ERR_DATA, "%s: %s holds %s of %d bytes, expected uint8 or float32",
                       ds->name, at->images,
                       info->class == H5_CLASS_INT || info->class == H5_CLASS_UINT ? "integers"
                                                                                   : "items",
                       info->item_bytes);
    if (info->rank == 4 && find_order(ds, at, info, err))
        return -1;
    if (info->rank == 3)
        *s = (struct shape){3, {dim[1], dim[2], 1}};
    else if (ds->channels_first)
        *s = (struct shape){3, {dim[2], dim[3], dim[1]}};
    else
        *s = (struct shape){3, {dim[1], dim[2], dim[3]}};
    strcpy(field->name, "image");
    ds->n_fields = 1;
    ds->len = dim[0];
    if (ds->len == 0)
        return err_set(err, ERR_DATA, "%s: %s is empty, expected at least one image", ds->name,
                       at->images);
    if (shape_len(s) <= 0 || shape_len(s) > INT32_MAX / 8)
        return err_set(err, ERR_DATA, "%s: %s has images of %lldx%lldx%lld", ds->name, at->images,
                       (long long)s->dim[0], (long long)s->dim[1], (long long)s->dim[2]);
    ds->sample_bytes = (size_t)shape_len(s) * (field->kind == DATASET_BYTES ? 1 : sizeof(float));
    return check_stored(ds, at->images, info, err);
}

/* Class names, where the file has them. */
static int read_classes(struct dataset *ds, const struct dataset_layout *at, struct err *err) {
    const char *home = attr_home(ds, at, "classes");

    if (!home)
        return 0;
    if (h5_attr_texts(ds->file, home, "classes", &ds->class_name, &ds->n_classes, err))
        return -1;
    if (ds->n_classes == 0)
        return err_set(err, ERR_DATA, "%s: attribute classes is empty", ds->name);
    return 0;
}

/* Where the file does not name the classes, their numbers do. */
static int number_classes(struct dataset *ds, struct err *err) {
    enum { NUMBER = 12 };

    for (int64_t i = 0; i < ds->len; i++)
        if (ds->labels[i] >= ds->n_classes)
            ds->n_classes = ds->labels[i] + 1;
    ds->class_name = calloc((size_t)ds->n_classes, sizeof *ds->class_name);
    if (!ds->class_name)
        return no_memory(ds, err);
    for (int i = 0; i < ds->n_classes; i++) {
        ds->class_name[i] = malloc(NUMBER);
        if (!ds->class_name[i])
            return no_memory(ds, err);
        snprintf(ds->class_name[i], NUMBER, "%d", i);
    }
    return 0;
}

static int check_labels(const struct dataset *ds, const char *path, const struct h5_info *info,
                        struct err *err) {
    const bool column = info->rank == 2 && info->dim[1] == 1;

    if (info->rank != 1 && !column)
        return err_set(err, ERR_DATA,
                       "%s: %s has %d dimensions%s, expected one class number for each sample",
                       ds->name, path, info->rank, info->rank == 2 ? " (one-hot?)" : "");
    if (info->class != H5_CLASS_INT && info->class != H5_CLASS_UINT)
        return err_set(err, ERR_DATA, "%s: %s holds no integers, expected class numbers", ds->name,
                       path);
    if (info->dim[0] != ds->len)
        return err_set(err, ERR_DATA, "%s: has %lld images but %lld labels", ds->name,
                       (long long)ds->len, (long long)info->dim[0]);
    return check_stored(ds, path, info, err);
}

/* Labels first .. first + n - 1, checked. */
static int take_labels(struct dataset *ds, const int64_t *labels, int64_t first, int64_t n,
                       struct err *err) {
    const int64_t most = ds->n_classes ? ds->n_classes : MOST_CLASSES;

    for (int64_t i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] >= most)
            return err_set(err, ERR_DATA, "%s: label %lld of sample %lld, expected 0 to %lld",
                           ds->name, (long long)labels[i], (long long)(first + i),
                           (long long)most - 1);
        ds->labels[first + i] = (int32_t)labels[i];
    }
    return 0;
}

static int read_labels(struct dataset *ds, struct h5_data *data, struct err *err) {
    int64_t *some = malloc(LABELS_AT_A_TIME * sizeof *some);
    int status = 0;

    ds->labels = malloc((size_t)ds->len * sizeof *ds->labels);
    if (!ds->labels || !some)
        status = no_memory(ds, err);
    for (int64_t first = 0; !status && first < ds->len; first += LABELS_AT_A_TIME) {
        const int64_t left = ds->len - first;
        const int64_t n = left < LABELS_AT_A_TIME ? left : LABELS_AT_A_TIME;

        if (h5_data_read(data, first, n, H5_TYPE_I64, some, err) ||
            take_labels(ds, some, first, n, err))
            status = -1;
    }
    free(some);
    return status;
}

static int count_classes(struct dataset *ds, struct err *err) {
    ds->counts = calloc((size_t)ds->n_classes, sizeof *ds->counts);
    if (!ds->counts)
        return no_memory(ds, err);
    for (int64_t i = 0; i < ds->len; i++)
        ds->counts[ds->labels[i]]++;
    return 0;
}

static int open_labels(struct dataset *ds, const struct dataset_layout *at, struct err *err) {
    struct h5_data *data;
    int status;

    if (!*at->labels)
        return 0;
    if (read_classes(ds, at, err) || h5_data_open(&data, ds->file, at->labels, err))
        return -1;
    status = check_labels(ds, at->labels, h5_data_info(data), err) || read_labels(ds, data, err);
    h5_data_close(data);
    if (status || (!ds->class_name && number_classes(ds, err)) || count_classes(ds, err))
        return -1;
    ds->field[ds->n_fields++] = (struct dataset_field){.name = "label", .kind = DATASET_CLASS};
    return 0;
}

/* mean or std: [c] into *out; NULL where the file does not say. */
static int read_channels(struct dataset *ds, const struct dataset_layout *at, const char *name,
                         bool positive, float **out, struct err *err) {
    const char *home = attr_home(ds, at, name);
    const int channels = (int)ds->field[0].sample.dim[2];
    const double most = ds->field[0].kind == DATASET_BYTES ? 1 : HUGE_VAL;
    double *values;
    int n, status = 0;

    if (!home)
        return 0;
    if (h5_attr_reals(ds->file, home, name, &values, &n, err))
        return -1;
    *out = malloc((size_t)channels * sizeof **out);
    if (!*out)
        status = no_memory(ds, err);
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

static int read_statistics(struct dataset *ds, const struct dataset_layout *at, struct err *err) {
    if (read_channels(ds, at, "mean", false, &ds->mean, err) ||
        read_channels(ds, at, "std", true, &ds->std, err))
        return -1;
    if (!ds->mean != !ds->std)
        return err_set(err, ERR_DATA, "%s: has the attribute %s but not %s", ds->name,
                       ds->mean ? "mean" : "std", ds->mean ? "std" : "mean");
    return 0;
}

static int check_version(const struct dataset *ds, struct err *err) {
    int64_t version;

    if (!h5_attr_exists(ds->file, "/", "dltrain_dataset"))
        return 0;
    if (h5_attr_int(ds->file, "/", "dltrain_dataset", &version, err))
        return -1;
    if (version != VERSION)
        return err_set(err, ERR_DATA, "%s: is a dataset of version %lld, this program reads %d",
                       ds->name, (long long)version, VERSION);
    return 0;
}

static int take_fingerprint(struct dataset *ds, struct err *err) {
    XXH3_state_t *state = XXH3_createState();
    const struct shape *s = &ds->field[0].sample;
    const int64_t head[] = {ds->len,   s->dim[0],         s->dim[1],
                            s->dim[2], ds->field[0].kind, ds->n_classes};

    if (!state)
        return no_memory(ds, err);
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, head, sizeof head);
    for (int i = 0; i < ds->n_classes; i++)
        XXH3_64bits_update(state, ds->class_name[i], strlen(ds->class_name[i]) + 1);
    if (ds->labels)
        XXH3_64bits_update(state, ds->labels, (size_t)ds->len * sizeof *ds->labels);
    ds->fingerprint = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return 0;
}

static int open_group(struct dataset *ds, const char *group, int64_t cache_bytes, struct err *err) {
    struct dataset_layout at;

    if (check_version(ds, err) || dataset_layout_find(ds->file, group, &at, err) ||
        h5_data_open(&ds->images, ds->file, at.images, err) ||
        check_images(ds, &at, h5_data_info(ds->images), err) || open_labels(ds, &at, err) ||
        read_statistics(ds, &at, err) || take_fingerprint(ds, err))
        return -1;
    ds->run = malloc((size_t)dataset_run_rows(ds) * ds->sample_bytes);
    if (!ds->run)
        return no_memory(ds, err);
    if (ds->len > cache_bytes / (int64_t)ds->sample_bytes)
        return 0;
    if (dataset_load(ds, err))
        return -1;
    h5_data_close(ds->images);
    ds->images = NULL;
    h5_close(ds->file);
    ds->file = NULL;
    free(ds->run);
    ds->run = NULL;
    return 0;
}

int dataset_open(struct dataset **out, const char *spec, int64_t cache_bytes, struct err *err) {
    struct dataset *ds = calloc(1, sizeof *ds);
    const size_t bytes = strlen(spec) + 1;
    char *path = malloc(bytes), *group;
    int status;

    if (ds)
        ds->name = malloc(bytes);
    if (!ds || !path || !ds->name) {
        dataset_close(ds);
        free(path);
        return err_set(err, ERR_IO, "%s: out of memory", spec);
    }
    memcpy(ds->name, spec, bytes);
    memcpy(path, spec, bytes);
    group = strrchr(path, ':');
    /* A colon may also be part of the file's name. */
    if (group && access(spec, F_OK) == 0)
        group = NULL;
    if (group)
        *group++ = 0;
    status = h5_open(&ds->file, path, err) ||
             open_group(ds, group && *group ? group : NULL, cache_bytes, err);
    free(path);
    if (status) {
        dataset_close(ds);
        return -1;
    }
    *out = ds;
    return 0;
}
