/* Pictures in files that others have written: what is missing in them, or meant otherwise. */
#include "io/dataset/encoded.h"
#include "io/dataset/little.h"

/* Offsets of another type, or of no rows. */
static void write_offsets(enum h5_type type, int rank, const int64_t *dim) {
    const double places[4] = {0};
    const int64_t bytes = 4;
    struct err err = {0};
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch("kind.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_U8, 1, &bytes, places, &err);
    h5_attr_write_text(file, "/images", "encoding", "files", &err);
    h5_write(file, "/images_offsets", type, rank, dim, places, &err);
    little_end(file);
}

static void offsets_of_another_form_are_refused(void **state) {
    (void)state;
    write_offsets(H5_TYPE_F32, 1, (int64_t[]){2});
    little_refused("@kind.h5", ERR_DATA,
                   "/images_offsets has no integers, expected integers [n + 1]");
    write_offsets(H5_TYPE_I64, 2, (int64_t[]){2, 1});
    little_refused("@kind.h5", ERR_DATA,
                   "/images_offsets has another number of dimensions than one, expected integers");
}

/* Names of other rows say nothing of these, which is said. */
static void names_that_are_none_are_left_out(void **state) {
    struct dataset *ds;
    char text[DATASET_ROW_TEXT];
    struct err err = {0};

    (void)state;
    struct h5 *file = encoded_write("few.h5", &(struct encoded_file){.n = 3, .keep_open = true});
    encoded_names(file, 0, 2);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    ds = little_open("@few.h5", 0);
    assert_string_equal(dataset_ignored(ds), "images_names (no text for each picture)");
    assert_memory_equal(dataset_row_text(ds, 0, 2, text), "sample 2 of ", 12);
    dataset_close(ds);
    encoded_write("few.h5", &(struct encoded_file){.n = 3, .names = true});
    ds = little_open("@few.h5", 0);
    assert_string_equal(dataset_ignored(ds), "");
    dataset_close(ds);
}

static void the_first_that_is_no_picture_is_called_by_its_name(void **state) {
    struct encoded_file how = {.n = 2, .names = true, .offset = {0, 2}};

    (void)state;
    for (int k = 0; k < 2; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(k);

        how.offset[2] += (int64_t)one.len;
        free(one.bytes);
    }
    encoded_write("cut.h5", &how);
    little_refused("@cut.h5", ERR_DATA, "sample 0 (n0/0.JPEG) of ");
    little_refused("@cut.h5", ERR_DATA,
                   "cut.h5: is no JPEG, PNG, WebP, BMP, GIF or TIFF: it begins with ff d8; "
                   "/train/images is said to hold files of pictures");
}

/* What a file says goes before that there is but one. */
static void of_several_the_one_that_is_said_is_the_image(void **state) {
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file;

    (void)state;
    for (int told = 0; told < 2; told++) {
        assert_int_equal(h5_create(&file, in_scratch("two.h5"), &err), 0);
        encoded_lists(file, "/left", 0, 2, 0, false);
        encoded_lists(file, "/right", 2, 2, 0, false);
        encoded_labels(file, "/labels", 0, 2);
        if (told)
            h5_attr_write_text(file, "/right", "encoding", "files", &err);
        little_end(file);
        ds = little_open("@two.h5", 0);
        if (told) {
            assert_string_equal(dataset_field(ds, 0)->name, "image");
            encoded_expect(ds, (int64_t[]){1, 0}, (int[]){3, 2}, 2);
        } else
            assert_string_equal(dataset_ignored(ds), "left (bytes without encoding = files), "
                                                     "right (bytes without encoding = files)");
        dataset_close(ds);
    }
}

/* Rows of any length of that type, none of which is written. */
static void claim_lists(hid_t of) {
    const hid_t type = H5Tvlen_create(of), space = H5Screate_simple(1, &(hsize_t){2}, NULL);
    struct err err = {0};
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch("claimed.h5"), &err), 0);
    const hid_t id =
        H5Dcreate2(file->id, "/images", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
    little_end(file);
}

static void lists_that_are_no_pictures_are_refused(void **state) {
    (void)state;
    claim_lists(H5T_STD_U8LE);
    little_refused("@claimed.h5", ERR_DATA, "/images claims 2 rows, none of which was written");
    claim_lists(H5T_STD_U16LE);
    little_refused("@claimed.h5", ERR_DATA,
                   "/images is lists of any length [n], expected numbers, or files of pictures as "
                   "uint8 of any length: dtype=h5py.vlen_dtype('uint8')");
}

/* Behind a block of another program's, HDF5 does not tell where chunks lie. */
static void lists_behind_a_user_block_are_read_without_chunks(void **state) {
    for (hsize_t chunk = 0; chunk < 2; chunk++) {
        const hid_t list = H5Pcreate(H5P_FILE_CREATE);

        (void)state;
        H5Pset_userblock(list, 512);
        struct h5 file = {.id =
                              H5Fcreate(in_scratch("block.h5"), H5F_ACC_TRUNC, list, H5P_DEFAULT)};
        encoded_lists(&file, "/images", 4, 2, chunk, false);
        H5Fclose(file.id);
        H5Pclose(list);
        if (chunk) {
            little_refused("@block.h5", ERR_DATA, "has rows of any length in chunks behind a user");
            continue;
        }
        struct dataset *ds = little_open("@block.h5", 0);
        encoded_expect(ds, (int64_t[]){1, 0}, (int[]){5, 4}, 2);
        dataset_close(ds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_of_another_form_are_refused),
        cmocka_unit_test(names_that_are_none_are_left_out),
        cmocka_unit_test(the_first_that_is_no_picture_is_called_by_its_name),
        cmocka_unit_test(of_several_the_one_that_is_said_is_the_image),
        cmocka_unit_test(lists_that_are_no_pictures_are_refused),
        cmocka_unit_test(lists_behind_a_user_block_are_read_without_chunks),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
