/* dataset_files.h - picture files of any size as a dataset, which has one field of encoded
 * pictures: what reads and prepares datasets reads and prepares them. */
#pragma once
#include "io/dataset/dataset.h"

/* What a dataset in a file would say of itself. Everything borrowed until dataset_of_files returns.
 */
struct dataset_files {
    const char *name;        /* of the dataset, for messages */
    const char *field;       /* of the pictures */
    const char *const *path; /* [n], borrowed until dataset_close */
    int64_t n;
    int channels;            /* that they are decoded to, 1 or 3 */
    const float *mean, *std; /* [channels], both or none */
};

/* Files are opened when they are read. Errors: ERR_IO without memory. */
int dataset_of_files(struct dataset **out, const struct dataset_files *files, struct err *err);
