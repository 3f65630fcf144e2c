/* Folders of JPEG and PNG files, one folder for each class. Images are decoded by several threads,
 * a slab at a time, and written in between. */
#include "core/base/parallel.h"
#include "io/dataset/dataset_writer.h"
#include "io/import/import.h"
#include "io/import/import_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 16 << 20, SLAB_IMAGES = 1024 };

struct imagefolder_slab {
    const struct import_options *options;
    const struct scan_image *image; /* [n], of the split */
    int n_threads;
    struct shape sample;   /* the first image's, or as the options say */
    char *model;           /* the image that decided, for messages */
    unsigned char *pixels; /* [SLAB_IMAGES or less, h, w, c] */
    int32_t *classes;
    struct err *errs; /* [rows]; kind 0: fine */
    int64_t rows;
};

static void slab_release(struct imagefolder_slab *s) {
    free(s->model);
    free(s->pixels);
    free(s->classes);
    free(s->errs);
}

static enum image_mode slab_mode(const struct imagefolder_slab *s) {
    if (s->options->mode != IMAGE_AS_STORED)
        return s->options->mode;
    return s->sample.dim[2] == 3 ? IMAGE_COLOUR : IMAGE_AS_STORED;
}

/* Bring one image to the sample shape. Returns -1 with ERR_USAGE where the options do not say
 * how: that is the user's choice to make, not a broken image to skip. */
static int fit(const struct imagefolder_slab *s, const char *path, const struct image *image,
               unsigned char *out, struct err *err) {
    const int height = (int)s->sample.dim[0], width = (int)s->sample.dim[1];

    if (image->channels != s->sample.dim[2])
        return err_set(err, ERR_USAGE,
                       "%s: is in colour, %s is grey; choose with --colour or --grey", path,
                       s->model);
    if (image->width == width && image->height == height) {
        memcpy(out, image->pixels, (size_t)shape_len(&s->sample));
        return 0;
    }
    if (!s->options->width)
        return err_set(err, ERR_USAGE,
                       "%s: has %dx%d pixels, %s has %dx%d; bring them to one size with "
                       "--size WIDTHxHEIGHT",
                       path, image->width, image->height, s->model, width, height);
    return image_resize(image, width, height, s->options->fit, out, err);
}

static void decode(void *context, int64_t begin, int64_t end) {
    struct imagefolder_slab *s = context;
    const size_t bytes = (size_t)shape_len(&s->sample);

    for (int64_t i = begin; i < end; i++) {
        const char *path = s->image[i].path;
        struct image image = {0};
        struct err err = {0};

        if (!image_read(path, slab_mode(s), &image, &err))
            fit(s, path, &image, s->pixels + (size_t)i * bytes, &err);
        image_release(&image);
        s->errs[i] = err;
    }
}

/* The first image that can be read decides shape and channels. */
static int choose_sample(struct imagefolder_slab *s, const struct scan_split *split,
                         struct err *err) {
    const struct import_options *o = s->options;

    for (int64_t i = 0; i < split->n; i++) {
        struct image image = {0};
        struct err broken = {0};

        if (image_read(split->image[i].path, o->mode, &image, &broken)) {
            if (o->skip_broken && broken.kind == ERR_DATA)
                continue;
            *err = broken;
            return -1;
        }
        s->sample = (struct shape){3,
                                   {o->height ? o->height : image.height,
                                    o->width ? o->width : image.width, image.channels}};
        image_release(&image);
        s->model = malloc(strlen(split->image[i].path) + 1);
        if (!s->model)
            return err_set(err, ERR_IO, "%s: out of memory", split->name);
        strcpy(s->model, split->image[i].path);
        return 0;
    }
    return err_set(err, ERR_DATA, "%s: none of its %lld images can be read", split->name,
                   (long long)split->n);
}

