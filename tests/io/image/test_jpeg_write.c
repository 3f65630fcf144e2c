/* JPEGs that are written. */
#include "io/scratch.h"

#include "io/image/image.h"

enum { WIDTH = 37, HEIGHT = 21 };

static void draw(struct image *image, int channels) {
    *image = (struct image){.width = WIDTH, .height = HEIGHT, .channels = channels};
    image->pixels = malloc((size_t)(WIDTH * HEIGHT * channels));
    assert_non_null(image->pixels);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        for (int c = 0; c < channels; c++)
            image->pixels[i * channels + c] =
                (unsigned char)(60 + 3 * (i % WIDTH) + 2 * (i / WIDTH) * (c == 1));
}

/* The bytes behind the marker, or NULL. */
static const unsigned char *marker(const unsigned char *bytes, size_t len, int code) {
    for (size_t i = 2; i + 4 < len && bytes[i] == 0xff;
         i += 2U + bytes[i + 2] * 256U + bytes[i + 3])
        if (bytes[i + 1] == code)
            return bytes + i + 4;
    return NULL;
}

static void pixels_come_back_nearly(void **state) {
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        struct image image, back = {0};
        struct err err = {0};
        unsigned char *bytes;
        size_t len;

        draw(&image, channels);
        assert_int_equal(image_encode_jpeg(&image, 95, "x", &bytes, &len, &err), 0);
        assert_int_equal(image_decode(bytes, len, "x", IMAGE_AS_STORED, &back, &err), 0);
        assert_true(back.width == WIDTH && back.height == HEIGHT && back.channels == channels);
        for (int i = 0; i < WIDTH * HEIGHT * channels; i++)
            assert_true(abs(image.pixels[i] - back.pixels[i]) < 12);
        free(bytes);
        image_release(&image);
        image_release(&back);
    }
}

/* What Pillow writes with save(quality=90): the first numbers of the tables that it, and Annex K of
 * ITU-T T.81 scaled by 20 %, have, and colours at half the resolution. */
static void tables_and_sampling_are_those_of_others(void **state) {
    static const unsigned char luma[] = {0, 3, 2, 2, 3, 2, 2, 3, 3};
    struct image image;
    unsigned char *bytes;
    struct err err = {0};
    size_t len;

    (void)state;
    draw(&image, 3);
    assert_int_equal(image_encode_jpeg(&image, 90, "x", &bytes, &len, &err), 0);
    assert_memory_equal(marker(bytes, len, 0xdb), luma, sizeof luma);
    const unsigned char *frame = marker(bytes, len, 0xc0);
    assert_non_null(frame);
    assert_int_equal(frame[5], 3);    /* components, each: number, sampling, table */
    assert_int_equal(frame[7], 0x22); /* luma 2x2 */
    assert_int_equal(frame[10], 0x11);
    free(bytes);
    image_release(&image);
}

static void lower_quality_is_smaller(void **state) {
    struct image image;
    struct err err = {0};
    size_t len, before = 0;

    (void)state;
    draw(&image, 3);
    for (int quality = 10; quality <= 100; quality += 30) {
        unsigned char *bytes;

        assert_int_equal(image_encode_jpeg(&image, quality, "x", &bytes, &len, &err), 0);
        assert_true(len > before);
        before = len;
        free(bytes);
    }
    image_release(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_come_back_nearly),
        cmocka_unit_test(tables_and_sampling_are_those_of_others),
        cmocka_unit_test(lower_quality_is_smaller),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
