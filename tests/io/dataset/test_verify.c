/* Reading a split through: what is not finite, what is not as it was written. */
#include "io/scratch.h"

#include "io/dataset/dataset_verify.h"
#include "io/dataset/row_hash.h"
#include "io/h5/h5_private.h"

#include <inttypes.h>
#include <math.h>
#include <xxhash.h>

enum { N = 5, H = 2, W = 3, LEN = N * H * W };

static void sync_and_close(struct h5 *file) {
    struct err err = {0};

    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static void hash_attribute(struct h5 *file, const char *path, const void *bytes, size_t len) {
    struct err err = {0};
    char text[32];

    snprintf(text, sizeof text, "xxh3:%016" PRIx64, (uint64_t)XXH3_64bits(bytes, len));
    assert_int_equal(h5_attr_write_text(file, path, "content_hash", text, &err), 0);
}

static void numbers_that_are_none_are_counted_and_placed(void **state) {
    float depth[LEN] = {0};
    struct err err = {0};
    struct verify_result found;
    struct dataset *ds;
    struct h5 *file;
    char place[DATASET_PLACE_TEXT];

    (void)state;
    depth[3 * H * W + 4] = INFINITY;
    depth[4 * H * W] = NAN;
    assert_int_equal(h5_create(&file, in_scratch("v.h5"), &err), 0);
    h5_write(file, "/depth", H5_TYPE_F32, 3, (int64_t[]){N, H, W}, depth, &err);
    sync_and_close(file);
    for (int kept = 0; kept < 2; kept++) {
        assert_int_equal(dataset_open(&ds, in_scratch("v.h5"), kept ? 1 << 20 : 0, &err), 0);
        assert_int_equal(verify_field(ds, 0, NULL, &found, &err), 0);
        assert_int_equal(found.n, 2);
        assert_int_equal(found.row, 3);
        assert_true(isinf(found.value));
        assert_string_equal(dataset_place(&dataset_field(ds, 0)->sample, found.at, place),
                            " at [1, 1]");
        dataset_close(ds);
    }
}

static void counts_that_the_file_tells_are_compared(void **state) {
    const unsigned char mask[LEN] = {0, 1, 1};
    const double right[] = {LEN - 2, 2}, wrong[] = {LEN - 3, 3};
    struct err err = {0};
    struct verify_result found;
    struct dataset *ds;
    struct h5 *file;

    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_int_equal(h5_create(&file, in_scratch("v.h5"), &err), 0);
        h5_write(file, "/mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, mask, &err);
        h5_attr_write_reals(file, "/mask", "class_counts", k ? wrong : right, 2, &err);
        sync_and_close(file);
        assert_int_equal(dataset_open(&ds, in_scratch("v.h5"), 0, &err), 0);
        assert_int_equal(verify_field(ds, 0, NULL, &found, &err), k ? -1 : 0);
        dataset_close(ds);
    }
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg,
                    "/mask holds class 0 28 times, but its attribute class_counts says 27");
}

static void content_is_compared_with_what_was_written(void **state) {
    unsigned char bytes[LEN];
    struct err err = {0};
    struct h5 *file;
    size_t n, at = 0;

    (void)state;
    for (int i = 0; i < LEN; i++)
        bytes[i] = (unsigned char)(200 + i);
    assert_int_equal(h5_create(&file, in_scratch("v.h5"), &err), 0);
    h5_write(file, "/a", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, bytes, &err);
    h5_write(file, "/b", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, bytes, &err);
    hash_attribute(file, "/a", bytes, LEN);
    sync_and_close(file);
    assert_int_equal(h5_open(&file, in_scratch("v.h5"), &err), 0);
    assert_int_equal(verify_hash(file, "/a", NULL, &err), 1);
    assert_int_equal(verify_hash(file, "/b", NULL, &err), 0);
    h5_close(file);

    unsigned char *image = read_bytes(in_scratch("v.h5"), &n);
    while (memcmp(image + at, bytes, LEN) != 0)
        at++;
    image[at + 7] ^= 1; /* as a disk that forgets: nothing else notices */
    write_bytes(in_scratch("v.h5"), image, n);
    free(image);
    assert_int_equal(h5_open(&file, in_scratch("v.h5"), &err), 0);
    assert_int_equal(verify_hash(file, "/a", NULL, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "v.h5:/a: is not what was written: its content_hash is xxh3:");
    h5_close(file);
}

/* As where somebody has put another dataset in the place of one that an importer wrote. */
static void rows_are_compared_without_a_content_hash(void **state) {
    unsigned char bytes[LEN] = {1};
    struct err err = {0};
    struct h5 *file;

    (void)state;
    for (int changed = 0; changed < 2; changed++) {
        struct row_hash *hash = row_hash_new(H * W);

        assert_int_equal(row_hash_add(hash, bytes, N), 0);
        bytes[7] ^= (unsigned char)changed;
        assert_int_equal(h5_create(&file, in_scratch("v.h5"), &err), 0);
        h5_write(file, "/a", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, bytes, &err);
        assert_int_equal(row_hash_write(hash, file, "/a", &err), 0);
        row_hash_free(hash);
        sync_and_close(file);
        assert_int_equal(h5_open(&file, in_scratch("v.h5"), &err), 0);
        assert_int_equal(verify_hash(file, "/a", NULL, &err), changed ? -1 : 1);
        h5_close(file);
    }
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "v.h5:/a: is not what was written: rows 0 to 4 of 5");
}

/* Big-endian numbers are the same numbers. */
static void content_is_hashed_little_endian(void **state) {
    const uint16_t values[] = {1, 515, 65000};
    const hsize_t dim = 3;
    struct err err = {0};
    struct h5 *file;

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("v.h5"), &err), 0);
    const hid_t space = H5Screate_simple(1, &dim, NULL);
    const hid_t id =
        H5Dcreate2(file->id, "/a", H5T_STD_U16BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    hash_attribute(file, "/a", values, sizeof values);
    sync_and_close(file);
    assert_int_equal(h5_open(&file, in_scratch("v.h5"), &err), 0);
    assert_int_equal(verify_hash(file, "/a", NULL, &err), 1);
    h5_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_are_none_are_counted_and_placed),
        cmocka_unit_test(counts_that_the_file_tells_are_compared),
        cmocka_unit_test(content_is_compared_with_what_was_written),
        cmocka_unit_test(rows_are_compared_without_a_content_hash),
        cmocka_unit_test(content_is_hashed_little_endian),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
