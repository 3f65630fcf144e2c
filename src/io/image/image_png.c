/* PNG by libpng. */
#include "io/image/image_private.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_WIDTH = 16,
    AT_HEIGHT = 20,
    AT_COLOUR = 25,
    AT_CHUNKS = 33
}; /* bytes; the header is always the first */

/* The bytes that libpng has not read yet, and where it leaves when it fails. */
struct png_source {
    struct image_file file;
    struct err *err;
    jmp_buf failed;
};

static void png_failed(png_structp png, png_const_charp text) {
    struct png_source *s = png_get_error_ptr(png);

    image_broken(&s->file, &image_png, text, s->err);
    longjmp(s->failed, 1);
}

/* libpng warns of what does not change a pixel, such as colour profiles. */
static void png_warned(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void png_take(png_structp png, png_bytep to, size_t n) {
    struct image_file *left = &((struct png_source *)png_get_io_ptr(png))->file;

    if (n > left->len)
        png_error(png, "it ends too early");
    memcpy(to, left->bytes, n);
    left->bytes += n;
    left->len -= n;
}

static bool grey_or_palette(int colour) {
    return !(colour & PNG_COLOR_MASK_COLOR) || (colour & PNG_COLOR_MASK_PALETTE);
}

static bool has_grey_palette(png_structp png, png_infop info) {
    png_colorp palette = NULL;
    int n = 0;

    return png_get_PLTE(png, info, &palette, &n) &&
           image_grey_palette(&palette->red, n, sizeof *palette);
}

/* Ask for 8 bits a channel. Returns the channels, 1 to 4. */
static int png_transforms(png_structp png, png_infop info, enum image_mode mode,
                          struct image *out) {
    const int colour = png_get_color_type(png, info);
    const bool deep = png_get_bit_depth(png, info) == 16;

    out->palette = colour == PNG_COLOR_TYPE_PALETTE;
    if (mode != IMAGE_CLASSES || !grey_or_palette(colour))
        png_set_expand(png);
    else
        png_set_packing(png);
    if (deep)
        out->facts |= IMAGE_DEEP;
    png_set_scale_16(png);
    png_set_interlace_handling(png);
    if (out->palette && mode == IMAGE_AS_STORED && has_grey_palette(png, info))
        png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, -1, -1); /* the colours are greys already */
    png_read_update_info(png, info);
    return png_get_channels(png, info);
}

/* What is not in the pixels: all chunks are read by now. */
static void png_facts(png_structp png, png_infop info, struct image *out) {
    png_unknown_chunkp unknown = NULL;
    png_uint_32 exif_bytes = 0;
    png_bytep exif = NULL;

    if (png_get_eXIf_1(png, info, &exif_bytes, &exif))
        out->orientation = image_exif(exif, exif_bytes);
    if (png_get_unknown_chunks(png, info, &unknown) > 0) /* none but acTL are kept */
        out->facts |= IMAGE_FRAMES;
}

/* All locals that change are in *out and *rows, so that longjmp leaves them defined. */
static int read_png(png_structp png, png_infop info, struct png_source *s, enum image_mode mode,
                    struct image *out, png_bytep **rows) {
    int n;

    if (setjmp(s->failed))
        return -1;
    png_set_read_fn(png, s, png_take);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "acTL", 1);
    png_read_info(png, info);
    if (mode == IMAGE_CLASSES && png_get_bit_depth(png, info) == 16)
        return image_deep_classes(&s->file, s->err);
    n = png_transforms(png, info, mode, out);
    if (image_init(out, s->file.name, png_get_image_width(png, info),
                   png_get_image_height(png, info), n, s->err))
        return -1;
    *rows = malloc((size_t)out->height * sizeof **rows);
    if (!*rows)
        return image_no_memory(s->file.name, s->err);
    for (int y = 0; y < out->height; y++)
        (*rows)[y] = out->pixels + (size_t)y * (size_t)out->width * (size_t)n;
    png_read_image(png, *rows);
    png_read_end(png, info);
    png_facts(png, info, out);
    return 0;
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    struct png_source source = {.file = *file, .err = err};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_bytep *rows = NULL;
    const int status =
        info ? read_png(png, info, &source, mode, out, &rows) : image_no_memory(file->name, err);

    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return status;
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "\x89PNG\r\n\x1a\n", 8);
}

static size_t number(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
}

/* What chunks say beside the first: colours of a palette, before the pixels, and the orientation,
 * before or behind them. */
static void read_chunks(const struct image_file *file, struct image_header *out) {
    bool oriented = false;

    for (size_t at = AT_CHUNKS; at < file->len && file->len - at >= 8;) {
        const unsigned char *chunk = file->bytes + at, *data = chunk + 8;
        const size_t bytes = number(chunk), left = file->len - at - 8;

        if (bytes > left)
            return;
        if (memcmp(chunk + 4, "PLTE", 4) == 0 && !out->channels)
            out->channels = image_grey_palette(data, (int)(bytes / 3), 3) ? 1 : 3;
        if (memcmp(chunk + 4, "eXIf", 4) == 0 && !oriented) {
            out->orientation = image_exif(data, bytes);
            oriented = true;
        }
        if (left - bytes < 4)
            return;
        at += bytes + 12;
    }
}

static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    if (file->len < AT_CHUNKS)
        return image_broken(file, &image_png, "it ends too early", err);
    const unsigned char colour = file->bytes[AT_COLOUR];

    *out = (struct image_header){(int64_t)number(file->bytes + AT_WIDTH),
                                 (int64_t)number(file->bytes + AT_HEIGHT), 0, 1};
    if (colour != PNG_COLOR_TYPE_PALETTE)
        out->channels = colour & PNG_COLOR_MASK_COLOR ? 3 : 1;
    read_chunks(file, out);
    return out->channels ? 0 : image_broken(file, &image_png, "it has no palette", err);
}

const struct image_format image_png = {"PNG", is, decode, header, NULL};

int image_write_png(const char *path, int width, int height, int n, const unsigned char *pixels,
                    struct err *err) {
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = n == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    FILE *file = fopen(path, "wb");
    int written;

    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    written = png_image_write_to_stdio(&png, file, 0, pixels, 0, NULL);
    if (fclose(file) || !written)
        return err_set(err, ERR_IO, "%s: %s", path, written ? strerror(errno) : png.message);
    return 0;
}

int image_encode_png(const struct image *image, const char *name, unsigned char **bytes,
                     size_t *len, struct err *err) {
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(png);

    *bytes = malloc(room);
    if (!*bytes)
        return image_no_memory(name, err);
    if (!png_image_write_to_memory(&png, *bytes, &room, 0, image->pixels, 0, NULL)) {
        free(*bytes);
        *bytes = NULL;
        return err_set(err, ERR_IO, "%s: cannot be encoded: %s", name, png.message);
    }
    *len = room;
    return 0;
}
