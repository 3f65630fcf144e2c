/* Pixels to JPEG, as other programs of the field do: 4:2:0, tables of Annex K scaled to the
 * quality.
 */
#include "io/image/image_private.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h takes it for granted */
#include <stdlib.h>

#include <jpeglib.h>

struct jpeg_target {
    struct jpeg_error_mgr manager; /* first: libjpeg knows only this */
    jmp_buf failed;
    char text[JMSG_LENGTH_MAX];
    unsigned char *bytes; /* malloc'd by libjpeg */
    unsigned long len;
};

static void write_failed(j_common_ptr jpeg) {
    struct jpeg_target *t = (struct jpeg_target *)jpeg->err;

    jpeg->err->format_message(jpeg, t->text);
    longjmp(t->failed, 1);
}

/* All that changes is behind pointers, so that longjmp leaves it defined. */
static int compress(struct jpeg_compress_struct *jpeg, struct jpeg_target *t,
                    const struct image *image, int quality) {
    if (setjmp(t->failed))
        return -1;
    jpeg->err = jpeg_std_error(&t->manager);
    t->manager.error_exit = write_failed;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &t->bytes, &t->len);
    jpeg->image_width = (JDIMENSION)image->width;
    jpeg->image_height = (JDIMENSION)image->height;
    jpeg->input_components = image->channels;
    jpeg->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = image->pixels +
                       (size_t)jpeg->next_scanline * (size_t)image->width * (size_t)image->channels;

        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return 0;
}

int image_encode_jpeg(const struct image *image, int quality, const char *name,
                      unsigned char **bytes, size_t *len, struct err *err) {
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_target target = {0};
    const int status = compress(&jpeg, &target, image, quality);

    jpeg_destroy_compress(&jpeg);
    if (status) {
        free(target.bytes);
        return err_set(err, ERR_IO, "%s: cannot be written as JPEG: %s", name, target.text);
    }
    *bytes = target.bytes;
    *len = target.len;
    return 0;
}
