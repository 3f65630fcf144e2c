/* Arrays, sounds and texts: what is in the file that an import makes of them. */
#include "io/import/imported.h"
#include "io/npy/npy.h"

#include <math.h>

/* --- arrays --- */

static void arrays_are_fields(void **state) {
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t y[] = {0, 2, 1, 2};
    static const unsigned char image[] = {0, 51, 102, 255};
    const struct npy_array arrays[] = {
        {"x", NPY_FLOAT, 4, 2, {4, 2}, .data = (const unsigned char *)x},
        {"y", NPY_INT, 8, 1, {4}, .data = (const unsigned char *)y},
        {"photo", NPY_UINT, 1, 4, {4, 1, 1, 1}, .data = image}};
    const char *path = in_scratch("a.npz");
    struct err err = {0};
    float found[8];

    (void)state;
    assert_int_equal(npz_write(path, arrays, 3, true, &err), 0);
    struct dataset *ds = imported("npy", path, (struct import_options){0}, "train");
    assert_int_equal(dataset_len(ds), 4);
    read_rows(ds, "x", 4, found);
    assert_memory_equal(found, x, sizeof x);
    assert_true(dataset_mean(ds, dataset_find_field(ds, "x"))[1] == 5);
    assert_memory_equal(dataset_labels(ds, dataset_find_field(ds, "label")),
                        ((const int32_t[]){0, 2, 1, 2}), 16);
    assert_int_equal(dataset_field(ds, dataset_find_field(ds, "photo"))->kind, DATASET_BYTES);
    assert_contains(result.note, "x: float32 [4, 2] is numbers");
    dataset_close(ds);
    refused("npy", path, (struct import_options){.split = {.n = 4}}, ERR_USAGE,
            "would hold out 4 of 4 samples");
}

static void arrays_of_other_lengths_are_refused(void **state) {
    static const float x[] = {1, 2, 3, 4};
    const struct npy_array arrays[] = {
        {"x", NPY_FLOAT, 4, 1, {4}, .data = (const unsigned char *)x},
        {"z", NPY_FLOAT, 4, 1, {3}, .data = (const unsigned char *)x}};
    const char *path = in_scratch("b.npz");
    struct err err = {0};

    (void)state;
    assert_int_equal(npz_write(path, arrays, 2, false, &err), 0);
    refused("npy", path, (struct import_options){0}, ERR_DATA, "x has 4 samples, z has 3");
}

static void refused_array(const struct npy_array *array, const char *message) {
    const char *path = in_scratch("c.npz");
    struct err err = {0};

    assert_int_equal(npz_write(path, array, 1, false, &err), 0);
    refused("npy", path, (struct import_options){0}, ERR_DATA, message);
}

static void arrays_that_nothing_can_learn_from_are_refused(void **state) {
    static const double x[] = {1, 2, 1e300, 4}, none[] = {1, 2, NAN, 4};

    (void)state;
    refused_array(&(struct npy_array){"x", NPY_FLOAT, 4, 2, {3, 0}, .data = NULL},
                  "x is float32 [3, 0], which holds nothing");
    refused_array(&(struct npy_array){"x", NPY_UINT, 1, 2, {INT64_MAX, 0}, .data = NULL},
                  "which holds nothing");
    refused_array(&(struct npy_array){"x", NPY_UINT, 1, 2, {0, INT64_MAX}, .data = NULL},
                  "which holds nothing");
    refused_array(
        &(struct npy_array){"x", NPY_FLOAT, 8, 2, {2, 2}, .data = (const unsigned char *)x},
        "sample 1: x holds inf, expected finite numbers");
    refused_array(
        &(struct npy_array){"label", NPY_FLOAT, 8, 1, {4}, .data = (const unsigned char *)none},
        "sample 2: label holds nan, expected finite numbers");
}

