/* Every format beside what Pillow reads, or what its pixels were made from; what is no format that
 * is read; and files that are damaged. */
#include "io/jpeg.h"

#include "io/image/golden_pictures.h"
#include "io/image/image.h"

enum { N_REFUSED = sizeof golden_refused / sizeof *golden_refused };
enum { N_PICTURES = sizeof golden_pictures / sizeof *golden_pictures };

/* Bytes of hexadecimal text, malloc'd, so that reading past their end is seen. */
static unsigned char *unhex(const char *text, size_t *n) {
    unsigned char *bytes = malloc(strlen(text) / 2 + 1);

    assert_non_null(bytes);
    *n = strlen(text) / 2;
    for (size_t i = 0; i < *n; i++) {
        const char digits[] = {text[2 * i], text[2 * i + 1], 0};
        bytes[i] = (unsigned char)strtol(digits, NULL, 16);
    }
    return bytes;
}

static unsigned char *file_of(const struct golden_picture *g, size_t *n) {
    unsigned char *padded = unhex(g->file, n), *bytes = malloc(*n);

    assert_non_null(bytes);
    memcpy(bytes, padded, *n);
    free(padded);
    return bytes;
}

static void decoded(const struct golden_picture *g, enum image_mode mode, struct image *image) {
    struct err err = {0};
    size_t n;
    unsigned char *bytes = file_of(g, &n);

    if (image_decode(bytes, n, g->name, mode, image, &err))
        fail_msg("%s", err.msg);
    free(bytes);
}

static void assert_pixels(const struct golden_picture *g, const struct image *image,
                          const char *expected, int tolerance) {
    size_t n;
    unsigned char *pixels = unhex(expected, &n);

    if ((size_t)(image->width * image->height * image->channels) != n)
        fail_msg("%s: %dx%d, %d channels", g->name, image->width, image->height, image->channels);
    for (size_t i = 0; i < n; i++)
        if (abs(image->pixels[i] - pixels[i]) > tolerance)
            fail_msg("%s: byte %zu of %zu is %d, expected %d", g->name, i, n, image->pixels[i],
                     pixels[i]);
    free(pixels);
}

/* Bytes are exact but where inks are mixed, bits are spread, or libtiff lays transparency on white
 * in two steps. */
static int tolerance_of(const struct golden_picture *g) {
    return strstr(g->name, "inks") || strstr(g->name, "5-6-5") || !strcmp(g->name, "tiff rgba");
}

static void every_format_is_read_as_it_is_seen(void **state) {
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        struct image image = {0};

        decoded(g, IMAGE_AS_STORED, &image);
        if (image.width != g->width || image.height != g->height || image.channels != g->channels)
            fail_msg("%s: %dx%d, %d channels", g->name, image.width, image.height, image.channels);
        assert_pixels(g, &image, g->pixels, tolerance_of(g));
        if (image.facts != g->facts)
            fail_msg("%s: facts are %x, expected %x", g->name, image.facts, g->facts);
        image_release(&image);
    }
}

static void classes_are_the_numbers_in_the_file(void **state) {
    int n = 0;

    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        struct image image = {0};

        if (!*g->classes)
            continue;
        decoded(g, IMAGE_CLASSES, &image);
        assert_pixels(g, &image, g->classes, 0);
        image_release(&image);
        n++;
    }
    assert_int_equal(n, 14);
}

static void modes_give_their_channels(void **state) {
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        struct image grey = {0}, colour = {0};

        decoded(g, IMAGE_GREY, &grey);
        decoded(g, IMAGE_COLOUR, &colour);
        assert_int_equal(grey.channels, 1);
        assert_int_equal(colour.channels, 3);
        for (int k = 0; k < g->width * g->height; k++) {
            const unsigned char *p = colour.pixels + 3 * k;
            const int luma = (299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000;

            if (abs(luma - grey.pixels[k]) > (grey.lossy ? 40 : 1)) /* colours cut off at 0, 255 */
                fail_msg("%s: pixel %d is %d in grey, expected %d", g->name, k, grey.pixels[k],
                         luma);
        }
        image_release(&grey);
        image_release(&colour);
    }
}

static void what_would_be_guessed_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < N_REFUSED; i++) {
        const struct golden_refused *g = &golden_refused[i];
        struct image image = {0};
        struct err err = {0};
        size_t n;
        unsigned char *bytes = unhex(g->file, &n);

        if (image_decode(bytes, n, "x", g->classes ? IMAGE_CLASSES : IMAGE_AS_STORED, &image,
                         &err) == 0)
            fail_msg("%s is read", g->name);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, g->message);
        free(bytes);
    }
}

/* Of the formats that can be either. */
static void loss_is_known(void **state) {
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        struct image image = {0};

        decoded(g, IMAGE_AS_STORED, &image);
        if (image.lossy != (!strncmp(g->name, "jpeg", 4) || strstr(g->name, "with loss") ||
                            !strcmp(g->name, "webp of two frames"))) /* which does not say */
            fail_msg("%s: lossy is %d", g->name, image.lossy);
        image_release(&image);
    }
}