static int slab_alloc(struct imagefolder_slab *s, struct err *err) {
    const int64_t bytes = shape_len(&s->sample), fit_in = SLAB_BYTES / bytes;

    s->rows = fit_in < 1 ? 1 : fit_in > SLAB_IMAGES ? SLAB_IMAGES : fit_in;
    s->rows = s->rows < s->n_threads ? s->n_threads : s->rows;
    s->pixels = malloc((size_t)(s->rows * bytes));
    s->classes = malloc((size_t)s->rows * sizeof *s->classes);
    s->errs = malloc((size_t)s->rows * sizeof *s->errs);
    if (!s->pixels || !s->classes || !s->errs)
        return err_set(err, ERR_IO, "out of memory for %lld images", (long long)s->rows);
    return 0;
}

/* Close the gaps that broken images leave. Returns how many images remain, or -1. */
static int64_t keep_good(struct imagefolder_slab *s, int64_t n, struct import_result *result,
                         struct err *err) {
    const size_t bytes = (size_t)shape_len(&s->sample);
    int64_t kept = 0;

    for (int64_t i = 0; i < n; i++) {
        if (s->errs[i].kind && (s->errs[i].kind != ERR_DATA || !s->options->skip_broken)) {
            *err = s->errs[i];
            return -1;
        }
        if (s->errs[i].kind) {
            if (result->n_skipped++ == 0)
                snprintf(result->first_skipped, sizeof result->first_skipped, "%.511s",
                         s->errs[i].msg);
            continue;
        }
        if (kept < i)
            memcpy(s->pixels + (size_t)kept * bytes, s->pixels + (size_t)i * bytes, bytes);
        s->classes[kept++] = s->image[i].class;
    }
    return kept;
}

static int import_split(struct imagefolder_slab *s, const struct scan_split *split,
                        struct team *team, struct dataset_writer *writer, int64_t total,
                        struct import_result *result, struct err *err) {
    int64_t written = 0;

    if (dataset_writer_split(writer, split->name, &s->sample, err))
        return -1;
    for (int64_t first = 0; first < split->n; first += s->rows) {
        const int64_t left = split->n - first, n = left < s->rows ? left : s->rows;
        int64_t kept;

        s->image = split->image + first;
        team_run(team, n, decode, s);
        kept = keep_good(s, n, result, err);
        if (kept < 0 || dataset_writer_append(writer, s->pixels, s->classes, kept, err))
            return -1;
        written += kept;
        result->n_images += kept;
        import_report(s->options, result->n_images + result->n_skipped, total);
    }
    result->n_splits++;
    if (written == 0)
        return err_set(err, ERR_DATA, "%s: none of its %lld images can be read", split->name,
                       (long long)split->n);
    return 0;
}

static int import_all(const struct scan *scan, struct imagefolder_slab *s, struct team *team,
                      struct dataset_writer *writer, struct import_result *result,
                      struct err *err) {
    if (choose_sample(s, &scan->split[0], err) || slab_alloc(s, err))
        return -1;
    for (int i = 0; i < scan->n_splits; i++)
        if (import_split(s, &scan->split[i], team, writer, scan->n_images, result, err))
            return -1;
    result->n_classes = scan->n_classes;
    return dataset_writer_finish(writer, (const char *const *)scan->class_name, scan->n_classes,
                                 err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct imagefolder_slab slab = {.options = options, .n_threads = options->threads};
    struct dataset_writer *writer = NULL;
    struct team *team = NULL;
    struct scan scan;
    int status = -1;

    if (scan_init(&scan, source, err))
        return -1;
    result->n_ignored = scan.n_ignored;
    if (!team_new(&team, options->threads, err) && !dataset_writer_new(&writer, target, err))
        status = import_all(&scan, &slab, team, writer, result, err);
    dataset_writer_free(writer);
    team_free(team);
    slab_release(&slab);
    scan_release(&scan);
    return status;
}

const struct importer import_imagefolder = {
    "imagefolder", "folders of JPEG and PNG files: SRC/CLASS/IMAGE or SRC/SPLIT/CLASS/IMAGE",
    IMPORT_SIZE | IMPORT_MODE | IMPORT_SKIP, run};
