/* pictures.h - datasets of pictures as files, whatever is in these. */
#pragma once
#include "io/jpeg.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"
#include "io/image/image.h"

enum { PICTURES_MOST = 32 };

/* Files, end to end. */
struct pictures {
    unsigned char *bytes;
    int64_t offset[PICTURES_MOST + 1];
    int n;
};

static inline void pictures_release(struct pictures *p) {
    free(p->bytes);
    *p = (struct pictures){0};
}

static inline void pictures_add(struct pictures *p, const unsigned char *bytes, size_t len) {
    assert_true(p->n < PICTURES_MOST);
    p->bytes = realloc(p->bytes, (size_t)p->offset[p->n] + len + 1);
    assert_non_null(p->bytes);
    memcpy(p->bytes + p->offset[p->n], bytes, len);
    p->offset[p->n + 1] = p->offset[p->n] + (int64_t)len;
    p->n++;
}

/* The picture of tests/golden/validation_pieces.py: [height, width, channels], malloc'd. */
static inline unsigned char *picture_pixels(int width, int height, int channels) {
    unsigned char *pixels = malloc((size_t)(width * height * channels));
    unsigned char *at = pixels;

    assert_non_null(pixels);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *at++ = (unsigned char)((3 * x * x + 5 * y * y + 2 * x * y + 4000 * c) / 32 % 256);
    return pixels;
}

/* Add it as a PNG or a JPEG file. */
static inline void pictures_add_made(struct pictures *p, int width, int height, int channels,
                                     bool jpeg) {
    unsigned char *pixels = picture_pixels(width, height, channels), *bytes;
    const char *path = in_scratch("one");
    struct err err = {0};
    size_t len;

    if (jpeg)
        write_jpeg(path, width, height, channels == 1 ? JCS_GRAYSCALE : JCS_RGB, pixels);
    else if (image_write_png(path, width, height, channels, pixels, &err))
        fail_msg("%s", err.msg);
    bytes = read_bytes(path, &len);
    pictures_add(p, bytes, len);
    free(bytes);
    free(pixels);
}

/* Write them as the field `name` of the group /train. */
static inline void pictures_write(const struct pictures *p, struct h5 *file, const char *name,
                                  int channels) {
    const int64_t len = p->offset[p->n], n_offsets = p->n + 1;
    struct err err = {0};
    char path[64], offsets[80];

    snprintf(path, sizeof path, "/train/%s", name);
    snprintf(offsets, sizeof offsets, "%s_offsets", path);
    h5_write(file, path, H5_TYPE_U8, 1, &len, p->bytes, &err);
    h5_write(file, offsets, H5_TYPE_I64, 1, &n_offsets, p->offset, &err);
    h5_attr_write_text(file, path, "encoding", "files", &err);
    if (h5_attr_write_int(file, path, "channels", channels, &err))
        fail_msg("%s", err.msg);
}

/* A file with the group /train, and the end of it. */
static inline struct h5 *pictures_begin(const char *name) {
    struct h5 *file = NULL;
    struct err err = {0};

    if (h5_create(&file, in_scratch(name), &err) || h5_group_create(file, "/train", &err))
        fail_msg("%s", err.msg);
    return file;
}

static inline void pictures_end(struct h5 *file) {
    struct err err = {0};

    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

/* A file of one field, images. */
static inline void pictures_file(const struct pictures *p, const char *name, int channels) {
    struct h5 *file = pictures_begin(name);

    pictures_write(p, file, "images", channels);
    pictures_end(file);
}

static inline struct dataset *pictures_open(const char *name, int64_t cache_bytes) {
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_open(&ds, in_scratch(name), cache_bytes, &err))
        fail_msg("%s", err.msg);
    return ds;
}
