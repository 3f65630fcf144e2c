/* jpeg.h - JPEG files for tests, by libturbojpeg. */
#pragma once
#include "io/scratch.h"

#include <turbojpeg.h>

/* Write pixels[height, width, ...] of a TJPF_ format with the highest quality. */
static inline void write_jpeg(const char *path, int width, int height, int format,
                              const unsigned char *pixels) {
    tjhandle jpeg = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long n = 0;

    assert_non_null(jpeg);
    assert_int_equal(tjCompress2(jpeg, pixels, width, 0, height, format, &bytes, &n,
                                 format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 100, 0),
                     0);
    write_bytes(path, bytes, n);
    tjFree(bytes);
    tjDestroy(jpeg);
}

/* All pixels red, green, blue. */
static inline void write_plain_jpeg(const char *path, int width, int height, int red, int green,
                                    int blue) {
    unsigned char *pixels = malloc((size_t)(width * height * 3));

    assert_non_null(pixels);
    for (int i = 0; i < width * height; i++) {
        pixels[3 * i] = (unsigned char)red;
        pixels[3 * i + 1] = (unsigned char)green;
        pixels[3 * i + 2] = (unsigned char)blue;
    }
    write_jpeg(path, width, height, TJPF_RGB, pixels);
    free(pixels);
}
