/* image_resample.h - how pixels come to another size, and what a piece needs of a picture. */
#pragma once
#include "io/image/image_private.h"

/* What the kept memory of a room is for. */
enum image_shelf { SHELF_PIXELS, SHELF_TURNED, SHELF_WIDE, SHELF_TAPS, SHELF_TAPS_DOWN };

/* `bytes` of the room's memory for one purpose, not zeroed, valid until asked for again; NULL:
 * there is none. */
void *image_shelf(struct image_room *room, enum image_shelf shelf, size_t bytes);

/* One direction of a resize: output i has its centre at begin + (i + 0.5) * step, counted from the
 * first pixel that counts. */
struct image_axis {
    double begin, step;
    int n;        /* outputs */
    int low, len; /* the pixels that count: low .. low + len - 1 of the picture */
    bool mirrored;
};

/* Output i is the sum of weight[i * room + k] * input[first[i] + k] over k < n[i]; mirrored, that
 * of output n - 1 - i. */
struct image_taps {
    int room;        /* weights an output has place for: a multiple of 4; those behind n[i] are 0 */
    int *first, *n;  /* n is 1 at least */
    int32_t *weight; /* of 2^IMAGE_WEIGHT_BITS */
};

/* Products with bytes, and their sums, are below 2^31. */
enum { IMAGE_WEIGHT_BITS = 22 };

/* The pixels of the picture, from *first to before *end, that the outputs are made of. */
void image_axis_reach(const struct image_axis *a, int *first, int *end);

/* Weights of a triangle of half-width max(1, step), as Pillow's BILINEAR. -1: no memory. */
int image_taps_init(struct image_taps *t, const struct image_axis *a, enum image_shelf shelf,
                    struct image_room *room);

/* A resize under way: which pixels it needs, and what has become of those it got. */
struct image_resample {
    int left, top, right, bottom; /* columns left .. right - 1 of rows top .. bottom - 1 */
    int channels;
    struct image_taps across, down; /* `first` counted from left and top */
    int width, height;              /* of the output */
    unsigned char *wide;            /* [bottom - top] rows of `width` pixels */
    size_t stride;                  /* bytes from one to the next */
    unsigned char *copies;          /* of four rows */
};

/* Memory is that of the room, until it is asked for another. -1: no memory. */
int image_resample_init(struct image_resample *r, const struct image_axis *across,
                        const struct image_axis *down, int channels, struct image_room *room);

/* Take rows first .. first + n - 1 of those that are needed, in any order.
 *   pixels  [n] rows of [right - left, channels], `stride` bytes apart; borrowed for the call */
void image_resample_rows(struct image_resample *r, const unsigned char *pixels, size_t stride,
                         int first, int n);

/* When all rows were taken: out[height, width, channels]. */
void image_resample_end(const struct image_resample *r, unsigned char *out);

/* All at once, of a picture[_, _, channels] whose rows are `stride` bytes apart. -1: no memory. */
int image_resample(const unsigned char *picture, size_t stride, int channels,
                   const struct image_axis *across, const struct image_axis *down,
                   struct image_room *room, unsigned char *out);

/* The axes of a piece, of a picture at 1 / reduction that is width x height pixels then. */
void image_piece_axes(const struct image_piece *piece, int reduction, int width, int height,
                      struct image_axis *across, struct image_axis *down);

/* How much smaller a JPEG may be decoded: 1, 2, 4 or 8. */
int image_piece_reduction(const struct image_piece *piece);

/* Refuse a piece that does not lie in an upright picture of width x height. */
int image_check_piece(const struct image_piece *piece, const char *name, int width, int height,
                      struct err *err);

/* Loops over pixels. All give the same bits. */
struct image_kernels {
    /* Four rows of [_, 1 or 3] bytes along `t` to n outputs each; 16 bytes may be read behind the
     * last pixel that t reaches, 1 may be written behind the last output. */
    void (*across)(const unsigned char *const row[4], int channels, const struct image_taps *t,
                   int n, unsigned char *const to[4]);
    /* One output row: the weighted sum of n_rows rows of `len` bytes, `stride` apart. */
    void (*down)(const unsigned char *rows, size_t stride, const int32_t *weight, int n_rows,
                 size_t len, unsigned char *to);
};

extern const struct image_kernels image_kernels_plain;

/* The fastest that this processor has. */
const struct image_kernels *image_kernels(void);
