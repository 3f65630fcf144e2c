#include "io/regions/colours.h"

#include <math.h>

int colour_planes(enum colour_space space) {
    return space == COLOUR_HUE || space == COLOUR_INTENSITY ? 1 : 3;
}

static double largest(const double rgb[3]) {
    return fmax(rgb[0], fmax(rgb[1], rgb[2]));
}

/* A turn is 255. */
static double hue_of(const double rgb[3]) {
    const double most = largest(rgb), span = most - fmin(rgb[0], fmin(rgb[1], rgb[2]));
    double sixths;

    if (!(span > 0))
        return 0;
    if (rgb[0] >= most)
        sixths = (rgb[1] - rgb[2]) / span;
    else if (rgb[1] >= most)
        sixths = 2 + (rgb[2] - rgb[0]) / span;
    else
        sixths = 4 + (rgb[0] - rgb[1]) / span;
    return 255.0 / 6 * (sixths < 0 ? sixths + 6 : sixths);
}

static double linear(double v) {
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t) {
    const double d = 6.0 / 29;

    return t > d * d * d ? cbrt(t) : t / (3 * d * d) + 4.0 / 29;
}

/* Source: IEC 61966-2-1 (sRGB), CIE 15:2004 (Lab). */
static void lab_of(const double rgb[3], double out[3]) {
    static const double to_xyz[3][3] = {
        {0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}};
    static const double white[3] = {0.9505, 1, 1.089};
    double light[3], f[3];

    for (int i = 0; i < 3; i++)
        light[i] = linear(rgb[i]);
    for (int i = 0; i < 3; i++)
        f[i] = lab_curve(
            (to_xyz[i][0] * light[0] + to_xyz[i][1] * light[1] + to_xyz[i][2] * light[2]) /
            white[i]);
    out[0] = 2.55 * (116 * f[1] - 16);
    out[1] = 500 * (f[0] - f[1]) + 128;
    out[2] = 200 * (f[1] - f[2]) + 128;
}

static void convert(const double rgb[3], enum colour_space space, double out[3]) {
    const double sum = rgb[0] + rgb[1] + rgb[2], most = largest(rgb);

    switch (space) {
    case COLOUR_HSV:
        out[0] = hue_of(rgb);
        out[1] = most > 0 ? 255 * (1 - fmin(rgb[0], fmin(rgb[1], rgb[2])) / most) : 0;
        out[2] = 255 * most;
        break;
    case COLOUR_LAB:
        lab_of(rgb, out);
        break;
    case COLOUR_RGI:
        out[0] = sum > 0 ? 255 * rgb[0] / sum : 85;
        out[1] = sum > 0 ? 255 * rgb[1] / sum : 85;
        out[2] = 85 * sum;
        break;
    case COLOUR_HUE:
        out[0] = hue_of(rgb);
        break;
    case COLOUR_INTENSITY:
        out[0] = 85 * sum;
        break;
    }
}

void colour_convert(const unsigned char *pixels, int64_t len, int channels, enum colour_space space,
                    float *planes) {
    for (int64_t i = 0; i < len; i++) {
        double rgb[3], out[COLOUR_MOST_PLANES] = {0};

        for (int c = 0; c < 3; c++)
            rgb[c] = pixels[i * channels + (channels == 3 ? c : 0)] / 255.0;
        convert(rgb, space, out);
        for (int p = 0; p < colour_planes(space); p++)
            planes[p * len + i] = (float)fmin(255, fmax(0, out[p]));
    }
}
