/* Resizing bytes: rows first, then columns, with bytes between, in whole numbers of 32 bits. */
#include "io/image/image_resample.h"

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

int image_resample_init(struct image_resample *r, const struct image_axis *across,
                        const struct image_axis *down, int channels, struct image_room *room) {
    image_axis_reach(across, &r->left, &r->right);
    image_axis_reach(down, &r->top, &r->bottom);
    r->channels = channels;
    r->width = across->n;
    r->height = down->n;
    r->stride = (size_t)r->width * (size_t)channels + SPARE;
    const size_t wide_bytes = (size_t)(r->bottom - r->top) * r->stride;
    const size_t row_bytes = (size_t)(r->right - r->left) * (size_t)channels;

    r->wide = image_shelf(room, SHELF_WIDE, wide_bytes + 4 * (row_bytes + SPARE));
    if (!r->wide || image_taps_init(&r->across, across, SHELF_TAPS, room) ||
        image_taps_init(&r->down, down, SHELF_TAPS_DOWN, room))
        return -1;
    r->copies = r->wide + wide_bytes;
    for (int i = 0; i < r->width; i++)
        r->across.first[i] -= r->left;
    for (int i = 0; i < r->height; i++)
        r->down.first[i] -= r->top;
    return 0;
}

/* With zeros behind it. */
static const unsigned char *copied(const unsigned char *row, size_t bytes, unsigned char *copy) {
    memcpy(copy, row, bytes);
    memset(copy + bytes, 0, SPARE);
    return copy;
}

void image_resample_rows(struct image_resample *r, const unsigned char *pixels, size_t stride,
                         int first, int n) {
    const struct image_kernels *kernels = image_kernels();
    const size_t row_bytes = (size_t)(r->right - r->left) * (size_t)r->channels;

    for (int y = 0; y < n; y += 4) {
        const unsigned char *row[4];
        unsigned char *to[4];

        for (int k = 0; k < 4; k++) {
            const int at = y + k < n ? y + k : n - 1; /* the last may be done several times */

            row[k] = pixels + (size_t)at * stride;
            if ((size_t)(n - 1 - at) * stride < SPARE) /* they read a little behind their rows */
                row[k] = copied(row[k], row_bytes, r->copies + (size_t)k * (row_bytes + SPARE));
            to[k] = r->wide + (size_t)(first + at - r->top) * r->stride;
        }
        kernels->across(row, r->channels, &r->across, r->width, to);
    }
}

void image_resample_end(const struct image_resample *r, unsigned char *out) {
    const struct image_kernels *kernels = image_kernels();
    const struct image_taps *t = &r->down;
    const size_t row_len = (size_t)r->width * (size_t)r->channels;

    for (int i = 0; i < r->height; i++)
        kernels->down(r->wide + (size_t)t->first[i] * r->stride, r->stride,
                      t->weight + (size_t)i * (size_t)t->room, t->n[i], row_len,
                      out + (size_t)i * row_len);
}

int image_resample(const unsigned char *picture, size_t stride, int channels,
                   const struct image_axis *across, const struct image_axis *down,
                   struct image_room *room, unsigned char *out) {
    struct image_resample r;

    if (image_resample_init(&r, across, down, channels, room))
        return -1;
    image_resample_rows(&r, picture + (size_t)r.top * stride + (size_t)r.left * (size_t)channels,
                        stride, r.top, r.bottom - r.top);
    image_resample_end(&r, out);
    return 0;
}

int image_resize(const struct image *image, int width, int height, enum image_fit fit,
                 unsigned char *out, struct err *err) {
    const size_t row_bytes = (size_t)image->width * (size_t)image->channels;
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
    const int status =
        image_resample(image->pixels, row_bytes, image->channels, &across, &down, &room, out);
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
