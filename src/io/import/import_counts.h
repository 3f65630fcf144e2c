/* import_counts.h - how many samples of each class each split has got, and what is said of it. */
#pragma once
#include "io/import/import.h"

#include <stdint.h>

struct import_counts {
    int n_splits, n_classes;
    const char *const *split_name; /* [n_splits] */
    const char *const *class_name; /* [n_classes] */
    const int64_t *n;              /* [n_splits, n_classes] */
};

/* Note how many samples splits have, where there are several, and of which classes a split, or all
 * of them, have none: they have their numbers all the same. */
void import_counts_note(const struct import_counts *counts, struct import_result *result);
