/* What a field is: its kind, its shape, its order of channels. */
#include "io/dataset/dataset_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFLATE_RATIO = 1100, /* gzip packs at most 1032 to 1 */
    MOST_SAMPLE = INT32_MAX / 8,
    SAMPLE_RANK = SHAPE_MAX_RANK - 1,
};

/* What is known of a field before its kind. */
struct found {
    const struct layout_field *at;
    const struct h5_info *info;
    bool is_image, is_label; /* by name */
    bool whole, bytes;       /* integers; uint8 */
    char *kind;              /* the attribute, or NULL */
};

struct attr_homes dataset_attr_homes(const struct dataset_layout *at, int field, bool shared) {
    return (struct attr_homes){{at->field[field].path, at->group, "/"}, shared ? 3 : 1};
}

const char *dataset_attr(const struct dataset *ds, const struct attr_homes *homes,
                         const char *name) {
    for (int i = 0; i < homes->n; i++)
        if (h5_attr_exists(ds->file, homes->path[i], name))
            return homes->path[i];
    return NULL;
}

/* A file may claim rows that it does not hold; they would read as zeros. */
static int check_stored(const struct dataset *ds, const struct found *f, struct err *err) {
    const struct h5_info *info = f->info;
    const int64_t bytes = info->dim[0] * h5_row_len(info) * info->item_bytes;
    const int64_t least = info->n_filters ? bytes / DEFLATE_RATIO : bytes;

    if (info->stored_bytes >= least)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %s claims %lld bytes but stores %lld; it was not written completely",
                   ds->name, f->at->path, (long long)bytes, (long long)info->stored_bytes);
}

static bool channel_count(int64_t n) {
    return n == 1 || n == 3 || n == 4;
}

/* Does the file hold [n, c, h, w]? Its attribute says so; of images that are known to be such, the
 * shape does. */
static int find_order(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, bool by_shape, struct err *err) {
    const struct attr_homes homes = dataset_attr_homes(at, i, true);
    const char *home = dataset_attr(ds, &homes, "layout");
    const int64_t *dim = f->info->dim;
    char *order;
    int status = 0;

    if (!home) {
        ds->column[i].channels_first = by_shape && channel_count(dim[1]) && !channel_count(dim[3]);
        return 0;
    }
    if (h5_attr_text(ds->file, home, "layout", &order, err))
        return -1;
    ds->column[i].channels_first = strcmp(order, "NCHW") == 0;
    if (!ds->column[i].channels_first && strcmp(order, "NHWC") != 0)
        status = err_set(err, ERR_DATA, "%s: attribute layout is '%.40s', expected NHWC or NCHW",
                         ds->name, order);
    free(order);
    return status;
}

static int refuse_type(const struct dataset *ds, const struct found *f, const char *expected,
                       struct err *err) {
    return err_set(err, ERR_DATA, "%s: %s holds %s of %d bytes, expected %s", ds->name, f->at->path,
                   f->whole                           ? "integers"
                   : f->info->class == H5_CLASS_FLOAT ? "floats"
                                                      : "items",
                   f->info->item_bytes, expected);
}

/* The dimensions of a sample as the file has them, all of them or but a last one of length 1. */
static void take_shape(struct dataset_field *field, const struct h5_info *info, bool drop_one) {
    const int rank = info->rank - 1;

    field->sample = (struct shape){.rank = rank - (drop_one && rank && info->dim[rank] == 1)};
    for (int k = 0; k < field->sample.rank; k++)
        field->sample.dim[k] = info->dim[k + 1];
}

static int take_image(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];
    const int64_t *dim = f->info->dim;

    if (f->info->rank != 3 && f->info->rank != 4 && !(f->kind && f->info->rank == 5))
        return err_set(err, ERR_DATA,
                       "%s: %s has %d dimensions, expected 4 (samples, height, width, channels) or "
                       "3 (samples, height, width)",
                       ds->name, f->at->path, f->info->rank);
    if (!f->bytes && f->info->class != H5_CLASS_FLOAT)
        return refuse_type(ds, f, "uint8 or float32", err);
    field->kind = f->bytes ? DATASET_BYTES : DATASET_REALS;
    take_shape(field, f->info, false);
    field->image = field->sample.rank < 4;
    if (f->info->rank == 4 && find_order(ds, i, at, f, true, err))
        return -1;
    if (field->sample.rank == 2)
        field->sample = (struct shape){3, {dim[1], dim[2], 1}};
    else if (ds->column[i].channels_first)
        field->sample = (struct shape){3, {dim[2], dim[3], dim[1]}};
    return 0;
}

static int take_class(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];

    if (!f->whole)
        return f->is_label
                   ? err_set(err, ERR_DATA,
                             "%s: %s holds no integers, expected class numbers; the attribute kind "
                             "= real makes them numbers",
                             ds->name, f->at->path)
                   : refuse_type(ds, f, "integers, for its attribute kind = class", err);
    field->kind = DATASET_CLASS;
    take_shape(field, f->info, true);
    return 0;
}

