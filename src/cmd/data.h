/* data.h - the parts of the command dltrain data. */
#pragma once
#include "core/base/err.h"

/* Print what the HDF5 file `path` holds. Errors: ERR_IO, ERR_DATA. */
int data_info(const char *path, struct err *err);
