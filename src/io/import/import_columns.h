/* import_columns.h - files of images to fields of a dataset: decoded by several threads, a slab at
 * a time, and written in between. */
#pragma once
#include "core/base/parallel.h"
#include "io/dataset/dataset_writer.h"
#include "io/import/import.h"
#include "io/import/import_files.h"

enum column_part { COLUMN_WHOLE, COLUMN_LEFT, COLUMN_RIGHT };

/* One field of every split. */
struct import_column {
    const char *name;      /* of the dataset: "images", "mask" */
    int list;              /* of a split: the files */
    enum column_part part; /* of each image */
    bool mask, unpaired;
    /* of masks: the class of each number in the files, and how many there are */
    unsigned char class[256];
    int n_classes;
    /* found by import_columns */
    enum image_mode mode; /* of images */
    struct shape sample;  /* the size of the first file, or as the options say */
    const char *model;    /* that file */
};

/* What the numbers in mask files are. */
struct mask_census {
    int64_t count[256];  /* pixels of each */
    bool palette, lossy; /* in any of them */
    const char *lossy_file;
};

/* Read the files of a list in all splits as classes.
 * Errors: those of reading; ERR_DATA for colours, which are no numbers. */
int import_census(const struct file_set *set, int list, struct team *team,
                  struct mask_census *census, struct err *err);

/* Write all splits; finishes the file. Adds to result.
 * Errors: the files', naming the first that is wrong. */
int import_columns(const struct file_set *set, struct import_column *columns, int n,
                   const struct import_options *options, struct team *team, const char *target,
                   struct import_result *result, struct err *err);