static int take_reals(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];

    field->kind = DATASET_REALS;
    take_shape(field, f->info, false);
    field->image = field->sample.rank == 3 && !f->kind;
    if (field->sample.rank == 3 && find_order(ds, i, at, f, false, err))
        return -1;
    if (ds->column[i].channels_first)
        field->sample =
            (struct shape){3, {field->sample.dim[1], field->sample.dim[2], field->sample.dim[0]}};
    return 0;
}

/* By the attribute kind, else by name, else by type and shape. */
static int take_kind(struct dataset *ds, int i, const struct dataset_layout *at,
                     const struct found *f, struct err *err) {
    const struct h5_info *info = f->info;
    const bool image_like =
        info->rank == 4 && (channel_count(info->dim[3]) || channel_count(info->dim[1]));

    if (f->kind && strcmp(f->kind, "image") == 0)
        return take_image(ds, i, at, f, err);
    if (f->kind && strcmp(f->kind, "class") == 0)
        return take_class(ds, i, f, err);
    if (f->kind && strcmp(f->kind, "real") == 0)
        return take_reals(ds, i, at, f, err);
    if (f->kind)
        return err_set(err, ERR_DATA,
                       "%s: attribute kind of %s is '%.40s', expected image, class or real",
                       ds->name, f->at->path, f->kind);
    if (f->is_image)
        return take_image(ds, i, at, f, err);
    if (f->is_label && info->rank == 2 && info->dim[1] != 1)
        return err_set(err, ERR_DATA,
                       "%s: %s has 2 dimensions (one-hot?), expected one class number for each "
                       "sample, or the attribute kind = real",
                       ds->name, f->at->path);
    if (f->is_label)
        return take_class(ds, i, f, err);
    if (!f->whole)
        return take_reals(ds, i, at, f, err);
    if (f->bytes && image_like)
        return take_image(ds, i, at, f, err);
    if (info->rank <= 3)
        return take_class(ds, i, f, err);
    return err_set(err, ERR_DATA,
                   "%s: %s holds integers of %d dimensions; say what they are with the attribute "
                   "kind = image, class or real",
                   ds->name, f->at->path, info->rank);
}

static int check_column(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];
    const struct shape *s = &field->sample;
    struct column *c = &ds->column[i];
    char text[SHAPE_TEXT];

    if (field->rows == 0)
        return err_set(err, ERR_DATA, "%s: %s is empty, expected at least one %s", ds->name,
                       f->at->path, f->is_image ? "image" : "row");
    if (s->rank && (shape_len(s) <= 0 || shape_len(s) > MOST_SAMPLE))
        return err_set(err, ERR_DATA, "%s: %s has %s of %s", ds->name, f->at->path,
                       f->is_image ? "images" : "rows", shape_text(s, text));
    c->type = field->kind == DATASET_REALS                            ? H5_TYPE_F32
              : field->kind == DATASET_BYTES || (f->bytes && s->rank) ? H5_TYPE_U8
                                                                      : H5_TYPE_I32;
    c->row_bytes = (size_t)dataset_sample_len(field) * (c->type == H5_TYPE_U8 ? 1 : 4);
    return check_stored(ds, f, err);
}

int dataset_column_init(struct dataset *ds, int i, const struct dataset_layout *at,
                        struct err *err) {
    const struct h5_info *info = h5_data_info(ds->column[i].data);
    struct found f = {.at = &at->field[i], .info = info};
    int status = -1;

    f.is_image = strcmp(f.at->name, "image") == 0;
    f.is_label = strcmp(f.at->name, "label") == 0;
    f.whole = info->class == H5_CLASS_INT || info->class == H5_CLASS_UINT;
    f.bytes = info->class == H5_CLASS_UINT && info->item_bytes == 1;
    strcpy(ds->field[i].name, f.at->name);
    strcpy(ds->column[i].path, f.at->path);
    ds->field[i].rows = f.at->rows;
    ds->field[i].unpaired = f.at->unpaired;
    if (info->rank > SAMPLE_RANK + 1)
        return err_set(err, ERR_DATA, "%s: %s has %d dimensions, expected at most %d", ds->name,
                       f.at->path, info->rank, SAMPLE_RANK + 1);
    if (h5_attr_exists(ds->file, f.at->path, "kind") &&
        h5_attr_text(ds->file, f.at->path, "kind", &f.kind, err))
        return -1;
    if (f.whole || info->class == H5_CLASS_FLOAT)
        status = take_kind(ds, i, at, &f, err) || check_column(ds, i, &f, err) ? -1 : 0;
    else
        refuse_type(ds, &f, f.is_label ? "class numbers" : "uint8 or float32", err);
    free(f.kind);
    return status;
}
