/* data_encoded.h - what the parts of dltrain data say of fields of encoded pictures. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset.h"

enum { DATA_N_SIDES = 12 };

/* Print how many bytes the pictures have, and formats and sizes of some that are spread evenly.
 * Errors: ERR_IO; ERR_DATA where the file is damaged. */
int data_encoded_info(struct dataset *ds, int i, struct err *err);

/* Decode all pictures, and print mean, deviation and range of each channel of their pixels and how
 * often sizes occur. Errors: as data_encoded_info; those that are broken are counted and said. */
int data_encoded_stats(struct dataset *ds, int i, struct err *err);

/* Pictures rows[n], cut and brought to side x side pixels: out[n, side, side, channels].
 * Errors: ERR_DATA for one that is broken; ERR_IO. */
int data_encoded_tile(struct dataset *ds, int i, const int64_t *rows, int64_t n, int side,
                      unsigned char *out, struct err *err);
