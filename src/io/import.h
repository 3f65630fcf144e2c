/* import.h - importers: other people's layouts to our dataset file. */
#pragma once
#include "core/base/err.h"
#include "io/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Called from the importing thread now and then; total 0: not known. */
struct import_progress {
    void (*report)(void *context, int64_t done, int64_t total);
    void *context;
};

struct import_options {
    int width, height;    /* 0: the images' own, which must all agree */
    enum image_fit fit;   /* how images of another size are brought to it */
    enum image_mode mode; /* IMAGE_AS_STORED: colour if the first image is */
    bool skip_broken;     /* count broken images in place of stopping at the first */
    int threads;          /* for decoding; at least 1 */
    struct import_progress progress;
};

struct import_result {
    int64_t n_images, n_skipped, n_ignored; /* written; broken; of other kinds of file */
    int n_splits, n_classes;
    char first_skipped[512]; /* why the first was skipped */
};

struct importer {
    const char *name, *help; /* help: the layout it reads, in one line */
    bool decodes;            /* takes width, height, fit, mode, skip_broken and threads */
    /* Read `source`, write the dataset file `target`, which appears only when it is complete.
     * Errors: ERR_DATA or ERR_IO, beginning with the file that is wrong. */
    int (*run)(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err);
};

/* The importer of that name, or NULL. */
const struct importer *importer_find(const char *name);

/* All importers; *n is their number. */
const struct importer *const *importer_table(int *n);

extern const struct importer import_imagefolder, import_idx, import_cifar;

static inline void import_report(const struct import_options *options, int64_t done,
                                 int64_t total) {
    if (options->progress.report)
        options->progress.report(options->progress.context, done, total);
}
