/* JPEG by libjpeg. What libjpeg only warns of is an error where pixels are missing or wrong, and
 * harmless otherwise: cameras and telephones write much that is not quite by the rules. */
#include "io/image/image_jpeg.h"

#include <stdlib.h>
#include <string.h>

#include <jerror.h> /* which messages there are depends on how libjpeg was built */

enum { MOST_SCANS = 500 }; /* of a progressive file: more only keep the processor busy */

static void jpeg_failed(j_common_ptr jpeg) {
    struct jpeg_source *s = (struct jpeg_source *)jpeg->err;

    jpeg->err->format_message(jpeg, s->text);
    longjmp(s->failed, 1);
}

static void jpeg_warned(j_common_ptr jpeg, int level) {
    struct jpeg_source *s = (struct jpeg_source *)jpeg->err;

    if (level >= 0)
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_HIT_MARKER: /* data of a scan end too early */
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        jpeg_failed(jpeg);
        break;
    case JWRN_JPEG_EOF: /* alone it says that the end marker is missing */
        s->ended = true;
        break;
    default:
        break;
    }
    if (!s->flawed)
        jpeg->err->format_message(jpeg, s->flaw);
    s->flawed = true;
}

static void jpeg_progressed(j_common_ptr common) {
    const struct jpeg_decompress_struct *jpeg = (struct jpeg_decompress_struct *)common;
    struct jpeg_source *s = (struct jpeg_source *)common->err;

    if (jpeg->input_scan_number <= MOST_SCANS)
        return;
    snprintf(s->text, sizeof s->text, "it has more than %d scans", MOST_SCANS);
    longjmp(s->failed, 1);
}

void image_jpeg_begin(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                      const struct image_file *file) {
    jpeg->err = jpeg_std_error(&s->manager);
    s->manager.error_exit = jpeg_failed;
    s->manager.emit_message = jpeg_warned;
    jpeg_create_decompress(jpeg);
    s->progress.progress_monitor = jpeg_progressed;
    jpeg->progress = &s->progress;
    jpeg_mem_src(jpeg, file->bytes, file->len);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    if (jpeg_read_header(jpeg, TRUE) != JPEG_HEADER_OK) {
        snprintf(s->text, sizeof s->text, "it has no image");
        longjmp(s->failed, 1);
    }
}

int image_jpeg_orientation(const struct jpeg_decompress_struct *jpeg) {
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->data_length >= 6 && memcmp(m->data, "Exif", 5) == 0)
            return image_exif(m->data, m->data_length);
    return 1;
}

bool image_jpeg_inks(const struct jpeg_decompress_struct *jpeg) {
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

void image_jpeg_choose_output(struct jpeg_decompress_struct *jpeg, enum image_mode mode) {
    const bool grey = jpeg->jpeg_color_space == JCS_GRAYSCALE;

    if (image_jpeg_inks(jpeg))
        jpeg->out_color_space = JCS_CMYK;
    else if (grey || mode == IMAGE_GREY || mode == IMAGE_CLASSES)
        jpeg->out_color_space = JCS_GRAYSCALE;
    else
        jpeg->out_color_space = JCS_RGB;
}

void image_jpeg_check_scans(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s) {
    bool missing = false;

    for (int c = 0; c < jpeg->num_components; c++) {
        missing = missing || !jpeg->comp_info[c].quant_table; /* is set by the first scan of it */
        for (int k = 0; k < DCTSIZE2 && jpeg->coef_bits && s->ended; k++)
            missing = missing || jpeg->coef_bits[c][k] != 0;
    }
    if (!missing)
        return;
    snprintf(s->text, sizeof s->text, "it ends before its last scan");
    longjmp(s->failed, 1);
}

/* Adobe writes CMYK inverted, 255 is no ink, and so does everybody else. In place, 4 bytes to 3. */
static void inks_to_rgb(struct image *image) {
    const int64_t area = (int64_t)image->width * image->height;

    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = image->pixels + 4 * i;
        const unsigned black = p[3];

        for (int c = 0; c < 3; c++)
            image->pixels[3 * i + c] = (unsigned char)((p[c] * black + 127U) / 255U);
    }
    image->channels = 3;
}

int image_jpeg_error(const struct jpeg_source *s, const struct image_file *file, struct err *err) {
    if (s->manager.msg_code == JERR_OUT_OF_MEMORY)
        return image_no_memory(file->name, err);
    return image_broken(file, &image_jpeg, s->text, err);
}

/* All that changes is behind pointers, so that longjmp leaves it defined. */
static int jpeg_pixels(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                       const struct image_file *file, enum image_mode mode, struct image *out,
                       struct err *err) {
    if (setjmp(s->failed))
        return image_jpeg_error(s, file, err);
    image_jpeg_begin(jpeg, s, file);
    out->orientation = image_jpeg_orientation(jpeg);
    image_jpeg_choose_output(jpeg, mode);
    out->facts |= image_jpeg_inks(jpeg) ? IMAGE_INKS : 0U;
    jpeg_calc_output_dimensions(jpeg);
    if (image_init(out, file->name, jpeg->output_width, jpeg->output_height,
                   jpeg->out_color_components, err))
        return -1;
    jpeg_start_decompress(jpeg);
    image_jpeg_check_scans(jpeg, s);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = out->pixels +
                       (size_t)jpeg->output_scanline * (size_t)out->width * (size_t)out->channels;

        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return 0;
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_source source = {0};
    const int status = jpeg_pixels(&jpeg, &source, file, mode, out, err);

    jpeg_destroy_decompress(&jpeg);
    if (status)
        return -1;
    out->lossy = true;
    if (out->facts & IMAGE_INKS)
        inks_to_rgb(out);
    if (source.flawed) {
        out->facts |= IMAGE_FLAWED;
        snprintf(out->flaw, sizeof out->flaw, "%.79s", source.flaw);
    }
    return 0;
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "\xff\xd8\xff", 3);
}

static int read_header(struct jpeg_decompress_struct *jpeg, struct jpeg_source *s,
                       const struct image_file *file, struct image_header *out, struct err *err) {
    if (setjmp(s->failed))
        return image_jpeg_error(s, file, err);
    image_jpeg_begin(jpeg, s, file);
    *out = (struct image_header){jpeg->image_width, jpeg->image_height,
                                 jpeg->jpeg_color_space == JCS_GRAYSCALE ? 1 : 3,
                                 image_jpeg_orientation(jpeg)};
    return 0;
}

static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_source source = {0};
    const int status = read_header(&jpeg, &source, file, out, err);

    jpeg_destroy_decompress(&jpeg);
    return status;
}

const struct image_format image_jpeg = {"JPEG", is, decode, header, image_jpeg_piece};
