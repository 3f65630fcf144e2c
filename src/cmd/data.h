/* data.h - the parts of the command dltrain data. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

#include <stdint.h>

/* `dltrain data split ...` with argv[0] the word split. Errors: ERR_USAGE and dataset_split's. */
int data_split(int argc, char **argv, struct err *err);

/* `dltrain data proposals ...` and `dltrain data crops ...`, likewise. Errors: ERR_USAGE, ERR_DATA,
 * ERR_IO. */
int data_proposals(int argc, char **argv, struct err *err);
int data_crops(int argc, char **argv, struct err *err);

/* "500", so many, or "0.1", a share; both 0: not given. */
struct data_share {
    int64_t n;
    double share;
};

/* Read the value of --split; `what` it counts. Errors: ERR_USAGE. */
int data_read_share(const char *text, const char *what, struct data_share *out, struct err *err);

enum { DATA_MOST_JOBS = 1024 };

/* One for each processor that this process may use. */
int64_t data_default_jobs(void);

/* `dltrain data import ...` and `dltrain data synth ...`, likewise. Errors: ERR_USAGE; those of the
 * importer; ERR_IO. */
int data_import(int argc, char **argv, struct err *err);
int data_synth(int argc, char **argv, struct err *err);

/* "data: WHAT; see dltrain help data". Returns -1. */
int data_usage_error(const char *what, struct err *err);

/* Print what the HDF5 file of "path" or "path:group" holds, and what training sees of its splits,
 * or of that one. Errors: ERR_IO; ERR_DATA where none of them is a dataset. */
int data_info(const char *spec, struct err *err);

/* Read everything that specs[n] hold, "path" (all its splits) or "path:group", and print what is
 * found. Errors: ERR_IO; ERR_DATA, after all of it was read, for the first thing that is wrong. */
int data_verify(char *const *specs, int n, struct err *err);

/* `dltrain data stats ...` with argv[0] the word stats. Errors: ERR_USAGE, ERR_IO, ERR_DATA. */
int data_stats(int argc, char **argv, struct err *err);

/* Draw the first samples of the dataset, up to `each` of each class of its labels (without labels:
 * as many in all as make a square) beside their masks. Prints what is in the picture.
 * Errors: ERR_DATA where there is nothing to draw; ERR_IO. */
int data_sheet(struct dataset *ds, const char *file, int64_t each, struct err *err);

/* The splits of a file: its groups and what is named in datasets; none where the file itself is
 * one. Errors: as h5_list. */
int data_splits(struct h5 *file, struct h5_list *out, struct err *err);
