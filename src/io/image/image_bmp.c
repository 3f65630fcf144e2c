/* BMP, all but its run-length coding. Source: Microsoft, "Bitmap Storage" (BITMAPCOREHEADER to
 * BITMAPV5HEADER). */
#include "io/image/image_private.h"

#include <string.h>

enum {
    FILE_HEADER = 14,
    OLD_HEADER = 12, /* of OS/2: sizes of 16 bits, palettes of 3 bytes a colour */
    INFO_HEADER = 40,
    OPACITY_HEADER = 56, /* headers from this size on have four masks; they stand at 40 anyway */
    MOST_HEADER = 1 << 12
};

enum bmp_coding { CODING_RGB = 0, CODING_MASKS = 3, CODING_MASKS_AND_OPACITY = 6 };

struct bmp {
    int64_t width, height;
    bool top_down;
    unsigned bits, coding;
    size_t pixels;    /* where they begin */
    size_t row_bytes; /* a multiple of 4 */
    uint32_t mask[4]; /* of 16 and 32 bits: red, green, blue, opacity; 0: none */
    int n_colours;    /* of the palette */
    unsigned char palette[256][4];
};

/* The caller knows that the bytes are there. */
static uint32_t number(const struct image_file *file, size_t at, int n) {
    uint32_t value = 0;

    for (int i = 0; i < n; i++)
        value |= (uint32_t)file->bytes[at + (size_t)i] << 8 * i;
    return value;
}

static int read_sizes(const struct image_file *file, uint32_t header, struct bmp *b,
                      struct err *err) {
    const int n = header == OLD_HEADER ? 2 : 4;
    const size_t at = FILE_HEADER + 4, after = at + 2 * (size_t)n;

    b->pixels = number(file, 10, 4);
    b->width = number(file, at, n);
    b->height = number(file, at + (size_t)n, n);
    if (n == 4) { /* signed; a negative height: the first row is the top */
        b->width = (int32_t)b->width;
        b->height = (int32_t)b->height;
    }
    b->top_down = b->height < 0;
    b->height = b->top_down ? -b->height : b->height;
    b->bits = number(file, after + 2, 2);
    b->coding = n == 2 ? CODING_RGB : number(file, FILE_HEADER + 16, 4);
    if (b->coding != CODING_RGB && b->coding != CODING_MASKS &&
        b->coding != CODING_MASKS_AND_OPACITY)
        return err_set(err, ERR_DATA,
                       "%s: is a compressed BMP, which is not read; convert it to PNG", file->name);
    if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 16 && b->bits != 24 &&
        b->bits != 32)
        return image_broken(file, &image_bmp, "it has neither 1, 4, 8, 16, 24 nor 32 bits a pixel",
                            err);
    if (b->coding && b->bits != 16 && b->bits != 32)
        return image_broken(file, &image_bmp, "it has masks, but not 16 or 32 bits a pixel", err);
    b->row_bytes = ((size_t)b->width * b->bits + 31) / 32 * 4;
    return 0;
}

static void read_masks(const struct image_file *file, uint32_t header, struct bmp *b) {
    static const uint32_t usual16[4] = {0x7c00, 0x3e0, 0x1f, 0};
    static const uint32_t usual32[4] = {0xff0000, 0xff00, 0xff, 0};
    const int n = b->coding == CODING_MASKS_AND_OPACITY || header >= OPACITY_HEADER ? 4 : 3;

    memcpy(b->mask, b->bits == 16 ? usual16 : usual32, sizeof b->mask);
    for (int i = 0; b->coding && i < n; i++)
        b->mask[i] = number(file, FILE_HEADER + INFO_HEADER + 4 * (size_t)i, 4);
}

static int read_palette(const struct image_file *file, uint32_t header, struct bmp *b,
                        struct err *err) {
    const size_t colour = header == OLD_HEADER ? 3 : 4, at = FILE_HEADER + (size_t)header;
    const uint32_t most = 1U << b->bits;
    const uint32_t used = header == OLD_HEADER ? 0 : number(file, FILE_HEADER + 32, 4);
    const uint32_t n = used && used < most ? used : most;

    if (at + colour * n > file->len)
        return image_broken(file, &image_bmp, "it ends inside its palette", err);
    for (uint32_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 3; c++)
            b->palette[i][c] = file->bytes[at + colour * i + 2 - c];
        b->palette[i][3] = 255;
    }
    b->n_colours = (int)n;
    return 0;
}

