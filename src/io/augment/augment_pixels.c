#include "io/augment/augment_pixels.h"

#include <math.h>
#include <string.h>

static int64_t length(const struct pixels *p) {
    return p->h * p->w * p->c;
}

static float bounded(float v) {
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* From `other` (factor 0) to v (1) and beyond. */
static float blend(float v, float other, float factor) {
    return bounded(factor * v + (1 - factor) * other);
}

/* ITU-R BT.601 luma as Pillow's and torchvision's. */
static float gray(const struct pixels *p, const float *pixel) {
    return p->c == 3 ? 0.2989F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2] : pixel[0];
}

void pixels_brightness(const struct pixels *p, float factor) {
    for (int64_t i = 0; i < length(p); i++)
        p->v[i] = blend(p->v[i], 0, factor);
}

void pixels_contrast(const struct pixels *p, float factor) {
    double sum = 0;

    for (int64_t i = 0; i < length(p); i += p->c)
        sum += (double)gray(p, p->v + i);
    const float mean = (float)(sum / (double)(p->h * p->w));
    for (int64_t i = 0; i < length(p); i++)
        p->v[i] = blend(p->v[i], mean, factor);
}

void pixels_saturation(const struct pixels *p, float factor) {
    for (int64_t i = 0; i < length(p) && p->c == 3; i += 3) {
        const float without = gray(p, p->v + i);
        for (int64_t ch = 0; ch < 3; ch++)
            p->v[i + ch] = blend(p->v[i + ch], without, factor);
    }
}

/* The sum of a 3x3 neighbourhood, its centre five times, by 13. */
static float smooth(const struct pixels *p, int64_t i, int64_t j, int64_t ch) {
    const float *centre = p->v + (i * p->w + j) * p->c + ch;
    float sum = 4 * *centre;

    for (int64_t y = -1; y <= 1; y++)
        for (int64_t x = -1; x <= 1; x++)
            sum += centre[(y * p->w + x) * p->c];
    return sum / 13;
}

void pixels_sharpness(const struct pixels *p, float factor, float *scratch) {
    if (p->h <= 2 || p->w <= 2)
        return;
    memcpy(scratch, p->v, (size_t)length(p) * sizeof *scratch);
    for (int64_t i = 1; i < p->h - 1; i++)
        for (int64_t j = 1; j < p->w - 1; j++)
            for (int64_t ch = 0; ch < p->c; ch++)
                scratch[(i * p->w + j) * p->c + ch] = smooth(p, i, j, ch);
    for (int64_t i = 0; i < length(p); i++)
        p->v[i] = blend(p->v[i], scratch[i], factor);
}

/* Red, green and blue of a hue (0 .. 6), without grey: 1 where it is strongest, 0 where it is not.
 */
static float channel_of(float hue, float offset) {
    const float at = fmodf(hue + offset, 6);

    return bounded(fabsf(at - 3) - 1);
}

/* The hue of a pixel, 0 .. 6; grey has none. */
static float hue_of(const float *v, float most, float range) {
    if (v[0] == most)
        return fmodf((v[1] - v[2]) / range + 6, 6);
    return v[1] == most ? (v[2] - v[0]) / range + 2 : (v[0] - v[1]) / range + 4;
}

void pixels_hue(const struct pixels *p, float turn) {
    for (int64_t i = 0; i < length(p) && p->c == 3; i += 3) {
        float *v = p->v + i;
        const float most = fmaxf(v[0], fmaxf(v[1], v[2]));
        const float range = most - fminf(v[0], fminf(v[1], v[2]));

        if (!(range > 0))
            continue;
        const float hue = fmodf(hue_of(v, most, range) + 6 * turn + 6, 6);
        v[0] = most - range + range * channel_of(hue, 0);
        v[1] = most - range + range * channel_of(hue, 4);
        v[2] = most - range + range * channel_of(hue, 2);
    }
}

void pixels_gray(const struct pixels *p) {
    for (int64_t i = 0; i < length(p) && p->c == 3; i += 3)
        p->v[i] = p->v[i + 1] = p->v[i + 2] = gray(p, p->v + i);
}

static int byte_of(float v) {
    return (int)(bounded(v) * 255 + 0.5F);
}

void pixels_posterize(const struct pixels *p, int bits) {
    const int kept = 0xff & ~((1 << (8 - bits)) - 1);

    for (int64_t i = 0; i < length(p); i++)
        p->v[i] = (float)(byte_of(p->v[i]) & kept) / 255;
}

void pixels_solarize(const struct pixels *p, float threshold) {
    for (int64_t i = 0; i < length(p); i++)
        p->v[i] = p->v[i] >= threshold ? 1 - p->v[i] : p->v[i];
}

void pixels_autocontrast(const struct pixels *p) {
    for (int64_t ch = 0; ch < p->c; ch++) {
        float least = p->v[ch], most = p->v[ch];

        for (int64_t i = ch; i < length(p); i += p->c) {
            least = fminf(least, p->v[i]);
            most = fmaxf(most, p->v[i]);
        }
        for (int64_t i = ch; i < length(p) && most > least; i += p->c)
            p->v[i] = bounded((p->v[i] - least) / (most - least));
    }
}

/* Which byte each byte becomes; false where they stay. As Pillow's ImageOps.equalize. */
static bool equal_bytes(const int64_t count[256], int64_t n, float table[256]) {
    int last = 255;
    int64_t before = 0;

    while (last > 0 && !count[last])
        last--;
    const int64_t step = (n - count[last]) / 255;
    if (!step)
        return false;
    for (int k = 0; k < 256; k++) {
        const int64_t to = k ? (before + step / 2) / step : 0;
        table[k] = (float)(to < 255 ? to : 255) / 255;
        before += count[k];
    }
    return true;
}

void pixels_equalize(const struct pixels *p) {
    for (int64_t ch = 0; ch < p->c; ch++) {
        int64_t count[256] = {0};
        float table[256];

        for (int64_t i = ch; i < length(p); i += p->c)
            count[byte_of(p->v[i])]++;
        if (!equal_bytes(count, p->h * p->w, table))
            continue;
        for (int64_t i = ch; i < length(p); i += p->c)
            p->v[i] = table[byte_of(p->v[i])];
    }
}
