/* data.h - the parts of the command dltrain data. */
#pragma once
#include "core/base/err.h"
#include "io/h5/h5.h"

/* Print what the HDF5 file of "path" or "path:group" holds, and what training sees of its splits,
 * or of that one. Errors: ERR_IO; ERR_DATA where none of them is a dataset. */
int data_info(const char *spec, struct err *err);

/* Read everything that specs[n] hold, "path" (all its splits) or "path:group", and print what is
 * found. Errors: ERR_IO; ERR_DATA, after all of it was read, for the first thing that is wrong. */
int data_verify(char *const *specs, int n, struct err *err);

/* The splits of a file: its groups and what is named in datasets; none where the file itself is
 * one. Errors: as h5_list. */
int data_splits(struct h5 *file, struct h5_list *out, struct err *err);
