/* encoded_scan.h - the pictures of an encoded field, decoded by all processors. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/image/image.h"

/* A picture that could be decoded. */
struct encoded_picture {
    int64_t row;
    struct dataset_blob blob;
    const struct image *image; /* upright, with the channels of the field */
};

enum { SCAN_MOST_SLOTS = 256 };

/* Whom to tell of what; each may be NULL. */
struct encoded_listener {
    /* By several threads at a time, each with another slot, 0 .. SCAN_MOST_SLOTS - 1; in no order.
     */
    void (*picture)(void *context, int slot, const struct encoded_picture *picture);
    /* In the order of rows, by one thread: what is stored, and what cannot be decoded: problem says
     * which sample, by its name, and why. */
    void (*stored)(void *context, const struct dataset_blob *blob);
    void (*broken)(void *context, int64_t row, const struct err *problem);
    void (*progress)(void *context, int64_t rows); /* so many more were seen */
    void *context;
};

/* Read and decode rows[n] of field i, NULL: the first n of all; in this order.
 * Errors: ERR_IO; ERR_DATA where the file is damaged. Broken pictures are none. */
int encoded_scan(struct dataset *ds, int i, const int64_t *rows, int64_t n,
                 const struct encoded_listener *listener, struct err *err);

/* Bytes of the encoded picture `row` of field i. */
int64_t encoded_len(const struct dataset *ds, int i, int64_t row);
