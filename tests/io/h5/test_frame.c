/* Files some of whose bytes others write. */
#include "io/scratch.h"

#include "io/h5/h5.h"

/* Where `images` of the second group lie when those of the first are so long. */
static void place(int64_t first, int64_t second, int64_t at[2]) {
    struct err err = {0};
    struct h5 *file;

    assert_int_equal(h5_create_frame(&file, in_scratch("f.h5"), &err), 0);
    assert_int_equal(h5_group_create(file, "/a", &err), 0);
    assert_int_equal(h5_group_create(file, "/b", &err), 0);
    assert_int_equal(h5_reserve(file, "/a/images", H5_TYPE_U8, 1, &first, &at[0], &err), 0);
    assert_int_equal(h5_reserve(file, "/b/images", H5_TYPE_U8, 1, &second, &at[1], &err), 0);
    h5_close(file);
}

/* Small, larger than the blocks in which HDF5 asks for room, larger than any disk. */
static void places_follow_from_what_was_before(void **state) {
    const int64_t sizes[] = {1, 100, 3000, 1 << 20, (int64_t)1 << 42};
    int64_t at[2], model[2];

    (void)state;
    for (int i = 0; i < 5; i++) {
        place(sizes[i], 1, model);
        for (int k = 0; k < 5; k++) {
            place(sizes[i], sizes[k], at);
            assert_memory_equal(at, model, sizeof at);
        }
        assert_true(at[1] >= at[0] + sizes[i]);
    }
}

static void what_others_write_is_read(void **state) {
    unsigned char bytes[300], found[300];
    const int64_t len = sizeof bytes;
    struct err err = {0};
    struct h5 *file;
    int64_t at;
    FILE *raw;

    (void)state;
    for (int i = 0; i < 300; i++)
        bytes[i] = (unsigned char)(i * 7);
    assert_int_equal(h5_create_frame(&file, in_scratch("g.h5"), &err), 0);
    assert_int_equal(h5_reserve(file, "/images", H5_TYPE_U8, 1, &len, &at, &err), 0);
    assert_int_equal(h5_write_texts(file, "/names", 3, 2, "ab\0xyz", &err), 0);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    assert_non_null(raw = fopen(in_scratch("g.h5"), "r+b"));
    assert_int_equal(fseek(raw, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, raw), sizeof bytes);
    assert_int_equal(fclose(raw), 0);
    assert_int_equal(h5_open(&file, in_scratch("g.h5"), &err), 0);
    assert_int_equal(h5_read(file, "/images", H5_TYPE_U8, sizeof bytes, found, &err), 0);
    assert_memory_equal(bytes, found, sizeof bytes);

    struct h5_data *names;
    assert_int_equal(h5_data_open(&names, file, "/names", &err), 0);
    assert_true(h5_data_info(names)->class == H5_CLASS_TEXT);
    assert_true(h5_data_info(names)->item_bytes == 3 && h5_data_info(names)->dim[0] == 2);
    h5_data_close(names);
    h5_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_follow_from_what_was_before),
        cmocka_unit_test(what_others_write_is_read),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
