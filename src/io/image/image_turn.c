/* Orientation: the tag 0x0112 of EXIF 2.32 (and of TIFF 6), and what it asks for. */
#include "io/image/image_private.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_BYTES = 12 };

/* A block of TIFF: every number is read by these two, which know where it ends. */
struct exif {
    const unsigned char *bytes;
    size_t len;
    bool big_endian;
};

static unsigned short_at(const struct exif *e, size_t at) {
    if (at > e->len || e->len - at < 2)
        return 0;
    return e->big_endian ? e->bytes[at] * 256U + e->bytes[at + 1]
                         : e->bytes[at + 1] * 256U + e->bytes[at];
}

static size_t long_at(const struct exif *e, size_t at) {
    const size_t first = short_at(e, at), second = short_at(e, at + 2);

    return e->big_endian ? first << 16 | second : second << 16 | first;
}

int image_exif(const unsigned char *bytes, size_t len) {
    struct exif e = {.bytes = bytes, .len = len};

    if (len >= 6 && memcmp(bytes, "Exif\0", 5) == 0) { /* the sixth byte is fill */
        e.bytes += 6;
        e.len -= 6;
    }
    if (e.len < 8 || (memcmp(e.bytes, "II", 2) != 0 && memcmp(e.bytes, "MM", 2) != 0))
        return 1;
    e.big_endian = e.bytes[0] == 'M';
    if (short_at(&e, 2) != 42)
        return 1;
    const size_t directory = long_at(&e, 4);
    const unsigned n = short_at(&e, directory);

    for (unsigned i = 0; i < n; i++) {
        const size_t entry = directory + 2 + (size_t)i * ENTRY_BYTES;

        if (entry > e.len || e.len - entry < ENTRY_BYTES)
            return 1;
        if (short_at(&e, entry) != TAG_ORIENTATION)
            continue;
        const unsigned value = short_at(&e, entry + 8);
        return short_at(&e, entry + 2) == TYPE_SHORT && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

bool image_swaps(int orientation) {
    return orientation >= 5;
}

/* Row 0 as stored is shown on top (1, 2), at the bottom (3, 4), on the left (5, 8) or on the right
 * (6, 7); column 0 on the left (1, 4), on the right (2, 3), on top (5, 6) or at the bottom (7, 8).
 */
bool image_row_0_last(int o) {
    return o == 3 || o == 4 || o == 6 || o == 7;
}

bool image_column_0_last(int o) {
    return o == 2 || o == 3 || o == 7 || o == 8;
}

void image_turn_pixels(const unsigned char *from, size_t stride, int width, int height,
                       int channels, int orientation, unsigned char *to) {
    const bool swap = image_swaps(orientation), row_0_last = image_row_0_last(orientation);
    const bool column_0_last = image_column_0_last(orientation);
    const int shown_width = swap ? height : width, shown_height = swap ? width : height;
    const size_t c = (size_t)channels;

    for (int y = 0; y < shown_height; y++)
        for (int x = 0; x < shown_width; x++, to += c) {
            int row = swap ? x : y, column = swap ? y : x;

            row = row_0_last ? height - 1 - row : row;
            column = column_0_last ? width - 1 - column : column;
            memcpy(to, from + (size_t)row * stride + (size_t)column * c, c);
        }
}

int image_turn(struct image *image, const char *name, struct err *err) {
    const int o = image->orientation, width = image->width, height = image->height;
    const size_t row_bytes = (size_t)width * (size_t)image->channels;

    if (o <= 1)
        return 0;
    unsigned char *turned = malloc(row_bytes * (size_t)height);
    if (!turned)
        return image_no_memory(name, err);
    image_turn_pixels(image->pixels, row_bytes, width, height, image->channels, o, turned);
    free(image->pixels);
    image->pixels = turned;
    image->width = image_swaps(o) ? height : width;
    image->height = image_swaps(o) ? width : height;
    return 0;
}
