/* PNG files that take the place of others whole, by libpng. */
#include "io/image/image.h"
#include "io/file/file.h"

#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLOURS = 256 };

/*   palette  [colours][3], or NULL */
static int write_beside(const char *path, const char *beside, png_image *png, const void *pixels,
                        const void *palette, struct err *err) {
    FILE *file = fopen(beside, "wb");
    bool failed = !file;

    if (failed)
        return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    errno = 0;
    failed = !png_image_write_to_stdio(png, file, 0, pixels, 0, palette);
    failed = fclose(file) || failed || rename(beside, path);
    if (!failed)
        return 0;
    err_set(err, ERR_IO, "%s: cannot be written: %s", path, errno ? strerror(errno) : png->message);
    file_remove(beside);
    return -1;
}

static int replace(const char *path, png_image *png, const void *pixels, const void *palette,
                   struct err *err) {
    char beside[FILE_PATH];

    if (file_beside(path, beside))
        return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    return write_beside(path, beside, png, pixels, palette, err);
}

int image_write_palette(const char *path, int width, int height, const unsigned char *classes,
                        const unsigned char (*palette)[3], struct err *err) {
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = PNG_FORMAT_RGB_COLORMAP,
                     .colormap_entries = COLOURS};

    return replace(path, &png, classes, palette, err);
}

int image_replace_png(const char *path, int width, int height, int channels,
                      const unsigned char *pixels, struct err *err) {
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};

    return replace(path, &png, pixels, NULL, err);
}
