/* Rows that are not what was written are refused when they are read, by name; others are not. */
#include "io/dataset/encoded.h"

#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/dataset_split.h"
#include "io/dataset/row_hash.h"
#include "io/dataset/verify_rows.h"

enum { N = 301, H = 20, W = 20, C = 3, ROW = H * W * C, LABELS_EACH = 512, CACHE = 1 << 30 };

/* How a file of N images lies on the disk, and what of it is damaged. */
struct layout {
    const char *what;
    int64_t chunk; /* rows; 0: contiguous */
    bool gzip;
    int damaged;   /* the row one bit of which is not what was written; -1: none */
    bool unhashed; /* the file does not say what was written */
    int rows;      /* of those that were there when hashes were written; 0: all */
};

static unsigned char images[N][ROW];
static int32_t labels[N];

static void fill(void) {
    for (int i = 0; i < N; i++) {
        labels[i] = i % 7;
        for (int k = 0; k < ROW; k++)
            images[i][k] = (unsigned char)(i * 31 + k * 7);
    }
}

static void write_images(struct h5 *file, const struct layout *how) {
    const hsize_t dim[] = {N, H, W, C}, chunk[] = {(hsize_t)how->chunk, H, W, C};
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(4, dim, NULL);

    if (how->chunk)
        H5Pset_chunk(list, 4, chunk);
    if (how->gzip)
        H5Pset_deflate(list, 1);
    const hid_t id = H5Dcreate2(file->id, "/train/images", H5T_NATIVE_UINT8, space, H5P_DEFAULT,
                                list, H5P_DEFAULT);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, images) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
}

static void write_hashes(struct h5 *file, const char *path, const void *rows, int64_t n,
                         int64_t row_bytes) {
    struct row_hash *hash = row_hash_new(row_bytes);
    struct err err = {0};

    assert_int_equal(row_hash_add(hash, rows, n), 0);
    assert_int_equal(row_hash_write(hash, file, path, &err), 0);
    row_hash_free(hash);
}

static const char *write_file(const struct layout *how) {
    const int64_t n = N, hashed = how->rows ? how->rows : N;
    struct err err = {0};
    struct h5 *file;

    fill();
    assert_int_equal(h5_create(&file, in_scratch("h.h5"), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    if (!how->unhashed) {
        write_hashes(file, "/train/images", images, hashed, ROW);
        write_hashes(file, "/train/labels", labels, N, sizeof *labels);
    }
    if (how->damaged >= 0)
        images[how->damaged][ROW / 2] ^= 4;
    write_images(file, how);
    assert_int_equal(h5_write(file, "/train/labels", H5_TYPE_I32, 1, &n, labels, &err), 0);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    return in_scratch("h.h5");
}

static const struct layout layouts[] = {
    {.what = "contiguous", .damaged = 17},
    {.what = "chunked", .chunk = 64, .damaged = 17},
    {.what = "packed", .chunk = 64, .gzip = true, .damaged = 17},
};

/* Every third row from `first` to `last`, the last ones first. */
static int read_some(struct dataset *ds, int first, int last, struct err *err) {
    static unsigned char out[N][ROW];
    int64_t index[N];
    int n = 0;

    for (int row = last; row >= first; row -= 3)
        index[n++] = row;
    return dataset_read(ds, 0, index, n, out, err);
}

static void a_row_that_is_not_what_was_written_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const char *path = write_file(&layouts[i]);
        struct err err = {0};
        struct dataset *ds;

        assert_int_equal(dataset_open(&ds, path, 0, &err), 0);
        assert_int_equal(dataset_hashed_rows(ds, 0), 2);
        assert_int_equal(read_some(ds, 40, N - 1, &err), 0);
        if (!read_some(ds, 0, N - 1, &err))
            fail_msg("%s: row 17 is read", layouts[i].what);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "h.h5: one of rows 16 to 17 of /train/images is not what was "
                                 "written; take a copy of the file that is sound");
        assert_contains(err.msg, "or delete the group /train/.hash");
        dataset_close(ds);
        err = (struct err){0};
        assert_int_equal(dataset_open(&ds, path, CACHE, &err), -1);
        assert_contains(err.msg, "one of rows 16 to 17 of /train/images is not what was written");
    }
}

