/* image_jpeg.h - what decoding a JPEG whole and decoding a piece of it share. */
#pragma once
#include "io/image/image_private.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h takes it for granted */

#include <jpeglib.h>

/* Where libjpeg leaves, and what it said. */
struct jpeg_source {
    struct jpeg_error_mgr manager; /* first: libjpeg knows only this */
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char text[JMSG_LENGTH_MAX];
    bool flawed, ended; /* ended: there was no end marker */
    char flaw[JMSG_LENGTH_MAX];
};

/* All below leave by s->failed where libjpeg does: after setjmp, with what changes behind pointers.
 */

/* Read the header. */
void image_jpeg_begin(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                      const struct image_file *file);

int image_jpeg_orientation(const struct jpeg_decompress_struct *jpeg);

/* Is it in CMYK? */
bool image_jpeg_inks(const struct jpeg_decompress_struct *jpeg);

/* The colours that libjpeg is to give: greys, red, green, blue, or inks. */
void image_jpeg_choose_output(struct jpeg_decompress_struct *jpeg, enum image_mode mode);

/* A file of several scans can end between two of them without a warning: refuse it. */
void image_jpeg_check_scans(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s);

/* What to say after s->failed. Returns -1. */
int image_jpeg_error(const struct jpeg_source *s, const struct image_file *file, struct err *err);

/* decode_piece of struct image_format. */
int image_jpeg_piece(const struct image_file *file, enum image_mode mode,
                     const struct image_piece *piece, struct image_room *room, unsigned char *out,
                     int *channels, struct err *err);
