#include "cmd/data.h"
#include "cmd/data_encoded.h"
#include "io/dataset/dataset_layout.h"
#include "io/dataset/dataset_verify.h"

#include <math.h>
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
    case H5_CLASS_BLOB:
        return "bytes";
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
    printf(" %s", class_text(info->class));
    if (info->variable) /* they lie elsewhere */
        printf(" of any length");
    else if (info->class == H5_CLASS_BLOB)
        printf(" of length %d, %.1f MiB", info->item_bytes, (double)info->stored_bytes / (1 << 20));
    else
        printf("%d, %.1f MiB", 8 * info->item_bytes, (double)info->stored_bytes / (1 << 20));
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

/* 10 classes of 90 to 110: cat 90, dog 110 ... */
static void print_classes(const struct dataset *ds, int field) {
    const int n = dataset_field_classes(ds, field);
    const int64_t *count = dataset_class_counts(ds, field);
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < n; i++) {
        least = count[i] < least ? count[i] : least;
        most = count[i] > most ? count[i] : most;
    }
    printf("    %d classes of %lld", n, (long long)least);
    if (most > least)
        printf(" to %lld", (long long)most);
    printf(" %s:", dataset_field(ds, field)->boxes         ? "boxes"
                   : dataset_field(ds, field)->sample.rank ? "places"
                                                           : "samples");
    for (int i = 0; i < n && i < MOST_CLASSES_SHOWN; i++)
        printf("%s %s %lld", i ? "," : "", dataset_class_name(ds, field, i), (long long)count[i]);
    if (n > MOST_CLASSES_SHOWN)
        printf(", and %d more", n - MOST_CLASSES_SHOWN);
    printf("\n");
}

static void print_channels(const char *name, const float *values, int64_t n) {
    enum { SHOWN = 16 };

    printf("    %s:", name);
    for (int64_t c = 0; c < n && c < SHOWN; c++)
        printf(" %.4f", (double)values[c]);
    if (n > SHOWN)
        printf(" and %lld more", (long long)n - SHOWN);
    printf("\n");
}

static const char *kind_text(const struct dataset_field *f) {
    if (f->kind == DATASET_CLASS)
        return f->sample.rank ? "class of every place" : "class";
    if (f->kind == DATASET_ENCODED)
        return f->sample.dim[2] == 1 ? "encoded pictures, grey" : "encoded pictures";
    if (f->kind == DATASET_BYTES)
        return f->image ? "image of bytes" : f->masks ? "masks of boxes" : "bytes";
    if (f->boxes)
        return "boxes";
    return f->image ? "image of floats" : "numbers";
}

/* How many numbers are none. Cost: reads them all. */
static int print_not_finite(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    char place[DATASET_PLACE_TEXT];
    struct verify_result found;

    if (f->kind != DATASET_REALS)
        return 0;
    if (verify_field(ds, i, NULL, &found, err))
        return -1;
    if (found.n)
        printf("    warning: %lld not finite, the first %s in sample %lld%s\n", (long long)found.n,
               isnan(found.value) ? "nan" : "infinite", (long long)found.row,
               dataset_place(&f->sample, found.at, place));
    return 0;
}

/* What a run will find out of its damage. */
static void print_hashes(const struct dataset *ds, int i) {
    const int64_t rows = dataset_hashed_rows(ds, i);

    if (rows > 1)
        printf("    hashes: of %lld rows each; what is read is compared with them\n",
               (long long)rows);
    else
        printf("    hashes: %s\n", rows ? "of each row; what is read is compared with them"
                                        : "none; what is read is not compared with what was "
                                          "written");
}

static int print_field(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);

    printf("  %s: %s", f->name, kind_text(f));
    if (f->sample.rank && f->kind != DATASET_ENCODED) {
        printf(" ");
        print_dims(f->sample.dim, f->sample.rank);
    }
    if (f->unpaired)
        printf(", unpaired, %lld rows", (long long)f->rows);
    printf("\n");
    if (f->kind == DATASET_CLASS || f->boxes)
        print_classes(ds, i);
    if (dataset_mean(ds, i)) {
        print_channels("mean", dataset_mean(ds, i), shape_channels(&f->sample));
        print_channels("std", dataset_std(ds, i), shape_channels(&f->sample));
    }
    const int status =
        f->kind == DATASET_ENCODED ? data_encoded_info(ds, i, err) : print_not_finite(ds, i, err);
    if (!status)
        print_hashes(ds, i);
    return status;
}

/* Sentences, one a line. */
static void print_guesses(const char *text) {
    while (*text) {
        const int len = (int)strcspn(text, "\n");

        printf("  guessed: %.*s\n", len, text);
        text += len + (text[len] != 0);
    }
}

/* What training sees of a split. */
static int print_split(const char *spec, struct err *err) {
    struct dataset *ds;
    int status = 0;

    if (dataset_open(&ds, spec, 0, err))
        return -1;
    printf("%s\n  %lld samples\n", spec, (long long)dataset_len(ds));
    for (int i = 0; !status && i < dataset_n_fields(ds); i++)
        status = print_field(ds, i, err);
    print_guesses(dataset_guesses(ds));
    if (*dataset_ignored(ds))
        printf("  no fields: %s\n", dataset_ignored(ds));
    printf("  fingerprint: %016llx\n", (unsigned long long)dataset_fingerprint(ds));
    dataset_close(ds);
    return status;
}

int data_splits(struct h5 *file, struct h5_list *out, struct err *err) {
    if (h5_list(file, "/", out, err))
        return -1;
    const struct h5_list all = *out;
    out->n = 0; /* of the groups, which move to the front */
    for (int i = 0; i < all.n; i++)
        if (all.entry[i].group)
            out->entry[out->n++] = all.entry[i];
        else
            free(all.entry[i].name);
    if (out->n)
        return 0;
    h5_list_release(out);
    return layout_flat_splits(file, out, err);
}

/* Every split is shown; one that is none is said to be so, and the rest is shown, if there is any.
 */
static int print_splits(struct h5 *file, const char *path, struct err *err) {
    struct h5_list list;
    struct err first = {0};
    int n_shown = 0, status = 0;

    if (data_splits(file, &list, err))
        return -1;
    if (!list.n)
        status = print_split(path, err);
    for (int i = 0; !status && i < list.n; i++) {
        char spec[PATH_TEXT];
        struct err problem = {0};

        if (snprintf(spec, sizeof spec, "%s:%s", path, list.entry[i].name) >= PATH_TEXT)
            continue;
        const int rc = print_split(spec, &problem);
        n_shown += !rc;
        if (rc && problem.kind == ERR_DATA)
            printf("not a dataset: %s\n", problem.msg);
        if (rc && (problem.kind != ERR_DATA || !first.kind))
            first = problem;
        status = rc && problem.kind != ERR_DATA ? -1 : 0;
    }
    if (status || (list.n && !n_shown))
        *err = first.kind ? first : *err;
    const bool none = list.n && !n_shown;
    h5_list_release(&list);
    return status || none ? -1 : 0;
}

int data_info(const char *spec, struct err *err) {
    struct h5 *file = NULL;
    char *group;
    int status;

    status = layout_open(&file, &group, spec, NULL, err) || print_group(file, "/", 0, err);
    if (!status)
        status = group ? print_split(spec, err) : print_splits(file, spec, err);
    free(group);
    h5_close(file);
    return status ? -1 : 0;
}
