/* dltrain data crops: what is in boxes, cut out, as a dataset to learn classes and corrections of
 * boxes from: for R-CNN and classifiers of windows. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/data_regions.h"
#include "cmd/options.h"
#include "core/base/pool.h"
#include "core/base/rng.h"
#include "io/dataset/dataset_marks.h"
#include "io/dataset/dataset_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 5, DELTAS = 4, MOST_CLASSES = 100000 };
enum { IMAGE, LABEL, DELTA }; /* fields of crops */

struct crops_args {
    int64_t size, near, background, seed;
    double context;
};

static int read_context(void *to, const char *text, struct err *err) {
    char *end;
    const double v = strtod(text, &end);

    if (end == text || *end || !(v >= 0 && v <= 2))
        return err_set(err, ERR_USAGE,
                       "--context: found '%s', expected a share of the sides of a box, from 0 to 2",
                       text);
    ((struct crops_args *)to)->context = v;
    return 0;
}

static const struct option_spec specs[] = {
    {"size", OPTION_WHOLE, .offset = offsetof(struct crops_args, size), .min = 4, .max = 1024},
    {"near", OPTION_WHOLE, .offset = offsetof(struct crops_args, near), .min = 0, .max = 1000},
    {"background", OPTION_WHOLE, .offset = offsetof(struct crops_args, background), .min = 0,
     .max = 1000},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct crops_args, seed), .min = 0, .max = INT64_MAX},
    {"context", OPTION_READ, .read = read_context},
    {0},
};

struct cropping {
    struct crops_args args;
    struct dataset_writer *writer;
    struct pool pool;
    const char **class_name; /* [n_classes], the first that of what is in no box */
    int n_classes;
    struct region_split split;
    int64_t at; /* sample */
    struct image image;
    float *boxes, *proposals;
    int64_t *free_rows,
        *near_rows;                /* [n_proposals] of this picture: far from every box, near one */
    unsigned char *pixels;         /* of a crop */
    int64_t n_crops, n_background; /* of the split */
};

static double iou(const float *a, const float *b) {
    const double w = fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]);
    const double h = fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]);
    const double shared = w > 0 && h > 0 ? w * h : 0;
    const double all = ((double)a[2] - (double)a[0]) * ((double)a[3] - (double)a[1]) +
                       ((double)b[2] - (double)b[0]) * ((double)b[3] - (double)b[1]) - shared;

    return all > 0 ? shared / all : 0;
}

static bool is_box(const float *row) {
    return row[4] >= 0 && row[2] > row[0] && row[3] > row[1] && isfinite(row[0] + row[1]) &&
           isfinite(row[2] + row[3]);
}

/* What leads from a region to its box: of the centre in sides of the region, of the sides their
 * logarithm. Source: Girshick et al. 2014, arXiv:1311.2524, appendix C. */
static void deltas_of(const float *region, const float *box, float out[DELTAS]) {
    for (int i = 0; i < 2; i++) {
        const double side = (double)region[2 + i] - (double)region[i];
        const double wanted = (double)box[2 + i] - (double)box[i];
        out[i] = (float)(((double)box[i] + wanted / 2 - (double)region[i] - side / 2) / side);
        out[2 + i] = (float)log(wanted / side);
    }
}

/* The pixels within the region and `context` of its sides around it; beyond the picture those of
 * its edge. */
static int cut(struct cropping *c, const float *region, struct err *err) {
    const double wide = c->args.context * ((double)region[2] - (double)region[0]);
    const double high = c->args.context * ((double)region[3] - (double)region[1]);
    const double limit = 1 << 15;
    const int64_t left = (int64_t)floor(fmax(-limit, (double)region[0] - wide));
    const int64_t top = (int64_t)floor(fmax(-limit, (double)region[1] - high));
    const int64_t right = (int64_t)ceil(fmin(limit, (double)region[2] + wide));
    const int64_t bottom = (int64_t)ceil(fmin(limit, (double)region[3] + high));
    const struct image *from = &c->image;
    const int64_t channels = from->channels;
    struct image piece = {.width = right > left ? (int)(right - left) : 1,
                          .height = bottom > top ? (int)(bottom - top) : 1,
                          .channels = from->channels};

    piece.pixels = malloc((size_t)(piece.width * (int64_t)piece.height * channels));
    if (!piece.pixels)
        return err_set(err, ERR_IO, "no memory for a crop");
    for (int64_t y = 0; y < piece.height; y++)
        for (int64_t x = 0; x < piece.width; x++) {
            int64_t u = left + x, v = top + y;
            u = u < 0 ? 0 : u < from->width ? u : from->width - 1;
            v = v < 0 ? 0 : v < from->height ? v : from->height - 1;
            memcpy(piece.pixels + (y * piece.width + x) * channels,
                   from->pixels + (v * from->width + u) * channels, (size_t)channels);
        }
    const int rc =
        image_resize(&piece, (int)c->args.size, (int)c->args.size, IMAGE_STRETCH, c->pixels, err);
    image_release(&piece);
    return rc;
}

