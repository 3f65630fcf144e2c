/* data.h - the parts of the command dltrain data. */
#pragma once
#include "core/base/err.h"

#include <stdint.h>

/* Print what the HDF5 file `path` holds. Errors: ERR_IO, ERR_DATA. */
int data_info(const char *path, struct err *err);

/* `dltrain data split ...` with argv[0] the word split. Errors: ERR_USAGE and dataset_split's. */
int data_split(int argc, char **argv, struct err *err);

/* "500", so many, or "0.1", a share; both 0: not given. */
struct data_share {
    int64_t n;
    double share;
};

/* Read the value of --split; `what` it counts. Errors: ERR_USAGE. */
int data_read_share(const char *text, const char *what, struct data_share *out, struct err *err);

/* On a terminal only: a percentage that overwrites itself; total 0: how many there are so far. */
void data_show_progress(void *context, int64_t done, int64_t total);
