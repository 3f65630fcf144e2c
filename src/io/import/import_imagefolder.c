/* Folders of images, one folder for each class. Images are decoded by several threads,
 * a slab at a time, and written in between. */
#include "core/base/parallel.h"
#include "io/dataset/dataset_writer.h"
#include "io/import/encoded_folder.h"
#include "io/import/import.h"
#include "io/import/import_counts.h"
#include "io/import/import_scan.h"
#include "io/import/import_seen.h"
#include "io/import/import_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SLAB_BYTES = 16 << 20, SLAB_IMAGES = 1024 };

struct imagefolder_slab {
    const struct import_options *options;
    const struct scan_image *image; /* [n], of the split */
    int n_threads;
    enum image_mode mode;
    struct shape sample;   /* of the size of the first image, or as the options say */
    const char *model;     /* the image that decided, for messages */
    unsigned char *pixels; /* [SLAB_IMAGES or less, h, w, c] */
    int32_t *classes;
    struct err *errs;         /* [rows]; kind 0: fine */
    struct import_seen *seen; /* [rows] */
    struct import_facts facts;
    int64_t rows;
    int64_t *written;        /* [n_splits, n_classes] samples */
    int64_t *tally;          /* of the split being written: its part of them */
    const char **split_name; /* [n_splits] */
};

static void slab_release(struct imagefolder_slab *s) {
    free(s->pixels);
    free(s->classes);
    free(s->errs);
    free(s->seen);
    free(s->written);
    free(s->split_name);
}

static int read_image(const struct imagefolder_slab *s, const struct scan_image *from,
                      struct image *out, struct import_seen *seen, struct err *err) {
    if (from->dangling)
        return err_set(err, ERR_DATA, "%s: is a link to what is not there", from->path);
    return import_read(from->path, s->mode, s->options, out, seen, err);
}

/* Bring one image to the sample shape. Returns -1 with ERR_USAGE where the options do not say
 * how: that is the user's choice to make, not a broken image to skip. */
static int fit(const struct imagefolder_slab *s, const char *path, const struct image *image,
               unsigned char *out, struct err *err) {
    const int height = (int)s->sample.dim[0], width = (int)s->sample.dim[1];

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

        if (!read_image(s, &s->image[i], &image, &s->seen[i], &err))
            fit(s, path, &image, s->pixels + (size_t)i * bytes, &err);
        image_release(&image);
        s->errs[i] = err;
    }
}

/* Grey or colour, as the options say or the most are. */
static int choose_mode(struct imagefolder_slab *s, const struct scan *scan, struct team *team,
                       struct import_result *result, struct err *err) {
    const char **path = malloc((size_t)(scan->n_images + 1) * sizeof *path);
    struct import_votes votes = {0};
    int64_t n = 0;
    int status = 0;

    s->mode = s->options->mode;
    if (!path)
        return err_set(err, ERR_IO, "out of memory for %lld images", (long long)scan->n_images);
    for (int i = 0; i < scan->n_splits; i++)
        for (int64_t k = 0; k < scan->split[i].n; k++)
            path[n++] = scan->split[i].image[k].path;
    if (s->mode == IMAGE_AS_STORED) {
        status = import_votes_add(&votes, path, n, team, err);
        s->mode = import_votes_mode(&votes, NULL, result);
    }
    free(path);
    return status;
}

/* The first image that can be read decides the size. */
static int choose_sample(struct imagefolder_slab *s, const struct scan_split *split,
                         struct err *err) {
    const struct import_options *o = s->options;

    for (int64_t i = 0; i < split->n; i++) {
        struct image image = {0};
        struct import_seen seen;
        struct err broken = {0};

        if (read_image(s, &split->image[i], &image, &seen, &broken)) {
            if (o->skip_broken && broken.kind == ERR_DATA)
                continue;
            *err = broken;
            return -1;
        }
        s->sample = (struct shape){3,
                                   {o->height ? o->height : image.height,
                                    o->width ? o->width : image.width, image.channels}};
        image_release(&image);
        s->model = split->image[i].path;
        return 0;
    }
    return err_set(err, ERR_DATA, "%s: none of its %lld images can be read", split->name,
                   (long long)split->n);
}

