#include "cmd/data.h"
#include "io/dataset.h"
#include "io/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_TEXT = 4096, MOST_CLASSES_SHOWN = 20 };

static const char *class_text(enum h5_class class) {
    switch (class) {
    case H5_CLASS_INT:
        return "int";
    case H5_CLASS_UINT:
        return "uint";
    case H5_CLASS_FLOAT:
        return "float";
    case H5_CLASS_TEXT:
        return "text";
    case H5_CLASS_OTHER:
        break;
    }
    return "other";
}

static void print_dims(const int64_t *dim, int rank) {
    for (int i = 0; i < rank; i++)
        printf("%s%lld", i ? "x" : "", (long long)dim[i]);
}

/* /train/images  50000x32x32x3 uint8, 146.5 MiB, chunks of 341x32x32x3 */
static int print_data(struct h5 *file, const char *path, struct err *err) {
    const struct h5_info *info;
    struct h5_data *data;

    if (h5_data_open(&data, file, path, err))
        return -1;
    info = h5_data_info(data);
    printf("%s: ", path);
    if (info->rank == 0)
        printf("one value");
    print_dims(info->dim, info->rank);
    printf(" %s%d, %.1f MiB", class_text(info->class), 8 * info->item_bytes,
           (double)info->stored_bytes / (1 << 20));
    if (info->chunked) {
        printf("%s, chunks of ", info->n_filters ? " filtered" : "");
        print_dims(info->chunk, info->rank);
    }
    printf("\n");
    if (info->chunked && info->rank > 2 && info->chunk[0] == 1 && info->dim[0] > 1)
        printf("  warning: chunks of one sample are slow to read; expected about 1 MiB each\n");
    h5_data_close(data);
    return 0;
}

/* All datasets of the group and one level below. */
static int print_group(struct h5 *file, const char *group, int depth, struct err *err) {
    struct h5_list list;
    char path[PATH_TEXT];
    int status = 0;

    if (h5_list(file, group, &list, err))
        return -1;
    for (int i = 0; !status && i < list.n; i++) {
        if (snprintf(path, sizeof path, "%s/%s", depth ? group : "", list.entry[i].name) >=
            PATH_TEXT)
            continue;
        if (!list.entry[i].group)
            status = print_data(file, path, err);
        else if (depth == 0)
            status = print_group(file, path, 1, err);
    }
    h5_list_release(&list);
    return status;
}

static int print_classes(const struct dataset *ds, struct err *err) {
    const int n = dataset_n_classes(ds);
    const int32_t *labels = dataset_labels(ds);
    int64_t *count, least = INT64_MAX, most = 0;

    if (!labels) {
        printf("  no labels\n");
        return 0;
    }
    count = calloc((size_t)n, sizeof *count);
    if (!count)
        return err_set(err, ERR_IO, "%s: out of memory", dataset_name(ds));
    for (int64_t i = 0; i < dataset_len(ds); i++)
        count[labels[i]]++;
    for (int i = 0; i < n; i++) {
        least = count[i] < least ? count[i] : least;
        most = count[i] > most ? count[i] : most;
    }
    printf("  %d classes of %lld", n, (long long)least);
    if (most > least)
        printf(" to %lld", (long long)most);
    printf(" samples:");
    for (int i = 0; i < n && i < MOST_CLASSES_SHOWN; i++)
        printf("%s %s %lld", i ? "," : "", dataset_class_name(ds, i), (long long)count[i]);
    if (n > MOST_CLASSES_SHOWN)
        printf(", and %d more", n - MOST_CLASSES_SHOWN);
    printf("\n");
    free(count);
    return 0;
}

static void print_channels(const char *name, const float *values, int64_t n) {
    printf("  %s:", name);
    for (int64_t c = 0; c < n; c++)
        printf(" %.4f", (double)values[c]);
    printf("\n");
}

/* What training sees of a split. */
static int print_split(const char *spec, struct err *err) {
    struct dataset *ds;
    struct shape s;
    int status;

    if (dataset_open(&ds, spec, 0, err))
        return -1;
    s = dataset_sample_shape(ds);
    printf("%s\n  %lld images of %lldx%lldx%lld (height, width, channels), %s\n", spec,
           (long long)dataset_len(ds), (long long)s.dim[0], (long long)s.dim[1],
           (long long)s.dim[2], dataset_field(ds, 0)->kind == DATASET_BYTES ? "bytes" : "floats");
    status = print_classes(ds, err);
    if (dataset_mean(ds)) {
        print_channels("mean", dataset_mean(ds), s.dim[2]);
        print_channels("std", dataset_std(ds), s.dim[2]);
    }
    printf("  fingerprint: %016llx\n", (unsigned long long)dataset_fingerprint(ds));
    dataset_close(ds);
    return status;
}

/* Every group is shown as a split; one that is none is said to be so, and the rest is shown. */
static int print_splits(struct h5 *file, const char *path, struct err *err) {
    struct h5_list list;
    char spec[PATH_TEXT];
    int n_groups = 0;

    if (h5_list(file, "/", &list, err))
        return -1;
    for (int i = 0; i < list.n; i++) {
        struct err problem = {0};

        if (!list.entry[i].group ||
            snprintf(spec, sizeof spec, "%s:%s", path, list.entry[i].name) >= PATH_TEXT)
            continue;
        n_groups++;
        if (print_split(spec, &problem))
            printf("not a dataset: %s\n", problem.msg);
    }
    h5_list_release(&list);
    return n_groups ? 0 : print_split(path, err);
}

int data_info(const char *path, struct err *err) {
    struct h5 *file;
    int status;

    if (h5_open(&file, path, err))
        return -1;
    status = print_group(file, "/", 0, err) || print_splits(file, path, err);
    h5_close(file);
    return status ? -1 : 0;
}
