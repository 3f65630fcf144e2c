/* dataset_split_encoded.h - a field of encoded pictures, cut into several groups of a new file. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset_layout.h"

/* What is cut, and where each piece goes. */
struct encoded_cut {
    struct dataset *ds;
    int field;
    struct h5 *from;
    const struct layout_field *at; /* where the field is in `from` */
    const int32_t *group;          /* [rows] of each picture */
    struct h5 *to;
    char (*path)[LAYOUT_PATH]; /* [n_groups] of the datasets that are written */
    int n_groups;
    /* Called now and then with the pictures that were written since the last time. */
    void (*progress)(void *context, int64_t rows);
    void *context;
};

/* Write the pictures end to end, whatever they were, with offsets, names where there are such,
 * attributes and content_hash. Reads them once, in their order. Errors: ERR_DATA, ERR_IO. */
int dataset_split_encoded(const struct encoded_cut *cut, struct err *err);
