/* dltrain data verify: read everything, before a run of days does. */
#include "cmd/data.h"
#include "cmd/data_encoded.h"
#include "io/dataset/dataset_layout.h"
#include "io/dataset/dataset_verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_TEXT = 4096 };

/* What was read and found so far. */
struct findings {
    struct err first; /* of what is wrong */
    int n;
    int64_t rows, total; /* of the split that is being read */
};

/* What is wrong is printed and remembered, and the rest is read; what the system refuses is not.
 * Returns 0, or -1 with err. */
static int find(struct findings *all, const struct err *problem, struct err *err) {
    if (problem->kind != ERR_DATA) {
        *err = *problem;
        return -1;
    }
    printf("  wrong: %s\n", problem->msg);
    if (!all->n++)
        all->first = *problem;
    return 0;
}

static void show_progress(void *context, int64_t rows) {
    struct findings *all = context;

    all->rows += rows;
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%3d %%", (int)(100 * all->rows / all->total));
    if (all->rows == all->total)
        fputs("\r      \r", stderr);
}

static int check_numbers(struct dataset *ds, int i, const struct verify_progress *progress,
                         struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    char place[DATASET_PLACE_TEXT];
    struct verify_result found;

    if (verify_field(ds, i, progress, &found, err))
        return -1;
    if (!found.n)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %lld numbers of %s are not finite, the first is %s in sample "
                   "%lld%s",
                   dataset_name(ds), (long long)found.n, dataset_field_path(ds, i),
                   isnan(found.value) ? "nan" : "infinite", (long long)found.row,
                   dataset_place(&f->sample, found.at, place));
}

/* One of the pictures, or of what is beside them. */
static int find_encoded(void *context, const struct err *problem, struct err *err) {
    return find(context, problem, err);
}

static int verify_one(struct findings *all, struct h5 *file, struct dataset *ds, int i,
                      struct err *err) {
    const struct verify_progress progress = {show_progress, all};
    const struct dataset_field *f = dataset_field(ds, i);
    struct err problem = {0};

    if (check_numbers(ds, i, &progress, &problem) && find(all, &problem, err))
        return -1;
    problem = (struct err){0};
    const int hashed = verify_hash(file, dataset_field_path(ds, i), &progress, &problem);
    if (!hashed)
        show_progress(all, f->rows);
    if (hashed < 0 && find(all, &problem, err))
        return -1;
    printf("  %s: %lld rows read%s\n", f->name, (long long)f->rows,
           hashed > 0   ? ", as they were written"
           : hashed < 0 ? ""
                        : "; there are no hashes to compare them with");
    return 0;
}

static bool is_encoded(const struct dataset *ds, int i) {
    return dataset_field(ds, i)->kind == DATASET_ENCODED;
}

static int verify_split(struct findings *all, struct h5 *file, const char *spec, struct err *err) {
    struct err problem = {0};
    struct dataset *ds;
    int status = 0;

    printf("%s\n", spec);
    /* What is damaged is found row by row, not by the first of them that is read. */
    if (dataset_open_in(&ds, spec, &(struct dataset_memory){.unhashed = true}, &problem))
        return find(all, &problem, err);
    all->rows = all->total = 0;
    for (int i = 0; i < dataset_n_fields(ds); i++)
        all->total += is_encoded(ds, i) ? 0 : 2 * dataset_field(ds, i)->rows;
    for (int i = 0; !status && i < dataset_n_fields(ds); i++)
        status = is_encoded(ds, i) ? data_encoded_verify(file, ds, i, find_encoded, all, err)
                                   : verify_one(all, file, ds, i, err);
    dataset_close(ds);
    return status;
}

static int verify_splits(struct findings *all, struct h5 *file, const char *path, struct err *err) {
    struct h5_list list;
    char spec[PATH_TEXT];
    int status = 0;

    if (data_splits(file, &list, err))
        return -1;
    if (!list.n)
        status = verify_split(all, file, path, err);
    for (int i = 0; !status && i < list.n; i++)
        if (snprintf(spec, sizeof spec, "%s:%s", path, list.entry[i].name) < PATH_TEXT)
            status = verify_split(all, file, spec, err);
    h5_list_release(&list);
    return status;
}

static int verify_spec(struct findings *all, const char *spec, struct err *err) {
    struct err problem = {0};
    struct h5 *file = NULL;
    char *group;
    int status;

    if (layout_open(&file, &group, spec, NULL, &problem))
        status = find(all, &problem, err);
    else
        status = group ? verify_split(all, file, spec, err) : verify_splits(all, file, spec, err);
    free(group);
    h5_close(file);
    return status;
}

int data_verify(char *const *specs, int n, struct err *err) {
    struct findings all = {0};

    for (int i = 0; i < n; i++)
        if (verify_spec(&all, specs[i], err))
            return -1;
    if (!all.n)
        return 0;
    *err = all.first;
    return all.n > 1 ? err_wrap(err, "%d things are wrong, the first", all.n) : -1;
}
