/* Fields of encoded pictures: where they lie, what is read, what is refused. */
#include "io/dataset/encoded.h"
#include "io/dataset/little.h"

#include "io/dataset/dataset_split.h"

static const int64_t mixed[] = {7, 0, 3, 3, 1, 2, 7};
static const int mixed_of[] = {7, 0, 3, 3, 1, 2, 7};

static void expect_mixed(const char *spec) {
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *ds = little_open(spec, kept ? 1 << 20 : 0);
        const struct dataset_field *f = dataset_field(ds, 0);

        assert_int_equal(dataset_in_memory(ds), kept);
        assert_int_equal(f->kind, DATASET_ENCODED);
        assert_true(f->image);
        assert_int_equal(f->rows, 8);
        assert_int_equal(f->sample.rank, 3);
        assert_int_equal(f->sample.dim[0] + f->sample.dim[1], 0);
        assert_int_equal(f->sample.dim[2], 3);
        assert_int_equal(dataset_n_fields(ds), 2);
        assert_int_equal(dataset_labels(ds, 1)[7], 1);
        encoded_expect(ds, mixed, mixed_of, 7);
        dataset_close(ds);
    }
}

static void pictures_end_to_end_are_read(void **state) {
    (void)state;
    encoded_write("e.h5", &(struct encoded_file){.n = 8, .names = true});
    expect_mixed("@e.h5:train");
    encoded_write("e.h5", &(struct encoded_file){.n = 8, .uint32 = true});
    expect_mixed("@e.h5");
    encoded_write("e.h5", &(struct encoded_file){.n = 8, .chunk = 100});
    expect_mixed("@e.h5");
    encoded_write("e.h5", &(struct encoded_file){.n = 8, .chunk = 1000, .gzip = true});
    expect_mixed("@e.h5");
}

static void rows_of_any_length_are_read(void **state) {
    struct dataset *ds;

    (void)state;
    encoded_write_lists("v.h5", "/image_bytes", "/targets", 8, 0, false);
    expect_mixed("@v.h5");
    encoded_write_lists("v.h5", "/jpegs", "/labels", 8, 3, false);
    expect_mixed("@v.h5");
    ds = little_open("@v.h5", 0);
    assert_string_equal(dataset_field(ds, 0)->name, "image");
    assert_contains(dataset_guesses(ds), "/jpegs: bytes are taken for files of pictures, of which "
                                         "sample 0 is a JPEG; to have nothing guessed, "
                                         "f['/jpegs'].attrs['encoding'] = 'files'");
    dataset_close(ds);
}

static void what_is_kept_counts_against_the_cache(void **state) {
    const struct encoded_bytes one = encoded_picture_bytes(0);
    struct dataset *ds;

    (void)state;
    encoded_write("one.h5", &(struct encoded_file){.n = 1});
    ds = little_open("@one.h5", (int64_t)one.len);
    assert_true(dataset_in_memory(ds));
    dataset_close(ds);
    ds = little_open("@one.h5", (int64_t)one.len - 1);
    assert_false(dataset_in_memory(ds));
    dataset_close(ds);
    free(one.bytes);
}

static void several_files_are_one(void **state) {
    const int64_t row[] = {6, 2, 3, 0, 3};
    const int of[] = {12, 2, 9, 0, 9}; /* b begins with picture 9 */
    struct dataset *ds;
    char text[DATASET_ROW_TEXT];

    (void)state;
    encoded_write("a.h5", &(struct encoded_file){.n = 3, .names = true});
    encoded_write("b.h5", &(struct encoded_file){.n = 4, .first = 9, .names = true});
    for (int64_t cache = 0; cache <= 1 << 20; cache += 1 << 20) {
        ds = little_open("@a.h5:train + @b.h5:train", cache);
        assert_int_equal(dataset_len(ds), 7);
        encoded_expect(ds, row, of, 5);
        assert_contains(dataset_row_text(ds, 0, 4, text), "sample 1 (n0/10.JPEG) of /tmp/");
        assert_contains(text, "/b.h5:train");
        dataset_close(ds);
    }
    little("raw.h5", 0, (int32_t[]){0, 1}, 2, NULL);
    little_refused("@a.h5:train + @raw.h5:train", ERR_DATA,
                   "raw.h5:train has image of images of bytes, but ");
    little_refused("@a.h5:train + @raw.h5:train", ERR_DATA,
                   "a.h5:train of encoded pictures: they are no one dataset");
    encoded_write("grey.h5", &(struct encoded_file){.n = 3, .channels = 1});
    little_refused("@a.h5:train + @grey.h5:train", ERR_DATA,
                   "grey.h5:train has image of encoded pictures in grey, but ");
}

static void pictures_are_called_by_their_names(void **state) {
    char text[DATASET_ROW_TEXT], expected[600];
    struct dataset *ds;

    (void)state;
    for (int named = 0; named < 2; named++)
        for (int64_t cache = 0; cache <= 1 << 20; cache += 1 << 20) {
            encoded_write("n.h5", &(struct encoded_file){.n = 3, .names = named});
            ds = little_open("@n.h5:train", cache);
            snprintf(expected, sizeof expected, "sample 2%s of %s/n.h5:train",
                     named ? " (n0/2.JPEG)" : "", scratch);
            assert_string_equal(dataset_row_text(ds, 0, 2, text), expected);
            dataset_close(ds);
        }
}

