/* What the writer adds to the rows. */
#include "io/scratch.h"

#include "io/weights/checkpoint.h"
#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_file.h"
#include "io/dataset/dataset_writer.h"

#include <xxhash.h>

enum { ROWS = 300, SIDE = 5 };

static unsigned char images[ROWS][SIDE][SIDE][3], masks[ROWS][SIDE][SIDE];
static int32_t labels[ROWS];

static void fill(void) {
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 7;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                masks[i][y][x] = (unsigned char)(x == y ? 255 : (i + x) % 3);
                for (int c = 0; c < 3; c++)
                    images[i][y][x][c] = (unsigned char)(i * 31 + y * 7 + x * 3 + c);
            }
    }
}

/* The attribute of the dataset is that of bytes[len], which are all of it as stored. */
static void check_hash(struct h5 *file, const char *path, const void *bytes, size_t len) {
    struct err err = {0};
    char expected[32], *found = NULL;

    snprintf(expected, sizeof expected, "xxh3:%016llx",
             (unsigned long long)XXH3_64bits(bytes, len));
    if (h5_attr_text(file, path, CONTENT_HASH, &found, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(found, expected);
    free(found);
}

static void write_in_pieces(struct dataset_writer *w, int field, const void *rows, size_t row) {
    struct err err = {0};

    for (int first = 0, n; first < ROWS; first += n) {
        n = first < 100 ? 7 : ROWS - first;
        if (dataset_writer_add(w, field, (const char *)rows + (size_t)first * row, n, &err))
            fail_msg("%s", err.msg);
    }
}

static void every_dataset_tells_what_it_holds(void **state) {
    const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = {3, {SIDE, SIDE, 3}}},
        {.name = "labels", .kind = DATASET_CLASS},
        {.name = "mask", .kind = DATASET_CLASS, .sample = {2, {SIDE, SIDE}}, .n_classes = 3}};
    struct dataset_writer *w = NULL;
    struct err err = {0};
    struct h5 *file;
    double *counts;
    int n;

    (void)state;
    fill();
    assert_int_equal(dataset_writer_new(&w, in_scratch("a.h5"), &err), 0);
    assert_int_equal(dataset_writer_fields(w, "train", fields, 3, &err), 0);
    write_in_pieces(w, 0, images, sizeof images[0]);
    write_in_pieces(w, 1, labels, sizeof labels[0]);
    write_in_pieces(w, 2, masks, sizeof masks[0]);
    assert_int_equal(dataset_writer_fields(w, "test", fields, 3, &err), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(dataset_writer_add(w, i,
                                            i == 0   ? (const void *)images
                                            : i == 1 ? (const void *)labels
                                                     : (const void *)masks,
                                            1, &err),
                         0);
    assert_int_equal(dataset_writer_finish(w, NULL, 0, &err), 0);
    dataset_writer_free(w);
    assert_int_equal(h5_open(&file, in_scratch("a.h5"), &err), 0);
    check_hash(file, "/train/images", images, sizeof images);
    check_hash(file, "/train/labels", labels, sizeof labels);
    check_hash(file, "/train/mask", masks, sizeof masks);
    check_hash(file, "/test/images", images, sizeof images[0]);
    check_hash(file, "/test/labels", labels, sizeof labels[0]);
    assert_int_equal(h5_attr_reals(file, "/train/mask", "class_counts", &counts, &n, &err), 0);
    assert_int_equal(n, 3);
    for (int k = 0; k < 3; k++) /* 20 of 25 pixels count; every class a third of the rows */
        assert_int_equal((int)counts[k], ROWS * 20 / 3);
    free(counts);
    h5_close(file);
}

static void only_hdf5_is_replaced(void **state) {
    struct dataset_writer *w = NULL;
    struct err err = {0};

    (void)state;
    write_bytes(in_scratch("photo.jpg"), "\xff\xd8\xff and more than eight bytes", 30);
    assert_int_equal(dataset_file_check(in_scratch("photo.jpg"), NULL, 0, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_contains(err.msg, "photo.jpg: exists and is no HDF5 file; remove it first");
    const float one = 1;
    const struct checkpoint_tensor t = {"/nets/a/b", {1, {1}}, &one, false};
    assert_int_equal(checkpoint_write(in_scratch("best.h5"), &t, 1, "{}", &err), 0);
    assert_int_equal(dataset_writer_new(&w, in_scratch("best.h5"), &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_contains(err.msg, "best.h5: exists and is a checkpoint; remove it first");
    assert_int_equal(dataset_writer_new(&w, in_scratch("photo.jpg"), &err), -1);
    assert_null(w);
    write_bytes(in_scratch("empty.h5"), "", 0);
    assert_int_equal(dataset_file_check(in_scratch("empty.h5"), NULL, 0, &err), 0);
    assert_int_equal(dataset_file_check(in_scratch("a.h5"), NULL, 0, &err), 0);
    assert_int_equal(dataset_file_check(in_scratch("absent.h5"), NULL, 0, &err), 0);
}

static void two_do_not_write_one_file(void **state) {
    struct dataset_file one, two;
    struct err err = {0};

    (void)state;
    assert_int_equal(dataset_file_init(&one, in_scratch("both.h5"), &err), 0);
    assert_int_equal(dataset_file_init(&two, in_scratch("both.h5"), &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_contains(err.msg, "both.h5: is being written by another process");
    assert_int_equal(dataset_file_finish(&one, &err), 0);
    dataset_file_release(&one);
    assert_int_equal(access(in_scratch("both.h5"), F_OK), 0);
    assert_int_equal(dataset_file_init(&two, in_scratch("both.h5"), &err), 0);
    dataset_file_release(&two);
    assert_int_equal(access(in_scratch("both.h5.tmp"), F_OK), -1);
    assert_int_equal(access(in_scratch("both.h5"), F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dataset_tells_what_it_holds),
        cmocka_unit_test(only_hdf5_is_replaced),
        cmocka_unit_test(two_do_not_write_one_file),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
