/* Packed chunks: gzip, lzf and zstd, by themselves or behind shuffle, and damage. */
#include "io/scratch.h"

#include "io/h5/h5_filter.h"
#include "io/h5/h5_private.h"

#include <fcntl.h>
#include <pthread.h>

enum { ROWS = 50, LEN = 6, CHUNK = 7, LZF = 32000, ZSTD = 32015 };

static float values[ROWS][LEN];

/* packed.h5: /x of floats [50, 6] in chunks of 7 rows, packed by gzip. */
static void write_gzip(bool shuffle, int whole_rows) {
    const hsize_t dim[] = {ROWS, LEN}, chunk[] = {CHUNK, whole_rows ? LEN : LEN / 2};

    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < LEN; k++)
            values[i][k] = (float)(i * 10 + k) / 3;
    h5_lock();
    h5_unlock(); /* the library is set up */
    const hid_t file = H5Fcreate(in_scratch("packed.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dim, NULL);
    H5Pset_chunk(list, 2, chunk);
    if (shuffle)
        H5Pset_shuffle(list);
    H5Pset_deflate(list, 4);
    const hid_t id = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
}

static struct h5_data *open_x(struct h5 **file) {
    struct h5_data *data;
    struct err err = {0};

    if (h5_open(file, in_scratch("packed.h5"), &err) || h5_data_open(&data, *file, "x", &err))
        fail_msg("%s", err.msg);
    return data;
}

static void expect_rows(struct h5_data *data, int64_t first, int64_t n) {
    float got[ROWS][LEN];
    double wide[ROWS][LEN];
    struct err err = {0};

    assert_int_equal(h5_data_read(data, first, n, H5_TYPE_F32, got, &err), 0);
    assert_memory_equal(got, values[first], (size_t)n * sizeof got[0]);
    assert_int_equal(h5_data_read_stored(data, first, n, got, &err), 0);
    assert_memory_equal(got, values[first], (size_t)n * sizeof got[0]);
    assert_int_equal(h5_data_read(data, first, n, H5_TYPE_F64, wide, &err), 0);
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < LEN; k++)
            assert_true(wide[i][k] == (double)values[first + i][k]);
}

