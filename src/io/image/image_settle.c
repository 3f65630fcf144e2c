/* From the channels of a file to those that were asked for. */
#include "io/image/image_private.h"

#include <stdlib.h>

bool image_grey_palette(const unsigned char *palette, int n, int stride) {
    for (int i = 0; i < n; i++) {
        const unsigned char *p = palette + i * stride;

        if (p[0] != p[1] || p[0] != p[2])
            return false;
    }
    return n > 0;
}

int image_colours(struct image *image, const unsigned char (*palette)[4], int n, const char *name,
                  struct err *err) {
    static const unsigned char black[4] = {0, 0, 0, 255};
    const int64_t area = (int64_t)image->width * image->height;
    const bool grey = image_grey_palette(palette[0], n, 4);
    unsigned char *indices = image->pixels;
    bool opaque = true;

    for (int i = 0; i < n; i++)
        opaque = opaque && palette[i][3] == 255;
    image->pixels = NULL;
    if (image_init(image, name, image->width, image->height, (grey ? 1 : 3) + !opaque, err)) {
        free(indices);
        return -1;
    }
    unsigned char *to = image->pixels;
    for (int64_t i = 0; i < area; i++) {
        const unsigned char *from = indices[i] < n ? palette[indices[i]] : black;

        for (int c = 0; c < (grey ? 1 : 3); c++)
            *to++ = from[c];
        if (!opaque)
            *to++ = from[3];
    }
    free(indices);
    return 0;
}

/* In place: 2 channels to 1, 4 to 3. Where `lay` is false, opacity is dropped. */
static void drop_opacity(struct image *image, bool lay) {
    const int64_t area = (int64_t)image->width * image->height;
    const int colours = image->channels - 1;
    const unsigned char *from = image->pixels;
    unsigned char *to = image->pixels;

    for (int64_t i = 0; i < area; i++, from += colours + 1) {
        const unsigned opacity = from[colours];

        if (opacity < 255)
            image->facts |= IMAGE_TRANSPARENT;
        for (int c = 0; c < colours; c++)
            *to++ = lay ? (unsigned char)((from[c] * opacity + 255 * (255 - opacity) + 127) / 255)
                        : from[c];
    }
    image->channels = colours;
}

/* In place; the weights of ITU-R BT.601, as libjpeg has them. */
static void to_grey(struct image *image) {
    const int64_t area = (int64_t)image->width * image->height;

    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = image->pixels + 3 * i;

        image->pixels[i] = (unsigned char)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
    }
    image->channels = 1;
}

static int to_colour(struct image *image, const char *name, struct err *err) {
    const int64_t area = (int64_t)image->width * image->height;
    unsigned char *grey = image->pixels;

    image->pixels = NULL;
    if (image_init(image, name, image->width, image->height, 3, err)) {
        free(grey);
        return -1;
    }
    for (int64_t i = 0; i < 3 * area; i++)
        image->pixels[i] = grey[i / 3];
    free(grey);
    return 0;
}

int image_settle(struct image *image, enum image_mode mode, const char *name, struct err *err) {
    if (image->channels % 2 == 0)
        drop_opacity(image, mode != IMAGE_CLASSES);
    if (image->channels == 3 && mode == IMAGE_GREY)
        to_grey(image);
    if (image->channels == 1 && mode == IMAGE_COLOUR)
        return to_colour(image, name, err);
    return 0;
}