static void bytes_under_a_name_of_images_are_grey_images(void **state) {
    static const unsigned char image[12] = {0, 51, 102, 255};
    const struct npy_array arrays[] = {{"images", NPY_UINT, 1, 3, {2, 2, 3}, .data = image},
                                       {"places", NPY_UINT, 1, 3, {2, 2, 3}, .data = image}};
    const char *path = in_scratch("g.npz");
    struct err err = {0};

    (void)state;
    assert_int_equal(npz_write(path, arrays, 2, false, &err), 0);
    struct dataset *ds = imported("npy", path, (struct import_options){0}, "train");
    const struct shape *s = &dataset_field(ds, dataset_find_field(ds, "image"))->sample;
    assert_true(shape_equal(s, &(struct shape){3, {2, 3, 1}}));
    assert_int_equal(dataset_field(ds, dataset_find_field(ds, "image"))->kind, DATASET_BYTES);
    assert_int_equal(dataset_field(ds, dataset_find_field(ds, "places"))->kind, DATASET_CLASS);
    dataset_close(ds);
}

/* --- sounds --- */

/* 16 bits, so many channels; the second is silent. */
static void write_wav(const char *path, int rate, int channels, int n, double frequency) {
    unsigned char *bytes = calloc(1, (size_t)(44 + 2 * channels * n));
    const unsigned values[] = {(unsigned)rate, (unsigned)(2 * channels * rate),
                               (unsigned)(2 * channels * n)};
    const int at[] = {24, 28, 40};

    assert_non_null(bytes);
    memcpy(bytes, "RIFF....WAVEfmt \x10\0\0\0\1\0", 22);
    memcpy(bytes + 36, "data", 4);
    bytes[22] = (unsigned char)channels;
    bytes[32] = (unsigned char)(2 * channels);
    bytes[34] = 16;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 4; i++)
            bytes[at[k] + i] = (unsigned char)(values[k] >> 8 * i);
    bytes[4] = 36;
    for (int i = 0; i < n; i++) {
        const int v = (int)lround(16384 * sin(6.283185307179586 * frequency * i / rate));

        bytes[44 + 2 * channels * i] = (unsigned char)(v & 255);
        bytes[45 + 2 * channels * i] = (unsigned char)(v >> 8 & 255);
    }
    write_bytes(path, bytes, (size_t)(44 + 2 * channels * n));
    free(bytes);
}

/* A sine at another rate is the same sine, away from the ends. */
static void sounds_get_one_rate_and_one_channel(void **state) {
    static float found[2][500];

    (void)state;
    mkdir(in_scratch("w"), 0777);
    mkdir(in_scratch("w/a"), 0777);
    mkdir(in_scratch("w/b"), 0777);
    write_wav(in_scratch("w/a/1.wav"), 8000, 1, 1000, 440);
    write_wav(in_scratch("w/b/1.wav"), 3000, 2, 300, 300);
    refused("wav", in_scratch("w"), (struct import_options){0}, ERR_USAGE, "has 3000 Hz, ");
    refused("wav", in_scratch("w"), (struct import_options){.rate = 4000}, ERR_USAGE,
            "has 400 samples at 4000 Hz, ");
    refused("wav", in_scratch("w"), (struct import_options){.rate = 1}, ERR_DATA,
            "has 1000 samples at 8000 Hz, none at 1 Hz");
    struct dataset *ds = imported("wav", in_scratch("w"),
                                  (struct import_options){.rate = 4000, .length = 500}, "train");
    read_rows(ds, "sound", 2, found);
    for (int i = 40; i < 360; i++) {
        const double a = 0.5 * sin(6.283185307179586 * 440 * i / 4000);
        const double b = 0.25 * sin(6.283185307179586 * 300 * i / 4000);

        assert_true(fabs((double)found[0][i] - a) < 2e-3);
        assert_true(fabs((double)found[1][i] - b) < 2e-3);
    }
    for (int i = 420; i < 500; i++)
        assert_true(found[1][i] == 0);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "label"), 1), "b");
    assert_contains(result.note, "1 sounds of several channels become their mean");
    dataset_close(ds);
    write_bytes(in_scratch("w/b/2.wav"), "RIFF", 4);
    refused("wav", in_scratch("w"), (struct import_options){.rate = 4000, .length = 500}, ERR_DATA,
            "2.wav: is no sound that can be read");
}

