/* Arrays of NumPy: files that NumPy has written, files that lie, and ours. */
#include "io/scratch.h"
#include "io/npy/npy.h"

#include "io/npy/golden_arrays.h"

#include <math.h>

enum { N = 6 };
/* of tests/golden/arrays.py; 1e-7 as float16 is the second subnormal number */
static const double numbers[N] = {1.5, -2, 1e-7, 65504, INFINITY, 0};

static struct npy_file opened(const char *name, const void *bytes, size_t n) {
    const char *path = in_scratch(name);
    struct npy_file file = {0};
    struct err err = {0};

    write_bytes(path, bytes, n);
    if (npy_open(&file, path, &err))
        fail_msg("%s", err.msg);
    return file;
}
#define OPENED(bytes) opened(#bytes, bytes, sizeof bytes)

static void refused(const void *bytes, size_t n, const char *message) {
    const char *path = in_scratch("bad.npy");
    struct npy_file file = {0};
    struct err err = {0};

    write_bytes(path, bytes, n);
    if (!npy_open(&file, path, &err))
        fail_msg("expected '%s'", message);
    assert_int_equal(err.kind, ERR_DATA);
    assert_int_equal(strncmp(err.msg, path, strlen(path)), 0);
    assert_contains(err.msg, message);
    npy_release(&file); /* nothing is left in it */
}

static void expect_numbers(struct npy_file *file, int item_bytes, double relative) {
    const struct npy_array *a = &file->array[0];
    double out[N];

    assert_int_equal(a->kind, NPY_FLOAT);
    assert_int_equal(a->item_bytes, item_bytes);
    assert_int_equal(a->rank, 2);
    assert_int_equal(npy_rows(a), 2);
    assert_int_equal(npy_row_len(a), 3);
    npy_read_reals(a, 0, 2, out);
    for (int i = 0; i < N; i++)
        if (out[i] != numbers[i])
            assert_true(fabs(out[i] - numbers[i]) <= relative * fabs(numbers[i]));
    npy_read_reals(a, 1, 1, out);
    assert_true(out[0] == 65504 && isinf(out[1]) && out[2] == 0);
    npy_release(file);
}

static void floats_of_all_sizes_versions_and_byte_orders_are_read(void **state) {
    struct npy_file half = OPENED(npy_half), single = OPENED(npy_big_single),
                    twice = OPENED(npy_double);

    (void)state;
    assert_string_equal(half.array[0].name, "npy_half");
    expect_numbers(&half, 2, 0.2);
    expect_numbers(&single, 4, 1e-7);
    expect_numbers(&twice, 8, 0);
}

static void fortran_order_is_read_as_c_order(void **state) {
    struct npy_file files[] = {OPENED(npy_fortran_short), OPENED(npy_big_long)};
    char text[NPY_TEXT];
    int64_t out[24];
    double real[12];

    (void)state;
    assert_true(files[0].array[0].fortran && !files[1].array[0].fortran);
    assert_string_equal(npy_text(&files[0].array[0], text), "int16 [2, 3, 4]");
    for (int f = 0; f < 2; f++) {
        npy_read_whole(&files[f].array[0], 0, 2, out);
        for (int i = 0; i < 24; i++)
            assert_int_equal(out[i], i - 5);
        npy_read_reals(&files[f].array[0], 1, 1, real);
        assert_true(real[0] == 7 && real[11] == 18);
        npy_release(&files[f]);
    }
}

static void whole_numbers_that_do_not_fit_become_the_largest(void **state) {
    struct npy_file big = OPENED(npy_unsigned), truth = OPENED(npy_truth), one = OPENED(npy_scalar),
                    half = OPENED(npy_half);
    int64_t out[3];

    (void)state;
    npy_read_whole(big.array, 0, 3, out);
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == INT64_MAX);
    npy_read_whole(truth.array, 0, 3, out);
    assert_true(out[0] == 1 && out[1] == 0 && out[2] == 1);
    assert_int_equal(one.array->rank, 0);
    npy_read_whole(one.array, 0, 1, out);
    assert_int_equal(out[0], 7);
    npy_read_whole(half.array, 1, 1, out);
    assert_true(out[0] == 65504 && out[1] == INT64_MAX && out[2] == 0);
    npy_release(&big);
    npy_release(&truth);
    npy_release(&one);
    npy_release(&half);
}

static void what_holds_no_plain_numbers_is_refused_with_its_dtype(void **state) {
    (void)state;
    refused(npy_objects, sizeof npy_objects, "has the dtype |O (Python objects");
    refused(npy_texts, sizeof npy_texts, "has the dtype <U2, expected truth values, integers");
    refused(npy_records, sizeof npy_records, "array of records (dtype [('a', '<f4')");
}

