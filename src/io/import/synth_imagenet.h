/* synth_imagenet.h - a dataset of encoded pictures made on the spot, as large as one likes. */
#pragma once
#include "io/import/import.h"

enum { SYNTH_IMAGENET_TRAIN, SYNTH_IMAGENET_VALIDATE, SYNTH_IMAGENET_SPLITS };

struct synth_imagenet {
    int64_t samples; /* of both groups: 5 % of them, at least one, are the group validate */
    int classes;     /* 1 to PHOTO_MOST_CLASSES */
    uint64_t seed;
};

/* Write the dataset file with the groups train and validate. Class k has every classes-th sample.
 *   how  threads and progress are looked at
 * Errors: those of import_encoded. */
int synth_imagenet_write(const char *path, const struct synth_imagenet *what,
                         const struct import_options *how, struct import_result *result,
                         struct err *err);

/* Samples of a group. */
int64_t synth_imagenet_len(const struct synth_imagenet *what, int split);
