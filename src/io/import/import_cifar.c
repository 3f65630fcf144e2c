/* The binary version of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3072 bytes
 * of pixels, red, green and blue planes of 32x32.
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html */
#include "io/dataset/dataset_writer.h"
#include "io/file/folder.h"
#include "io/import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 32, AREA = SIDE * SIDE, PIXELS = 3 * AREA, RECORDS = 1000, MOST_CLASSES = 100 };

/* One of the two datasets. */
struct variant {
    const char *train[6], *test[2]; /* files, NULL at the end */
    const char *names;              /* class names, one a line */
    int n_classes, n_labels;        /* n_labels: bytes before the pixels; the last counts */
};

static const struct variant variants[] = {
    {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin"},
     {"test_batch.bin"},
     "batches.meta.txt",
     10,
     1},
    {{"train.bin"}, {"test.bin"}, "fine_label_names.txt", 100, 2},
};

struct cifar_names {
    char text[MOST_CLASSES][64];
    const char *pointer[MOST_CLASSES];
};

static int read_names(const char *source, const struct variant *v, struct cifar_names *names,
                      struct err *err) {
    char *path = folder_join(source, v->names), line[64];
    FILE *file = path ? fopen(path, "r") : NULL;
    int n = 0, status = 0;

    if (!file) {
        status = err_set(err, ERR_IO, "%s/%s: %s", source, v->names, strerror(errno));
        free(path);
        return status;
    }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line && n < v->n_classes) {
            strcpy(names->text[n], line);
            names->pointer[n] = names->text[n];
        }
        n += *line != 0;
    }
    if (n != v->n_classes)
        status =
            err_set(err, ERR_DATA, "%s: has %d class names, expected %d", path, n, v->n_classes);
    fclose(file);
    free(path);
    return status;
}

/* RECORDS records at a time. */
struct cifar_block {
    unsigned char raw[RECORDS * (PIXELS + 2)], images[RECORDS * PIXELS];
    int32_t labels[RECORDS];
};

/* Separate labels and pixels of n records; planes become channels. */
static int unpack(struct cifar_block *b, int n, const struct variant *v, const char *path,
                  int64_t first, struct err *err) {
    for (int i = 0; i < n; i++) {
        const unsigned char *record = b->raw + (size_t)i * (size_t)(PIXELS + v->n_labels);
        const unsigned char *planes = record + v->n_labels;

        b->labels[i] = record[v->n_labels - 1];
        if (b->labels[i] >= v->n_classes)
            return err_set(err, ERR_DATA, "%s: label %d of record %lld, expected 0 to %d", path,
                           (int)b->labels[i], (long long)(first + i), v->n_classes - 1);
        for (int p = 0; p < AREA; p++)
            for (int c = 0; c < 3; c++)
                b->images[i * PIXELS + p * 3 + c] = planes[c * AREA + p];
    }
    return 0;
}

static int add_file(struct dataset_writer *writer, const char *path, const struct variant *v,
                    struct cifar_block *b, const struct import_options *options,
                    struct import_result *result, struct err *err) {
    const size_t record = (size_t)(PIXELS + v->n_labels);
    FILE *file = fopen(path, "rb");
    int64_t done = 0;
    int status = 0;

    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while (!status) {
        const size_t got = fread(b->raw, 1, RECORDS * record, file);
        const int n = (int)(got / record);

        if (got == 0 && !ferror(file))
            break;
        if (ferror(file))
            status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        else if (got % record)
            status = err_set(err, ERR_DATA, "%s: ends inside record %lld of %zu bytes", path,
                             (long long)(done + n), record);
        else if (unpack(b, n, v, path, done, err) ||
                 dataset_writer_append(writer, b->images, b->labels, n, err))
            status = -1;
        done += n;
        result->n_images += status ? 0 : n;
        import_report(options, result->n_images, 0);
    }
    fclose(file);
    if (!status && done == 0)
        return err_set(err, ERR_DATA, "%s: is empty", path);
    return status;
}

static int add_split(struct dataset_writer *writer, const char *source, const char *name,
                     const char *const *files, const struct variant *v, struct cifar_block *b,
                     const struct import_options *options, struct import_result *result,
                     struct err *err) {
    const struct shape sample = {3, {SIDE, SIDE, 3}};

    if (dataset_writer_split(writer, name, &sample, err))
        return -1;
    result->n_splits++;
    for (; *files; files++) {
        char *path = folder_join(source, *files);
        const int status = path ? add_file(writer, path, v, b, options, result, err)
                                : err_set(err, ERR_IO, "%s: out of memory", source);

        free(path);
        if (status)
            return -1;
    }
    return 0;
}

static const struct variant *find_variant(const char *source, struct err *err) {
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        char *path = folder_join(source, variants[i].train[0]);
        const int found = path && access(path, F_OK) == 0;

        free(path);
        if (found)
            return &variants[i];
    }
    err_set(err, ERR_DATA,
            "%s: has neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100); expected the "
            "folder of the binary version",
            source);
    return NULL;
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    const struct variant *v = find_variant(source, err);
    struct dataset_writer *writer = NULL;
    struct cifar_names names;
    struct cifar_block *block = NULL;
    int status = -1;

    if (!v || read_names(source, v, &names, err))
        return -1;
    block = malloc(sizeof *block);
    if (!block)
        err_set(err, ERR_IO, "%s: out of memory", source);
    else if (!dataset_writer_new(&writer, target, err) &&
             !add_split(writer, source, "train", v->train, v, block, options, result, err) &&
             !add_split(writer, source, "test", v->test, v, block, options, result, err))
        status = dataset_writer_finish(writer, names.pointer, v->n_classes, err);
    result->n_classes = v->n_classes;
    dataset_writer_free(writer);
    free(block);
    return status;
}

const struct importer import_cifar = {
    "cifar", "a folder of data_batch_N.bin and test_batch.bin (CIFAR-10) or train.bin (CIFAR-100)",
    0, run};
