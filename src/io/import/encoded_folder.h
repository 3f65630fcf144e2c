/* encoded_folder.h - folders of classes to a dataset of encoded images. */
#pragma once
#include "io/import/import_scan.h"

/* All images of the scan, whose splits are those of the file, as options say.
 * Errors: those of import_encoded. */
int encoded_folder(const struct scan *scan, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err);
