/* encoded_finish.h - from all that an import has gathered to the dataset file. */
#pragma once
#include "io/import/encoded_state.h"

/* Write what is not pictures, give the file its name, and add to result what a user should hear.
 * Errors: ERR_IO; ERR_DATA where all images of a split were skipped. */
int encoded_finish(struct encoded_state *state, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err);
