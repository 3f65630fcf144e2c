/* predict_h5.c - one row for each sample: class, p or values, label, and the names of files. */
#include "cmd/predict_h5.h"
#include "core/base/unfinished.h"
#include "io/file/file.h"
#include "io/h5/h5.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has_classes(const struct predict *p) {
    return p->predictor.kind <= PREDICT_INDICES;
}

static bool has_values(const struct predict *p) {
    return p->predictor.kind != PREDICT_MASK && p->predictor.kind != PREDICT_INDICES;
}

/* [n, ...] of the pixels that have classes, or of all values. Returns the rank. */
static int row_shape(const struct predict *p, bool classes, int64_t dim[SHAPE_MAX_RANK]) {
    const struct shape *s = &p->given;
    const bool drops = classes && p->predictor.kind != PREDICT_INDICES;

    memcpy(dim, s->dim, sizeof s->dim);
    if (p->predictor.kind == PREDICT_CLASSES && p->predictor.binary && !classes)
        dim[0] = 1;
    return 1 + s->rank - drops;
}

static int64_t value_len(const struct predict *p) {
    return has_values(p) ? p->given.rank ? shape_len(&p->given) : 1 : 0;
}

static int64_t n_class_rows(const struct predict *p) {
    return has_classes(p) ? predict_pixels(p, &p->given) : 0;
}

static int create(struct predict_out *o, struct predict *p, struct err *err) {
    int64_t dim[SHAPE_MAX_RANK];
    const bool labelled = p->source.labels >= 0 || p->source.label;

    if (h5_create(&o->h5, o->beside, err))
        return -1;
    o->unfinished = unfinished_add(o->beside);
    if (h5_attr_write_int(o->h5, "/", PREDICT_H5_MARK, 1, err))
        return -1;
    int rank = row_shape(p, true, dim);
    if (has_classes(p) &&
        h5_data_create(&o->classes, o->h5, "/class", H5_TYPE_I32, rank, dim, 0, err))
        return -1;
    rank = row_shape(p, false, dim);
    if (has_values(p) &&
        h5_data_create(&o->values, o->h5, p->predictor.kind == PREDICT_CLASSES ? "/p" : "/values",
                       H5_TYPE_F32, rank, dim, 0, err))
        return -1;
    return labelled ? h5_data_create(&o->labels, o->h5, "/label", H5_TYPE_I32, 1, dim, 0, err) : 0;
}

int predict_h5_open(struct predict_out *o, struct predict *p, struct err *err) {
    if ((p->args.whole || p->args.overlap >= 0) && p->inputs.path)
        return err_set(err, ERR_USAGE,
                       "%s: rows of HDF5 are of one size, and --whole and --window leave pictures "
                       "theirs; expected -o FOLDER",
                       o->path);
    o->beside = file_text("%s.tmp", o->path);
    return o->beside ? create(o, p, err) : err_set(err, ERR_IO, "%s: no memory", o->path);
}

/* A row: the label, classes, then values. Of what could not be read -1 and nan. */
int predict_h5_take(struct predict *p, const struct predicted *v, struct err *err) {
    const int64_t n = n_class_rows(p), len = value_len(p);
    const int64_t step = p->predictor.kind == PREDICT_INDICES ? 1 : shape_channels(&v->shape);
    const int32_t label = (int32_t)v->label;
    const float none = NAN;

    if (v->values && !shape_equal(&v->shape, &p->given)) {
        char found[SHAPE_TEXT], expected[SHAPE_TEXT];
        return err_set(err, ERR_USAGE,
                       "sample %lld: the prediction is %s, and rows of HDF5 are %s; expected -o "
                       "FOLDER",
                       (long long)v->index, shape_text(&v->shape, found),
                       shape_text(&p->given, expected));
    }
    fwrite(&label, sizeof label, 1, p->lines);
    for (int64_t i = 0; i < n; i++) {
        const int32_t class = v->values ? (int32_t)predict_class_at(p, v->values + i * step) : -1;
        fwrite(&class, sizeof class, 1, p->lines);
    }
    for (int64_t i = 0; i < len; i++)
        fwrite(v->values ? &v->values[i] : &none, sizeof none, 1, p->lines);
    return 0;
}

static int write_row(struct predict_out *o, const struct predict *p, const unsigned char *row,
                     struct err *err) {
    const size_t classes = sizeof(int32_t), values = classes + (size_t)n_class_rows(p) * 4;

    if ((o->labels && h5_data_append(o->labels, 1, row, err)) ||
        (o->classes && h5_data_append(o->classes, 1, row + classes, err)))
        return -1;
    return o->values ? h5_data_append(o->values, 1, row + values, err) : 0;
}

int predict_h5_write(struct predict_out *o, const struct predict *p, const void *bytes, size_t len,
                     struct err *err) {
    const int64_t numbers = 1 + n_class_rows(p) + value_len(p);
    const size_t row = (size_t)numbers * sizeof(float);
    const unsigned char *at = bytes;

    for (; len >= row; at += row, len -= row)
        if (write_row(o, p, at, err))
            return -1;
    return 0;
}

static int write_names(struct predict_out *o, const struct predict *p, struct err *err) {
    size_t width = 1;

    if (!p->inputs.path)
        return 0;
    for (int64_t i = 0; i < p->inputs.n; i++)
        if (strlen(p->inputs.path[i]) > width)
            width = strlen(p->inputs.path[i]);
    char *rows = calloc((size_t)p->inputs.n, width);
    if (!rows)
        return err_set(err, ERR_IO, "%s: no memory for the names of files", o->path);
    for (int64_t i = 0; i < p->inputs.n; i++)
        memcpy(rows + (size_t)i * width, p->inputs.path[i], strlen(p->inputs.path[i]));
    const int rc = h5_write_texts(o->h5, "/file", (int)width, p->inputs.n, rows, err);
    free(rows);
    return rc;
}

static void close_data(struct predict_out *o) {
    h5_data_close(o->values);
    h5_data_close(o->classes);
    h5_data_close(o->labels);
    o->values = o->classes = o->labels = NULL;
}

int predict_h5_finish(struct predict_out *o, const struct predict *p, struct err *err) {
    close_data(o);
    if (write_names(o, p, err) ||
        (has_classes(p) && p->class_name && p->n_classes &&
         h5_attr_write_texts(o->h5, "/class", "classes", p->class_name, p->n_classes, err)) ||
        h5_sync(o->h5, err))
        return -1;
    h5_close(o->h5);
    o->h5 = NULL;
    if (rename(o->beside, o->path))
        return err_set(err, ERR_IO, "%s: cannot be written: %s", o->path, strerror(errno));
    unfinished_drop(o->unfinished);
    o->unfinished = NULL;
    free(o->beside);
    o->beside = NULL;
    return 0;
}

void predict_h5_release(struct predict_out *o) {
    close_data(o);
    h5_close(o->h5);
    if (o->beside)
        file_remove(o->beside);
    unfinished_drop(o->unfinished);
    free(o->beside);
}
