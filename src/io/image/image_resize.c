/* Resizing bytes: rows first, then columns, with bytes between, in whole numbers of 32 bits. */
#include "io/image/image_part.h"

#include <stdlib.h>
#include <string.h>

/* Kernels read up to 16 bytes behind what they need, and write a little behind their outputs. */
enum { SPARE = 64, GRANULE = 1 << 16 };

void *image_shelf(struct image_room *room, enum image_shelf shelf, size_t bytes) {
    if (bytes > room->len[shelf]) {
        free(room->bytes[shelf]);
        room->len[shelf] = (bytes + GRANULE - 1) / GRANULE * GRANULE;
        room->bytes[shelf] = malloc(room->len[shelf]);
        if (!room->bytes[shelf])
            room->len[shelf] = 0;
    }
    return room->bytes[shelf];
}

void image_room_release(struct image_room *room) {
    for (int i = 0; i < IMAGE_ROOM_SHELVES; i++)
        free(room->bytes[i]);
    *room = (struct image_room){0};
}

/* Rows first .. end - 1 of the picture, resized, to wide[end - first], `stride` bytes apart. Rows
 * at the end of the part are read from copies[4]: kernels read a little behind their rows. */
static void resample_rows(const struct image_part *part, const struct image_taps *t, int n,
                          int first, int end, unsigned char *wide, size_t stride,
                          unsigned char *copies) {
    const struct image_kernels *kernels = image_kernels();
    const size_t row_bytes = (size_t)part->width * (size_t)part->channels;

    for (int y = first; y < end; y += 4) {
        const unsigned char *row[4];
        unsigned char *to[4];

        for (int k = 0; k < 4; k++) {
            const int at = y + k < end ? y + k : end - 1; /* the last may be done several times */
            const size_t below = (size_t)(part->top + part->height - 1 - at) * part->stride;
            unsigned char *copy = copies + (size_t)k * (row_bytes + SPARE);

            row[k] = part->pixels + (size_t)(at - part->top) * part->stride;
            if (below < SPARE)
                row[k] = memcpy(copy, row[k], row_bytes);
            to[k] = wide + (size_t)(at - first) * stride;
        }
        kernels->across(row, part->channels, t, n, to);
    }
}

static void resample_columns(const struct image_taps *t, int n, int first,
                             const unsigned char *wide, size_t stride, size_t row_len,
                             unsigned char *out) {
    const struct image_kernels *kernels = image_kernels();

    for (int i = 0; i < n; i++)
        kernels->down(wide + (size_t)(t->first[i] - first) * stride, stride,
                      t->weight + (size_t)i * (size_t)t->room, t->n[i], row_len,
                      out + (size_t)i * row_len);
}

int image_resample(const struct image_part *part, const struct image_axis *across,
                   const struct image_axis *down, struct image_room *room, unsigned char *out) {
    const size_t row_len = (size_t)across->n * (size_t)part->channels, stride = row_len + SPARE;
    const size_t copy_bytes = 4 * ((size_t)part->width * (size_t)part->channels + SPARE);
    struct image_taps columns, rows;
    int first, end;

    image_axis_reach(down, &first, &end);
    unsigned char *wide =
        image_shelf(room, SHELF_WIDE, (size_t)(end - first) * stride + copy_bytes);
    if (!wide || image_taps_init(&columns, across, SHELF_TAPS, room) ||
        image_taps_init(&rows, down, SHELF_TAPS_DOWN, room))
        return -1;
    for (int i = 0; i < across->n; i++)
        columns.first[i] -= part->left;
    resample_rows(part, &columns, across->n, first, end, wide, stride,
                  wide + (size_t)(end - first) * stride);
    resample_columns(&rows, down->n, first, wide, stride, row_len, out);
    return 0;
}

int image_resize(const struct image *image, int width, int height, enum image_fit fit,
                 unsigned char *out, struct err *err) {
    const struct image_part all = {.pixels = image->pixels,
                                   .stride = (size_t)image->width * (size_t)image->channels,
                                   .width = image->width,
                                   .height = image->height,
                                   .channels = image->channels};
    struct image_axis across = {
        .step = (double)image->width / width, .n = width, .len = image->width};
    struct image_axis down = {
        .step = (double)image->height / height, .n = height, .len = image->height};
    struct image_room room = {0};

    if (fit == IMAGE_CROP) {
        across.step = down.step = across.step < down.step ? across.step : down.step;
        across.begin = (image->width - width * across.step) / 2;
        down.begin = (image->height - height * down.step) / 2;
    }
    const int status = image_resample(&all, &across, &down, &room, out);
    image_room_release(&room);
    return status ? err_set(err, ERR_IO, "out of memory") : 0;
}

void image_resize_nearest(const struct image *image, int width, int height, enum image_fit fit,
                          unsigned char *out) {
    const size_t c = (size_t)image->channels;
    double step_x = (double)image->width / width, step_y = (double)image->height / height;

    if (fit == IMAGE_CROP)
        step_x = step_y = step_x < step_y ? step_x : step_y;
    const double left = (image->width - width * step_x) / 2;
    const double top = (image->height - height * step_y) / 2;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, out += c) {
            const int row = (int)(top + (y + 0.5) * step_y), at = (int)(left + (x + 0.5) * step_x);
            const size_t i = (size_t)(row < image->height ? row : image->height - 1),
                         j = (size_t)(at < image->width ? at : image->width - 1);

            memcpy(out, image->pixels + (i * (size_t)image->width + j) * c, c);
        }
}
