/* TIFF by libtiff: the first page; grey, colours, palettes and inks of up to 16 bits. */
#include "io/image/image_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum { MOST_BYTES = 1 << 30 }; /* libtiff's memory at a time */

/* A file in memory, and the first thing that libtiff had to say. */
struct tiff_source {
    struct image_file file;
    size_t at;
    char text[160];
};

/* What the tags say. */
struct tiff_facts {
    uint32_t width, height;
    uint16_t bits, samples, format, photometric, n_extra, extra, compression, orientation;
    bool grey;
};

static tmsize_t tiff_take(thandle_t handle, void *to, tmsize_t n) {
    struct tiff_source *s = handle;
    const size_t left = s->at < s->file.len ? s->file.len - s->at : 0;
    const size_t some = (size_t)n < left ? (size_t)n : left;

    memcpy(to, s->file.bytes + (some ? s->at : 0), some);
    s->at += some;
    return (tmsize_t)some;
}

static tmsize_t tiff_put(thandle_t handle, void *from, tmsize_t n) {
    (void)handle, (void)from, (void)n;
    return 0;
}

static toff_t tiff_seek(thandle_t handle, toff_t to, int from) {
    struct tiff_source *s = handle;

    s->at = (from == SEEK_CUR ? s->at : from == SEEK_END ? s->file.len : 0) + to;
    return s->at;
}

static int tiff_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t tiff_size(thandle_t handle) {
    return ((struct tiff_source *)handle)->file.len;
}

/* Without it libtiff 4.5 refuses uncompressed tiles that are no multiple of 1024 bytes. It only
 * reads there. */
static int tiff_map(thandle_t handle, void **base, toff_t *size) {
    const struct tiff_source *s = handle;

    *base = (void *)(uintptr_t)s->file.bytes;
    *size = s->file.len;
    return 1;
}

static void tiff_unmap(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

static int tiff_failed(TIFF *tiff, void *user, const char *module, const char *format, va_list ap) {
    struct tiff_source *s = user;

    (void)tiff, (void)module;
    if (!s->text[0])
        vsnprintf(s->text, sizeof s->text, format, ap);
    return 1; /* said: not to standard error */
}

/* Unknown tags, mostly: nothing that changes a pixel. */
static int tiff_warned(TIFF *tiff, void *user, const char *module, const char *format, va_list ap) {
    (void)tiff, (void)user, (void)module, (void)format, (void)ap;
    return 1;
}

static TIFF *open_tiff(struct tiff_source *s) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *tiff = NULL;

    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MOST_BYTES);
    TIFFOpenOptionsSetErrorHandlerExtR(options, tiff_failed, s);
    TIFFOpenOptionsSetWarningHandlerExtR(options, tiff_warned, s);
    tiff = TIFFClientOpenExt(s->file.name, "r", s, tiff_take, tiff_put, tiff_seek, tiff_close,
                             tiff_size, tiff_map, tiff_unmap, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static void read_facts(TIFF *tiff, struct tiff_facts *f) {
    uint16_t *extra = NULL, *red, *green, *blue;

    *f = (struct tiff_facts){.photometric = PHOTOMETRIC_MINISBLACK};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &f->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &f->height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &f->photometric);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &f->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &f->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &f->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &f->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &f->orientation);
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &f->n_extra, &extra) && f->n_extra)
        f->extra = extra[0];
    f->grey = f->photometric <= PHOTOMETRIC_MINISBLACK;
    if (f->photometric == PHOTOMETRIC_PALETTE && f->bits <= 8 &&
        TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
        const size_t bytes = sizeof *red << f->bits;
        f->grey = memcmp(red, green, bytes) == 0 && memcmp(red, blue, bytes) == 0;
    }
}

/* What would be read as something else than it is. */
static int check_facts(const struct image_file *file, const struct tiff_facts *f,
                       enum image_mode mode, struct err *err) {
    const bool grey =
        f->photometric <= PHOTOMETRIC_MINISBLACK || f->photometric == PHOTOMETRIC_PALETTE;
    const int colours = grey ? 1 : f->photometric == PHOTOMETRIC_SEPARATED ? 4 : 3;

    if (f->bits > 16 || (f->bits & (f->bits - 1)) ||
        (f->format != SAMPLEFORMAT_UINT && f->format != SAMPLEFORMAT_VOID))
        return err_set(err, ERR_DATA,
                       "%s: is a TIFF of %d-bit %s numbers, expected unsigned ones of 8 or 16 bits",
                       file->name, f->bits,
                       f->format == SAMPLEFORMAT_IEEEFP ? "floating-point"
                       : f->format == SAMPLEFORMAT_INT  ? "signed"
                       : f->format == SAMPLEFORMAT_UINT ? "unsigned"
                                                        : "complex");
    if (f->samples - f->n_extra != colours || f->n_extra > 1 ||
        (f->n_extra && (f->extra == EXTRASAMPLE_UNSPECIFIED || (grey && f->bits != 8))))
        return err_set(err, ERR_DATA,
                       "%s: is a TIFF of %d channels, expected grey or colour, perhaps with "
                       "transparency",
                       file->name, f->samples);
    if (mode == IMAGE_CLASSES && f->bits > 8)
        return image_deep_classes(file, err);
    if (mode == IMAGE_CLASSES && !grey && f->n_extra)
        return err_set(err, ERR_DATA,
                       "%s: is a mask in transparent colours, expected grey or a palette",
                       file->name);
    return 0;
}

/* What shows on white; libtiff has multiplied colours by their opacity, but not greys. */
static unsigned lay(unsigned value, unsigned opacity, bool multiplied) {
    const unsigned part = multiplied ? value : (value * opacity + 127) / 255;

    return part + 255 - opacity > 255 ? 255 : part + 255 - opacity;
}

