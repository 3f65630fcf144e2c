/* Arrays, sounds, texts and volumes: what is in the file that an import makes of them. */
#include "io/scratch.h"
#include "io/augment/golden_volumes.h"
#include "io/dataset/dataset.h"
#include "io/import/import.h"
#include "io/import/volume.h"
#include "io/npy/npy.h"

#include <math.h>

static struct import_result result; /* of the last import */

static struct dataset *imported(const char *importer, const char *source,
                                struct import_options options, const char *split) {
    const char *target = in_scratch("out.h5");
    char spec[600];
    struct dataset *ds = NULL;
    struct err err = {0};

    result = (struct import_result){0};
    options.threads = 1;
    if (importer_find(importer)->run(source, target, &options, &result, &err))
        fail_msg("%s", err.msg);
    snprintf(spec, sizeof spec, "%s:%s", target, split);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static void refused(const char *importer, const char *source, struct import_options options,
                    enum err_kind kind, const char *message) {
    struct err err = {0};

    result = (struct import_result){0};
    options.threads = 1;
    if (!importer_find(importer)->run(source, in_scratch("no.h5"), &options, &result, &err))
        fail_msg("expected '%s'", message);
    assert_contains(err.msg, message);
    assert_int_equal(err.kind, kind);
    assert_int_equal(access(in_scratch("no.h5"), F_OK), -1);
}

static void read_rows(struct dataset *ds, const char *field, int64_t n, void *out) {
    int64_t rows[16];
    struct err err = {0};

    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    if (dataset_read(ds, dataset_find_field(ds, field), rows, n, out, &err))
        fail_msg("%s", err.msg);
}

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

/* --- volumes --- */

enum { X = 2, Y = 3, Z = 4, N = X * Y * Z };

/* A file of X x Y x Z voxels, value k at its place k; `left`: x runs to the left. */
static void write_nii(const char *path, bool left, float slope, int most) {
    unsigned char bytes[352 + N] = {0};
    const float one = 1, x = left ? -1 : 1, z = 2, offset = 352, inter = 10;
    const short dim[] = {3, X, Y, Z, 1, 1, 1, 1}, type[] = {2, 8}, form = 1, head = 348;

    memcpy(bytes, &head, 2);
    memcpy(bytes + 40, dim, sizeof dim);
    memcpy(bytes + 70, type, sizeof type);
    for (int k = 0; k < 8; k++)
        memcpy(bytes + 76 + 4 * k, k == 3 ? &z : &one, 4);
    memcpy(bytes + 108, &offset, 4);
    memcpy(bytes + 112, &slope, 4);
    memcpy(bytes + 116, &inter, 4);
    memcpy(bytes + 254, &form, 2);
    memcpy(bytes + 280, &x, 4);
    memcpy(bytes + 300, &one, 4);
    memcpy(bytes + 320, &z, 4);
    memcpy(bytes + 344, "n+1", 4);
    for (int i = 0; i < N; i++)
        bytes[352 + i] = (unsigned char)(i % most);
    write_bytes(path, bytes, sizeof bytes);
}

static void volumes_are_turned_and_scaled(void **state) {
    static float found[2][N];

    (void)state;
    mkdir(in_scratch("v"), 0777);
    mkdir(in_scratch("v/sick"), 0777);
    mkdir(in_scratch("v/well"), 0777);
    write_nii(in_scratch("v/sick/1.nii"), true, 2, 100);
    write_nii(in_scratch("v/well/1.nii"), false, 0, 100); /* a slope of 0 is none */
    struct dataset *ds = imported("volumes", in_scratch("v"), (struct import_options){0}, "train");
    const struct shape *s = &dataset_field(ds, dataset_find_field(ds, "volume"))->sample;
    assert_true(shape_equal(s, &(struct shape){4, {Z, Y, X, 1}}));
    read_rows(ds, "volume", 2, found);
    for (int i = 0; i < N; i++) {
        const int mirrored = i / X * X + (X - 1 - i % X);

        assert_true(found[0][i] == (float)(2 * mirrored + 10));
        assert_true(found[1][i] == (float)i);
    }
    assert_contains(result.note, "1 volumes are turned to RAS");
    dataset_close(ds);
    ds =
        imported("volumes", in_scratch("v"),
                 (struct import_options){.spacing = {1, 1, 1}, .depth = 8, .height = 3, .width = 4},
                 "train");
    s = &dataset_field(ds, dataset_find_field(ds, "volume"))->sample;
    assert_true(shape_equal(s, &(struct shape){4, {8, 3, 4, 1}}));
    dataset_close(ds);
}

static void masks_go_with_their_volumes(void **state) {
    static int32_t mask[2 * N];

    (void)state;
    mkdir(in_scratch("m"), 0777);
    mkdir(in_scratch("m/images"), 0777);
    mkdir(in_scratch("m/masks"), 0777);
    write_nii(in_scratch("m/images/1.nii"), false, 1, 100);
    write_nii(in_scratch("m/images/2.nii"), true, 1, 100);
    write_nii(in_scratch("m/masks/1.nii"), false, 0, 3);
    refused("volumes", in_scratch("m"), (struct import_options){0}, ERR_DATA,
            "m/images/2.nii: has no mask of the same name");
    write_nii(in_scratch("m/masks/2.nii"), true, 0, 3);
    struct dataset *ds = imported("volumes", in_scratch("m"), (struct import_options){0}, "train");
    read_rows(ds, "mask", 2, mask);
    for (int i = 0; i < N; i++) {
        assert_int_equal(mask[i], i % 3);
        assert_int_equal(mask[N + i], (i / X * X + (X - 1 - i % X)) % 3);
    }
    assert_int_equal(dataset_field_classes(ds, dataset_find_field(ds, "mask")), 3);
    dataset_close(ds);
}

/* Change some bytes of a file. */
static void patch(const char *path, long at, const void *bytes, size_t n) {
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void a_mask_that_tells_no_orientation_is_not_turned_apart(void **state) {
    const short none = 0;

    (void)state;
    patch(in_scratch("m/masks/2.nii"), 254, &none, sizeof none);
    refused("volumes", in_scratch("m"), (struct import_options){0}, ERR_DATA,
            "m/masks/2.nii: is oriented nowhere, its image ");
    write_nii(in_scratch("m/masks/2.nii"), true, 0, 3);
}

static void volumes_beyond_floats_are_refused(void **state) {
    (void)state;
    mkdir(in_scratch("far"), 0777);
    write_nii(in_scratch("far/1.nii"), false, 3e38f, 100);
    refused("volumes", in_scratch("far"), (struct import_options){0}, ERR_DATA,
            "far/1.nii: volume holds inf, expected finite numbers");
}

/* A header is believed where it can be true. */
static void headers_that_lie_are_refused(void **state) {
    static const short dims[][8] = {{0, X, Y, Z}, {9, X, Y, Z}, {3, -X, Y, Z}, {3, X, Y, 0}};
    const float offsets[] = {0, 348, -1e9f, NAN};
    const char *path = in_scratch("lie/1.nii");
    char copy[512];

    (void)state;
    snprintf(copy, sizeof copy, "%s", path);
    mkdir(in_scratch("lie"), 0777);
    for (int i = 0; i < 4; i++) {
        write_nii(copy, false, 0, 100);
        patch(copy, 40, dims[i], sizeof dims[i]);
        refused("volumes", in_scratch("lie"), (struct import_options){0}, ERR_DATA, " dimension");
        write_nii(copy, false, 0, 100);
        patch(copy, 108, &offsets[i], sizeof *offsets);
        refused("volumes", in_scratch("lie"), (struct import_options){0}, ERR_DATA,
                "lie/1.nii: its voxels begin at byte");
    }
    write_nii(copy, false, 0, 100);
    assert_int_equal(truncate(copy, 360), 0);
    refused("volumes", in_scratch("lie"), (struct import_options){0}, ERR_DATA,
            "16 bytes of its voxels are not there");
}

/* Nothing that is no number, and nothing in silence. */
static void voxels_without_a_value_become_zero(void **state) {
    const short type[] = {16, 32}, dim[] = {1, N / 4, 1, 1, 1, 1, 1, 1};
    const float values[] = {3, NAN, 5, 6, 7, NAN};
    float found[N / 4];

    (void)state;
    mkdir(in_scratch("gaps"), 0777);
    write_nii(in_scratch("gaps/1.nii"), false, 0, 100);
    patch(in_scratch("gaps/1.nii"), 40, dim, sizeof dim);
    patch(in_scratch("gaps/1.nii"), 70, type, sizeof type);
    patch(in_scratch("gaps/1.nii"), 352, values, sizeof values);
    struct dataset *ds =
        imported("volumes", in_scratch("gaps"), (struct import_options){0}, "train");
    read_rows(ds, "volume", 1, found);
    assert_memory_equal(found, ((const float[]){3, 0, 5, 6, 7, 0}), sizeof found);
    assert_contains(result.note, "1 volumes hold nan, which becomes 0");
    dataset_close(ds);
}

/* Slice 0 between itself and slice 1; slices of one volume in one split. */
static void slices_have_their_neighbours_as_channels(void **state) {
    static float image[2 * Z][X * Y][3];

    (void)state;
    struct dataset *ds = imported("volumes", in_scratch("m"),
                                  (struct import_options){.slices = 3, .split = {.n = Z}}, "train");
    const bool first = dataset_len(ds) == Z;
    assert_true(first);
    read_rows(ds, "image", Z, image);
    for (int z = 0; z < Z; z++)
        for (int c = 0; c < 3; c++) {
            const int from = z + c - 1 < 0 ? 0 : z + c - 1 >= Z ? Z - 1 : z + c - 1;
            const float v = image[z][0][c];

            /* voxel 0 of a slice, or of the mirrored volume the last of its line */
            assert_true(v == (float)(10 + from * X * Y) || v == (float)(11 + from * X * Y));
        }
    dataset_close(ds);
}

static void what_is_no_volume_is_refused(void **state) {
    (void)state;
    write_nii(in_scratch("m/masks/1.nii"), false, 0.5f, 3);
    refused("volumes", in_scratch("m"), (struct import_options){0}, ERR_DATA,
            "masks/1.nii: is a mask and holds 10.5, expected classes 0 to 254");
    write_bytes(in_scratch("m/images/1.nii"), "no header", 9);
    refused("volumes", in_scratch("m"), (struct import_options){0}, ERR_DATA,
            "images/1.nii: is no NIfTI file that can be read");
    refused("volumes", in_scratch("t"), (struct import_options){0}, ERR_DATA,
            "holds no volumes (.nii, .nii.gz)");
}

static void resampling_is_that_of_scipy(void **state) {
    struct volume v = {.head = {.dim = {6, 5, 4}, .channels = 1, .spacing = {1, 1, 1}}};
    const double spacing[] = {1 / 1.5, 1 / 0.8, 0.5};
    struct err err = {0};

    (void)state;
    v.v = malloc(sizeof golden_volume);
    assert_non_null(v.v);
    memcpy(v.v, golden_volume, sizeof golden_volume);
    assert_int_equal(volume_resample(&v, spacing, false, &err), 0);
    assert_memory_equal(v.head.dim, ((const int64_t[]){9, 4, 8}), sizeof v.head.dim);
    for (int i = 0; i < 9 * 4 * 8; i++)
        assert_true(fabsf(v.v[i] - golden_zoomed[i]) < 1e-5f);
    volume_release(&v);
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
        cmocka_unit_test(volumes_are_turned_and_scaled),
        cmocka_unit_test(masks_go_with_their_volumes),
        cmocka_unit_test(a_mask_that_tells_no_orientation_is_not_turned_apart),
        cmocka_unit_test(volumes_beyond_floats_are_refused),
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(voxels_without_a_value_become_zero),
        cmocka_unit_test(slices_have_their_neighbours_as_channels),
        cmocka_unit_test(what_is_no_volume_is_refused),
        cmocka_unit_test(resampling_is_that_of_scipy),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
