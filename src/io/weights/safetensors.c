#include "io/weights/safetensors.h"
#include "core/base/pool.h"
#include "io/file/file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct safetensors {
    char *bytes;  /* the file */
    size_t len;   /* of it */
    size_t data;  /* where the numbers begin */
    json_t *root; /* the header, which owns names and dtypes */
    struct safetensor *t;
    int n;
    struct pool pool;
};

static const struct dtype {
    const char *name;
    int bytes;
    bool is_read;
} dtypes[] = {
    {"F32", 4, true},      {"F16", 2, true},      {"BF16", 2, true}, {"F64", 8, true},
    {"I64", 8, false},     {"I32", 4, false},     {"I16", 2, false}, {"I8", 1, false},
    {"U64", 8, false},     {"U32", 4, false},     {"U16", 2, false}, {"U8", 1, false},
    {"F8_E4M3", 1, false}, {"F8_E5M2", 1, false}, {"C64", 8, false}, {"BOOL", 1, false},
};

static const struct dtype *find_dtype(const char *name) {
    for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++)
        if (!strcmp(dtypes[i].name, name))
            return &dtypes[i];
    return NULL;
}

/* n <= 8 bytes, the lowest first. */
static uint64_t little_endian(const char *at, int n) {
    uint64_t v = 0;

    for (int i = n; i--;)
        v = v << 8 | (unsigned char)at[i];
    return v;
}

/* --- what the header says --- */

static int bad(const char *file, const char *name, const char *what, struct err *err) {
    return err_set(err, ERR_DATA, "%s: tensor %s: %s", file, name, what);
}

/* Names are printed, and become paths and keys. */
static int check_name(const char *file, const char *name, struct err *err) {
    if (!*name)
        return err_set(err, ERR_DATA, "%s: a tensor has an empty name", file);
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return err_set(err, ERR_DATA, "%s: the name of a tensor has the control character %d",
                           file, *at);
    return 0;
}

/* Dimensions and their product in bytes. */
static int read_shape(const char *file, const json_t *list, const struct dtype *dtype,
                      struct safetensor *t, int64_t *bytes, struct err *err) {
    const size_t rank = json_array_size(list);

    *bytes = dtype->bytes;
    if (!json_is_array(list))
        return bad(file, t->name, "has no shape", err);
    t->shape = (struct shape){1, {1}};
    for (size_t i = 0; i < rank; i++) {
        const json_t *d = json_array_get(list, i);
        const int64_t dim = json_is_integer(d) ? json_integer_value(d) : -1;
        if (dim < 0)
            return bad(file, t->name, "its shape is no list of whole numbers", err);
        if (dim && *bytes > INT64_MAX / dim)
            return bad(file, t->name, "its shape is larger than any file", err);
        *bytes *= dim;
        if (i < SHAPE_MAX_RANK)
            t->shape.dim[i] = dim;
    }
    if (rank && rank <= SHAPE_MAX_RANK)
        t->shape.rank = (int)rank;
    return 0;
}

