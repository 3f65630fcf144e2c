/* jpeg.h - JPEG files for tests, by libjpeg. */
#pragma once
#include "io/scratch.h"

#include <jpeglib.h>

/* Write pixels[height, width, channels of the space] with the highest quality, in colour without
 * subsampling. JCS_CMYK: inks, 255 is none. `before` may change how. */
static inline void write_jpeg_as(const char *path, int width, int height, J_COLOR_SPACE space,
                                 const unsigned char *pixels,
                                 void (*before)(struct jpeg_compress_struct *jpeg)) {
    const int channels = space == JCS_GRAYSCALE ? 1 : space == JCS_CMYK ? 4 : 3;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = channels;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    if (space == JCS_CMYK)
        jpeg_set_colorspace(&jpeg, JCS_YCCK);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    if (before)
        before(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)(y * width * channels));

        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static inline void write_jpeg(const char *path, int width, int height, J_COLOR_SPACE space,
                              const unsigned char *pixels) {
    write_jpeg_as(path, width, height, space, pixels, NULL);
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
    write_jpeg(path, width, height, JCS_RGB, pixels);
    free(pixels);
}
