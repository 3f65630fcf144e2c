#include "io/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

enum { MOST_PIXELS = 1 << 28, MOST_FILE_BYTES = 1 << 30 };

static int out_of_memory(const char *name, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", name);
}

/* Room for an image of that size, checked before it is decoded. */
static int image_init(struct image *out, const char *name, int64_t width, int64_t height,
                      int channels, struct err *err) {
    if (width < 1 || height < 1 || width > MOST_PIXELS / height)
        return err_set(err, ERR_DATA, "%s: is %lldx%lld pixels, expected 1 to %d in all", name,
                       (long long)width, (long long)height, MOST_PIXELS);
    *out = (struct image){.width = (int)width,
                          .height = (int)height,
                          .channels = channels,
                          .pixels = malloc((size_t)(width * height) * (size_t)channels)};
    return out->pixels ? 0 : out_of_memory(name, err);
}

void image_release(struct image *image) {
    free(image->pixels);
    *image = (struct image){0};
}

/* Adobe writes CMYK inverted: 255 is no ink. In place, 4 bytes to 3 (or 1). */
static void cmyk_to_rgb(struct image *image, const unsigned char *cmyk) {
    const int64_t area = (int64_t)image->width * image->height;

    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = cmyk + 4 * i;
        unsigned rgb[3];

        for (int c = 0; c < 3; c++)
            rgb[c] = (p[c] * p[3] + 127U) / 255U;
        if (image->channels == 1)
            image->pixels[i] =
                (unsigned char)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
        else
            for (int c = 0; c < 3; c++)
                image->pixels[3 * i + c] = (unsigned char)rgb[c];
    }
}

/* A warning is that something is missing, but for stray bytes between markers, which many
 * decodable files have. */
static bool jpeg_failed(tjhandle jpeg, int status) {
    return status && !(tjGetErrorCode(jpeg) == TJERR_WARNING &&
                       strstr(tjGetErrorStr2(jpeg), "extraneous bytes"));
}

static int jpeg_pixels(tjhandle jpeg, const unsigned char *bytes, size_t len, bool cmyk,
                       struct image *out) {
    const int format = cmyk ? TJPF_CMYK : out->channels == 1 ? TJPF_GRAY : TJPF_RGB;
    unsigned char *inks = NULL;
    int status;

    if (!cmyk)
        return tjDecompress2(jpeg, bytes, len, out->pixels, out->width, 0, out->height, format,
                             TJFLAG_ACCURATEDCT);
    inks = malloc((size_t)out->width * (size_t)out->height * 4);
    if (!inks)
        return -1;
    status = tjDecompress2(jpeg, bytes, len, inks, out->width, 0, out->height, format,
                           TJFLAG_ACCURATEDCT);
    cmyk_to_rgb(out, inks);
    free(inks);
    return status;
}

static int decode_jpeg(const unsigned char *bytes, size_t len, const char *name,
                       enum image_mode mode, struct image *out, struct err *err) {
    tjhandle jpeg = tjInitDecompress();
    int width = 0, height = 0, sampling, space = 0, channels, status;

    if (!jpeg)
        return out_of_memory(name, err);
    status = tjDecompressHeader3(jpeg, bytes, len, &width, &height, &sampling, &space);
    if (jpeg_failed(jpeg, status) || width < 1) { /* tables without an image are no error to it */
        status = err_set(err, ERR_DATA, "%s: broken JPEG: %s", name,
                         status ? tjGetErrorStr2(jpeg) : "it has no image");
        tjDestroy(jpeg);
        return status;
    }
    channels = mode == IMAGE_GREY || mode == IMAGE_CLASSES ||
                       (mode == IMAGE_AS_STORED && space == TJCS_GRAY)
                   ? 1
                   : 3;
    status = image_init(out, name, width, height, channels, err);
    out->lossy = true;
    if (!status && jpeg_failed(jpeg, jpeg_pixels(jpeg, bytes, len,
                                                 space == TJCS_CMYK || space == TJCS_YCCK, out)))
        status = err_set(err, ERR_DATA, "%s: broken JPEG: %s", name, tjGetErrorStr2(jpeg));
    tjDestroy(jpeg);
    return status;
}

/* The bytes that libpng has not read yet, and where it leaves when it fails. */
struct png_source {
    const unsigned char *bytes;
    size_t left;
    const char *name;
    struct err *err;
    jmp_buf failed;
};

static void png_failed(png_structp png, png_const_charp text) {
    struct png_source *s = png_get_error_ptr(png);

    err_set(s->err, ERR_DATA, "%s: broken PNG: %s", s->name, text);
    longjmp(s->failed, 1);
}

