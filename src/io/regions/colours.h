/* colours.h - the colour spaces that regions are looked for in. */
#pragma once
#include <stdint.h>

enum colour_space { COLOUR_HSV, COLOUR_LAB, COLOUR_RGI, COLOUR_HUE, COLOUR_INTENSITY };

enum { COLOUR_MOST_PLANES = 3 };

/* Planes of a space: 3, of the last two 1. */
int colour_planes(enum colour_space space);

/* pixels[len, channels], 1 grey or 3 red, green, blue, into planes[colour_planes][len], each 0 ..
 * 255: Lab of sRGB under D65 as L 255 / 100, a + 128 and b + 128. */
void colour_convert(const unsigned char *pixels, int64_t len, int channels, enum colour_space space,
                    float *planes);
