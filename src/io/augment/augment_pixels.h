/* augment_pixels.h - what color_jitter, rand_augment and trivial_augment do to the values of an
 * image of known range: float [len / channels, channels] from 0 to 1, in place. The numbers are
 * those of torchvision's functional operations of the same names on tensors. Grey images, of one
 * channel, have no colour: saturation and hue leave them alone. */
#pragma once
#include "io/augment/augment.h"

/* Values of an image. */
struct pixels {
    float *v; /* [h, w, c] */
    int64_t h, w, c;
};

/* Between black (factor 0), the image (1) and beyond, bounded to 0 .. 1. */
void pixels_brightness(const struct pixels *p, float factor);

/* The same from the mean of the grey image, */
void pixels_contrast(const struct pixels *p, float factor);

/* from the grey image, */
void pixels_saturation(const struct pixels *p, float factor);

/* and from the image blurred by 3x3 (the border stays). scratch: [h, w, c]. */
void pixels_sharpness(const struct pixels *p, float factor, float *scratch);

/* Turn the hue by `turn` of a full circle, -0.5 .. 0.5. */
void pixels_hue(const struct pixels *p, float turn);

/* Every pixel's brightness (0.2989 r + 0.587 g + 0.114 b) in all channels. */
void pixels_gray(const struct pixels *p);

/* Of bytes, v * 255: the highest bits alone, 0 to 8 of them. */
void pixels_posterize(const struct pixels *p, int bits);

/* 1 - v where v is at least threshold. */
void pixels_solarize(const struct pixels *p, float threshold);

/* Each channel stretched to 0 .. 1; */
void pixels_autocontrast(const struct pixels *p);

/* each channel's bytes spread evenly over 0 .. 255. */
void pixels_equalize(const struct pixels *p);