static int read_header(const struct image_file *file, struct bmp *b, struct err *err) {
    const uint32_t header = file->len >= FILE_HEADER + 4 ? number(file, FILE_HEADER, 4) : 0;

    if (header != OLD_HEADER && (header < INFO_HEADER || header > MOST_HEADER))
        return image_broken(file, &image_bmp, "its header is wrong, or missing", err);
    if (file->len < FILE_HEADER + (size_t)header)
        return image_broken(file, &image_bmp, "it ends inside its header", err);
    if (read_sizes(file, header, b, err))
        return -1;
    if (b->coding && file->len < FILE_HEADER + OPACITY_HEADER)
        return image_broken(file, &image_bmp, "it ends inside its masks", err);
    read_masks(file, header, b);
    return b->bits <= 8 ? read_palette(file, header, b, err) : 0;
}

/* One channel of a pixel, brought to 0 .. 255. */
static unsigned char masked(uint32_t pixel, uint32_t mask) {
    if (!mask)
        return 0;
    while (!(mask & 1)) {
        mask >>= 1;
        pixel >>= 1;
    }
    return (unsigned char)(((uint64_t)(pixel & mask) * 255 + mask / 2) / mask);
}

/* One row to 1 index, 3 or 4 channels a pixel. */
static void take_row(const struct bmp *b, const struct image_file *file, size_t from, int n,
                     unsigned char *to) {
    for (int64_t x = 0; x < b->width; x++, to += n) {
        const size_t bit = (size_t)x * b->bits;

        if (b->bits <= 8) {
            const unsigned byte = file->bytes[from + bit / 8];
            *to = (unsigned char)(byte >> (8 - b->bits - bit % 8) & ((1U << b->bits) - 1));
        } else {
            const uint32_t pixel = number(file, from + bit / 8, (int)b->bits / 8);
            for (int c = 0; c < n; c++)
                to[c] = masked(pixel, b->mask[c]);
        }
    }
}

/* Programs that know nothing of opacity leave its bytes 0. */
static void without_opacity(struct image *image) {
    const int64_t area = (int64_t)image->width * image->height;
    bool any = false;

    for (int64_t i = 0; i < area && !any; i++)
        any = image->pixels[4 * i + 3] != 0;
    for (int64_t i = 0; i < area && !any; i++)
        image->pixels[4 * i + 3] = 255;
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    struct bmp b = {0};

    if (read_header(file, &b, err))
        return -1;
    const int n = b.bits <= 8 ? 1 : b.mask[3] && b.bits != 24 ? 4 : 3;
    if (image_init(out, file->name, b.width, b.height, n, err))
        return -1;
    if (b.pixels > file->len || (file->len - b.pixels) / b.row_bytes < (size_t)b.height)
        return image_broken(file, &image_bmp, "it ends too early", err);
    for (int64_t y = 0; y < b.height; y++) {
        const int64_t row = b.top_down ? y : b.height - 1 - y;
        take_row(&b, file, b.pixels + (size_t)row * b.row_bytes, n,
                 out->pixels + (size_t)(y * b.width * n));
    }
    if (n == 4)
        without_opacity(out);
    out->palette = n == 1;
    if (n > 1 || mode == IMAGE_CLASSES)
        return 0;
    return image_colours(out, b.palette, b.n_colours, file->name, err);
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "BM", 2) && file->len >= FILE_HEADER + 4 &&
           number(file, FILE_HEADER, 4) <= MOST_HEADER;
}

static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    struct bmp b = {0};

    if (read_header(file, &b, err))
        return -1;
    const bool grey = b.bits <= 8 && image_grey_palette(b.palette[0], b.n_colours, 4);
    *out = (struct image_header){b.width, b.height, grey ? 1 : 3, 1};
    return 0;
}

const struct image_format image_bmp = {"BMP", is, decode, header, NULL};
