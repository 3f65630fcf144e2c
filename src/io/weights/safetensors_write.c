/* safetensors_write.c - the writing half of safetensors.h. */
#include "io/file/file.h"
#include "io/weights/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void put_little_endian(char *at, uint64_t v, int n) {
    for (int i = 0; i < n; i++, v >>= 8)
        at[i] = (char)(v & 255);
}

static int by_name(const void *a, const void *b) {
    const struct safetensor_out *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static json_t *describe(const struct safetensor_out *t, int64_t begin) {
    json_t *shape = json_array();

    for (int i = 0; i < t->shape.rank; i++)
        json_array_append_new(shape, json_integer(t->shape.dim[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + 4 * shape_len(&t->shape)));
}

/* Fill the header; *data_len is the numbers' length in bytes. */
static int list_tensors(const char *file, json_t *root, const struct safetensor_out *const *t,
                        int n, int64_t *data_len, struct err *err) {
    for (int i = 0; i < n; i++) {
        if (json_object_get(root, t[i]->name))
            return err_set(err, ERR_DATA, "%s: two tensors would have the name %s", file,
                           t[i]->name);
        if (json_object_set_new(root, t[i]->name, describe(t[i], *data_len)))
            return err_set(err, ERR_DATA, "%s: the name '%s' is not UTF-8 text", file, t[i]->name);
        *data_len += 4 * shape_len(&t[i]->shape);
    }
    return 0;
}

/* The header's text, padded so that the numbers begin at a multiple of 8 bytes. */
static char *header_text(const char *file, const json_t *root, size_t *len, struct err *err) {
    char *text = json_dumps(root, JSON_COMPACT);
    const size_t used = text ? strlen(text) : 0;
    char *padded = text ? realloc(text, used + 8) : NULL;

    if (!padded || used > SAFETENSORS_MAX_HEADER - 8) {
        free(padded ? padded : text);
        err_set(err, padded ? ERR_DATA : ERR_IO, "%s: cannot be written: %s", file,
                padded ? "its header would be larger than readers accept" : "not enough memory");
        return NULL;
    }
    *len = (used + 7) / 8 * 8;
    memset(padded + used, ' ', *len - used);
    return padded;
}

static int write_file(const char *file, const json_t *root, const struct safetensor_out *const *t,
                      int n, int64_t data_len, struct err *err) {
    size_t header_len = 0;
    char *header = header_text(file, root, &header_len, err);
    const size_t len = 8 + header_len + (size_t)data_len;
    char *bytes = header ? malloc(len) : NULL;
    int rc = -1;

    if (bytes) {
        char *at = bytes + 8 + header_len;
        put_little_endian(bytes, header_len, 8);
        memcpy(bytes + 8, header, header_len);
        for (int i = 0; i < n; i++)
            for (int64_t k = 0; k < shape_len(&t[i]->shape); k++, at += 4) {
                uint32_t bits;
                memcpy(&bits, &t[i]->data[k], sizeof bits);
                put_little_endian(at, bits, 4);
            }
        rc = file_replace(file, bytes, len, err);
    } else if (header) {
        err_set(err, ERR_IO, "%s: not enough memory to write it", file);
    }
    free(bytes);
    free(header);
    return rc;
}

int safetensors_write(const char *file, const struct safetensor_out *t, int n,
                      const struct safetensors_text *meta, int n_meta, struct err *err) {
    const struct safetensor_out **sorted = malloc((size_t)(n + 1) * sizeof *sorted);
    json_t *root = json_object(), *texts = json_object();
    int64_t data_len = 0;
    int rc = -1;

    for (int i = 0; i < n_meta; i++)
        json_object_set_new(texts, meta[i].key, json_string(meta[i].text));
    json_object_set_new(root, "__metadata__", texts);
    if (sorted) {
        for (int i = 0; i < n; i++)
            sorted[i] = &t[i];
        qsort(sorted, (size_t)n, sizeof *sorted, by_name);
        rc = list_tensors(file, root, sorted, n, &data_len, err);
        if (!rc)
            rc = write_file(file, root, sorted, n, data_len, err);
    } else {
        err_set(err, ERR_IO, "%s: not enough memory to write it", file);
    }
    json_decref(root);
    free(sorted);
    return rc;
}
