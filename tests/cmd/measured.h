/* measured.h - data whose scores are what a network would have given, so that measures can be
 * worked out elsewhere: the same numbers as in golden/measures.py. */
#pragma once
#include "cmd/results.h"
#include "io/h5/h5.h"

enum { MEASURED = 200, MEASURED_CLASSES = 3, MEASURED_PIXELS = 12 };

/* A measure and its standard error, nan: none. */
struct golden_measure {
    const char *name;
    double value, error;
};

#include "cmd/golden_measures.h"

struct measured_data {
    float image[MEASURED][4], scores[MEASURED][MEASURED_CLASSES];
    float map[MEASURED][MEASURED_PIXELS][MEASURED_CLASSES];
    int32_t label[MEASURED], mask[MEASURED][MEASURED_PIXELS];
};

static inline void measured_sample(struct measured_data *d, int i) {
    d->label[i] = (i * i + i / 3) % 5 % 3;
    for (int j = 0; j < MEASURED_CLASSES; j++)
        d->scores[i][j] = (float)((i * i * (j + 3) + 5 * i * j) % 23) / 8 + (j == d->label[i]) +
                          (float)(j == 1) * (float)(i % 29) / 64;
    for (int p = 0; p < MEASURED_PIXELS; p++) {
        const int mask = (i * (p + 2) + p * p + i * i * 3) % 7 % 4 - 1;
        const bool right = (i * 5 + p * 3) % 11 < 4 + i % 5;

        d->mask[i][p] = mask;
        d->map[i][p][right ? (mask > 0 ? mask : 0) : (i + p) % 3] = 1;
    }
    for (int p = 0; p < 4; p++)
        d->image[i][p] = (float)(i % 7 + p);
}

static inline int measured_reals(struct h5 *h5, const char *path, int rank, const int64_t *dims,
                                 const float *values, const char *kind, struct err *err) {
    return h5_write(h5, path, H5_TYPE_F32, rank, dims, values, err) ||
           (kind && h5_attr_write_text(h5, path, "kind", kind, err));
}

/* measured.h5:test in the scratch folder. */
static inline void measured_write(void) {
    static const int64_t n = MEASURED, image[] = {MEASURED, 2, 2},
                         scores[] = {MEASURED, MEASURED_CLASSES},
                         map[] = {MEASURED, 3, 4, MEASURED_CLASSES}, mask[] = {MEASURED, 3, 4};
    static const char *const classes[] = {"ant", "bee", "cow"};
    static struct measured_data d;
    struct err err = {0};
    struct h5 *h5;

    for (int i = 0; i < MEASURED; i++)
        measured_sample(&d, i);
    if (h5_create(&h5, "measured.h5", &err) || h5_group_create(h5, "/test", &err) ||
        h5_attr_write_texts(h5, "/test", "classes", classes, 3, &err) ||
        measured_reals(h5, "/test/images", 3, image, &d.image[0][0], NULL, &err) ||
        measured_reals(h5, "/test/scores", 2, scores, &d.scores[0][0], "real", &err) ||
        measured_reals(h5, "/test/map", 4, map, &d.map[0][0][0], "real", &err) ||
        h5_write(h5, "/test/labels", H5_TYPE_I32, 1, &n, d.label, &err) ||
        h5_write(h5, "/test/mask", H5_TYPE_I32, 3, mask, d.mask, &err) || h5_sync(h5, &err))
        fail_msg("%s", err.msg);
    h5_close(h5);
}
