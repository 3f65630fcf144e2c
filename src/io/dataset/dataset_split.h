/* dataset_split.h - the rows of one group cut into several groups of a new file. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset.h"

#include <stdint.h>

enum { SPLIT_MOST_FOLDS = 100, SPLIT_NOTE = 1024, SPLIT_NAME = 16 };

struct split_plan {
    int folds;     /* groups fold1 .. of one size; or, where 0, train and validate: */
    int64_t n;     /* so many rows are validate, or */
    double share;  /* that share of them */
    uint64_t seed; /* of the draw */
    /* Called now and then; or NULL. */
    void (*report)(void *context, int64_t done, int64_t total);
    void *context;
};

struct split_result {
    int n_groups;
    int64_t rows[SPLIT_MOST_FOLDS]; /* of each group */
    char note[SPLIT_NOTE];          /* what the draw could not do, lines; "": nothing */
};

/* The name of group g: "fold1", "train". */
void split_name(const struct split_plan *plan, int g, char name[SPLIT_NAME]);

/* Write the rows of the split `spec` (FILE.h5:GROUP) to the new file `target`: each to one group,
 * in their order, of each class in proportion where there is a class for each row. Fields keep
 * their names, stored types, chunks and attributes; those of group and file are copied, too.
 * Unpaired fields are cut by rows of their own. Reads the file once, whatever its size; fields
 * with a content_hash and no hashes of rows twice. Errors:
 * those of dataset_open; ERR_DATA where rows are not what was written; ERR_USAGE where there are
 * too few rows; ERR_IO. */
int dataset_split(const char *spec, const char *target, const struct split_plan *plan,
                  struct split_result *result, struct err *err);
