/* MNIST's idx files and those of its relatives (Fashion-MNIST, EMNIST, KMNIST): big-endian header
 * 0x00000803 n h w and pixels, 0x00000801 n and labels.
 * Source: http://yann.lecun.com/exdb/mnist/ */
#include "io/dataset/dataset_writer.h"
#include "io/file/folder.h"
#include "io/import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_IMAGES = 0x803, MAGIC_LABELS = 0x801, SLAB_BYTES = 4 << 20, N_BYTE_LABELS = 256 };

/* An open idx file. */
struct idx {
    FILE *file;
    char *path;
    int64_t dim[3];
};

/* What the files of one import share. */
struct idx_import {
    const struct import_options *options;
    struct import_result *result;
    struct dataset_writer *writer;
    int most_label;
};

static void idx_release(struct idx *x) {
    if (x->file)
        fclose(x->file);
    free(x->path);
}

static int64_t big_endian(const unsigned char *b) {
    return (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | (int64_t)b[3];
}

/* Does the file have the header's size exactly? */
static int check_size(struct idx *x, int rank, struct err *err) {
    const int64_t header = 4 + 4 * rank;
    int64_t expected = 1, found;

    for (int i = 0; i < rank; i++) {
        if (x->dim[i] == 0 || x->dim[i] > INT64_MAX / 2 / expected)
            return err_set(err, ERR_DATA, "%s: has the impossible size %lld in its header", x->path,
                           (long long)x->dim[i]);
        expected *= x->dim[i];
    }
    if (fseeko(x->file, 0, SEEK_END) || (found = ftello(x->file)) < 0 ||
        fseeko(x->file, header, SEEK_SET))
        return err_set(err, ERR_IO, "%s: %s", x->path, strerror(errno));
    if (found != expected + header)
        return err_set(err, ERR_DATA, "%s: has %lld bytes, its header says %lld", x->path,
                       (long long)found, (long long)(expected + header));
    return 0;
}

static int idx_open(struct idx *x, const char *source, const char *name, int magic,
                    struct err *err) {
    const int rank = magic & 0xff;
    unsigned char header[16];

    x->path = folder_join(source, name);
    x->file = x->path ? fopen(x->path, "rb") : NULL;
    if (!x->file)
        return err_set(err, ERR_IO, "%s/%s: %s", source, name, strerror(errno));
    if (fread(header, 1, (size_t)(4 + 4 * rank), x->file) != (size_t)(4 + 4 * rank))
        return err_set(err, ERR_DATA, "%s: ends inside its header", x->path);
    if (big_endian(header) != magic)
        return err_set(err, ERR_DATA, "%s: begins with %08llx, expected %08x", x->path,
                       (unsigned long long)big_endian(header), (unsigned)magic);
    for (int i = 0; i < rank; i++)
        x->dim[i] = big_endian(header + 4 + 4 * i);
    return check_size(x, rank, err);
}

static int read_exactly(const struct idx *x, void *to, size_t n, struct err *err) {
    if (fread(to, 1, n, x->file) == n)
        return 0;
    return err_set(err, ERR_IO, "%s: %s", x->path,
                   ferror(x->file) ? strerror(errno) : "became shorter");
}

/* Copy all samples, `rows` at a time, by way of the three buffers. */
static int copy_samples(const struct idx *images, const struct idx *labels, struct idx_import *job,
                        int64_t rows, unsigned char *pixels, unsigned char *raw, int32_t *classes,
                        struct err *err) {
    const int64_t sample = images->dim[1] * images->dim[2];

    for (int64_t first = 0; first < images->dim[0]; first += rows) {
        const int64_t left = images->dim[0] - first, n = left < rows ? left : rows;

        if (read_exactly(images, pixels, (size_t)(n * sample), err) ||
            read_exactly(labels, raw, (size_t)n, err))
            return -1;
        for (int64_t i = 0; i < n; i++) {
            classes[i] = raw[i];
            job->most_label = raw[i] > job->most_label ? raw[i] : job->most_label;
        }
        if (dataset_writer_append(job->writer, pixels, classes, n, err))
            return -1;
        job->result->n_images += n;
        import_report(job->options, job->result->n_images, 0);
    }
    return 0;
}

static int copy_split(const struct idx *images, const struct idx *labels, const char *split,
                      struct idx_import *job, struct err *err) {
    const struct shape sample = {3, {images->dim[1], images->dim[2], 1}};
    const int64_t bytes = images->dim[1] * images->dim[2];
    const int64_t rows = bytes < SLAB_BYTES ? SLAB_BYTES / bytes : 1;
    unsigned char *pixels, *raw;
    int32_t *classes;
    int status;

    if (images->dim[0] != labels->dim[0])
        return err_set(err, ERR_DATA, "%s: has %lld images, but %s has %lld labels", images->path,
                       (long long)images->dim[0], labels->path, (long long)labels->dim[0]);
    pixels = malloc((size_t)(rows * bytes));
    raw = malloc((size_t)rows);
    classes = malloc((size_t)rows * sizeof *classes);
    if (!pixels || !raw || !classes)
        status = err_set(err, ERR_IO, "%s: out of memory", images->path);
    else
        status = dataset_writer_split(job->writer, split, &sample, err) ||
                 copy_samples(images, labels, job, rows, pixels, raw, classes, err);
    free(pixels);
    free(raw);
    free(classes);
    job->result->n_splits++;
    return status ? -1 : 0;
}

/* "train-images-idx3-ubyte" to "train-labels-idx1-ubyte"; malloc'd. */
static char *labels_name(const char *images) {
    char *name = malloc(strlen(images) + 1), *at;

    if (!name)
        return NULL;
    strcpy(name, images);
    if ((at = strstr(name, "images")))
        memcpy(at, "labels", 6);
    if ((at = strstr(name, "idx3")))
        memcpy(at, "idx1", 4);
    return name;
}

static int add_file(const char *source, const char *name, const char *split, struct idx_import *job,
                    struct err *err) {
    struct idx images = {0}, labels = {0};
    char *partner = labels_name(name);
    int status;

    if (!partner)
        return err_set(err, ERR_IO, "%s: out of memory", source);
    status = idx_open(&images, source, name, MAGIC_IMAGES, err) ||
             idx_open(&labels, source, partner, MAGIC_LABELS, err) ||
             copy_split(&images, &labels, split, job, err);
    idx_release(&images);
    idx_release(&labels);
    free(partner);
    return status ? -1 : 0;
}

static bool is_images(const char *name) {
    return strstr(name, "images") && strstr(name, "idx3");
}

/* The only file of images whose name has one of two words in it, or NULL with err set. */
static const char *find_images(const struct folder *folder, const char *source, const char *word,
                               const char *other, struct err *err) {
    const char *found = NULL;

    for (int i = 0; i < folder->n; i++) {
        const char *name = folder->entry[i].name;
        const size_t len = strlen(name);

        if (folder->entry[i].folder || !is_images(name) ||
            (!strstr(name, word) && !strstr(name, other)))
            continue;
        if (len > 3 && strcmp(name + len - 3, ".gz") == 0) {
            err_set(err, ERR_DATA, "%s/%s: is compressed; unpack it with gunzip first", source,
                    name);
            return NULL;
        }
        if (found) {
            err_set(err, ERR_DATA, "%s: has two files of %s images, %s and %s; expected one",
                    source, word, found, name);
            return NULL;
        }
        found = name;
    }
    if (!found)
        err_set(err, ERR_DATA, "%s: has no file %s-images-idx3-ubyte", source, other);
    return found;
}

static int finish(const struct idx_import *job, struct err *err) {
    char text[N_BYTE_LABELS][4];
    const char *names[N_BYTE_LABELS];

    for (int i = 0; i <= job->most_label; i++) {
        snprintf(text[i], sizeof text[i], "%d", i);
        names[i] = text[i];
    }
    job->result->n_classes = job->most_label + 1;
    return dataset_writer_finish(job->writer, names, job->most_label + 1, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct idx_import job = {.options = options, .result = result};
    struct folder folder = {0};
    const char *train, *test;
    int status = -1;

    if (folder_init(&folder, source, err))
        return -1;
    train = find_images(&folder, source, "train", "train", err);
    test = train ? find_images(&folder, source, "test", "t10k", err) : NULL;
    if (test && !dataset_writer_new(&job.writer, target, err) &&
        !add_file(source, train, "train", &job, err) && !add_file(source, test, "test", &job, err))
        status = finish(&job, err);
    dataset_writer_free(job.writer);
    folder_release(&folder);
    return status;
}

const struct importer import_idx = {
    "idx", "a folder of MNIST's train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...", 0,
    run};
