/* What is read as it stands, and looks as if something else had been meant: said, not changed. */
#include "io/dataset/dataset_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BYTE_MOST = 255, BYTE_BRIGHT = 128, MANY = 2, PATH_TEXT = 2 * LAYOUT_PATH };

/* Where others keep the names of classes. */
static const char *const elsewhere[] = {"class_names", "classes",    "class_labels",
                                        "label_names", "categories", "list_classes"};

/* Numbers of classes begin with 0 and have no gaps: those that do not may be no numbers of classes,
 * or begin with 1. */
static int doubt_numbers(struct dataset *ds, int i, struct err *err) {
    const struct column *c = &ds->column[i];
    int first = 0, absent = 0;

    for (int k = c->n_classes - 1; k >= 0; k--) {
        first = c->counts[k] ? k : first;
        absent += !c->counts[k];
    }
    if (first == 1)
        return dataset_guess(ds, err,
                             "%s: class 0 never occurs; classes are counted from 0: should the "
                             "numbers begin with 1, store y - 1",
                             c->path);
    if (absent * MANY <= c->n_classes)
        return 0;
    return dataset_guess(ds, err,
                         "%s: the largest number, %d, makes %d classes, of which %d never occur; "
                         "if so many were not meant, np.unique(y, return_inverse=True) gives the "
                         "classes and their numbers",
                         c->path, c->n_classes - 1, c->n_classes, absent);
}

/* Names under another name than `classes`, or in a dataset, are not read: whoever wrote them would
 * believe that they are. */
static int doubt_names(struct dataset *ds, int i, const struct attr_homes *homes, struct err *err) {
    if (ds->column[i].enumerated)
        return dataset_guess(ds, err,
                             "%s: the names of its enumeration are not read; the names of classes "
                             "are those of the attribute classes: f['%s'].attrs['classes'] = [...]",
                             ds->column[i].path, ds->column[i].path);
    for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++) {
        const char *home = NULL;

        if (dataset_attr(ds, homes, elsewhere[k], &home, err))
            return -1;
        for (int h = 0; h < homes->n && !home; h++) {
            const char *at = homes->path[h];
            char path[PATH_TEXT];

            snprintf(path, sizeof path, "%s/%s", strcmp(at, "/") ? at : "", elsewhere[k]);
            if (strcmp(at, ds->column[i].path) && h5_exists(ds->file, path, err) > 0 &&
                h5_is_data(ds->file, path, err) > 0)
                home = at;
        }
        if (home)
            return dataset_guess(ds, err,
                                 "%s: %s of %s is not read; the names of classes are those of the "
                                 "attribute classes: f['%s'].attrs['classes'] = [...]",
                                 ds->column[i].path, elsewhere[k], home, ds->column[i].path);
    }
    return 0;
}

int dataset_doubt_classes(struct dataset *ds, int i, const struct attr_homes *homes,
                          struct err *err) {
    if (ds->declared || ds->column[i].class_name)
        return 0;
    if (doubt_names(ds, i, homes, err))
        return -1;
    return ds->n_alike > 1 ? 0 : doubt_numbers(ds, i, err); /* of parts, each may lack some */
}

/* Whole numbers of 0 to 255 that reach their upper half. */
static bool looks_like_bytes(const float *v, int64_t len, float *most) {
    *most = 0;
    for (int64_t k = 0; k < len; k++) {
        if (!(v[k] >= 0 && v[k] <= BYTE_MOST && v[k] == floorf(v[k])))
            return false;
        *most = v[k] > *most ? v[k] : *most;
    }
    return *most >= BYTE_BRIGHT;
}

int dataset_doubt_scale(struct dataset *ds, int i, struct err *err) {
    const struct column *c = &ds->column[i];
    const struct dataset_field *f = &ds->field[i];
    const int64_t most = column_run_rows(c), rows = f->rows < most ? f->rows : most;
    const float *values = (const float *)(const void *)c->kept;
    float largest;

    if (ds->declared || f->kind != DATASET_REALS || c->mean || strcmp(f->name, "image"))
        return 0;
    if (!values) {
        if (dataset_read_run(ds, i, 0, rows, err))
            return -1;
        values = (const float *)(const void *)ds->run;
    }
    if (!looks_like_bytes(values, rows * dataset_sample_len(f), &largest))
        return 0;
    return dataset_guess(ds, err,
                         "%s: floats of whole numbers, 0 to %g, stay as they are; to have them "
                         "scaled to 0 .. 1, store them as uint8",
                         c->path, (double)largest);
}
