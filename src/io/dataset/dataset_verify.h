/* dataset_verify.h - everything that a split holds, read through once. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

/* Called now and then with the rows that were read since the last time. */
struct verify_progress {
    void (*add)(void *context, int64_t rows);
    void *context;
};

/* Numbers of a field that are not finite. */
struct verify_result {
    int64_t n;       /* how many */
    int64_t row, at; /* the first: its row, and which number of the row */
    double value;
};

/* Read all rows of field i. Errors: ERR_IO; ERR_DATA for damage, and for classes that are out of
 * range or occur another number of times than the file says. */
int verify_field(struct dataset *ds, int i, const struct verify_progress *progress,
                 struct verify_result *out, struct err *err);

/* Compare a dataset of the file with its attribute content_hash, "xxh3:%016x": XXH3 of all its rows
 * as they are stored, little endian; and its rows with their hashes (row_hash.h). 1: it is as it
 * was written, 0: it has neither. Errors: ERR_IO; ERR_DATA for damage and where it is
 * another, naming rows where they have hashes. */
int verify_hash(struct h5 *file, const char *path, const struct verify_progress *progress,
                struct err *err);

/* The same of a dataset with a content_hash and no hashes of rows, for who compares those of others
 * on the way; 0 of others. */
int verify_rowless(struct h5 *file, const char *path, struct err *err);

/* The same of one whose rows were read already: their XXH3 is `hash`. */
int verify_hash_found(struct h5 *file, const char *path, uint64_t hash, struct err *err);