static void channels_are_those_of_the_attribute(void **state) {
    struct dataset *ds;

    (void)state;
    encoded_write("c.h5", &(struct encoded_file){.n = 2, .channels = 1});
    ds = little_open("@c.h5", 0);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 1);
    dataset_close(ds);
    encoded_write("c.h5", &(struct encoded_file){.n = 2, .channels = 4});
    little_refused("@c.h5", ERR_DATA,
                   "attribute channels of /train/images is 4, expected 1 (grey) or 3");
}

static void pictures_are_images_and_nothing_else(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct err err = {0};
        struct h5 *file = encoded_write("k.h5", &(struct encoded_file){.n = 2, .keep_open = true});

        h5_attr_write_text(file, "/train/images", "kind", k ? "class" : "image", &err);
        little_end(file);
        if (k)
            little_refused("@k.h5", ERR_DATA, "/train/images has files of pictures and kind = cl");
        else
            dataset_close(little_open("@k.h5", 0));
    }
}

static uint64_t fingerprint(const char *spec, int64_t cache) {
    struct dataset *ds = little_open(spec, cache);
    const uint64_t found = dataset_fingerprint(ds);

    dataset_close(ds);
    return found;
}

static void a_fingerprint_is_of_bytes_and_places(void **state) {
    (void)state;
    encoded_write("f.h5", &(struct encoded_file){.n = 4});
    const uint64_t whole = fingerprint("@f.h5", 1 << 20), probed = fingerprint("@f.h5", 0);
    encoded_write("f.h5", &(struct encoded_file){.n = 4, .chunk = 50});
    assert_true(fingerprint("@f.h5", 1 << 20) == whole);
    assert_true(fingerprint("@f.h5", 0) == probed);
    encoded_write("f.h5", &(struct encoded_file){.n = 4, .first = 2});
    assert_true(fingerprint("@f.h5", 1 << 20) != whole);
    assert_true(fingerprint("@f.h5", 0) != probed);
}

/* Offsets of 4 pictures of which one is wrong. */
static void refuse_offset(int which, int64_t value, const char *message) {
    struct encoded_file how = {.n = 4};

    for (int k = 0; k < 4; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(k);

        how.offset[k + 1] = how.offset[k] + (int64_t)one.len;
        free(one.bytes);
    }
    how.offset[which] = value;
    encoded_write("bad.h5", &how);
    little_refused("@bad.h5:train", ERR_DATA, message);
}

static void offsets_that_cannot_be_are_refused(void **state) {
    (void)state;
    refuse_offset(0, 5, "/train/images_offsets begins with 5, expected 0");
    refuse_offset(2, 1, "/train/images_offsets goes back from ");
    refuse_offset(2, 1, " to 1 at sample 1");
    refuse_offset(2, 1 << 20, "sample 1 of /train/images is said to end at byte 1048576, but");
    refuse_offset(2, INT64_MAX,
                  "sample 1 of /train/images is said to end at byte 9223372036854775807");
    refuse_offset(2, -1, " to -1 at sample 1");
    refuse_offset(4, 2000, "/train/images_offsets");
    encoded_write("bad.h5", &(struct encoded_file){.n = 2, .no_offsets = true});
    little_refused("@bad.h5:train", ERR_DATA,
                   "/train/images has the attribute encoding = files, but there is no "
                   "/train/images_offsets");
    encoded_write("bad.h5", &(struct encoded_file){.n = 2, .no_encoding = true});
    little_refused("@bad.h5:train", ERR_DATA, "f['/train/images'].attrs['encoding'] = 'files'");
}

