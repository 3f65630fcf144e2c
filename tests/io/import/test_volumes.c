/* Volumes: what is in the file that an import makes of them. */
#include "io/import/imported.h"
#include "io/augment/golden_volumes.h"
#include "io/import/volume.h"

#include <math.h>

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
    patch(copy, 70, &(const short){0x7777}, 2);
    refused("volumes", in_scratch("lie"), (struct import_options){0}, ERR_DATA,
            "lie/1.nii: holds the data type 30583");
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
    mkdir(in_scratch("t"), 0777);
    write_bytes(in_scratch("t/1.txt"), "text", 4);
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
