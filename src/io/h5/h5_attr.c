/* Attributes: small facts beside the data. */
#include "io/h5/h5_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that belongs in an attribute is larger; more is an error, not a cut. */
enum { MOST_VALUES = 1 << 20, MOST_BYTES = 1 << 28, WHAT_TEXT = 128 };

/* h5_fail for an attribute. */
static int fail(const struct h5 *file, const char *object, const char *name, enum err_kind kind,
                const char *what, struct err *err) {
    char text[WHAT_TEXT];

    snprintf(text, sizeof text, "attribute '%.64s' %s", name, what);
    return h5_fail(file, object, kind, text, err);
}

/* 1, 0, -1 with err. The lock is held. */
static int exists(const struct h5 *file, const char *object, const char *name, struct err *err) {
    const htri_t found = H5Aexists_by_name(file->id, object, name, H5P_DEFAULT);

    return found < 0 ? fail(file, object, name, ERR_DATA, "cannot be looked up", err) : found > 0;
}

int h5_attr_exists(struct h5 *file, const char *object, const char *name, struct err *err) {
    int found;

    h5_lock();
    found = h5_path_check(file, object, err);
    if (found == 1)
        found = exists(file, object, name, err);
    h5_unlock();
    return found;
}

/* n < 0: one value, not a list. The lock is held. */
static int write_attr(struct h5 *file, const char *object, const char *name, hid_t type, int n,
                      const void *values, struct err *err) {
    const hsize_t dim = (hsize_t)(n > 0 ? n : 0);
    const hid_t space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
    const hid_t id = H5Acreate_by_name(file->id, object, name, type, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    int status = 0;

    if (id < 0 || (n != 0 && H5Awrite(id, type, values) < 0))
        status = fail(file, object, name, ERR_IO, "cannot be written", err);
    if (id >= 0)
        H5Aclose(id);
    H5Sclose(space);
    return status;
}

static int write_number(struct h5 *file, const char *object, const char *name, enum h5_type type,
                        int n, const void *values, struct err *err) {
    int status;

    h5_lock();
    status = write_attr(file, object, name, h5_memory_type(type), n, values, err);
    h5_unlock();
    return status;
}

static int write_texts(struct h5 *file, const char *object, const char *name,
                       const char *const *texts, int n, struct err *err) {
    hid_t type;
    int status;

    h5_lock();
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    status = write_attr(file, object, name, type, n, texts, err);
    H5Tclose(type);
    h5_unlock();
    return status;
}

int h5_attr_write_text(struct h5 *file, const char *object, const char *name, const char *text,
                       struct err *err) {
    return write_texts(file, object, name, &text, -1, err);
}

int h5_attr_write_texts(struct h5 *file, const char *object, const char *name,
                        const char *const *texts, int n, struct err *err) {
    return write_texts(file, object, name, texts, n, err);
}

int h5_attr_write_int(struct h5 *file, const char *object, const char *name, int64_t value,
                      struct err *err) {
    return write_number(file, object, name, H5_TYPE_I64, -1, &value, err);
}

int h5_attr_write_real(struct h5 *file, const char *object, const char *name, double value,
                       struct err *err) {
    return write_number(file, object, name, H5_TYPE_F64, -1, &value, err);
}

int h5_attr_write_reals(struct h5 *file, const char *object, const char *name, const double *values,
                        int n, struct err *err) {
    return write_number(file, object, name, H5_TYPE_F64, n, values, err);
}

/* An attribute being read. */
struct attr {
    const struct h5 *file;
    const char *object, *name;
    hid_t id, type;
    int64_t n;
};

static int refuse(const struct attr *a, const char *what, struct err *err) {
    return err_set(err, ERR_DATA, "%s:%s: attribute '%s' %s", a->file->name, a->object, a->name,
                   what);
}

/* After a call of the library that failed. */
static int unreadable(const struct attr *a, struct err *err) {
    return fail(a->file, a->object, a->name, ERR_DATA, "cannot be read", err);
}

static void attr_release(struct attr *a) {
    if (a->type >= 0)
        H5Tclose(a->type);
    if (a->id >= 0)
        H5Aclose(a->id);
}

static int attr_open(struct attr *a, struct err *err) {
    hid_t space;
    int found;

    a->id = a->type = -1;
    if (h5_path_require(a->file, a->object, "group or dataset", err) ||
        (found = exists(a->file, a->object, a->name, err)) < 0)
        return -1;
    if (!found)
        return refuse(a, "is missing", err);
    a->id = H5Aopen_by_name(a->file->id, a->object, a->name, H5P_DEFAULT, H5P_DEFAULT);
    a->type = a->id >= 0 ? H5Aget_type(a->id) : -1;
    space = a->type >= 0 ? H5Aget_space(a->id) : -1;
    a->n = space >= 0 ? (int64_t)H5Sget_simple_extent_npoints(space) : -1;
    if (a->n < 0)
        unreadable(a, err);
    if (space >= 0)
        H5Sclose(space);
    if (a->n < 0)
        return -1;
    if (a->n > MOST_VALUES)
        return refuse(a, "is unreasonably large", err);
    return 0;
}

/* Numbers of any stored type into out[max] as `type`; one: exactly one value. */
static int read_numbers(struct attr *a, enum h5_type type, bool one, void **out, struct err *err) {
    const enum h5_class class = h5_class_of(a->type);

    if (class != H5_CLASS_INT && class != H5_CLASS_UINT &&
        (class != H5_CLASS_FLOAT || type == H5_TYPE_I64))
        return refuse(a, type == H5_TYPE_I64 ? "is not an integer" : "is not a number", err);
    if (one && a->n != 1)
        return refuse(a, "is a list, expected one number", err);
    *out = calloc((size_t)a->n + 1, h5_type_bytes(type));
    if (!*out)
        return err_set(err, ERR_IO, "%s: out of memory", a->file->name);
    if (a->n && H5Aread(a->id, h5_memory_type(type), *out) < 0)
        return unreadable(a, err);
    return 0;
}

static int attr_numbers(struct h5 *file, const char *object, const char *name, enum h5_type type,
                        bool one, void **out, int *n, struct err *err) {
    struct attr a = {.file = file, .object = object, .name = name};
    void *values = NULL;
    int status;

    h5_lock();
    status = attr_open(&a, err);
    if (!status)
        status = read_numbers(&a, type, one, &values, err);
    attr_release(&a);
    h5_unlock();
    if (status) {
        free(values);
        return -1;
    }
    *out = values;
    *n = (int)a.n;
    return 0;
}

int h5_attr_int(struct h5 *file, const char *object, const char *name, int64_t *value,
                struct err *err) {
    void *values;
    int n;

    if (attr_numbers(file, object, name, H5_TYPE_I64, true, &values, &n, err))
        return -1;
    *value = *(int64_t *)values;
    free(values);
    return 0;
}

int h5_attr_real(struct h5 *file, const char *object, const char *name, double *value,
                 struct err *err) {
    void *values;
    int n;

    if (attr_numbers(file, object, name, H5_TYPE_F64, true, &values, &n, err))
        return -1;
    *value = *(double *)values;
    free(values);
    return 0;
}

int h5_attr_reals(struct h5 *file, const char *object, const char *name, double **values, int *n,
                  struct err *err) {
    void *numbers;

    if (attr_numbers(file, object, name, H5_TYPE_F64, false, &numbers, n, err))
        return -1;
    *values = numbers;
    return 0;
}

/* Texts of variable length: HDF5 allocates each. */
static int read_variable(struct attr *a, char **texts, struct err *err) {
    char **raw = calloc((size_t)a->n + 1, sizeof *raw);
    const hid_t memory = H5Tcopy(a->type);
    int status = 0;

    if (!raw)
        status = err_set(err, ERR_IO, "%s: out of memory", a->file->name);
    else if (a->n && H5Aread(a->id, memory, raw) < 0)
        status = unreadable(a, err);
    for (int64_t i = 0; !status && i < a->n; i++)
        if (!(texts[i] = h5_strdup(raw[i] ? raw[i] : "")))
            status = err_set(err, ERR_IO, "%s: out of memory", a->file->name);
    for (int64_t i = 0; raw && i < a->n; i++)
        H5free_memory(raw[i]);
    H5Tclose(memory);
    free(raw);
    return status;
}

/* Texts of fixed length: one block, each padded with zeros or spaces. */
static int read_fixed(struct attr *a, char **texts, struct err *err) {
    const size_t size = H5Tget_size(a->type);
    const bool spaces = H5Tget_strpad(a->type) == H5T_STR_SPACEPAD;
    char *raw;
    int status = 0;

    if (size == 0 || size > MOST_BYTES / (size_t)(a->n ? a->n : 1))
        return refuse(a, "is unreasonably large", err);
    raw = calloc((size_t)a->n + 1, size);
    if (!raw)
        return err_set(err, ERR_IO, "%s: out of memory", a->file->name);
    if (a->n && H5Aread(a->id, a->type, raw) < 0)
        status = unreadable(a, err);
    for (int64_t i = 0; !status && i < a->n; i++) {
        const char *from = raw + (size_t)i * size;
        size_t len = 0;

        while (len < size && from[len])
            len++;
        while (spaces && len && from[len - 1] == ' ')
            len--;
        texts[i] = calloc(len + 1, 1);
        if (!texts[i])
            status = err_set(err, ERR_IO, "%s: out of memory", a->file->name);
        else
            memcpy(texts[i], from, len);
    }
    free(raw);
    return status;
}

int h5_attr_texts(struct h5 *file, const char *object, const char *name, char ***texts, int *n,
                  struct err *err) {
    struct attr a = {.file = file, .object = object, .name = name};
    char **out = NULL;
    int status;

    h5_lock();
    status = attr_open(&a, err);
    if (!status && h5_class_of(a.type) != H5_CLASS_TEXT)
        status = refuse(&a, "is not text", err);
    if (!status && !(out = calloc((size_t)a.n + 1, sizeof *out)))
        status = err_set(err, ERR_IO, "%s: out of memory", file->name);
    if (!status)
        status =
            H5Tis_variable_str(a.type) > 0 ? read_variable(&a, out, err) : read_fixed(&a, out, err);
    attr_release(&a);
    h5_unlock();
    if (status) {
        h5_texts_free(out, out ? (int)a.n : 0);
        return -1;
    }
    *texts = out;
    *n = (int)a.n;
    return 0;
}

int h5_attr_text(struct h5 *file, const char *object, const char *name, char **text,
                 struct err *err) {
    char **texts;
    int n;

    if (h5_attr_texts(file, object, name, &texts, &n, err))
        return -1;
    if (n != 1) {
        h5_texts_free(texts, n);
        return err_set(err, ERR_DATA, "%s:%s: attribute '%s' is a list, expected one text",
                       file->name, object, name);
    }
    *text = texts[0];
    free(texts);
    return 0;
}

void h5_texts_free(char **texts, int n) {
    for (int i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}