static void damaged_files_are_refused(void **state) {
    unsigned char bytes[sizeof npy_half];
    unsigned char archive[sizeof npz_deflated];

    (void)state;
    refused(npy_half, sizeof npy_half - 1, "float16 [2, 3] has 12; it is cut off");
    refused(npy_half, 40, "ends inside its header");
    refused("GIF89a", 6, "neither .npy nor .npz");
    memcpy(bytes, npy_half, sizeof bytes);
    bytes[6] = 4;
    refused(bytes, sizeof bytes, "version 4, expected 1, 2 or 3");
    memcpy(bytes, npy_half, sizeof bytes);
    for (size_t i = 0; i < 100; i++)
        if (memcmp(bytes + i, "(2, 3)", 6) == 0)
            memcpy(bytes + i, "(9999)", 6);
    refused(bytes, sizeof bytes, "float16 [9999] has 19998");
    for (size_t i = 0; i < 100; i++)
        if (memcmp(bytes + i, "'descr'", 7) == 0)
            memcpy(bytes + i, "'decsr'", 7);
    refused(bytes, sizeof bytes, "its header has no descr");
    refused(npz_stored, sizeof npz_stored / 2, "is no whole .npz");
    memcpy(archive, npz_deflated, sizeof archive);
    archive[60] ^= 0xff; /* in the first member */
    refused(archive, sizeof archive, "x.npy: ");
    memcpy(archive, npz_deflated, sizeof archive);
    for (size_t i = 0; i + 5 < sizeof archive; i++)
        if (memcmp(archive + i, "y.npy", 5) == 0)
            archive[i] = 'x';
    refused(archive, sizeof archive, "holds two arrays called 'x'");
}

static void archives_are_read_stored_and_deflated(void **state) {
    struct npy_file files[] = {OPENED(npz_stored), OPENED(npz_deflated)};
    int64_t y[2];
    double x[N];

    (void)state;
    for (int f = 0; f < 2; f++) {
        assert_int_equal(files[f].n, 2);
        assert_string_equal(files[f].array[0].name, "x");
        assert_string_equal(files[f].array[1].name, "y");
        npy_read_reals(&files[f].array[0], 0, 2, x);
        npy_read_whole(&files[f].array[1], 0, 2, y);
        assert_true(x[0] == 1.5 && x[1] == -2 && x[3] == 65504 && y[0] == 3 && y[1] == 1);
        npy_release(&files[f]);
    }
}

static void what_is_written_is_what_numpy_writes(void **state) {
    const struct npy_array a = {.name = "x",
                                .kind = NPY_FLOAT,
                                .item_bytes = 8,
                                .rank = 2,
                                .dim = {2, 3},
                                .data = (const unsigned char *)numbers};
    const char *path = in_scratch("ours.npy");
    struct npy_file read = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(npy_write(path, &a, &err), 0);
    unsigned char *bytes = read_bytes(path, &n);
    /* npy_double is of version 3, whose length of the header has two bytes more */
    assert_int_equal(n, sizeof npy_double);
    assert_memory_equal(bytes + n - sizeof numbers, npy_double + n - sizeof numbers,
                        sizeof numbers);
    assert_memory_equal(bytes + 10, npy_double + 12, 60);
    assert_int_equal(bytes[6], 1);
    free(bytes);
    assert_int_equal(npy_open(&read, path, &err), 0);
    npy_release(&read);
}

static void archives_come_back(void **state) {
    static const int32_t whole[] = {3, -1, 4};
    const struct npy_array arrays[] = {{.name = "net.conv1.weight",
                                        .kind = NPY_FLOAT,
                                        .item_bytes = 8,
                                        .rank = 2,
                                        .dim = {3, 2},
                                        .data = (const unsigned char *)numbers},
                                       {.name = "label",
                                        .kind = NPY_INT,
                                        .item_bytes = 4,
                                        .rank = 1,
                                        .dim = {3},
                                        .data = (const unsigned char *)whole}};
    const char *path = in_scratch("ours.npz");
    struct npy_file read = {0};
    struct err err = {0};
    double x[N];
    int64_t y[3];

    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        if (npz_write(path, arrays, 2, packed, &err) || npy_open(&read, path, &err))
            fail_msg("%s", err.msg);
        assert_string_equal(read.array[0].name, "net.conv1.weight");
        npy_read_reals(&read.array[0], 0, 3, x);
        assert_memory_equal(x, numbers, sizeof numbers);
        npy_read_whole(&read.array[1], 0, 3, y);
        assert_true(y[0] == 3 && y[1] == -1 && y[2] == 4);
        npy_release(&read);
    }
    assert_int_equal(npz_write(in_scratch("no/such/folder.npz"), arrays, 2, false, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_of_all_sizes_versions_and_byte_orders_are_read),
        cmocka_unit_test(fortran_order_is_read_as_c_order),
        cmocka_unit_test(whole_numbers_that_do_not_fit_become_the_largest),
        cmocka_unit_test(what_holds_no_plain_numbers_is_refused_with_its_dtype),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(archives_are_read_stored_and_deflated),
        cmocka_unit_test(what_is_written_is_what_numpy_writes),
        cmocka_unit_test(archives_come_back),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