/* 4 bytes to 1 or 3, in place. */
static void take_pixels(struct image *image, const struct tiff_facts *f, bool grey,
                        enum image_mode mode) {
    const int64_t area = (int64_t)image->width * image->height;
    const uint32_t *pixels = (const uint32_t *)(const void *)image->pixels;
    const bool multiplied = !(grey && f->n_extra && f->extra == EXTRASAMPLE_UNASSALPHA);
    /* classes of fewer than 8 bits were spread over 0 .. 255 */
    const unsigned spread =
        mode == IMAGE_CLASSES && grey && f->bits < 8 ? 255 / ((1U << f->bits) - 1) : 1;
    const int n = grey ? 1 : 3;

    for (int64_t i = 0; i < area; i++) {
        const uint32_t pixel = pixels[i];
        const unsigned rgb[] = {TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel)};
        const unsigned opacity = TIFFGetA(pixel);

        if (opacity < 255)
            image->facts |= IMAGE_TRANSPARENT;
        for (int c = 0; c < n; c++)
            image->pixels[n * i + c] =
                (unsigned char)(mode == IMAGE_CLASSES ? rgb[c] / spread
                                                      : lay(rgb[c], opacity, multiplied));
    }
    image->channels = n;
}

/* Grey of 16 bits, samples of 2 bytes, to 8 as all the others: libtiff takes the upper byte. `from`
 * is the next pixel, the skews are pixels (in the file, in the output) from a row's end to the
 * next. */
static void put_deep_grey(TIFFRGBAImage *tiff, uint32_t *to, uint32_t x, uint32_t y, uint32_t width,
                          uint32_t height, int32_t from_skew, int32_t to_skew,
                          unsigned char *from) {
    (void)x, (void)y;
    for (uint32_t row = 0; row < height; row++) {
        for (uint32_t i = 0; i < width; i++, from += 2) {
            uint16_t deep;

            memcpy(&deep, from, 2);
            const uint32_t v = (deep + 128U) / 257U;
            const uint32_t shown = tiff->photometric == PHOTOMETRIC_MINISWHITE ? 255 - v : v;
            *to++ = shown | shown << 8 | shown << 16 | 0xff000000U;
        }
        to += to_skew;
        from += 2 * (ptrdiff_t)from_skew;
    }
}

/* The pixels as libtiff packs them, the first row on top. */
static int read_pixels(TIFF *tiff, struct tiff_source *s, const struct tiff_facts *f, uint32_t *to,
                       struct err *err) {
    char why[1024] = "";
    TIFFRGBAImage image;
    int status;

    if (!TIFFRGBAImageBegin(&image, tiff, 1, why))
        return image_broken(&s->file, &image_tiff, why, err);
    image.req_orientation = ORIENTATION_TOPLEFT;
    if (f->bits == 16 && f->samples == 1)
        image.put.contig = put_deep_grey;
    status = TIFFRGBAImageGet(&image, to, f->width, f->height) ? 0 : -1;
    TIFFRGBAImageEnd(&image);
    if (status)
        image_broken(&s->file, &image_tiff, s->text[0] ? s->text : "it ends too early", err);
    return status;
}

static int orientation_of(const struct tiff_facts *f) {
    return f->orientation >= 1 && f->orientation <= 8 ? f->orientation : 1;
}

static int take(TIFF *tiff, struct tiff_source *s, const struct tiff_facts *f, enum image_mode mode,
                struct image *out, struct err *err) {
    const bool classes = mode == IMAGE_CLASSES, indices = f->photometric == PHOTOMETRIC_PALETTE;

    if (image_init(out, s->file.name, f->width, f->height, 4, err))
        return -1;
    if (classes && indices) /* so that indices come as they are */
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT); /* is turned later */
    if (read_pixels(tiff, s, f, (uint32_t *)(void *)out->pixels, err))
        return -1;
    take_pixels(out, f, f->grey || (classes && indices), mode);
    out->palette = indices;
    out->lossy = f->compression == COMPRESSION_JPEG || f->compression == COMPRESSION_OJPEG ||
                 f->compression == COMPRESSION_WEBP;
    out->orientation = orientation_of(f);
    out->facts |= f->bits > 8 ? IMAGE_DEEP : 0U;
    out->facts |= f->photometric == PHOTOMETRIC_SEPARATED ? IMAGE_INKS : 0U;
    out->facts |= TIFFLastDirectory(tiff) ? 0U : IMAGE_FRAMES;
    return 0;
}

static int broken_header(const struct tiff_source *s, struct err *err) {
    return image_broken(&s->file, &image_tiff,
                        s->text[0] ? s->text : "its header is wrong, or missing", err);
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    struct tiff_source source = {.file = *file};
    TIFF *tiff = open_tiff(&source);
    struct tiff_facts facts;
    int status;

    if (!tiff)
        return broken_header(&source, err);
    read_facts(tiff, &facts);
    status = check_facts(file, &facts, mode, err) || take(tiff, &source, &facts, mode, out, err);
    TIFFClose(tiff);
    return status ? -1 : 0;
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "II*\0", 4) || image_begins(file, 0, "MM\0*", 4) ||
           image_begins(file, 0, "II+\0", 4) || image_begins(file, 0, "MM\0+", 4);
}

static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    struct tiff_source source = {.file = *file};
    TIFF *tiff = open_tiff(&source);
    struct tiff_facts facts;

    if (!tiff)
        return broken_header(&source, err);
    read_facts(tiff, &facts);
    TIFFClose(tiff);
    *out = (struct image_header){facts.width, facts.height, facts.grey ? 1 : 3,
                                 orientation_of(&facts)};
    return 0;
}

const struct image_format image_tiff = {"TIFF", is, decode, header, NULL};
