/* dataset_index.h - what opening a dataset finds, for other processes that open the same one: a
 * thousand of them need not each look for its groups, read its labels and count its classes. */
#pragma once
#include "io/dataset/dataset.h"

/* All that is known of an open dataset whose classes were not mapped yet, its labels among it, but
 * for what it keeps of other fields.
 *   bytes  [len], malloc'd, for dataset_index_open of the same program
 * Errors: ERR_IO for lack of memory. */
int dataset_index_save(const struct dataset *ds, void **bytes, size_t *len, struct err *err);

enum dataset_alike {
    DATASET_ALIKE = 1, /* opened */
    DATASET_UNLIKE,    /* this process's file is another: dataset_open says what it is */
};

/* Open a dataset of which somebody else has the index, by one open of each file. What the file says
 * of itself, all labels, where pictures are and some rows are compared with the index, and so is
 * what is kept. bytes   [len] at a multiple of 64, borrowed until dataset_close memory  `take`
 * gives what was taken for the index, in the same order; fields that were not kept are not kept
 * here Errors: ERR_DATA for bytes that are no index; those of opening and reading. */
int dataset_index_open(struct dataset **out, const void *bytes, size_t len,
                       const struct dataset_memory *memory, enum dataset_alike *alike,
                       struct err *err);
