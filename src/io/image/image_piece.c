/* From the bytes of a file to a piece of its picture at another size. */
#include "io/image/image_resample.h"

#include <math.h>
#include <string.h>

/* Boxes are computed: their ends may miss those of the bound by what rounding leaves. */
static const double slack = 1e-6;

static bool lies_within(double low, double len, int bound_low, int bound_len, int picture_len) {
    return bound_low >= 0 && bound_len > 0 && bound_len <= picture_len - bound_low && len > 0 &&
           low >= bound_low - slack && low + len <= bound_low + bound_len + slack;
}

int image_check_piece(const struct image_piece *p, const char *name, int width, int height,
                      struct err *err) {
    if (p->out_width > 0 && p->out_height > 0 &&
        lies_within(p->left, p->width, p->bound_left, p->bound_width, width) &&
        lies_within(p->top, p->height, p->bound_top, p->bound_height, height))
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: is %dx%d pixels, which do not hold the piece of %gx%g pixels at %g, %g",
                   name, width, height, p->width, p->height, p->left, p->top);
}

int image_piece_reduction(const struct image_piece *p) {
    int reduction = 1;

    while (p->reduced && reduction < 8 && p->width >= 2.0 * reduction * p->out_width &&
           p->height >= 2.0 * reduction * p->out_height)
        reduction *= 2;
    return reduction;
}

/* len: pixels of the picture at 1 / reduction; what counts is rounded to whole ones of them. */
static struct image_axis axis_of(double begin, double extent, int n, int bound, int bound_len,
                                 int reduction, int len) {
    const int low = bound / reduction;
    const int end = (bound + bound_len + reduction - 1) / reduction;

    return (struct image_axis){.begin = begin / reduction - low,
                               .step = extent / reduction / n,
                               .n = n,
                               .low = low,
                               .len = (end < len ? end : len) - low};
}

void image_piece_axes(const struct image_piece *p, int reduction, int width, int height,
                      struct image_axis *across, struct image_axis *down) {
    *across =
        axis_of(p->left, p->width, p->out_width, p->bound_left, p->bound_width, reduction, width);
    *down =
        axis_of(p->top, p->height, p->out_height, p->bound_top, p->bound_height, reduction, height);
    across->mirrored = p->mirrored;
}

/* All pixels, where a format knows no pieces. */
static int decode_whole(const struct image_file *file, enum image_mode mode,
                        const struct image_piece *piece, struct image_room *room,
                        unsigned char *out, int *channels, struct err *err) {
    struct image image = {0};
    struct image_axis across, down;

    int status = image_decode(file->bytes, file->len, file->name, mode, &image, err) ||
                         image_check_piece(piece, file->name, image.width, image.height, err)
                     ? -1
                     : 0;
    if (!status) {
        image_piece_axes(piece, 1, image.width, image.height, &across, &down);
        *channels = image.channels;
        if (image_resample(image.pixels, (size_t)image.width * (size_t)image.channels,
                           image.channels, &across, &down, room, out))
            status = image_no_memory(file->name, err);
    }
    image_release(&image);
    return status;
}

/* In place, from the end: grey[n] to [n, 3]. */
static void spread_grey(unsigned char *pixels, size_t n) {
    for (size_t i = n; i-- > 0;)
        memset(pixels + 3 * i, pixels[i], 3);
}

int image_decode_piece(const unsigned char *bytes, size_t len, const char *name,
                       enum image_mode mode, const struct image_piece *piece,
                       struct image_room *room, unsigned char *out, struct err *err) {
    const struct image_file file = {bytes, len, name};
    const struct image_format *format = image_format(&file, err);
    int channels = 3, status = 1;

    if (!format)
        return -1;
    if (format->decode_piece)
        status = format->decode_piece(&file, mode, piece, room, out, &channels, err);
    if (status > 0)
        status = decode_whole(&file, mode, piece, room, out, &channels, err);
    if (!status && channels == 1 && mode == IMAGE_COLOUR)
        spread_grey(out, (size_t)piece->out_width * (size_t)piece->out_height);
    return status;
}
