/* predicted.h - pictures, datasets and runs for tests of dltrain predict. */
#pragma once
#include "cmd/printed.h"
#include "cmd/results.h"
#include "core/base/rng.h"
#include "io/h5/h5.h"
#include "io/image/image.h"

/* A picture of noise about a level; in a mask's picture a bright square of `side` pixels. */
static inline int predicted_picture(const char *path, int width, int height, int channels,
                                    int level, uint64_t seed) {
    const uint64_t key = rng_key(seed, RNG_TEST, 1, 2);
    unsigned char *pixels = malloc((size_t)(width * height * channels));
    struct err err = {0};

    for (int i = 0; pixels && i < width * height * channels; i++)
        pixels[i] = (unsigned char)(level + (int)rng_below(key, (uint64_t)i, 90));
    const int rc = pixels ? image_write_png(path, width, height, channels, pixels, &err) : -1;
    free(pixels);
    return rc;
}

/* photos/{train,test}/{dark,bright}/K.png of many sizes. */
static inline int predicted_photos(void) {
    static const char *const classes[] = {"bright", "dark"}, *const splits[] = {"train", "test"};
    char path[64];
    int rc = system("mkdir -p photos/train/bright photos/train/dark photos/test/bright "
                    "photos/test/dark");

    for (int i = 0; i < 48 && !rc; i++) {
        const int class = i % 2, test = i >= 32;
        snprintf(path, sizeof path, "photos/%s/%s/%d.png", splits[test], classes[class], i);
        rc = predicted_picture(path, 20 + i * 7 % 23, 20 + i * 5 % 31, 3,
                               class ? 60 + i % 50 : 90 + i % 50, (uint64_t)i);
    }
    return rc;
}

/* Grey pictures and masks of their bright halves, as HDF5 and as files: 16 x 16. */
static inline int predicted_cells(void) {
    enum { N = 8, SIDE = 16, LEN = N * SIDE * SIDE };
    const int64_t dims[] = {N, SIDE, SIDE};
    static unsigned char images[LEN], masks[LEN];
    const double mean = 0.5, std = 0.25;
    struct err err = {0};
    struct h5 *h5;

    for (int i = 0; i < LEN; i++) {
        masks[i] = (unsigned char)(i % SIDE > 3 + i / SIDE / SIDE);
        images[i] = (unsigned char)(masks[i] * 120 + i * 37 % 101);
    }
    if (h5_create(&h5, "cells.h5", &err) || h5_group_create(h5, "/all", &err) ||
        h5_attr_write_reals(h5, "/all", "mean", &mean, 1, &err) ||
        h5_attr_write_reals(h5, "/all", "std", &std, 1, &err) ||
        h5_write(h5, "/all/images", H5_TYPE_U8, 3, dims, images, &err) ||
        h5_write(h5, "/all/mask", H5_TYPE_U8, 3, dims, masks, &err) || h5_sync(h5, &err))
        return -1;
    h5_close(h5);
    return system("mkdir -p scans/deep") || predicted_picture("scans/a.png", 41, 30, 1, 80, 1) ||
           predicted_picture("scans/deep/b.png", 16, 16, 1, 60, 2) ||
           predicted_picture("scans/deep/c.png", 9, 50, 1, 90, 3);
}

static inline void predicted_jobs(void) {
    program_write("photo.ini",
                  "[job]\nmodel = m(classes=2)\nepochs = 6\n[net m(image, classes)]\n"
                  "a = image | conv(4, 3, stride=2) | bn | relu\npool = a | global_avgpool\n"
                  "fc = pool | linear(classes)\n"
                  "[data]\ntrain = photos.h5:train\nvalidate = photos.h5:test\n"
                  "augment = image | random_crop(20) | random_flip | normalize\nbatch = 8\n"
                  "[step]\nloss = cross_entropy(model(image), label)\ntrain = model\n"
                  "optimizer = sgd(lr=0.1)\n"
                  "[validate]\nlogits = model(image)\nloss = cross_entropy(logits, label)\n"
                  "top1 = accuracy(logits, label)\n");
    program_write("cell.ini",
                  "[job]\nmodel = u(classes=2)\nepochs = 10\n[net u(image, classes)]\n"
                  "out = image | conv(4, 1) | relu | conv(classes, 1)\n"
                  "[data]\ntrain = cells.h5:all\nvalidate = cells.h5:all\n"
                  "augment = image | random_flip | normalize\nbatch = 4\n"
                  "[step]\nloss = cross_entropy(model(image), mask, weights=balanced(mask))\n"
                  "train = model\noptimizer = adam(lr=0.05)\n"
                  "[validate]\nlogits = model(image)\nloss = cross_entropy(logits, mask)\n"
                  "top1 = accuracy(logits, mask)\n");
}

static inline int predicted_setup(void **state) {
    if (program_setup(state) || predicted_photos() || predicted_cells())
        return -1;
    predicted_jobs();
    program_expect(0, NULL,
                   "$DLTRAIN data import imagefolder photos photos.h5 --size 24x24 && "
                   "$DLTRAIN photo.ini && $DLTRAIN cell.ini");
    return 0;
}

/* The lines of JSON in a file, to be released. */
static inline json_t *predicted_lines(const char *path) {
    json_t *lines = json_array();
    char *text = program_read(path);

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_array_append_new(lines, object);
    }
    free(text);
    return lines;
}