/* box: what is in the region; NULL: nothing. */
static int add(struct cropping *c, const float *region, const float *box, struct err *err) {
    const int32_t label = box ? 1 + (int32_t)box[4] : 0;
    float deltas[DELTAS] = {0};

    if (box)
        deltas_of(region, box, deltas);
    if (cut(c, region, err) || dataset_writer_add(c->writer, IMAGE, c->pixels, 1, err) ||
        dataset_writer_add(c->writer, LABEL, &label, 1, err) ||
        dataset_writer_add(c->writer, DELTA, deltas, 1, err))
        return -1;
    c->n_crops++;
    c->n_background += !box;
    return 0;
}

/* Up to `most` of rows[n], drawn. */
static int add_some(struct cropping *c, int64_t *rows, int64_t n, int64_t most, const float *box,
                    uint64_t key, struct err *err) {
    for (int64_t i = 0; i < n && i < most; i++) {
        const int64_t other = i + (int64_t)rng_below(key, (uint64_t)i, (uint64_t)(n - i));
        const int64_t row = rows[other];
        rows[other] = rows[i];
        rows[i] = row;
        if (add(c, c->proposals + row * NUMBERS, box, err))
            return -1;
    }
    return 0;
}

/* The box that a region meets best, and how well. */
static const float *best_box(const struct cropping *c, const float *region, double *best) {
    const float *found = NULL;

    *best = 0;
    for (int64_t m = 0; m < c->split.n_boxes; m++) {
        const float *box = c->boxes + m * NUMBERS;
        const double met = is_box(box) ? iou(region, box) : 0;
        if (met > *best) {
            *best = met;
            found = box;
        }
    }
    return found;
}

static int crop_picture(struct cropping *c, struct err *err) {
    const struct region_split *s = &c->split;
    const uint64_t seed = (uint64_t)c->args.seed, sample = (uint64_t)c->at;
    int64_t n_free = 0, n_boxes = 0;

    for (int64_t k = 0; k < s->n_proposals; k++) {
        double best;
        const float *region = c->proposals + k * NUMBERS;
        if (is_box(region) && (!best_box(c, region, &best) || best < 0.3))
            c->free_rows[n_free++] = k;
    }
    for (int64_t m = 0; m < s->n_boxes; m++) {
        const float *box = c->boxes + m * NUMBERS;
        int64_t n_near = 0;
        double best;
        if (!is_box(box))
            continue;
        n_boxes++;
        for (int64_t k = 0; k < s->n_proposals; k++) {
            const float *region = c->proposals + k * NUMBERS;
            if (is_box(region) && best_box(c, region, &best) == box && best >= 0.5)
                c->near_rows[n_near++] = k;
        }
        if (add(c, box, box, err) ||
            add_some(c, c->near_rows, n_near, c->args.near, box,
                     rng_key(seed, RNG_REGIONS, sample, 2 + (uint64_t)m), err))
            return -1;
    }
    return add_some(c, c->free_rows, n_free, c->args.background * n_boxes, NULL,
                    rng_key(seed, RNG_REGIONS, sample, 1), err);
}

static int crop_pictures(struct cropping *c, const char *group, struct err *err) {
    const int64_t n = dataset_len(c->split.dataset);

    c->n_crops = c->n_background = 0;
    for (c->at = 0; c->at < n; c->at++) {
        const int rc =
            region_split_read(&c->split, c->at, 1, &c->image, c->boxes, c->proposals, err) ||
                    crop_picture(c, err)
                ? -1
                : 0;
        image_release(&c->image);
        if (rc)
            return -1;
        data_show_progress(NULL, c->at + 1, n);
    }
    if (!c->n_crops)
        return err_set(err, ERR_DATA, "%s: has no box in any picture",
                       dataset_name(c->split.dataset));
    printf("%s: %lld crops from %lld pictures, %lld of them background\n", group,
           (long long)c->n_crops, (long long)n, (long long)c->n_background);
    return 0;
}

