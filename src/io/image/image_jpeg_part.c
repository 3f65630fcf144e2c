/* A part of a JPEG: all bits up to its last row are read, as each block begins where the one before
 * ends; but only the blocks that the part touches become pixels. */
#include "io/image/image_jpeg.h"

#include <string.h>

/* Chroma between two samples is made of both: libjpeg takes the edge of what it decodes for that of
 * the picture, so that a few pixels there are not those of the whole. */
enum { MARGIN = 2, ROWS = 16 };

/* Pixels left .. right - 1 of rows top .. bottom - 1. */
struct rect {
    int left, top, right, bottom;
};

/* Where a part of an upright picture, of width x height, is stored. */
static struct rect stored(struct rect r, int orientation, int width, int height) {
    const bool swap = image_swaps(orientation);
    const int stored_width = swap ? height : width, stored_height = swap ? width : height;

    if (swap)
        r = (struct rect){r.top, r.left, r.bottom, r.right};
    if (image_column_0_last(orientation))
        r = (struct rect){stored_width - r.right, r.top, stored_width - r.left, r.bottom};
    if (image_row_0_last(orientation))
        r = (struct rect){r.left, stored_height - r.bottom, r.right, stored_height - r.top};
    return r;
}

/* Where bits are missing in all scans of a progressive file, libjpeg guesses them from blocks
 * around, of which a part knows fewer. */
static bool is_smoothed(const struct jpeg_decompress_struct *jpeg) {
    for (int c = 0; jpeg->coef_bits && c < jpeg->num_components; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (jpeg->coef_bits[c][k] != 0)
                return true;
    return false;
}

/* Leave out columns, whole blocks of them. Returns the first that is decoded. */
static int crop_columns(struct jpeg_decompress_struct *jpeg, const struct rect *r) {
    const int width = (int)jpeg->output_width;
    const int left = r->left > MARGIN ? r->left - MARGIN : 0;
    const int right = r->right < width - MARGIN ? r->right + MARGIN : width;
    JDIMENSION offset = (JDIMENSION)left, n = (JDIMENSION)(right - left);

    if (is_smoothed(jpeg) || right - left == width)
        return 0;
    jpeg_crop_scanline(jpeg, &offset, &n);
    return (int)offset;
}

/* Rows of the picture from `top` to before `bottom` to pixels, `stride` bytes apart. */
static void read_rows(struct jpeg_decompress_struct *jpeg, int top, int bottom,
                      unsigned char *pixels, size_t stride) {
    if (top && is_smoothed(jpeg))
        while ((int)jpeg->output_scanline < top)
            jpeg_read_scanlines(jpeg, &(JSAMPROW){pixels}, 1);
    else if (top)
        jpeg_skip_scanlines(jpeg, (JDIMENSION)top);
    while ((int)jpeg->output_scanline < bottom) {
        const int at = (int)jpeg->output_scanline, left = bottom - at;
        JSAMPROW rows[ROWS];

        for (int i = 0; i < ROWS && i < left; i++)
            rows[i] = pixels + (size_t)(at - top + i) * stride;
        jpeg_read_scanlines(jpeg, rows, (JDIMENSION)(left < ROWS ? left : ROWS));
    }
}

/* The header, and whether a part can be decoded: 0, 1 (whole) or -1. */
static int begin(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                 const struct image_file *file, enum image_mode mode,
                 const struct image_piece *piece, struct image_part *out, struct err *err) {
    const int reduction = image_piece_reduction(piece);

    image_jpeg_begin(jpeg, s, file);
    if (image_jpeg_inks(jpeg))
        return 1;
    if (image_check_size(file->name, jpeg->image_width, jpeg->image_height, err))
        return -1;
    const int width = (int)jpeg->image_width, height = (int)jpeg->image_height;
    const bool swap = image_swaps(image_jpeg_orientation(jpeg));
    if (image_check_piece(piece, file->name, swap ? height : width, swap ? width : height, err))
        return -1;
    image_jpeg_choose_output(jpeg, mode);
    jpeg->scale_num = (unsigned)(8 / reduction);
    jpeg->scale_denom = 8;
    jpeg_calc_output_dimensions(jpeg);
    out->reduction = reduction;
    out->channels = jpeg->out_color_components;
    out->picture_width = (int)(swap ? jpeg->output_height : jpeg->output_width);
    out->picture_height = (int)(swap ? jpeg->output_width : jpeg->output_height);
    return 0;
}

/* What a piece needs of the upright picture. */
static struct rect needed(const struct image_piece *piece, const struct image_part *part) {
    struct image_axis across, down;
    struct rect r;

    image_piece_axes(piece, part->reduction, part->picture_width, part->picture_height, &across,
                     &down);
    image_axis_reach(&across, &r.left, &r.right);
    image_axis_reach(&down, &r.top, &r.bottom);
    return r;
}

/* pixels[] of the rectangle as stored, upright. */
static int turn(struct image_part *part, const struct rect *r, int orientation,
                struct image_room *room, const char *name, struct err *err) {
    const size_t row_bytes = (size_t)part->width * (size_t)part->channels;
    unsigned char *turned;

    if (orientation == 1)
        return 0;
    turned = image_shelf(room, SHELF_TURNED, row_bytes * (size_t)part->height);
    if (!turned)
        return image_no_memory(name, err);
    image_turn_pixels(part->pixels, part->stride, r->right - r->left, r->bottom - r->top,
                      part->channels, orientation, turned);
    part->pixels = turned;
    part->stride = row_bytes;
    return 0;
}

/* All that changes is behind pointers, so that longjmp leaves it defined. */
static int decode_part(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                       const struct image_file *file, enum image_mode mode,
                       const struct image_piece *piece, struct image_room *room,
                       struct image_part *out, struct err *err) {
    if (setjmp(s->failed))
        return image_jpeg_error(s, file, err);
    const int status = begin(jpeg, s, file, mode, piece, out, err);
    if (status)
        return status;
    const struct rect upright = needed(piece, out);
    const int orientation = image_jpeg_orientation(jpeg);
    const struct rect r = stored(upright, orientation, out->picture_width, out->picture_height);

    jpeg_start_decompress(jpeg);
    image_jpeg_check_scans(jpeg, s);
    const int first = crop_columns(jpeg, &r);
    const size_t stride = (size_t)jpeg->output_width * (size_t)out->channels;
    unsigned char *pixels = image_shelf(room, SHELF_PIXELS, stride * (size_t)(r.bottom - r.top));
    if (!pixels)
        return image_no_memory(file->name, err);
    read_rows(jpeg, r.top, r.bottom, pixels, stride);
    out->pixels = pixels + (size_t)(r.left - first) * (size_t)out->channels;
    out->stride = stride;
    out->left = upright.left;
    out->top = upright.top;
    out->width = upright.right - upright.left;
    out->height = upright.bottom - upright.top;
    return turn(out, &r, orientation, room, file->name, err);
}

int image_jpeg_part(const struct image_file *file, enum image_mode mode,
                    const struct image_piece *piece, struct image_room *room,
                    struct image_part *out, struct err *err) {
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_source source = {0};
    const int status = decode_part(&jpeg, &source, file, mode, piece, room, out, err);

    jpeg_destroy_decompress(&jpeg);
    return status;
}
