#include "io/jpeg.h"

#include "io/image/image.h"

/* Written by Pillow 9.4: a palette of (10, 20, 30), (200, 100, 50), (0, 0, 255), of which the
 * second is transparent, and the pixels 1, 0, 2; the 16-bit greys 0, 128, 32896, 65535; the RGBA
 * pixels (1, 2, 3, 0) and (250, 128, 7, 128). */
static const unsigned char palette_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x00, 0x00, 0x00, 0x66,
    0x8e, 0xfc, 0x27, 0x00, 0x00, 0x00, 0x09, 0x50, 0x4c, 0x54, 0x45, 0x0a, 0x14, 0x1e, 0xc8,
    0x64, 0x32, 0x00, 0x00, 0xff, 0x3f, 0x74, 0x29, 0xef, 0x00, 0x00, 0x00, 0x02, 0x74, 0x52,
    0x4e, 0x53, 0xff, 0x00, 0xe5, 0xb7, 0x30, 0x4a, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41,
    0x54, 0x78, 0x9c, 0x63, 0xf0, 0x00, 0x00, 0x00, 0x4a, 0x00, 0x49, 0xa1, 0xe9, 0xc7, 0x97,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
static const unsigned char grey16_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x10, 0x00, 0x00, 0x00, 0x00, 0x8c,
    0xc7, 0x8c, 0x52, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60,
    0x60, 0x60, 0x68, 0x68, 0x68, 0xf8, 0xff, 0x1f, 0x00, 0x09, 0x06, 0x03, 0x7f, 0x06, 0x61,
    0xa0, 0xeb, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
static const unsigned char alpha_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0xf4,
    0x22, 0x7f, 0x8a, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x64,
    0x64, 0x62, 0x66, 0xf8, 0x59, 0xc7, 0xd2, 0x00, 0x00, 0x06, 0x20, 0x02, 0x03, 0xbd, 0xd4,
    0x23, 0x16, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

static void assert_near(int found, int expected) {
    if (abs(found - expected) > 2)
        fail_msg("%d is not near %d", found, expected);
}

static void jpeg_is_read_as_it_was_written(void **state) {
    struct image image = {0};
    struct err err = {0};

    (void)state;
    write_plain_jpeg(in_scratch("a.jpg"), 20, 12, 200, 30, 90);
    assert_int_equal(image_read(in_scratch("a.jpg"), IMAGE_AS_STORED, &image, &err), 0);
    assert_true(image.width == 20 && image.height == 12 && image.channels == 3);
    for (int i = 0; i < 20 * 12; i++) {
        assert_near(image.pixels[3 * i], 200);
        assert_near(image.pixels[3 * i + 1], 30);
        assert_near(image.pixels[3 * i + 2], 90);
    }
    image_release(&image);
    /* 0.299 * 200 + 0.587 * 30 + 0.114 * 90 = 87.67 */
    assert_int_equal(image_read(in_scratch("a.jpg"), IMAGE_GREY, &image, &err), 0);
    assert_int_equal(image.channels, 1);
    assert_near(image.pixels[50], 88);
    image_release(&image);
}

static void grey_jpeg_stays_grey_unless_colour_is_asked(void **state) {
    const unsigned char pixels[64] = {0};
    struct image image = {0};
    struct err err = {0};

    (void)state;
    write_jpeg(in_scratch("g.jpg"), 8, 8, JCS_GRAYSCALE, pixels);
    assert_int_equal(image_read(in_scratch("g.jpg"), IMAGE_AS_STORED, &image, &err), 0);
    assert_int_equal(image.channels, 1);
    image_release(&image);
    assert_int_equal(image_read(in_scratch("g.jpg"), IMAGE_COLOUR, &image, &err), 0);
    assert_int_equal(image.channels, 3);
    image_release(&image);
}

/* Adobe's inks are inverted: no cyan is 255. Full cyan, half black: (0, 128, 128). */
static void cmyk_jpeg_becomes_rgb(void **state) {
    unsigned char inks[64 * 4];
    struct image image = {0};
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 64; i++)
        memcpy(inks + 4 * i, "\x00\xff\xff\x80", 4);
    write_jpeg(in_scratch("cmyk.jpg"), 8, 8, JCS_CMYK, inks);
    assert_int_equal(image_read(in_scratch("cmyk.jpg"), IMAGE_AS_STORED, &image, &err), 0);
    assert_int_equal(image.channels, 3);
    assert_near(image.pixels[0], 0);
    assert_near(image.pixels[1], 128);
    assert_near(image.pixels[2], 128);
    image_release(&image);
}