static int crop_split(struct cropping *c, const char *group, struct err *err) {
    const struct region_split *s = &c->split;
    const int64_t channels = dataset_field(s->dataset, s->image)->sample.dim[2];
    const struct writer_field fields[] = {
        {.name = "images",
         .kind = DATASET_BYTES,
         .sample = {3, {c->args.size, c->args.size, channels}}},
        {.name = "labels", .kind = DATASET_CLASS},
        {.name = "deltas", .kind = DATASET_REALS, .sample = {1, {DELTAS}}, .says = "real"}};
    const size_t numbers = NUMBERS * sizeof(float);

    c->boxes = malloc((size_t)s->n_boxes * numbers + 1);
    c->proposals = malloc((size_t)s->n_proposals * numbers + 1);
    c->free_rows = malloc((size_t)s->n_proposals * sizeof *c->free_rows + 1);
    c->near_rows = malloc((size_t)s->n_proposals * sizeof *c->near_rows + 1);
    c->pixels = malloc((size_t)(c->args.size * c->args.size * channels));
    int rc = c->boxes && c->proposals && c->free_rows && c->near_rows && c->pixels
                 ? dataset_writer_fields(c->writer, group, fields, 3, err)
                 : err_set(err, ERR_IO, "no memory for crops");
    if (!rc)
        rc = crop_pictures(c, group, err);
    free(c->boxes);
    free(c->proposals);
    free(c->free_rows);
    free(c->near_rows);
    free(c->pixels);
    return rc;
}

/* Classes of boxes, by name or by the largest number that occurs. */
static int find_classes(struct cropping *c, struct err *err) {
    struct dataset *ds = c->split.dataset;
    const int64_t n = c->split.n_boxes * NUMBERS;
    int classes = dataset_field_classes(ds, c->split.boxes);
    float *row = malloc((size_t)n * sizeof *row + 1);
    int rc = row ? 0 : err_set(err, ERR_IO, "no memory for boxes");

    for (int64_t i = 0; i < dataset_len(ds) && !rc; i++) {
        rc = dataset_read(ds, c->split.boxes, &i, 1, row, err);
        for (int64_t k = 4; k < n && !rc; k += NUMBERS)
            if (!(row[k] < MOST_CLASSES))
                rc = err_set(err, ERR_DATA,
                             "%s: sample %lld has a box of class %g, expected less "
                             "than %d",
                             dataset_name(ds), (long long)i, (double)row[k], MOST_CLASSES);
            else if ((int)row[k] >= classes)
                classes = (int)row[k] + 1;
    }
    free(row);
    while (!rc && c->n_classes < 1 + classes) {
        char number[MARK_NUMBER];
        const char *name =
            c->n_classes ? dataset_mark_name(ds, c->n_classes - 1, number) : "background";
        c->class_name = pool_grow(&c->pool, c->class_name, c->n_classes, sizeof *c->class_name);
        c->class_name[c->n_classes++] = pool_copy(&c->pool, name, strlen(name));
    }
    return rc;
}

/* Twice through the groups: what is wrong is said before anything is written. */
static int each_group(struct cropping *c, const char *path, const struct h5_list *list, bool look,
                      struct err *err) {
    int rc = 0;

    for (int i = 0; i < list->n && !rc; i++) {
        if (!list->entry[i].group)
            continue;
        rc = region_split_open(&c->split, path, list->entry[i].name, err);
        if (!rc && c->split.boxes < 0)
            rc = err_set(err, ERR_DATA, "%s: has no boxes, expected a field boxes [max, 5]",
                         dataset_name(c->split.dataset));
        if (!rc && c->split.proposals < 0 && (c->args.background || c->args.near))
            rc = err_set(err, ERR_DATA,
                         "%s: has no proposals, which dltrain data proposals adds; or expected "
                         "--near 0 --background 0, the boxes alone",
                         dataset_name(c->split.dataset));
        if (!rc)
            rc = look ? find_classes(c, err) : crop_split(c, list->entry[i].name, err);
        region_split_release(&c->split);
    }
    return rc;
}

int data_crops(int argc, char **argv, struct err *err) {
    struct cropping c = {.args = {.size = 64, .near = 4, .background = 3, .seed = 1}};
    const int first = options_read(&c.args, specs, "data", argc, argv, err);
    struct h5_list list = {0};
    struct h5 *file = NULL;

    if (first < 0)
        return -1;
    if (argc - first != 2)
        return err_set(err, ERR_USAGE,
                       "data: crops takes FILE.h5 and the file to write; see dltrain help data");
    const char *from = argv[first], *to = argv[first + 1];
    if (!strcmp(from, to))
        return err_set(err, ERR_USAGE, "%s: expected another name for the crops of it", to);
    int rc = h5_open(&file, from, err) || region_splits(file, &list, err) ||
                     each_group(&c, from, &list, true, err) ||
                     dataset_writer_new(&c.writer, to, err) ||
                     each_group(&c, from, &list, false, err) ||
                     dataset_writer_finish(c.writer, c.class_name, c.n_classes, err)
                 ? -1
                 : 0;
    dataset_writer_free(c.writer);
    h5_list_release(&list);
    h5_close(file);
    pool_release(&c.pool);
    return rc;
}
