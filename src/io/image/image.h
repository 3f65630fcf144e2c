/* image.h - files of pictures, and images of another size. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum image_mode {
    IMAGE_AS_STORED,
    IMAGE_GREY,
    IMAGE_COLOUR,
    IMAGE_CLASSES, /* the numbers in the file: indices of a palette, grey values as they are */
};

/* What a user should hear of an image that was read. */
enum image_fact {
    IMAGE_ORIENTED = 1,    /* a tag in it says that it is not upright as stored */
    IMAGE_FLAWED = 2,      /* it breaks a rule of its format; no pixel is missing */
    IMAGE_DEEP = 4,        /* 16 bits a channel became 8: divided by 257 */
    IMAGE_TRANSPARENT = 8, /* laid on white (IMAGE_CLASSES: transparency is dropped) */
    IMAGE_FRAMES = 16,     /* the first of several frames or pages */
    IMAGE_INKS = 32,       /* CMYK became RGB, without its colour profile */
};
enum { IMAGE_N_FACTS = 6 };

/* {0} is releasable. */
struct image {
    int width, height, channels; /* 1 grey, 3 red, green, blue */
    unsigned char *pixels;       /* [height, width, channels], owned */
    bool palette;                /* IMAGE_CLASSES: the numbers are indices */
    bool lossy;                  /* the numbers are only near what they were */
    int orientation;             /* what EXIF says of the pixels as stored: 1 (upright) to 8 */
    unsigned facts;              /* of enum image_fact */
    char flaw[80];               /* IMAGE_FLAWED: which rule */
};

/* Read a JPEG, PNG, WebP, BMP, GIF or TIFF file, told apart by its content, and turn it upright as
 * its orientation tag says. As IMAGE_AS_STORED a palette of greys is grey, another is colour.
 * IMAGE_CLASSES: 16 bits are an error.
 * Errors: ERR_IO or ERR_DATA, beginning with the path; an incomplete image is an error, and so is
 * another format, by its name. */
int image_read(const char *path, enum image_mode mode, struct image *out, struct err *err);

/* The same without looking at the orientation tag: rows and columns as stored. */
int image_read_unturned(const char *path, enum image_mode mode, struct image *out, struct err *err);

/* image_read from bytes[len] in memory; `name` is what errors call it. */
int image_decode(const unsigned char *bytes, size_t len, const char *name, enum image_mode mode,
                 struct image *out, struct err *err);

/* The channels that IMAGE_AS_STORED would give, 1 or 3, from the header of the file alone; 0 where
 * it has none that can be read. */
int image_channels(const char *path);

/* The format that the beginning of a file is of, "JPEG"; NULL where that is none which is read, and
 * what[] then says what it is, with advice, as in "is X". */
enum { IMAGE_WHAT = 128 };
const char *image_format_of(const unsigned char *bytes, size_t len, char what[IMAGE_WHAT]);

void image_release(struct image *image);

/* Write pixels[height, width, channels], 1 or 3 channels, as a PNG file. Errors: ERR_IO. */
int image_write_png(const char *path, int width, int height, int channels,
                    const unsigned char *pixels, struct err *err);

/* Write class numbers[height, width] as a PNG file with a palette[256][3] of their colours, written
 * beside and renamed. Errors: ERR_IO. */
int image_write_palette(const char *path, int width, int height, const unsigned char *classes,
                        const unsigned char (*palette)[3], struct err *err);

/* image_write_png, written beside and renamed. */
int image_replace_png(const char *path, int width, int height, int channels,
                      const unsigned char *pixels, struct err *err);

/* The image, of 1 or 3 channels, as a JPEG of that quality, 1 to 100, colours at half the
 * resolution (4:2:0): *bytes is malloc'd, for the caller to free. Errors: ERR_IO. */
int image_encode_jpeg(const struct image *image, int quality, const char *name,
                      unsigned char **bytes, size_t *len, struct err *err);

enum image_fit {
    IMAGE_CROP,    /* keep the proportions; cut equally at both ends what does not fit */
    IMAGE_STRETCH, /* keep everything */
};

/* image at width x height into out[height, width, channels], as Pillow's BILINEAR: the filter is a
 * triangle whose base grows with the reduction: bilinear when enlarging, an average over the area
 * when reducing; rows first, to bytes, then columns.
 * Errors: ERR_IO when there is no memory. */
int image_resize(const struct image *image, int width, int height, enum image_fit fit,
                 unsigned char *out, struct err *err);

/* The same for classes: of each place the pixel nearest to its centre. */
void image_resize_nearest(const struct image *image, int width, int height, enum image_fit fit,
                          unsigned char *out);

/* A piece of an upright picture, at another size. */
struct image_piece {
    /* What becomes the output, in pixels of the picture; may begin and end between them. */
    double left, top, width, height;
    /* The pixels that count: the box itself where a piece is cut and then resized, the whole
     * picture where it is resized and then cut. The box lies within them. */
    int bound_left, bound_top, bound_width, bound_height;
    int out_width, out_height;
    bool mirrored; /* left becomes right, at last */
    bool reduced;  /* a JPEG may be decoded at 1/2, 1/4 or 1/8 where the box is reduced so much:
                      faster, and near what it would be */
};

/* Memory that decoding takes and keeps, for one thread; {0} is releasable. It grows to what the
 * largest piece so far has needed. */
enum { IMAGE_ROOM_SHELVES = 5 };
struct image_room {
    void *bytes[IMAGE_ROOM_SHELVES];
    size_t len[IMAGE_ROOM_SHELVES];
};
void image_room_release(struct image_room *room);

/* The size of the upright picture and the channels it is stored with, from its header alone: what
 * is broken behind it is not seen.
 * Errors: as image_decode. */
int image_size(const unsigned char *bytes, size_t len, const char *name, int *width, int *height,
               int *channels, struct err *err);

/* A piece of the picture in bytes[len]: decoded (of a JPEG only the rows and columns that count),
 * turned upright, resized as Pillow's BILINEAR, bit for bit where `reduced` is false: as
 * crop().resize() where the bound is the box, as resize(box=) where the bound is the picture, with
 * the edges of the box in double.
 *   mode  IMAGE_GREY or IMAGE_COLOUR
 *   out   [out_height, out_width, 1 or 3] bytes
 * Errors: as image_decode; of a sequential JPEG what is broken behind the rows that count may pass
 * unnoticed. ERR_DATA when the box does not lie in the bound and that in the picture. */
int image_decode_piece(const unsigned char *bytes, size_t len, const char *name,
                       enum image_mode mode, const struct image_piece *piece,
                       struct image_room *room, unsigned char *out, struct err *err);
