/* The contact sheet of `dltrain data stats`. */
#include "cmd/data.h"
#include "cmd/data_encoded.h"
#include "io/dataset/dataset_marks.h"
#include "io/image/grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 50, MOST_TILES = 4, ENCODED_SIDE = 128 };

/* What is drawn: tiles[n_tiles] of fields, of the samples row[n]. */
struct sheet {
    struct grid_tile tile[MOST_TILES];
    int field[MOST_TILES];
    int n_tiles;
    int64_t *row;
    int64_t n, columns;
    int n_classes;      /* with rows of their own; 0: samples as they come */
    struct marks boxes; /* on the first image, where there are some */
};

/* Is it drawn by its middle slice? */
static bool is_volume(const struct dataset_field *f) {
    return f->kind == DATASET_CLASS ? f->sample.rank == 3
                                    : f->kind != DATASET_ENCODED && f->sample.rank == 4;
}

/* Images of 1 or 3 channels, volumes of so many, and class maps, of the samples themselves. */
static bool is_tile(const struct dataset_field *f, struct grid_tile *tile) {
    const int64_t *dim = f->sample.dim;

    *tile = (struct grid_tile){.h = dim[0], .w = dim[1]};
    if (f->unpaired)
        return false;
    if (f->kind == DATASET_ENCODED)
        *tile = (struct grid_tile){.h = ENCODED_SIDE, .w = ENCODED_SIDE};
    if (is_volume(f)) {
        *tile = (struct grid_tile){
            .h = dim[1], .w = dim[2], .c = f->kind == DATASET_CLASS ? 0 : dim[3]};
        return tile->c < 2 || tile->c == 3;
    }
    if (f->kind == DATASET_CLASS)
        return f->sample.rank == 2;
    tile->c = f->sample.rank == 3 ? dim[2] : 0;
    return f->image && (tile->c == 1 || tile->c == 3);
}

static void find_tiles(const struct dataset *ds, struct sheet *s) {
    for (int i = 0; i < dataset_n_fields(ds) && s->n_tiles < MOST_TILES; i++)
        if (is_tile(dataset_field(ds, i), &s->tile[s->n_tiles]))
            s->field[s->n_tiles++] = i;
}

/* The first samples of each class, class after class; a class with fewer repeats its last. */
static void choose_by_class(const struct dataset *ds, int label, int64_t each, struct sheet *s) {
    const int32_t *labels = dataset_labels(ds, label);
    const int64_t *count = dataset_class_counts(ds, label);

    for (int k = 0; k < dataset_field_classes(ds, label) && s->n_classes < MOST_ROWS; k++) {
        int64_t found = 0;

        if (!count[k])
            continue;
        for (int64_t i = 0; i < dataset_len(ds) && found < each; i++)
            if (labels[i] == k)
                s->row[s->n + found++] = i;
        for (; found < each; found++)
            s->row[s->n + found] = s->row[s->n + found - 1];
        s->n += each;
        s->n_classes++;
    }
    s->columns = each;
}

static int choose(const struct dataset *ds, int64_t each, struct sheet *s, struct err *err) {
    const int label = dataset_find_field(ds, "label");
    const int64_t all = dataset_len(ds);

    s->row = calloc((size_t)(MOST_ROWS * each), sizeof *s->row);
    if (!s->row)
        return err_set(err, ERR_IO, "%s: no memory for a sheet", dataset_name(ds));
    if (label >= 0 && dataset_labels(ds, label)) {
        choose_by_class(ds, label, each, s);
        return 0;
    }
    s->n = each * each < all ? each * each : all;
    s->n = s->n < MOST_ROWS * each ? s->n : MOST_ROWS * each;
    for (int64_t i = 0; i < s->n; i++)
        s->row[i] = i;
    s->columns = each;
    return 0;
}

/* The middle slices of volumes, as they are stored. */
static int read_middle(struct dataset *ds, const struct sheet *s, int k, void *out,
                       struct err *err) {
    const struct dataset_field *f = dataset_field(ds, s->field[k]);
    const size_t size = f->kind == DATASET_BYTES ? 1 : sizeof(float);
    const size_t slice = (size_t)grid_tile_len(&s->tile[k]) * size;
    char *volume = malloc((size_t)shape_len(&f->sample) * size);
    int status = volume ? 0 : err_set(err, ERR_IO, "%s: no memory for a volume", dataset_name(ds));

    for (int64_t i = 0; !status && i < s->n; i++) {
        status = dataset_read(ds, s->field[k], &s->row[i], 1, volume, err);
        memcpy((char *)out + (size_t)i * slice, volume + (size_t)(f->sample.dim[0] / 2) * slice,
               slice);
    }
    free(volume);
    return status;
}

