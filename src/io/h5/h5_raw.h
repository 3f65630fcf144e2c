/* h5_raw.h - datasets of one dimension by the bytes that the file has of them. Where these lie in
 * one piece, or in chunks without filters, they are read without HDF5, which lets in one thread at
 * a time. Nothing that the file says of itself is believed: every place is looked for within it. */
#pragma once
#include "io/h5/h5.h"

/* Bytes first .. first + n - 1 of all that a dataset [rows] of bytes or opaque values stores, to
 * out[n]. Two threads may read one dataset at a time. Errors: ERR_DATA for bytes that are not there
 * and for damage, ERR_IO. */
int h5_raw_read(struct h5_data *data, int64_t first, int64_t n, void *out, struct err *err);

/* These bytes will be read soon: the system may begin to fetch them. */
void h5_raw_expect(struct h5_data *data, int64_t first, int64_t n);

/* One row of a dataset that is info.variable: where the file keeps it. */
struct h5_blob {
    int64_t address; /* of the heap that it lies in; 0: it has no bytes */
    uint32_t object; /* its number there */
    uint32_t len;    /* bytes */
};

/* Find rows first .. first + n - 1: out[n]. Errors: ERR_DATA for rows that are not there, for
 * damage, and for places outside the file; ERR_IO. */
int h5_blobs_find(struct h5_data *data, int64_t first, int64_t n, struct h5_blob *out,
                  struct err *err);

/* Read blob->len bytes to out. Two threads may read one dataset at a time. Errors: as
 * h5_blobs_find. Source: HDF5 File Format Specification 3.0, III.E, the global heap. */
int h5_blob_read(struct h5_data *data, const struct h5_blob *blob, void *out, struct err *err);

/* It will be read soon. */
void h5_blob_expect(struct h5_data *data, const struct h5_blob *blob);

/* Row `row` of a dataset [n] of texts, cut to what text[room] holds. Errors: as h5_blobs_find. */
int h5_text_read(struct h5_data *data, int64_t row, char *text, size_t room, struct err *err);

/* The same by the dataset's path. Errors: those of h5_data_open, too. */
int h5_text_row(struct h5 *file, const char *path, int64_t row, char *text, size_t room,
                struct err *err);