/* libpng warns of what does not change a pixel, such as colour profiles. */
static void png_warned(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void png_take(png_structp png, png_bytep to, size_t n) {
    struct png_source *s = png_get_io_ptr(png);

    if (n > s->left)
        png_error(png, "it ends too early");
    memcpy(to, s->bytes, n);
    s->bytes += n;
    s->left -= n;
}

static bool grey_or_palette(int colour) {
    return !(colour & PNG_COLOR_MASK_COLOR) || (colour & PNG_COLOR_MASK_PALETTE);
}

/* Ask for 8 bits, grey or RGB, without transparency. Returns the channels. */
static int png_transforms(png_structp png, png_infop info, enum image_mode mode) {
    const int colour = png_get_color_type(png, info);
    const bool grey = !(colour & PNG_COLOR_MASK_COLOR);

    if (mode != IMAGE_CLASSES || !grey_or_palette(colour))
        png_set_expand(png);
    else if (png_get_bit_depth(png, info) == 16)
        png_error(png, "its classes have 16 bits, expected 8");
    else
        png_set_packing(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    if (grey && mode == IMAGE_COLOUR)
        png_set_gray_to_rgb(png);
    if (!grey && mode == IMAGE_GREY)
        png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
    png_read_update_info(png, info);
    return png_get_channels(png, info);
}

/* All locals that change are in *out and *rows, so that longjmp leaves them defined. */
static int read_png(png_structp png, png_infop info, struct png_source *s, enum image_mode mode,
                    struct image *out, png_bytep **rows) {
    int channels;

    if (setjmp(s->failed))
        return -1;
    png_set_read_fn(png, s, png_take);
    png_read_info(png, info);
    channels = png_transforms(png, info, mode);
    if (channels != 1 && channels != 3)
        png_error(png, "it has neither 1 nor 3 channels");
    if (image_init(out, s->name, png_get_image_width(png, info), png_get_image_height(png, info),
                   channels, s->err))
        return -1;
    out->palette = png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
    *rows = malloc((size_t)out->height * sizeof **rows);
    if (!*rows)
        return out_of_memory(s->name, s->err);
    for (int y = 0; y < out->height; y++)
        (*rows)[y] = out->pixels + (size_t)y * (size_t)out->width * (size_t)channels;
    png_read_image(png, *rows);
    png_read_end(png, NULL);
    return 0;
}

static int decode_png(const unsigned char *bytes, size_t len, const char *name,
                      enum image_mode mode, struct image *out, struct err *err) {
    struct png_source source = {.bytes = bytes, .left = len, .name = name, .err = err};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *rows = NULL;
    const int status =
        info ? read_png(png, info, &source, mode, out, &rows) : out_of_memory(name, err);

    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return status;
}

int image_decode(const unsigned char *bytes, size_t len, const char *name, enum image_mode mode,
                 struct image *out, struct err *err) {
    struct image image = {0};
    int status;

    if (len >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        status = decode_jpeg(bytes, len, name, mode, &image, err);
    else if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        status = decode_png(bytes, len, name, mode, &image, err);
    else
        return err_set(err, ERR_DATA, "%s: is neither JPEG nor PNG", name);
    if (status) {
        image_release(&image);
        return -1;
    }
    *out = image;
    return 0;
}

/* The bytes of an open file, malloc'd. */
static int read_bytes(int fd, const char *path, unsigned char **bytes, size_t *len,
                      struct err *err) {
    struct stat st;
    size_t got = 0;

    if (fstat(fd, &st))
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > MOST_FILE_BYTES)
        return err_set(err, ERR_DATA, "%s: is %s, expected an image", path,
                       !S_ISREG(st.st_mode) ? "not a file"
                       : st.st_size         ? "larger than 1 GiB"
                                            : "empty");
    *bytes = malloc((size_t)st.st_size);
    if (!*bytes)
        return out_of_memory(path, err);
    while (got < (size_t)st.st_size) {
        const ssize_t n = read(fd, *bytes + got, (size_t)st.st_size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *len = got;
    return 0;
}

int image_read(const char *path, enum image_mode mode, struct image *out, struct err *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char *bytes = NULL;
    size_t len = 0;
    int status;

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    status =
        read_bytes(fd, path, &bytes, &len, err) || image_decode(bytes, len, path, mode, out, err);
    close(fd);
    free(bytes);
    return status ? -1 : 0;
}

int image_write_png(const char *path, int width, int height, int channels,
                    const unsigned char *pixels, struct err *err) {
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    FILE *file = fopen(path, "wb");
    int written;

    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    written = png_image_write_to_stdio(&png, file, 0, pixels, 0, NULL);
    if (fclose(file) || !written)
        return err_set(err, ERR_IO, "%s: %s", path, written ? strerror(errno) : png.message);
    return 0;
}
