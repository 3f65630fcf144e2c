/* mark.h - boxes, their classes and masks, drawn on pictures. */
#pragma once
#include <stdint.h>

/* Pixels to draw on, and the part of them that shows the picture which the boxes are of. */
struct mark_canvas {
    unsigned char *pixels;            /* [.., width, 3]: red, green, blue; borrowed */
    int64_t width;                    /* of a row of pixels */
    int64_t left, top, right, bottom; /* of the picture; nothing is drawn outside */
    double scale_x, scale_y;          /* pixels for a pixel of the picture */
};

enum { MARK_NUMBER = 24 };

/* Lists of boxes, one for each sample: MARK_REGION x1, y1, x2, y2; MARK_TRUTH also a class; and
 * MARK_FOUND a score, best first. Rows of no width and of classes below 0 are none. */
enum mark_kind { MARK_REGION = 4, MARK_TRUTH = 5, MARK_FOUND = 6 };
struct marks {
    enum mark_kind kind; /* and the numbers of a row */
    const float *rows;   /* [n, count, kind], borrowed */
    int64_t count;
    /* Of each row, 0 to 1, drawn from 1/2 on: of the picture's size, or stretched into the box.
     * NULL: none. */
    const float *masks; /* [n, count, mask_h, mask_w], borrowed */
    int64_t mask_h, mask_w;
    int64_t picture_h, picture_w;
    double least; /* score that is drawn */
    /* The name of a class, which may be put in number. NULL: its number. */
    const char *(*name)(const void *context, int class, char number[MARK_NUMBER]);
    const void *context;
};

/* Draw the list of a sample: truth dashed, what is found in full lines with its score, regions as
 * they are; masks below them half transparent; better ones above worse ones. */
void marks_draw(const struct marks *m, int64_t sample, const struct mark_canvas *canvas);

/* A colour for each class, as far apart as can be; grey below 0. */
void mark_colour(int64_t class, unsigned char rgb[3]);

/* Text of ASCII, letters as capitals, from its left upper corner: each character 3 x 5 squares of
 * `size` pixels, 4 apart. */
void mark_text(const struct mark_canvas *canvas, int64_t left, int64_t top, int64_t size,
               const char *text, const unsigned char rgb[3]);
