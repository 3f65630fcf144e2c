/* Bytes and rows of any length, read at their place in the file; and files that lie about it. */
#include "io/scratch.h"

#include "io/h5/h5_private.h"
#include "io/h5/h5_raw.h"

#include <fcntl.h>

enum { N = 1000, ROWS = 40, BLOCK = 512 };

/* How a file is written. */
struct raw_file {
    hsize_t block; /* of another program's before it */
    hsize_t chunk;
    bool gzip;
};

static unsigned char byte_at(int k) {
    return (unsigned char)(k * 37 + k / 256);
}

static hid_t create_file(const char *path, const struct raw_file *how) {
    const hid_t list = H5Pcreate(H5P_FILE_CREATE);

    h5_lock();
    h5_unlock(); /* the library is set up */
    H5Pset_userblock(list, how->block);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, list, H5P_DEFAULT);
    assert_true(file >= 0);
    H5Pclose(list);
    return file;
}

static hid_t create_data(hid_t file, const char *name, hid_t type, hsize_t n,
                         const struct raw_file *how) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);

    if (how->chunk)
        H5Pset_chunk(list, 1, &how->chunk);
    if (how->gzip) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, 3);
    }
    const hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Sclose(space);
    H5Pclose(list);
    return id;
}

static void write_raw(const char *path, const struct raw_file *how) {
    const hid_t file = create_file(path, how);
    const hid_t id = create_data(file, "x", H5T_STD_U8LE, N, how);
    unsigned char bytes[N];

    for (int k = 0; k < N; k++)
        bytes[k] = byte_at(k);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dclose(id);
    H5Fclose(file);
}

static struct h5_data *open_raw(struct h5 **file, const char *path, const char *name) {
    struct h5_data *data;
    struct err err = {0};

    if (h5_open(file, path, &err) || h5_data_open(&data, *file, name, &err))
        fail_msg("%s", err.msg);
    return data;
}

static void bytes_come_back_however_they_are_stored(void **state) {
    static const struct raw_file how[] = {{0},
                                          {.chunk = 64},
                                          {.chunk = N},
                                          {.chunk = 300, .gzip = true},
                                          {.block = BLOCK},
                                          {.block = BLOCK, .chunk = 64}};
    static const int range[][2] = {{0, N}, {63, 2}, {64, 64}, {999, 1}, {5, 700}, {1000, 0}};
    unsigned char bytes[N];

    (void)state;
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        struct err err = {0};
        struct h5 *file;

        write_raw(in_scratch("raw.h5"), &how[k]);
        struct h5_data *data = open_raw(&file, in_scratch("raw.h5"), "x");
        for (size_t r = 0; r < sizeof range / sizeof *range; r++) {
            memset(bytes, 0, N);
            h5_raw_expect(data, range[r][0], range[r][1]);
            assert_int_equal(h5_raw_read(data, range[r][0], range[r][1], bytes, &err), 0);
            for (int i = 0; i < range[r][1]; i++)
                assert_int_equal(bytes[i], byte_at(range[r][0] + i));
        }
        assert_int_equal(h5_raw_read(data, 999, 2, bytes, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "x: bytes 999 to 1000 were asked for, it has 1000");
        assert_int_equal(h5_raw_read(data, -1, 2, bytes, &err), -1);
        h5_data_close(data);
        h5_close(file);
    }
}

/* Row k has k * k bytes, all k: some share a heap, the last have one of their own. */
static void write_lists(const char *path, const struct raw_file *how) {
    const hid_t type = H5Tvlen_create(H5T_STD_U8LE), file = create_file(path, how);
    const hid_t id = create_data(file, "v", type, ROWS, how);
    unsigned char bytes[ROWS][ROWS * ROWS];
    hvl_t row[ROWS];

    for (int k = 0; k < ROWS; k++) {
        memset(bytes[k], k, sizeof bytes[k]);
        row[k] = (hvl_t){(size_t)(k * k), bytes[k]};
    }
    assert_true(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) >= 0);
    H5Dclose(id);
    H5Tclose(type);
    H5Fclose(file);
}

static void rows_of_any_length_come_back(void **state) {
    static const struct raw_file how[] = {{0}, {.chunk = 7}, {.block = BLOCK}};
    unsigned char bytes[ROWS * ROWS];
    struct h5_blob blob[ROWS];

    (void)state;
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        struct err err = {0};
        struct h5 *file;

        write_lists(in_scratch("lists.h5"), &how[k]);
        struct h5_data *data = open_raw(&file, in_scratch("lists.h5"), "v");
        assert_int_equal(h5_data_info(data)->class, H5_CLASS_BLOB);
        assert_true(h5_data_info(data)->variable);
        assert_int_equal(h5_blobs_find(data, 0, ROWS, blob, &err), 0);
        for (int r = 0; r < ROWS; r++) {
            assert_int_equal(blob[r].len, r * r);
            h5_blob_expect(data, &blob[r]);
            if (h5_blob_read(data, &blob[r], bytes, &err))
                fail_msg("%s", err.msg);
            for (int i = 0; i < r * r; i++)
                assert_int_equal(bytes[i], r);
        }
        assert_int_equal(h5_blobs_find(data, ROWS, 1, blob, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        h5_data_close(data);
        h5_close(file);
    }
}

/* Overwrite n bytes at byte `at` of what a contiguous dataset stores. */
static void patch_data(const char *path, const char *name, int64_t at, const void *bytes,
                       size_t n) {
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    const haddr_t place = H5Dget_offset(id);
    const int fd = open(path, O_WRONLY);

    assert_true(place != HADDR_UNDEF);
    H5Dclose(id);
    H5Fclose(file);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)place + (off_t)at), n);
    close(fd);
}

