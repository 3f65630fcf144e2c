/* windows.h - predictions of what is larger than a network's input: by windows of that size which
 * overlap, and whose predictions are blended by a Gaussian about the middle of each.
 * Source: Isensee et al. 2021 (nnU-Net), doi:10.1038/s41592-020-01008-z */
#pragma once
#include "train/predictor.h"

enum { WINDOW_AXES = 3 /* depth, height, width; depth 1 of pictures */ };

/* Where windows stand along one axis. */
struct windows_axis {
    int64_t len, size; /* of the sample; of a window */
    int64_t scale;     /* pixels of the prediction for each of the sample */
    int64_t n;         /* windows */
    double begin,
        stride;    /* of window k: round(begin + k stride), below 0 where the sample is smaller */
    float *weight; /* [size * scale] of predictions */
};

/* {0} is releasable. */
struct windows {
    struct predictor *predictor; /* borrowed */
    double overlap;              /* share of a window's side that the next one has, too */
    int axes;                    /* 2 or 3 */
    int64_t channels, out_channels;
    bool maps; /* the prediction has no channels */
    int64_t scale[WINDOW_AXES];
    float *samples, *predictions; /* [batch, window], room */
};

/* Errors: ERR_USAGE where predictions are not of pixels, or not of those of the window; ERR_IO. */
int windows_init(struct windows *w, struct predictor *p, double overlap, struct err *err);

/* The shape of the prediction of a sample of that shape. */
struct shape windows_shape(const struct windows *w, const struct shape *sample);

/* Predict one sample [shape], in the dimensions of the network's input: *out [windows_shape] is
 * malloc'd. What is beyond the edges is mirrored there. Where one window is the sample, the
 * prediction is the network's. Errors: ERR_IO for lack of memory. */
int windows_run(struct windows *w, const float *sample, const struct shape *shape,
                const struct predictor_draw *draw, float **out, struct err *err);

void windows_release(struct windows *w);

/* Along an axis: as few windows as overlap by at least that share, spread evenly. */
struct windows_axis windows_axis_of(int64_t len, int64_t size, int64_t scale, double overlap);
int64_t windows_begin(const struct windows_axis *a, int64_t k);