static int slab_alloc(struct imagefolder_slab *s, const struct scan *scan, struct err *err) {
    const int64_t bytes = shape_len(&s->sample), fit_in = SLAB_BYTES / bytes;

    s->rows = fit_in < 1 ? 1 : fit_in > SLAB_IMAGES ? SLAB_IMAGES : fit_in;
    s->rows = s->rows < s->n_threads ? s->n_threads : s->rows;
    s->pixels = malloc((size_t)(s->rows * bytes));
    s->classes = malloc((size_t)s->rows * sizeof *s->classes);
    s->errs = malloc((size_t)s->rows * sizeof *s->errs);
    s->seen = calloc((size_t)s->rows, sizeof *s->seen);
    s->written = calloc((size_t)scan->n_splits * (size_t)scan->n_classes, sizeof *s->written);
    s->split_name = calloc((size_t)scan->n_splits, sizeof *s->split_name);
    if (!s->pixels || !s->classes || !s->errs || !s->seen || !s->written || !s->split_name)
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
        import_facts_add(&s->facts, &s->seen[i], s->image[i].path);
        s->tally[s->image[i].class]++;
        s->classes[kept++] = s->image[i].class;
    }
    return kept;
}

static int import_group(struct imagefolder_slab *s, const struct scan_split *split,
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

/* image, mask, train2017 ...: folders of other sets than those of classes. */
static bool is_no_class(const char *name) {
    static const char *const others[] = {"image",       "images", "img",   "imgs",
                                         "JPEGImages",  "mask",   "masks", "annotation",
                                         "annotations", "gt"};
    const size_t len = strcspn(name, "0123456789_-");
    char word[16] = "";

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcasecmp(name, others[i]))
            return true;
    if (len < sizeof word && !name[len + strspn(name + len, "0123456789_-")])
        memcpy(word, name, len);
    return split_group(word) != NULL;
}

static void note_no_classes(const struct scan *scan, struct import_result *result) {
    struct import_names names = {0};

    for (int k = 0; k < scan->n_classes; k++)
        if (is_no_class(scan->class_name[k]))
            import_names_add(&names, scan->class_name[k]);
    if (names.n)
        import_note(result,
                    "read as classes, though called like splits or like images and masks (which "
                    "the importer segmentation reads): %s",
                    names.text);
}

static void note_counts(const struct imagefolder_slab *s, const struct scan *scan,
                        struct import_result *result) {
    import_counts_note(&(struct import_counts){scan->n_splits, scan->n_classes, s->split_name,
                                               scan->class_name, s->written},
                       result);
}

static int import_all(const struct scan *scan, struct imagefolder_slab *s, struct team *team,
                      struct dataset_writer *writer, struct import_result *result,
                      struct err *err) {
    if (choose_mode(s, scan, team, result, err) || choose_sample(s, &scan->split[0], err) ||
        slab_alloc(s, scan, err))
        return -1;
    for (int i = 0; i < scan->n_splits; i++) {
        s->split_name[i] = scan->split[i].name;
        s->tally = s->written + (int64_t)i * scan->n_classes;
        if (import_group(s, &scan->split[i], team, writer, scan->n_images, result, err))
            return -1;
    }
    note_counts(s, scan, result);
    note_no_classes(scan, result);
    import_facts_note(&s->facts, s->options, result);
    result->n_classes = scan->n_classes;
    return dataset_writer_finish(writer, scan->class_name, scan->n_classes, err);
}

/* Scanned, held out and mixed. */
static int import_decoded(const struct scan *scan, const char *target,
                          const struct import_options *options, struct import_result *result,
                          struct err *err) {
    struct imagefolder_slab slab = {.options = options, .n_threads = options->threads};
    struct dataset_writer *writer = NULL;
    struct team *team = NULL;
    int status = -1;

    if (!team_new(&team, options->threads, err) && !dataset_writer_new(&writer, target, err))
        status = import_all(scan, &slab, team, writer, result, err);
    dataset_writer_free(writer);
    team_free(team);
    slab_release(&slab);
    return status;
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct scan scan;
    int status = -1;

    if (scan_init(&scan, source, result, err))
        return -1;
    result->n_ignored = scan.n_ignored;
    if (!scan_hold_out(&scan, &options->split, err)) {
        scan_mix(&scan);
        status = options->encoded ? encoded_folder(&scan, target, options, result, err)
                                  : import_decoded(&scan, target, options, result, err);
        if (!status && options->encoded)
            note_no_classes(&scan, result);
    }
    scan_release(&scan);
    return status;
}

const struct importer import_imagefolder = {
    "imagefolder", "folders of images: SRC/CLASS/IMAGE or SRC/SPLIT/CLASS/IMAGE",
    IMPORT_SIZE | IMPORT_MODE | IMPORT_SKIP | IMPORT_SPLIT | IMPORT_ENCODED, run};