static void sound_files_and_those_without_hashes_are_read(void **state) {
    (void)state;
    for (int unhashed = 0; unhashed < 2; unhashed++)
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
            struct layout how = layouts[i];
            struct err err = {0};
            struct dataset *ds;

            how.unhashed = unhashed;
            how.damaged = unhashed ? 17 : -1; /* nobody knows */
            for (int kept = 0; kept < 2; kept++) {
                assert_int_equal(dataset_open(&ds, write_file(&how), kept ? CACHE : 0, &err), 0);
                assert_int_equal(dataset_hashed_rows(ds, 1), unhashed ? 0 : LABELS_EACH);
                for (int k = 1; k <= 3; k++)
                    assert_int_equal(read_some(ds, 0, N - k, &err), 0);
                dataset_close(ds);
            }
        }
}

/* It is among those that tell a file from others. */
static void the_last_rows_are_fewer_and_are_compared(void **state) {
    struct err err = {0};
    struct dataset *ds;

    (void)state;
    assert_int_equal(dataset_open(&ds, write_file(&(struct layout){.damaged = N - 1}), 0, &err),
                     -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "h.h5: row 300 of /train/images is not what was written");
}

/* Labels lie at their place in the file, and their hash says of how many rows they are. */
static void damaged_labels_are_refused_at_once(void **state) {
    const char *path = write_file(&(struct layout){.damaged = -1});
    struct err err = {0};
    struct dataset *ds;
    size_t len;
    unsigned char *bytes = read_bytes(path, &len), *at = bytes;

    (void)state;
    while (memcmp(at, labels, sizeof labels) != 0)
        at++;
    at[sizeof *labels * 100] = 3; /* a class, but another */
    write_bytes(path, bytes, len);
    free(bytes);
    assert_int_equal(dataset_open(&ds, path, CACHE, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "one of rows 0 to 300 of /train/labels is not what was written");
}

static void hashes_that_are_none_are_refused(void **state) {
    struct err err = {0};
    struct dataset *ds;
    size_t len;

    (void)state;
    const char *path = write_file(&(struct layout){.damaged = -1, .rows = N - 2});
    assert_int_equal(dataset_open(&ds, path, 0, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "h.h5:/train/.hash/images: has 150 hashes, each of 2 rows; 301 rows "
                             "have 151, each of 2; take a copy");
    path = write_file(&(struct layout){.damaged = -1});
    unsigned char *bytes = read_bytes(path, &len), *at = bytes;
    const uint64_t first = content_hash_of(images[0], 2 * ROW);
    while (memcmp(at, &first, sizeof first) != 0)
        at++;
    at[8] ^= 1;
    write_bytes(path, bytes, len);
    free(bytes);
    err = (struct err){0};
    assert_int_equal(dataset_open(&ds, path, 0, &err), -1);
    assert_contains(err.msg, "/train/.hash/images: is damaged");
}

enum { ROWS = 5, SIDE = 32, BIG = SIDE * SIDE * C };

static void *take(void *context, size_t bytes, bool *filled, struct err *err) {
    (void)filled;
    (void)err;
    assert_true(bytes <= ROWS * BIG + 64);
    return context;
}

/* Memory may change after the file was read; rows with a hash of their own are compared there. */
static void a_row_that_changes_in_memory_is_refused(void **state) {
    static _Alignas(64) unsigned char memory[ROWS * BIG + 64];
    static unsigned char rows[ROWS * BIG], out[ROWS * BIG];
    const struct dataset_memory kept = {.bytes = CACHE, .take = take, .context = memory};
    const int64_t dim[] = {ROWS, SIDE, SIDE, C}, sound[] = {0, 1, 2, 4}, three = 3;
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file;

    (void)state;
    for (int i = 0; i < ROWS * BIG; i++)
        rows[i] = (unsigned char)(i / 5);
    assert_int_equal(h5_create(&file, in_scratch("m.h5"), &err), 0);
    assert_int_equal(h5_write(file, "/images", H5_TYPE_U8, 4, dim, rows, &err), 0);
    write_hashes(file, "/images", rows, ROWS, BIG);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    assert_int_equal(dataset_open_in(&ds, in_scratch("m.h5"), &kept, &err), 0);
    memory[3 * BIG + 7] ^= 64;
    assert_int_equal(dataset_read(ds, 0, sound, 4, out, &err), 0);
    assert_int_equal(dataset_read(ds, 0, &three, 1, out, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "m.h5: row 3 of /images is not what was written");
    dataset_close(ds);
}

/* A rank that reads its own file compares it with what that of rank 0 says. */
static void hashes_travel_with_the_index(void **state) {
    const struct dataset_memory indexed = {.indexed = true}, plain = {0};
    const char *path = write_file(&(struct layout){.damaged = -1});
    enum dataset_alike alike;
    struct err err = {0};
    struct dataset *ds, *other;
    void *index;
    size_t len;

    (void)state;
    assert_int_equal(dataset_open_in(&ds, path, &indexed, &err), 0);
    assert_int_equal(dataset_index_save(ds, &index, &len, &err), 0);
    dataset_close(ds);
    write_file(&(struct layout){.damaged = 17, .unhashed = true});
    assert_int_equal(dataset_index_open(&other, index, len, &plain, &alike, &err), 0);
    assert_int_equal(alike, DATASET_ALIKE);
    assert_int_equal(read_some(other, 40, N - 1, &err), 0);
    assert_int_equal(read_some(other, 0, N - 1, &err), -1);
    assert_contains(err.msg, "one of rows 16 to 17 of /train/images is not what was written");
    dataset_close(other);
    free(index);
}

static void splits_have_hashes_of_their_own(void **state) {
    const struct split_plan plan = {.folds = 2, .seed = 1};
    const char *path = write_file(&(struct layout){.chunk = 64, .damaged = -1});
    struct split_result result;
    struct err err = {0};
    struct dataset *ds;
    char spec[600];

    (void)state;
    assert_int_equal(dataset_split(path, in_scratch("f.h5"), &plan, &result, &err), 0);
    for (int k = 1; k <= 2; k++) {
        snprintf(spec, sizeof spec, "%s:fold%d", in_scratch("f.h5"), k);
        assert_int_equal(dataset_open(&ds, spec, CACHE, &err), 0);
        assert_int_equal(dataset_hashed_rows(ds, 0), 2);
        assert_int_equal(dataset_hashed_rows(ds, 1), LABELS_EACH);
        dataset_close(ds);
    }
    snprintf(spec, sizeof spec, "%s:fold1 + %s:fold2", in_scratch("f.h5"), in_scratch("f.h5"));
    assert_int_equal(dataset_open(&ds, spec, 0, &err), 0);
    assert_int_equal(dataset_hashed_rows(ds, 0), 2);
    for (int k = 1; k <= 3; k++)
        assert_int_equal(read_some(ds, 0, N - k, &err), 0);
    dataset_close(ds);
}

/* The new file would say of damage that it is what was written. */
static void damaged_rows_are_not_split(void **state) {
    const struct split_plan plan = {.folds = 2, .seed = 1};
    struct split_result result;

    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct layout how = layouts[i];
        struct err err = {0};

        how.damaged = 6; /* which the fingerprint does not read */
        remove(in_scratch("f.h5"));
        assert_int_equal(dataset_split(write_file(&how), in_scratch("f.h5"), &plan, &result, &err),
                         -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "images: is not what was written: rows 6 to 7 of 301");
        assert_int_equal(access(in_scratch("f.h5"), F_OK), -1);
    }
}

/* --- encoded pictures --- */

/* Pictures 0 .. 7, of which the file has another byte in number 5. */
static const char *write_encoded(bool damaged) {
    const struct encoded_file how = {.n = 8, .names = true, .keep_open = true};
    struct row_hash *hash = row_hash_new(0);
    struct h5 *file = encoded_write("e.h5", &how);
    struct err err = {0};

    for (int k = 0; k < how.n; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(k);

        if (damaged && k == 5)
            one.bytes[one.len / 2] ^= 1;
        assert_int_equal(row_hash_add_one(hash, one.bytes, one.len), 0);
        free(one.bytes);
    }
    assert_int_equal(row_hash_write(hash, file, "/train/images", &err), 0);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    row_hash_free(hash);
    return in_scratch("e.h5");
}

static void a_picture_that_is_not_what_was_written_is_refused_by_name(void **state) {
    const int64_t sound[] = {4, 6, 0}, one[] = {4, 5, 6};
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob[3];
    struct err err = {0};
    struct dataset *ds;

    (void)state;
    assert_int_equal(dataset_open(&ds, write_encoded(false), CACHE, &err), 0);
    assert_int_equal(dataset_read_encoded(ds, 0, one, 3, blob, &buffer, &err), 0);
    dataset_close(ds);
    assert_int_equal(
        dataset_open_in(&ds, write_encoded(true), &(struct dataset_memory){.unhashed = true}, &err),
        0);
    assert_int_equal(dataset_read_encoded(ds, 0, one, 3, blob, &buffer, &err), 0);
    dataset_close(ds);
    const int rc = dataset_open(&ds, in_scratch("e.h5"), 0, &err); /* its fingerprint reads all */
    if (!rc) {
        assert_int_equal(dataset_read_encoded(ds, 0, sound, 3, blob, &buffer, &err), 0);
        assert_int_equal(dataset_read_encoded(ds, 0, one, 3, blob, &buffer, &err), -1);
        dataset_close(ds);
    }
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "sample 5 (n0/5.JPEG) of ");
    assert_contains(err.msg, "of /train/images is not what was written");
    dataset_buffer_release(&buffer);
}

/* --- all of them --- */

static void all_rows_that_are_not_are_listed(void **state) {
    struct verify_rows v;
    struct err err = {0};
    struct h5 *file;

    (void)state;
    write_file(&(struct layout){.damaged = -1});
    assert_int_equal(h5_open(&file, in_scratch("h.h5"), &err), 0);
    assert_int_equal(verify_rows_init(&v, file, "/train/images", N, ROW, &err), 0);
    verify_rows_add(&v, 0, N, images);
    assert_int_equal(verify_rows_end(&v, file, "/train/images", &err), 1);
    images[8][0] ^= 1;
    images[10][5] ^= 1;
    images[N - 1][0] ^= 1;
    verify_rows_add(&v, 0, 100, images);
    verify_rows_add(&v, 100, N - 100, images + 100);
    assert_int_equal(verify_rows_end(&v, file, "/train/images", &err), -1);
    assert_contains(err.msg, "h.h5:/train/images: is not what was written: rows 8 to 11, 300 of "
                             "301; ");
    verify_rows_release(&v);
    assert_int_equal(verify_rows_init(&v, file, "/train/images", N, ROW, &err), 0);
    for (int i = 0; i < N; i += 4)
        images[i][1] ^= 1;
    verify_rows_add(&v, 0, N, images);
    assert_int_equal(verify_rows_end(&v, file, "/train/images", &err), -1);
    assert_contains(err.msg, " more of 301; ");
    verify_rows_release(&v);
    h5_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_not_what_was_written_is_refused),
        cmocka_unit_test(sound_files_and_those_without_hashes_are_read),
        cmocka_unit_test(the_last_rows_are_fewer_and_are_compared),
        cmocka_unit_test(damaged_labels_are_refused_at_once),
        cmocka_unit_test(hashes_that_are_none_are_refused),
        cmocka_unit_test(a_row_that_changes_in_memory_is_refused),
        cmocka_unit_test(hashes_travel_with_the_index),
        cmocka_unit_test(splits_have_hashes_of_their_own),
        cmocka_unit_test(damaged_rows_are_not_split),
        cmocka_unit_test(a_picture_that_is_not_what_was_written_is_refused_by_name),
        cmocka_unit_test(all_rows_that_are_not_are_listed),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
