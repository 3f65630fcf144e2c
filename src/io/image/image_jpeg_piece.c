/* A piece of a JPEG: all bits up to its last row are read, as each block begins where the one
 * before ends; but only the blocks that the piece touches become pixels, a few rows at a time. */
#include "io/image/image_jpeg.h"
#include "io/image/image_resample.h"

/* Chroma between two samples is made of both: libjpeg takes the edge of what it decodes for that of
 * the picture, so that a few pixels there are not those of the whole. */
enum { MARGIN = 2 };

/* Rows that are resized while they are in the cache: a multiple of four. */
enum { STRIP = 16 };

/* Pixels left .. right - 1 of rows top .. bottom - 1. */
struct rect {
    int left, top, right, bottom;
};

/* Where a piece of an upright picture is stored, in width x height pixels as stored. */
static struct rect stored(struct rect r, int orientation, int width, int height) {
    if (image_swaps(orientation))
        r = (struct rect){r.top, r.left, r.bottom, r.right};
    if (image_column_0_last(orientation))
        r = (struct rect){width - r.right, r.top, width - r.left, r.bottom};
    if (image_row_0_last(orientation))
        r = (struct rect){r.left, height - r.bottom, r.right, height - r.top};
    return r;
}

/* Where bits are missing in all scans of a progressive file, libjpeg guesses them from blocks
 * around, of which a piece knows fewer. */
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

/* Leave out rows before `top`. `row`: room for one. */
static void skip_rows(struct jpeg_decompress_struct *jpeg, int top, unsigned char *row) {
    if (top && !is_smoothed(jpeg))
        jpeg_skip_scanlines(jpeg, (JDIMENSION)top);
    while ((int)jpeg->output_scanline < top)
        jpeg_read_scanlines(jpeg, &(JSAMPROW){row}, 1);
}

/* The next n rows to pixels, `stride` bytes apart. */
static void read_rows(struct jpeg_decompress_struct *jpeg, int n, unsigned char *pixels,
                      size_t stride) {
    for (int done = 0; done < n;) {
        const int some = n - done < STRIP ? n - done : STRIP;
        JSAMPROW rows[STRIP];

        for (int i = 0; i < some; i++)
            rows[i] = pixels + (size_t)(done + i) * stride;
        done += (int)jpeg_read_scanlines(jpeg, rows, (JDIMENSION)some);
    }
}

/* The header, and what the resize needs: 0, 1 (to be decoded whole) or -1. */
static int begin(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                 const struct image_file *file, enum image_mode mode,
                 const struct image_piece *piece, struct image_room *room, struct image_resample *r,
                 struct err *err) {
    const int reduction = image_piece_reduction(piece);
    struct image_axis across, down;

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
    image_piece_axes(piece, reduction, (int)(swap ? jpeg->output_height : jpeg->output_width),
                     (int)(swap ? jpeg->output_width : jpeg->output_height), &across, &down);
    if (image_resample_init(r, &across, &down, jpeg->out_color_components, room))
        return image_no_memory(file->name, err);
    return 0;
}

/* Pixels as stored, which lie in all rows from `top` on, turned upright. */
static int resample_turned(struct jpeg_decompress_struct *jpeg, const struct rect *stored,
                           int first, struct image_room *room, struct image_resample *r) {
    const size_t c = (size_t)r->channels, stride = (size_t)jpeg->output_width * c;
    const int width = stored->right - stored->left, height = stored->bottom - stored->top;
    unsigned char *pixels = image_shelf(room, SHELF_PIXELS, stride * (size_t)height);
    unsigned char *turned = image_shelf(room, SHELF_TURNED, (size_t)width * (size_t)height * c);

    if (!pixels || !turned)
        return -1;
    skip_rows(jpeg, stored->top, pixels);
    read_rows(jpeg, height, pixels, stride);
    image_turn_pixels(pixels + (size_t)(stored->left - first) * c, stride, width, height,
                      r->channels, image_jpeg_orientation(jpeg), turned);
    image_resample_rows(r, turned, (size_t)(r->right - r->left) * c, r->top, r->bottom - r->top);
    return 0;
}

static int resample_upright(struct jpeg_decompress_struct *jpeg, int first, struct image_room *room,
                            struct image_resample *r) {
    const size_t c = (size_t)r->channels, stride = (size_t)jpeg->output_width * c;
    unsigned char *pixels = image_shelf(room, SHELF_PIXELS, stride * STRIP);

    if (!pixels)
        return -1;
    skip_rows(jpeg, r->top, pixels);
    for (int y = r->top; y < r->bottom; y += STRIP) {
        const int n = r->bottom - y < STRIP ? r->bottom - y : STRIP;

        read_rows(jpeg, n, pixels, stride);
        image_resample_rows(r, pixels + (size_t)(r->left - first) * c, stride, y, n);
    }
    return 0;
}

/* All that changes is behind pointers, so that longjmp leaves it defined. */
static int decode_piece(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                        const struct image_file *file, enum image_mode mode,
                        const struct image_piece *piece, struct image_room *room,
                        struct image_resample *r, struct err *err) {
    if (setjmp(s->failed))
        return image_jpeg_error(s, file, err);
    const int status = begin(jpeg, s, file, mode, piece, room, r, err);
    if (status)
        return status;
    const int orientation = image_jpeg_orientation(jpeg);
    const struct rect upright = {r->left, r->top, r->right, r->bottom};
    const struct rect rect =
        stored(upright, orientation, (int)jpeg->output_width, (int)jpeg->output_height);

    jpeg_start_decompress(jpeg);
    image_jpeg_check_scans(jpeg, s);
    const int first = crop_columns(jpeg, &rect);
    if (orientation == 1 ? resample_upright(jpeg, first, room, r)
                         : resample_turned(jpeg, &rect, first, room, r))
        return image_no_memory(file->name, err);
    return 0;
}

int image_jpeg_piece(const struct image_file *file, enum image_mode mode,
                     const struct image_piece *piece, struct image_room *room, unsigned char *out,
                     int *channels, struct err *err) {
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_source source = {0};
    struct image_resample resample;
    const int status = decode_piece(&jpeg, &source, file, mode, piece, room, &resample, err);

    jpeg_destroy_decompress(&jpeg);
    if (status)
        return status;
    image_resample_end(&resample, out);
    *channels = resample.channels;
    return 0;
}
