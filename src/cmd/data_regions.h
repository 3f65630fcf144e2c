/* data_regions.h - what `data proposals` and `data crops` read: the pictures and boxes of a file,
 * split by split. Private to them. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"
#include "io/image/image.h"

#include <stdint.h>

/* A split that is open. {0} is releasable. */
struct region_split {
    struct dataset *dataset;
    int image, boxes, proposals;  /* fields; the last two -1: there are none */
    int64_t n_boxes, n_proposals; /* rows of a sample */
};

/* Open path:group. Errors: dataset_open's; ERR_DATA where it has no pictures. */
int region_split_open(struct region_split *s, const char *path, const char *group, struct err *err);
void region_split_release(struct region_split *s);

/* Picture and boxes of samples first .. first + n - 1: image[n] are released by the caller, also
 * after an error; boxes[n, n_boxes, 5] and proposals[n, n_proposals, 5] may be NULL. */
int region_split_read(struct region_split *s, int64_t first, int64_t n, struct image *image,
                      float *boxes, float *proposals, struct err *err);

/* The groups of a file: list is released by the caller. Errors: ERR_DATA where it has none. */
int region_splits(struct h5 *file, struct h5_list *list, struct err *err);
