/* image_private.h - what the formats of pictures share. */
#pragma once
#include "io/image/image.h"

#include <stdint.h>

/* A whole file, or its beginning, and what errors call it. */
struct image_file {
    const unsigned char *bytes; /* [len] */
    size_t len;
    const char *name;
};

/* What the header of a file says of its picture. */
struct image_header {
    int64_t width, height; /* as stored */
    int channels;          /* 1 or 3, as IMAGE_AS_STORED gives them */
    int orientation;       /* 1 to 8 */
};

struct image_format {
    const char *name;
    bool (*is)(const struct image_file *file);
    /* Everything into *out but turning it and bringing it to the channels of the mode: `channels`
     * may be 2 and 4, too, the last of them opacity. What is in *out on an error is released by the
     * caller. Errors: ERR_DATA, ERR_IO, beginning with the name. */
    int (*decode)(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err);
    /* The header alone; a file that ends behind it is none the worse. Errors: ERR_DATA, ERR_IO. */
    int (*header)(const struct image_file *file, struct image_header *out, struct err *err);
    /* image_decode_piece, by what this format can do about it; *channels is what out has got, 1 or
     * 3. 1: this file is to be decoded whole, as all are where it is NULL. Errors: as decode. */
    int (*decode_piece)(const struct image_file *file, enum image_mode mode,
                        const struct image_piece *piece, struct image_room *room,
                        unsigned char *out, int *channels, struct err *err);
};

extern const struct image_format image_jpeg, image_png, image_webp, image_bmp, image_gif,
    image_tiff;

/* What bytes of no format above are, as in "is X": with advice; never NULL. text[room] may be used
 * for it. */
const char *image_kind(const struct image_file *file, char *text, size_t room);

int image_no_memory(const char *name, struct err *err);

/* "NAME: broken FORMAT: WHAT" */
int image_broken(const struct image_file *file, const struct image_format *format, const char *what,
                 struct err *err);

/* IMAGE_CLASSES: numbers of 16 bits are none. */
int image_deep_classes(const struct image_file *file, struct err *err);

/* Is text[len] at byte `at`? */
bool image_begins(const struct image_file *file, size_t at, const char *text, size_t len);

/* Refuse sizes that are none or too large. */
int image_check_size(const char *name, int64_t width, int64_t height, struct err *err);

/* The format of a file by its content. Errors: ERR_DATA, saying what it is. */
const struct image_format *image_format(const struct image_file *file, struct err *err);

/* Room for width x height pixels; sizes that are none or too large are refused. Keeps what *out
 * holds beside them. */
int image_init(struct image *out, const char *name, int64_t width, int64_t height, int channels,
               struct err *err);

/* Are the n colours, `stride` bytes from one to the next, all greys? */
bool image_grey_palette(const unsigned char *palette, int n, int stride);

/* Indices to their colours palette[n][4] (red, green, blue, opacity), which replace them: 1 channel
 * where all are grey, 3, or with opacity 2 or 4. Indices of n and above are black. */
int image_colours(struct image *image, const unsigned char (*palette)[4], int n, const char *name,
                  struct err *err);

/* Bring 1 to 4 channels to those of the mode: transparent pixels are laid on white. */
int image_settle(struct image *image, enum image_mode mode, const char *name, struct err *err);

/* The orientation, 1 to 8, in a block of EXIF, with or without "Exif\0\0" before it; 1 where it
 * says none that exists. */
int image_exif(const unsigned char *bytes, size_t len);

/* Turn the pixels upright. Errors: ERR_IO without memory. */
int image_turn(struct image *image, const char *name, struct err *err);

/* What an orientation asks for: rows become columns; the first row, the first column is shown last,
 * be it as a row or as a column. */
bool image_swaps(int orientation);
bool image_row_0_last(int orientation);
bool image_column_0_last(int orientation);

/* The same of from[height] rows of [width, channels], `stride` bytes apart, to `to`, packed. */
void image_turn_pixels(const unsigned char *from, size_t stride, int width, int height,
                       int channels, int orientation, unsigned char *to);