static void bytes_that_are_no_pictures_are_refused(void **state) {
    const int64_t dim = 100, offsets = 3;
    const char *page = "<!DOCTYPE html><html>not found</html>";
    unsigned char bytes[100] = {0};
    struct err err = {0};
    struct h5 *file;

    (void)state;
    memcpy(bytes, page, strlen(page));
    assert_int_equal(h5_create(&file, in_scratch("html.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_U8, 1, &dim, bytes, &err);
    h5_write(file, "/images_offsets", H5_TYPE_I64, 1, &offsets, (int64_t[]){0, 0, 100}, &err);
    h5_attr_write_text(file, "/images", "encoding", "files", &err);
    little_end(file);
    little_refused("@html.h5", ERR_DATA,
                   "html.h5: is a page of HTML, not the image: its download has failed; /images is "
                   "said to hold files of pictures");
    little_refused("@html.h5", ERR_DATA, "sample 1 of ");
}

/* Rows of any length beside images of numbers, and in the place of labels. */
static void lists_that_are_no_images_are_no_pictures(void **state) {
    const hsize_t n = 2;
    const hid_t type = H5Tvlen_create(H5T_STD_U8LE), space = H5Screate_simple(1, &n, NULL);
    struct dataset *ds;

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct h5 *file = little_begin(k ? "lists.h5" : "notes.h5", 0, (int32_t[]){0, 1}, 2, NULL);
        if (k)
            assert_true(H5Ldelete(file->id, "/train/labels", H5P_DEFAULT) >= 0);
        H5Dclose(H5Dcreate2(file->id, k ? "/train/labels" : "/train/notes", type, space,
                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        little_end(file);
    }
    H5Tclose(type);
    H5Sclose(space);
    ds = little_open("@notes.h5:train", 0);
    assert_int_equal(dataset_n_fields(ds), 2);
    assert_string_equal(dataset_ignored(ds), "notes (bytes without encoding = files)");
    dataset_close(ds);
    little_refused("@lists.h5:train", ERR_DATA,
                   "/train/labels is bytes of no type [n], expected class numbers");
}

/* Each picture is in one of the groups, as it was, under its name. */
static void groups_of_a_split_have_the_pictures(void **state) {
    const struct split_plan plan = {.folds = 3, .seed = 1};
    struct split_result result;
    struct err err = {0};
    char text[DATASET_ROW_TEXT], spec[32];
    int seen[9] = {0};

    (void)state;
    encoded_write("whole.h5", &(struct encoded_file){.n = 9, .names = true, .channels = 1});
    if (dataset_split(in_scratch("whole.h5"), in_scratch("cut.h5"), &plan, &result, &err))
        fail_msg("%s", err.msg);
    for (int g = 0; g < 3; g++) {
        snprintf(spec, sizeof spec, "@cut.h5:fold%d", g + 1);
        struct dataset *ds = little_open(spec, 0);
        assert_int_equal(dataset_len(ds), 3);
        assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 1);
        for (int64_t row = 0; row < 3; row++) {
            const char *name = strstr(dataset_row_text(ds, 0, row, text), "(n0/");
            const int of = name ? atoi(name + 4) : 0;

            assert_non_null(name);
            assert_int_equal(dataset_labels(ds, 1)[row], of % 2);
            encoded_expect(ds, &row, &of, 1);
            seen[of]++;
        }
        dataset_close(ds);
    }
    for (int k = 0; k < 9; k++)
        assert_int_equal(seen[k], 1);
}

/* Whatever belongs to a field lies in the file. */
static void offsets_and_names_elsewhere_are_refused(void **state) {
    const int64_t dim = 3;
    struct err err = {0};
    struct h5 *file;

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("else.h5"), &err), 0);
    h5_write(file, "/o", H5_TYPE_I64, 1, &dim, (int64_t[]){0, 1, 2}, &err);
    little_end(file);
    for (int k = 0; k < 2; k++) {
        file = encoded_write(
            "link.h5", &(struct encoded_file){.n = 2, .no_offsets = k == 0, .keep_open = true});
        assert_true(H5Lcreate_external(in_scratch("else.h5"), "/o", file->id,
                                       k ? "/train/images_names" : "/train/images_offsets",
                                       H5P_DEFAULT, H5P_DEFAULT) >= 0);
        little_end(file);
        little_refused("@link.h5:train", ERR_DATA,
                       k ? "/train/images_names: is an external link"
                         : "/train/images_offsets: is an external link");
    }
}

static void an_empty_picture_is_one_of_no_bytes(void **state) {
    struct encoded_file how = {.n = 2};
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob[2];
    struct err err = {0};
    struct dataset *ds;
    size_t len = 0;

    (void)state;
    for (int k = 0; k < 2; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(k);

        len += one.len;
        free(one.bytes);
    }
    how.offset[1] = how.offset[2] = (int64_t)len;
    encoded_write("empty.h5", &how);
    ds = little_open("@empty.h5", 0);
    assert_int_equal(dataset_read_encoded(ds, 0, (int64_t[]){1, 0}, 2, blob, &buffer, &err), 0);
    assert_int_equal(blob[0].len, 0);
    assert_int_equal(blob[1].len, len);
    assert_int_equal(dataset_read_encoded(ds, 0, (int64_t[]){2}, 1, blob, &buffer, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_int_equal(dataset_read(ds, 0, (int64_t[]){0}, 1, blob, &err), -1);
    dataset_buffer_release(&buffer);
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_end_to_end_are_read),
        cmocka_unit_test(rows_of_any_length_are_read),
        cmocka_unit_test(what_is_kept_counts_against_the_cache),
        cmocka_unit_test(several_files_are_one),
        cmocka_unit_test(pictures_are_called_by_their_names),
        cmocka_unit_test(channels_are_those_of_the_attribute),
        cmocka_unit_test(pictures_are_images_and_nothing_else),
        cmocka_unit_test(a_fingerprint_is_of_bytes_and_places),
        cmocka_unit_test(offsets_that_cannot_be_are_refused),
        cmocka_unit_test(bytes_that_are_no_pictures_are_refused),
        cmocka_unit_test(lists_that_are_no_images_are_no_pictures),
        cmocka_unit_test(groups_of_a_split_have_the_pictures),
        cmocka_unit_test(offsets_and_names_elsewhere_are_refused),
        cmocka_unit_test(an_empty_picture_is_one_of_no_bytes),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
