/* data_encoded.h - what the parts of dltrain data say of fields of encoded pictures. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

enum { DATA_N_SIDES = 12 };

/* Print how many bytes the pictures have, and formats and sizes of some that are spread evenly.
 * Errors: ERR_IO; ERR_DATA where the file is damaged. */
int data_encoded_info(struct dataset *ds, int i, struct err *err);

/* Decode all pictures, and print mean, deviation and range of each channel of their pixels and how
 * often sizes occur. Errors: as data_encoded_info; those that are broken are counted and said. */
int data_encoded_stats(struct dataset *ds, int i, struct err *err);

/* Decode all pictures, compare them with content_hash, and print how many were read.
 *   find  is told of each that is broken and of what else is wrong; -1: that ends it
 * Errors: ERR_IO, those of find. */
int data_encoded_verify(struct h5 *file, struct dataset *ds, int i,
                        int (*find)(void *context, const struct err *problem, struct err *err),
                        void *context, struct err *err);

/* Pictures rows[n], cut and brought to side x side pixels: out[n, side, side, channels].
 * Errors: ERR_DATA for one that is broken; ERR_IO. */
int data_encoded_tile(struct dataset *ds, int i, const int64_t *rows, int64_t n, int side,
                      unsigned char *out, struct err *err);
