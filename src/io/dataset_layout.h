/* dataset_layout.h - where a split lies in an HDF5 file, found by name and shape. */
#pragma once
#include "core/base/err.h"
#include "io/h5.h"

enum { LAYOUT_PATH = 256 };

struct dataset_layout {
    char group[LAYOUT_PATH];  /* "/train", "/": where attributes are looked for first */
    char images[LAYOUT_PATH]; /* "/train/images" */
    char labels[LAYOUT_PATH]; /* "" where there are none */
};

/* Find images and labels of `group`, NULL: the only split there is.
 * Errors: ERR_DATA, naming the groups and datasets that exist and the nearest. */
int dataset_layout_find(struct h5 *file, const char *group, struct dataset_layout *out,
                        struct err *err);
