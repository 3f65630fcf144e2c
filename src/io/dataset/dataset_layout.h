/* dataset_layout.h - where a split lies in an HDF5 file, found by name and shape. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"
#include "io/h5/h5_files.h"

enum { LAYOUT_PATH = 256, LAYOUT_IGNORED = 256 };

/* How a dataset has encoded pictures. */
enum layout_encoding {
    LAYOUT_PLAIN, /* it has none */
    LAYOUT_FILES, /* end to end: [bytes], and beside it NAME_offsets */
    LAYOUT_BLOBS, /* each a row, of any length or opaque */
};

struct layout_field {
    char name[DATASET_FIELD_NAME]; /* "image", "label", or the dataset's own */
    char path[LAYOUT_PATH];        /* "/train/images" */
    int64_t rows;
    bool unpaired;
    enum layout_encoding encoding;
    bool told;               /* encoded: the file says so */
    char names[LAYOUT_PATH]; /* encoded: texts, what the pictures were called; "": none */
    bool table; /* called x or data, but of rows of numbers: no image, and under its own name */
};

struct dataset_layout {
    char group[LAYOUT_PATH]; /* "/train", "/": where attributes are looked for, too */
    struct layout_field field[DATASET_MAX_FIELDS];
    int n_fields;
    char ignored[LAYOUT_IGNORED]; /* "notes (text), extra (12 rows)" */
};

/* Open the file of "path:group" or "path". *group is malloc'd, NULL where none is named.
 *   files  those that are open already; NULL: none is shared
 * Errors: as h5_open. */
int layout_open(struct h5 **file, char **group, const char *spec, struct h5_files *files,
                struct err *err);

/* Find the fields of `group`, NULL: the only split there is.
 * Errors: ERR_DATA, naming the groups and datasets that exist and the nearest; numbers of rows that
 * do not agree; too many fields. */
int dataset_layout_find(struct h5 *file, const char *group, struct dataset_layout *out,
                        struct err *err);

/* Write "train, test" of the groups or of the datasets to text[len]; "..." stands for those that
 * no longer fit. */
void layout_names(const struct h5_list *list, bool groups, char *text, size_t len);

/* The splits that are named in datasets of the file, not by a group: train of x_train. Errors: as
 * h5_list. */
int layout_flat_splits(struct h5 *file, struct h5_list *out, struct err *err);

/* The field names that a job can use: letters, digits and _, beginning with a letter, and shorter
 * than DATASET_FIELD_NAME. */
bool layout_is_name(const char *name);

/* The group of that list whose name is nearest, or NULL. */
const char *layout_nearest(const struct h5_list *list, const char *name);

/* Find whether the dataset at field->path, of which `info` is known, has encoded pictures, and fill
 * what is known of them; rows are pictures then. Errors: ERR_DATA for an encoding that is not
 * known, or without its offsets. */
int layout_encoding(struct h5 *file, const struct h5_info *info, struct layout_field *field,
                    struct err *err);

/* The dataset of a group without images by name whose rows are pictures: *name[LAYOUT_PATH] by its
 * attribute encoding, by a name that others use, or the only one; "": none. Errors: as h5_list. */
int layout_find_encoded(struct h5 *file, const char *group, char name[LAYOUT_PATH],
                        struct err *err);

/* Does the dataset belong to one of the fields, as its offsets or names? unread: as names that are
 * none, as they are no texts or those of other rows. */
bool layout_is_companion(const struct dataset_layout *at, const char *path, bool *unread);

/* Make the fields of the datasets that are directly in `group`. Their names are `images` and
 * `labels` (either may be ""), or their own; where `split` is given, datasets with it in their
 * names alone: masks_train is masks. Errors: as dataset_layout_find. */
int layout_gather(struct h5 *file, const char *group, const char *split, const char *images,
                  const char *labels, struct dataset_layout *out, struct err *err);