/* --- texts --- */

static void write_text(const char *name, const char *text) {
    write_bytes(in_scratch(name), text, strlen(text));
}

static void texts_become_numbers_of_words(void **state) {
    int32_t found[2][4];

    (void)state;
    mkdir(in_scratch("t"), 0777);
    mkdir(in_scratch("t/good"), 0777);
    mkdir(in_scratch("t/bad"), 0777);
    write_text("t/bad/1.txt", "so so bad, bad!");
    write_text("t/good/1.txt", "so good");
    struct dataset *ds = imported("text", in_scratch("t"),
                                  (struct import_options){.length = 4, .words = true}, "train");
    /* ! , bad good so */
    read_rows(ds, "text", 2, found);
    assert_memory_equal(found, ((const int32_t[2][4]){{4, 4, 2, 1}, {4, 3, -1, -1}}), sizeof found);
    assert_int_equal(dataset_field_classes(ds, dataset_find_field(ds, "text")), 5);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "text"), 2), "bad");
    dataset_close(ds);
    write_text("t/good/2.txt", "caf\xe9");
    refused("text", in_scratch("t"), (struct import_options){.length = 4}, ERR_DATA,
            "2.txt:1: holds the byte 0xe9, which is no UTF-8");
}

static void texts_are_utf8_in_whole(void **state) {
    static const char *const bad[] = {"caf\xe9 noir", "a\xc3(b",          "\xc0\xaf",
                                      "\xed\xa0\x80", "\xf5\x80\x80\x80", "ab\xe6\xbc"};
    const struct import_options options = {.length = 4, .words = true};

    (void)state;
    mkdir(in_scratch("u"), 0777);
    mkdir(in_scratch("u/a"), 0777);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text("u/a/1.txt", bad[i]);
        refused("text", in_scratch("u"), options, ERR_DATA, "u/a/1.txt:1: holds the byte 0x");
    }
    write_bytes(in_scratch("u/a/1.txt"), "a\nb\0c", 5);
    refused("text", in_scratch("u"), options, ERR_DATA, "u/a/1.txt:2: holds the byte 0x00");
    write_text("u/a/1.txt", "\xff\xfe"
                            "a");
    refused("text", in_scratch("u"), options, ERR_DATA, "is UTF-16, expected UTF-8");
    write_text("u/a/1.txt", "\xef\xbb\xbfgr\xc3\xb6\xc3\x9f"
                            "er");
    struct dataset *ds = imported("text", in_scratch("u"), options, "train");
    assert_int_equal(dataset_field_classes(ds, dataset_find_field(ds, "text")), 1);
    dataset_close(ds);
}

static void a_text_is_cut_into_pieces_and_what_follows(void **state) {
    int32_t found[2][3];

    (void)state;
    write_text("one.txt", "abcabcä");
    struct dataset *ds =
        imported("text", in_scratch("one.txt"), (struct import_options){.length = 3}, "train");
    assert_int_equal(dataset_len(ds), 2);
    read_rows(ds, "text", 2, found);
    assert_memory_equal(found, ((const int32_t[2][3]){{0, 1, 2}, {0, 1, 2}}), sizeof found);
    read_rows(ds, "next", 2, found);
    assert_memory_equal(found, ((const int32_t[2][3]){{1, 2, 0}, {1, 2, 3}}), sizeof found);
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_fields),
        cmocka_unit_test(arrays_of_other_lengths_are_refused),
        cmocka_unit_test(arrays_that_nothing_can_learn_from_are_refused),
        cmocka_unit_test(bytes_under_a_name_of_images_are_grey_images),
        cmocka_unit_test(sounds_get_one_rate_and_one_channel),
        cmocka_unit_test(texts_become_numbers_of_words),
        cmocka_unit_test(texts_are_utf8_in_whole),
        cmocka_unit_test(a_text_is_cut_into_pieces_and_what_follows),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