static void headers_say_the_channels(void **state) {
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        size_t n;
        unsigned char *bytes = file_of(g, &n);

        write_bytes(in_scratch("h"), bytes, n);
        if (image_channels(in_scratch("h")) != g->channels)
            fail_msg("%s: %d channels, expected %d", g->name, image_channels(in_scratch("h")),
                     g->channels);
        free(bytes);
    }
    write_bytes(in_scratch("h"), "nothing", 7);
    assert_int_equal(image_channels(in_scratch("h")), 0);
    assert_int_equal(image_channels(in_scratch("absent")), 0);
}

static const struct golden_picture *named(const char *name) {
    for (int i = 0; i < N_PICTURES; i++)
        if (strcmp(golden_pictures[i].name, name) == 0)
            return &golden_pictures[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static void orientation_can_be_left_alone(void **state) {
    const struct golden_picture *upright = named("png with orientation 1");
    struct image image = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    unsigned char *bytes = file_of(named("png with orientation 6"), &n);
    write_bytes(in_scratch("6.png"), bytes, n);
    free(bytes);
    assert_int_equal(image_read_unturned(in_scratch("6.png"), IMAGE_AS_STORED, &image, &err), 0);
    assert_pixels(upright, &image, upright->pixels, 0);
    assert_int_equal(image.orientation, 6);
    assert_int_equal(image.facts, IMAGE_ORIENTED);
    image_release(&image);
}

/* A file that ends anywhere, and one with any byte changed: an image or an error, never a crash;
 * and where pixels are missing, an error. `shortest`: bytes after which nothing is needed. */
static void damaged_files_end_in_an_error_or_an_image(void **state) {
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        size_t n;
        unsigned char *bytes = file_of(g, &n);

        for (size_t k = 0; k < n; k++) {
            unsigned char *cut = malloc(k + 1);
            const unsigned char old = bytes[k];
            struct image image = {0};
            struct err err = {0};

            memcpy(cut, bytes, k);
            if (image_decode(cut, k, "cut", IMAGE_AS_STORED, &image, &err) == 0 && k < n / 2)
                fail_msg("%s: is read from %zu of %zu bytes", g->name, k, n);
            image_release(&image);
            bytes[k] = (unsigned char)(old ^ (1U << k % 8) ^ 0x80U);
            if (image_decode(bytes, n, "changed", k % 2 ? IMAGE_CLASSES : IMAGE_AS_STORED, &image,
                             &err))
                assert_true(err.kind == ERR_DATA || err.kind == ERR_IO);
            bytes[k] = old;
            image_release(&image);
            free(cut);
        }
        free(bytes);
    }
}

static void other_files_are_named(void **state) {
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } cases[] = {
        {"\0\0\0\x18"
         "ftypheic\0\0\0\0",
         16, "is HEIC, which is not read; convert it to JPEG or PNG"},
        {"\0\0\0\x20"
         "ftypavif\0\0\0\0",
         16, "is AVIF, which"},
        {"\0\0\0\x20"
         "ftypisom\0\0\0\0",
         16, "is a film"},
        {"\0\0\0\x0cjP  \r\n\x87\n", 12, "is JPEG 2000, which"},
        {"\0\0\0\x0cJXL \r\n\x87\n", 12, "is JPEG XL, which"},
        {"%PDF-1.4", 8, "is PDF, which"},
        {"8BPS\0\1", 6, "is PSD (Photoshop), which"},
        {"<?xml version=\"1.0\"?>\n<svg xmlns=\"x\"/>", 38, "is SVG, which"},
        {"\n<!DOCTYPE HTML>\n<html>", 23, "is a page of HTML, not the image: its download has"},
        {"version https://git-lfs.github.com/spec/v1\noid", 46, "is a pointer of Git LFS"},
        {"P6\n2 2\n255\n", 11, "is PNM (PPM, PGM, PBM), which"},
        {"\0\0\0\0\0\0\0\0", 8, "is nothing but zeros"},
        {"PK\3\4\0\0", 6, "is a ZIP archive"},
        {"BM, a text", 10, "is no JPEG, PNG, WebP, BMP, GIF or TIFF: it begins with 42 4d 2c 20"},
        {"x", 1, "it begins with 78"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image image = {0};
        struct err err = {0};
        unsigned char *bytes = malloc(cases[i].n);

        memcpy(bytes, cases[i].bytes, cases[i].n);
        assert_int_equal(image_decode(bytes, cases[i].n, "a.jpg", IMAGE_AS_STORED, &image, &err),
                         -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "a.jpg: is ");
        assert_contains(err.msg, cases[i].message);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_read_as_it_is_seen),
        cmocka_unit_test(classes_are_the_numbers_in_the_file),
        cmocka_unit_test(modes_give_their_channels),
        cmocka_unit_test(what_would_be_guessed_is_refused),
        cmocka_unit_test(loss_is_known),
        cmocka_unit_test(headers_say_the_channels),
        cmocka_unit_test(orientation_can_be_left_alone),
        cmocka_unit_test(damaged_files_end_in_an_error_or_an_image),
        cmocka_unit_test(other_files_are_named),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
