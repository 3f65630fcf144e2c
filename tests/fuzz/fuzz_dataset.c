/* A dataset of strange contents: the bytes say which datasets and attributes an HDF5 file has, of
 * what types and shapes, and what they hold; HDF5 itself writes it. (Damage to HDF5's own structure
 * is left out: the library crashes on some of it.) All that opens is read.
 *
 * The bytes are a list of items, each a kind and what it needs; where they end, zeros follow. */
#include "fuzz/fuzz.h"
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 12, MAX_VALUES = 4096, MAX_PICTURES = 4, NAME_WIDTH = 8 };

static const char *const data_names[] = {
    "/train/images",         "/train/labels",       "/train/mask", "/train/x", "/train/a",
    "/train/images_offsets", "/train/images_names", "/train/y",    "/x_train"};
static const char *const objects[] = {"/",           "/train",   "/train/images", "/train/labels",
                                      "/train/mask", "/train/a", "/train/x"};
static const char *const attr_names[] = {
    "encoding", "channels", "classes", "mean",         "std",          "layout",         "kind",
    "unpaired", "shape",    "note",    "class_counts", "content_hash", "dltrain_dataset"};
static const char *const words[] = {
    "files", "NHWC", "NCHW", "image", "class", "real", "cat", "cat\ndog", "xxh3:0123456789abcdef",
    ""};
#define ONE_OF(list, i) ((list)[(i) % (sizeof(list) / sizeof *(list))])

struct input {
    const uint8_t *bytes;
    size_t len, at;
};

static unsigned byte(struct input *in) {
    return in->at < in->len ? in->bytes[in->at++] : 0;
}

/* A small number, or any. */
static int64_t number(struct input *in, bool small) {
    uint64_t v = 0;

    if (small)
        return (int8_t)byte(in);
    for (int i = 0; i < 8; i++)
        v = v << 8 | byte(in);
    return (int64_t)v;
}