static int read_offsets(const char *file, const json_t *list, int64_t data_len,
                        struct safetensor *t, struct err *err) {
    const json_t *begin = json_array_get(list, 0), *end = json_array_get(list, 1);

    if (json_array_size(list) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return bad(file, t->name, "data_offsets are no two whole numbers", err);
    t->begin = json_integer_value(begin);
    t->end = json_integer_value(end);
    if (t->begin < 0 || t->end < t->begin || t->end > data_len)
        return err_set(err, ERR_DATA,
                       "%s: tensor %s: data_offsets are %" PRId64 " to %" PRId64
                       ", outside of the %" PRId64 " bytes of data; the file is damaged or cut off",
                       file, t->name, t->begin, t->end, data_len);
    return 0;
}

static int read_tensor(struct safetensors *st, const char *file, const char *name,
                       const json_t *info, struct safetensor *t, struct err *err) {
    const char *dtype_name = json_string_value(json_object_get(info, "dtype"));
    const struct dtype *dtype = find_dtype(dtype_name);
    const json_t *shape = json_object_get(info, "shape");
    int64_t bytes;

    *t = (struct safetensor){.name = name, .dtype = dtype_name};
    if (check_name(file, name, err))
        return -1;
    if (!dtype_name)
        return bad(file, name, "has no dtype", err);
    if (!dtype)
        return err_set(err, ERR_DATA, "%s: tensor %s: its dtype '%s' is not known", file, name,
                       dtype_name);
    if (read_shape(file, shape, dtype, t, &bytes, err) ||
        read_offsets(file, json_object_get(info, "data_offsets"), (int64_t)(st->len - st->data), t,
                     err))
        return -1;
    if (t->end - t->begin != bytes)
        return err_set(err, ERR_DATA,
                       "%s: tensor %s: its shape takes %" PRId64 " bytes, but it has %" PRId64,
                       file, name, bytes, t->end - t->begin);
    if (!dtype->is_read)
        t->why = pool_print(&st->pool, "is %s", dtype_name);
    else if (json_array_size(shape) > SHAPE_MAX_RANK)
        t->why = pool_print(&st->pool, "has %zu dimensions", json_array_size(shape));
    else if (!bytes)
        t->why = "is empty";
    return 0;
}

static int by_place(const void *a, const void *b) {
    const struct safetensor *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b) {
    const struct safetensor *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Every byte belongs to one tensor: nothing is hidden between them, and none is read as two. */
static int check_cover(struct safetensors *st, const char *file, struct err *err) {
    const int64_t data_len = (int64_t)(st->len - st->data);
    int64_t end = 0;

    if (st->n)
        qsort(st->t, (size_t)st->n, sizeof *st->t, by_place);
    for (int i = 0; i < st->n; i++) {
        const struct safetensor *t = &st->t[i];
        if (t->begin < end)
            return err_set(err, ERR_DATA, "%s: tensors %s and %s overlap", file, t[-1].name,
                           t->name);
        if (t->begin > end)
            return err_set(err, ERR_DATA,
                           "%s: %" PRId64 " bytes before tensor %s belong to no tensor", file,
                           t->begin - end, t->name);
        end = t->end;
    }
    if (end != data_len)
        return err_set(err, ERR_DATA, "%s: %" PRId64 " bytes at its end belong to no tensor", file,
                       data_len - end);
    if (st->n)
        qsort(st->t, (size_t)st->n, sizeof *st->t, by_name);
    return 0;
}

static int read_meta(const char *file, json_t *meta, struct err *err) {
    const char *key;
    json_t *text;

    if (!json_is_object(meta))
        return err_set(err, ERR_DATA, "%s: __metadata__ is no object", file);
    json_object_foreach(meta, key, text) {
        if (!json_is_string(text))
            return err_set(err, ERR_DATA, "%s: __metadata__: '%s' is no text", file, key);
    }
    return 0;
}

static int read_header(struct safetensors *st, const char *file, struct err *err) {
    const char *key;
    json_t *info;

    st->t = pool_take(&st->pool, (json_object_size(st->root) + 1) * sizeof *st->t);
    json_object_foreach(st->root, key, info) {
        if (!strcmp(key, "__metadata__") ? read_meta(file, info, err)
                                         : read_tensor(st, file, key, info, &st->t[st->n], err))
            return -1;
        st->n += strcmp(key, "__metadata__") != 0;
    }
    return check_cover(st, file, err);
}

static int parse_header(struct safetensors *st, const char *file, struct err *err) {
    json_error_t where;

    if (st->len < 8)
        return err_set(err, ERR_DATA, "%s: is cut off after %zu bytes, or no safetensors file",
                       file, st->len);
    const uint64_t header_len = little_endian(st->bytes, 8);
    if (header_len > SAFETENSORS_MAX_HEADER)
        return err_set(err, ERR_DATA,
                       "%s: its header would take %" PRIu64 " bytes, expected at most %d; "
                       "it is no safetensors file, or damaged",
                       file, header_len, SAFETENSORS_MAX_HEADER);
    if (header_len > st->len - 8)
        return err_set(err, ERR_DATA,
                       "%s: is cut off: its header takes %" PRIu64 " bytes, but %zu follow", file,
                       header_len, st->len - 8);
    if (!header_len || st->bytes[8] != '{')
        return err_set(err, ERR_DATA, "%s: its header does not begin with {", file);
    st->data = 8 + (size_t)header_len;
    st->root = json_loadb(st->bytes + 8, (size_t)header_len, JSON_REJECT_DUPLICATES, &where);
    if (!st->root)
        return err_set(err, ERR_DATA, "%s: its header is not as expected: %s, at byte %d", file,
                       where.text, where.position);
    return read_header(st, file, err);
}

int safetensors_open(struct safetensors **out, const char *file, struct err *err) {
    struct safetensors *st = calloc(1, sizeof *st);

    if (!st)
        return err_set(err, ERR_IO, "%s: not enough memory to read it", file);
    if (file_read(file, &st->bytes, &st->len, err) || parse_header(st, file, err)) {
        safetensors_close(st);
        return -1;
    }
    *out = st;
    return 0;
}

const struct safetensor *safetensors_list(const struct safetensors *st, int *n) {
    *n = st->n;
    return st->t;
}

const char *safetensors_meta(const struct safetensors *st, const char *key) {
    return json_string_value(json_object_get(json_object_get(st->root, "__metadata__"), key));
}

void safetensors_close(struct safetensors *st) {
    if (!st)
        return;
    json_decref(st->root);
    free(st->bytes);
    pool_release(&st->pool);
    free(st);
}

/* --- the numbers --- */

static float from_bits(uint32_t bits) {
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa. */
static float from_half(uint32_t h) {
    const uint32_t sign = (h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;

    if (exponent == 31)
        return from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent)
        return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    return (sign ? -1.0f : 1.0f) * (float)mantissa * 0x1p-24f;
}

static float from_double(uint64_t bits) {
    double v;

    memcpy(&v, &bits, sizeof v);
    return (float)v;
}

void safetensors_read(const struct safetensors *st, int i, float *out) {
    const struct safetensor *t = &st->t[i];
    const char *at = st->bytes + st->data + t->begin;
    const int64_t len = shape_len(&t->shape);

    if (!strcmp(t->dtype, "F32"))
        for (int64_t k = 0; k < len; k++)
            out[k] = from_bits((uint32_t)little_endian(at + 4 * k, 4));
    else if (!strcmp(t->dtype, "F16"))
        for (int64_t k = 0; k < len; k++)
            out[k] = from_half((uint32_t)little_endian(at + 2 * k, 2));
    else if (!strcmp(t->dtype, "BF16"))
        for (int64_t k = 0; k < len; k++)
            out[k] = from_bits((uint32_t)little_endian(at + 2 * k, 2) << 16);
    else
        for (int64_t k = 0; k < len; k++)
            out[k] = from_double(little_endian(at + 8 * k, 8));
}