static void assert_pixels(const unsigned char *bytes, size_t n, int width, int channels,
                          const unsigned char *expected) {
    struct image image = {0};
    struct err err = {0};

    if (image_decode(bytes, n, "a.png", IMAGE_AS_STORED, &image, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, 1);
    assert_int_equal(image.channels, channels);
    assert_memory_equal(image.pixels, expected, (size_t)(width * channels));
    image_release(&image);
}

static void png_of_every_kind_becomes_bytes(void **state) {
    const unsigned char palette[] = {255, 255, 255, 10, 20, 30, 0, 0, 255};
    /* 255 - (255 - x) * 128 / 255 */
    const unsigned char alpha[] = {255, 255, 255, 252, 191, 131};
    const unsigned char grey[] = {0, 0, 128, 255}; /* 128 / 65535 is nearest to 0 of 255 */

    (void)state;
    assert_pixels(palette_png, sizeof palette_png, 3, 3, palette);
    assert_pixels(alpha_png, sizeof alpha_png, 2, 3, alpha);
    assert_pixels(grey16_png, sizeof grey16_png, 4, 1, grey);
}

static void png_comes_back_exactly(void **state) {
    unsigned char pixels[5 * 3 * 3];
    struct image image = {0};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 37);
    for (int channels = 1; channels <= 3; channels += 2) {
        assert_int_equal(image_write_png(in_scratch("w.png"), 5, 3, channels, pixels, &err), 0);
        assert_int_equal(image_read(in_scratch("w.png"), IMAGE_AS_STORED, &image, &err), 0);
        assert_true(image.width == 5 && image.height == 3 && image.channels == channels);
        assert_memory_equal(image.pixels, pixels, (size_t)(15 * channels));
        image_release(&image);
    }
    assert_int_equal(image_write_png("/dev/null/x.png", 5, 3, 1, pixels, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

static void assert_refused(const char *path, const char *message) {
    struct image image = {0};
    struct err err = {0};

    assert_int_equal(image_read(path, IMAGE_AS_STORED, &image, &err), -1);
    assert_contains(err.msg, path);
    assert_contains(err.msg, message);
    assert_null(image.pixels);
}

/* Where the marker 0xff `which` begins in bytes[n], looked for from the front. */
static size_t find_marker(const unsigned char *bytes, size_t n, unsigned char which) {
    for (size_t i = 0; i + 1 < n; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == which)
            return i;
    fail_msg("there is no marker %02x", which);
    return 0;
}

static void assert_same_but_flawed(const unsigned char *bytes, size_t n, const struct image *good,
                                   const char *flaw) {
    struct image image = {0};
    struct err err = {0};

    if (image_decode(bytes, n, "flawed.jpg", IMAGE_AS_STORED, &image, &err))
        fail_msg("%s", err.msg);
    assert_memory_equal(image.pixels, good->pixels, (size_t)(32 * 24 * 3));
    assert_int_equal(image.facts, IMAGE_FLAWED);
    assert_contains(image.flaw, flaw);
    image_release(&image);
}

static void make_noise(const char *path, void (*before)(struct jpeg_compress_struct *)) {
    unsigned char pixels[32 * 24 * 3];

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * i * 37 % 251);
    write_jpeg_as(in_scratch(path), 32, 24, JCS_RGB, pixels, before);
}

/* What cameras and telephones write: libjpeg warns, no pixel is another. */
static void what_is_only_against_the_rules_is_read(void **state) {
    struct image good = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    make_noise("rules.jpg", NULL);
    unsigned char *bytes = read_bytes(in_scratch("rules.jpg"), &n), *more = malloc(n + 8);
    assert_non_null(more);
    assert_int_equal(image_decode(bytes, n, "good", IMAGE_AS_STORED, &good, &err), 0);
    assert_int_equal(good.facts, 0);
    const size_t scan = find_marker(bytes, n, 0xda), end = scan + 2 + bytes[scan + 3];
    const size_t jfif = find_marker(bytes, n, 0xe0);
    bytes[end - 2] = 0; /* Ss .. Se of a sequential scan, as some telephones write it: 0 .. 0 */
    assert_same_but_flawed(bytes, n, &good, "Invalid SOS parameters");
    bytes[end - 2] = 63;
    bytes[jfif + 9] = 3;
    assert_same_but_flawed(bytes, n, &good, "unknown JFIF revision number 3");
    bytes[jfif + 9] = 1;
    const size_t tables = find_marker(bytes, n, 0xdb);
    memcpy(more, bytes, tables);
    memset(more + tables, 0, 8);
    memcpy(more + tables + 8, bytes + tables, n - tables);
    assert_same_but_flawed(more, n + 8, &good, "8 extraneous bytes before marker 0xdb");
    assert_same_but_flawed(bytes, n - 2, &good, "Premature end of JPEG file");
    memcpy(more, bytes, n);
    memset(more + n, 7, 8); /* behind the end marker: the preview of a camera, say */
    struct image image = {0};
    assert_int_equal(image_decode(more, n + 8, "more", IMAGE_AS_STORED, &image, &err), 0);
    assert_int_equal(image.facts, 0);
    image_release(&image);
    image_release(&good);
    free(more);
    free(bytes);
}

static void in_scans(struct jpeg_compress_struct *jpeg) {
    jpeg_simple_progression(jpeg);
}

/* A scan for each component. */
static void in_planes(struct jpeg_compress_struct *jpeg) {
    static jpeg_scan_info scans[3];

    for (int i = 0; i < 3; i++)
        scans[i] = (jpeg_scan_info){.comps_in_scan = 1, .component_index = {i}, .Se = 63};
    jpeg->scan_info = scans;
    jpeg->num_scans = 3;
}

static void with_restarts(struct jpeg_compress_struct *jpeg) {
    jpeg->restart_interval = 2;
}

static void assert_missing(const unsigned char *bytes, size_t n, const char *message) {
    struct image image = {0};
    struct err err = {0};

    if (image_decode(bytes, n, "cut.jpg", IMAGE_AS_STORED, &image, &err) == 0)
        fail_msg("%zu bytes are read, expected \"%s\"", n, message);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, message);
}

/* Of a sequential file every cut but that of the end marker loses pixels; of a progressive one a
 * cut between scans, too, which libjpeg does not notice. */
static void missing_pixels_are_refused(void **state) {
    size_t n;

    (void)state;
    make_noise("whole.jpg", NULL);
    unsigned char *bytes = read_bytes(in_scratch("whole.jpg"), &n);
    for (size_t cut = find_marker(bytes, n, 0xda); cut < n - 3; cut++)
        assert_missing(bytes, cut, "cut.jpg: broken JPEG: ");
    free(bytes);
    make_noise("scans.jpg", in_scans);
    bytes = read_bytes(in_scratch("scans.jpg"), &n);
    for (size_t cut = 4; cut < n - 3; cut++)
        assert_missing(bytes, cut, "cut.jpg: broken JPEG: ");
    assert_missing(bytes, find_marker(bytes, n, 0xda), "broken JPEG: ");
    free(bytes);
    make_noise("planes.jpg", in_planes);
    bytes = read_bytes(in_scratch("planes.jpg"), &n);
    size_t second = find_marker(bytes, n, 0xda) + 2; /* ended as if it were whole */
    second += find_marker(bytes + second, n - second, 0xc4);
    memcpy(bytes + second, "\xff\xd9", 2);
    assert_missing(bytes, second + 2, "it ends before its last scan");
    free(bytes);
    make_noise("restarts.jpg", with_restarts);
    bytes = read_bytes(in_scratch("restarts.jpg"), &n);
    bytes[find_marker(bytes, n, 0xd1) + 1] = 0xd5;
    assert_missing(bytes, n, "instead of RST");
    free(bytes);
}

/* Tiff headers of a tag; fields: order, type, value, how long the block is. */
static void orientation_is_read_of_exif(void **state) {
    static const struct {
        const char *exif;
        size_t n;
        int expected;
    } cases[] = {
        {"Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 28, 6},
        {"Exif\0\0MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\10\0\0", 28, 8},
        {"Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\0\0\0\0", 28, 1}, /* 0 and 9 are none */
        {"Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\11\0\0\0", 28, 1},
        {"Exif\0\0II*\0\10\0\0\0\1\0\x12\1\4\0\1\0\0\0\6\0\0\0", 28, 1}, /* a long, not a short */
        {"Exif\0\0II*\0\10\0\0\0\1\0\x11\1\3\0\1\0\0\0\6\0\0\0", 28, 1}, /* another tag */
        {"Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6", 25, 1},       /* ends too early */
        {"Exif\0\0II*\0\xff\xff\xff\xff\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 28, 1},
        {"Exif\0\0II*\0\10\0\0\0\xff\xff\x11\1\3\0\1\0\0\0\6\0\0\0", 28, 1},
        {"Exif\0\0XX*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 28, 1},
        {"Exif\0", 6, 1},
    };

    (void)state;
    write_plain_jpeg(in_scratch("e.jpg"), 16, 8, 1, 2, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image image = {0};
        struct err err = {0};
        size_t n, k = cases[i].n;
        unsigned char *bytes = read_bytes(in_scratch("e.jpg"), &n), *with = malloc(n + k + 4);

        assert_non_null(with);
        memcpy(with, bytes, 2);
        memcpy(with + 2, (const unsigned char[]){0xff, 0xe1, 0, (unsigned char)(k + 2)}, 4);
        memcpy(with + 6, cases[i].exif, k);
        memcpy(with + 6 + k, bytes + 2, n - 2);
        if (image_decode(with, n + k + 4, "e", IMAGE_AS_STORED, &image, &err))
            fail_msg("%s", err.msg);
        if (image.orientation != cases[i].expected)
            fail_msg("case %zu: orientation %d", i, image.orientation);
        assert_int_equal(image.width, cases[i].expected >= 5 ? 8 : 16);
        image_release(&image);
        free(bytes);
        free(with);
    }
}

static void broken_images_are_refused(void **state) {
    unsigned char *bytes;
    size_t n;

    (void)state;
    write_plain_jpeg(in_scratch("good.jpg"), 64, 64, 1, 2, 3);
    bytes = read_bytes(in_scratch("good.jpg"), &n);
    write_bytes(in_scratch("cut.jpg"), bytes, n - 40);
    write_bytes(in_scratch("head.jpg"), bytes, 30);
    free(bytes);
    assert_refused(in_scratch("cut.jpg"), "broken JPEG: ");
    assert_refused(in_scratch("head.jpg"), "broken JPEG: ");
    for (size_t cut = 8; cut < sizeof alpha_png - 12; cut++) {
        write_bytes(in_scratch("cut.png"), alpha_png, cut);
        assert_refused(in_scratch("cut.png"), "broken PNG: it ends too early");
    }
    write_bytes(in_scratch("text.jpg"), "not an image", 12);
    assert_refused(in_scratch("text.jpg"),
                   "is no JPEG, PNG, WebP, BMP, GIF or TIFF: it begins with 6e 6f 74 20");
    write_bytes(in_scratch("empty.jpg"), "", 0);
    assert_refused(in_scratch("empty.jpg"), "is empty, expected an image");
    assert_refused(in_scratch("none.jpg"), "No such file or directory");
}

/* Expected numbers: Pillow 9.4, Image.resize(size, BILINEAR), crop by its argument box. */
static void resizing_agrees_with_pillow(void **state) {
    static const unsigned char down[] = {99, 129, 129, 106, 118, 128};
    static const unsigned char crop[] = {85, 150, 146, 118, 94, 123, 115, 147, 99};
    static const unsigned char up[] = {
        0,   25,  53,  82,  111, 140, 169, 197, 222, 40,  65,  93,  122, 151, 180, 146, 125, 150,
        97,  122, 143, 163, 192, 221, 116, 38,  63,  154, 179, 129, 60,  89,  118, 102, 95,  120,
        130, 155, 106, 36,  65,  94,  123, 151, 176, 27,  52,  73,  93,  122, 151, 180, 208, 233,
        68,  93,  121, 150, 179, 96,  93,  121, 146, 108, 133, 161, 190, 219, 49,  21,  49,  74};
    static const struct {
        int width, height;
        enum image_fit fit;
        const unsigned char *expected;
    } cases[] = {{3, 2, IMAGE_STRETCH, down}, {9, 8, IMAGE_STRETCH, up}, {3, 3, IMAGE_CROP, crop}};
    unsigned char pixels[5 * 7], out[72];
    const struct image image = {.width = 7, .height = 5, .channels = 1, .pixels = pixels};
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 35; i++)
        pixels[i] = (unsigned char)(i % 7 * 37 + i / 7 * 91);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(
            image_resize(&image, cases[k].width, cases[k].height, cases[k].fit, out, &err), 0);
        for (int i = 0; i < cases[k].width * cases[k].height; i++)
            if (out[i] != cases[k].expected[i])
                fail_msg("case %d, pixel %d: %d, expected %d", k, i, out[i], cases[k].expected[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_is_read_as_it_was_written),
        cmocka_unit_test(grey_jpeg_stays_grey_unless_colour_is_asked),
        cmocka_unit_test(cmyk_jpeg_becomes_rgb),
        cmocka_unit_test(png_of_every_kind_becomes_bytes),
        cmocka_unit_test(png_comes_back_exactly),
        cmocka_unit_test(what_is_only_against_the_rules_is_read),
        cmocka_unit_test(missing_pixels_are_refused),
        cmocka_unit_test(orientation_is_read_of_exif),
        cmocka_unit_test(broken_images_are_refused),
        cmocka_unit_test(resizing_agrees_with_pillow),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