/* Row 30 with what it says of itself replaced: length (4), address (8), number (4). */
static void refuse_row(int at, const void *bytes, size_t n, const char *message) {
    static unsigned char out[1 << 16];
    const char *path = in_scratch("hostile.h5");
    struct err err = {0};
    struct h5_blob blob;
    struct h5 *file;

    write_lists(path, &(struct raw_file){0});
    patch_data(path, "v", 30 * 16 + at, bytes, n);
    struct h5_data *data = open_raw(&file, path, "v");
    if (!h5_blobs_find(data, 30, 1, &blob, &err)) {
        blob.len = blob.len < sizeof out ? blob.len : sizeof out;
        assert_int_equal(h5_blob_read(data, &blob, out, &err), -1);
    }
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, message);
    assert_contains(err.msg, "hostile.h5:v: ");
    h5_data_close(data);
    h5_close(file);
}

static void rows_that_lie_about_their_place_are_refused(void **state) {
    const uint32_t longer = 0x7fffffff, shorter = 16, none = 77;
    const uint64_t negative = UINT64_MAX - 1, behind = UINT64_C(1) << 40, wrong = 64;

    (void)state;
    refuse_row(0, &longer, 4, "a row and its heap disagree on its length");
    refuse_row(0, &shorter, 4, "a row and its heap disagree on its length");
    refuse_row(4, &negative, 8, "row 30 lies outside the file");
    refuse_row(4, &behind, 8, "the file has no byte 1099511627776");
    refuse_row(4, &wrong, 8, "a row is said to lie where there is no heap, at byte 64");
    refuse_row(12, &none, 4, "a row is not in its heap");
}

/* The file ends within the data, and says so of its own length. */
static void data_behind_the_end_is_refused(void **state) {
    const char *path = in_scratch("short.h5");
    struct h5_data *data;
    struct err err = {0};
    struct h5 *file;
    unsigned char bytes[N];

    (void)state;
    write_raw(path, &(struct raw_file){0});
    const hid_t id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t x = H5Dopen2(id, "x", H5P_DEFAULT);
    const uint64_t end = H5Dget_offset(x) + 10;
    H5Dclose(x);
    H5Fclose(id);
    data = open_raw(&file, path, "x"); /* while it is whole */
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, &end, 8, 40), 8); /* the superblock's end of file */
    assert_int_equal(ftruncate(fd, (off_t)end), 0);
    close(fd);
    assert_int_equal(h5_raw_read(data, 0, 10, bytes, &err), 0);
    assert_int_equal(h5_raw_read(data, 0, 11, bytes, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x: the file has no byte ");
    h5_data_close(data);
    h5_close(file);
    assert_int_equal(h5_open(&file, path, &err), 0);
    assert_int_equal(h5_data_open(&data, file, "x", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x: is said to have 1000 bytes from byte ");
    h5_close(file);
}

static void filters_of_others_are_refused(void **state) {
    const hsize_t n = 100, chunk = 10;
    struct h5_data *data;
    struct err err = {0};
    struct h5 *file;

    (void)state;
    const hid_t id = create_file(in_scratch("filter.h5"), &(struct raw_file){0});
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
    H5Pset_chunk(list, 1, &chunk);
    assert_true(H5Pset_filter(list, 32026, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
    const hid_t x = H5Dcreate2(id, "x", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(x >= 0);
    H5Dclose(x);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(id);
    assert_int_equal(h5_open(&file, in_scratch("filter.h5"), &err), 0);
    assert_int_equal(h5_data_open(&data, file, "x", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x: needs filter 32026 (unnamed), which is not available");
    h5_close(file);
}

static void texts_come_back_one_by_one(void **state) {
    const char *const names[] = {"a/b.JPEG", "", "c d"};
    const hsize_t n = 3;
    struct err err = {0};
    struct h5 *file;
    char text[8];

    (void)state;
    const hid_t id = create_file(in_scratch("texts.h5"), &(struct raw_file){0});
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t x = H5Dcreate2(id, "any", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(x, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names);
    H5Dclose(x);
    const hid_t fixed = H5Tcopy(H5T_C_S1);
    H5Tset_size(fixed, 8);
    H5Tset_strpad(fixed, H5T_STR_SPACEPAD);
    const hid_t y = H5Dcreate2(id, "fixed", fixed, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(y, fixed, H5S_ALL, H5S_ALL, H5P_DEFAULT, "a/b.JPEG        c d     ");
    H5Dclose(y);
    H5Tclose(fixed);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(id);
    assert_int_equal(h5_open(&file, in_scratch("texts.h5"), &err), 0);
    for (int k = 0; k < 6; k++) {
        assert_int_equal(h5_text_row(file, k < 3 ? "any" : "fixed", k % 3, text, 8, &err), 0);
        assert_int_equal(strncmp(text, names[k % 3], 7), 0);
        assert_true(strlen(text) < 8);
    }
    assert_int_equal(h5_text_row(file, "any", 3, text, 8, &err), -1);
    h5_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back_however_they_are_stored),
        cmocka_unit_test(rows_of_any_length_come_back),
        cmocka_unit_test(rows_that_lie_about_their_place_are_refused),
        cmocka_unit_test(data_behind_the_end_is_refused),
        cmocka_unit_test(filters_of_others_are_refused),
        cmocka_unit_test(texts_come_back_one_by_one),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