static void rows_of_gzip_are_those_that_were_written(void **state) {
    static const int range[][2] = {{0, ROWS}, {6, 2}, {7, 7}, {49, 1}, {3, 30}, {0, 1}};
    float got[ROWS][LEN];

    (void)state;
    for (int how = 0; how < 4; how++) {
        struct err err = {0};
        struct h5 *file;

        write_gzip(how & 1, how & 2);
        struct h5_data *data = open_x(&file);
        assert_int_equal(data->packed != NULL, (how & 2) != 0); /* otherwise by HDF5 */
        for (size_t r = 0; r < sizeof range / sizeof *range; r++)
            expect_rows(data, range[r][0], range[r][1]);
        assert_int_equal(h5_data_read(data, 49, 2, H5_TYPE_F32, got, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "x: rows 49 to 50 were asked for, it has 50");
        h5_data_close(data);
        h5_close(file);
    }
}

static void *read_often(void *data) {
    for (int k = 0; k < 200; k++)
        expect_rows(data, k % (ROWS - 10), 10);
    return NULL;
}

static void threads_unpack_side_by_side(void **state) {
    pthread_t other[3];
    struct h5 *file;

    (void)state;
    write_gzip(true, true);
    struct h5_data *data = open_x(&file);
    for (int k = 0; k < 3; k++)
        assert_int_equal(pthread_create(&other[k], NULL, read_often, data), 0);
    read_often(data);
    for (int k = 0; k < 3; k++)
        pthread_join(other[k], NULL);
    h5_data_close(data);
    h5_close(file);
}

/* /x of bytes [n] in one chunk, which is stored as these. */
static void write_chunk(H5Z_filter_t filter, unsigned mask, hsize_t n, const void *stored,
                        size_t len) {
    const hsize_t begin = 0;

    h5_lock();
    h5_unlock();
    const hid_t file = H5Fcreate(in_scratch("packed.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
    H5Pset_chunk(list, 1, &n);
    if (filter != H5Z_FILTER_DEFLATE)
        H5Zunregister(filter); /* which has nothing to pack by: as if it were another program's */
    assert_true(H5Pset_filter(list, filter, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
    const hid_t id = H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(id, H5P_DEFAULT, mask, &begin, len, stored) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
    h5_filters_register();
}

/* By our own way and, as floats, by HDF5's. */
static void expect_bytes(const char *bytes, int n) {
    unsigned char got[64];
    float numbers[64];
    struct err err = {0};
    struct h5 *file;

    struct h5_data *data = open_x(&file);
    if (h5_data_read(data, 0, n, H5_TYPE_U8, got, &err) ||
        h5_data_read(data, 0, n, H5_TYPE_F32, numbers, &err))
        fail_msg("%s", err.msg);
    assert_memory_equal(got, bytes, (size_t)n);
    for (int k = 0; k < n; k++)
        assert_true(numbers[k] == (float)(unsigned char)bytes[k]);
    h5_data_close(data);
    h5_close(file);
}

static void expect_damage(int n) {
    unsigned char got[64];
    float numbers[64];
    struct err err = {0};
    struct h5 *file;

    struct h5_data *data = open_x(&file);
    assert_int_equal(h5_data_read(data, 0, n, H5_TYPE_U8, got, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x: the chunk of row 0 cannot be unpacked; it is damaged");
    assert_int_equal(h5_data_read(data, 0, n, H5_TYPE_F32, numbers, &err), -1);
    h5_data_close(data);
    h5_close(file);
}

/* Packed by hand: what stands for itself, 4 bytes from 3 before, and 9 of one that was the last. */
static void lzf_is_unpacked(void **state) {
    static const unsigned char stored[] = {2, 'a', 'b', 'c', 2 << 5, 2, 0, 'd', 7 << 5, 0, 0};
    static const unsigned char back[] = {0, 'a', 1 << 5, 1}, cut[] = {5, 'a', 'b'},
                               ends[] = {0, 'a', 1 << 5};

    (void)state;
    write_chunk(LZF, 0, 17, stored, sizeof stored);
    expect_bytes("abcabcadddddddddd", 17);
    write_chunk(LZF, 1, 17, "as it is, 17 long", 17); /* left out for this chunk */
    expect_bytes("as it is, 17 long", 17);
    write_chunk(LZF, 0, 16, stored, sizeof stored); /* more than there is room for */
    {
        unsigned char got[16];
        struct err err = {0};
        struct h5 *file;
        struct h5_data *data = open_x(&file);

        assert_int_equal(h5_data_read(data, 0, 16, H5_TYPE_U8, got, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        h5_data_close(data);
        h5_close(file);
    }
    write_chunk(LZF, 0, 4, back, sizeof back);
    expect_damage(4);
    write_chunk(LZF, 0, 4, cut, sizeof cut);
    expect_damage(4);
    write_chunk(LZF, 0, 4, ends, sizeof ends);
    expect_damage(4);
}

/* RFC 8878: magic number, one segment of 5 bytes, the last block, of type RLE: 5 times 'z'. */
static void zstd_is_unpacked(void **state) {
    static const unsigned char stored[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 5 << 3 | 1 << 1 | 1,
                                           0,    0,    'z'};

    (void)state;
    if (H5Zfilter_avail(ZSTD) <= 0)
        return; /* built without it */
    write_chunk(ZSTD, 0, 5, stored, sizeof stored);
    expect_bytes("zzzzz", 5);
    write_chunk(ZSTD, 0, 5, "nothing like it", 15);
    expect_damage(5);
}

static void damaged_gzip_is_the_files_fault(void **state) {
    (void)state;
    write_chunk(H5Z_FILTER_DEFLATE, 0, 8, "\x78\x9cnot so", 8);
    expect_damage(8);
}

/* Bytes of memory of this process. */
static int64_t resident(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * (int64_t)sysconf(_SC_PAGESIZE);
}

/* A row of each of 100 chunks of 1 MiB, as bytes and, by HDF5, as floats. */
static void reading_in_part_keeps_no_more_than_a_cache(void **state) {
    const hsize_t dim[] = {102400, 1024}, chunk[] = {1024, 1024};
    unsigned char bytes[1024];
    float numbers[1024];
    struct err err = {0};
    struct h5 *file;

    (void)state;
    const hid_t id = H5Fcreate(in_scratch("packed.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dim, NULL);
    H5Pset_chunk(list, 2, chunk);
    H5Pset_deflate(list, 1);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_value(list, H5T_NATIVE_UINT8, &(unsigned char){7});
    H5Dclose(H5Dcreate2(id, "x", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(id);
    struct h5_data *data = open_x(&file);
    const int64_t before = resident();
    for (int64_t k = 0; k < 100; k++) {
        assert_int_equal(h5_data_read(data, k * 1024 + 5, 1, H5_TYPE_U8, bytes, &err), 0);
        assert_int_equal(h5_data_read(data, k * 1024 + 5, 1, H5_TYPE_F32, numbers, &err), 0);
        assert_int_equal(bytes[1000], 7);
        assert_true(numbers[1000] == 7);
    }
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was given back */
    assert_true(resident() - before < (int64_t)60 << 20);
#else
    (void)before;
#endif
    h5_data_close(data);
    h5_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_gzip_are_those_that_were_written),
        cmocka_unit_test(threads_unpack_side_by_side),
        cmocka_unit_test(lzf_is_unpacked),
        cmocka_unit_test(zstd_is_unpacked),
        cmocka_unit_test(damaged_gzip_is_the_files_fault),
        cmocka_unit_test(reading_in_part_keeps_no_more_than_a_cache),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