static double real_number(struct input *in, bool small) {
    const int64_t bits = number(in, small);
    double v;

    if (small)
        return (double)bits / 16;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* --- what the file gets --- */

static void set(enum h5_type type, void *values, int64_t i, struct input *in, bool small) {
    switch (type) {
    case H5_TYPE_U8:
        ((unsigned char *)values)[i] = (unsigned char)byte(in);
        return;
    case H5_TYPE_I32:
        ((int32_t *)values)[i] = (int32_t)number(in, small);
        return;
    case H5_TYPE_I64:
        ((int64_t *)values)[i] = number(in, small);
        return;
    case H5_TYPE_F32:
        ((float *)values)[i] = small ? (float)real_number(in, true) : (float)number(in, false);
        return;
    case H5_TYPE_F64:
        ((double *)values)[i] = real_number(in, small);
    }
}

/* Unless there is such a dataset: a write that fails leaves the file open. */
static void write_data(struct h5 *file, const char *path, enum h5_type type, int rank,
                       const int64_t *dim, const void *values) {
    struct err err = {0};

    if (h5_exists(file, path, &err) == 0)
        fuzz_must(h5_write(file, path, type, rank, dim, values, &err), &err);
}

static void add_data(struct h5 *file, struct input *in) {
    static double values[MAX_VALUES]; /* of the widest type */
    const char *path = ONE_OF(data_names, byte(in));
    const unsigned how = byte(in);
    const enum h5_type type = (enum h5_type)(H5_TYPE_U8 + how % 5);
    int64_t dim[H5_MAX_RANK], len = 1;
    const int rank = 1 + (int)(how >> 3) % 5;

    for (int i = 0; i < rank; i++) {
        dim[i] = byte(in) % 17;
        len = len * dim[i] > MAX_VALUES ? MAX_VALUES + 1 : len * dim[i];
    }
    if (len > MAX_VALUES)
        return;
    for (int64_t i = 0; i < len; i++)
        set(type, values, i, in, how >> 7);
    write_data(file, path, type, rank, dim, values);
}

static void add_attribute(struct h5 *file, struct input *in) {
    const char *object = ONE_OF(objects, byte(in)), *name = ONE_OF(attr_names, byte(in));
    const unsigned how = byte(in), n = how >> 4;
    const char *texts[16];
    double reals[16];
    struct err err = {0};
    int rc = 0;

    for (unsigned i = 0; i < n && how % 8 > 2; i++)
        texts[i] = ONE_OF(words, byte(in));
    for (unsigned i = 0; i < n && how % 8 == 2; i++)
        reals[i] = real_number(in, how & 8);
    if (how % 8 == 0)
        rc = h5_attr_write_int(file, object, name, number(in, how & 8), &err);
    else if (how % 8 == 1)
        rc = h5_attr_write_text(file, object, name, ONE_OF(words, byte(in)), &err);
    else if (how % 8 == 2)
        rc = h5_attr_write_reals(file, object, name, reals, (int)n, &err);
    else
        rc = h5_attr_write_texts(file, object, name, texts, (int)n, &err);
    if (rc)
        fuzz_check_error(&err);
}

/* Pictures end to end with their offsets, each of which may be off by a little or by anything. */
static void add_pictures(struct h5 *file, struct input *in) {
    const unsigned how = byte(in);
    const int64_t n = 1 + how % MAX_PICTURES, n_offsets = n + 1;
    static const char names[MAX_PICTURES * NAME_WIDTH] = "cat/1\0\0\0b\nb\0\0\0\0\0c\xff\xc3 long";
    int64_t offset[MAX_PICTURES + 1] = {0};
    struct err err = {0};

    for (int64_t i = 0; i < n; i++)
        offset[i + 1] = offset[i] + (int64_t)byte(in) * 8;
    const int64_t rest = (int64_t)(in->len - in->at);
    const int64_t bytes = offset[n] < rest ? offset[n] : rest;
    write_data(file, "/train/images", H5_TYPE_U8, 1, &bytes, in->bytes + in->at);
    in->at += (size_t)bytes;
    if (how & 16)
        offset[byte(in) % (unsigned)(n + 1)] += number(in, how & 32);
    write_data(file, "/train/images_offsets", H5_TYPE_I64, 1, &n_offsets, offset);
    if (how & 64 && h5_exists(file, "/train/images_names", &err) == 0)
        fuzz_must(h5_write_texts(file, "/train/images_names", NAME_WIDTH, n, names, &err), &err);
    if (h5_attr_write_text(file, "/train/images", "encoding", "files", &err))
        fuzz_check_error(&err);
}

static void write_file(const char *path, struct input *in) {
    struct err err = {0};
    struct h5 *file;

    fuzz_must(h5_create(&file, path, &err) || h5_group_create(file, "/train", &err), &err);
    for (int i = 0; i < MAX_ITEMS && in->at < in->len; i++)
        switch (byte(in) % 4) {
        case 0:
        case 1:
            add_data(file, in);
            break;
        case 2:
            add_attribute(file, in);
            break;
        default:
            add_pictures(file, in);
        }
    h5_close(file);
}

/* --- and what is read of it --- */

static void read_encoded(struct dataset *ds, int i) {
    const int64_t last = dataset_field(ds, i)->rows - 1, index[] = {last, 0, last / 2, last};
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob[4];
    char text[DATASET_ROW_TEXT];
    struct err err = {0};
    unsigned sum = 0;

    if (dataset_read_encoded(ds, i, index, 4, blob, &buffer, &err)) {
        fuzz_check_error(&err);
    } else {
        for (int k = 0; k < 4; k++)
            for (size_t at = 0; at < blob[k].len; at++)
                sum += blob[k].bytes[at];
        fuzz_check(blob[0].len == blob[3].len, "a row is the same twice");
    }
    fuzz_check(dataset_row_text(ds, i, last, text)[0] || sum, "a row has a name");
    dataset_buffer_release(&buffer);
}

static void read_field(struct dataset *ds, int i) {
    const struct dataset_field *f = dataset_field(ds, i);
    const int64_t index[] = {f->rows - 1, 0, 0};
    struct err err = {0};

    if (f->kind == DATASET_ENCODED) {
        read_encoded(ds, i);
        return;
    }
    const size_t len = (f->sample.rank ? (size_t)shape_len(&f->sample) : 1) * 3;
    const size_t bytes = f->kind == DATASET_BYTES ? 1 : sizeof(float);
    unsigned char *out = malloc(len * bytes + 1);
    fuzz_check(out != NULL, "there is memory for three rows");
    if (dataset_read(ds, i, index, 3, out, &err)) {
        fuzz_check_error(&err);
    } else if (f->kind == DATASET_CLASS) {
        const int classes = dataset_field_classes(ds, i);
        for (size_t k = 0; k < len; k++) {
            const int v = ((const int32_t *)(const void *)out)[k];
            fuzz_check(v >= -1 && v < classes, "a class is one of the field's");
        }
    }
    free(out);
}

static void read_all(struct dataset *ds) {
    fuzz_check(dataset_len(ds) >= 1 && dataset_ignored(ds) && dataset_guesses(ds),
               "a dataset has samples");
    for (int i = 0; i < dataset_n_fields(ds); i++) {
        const int classes = dataset_field_classes(ds, i);
        for (int k = 0; k < classes && k < 300; k++)
            fuzz_check(dataset_class_name(ds, i, k) != NULL, "a class has a name");
        fuzz_check((dataset_mean(ds, i) == NULL) == (dataset_std(ds, i) == NULL),
                   "mean and std come together");
        read_field(ds, i);
    }
    dataset_fingerprint(ds);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct input in = {bytes, len, 0};
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[512];

    const int64_t cache = byte(&in) & 1 ? DATASET_CACHE_BYTES : 0;
    write_file(fuzz_path("data.h5"), &in);
    snprintf(spec, sizeof spec, "%s:train", fuzz_path("data.h5"));
    if (dataset_open(&ds, spec, cache, &err))
        fuzz_check_error(&err);
    else
        read_all(ds);
    dataset_close(ds);
    return 0;
}