/* Values of a tile, as floats. */
static int read_tile(struct dataset *ds, const struct sheet *s, int k, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, s->field[k]);
    const int64_t len = s->n * grid_tile_len(&s->tile[k]);
    float *values = s->tile[k].values;
    const unsigned char *bytes = (const unsigned char *)values;
    const int32_t *classes = (const int32_t *)(const void *)values;

    if (is_volume(f)                 ? read_middle(ds, s, k, values, err)
        : f->kind == DATASET_ENCODED ? data_encoded_tile(ds, s->field[k], s->row, s->n,
                                                         ENCODED_SIDE, (unsigned char *)values, err)
                                     : dataset_read(ds, s->field[k], s->row, s->n, values, err))
        return -1;
    for (int64_t i = len - 1; i >= 0; i--) /* they take less room than floats: from the end */
        if (f->kind == DATASET_BYTES || f->kind == DATASET_ENCODED)
            values[i] = (float)bytes[i];
        else if (f->kind == DATASET_CLASS)
            values[i] = (float)classes[i];
    return 0;
}

static int read_tiles(struct dataset *ds, struct sheet *s, struct err *err) {
    for (int k = 0; k < s->n_tiles; k++) {
        struct grid_tile *tile = &s->tile[k];

        tile->values = malloc((size_t)(s->n * grid_tile_len(tile)) * sizeof *tile->values);
        if (!tile->values)
            return err_set(err, ERR_IO, "%s: no memory for %" PRId64 " samples", dataset_name(ds),
                           s->n);
        if (read_tile(ds, s, k, err))
            return -1;
        tile->low = 0, tile->high = 255;
        if (dataset_field(ds, s->field[k])->kind == DATASET_REALS)
            grid_find_range(tile, s->n);
    }
    return 0;
}

/* Boxes on the first image of the samples' own pixels; encoded pictures are cut and brought to one
 * size, of which boxes know nothing. */
static int read_boxes(struct dataset *ds, struct sheet *s, struct err *err) {
    const int field = dataset_find_boxes(ds);

    for (int k = 0; field >= 0 && k < s->n_tiles; k++) {
        struct grid_tile *tile = &s->tile[k];
        const struct dataset_field *image = dataset_field(ds, s->field[k]);
        if (!image->image || image->kind == DATASET_ENCODED || is_volume(image))
            continue;
        const int64_t count = dataset_field(ds, field)->sample.dim[0];
        float *rows = malloc((size_t)(s->n * count) * MARK_TRUTH * sizeof *rows);
        s->boxes = (struct marks){.kind = MARK_TRUTH,
                                  .rows = rows,
                                  .count = count,
                                  .picture_h = tile->h,
                                  .picture_w = tile->w,
                                  .name = dataset_mark_name,
                                  .context = ds};
        if (!rows)
            return err_set(err, ERR_IO, "%s: no memory for boxes", dataset_name(ds));
        tile->marks = &s->boxes;
        tile->n_marks = 1;
        return dataset_read(ds, field, s->row, s->n, rows, err);
    }
    return 0;
}

int data_sheet(struct dataset *ds, const char *file, int64_t each, struct err *err) {
    struct sheet s = {0};
    int rc;

    find_tiles(ds, &s);
    if (!s.n_tiles)
        return err_set(err, ERR_DATA,
                       "%s: has no images or volumes of 1 or 3 channels and no masks to be drawn",
                       dataset_name(ds));
    rc = choose(ds, each, &s, err) || read_tiles(ds, &s, err) || read_boxes(ds, &s, err) ||
                 grid_write(file, s.tile, s.n_tiles, s.n, s.columns, err)
             ? -1
             : 0;
    if (!rc && s.n_classes)
        printf("%s: a row for each of %d classes, of %" PRId64 " samples\n", file, s.n_classes,
               each);
    else if (!rc)
        printf("%s: the first %" PRId64 " samples\n", file, s.n);
    for (int k = 0; k < s.n_tiles; k++)
        free(s.tile[k].values);
    free((float *)(uintptr_t)s.boxes.rows);
    free(s.row);
    return rc;
}
