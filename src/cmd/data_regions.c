/* data_regions.c - pictures and boxes of a file's splits. */
#include "cmd/data_regions.h"
#include "cmd/data.h"
#include "io/dataset/dataset_marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC = 4096 + 256 };

static bool is_picture(const struct dataset_field *f) {
    const int64_t c = f->sample.rank == 3 ? f->sample.dim[2] : 0;

    return !f->unpaired && (c == 1 || c == 3) &&
           (f->kind == DATASET_ENCODED || (f->kind == DATASET_BYTES && f->image));
}

int region_split_open(struct region_split *s, const char *path, const char *group,
                      struct err *err) {
    char spec[SPEC];

    *s = (struct region_split){.image = -1, .proposals = -1};
    snprintf(spec, sizeof spec, "%s:%s", path, group);
    if (dataset_open(&s->dataset, spec, 0, err))
        return -1;
    for (int i = dataset_n_fields(s->dataset) - 1; i >= 0; i--)
        if (is_picture(dataset_field(s->dataset, i)))
            s->image = i;
    if (s->image < 0)
        return err_set(err, ERR_DATA, "%s: has no pictures, expected images of 1 or 3 channels",
                       spec);
    s->boxes = dataset_find_boxes(s->dataset);
    s->proposals = dataset_find_field(s->dataset, "proposals");
    if (s->boxes >= 0)
        s->n_boxes = dataset_field(s->dataset, s->boxes)->sample.dim[0];
    if (s->proposals >= 0)
        s->n_proposals = dataset_field(s->dataset, s->proposals)->sample.dim[0];
    return 0;
}

void region_split_release(struct region_split *s) {
    dataset_close(s->dataset);
    *s = (struct region_split){0};
}

/* Pictures of one size. */
static int read_bytes(struct region_split *s, const int64_t *row, int64_t n, struct image *image,
                      struct err *err) {
    const struct shape *shape = &dataset_field(s->dataset, s->image)->sample;
    const size_t len = (size_t)shape_len(shape);

    for (int64_t i = 0; i < n; i++) {
        image[i] = (struct image){.height = (int)shape->dim[0],
                                  .width = (int)shape->dim[1],
                                  .channels = (int)shape->dim[2],
                                  .pixels = malloc(len)};
        if (!image[i].pixels)
            return err_set(err, ERR_IO, "%s: no memory for a picture", dataset_name(s->dataset));
        if (dataset_read(s->dataset, s->image, &row[i], 1, image[i].pixels, err))
            return -1;
    }
    return 0;
}

static int read_encoded(struct region_split *s, const int64_t *row, int64_t n, struct image *image,
                        struct err *err) {
    const enum image_mode mode =
        dataset_field(s->dataset, s->image)->sample.dim[2] == 1 ? IMAGE_GREY : IMAGE_COLOUR;
    struct dataset_buffer buffer = {0};
    int rc = 0;

    for (int64_t i = 0; i < n && !rc; i++) {
        struct dataset_blob blob;
        char name[DATASET_ROW_TEXT];
        rc = dataset_read_encoded(s->dataset, s->image, &row[i], 1, &blob, &buffer, err);
        if (!rc)
            rc = image_decode(blob.bytes, blob.len,
                              dataset_row_text(s->dataset, s->image, row[i], name), mode, &image[i],
                              err);
    }
    dataset_buffer_release(&buffer);
    return rc;
}

int region_split_read(struct region_split *s, int64_t first, int64_t n, struct image *image,
                      float *boxes, float *proposals, struct err *err) {
    int64_t *row = malloc((size_t)n * sizeof *row);
    int rc = row ? 0 : err_set(err, ERR_IO, "no memory for %lld pictures", (long long)n);

    for (int64_t i = 0; i < n && !rc; i++) {
        row[i] = first + i;
        image[i] = (struct image){0};
    }
    if (!rc)
        rc = dataset_field(s->dataset, s->image)->kind == DATASET_ENCODED
                 ? read_encoded(s, row, n, image, err)
                 : read_bytes(s, row, n, image, err);
    if (!rc && boxes && s->boxes >= 0)
        rc = dataset_read(s->dataset, s->boxes, row, n, boxes, err);
    if (!rc && proposals && s->proposals >= 0)
        rc = dataset_read(s->dataset, s->proposals, row, n, proposals, err);
    free(row);
    return rc;
}

int region_splits(struct h5 *file, struct h5_list *list, struct err *err) {
    int n = 0;

    if (h5_list(file, "/", list, err))
        return -1;
    for (int i = 0; i < list->n; i++)
        n += list->entry[i].group;
    if (n)
        return 0;
    h5_list_release(list);
    return err_set(err, ERR_DATA,
                   "%s: has no groups, expected a dataset whose splits are groups, as dltrain "
                   "data import and data split write them",
                   h5_name(file));
}
