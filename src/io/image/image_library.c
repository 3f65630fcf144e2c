/* image_library.c - which libraries these are, as far as they say so. */
#include "io/image/image.h"

#include <gif_lib.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>
#include <webp/decode.h>
/* Behind stdio.h, which it does not include. */
#include <jpeglib.h>

#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)

/* "LIBTIFF, Version 4.5.0" and more. */
static void tiff_version(char text[IMAGE_VERSION_TEXT]) {
    const char *at = strstr(TIFFGetVersion(), "Version ");

    at = at ? at + strlen("Version ") : "";
    snprintf(text, IMAGE_VERSION_TEXT, "%.*s", (int)strcspn(at, "\n"), at);
}

/* Libraries that tell no version while they run have that of the headers. */
bool image_library(int i, const char **name, char version[IMAGE_VERSION_TEXT]) {
    static const char *const names[] = {"libjpeg", "libpng", "libwebp", "libtiff", "giflib"};
    const int webp = WebPGetDecoderVersion();

    if (i >= (int)(sizeof names / sizeof *names))
        return false;
    *name = names[i];
    switch (i) {
    case 0:
#ifdef LIBJPEG_TURBO_VERSION
        *name = "libjpeg-turbo";
        snprintf(version, IMAGE_VERSION_TEXT, "%s", TEXT(LIBJPEG_TURBO_VERSION));
#else
        snprintf(version, IMAGE_VERSION_TEXT, "%d", JPEG_LIB_VERSION);
#endif
        break;
    case 1:
        snprintf(version, IMAGE_VERSION_TEXT, "%s", png_get_libpng_ver(NULL));
        break;
    case 2:
        snprintf(version, IMAGE_VERSION_TEXT, "%d.%d.%d", webp >> 16, webp >> 8 & 255, webp & 255);
        break;
    case 3:
        tiff_version(version);
        break;
    default:
        snprintf(version, IMAGE_VERSION_TEXT, "%d.%d.%d", GIFLIB_MAJOR, GIFLIB_MINOR,
                 GIFLIB_RELEASE);
    }
    return true;
}
