/* Arrays of NumPy: the first dimension is the samples. What an array is follows from its name and
 * type as in any other file, docs/data.md; integers become classes, bytes of images stay bytes. */
#include "io/import/import_rows.h"
#include "io/npy/npy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct npy_import {
    struct npy_file file;
    struct writer_field field[DATASET_MAX_FIELDS];
    int32_t *label; /* [rows] or NULL */
    int64_t *whole; /* one row of the longest array */
    double *real;
};

static bool is_label(const char *name) {
    static const char *const names[] = {"labels", "label", "y", "Y", "targets", "target"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Is it the name of a dataset that a step can use? */
static bool is_word(const char *name) {
    return *name && strlen(name) < DATASET_FIELD_NAME && !(*name >= '0' && *name <= '9') &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

/* Is it what images are called? */
static bool is_image(const char *name) {
    static const char *const names[] = {"images", "image", "x", "X", "data"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Bytes of four dimensions with 1, 3 or 4 numbers last; under a name of images grey ones, too. */
static bool is_bytes(const struct npy_array *a) {
    const int64_t channels = a->rank == 4 ? a->dim[3] : a->rank == 3 && is_image(a->name) ? 1 : 0;

    return a->kind == NPY_UINT && a->item_bytes == 1 &&
           (channels == 1 || channels == 3 || channels == 4);
}

/* The largest number of an array of classes, and whether all are -1 or more.
 * Errors: ERR_DATA naming the sample. */
static int look_classes(struct npy_import *in, const struct npy_array *a, const char *source,
                        int64_t *most, struct err *err) {
    const int64_t len = npy_row_len(a);

    *most = 0;
    for (int64_t i = 0; i < npy_rows(a); i++) {
        npy_read_whole(a, i, 1, in->whole);
        for (int64_t k = 0; k < len; k++) {
            if (in->whole[k] < -1 || in->whole[k] > INT32_MAX - 1)
                return err_set(err, ERR_DATA,
                               "%s: %s holds %" PRId64 " in sample %" PRId64
                               ", expected classes from 0, or -1; numbers to regress on are floats",
                               source, a->name, in->whole[k], i);
            *most = in->whole[k] > *most ? in->whole[k] : *most;
        }
    }
    return 0;
}

static int take_array(struct npy_import *in, int i, const char *source,
                      struct import_result *result, struct err *err) {
    const struct npy_array *a = &in->file.array[i];
    const bool alone = in->file.mapped != NULL;
    struct writer_field *f = &in->field[i];
    char text[NPY_TEXT];
    int64_t most;

    npy_text(a, text);
    if (a->rank < 1 || a->rank > 5)
        return err_set(err, ERR_DATA,
                       "%s: %s is %s, expected samples in the first of up to 5 "
                       "dimensions",
                       source, a->name, text);
    *f = (struct writer_field){.name = is_word(a->name) ? a->name : "x",
                               .sample = {.rank = a->rank - 1}};
    if (!is_word(a->name) && !alone)
        return err_set(err, ERR_DATA,
                       "%s: '%.40s' is no name of a field: letters, digits and _, "
                       "%d at most",
                       source, a->name, DATASET_FIELD_NAME - 1);
    for (int k = 1; k < a->rank; k++)
        f->sample.dim[k - 1] = a->dim[k];
    if (is_bytes(a)) {
        if (a->rank == 3) {
            f->sample.rank = 3;
            f->sample.dim[2] = 1;
        }
        f->kind = DATASET_BYTES;
        f->says = "image";
    } else if (a->kind == NPY_FLOAT) {
        f->kind = DATASET_REALS;
        f->sample.rank = f->sample.rank ? f->sample.rank : 1;
        f->sample.dim[0] = a->rank == 1 ? 1 : f->sample.dim[0];
        f->says = a->rank == 4 && !is_label(a->name) ? "image" : "real";
        f->measured = !is_label(a->name);
    } else {
        if (look_classes(in, a, source, &most, err))
            return -1;
        f->kind = DATASET_CLASS;
        f->n_classes = (int)most + 1;
        f->wide = true;
        f->says = "class";
        result->n_classes = is_label(a->name) && a->rank == 1 ? (int)most + 1 : result->n_classes;
    }
    import_note(result, "%s: %s is %s%s", f->name, text,
                f->kind == DATASET_BYTES   ? "images, bytes"
                : f->kind == DATASET_REALS ? "numbers"
                                           : "classes",
                f->measured ? ", whose mean and std are kept for normalize" : "");
    return 0;
}

static int take_arrays(struct npy_import *in, const char *source, struct import_result *result,
                       struct err *err) {
    int64_t longest = 1;

    if (in->file.n < 1 || in->file.n > DATASET_MAX_FIELDS)
        return err_set(err, ERR_DATA, "%s: holds %d arrays, expected 1 to %d", source, in->file.n,
                       DATASET_MAX_FIELDS);
    for (int i = 0; i < in->file.n; i++) {
        const struct npy_array *a = &in->file.array[i];
        char text[NPY_TEXT];

        if (npy_rows(a) < 1 || npy_row_len(a) < 1)
            return err_set(err, ERR_DATA, "%s: %s is %s, which holds nothing", source, a->name,
                           npy_text(a, text));
        longest = npy_row_len(a) > longest ? npy_row_len(a) : longest;
        if (npy_rows(a) != npy_rows(&in->file.array[0]))
            return err_set(err, ERR_DATA, "%s: %s has %" PRId64 " samples, %s has %" PRId64, source,
                           in->file.array[0].name, npy_rows(&in->file.array[0]), a->name,
                           npy_rows(a));
    }
    in->whole = malloc((size_t)longest * sizeof *in->whole);
    in->real = malloc((size_t)longest * sizeof *in->real);
    if (!in->whole || !in->real)
        return err_set(err, ERR_IO, "%s: out of memory", source);
    for (int i = 0; i < in->file.n; i++)
        if (take_array(in, i, source, result, err))
            return -1;
    return 0;
}

/* The classes that splits are drawn by. */
static int take_labels(struct npy_import *in, const char *source, struct err *err) {
    for (int i = 0; i < in->file.n; i++) {
        const struct npy_array *a = &in->file.array[i];

        if (!is_label(a->name) || in->field[i].kind != DATASET_CLASS || a->rank != 1)
            continue;
        in->label = malloc((size_t)npy_rows(a) * sizeof *in->label + 1);
        if (!in->label)
            return err_set(err, ERR_IO, "%s: out of memory", source);
        for (int64_t k = 0; k < npy_rows(a); k++) {
            npy_read_whole(a, k, 1, in->whole);
            in->label[k] = (int32_t)*in->whole;
        }
        return 0;
    }
    return 0;
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    struct npy_import *in = context;
    const struct npy_array *a = &in->file.array[field];
    const int64_t len = npy_row_len(a);

    (void)err;
    if (in->field[field].kind == DATASET_REALS) {
        npy_read_reals(a, i, 1, in->real);
        for (int64_t k = 0; k < len; k++)
            ((float *)out)[k] = (float)in->real[k];
        return 0;
    }
    npy_read_whole(a, i, 1, in->whole);
    for (int64_t k = 0; k < len; k++) {
        if (in->field[field].kind == DATASET_BYTES)
            ((unsigned char *)out)[k] = (unsigned char)in->whole[k];
        else
            ((int32_t *)out)[k] = (int32_t)in->whole[k];
    }
    return 0;
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct npy_import in = {0};
    int status = npy_open(&in.file, source, err);

    if (!status)
        status = take_arrays(&in, source, result, err) || take_labels(&in, source, err);
    if (!status) {
        const struct rows_source rows = {.name = source,
                                         .what = "samples",
                                         .context = &in,
                                         .n = npy_rows(in.file.array),
                                         .n_fields = in.file.n,
                                         .field = in.field,
                                         .label = in.label,
                                         .make = make};
        status = import_rows(&rows, target, options, result, err);
    }
    free(in.label);
    free(in.whole);
    free(in.real);
    npy_release(&in.file);
    return status ? -1 : 0;
}

const struct importer import_npy = {
    "npy", "NumPy's FILE.npy, or FILE.npz whose arrays are fields; the first dimension is samples",
    IMPORT_SPLIT | IMPORT_FOLDS, run};
