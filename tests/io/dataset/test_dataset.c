#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5_private.h"

enum { N = 40, H = 4, W = 5, C = 3 };

/* What to write; zeroed: a good dataset of N images, group /train, two classes. */
struct recipe {
    const char *group, *images, *labels; /* paths; labels "": none */
    enum h5_type image_type, label_type;
    int image_rank, label_rank;
    int64_t dim[4];
    int64_t n_labels, label_width, bad_sample, bad_label;
    const char *layout;
    bool no_classes, short_mean, no_std;
    double mean, version;
};

static const struct recipe good = {.group = "/train",
                                   .images = "/train/images",
                                   .labels = "/train/labels",
                                   .image_type = H5_TYPE_U8,
                                   .label_type = H5_TYPE_U8,
                                   .image_rank = 4,
                                   .label_rank = 1,
                                   .dim = {N, H, W, C},
                                   .n_labels = N,
                                   .label_width = 1,
                                   .bad_sample = -1,
                                   .mean = 0.5,
                                   .version = 1};

/* The number in place j of image i, whatever the order of its dimensions. */
static int value(int64_t i, int64_t j) {
    return (int)((i * 7 + j) % 251);
}

static void write_images(struct h5 *file, const struct recipe *r, struct err *err) {
    static unsigned char bytes[N * H * W * C];
    static float reals[N * H * W * C];
    int64_t row = 1;

    for (int i = 1; i < r->image_rank; i++)
        row *= r->dim[i];
    for (int64_t i = 0; i < r->dim[0]; i++)
        for (int64_t j = 0; j < row; j++) {
            bytes[i * row + j] = (unsigned char)value(i, j);
            reals[i * row + j] = (float)value(i, j) - 100.5F;
        }
    assert_int_equal(h5_write(file, r->images, r->image_type, r->image_rank, r->dim,
                              r->image_type == H5_TYPE_U8 ? (const void *)bytes : reals, err),
                     0);
}

static void write_labels(struct h5 *file, const struct recipe *r, struct err *err) {
    const int64_t dim[] = {r->n_labels, r->label_width};
    int64_t whole[2 * N] = {0};
    unsigned char bytes[2 * N] = {0};
    double reals[2 * N] = {0};

    for (int64_t i = 0; i < r->n_labels; i++) {
        whole[i] = i == r->bad_sample ? r->bad_label : i % 2;
        bytes[i] = (unsigned char)whole[i];
    }
    assert_int_equal(h5_write(file, r->labels, r->label_type, r->label_rank, dim,
                              r->label_type == H5_TYPE_U8    ? (const void *)bytes
                              : r->label_type == H5_TYPE_I64 ? (const void *)whole
                                                             : (const void *)reals,
                              err),
                     0);
}

/* Write the file and open spec_of(path, group). */
static int make(const struct recipe *r, const char *group, int64_t cache_bytes, struct dataset **ds,
                struct err *err) {
    static const char *const classes[] = {"cat", "dog"};
    const double mean[] = {r->mean, 0.25, 0.125}, std[] = {0.1, 0.2, 0.3};
    char spec[600];
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch("d.h5"), err), 0);
    if (r->group)
        assert_int_equal(h5_group_create(file, r->group, err), 0);
    write_images(file, r, err);
    if (*r->labels)
        write_labels(file, r, err);
    if (r->layout)
        h5_attr_write_text(file, r->images, "layout", r->layout, err);
    if (!r->no_classes)
        h5_attr_write_texts(file, "/", "classes", classes, 2, err);
    if (r->mean > 0)
        h5_attr_write_reals(file, "/", "mean", mean, r->short_mean ? 2 : 3, err);
    if (r->mean > 0 && !r->no_std)
        h5_attr_write_reals(file, "/", "std", std, 3, err);
    h5_attr_write_int(file, "/", "dltrain_dataset", (int64_t)r->version, err);
    assert_int_equal(h5_sync(file, err), 0);
    h5_close(file);
    snprintf(spec, sizeof spec, "%s%s", in_scratch("d.h5"), group);
    return dataset_open(ds, spec, cache_bytes, err);
}

static void the_documented_layout_is_read(void **state) {
    struct dataset *ds;
    struct err err = {0};
    struct shape s;

    (void)state;
    assert_int_equal(make(&good, ":train", DATASET_CACHE_BYTES, &ds, &err), 0);
    s = dataset_field(ds, 0)->sample;
    assert_int_equal(dataset_len(ds), N);
    assert_true(s.rank == 3 && s.dim[0] == H && s.dim[1] == W && s.dim[2] == C);
    assert_int_equal(dataset_field_classes(ds, 1), 2);
    assert_string_equal(dataset_class_name(ds, 1, 1), "dog");
    assert_true(dataset_mean(ds, 0)[2] == 0.125F && dataset_std(ds, 0)[1] == 0.2F);
    assert_int_equal(dataset_labels(ds, 1)[7], 1);
    assert_int_equal(dataset_labels(ds, 1)[8], 0);
    assert_true(dataset_in_memory(ds));
    assert_int_equal(dataset_n_fields(ds), 2);
    assert_int_equal(dataset_field(ds, dataset_find_field(ds, "image"))->kind, DATASET_BYTES);
    assert_int_equal(dataset_field(ds, dataset_find_field(ds, "label"))->kind, DATASET_CLASS);
    assert_int_equal(dataset_find_field(ds, "mask"), -1);
    dataset_close(ds);
}

/* Any order, repeats, neighbours and gaps, from memory and from the file. */
static void images_come_in_the_order_asked(void **state) {
    const int64_t index[] = {39, 0, 5, 6, 7, 5, 20, 38};
    unsigned char out[8 * H * W * C];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        assert_int_equal(make(&good, ":train", kept ? DATASET_CACHE_BYTES : 0, &ds, &err), 0);
        assert_int_equal(dataset_in_memory(ds), kept);
        assert_int_equal(dataset_read(ds, 0, index, 8, out, &err), 0);
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < H * W * C; j++)
                assert_int_equal(out[i * H * W * C + j], value(index[i], j));
        assert_int_equal(dataset_read(ds, 0, (const int64_t[]){N}, 1, out, &err), -1);
        assert_contains(err.msg, "row 40 of image was asked for, it has 40");
        dataset_close(ds);
    }
}

/* Pixel (y, x), channel c lies at (c * H + y) * W + x of the file. */
static void channels_first_become_channels_last(void **state) {
    struct recipe r = good;
    unsigned char out[H * W * C];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    memcpy(r.dim, (const int64_t[]){N, C, H, W}, sizeof r.dim);
    r.dim[2] = 5; /* 4 rows would look like channels */
    r.dim[3] = 4;
    for (int kept = 0; kept < 2; kept++) {
        r.layout = "NCHW";
        assert_int_equal(make(&r, "", kept ? DATASET_CACHE_BYTES : 0, &ds, &err), 0);
        assert_int_equal(dataset_field(ds, 0)->sample.dim[0], 5);
        assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 3);
        assert_int_equal(dataset_read(ds, 0, (const int64_t[]){9}, 1, out, &err), 0);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 4; x++)
                for (int c = 0; c < 3; c++)
                    assert_int_equal(out[(y * 4 + x) * 3 + c], value(9, (c * 5 + y) * 4 + x));
        dataset_close(ds);
    }
}

static void channels_first_are_known_by_their_number(void **state) {
    struct recipe r = good;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    memcpy(r.dim, (const int64_t[]){N, 3, 2, 10}, sizeof r.dim);
    assert_int_equal(make(&r, "", 0, &ds, &err), 0);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[0], 2);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 3);
    dataset_close(ds);
    r.layout = "CHWN";
    assert_int_equal(make(&r, "", 0, &ds, &err), -1);
    assert_contains(err.msg, "attribute layout is 'CHWN', expected NHWC or NCHW");
}

static void float_images_stay_as_they_are(void **state) {
    const int64_t index[] = {3, 11};
    struct recipe r = good;
    float out[2 * H * W * C];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    r.image_type = H5_TYPE_F32;
    r.mean = 7; /* of floats any mean will do */
    assert_int_equal(make(&r, "", DATASET_CACHE_BYTES, &ds, &err), 0);
    assert_int_equal(dataset_field(ds, 0)->kind, DATASET_REALS);
    assert_int_equal(dataset_read(ds, 0, index, 2, out, &err), 0);
    assert_true(out[H * W * C + 4] == (float)value(11, 4) - 100.5F);
    dataset_close(ds);
}

static void common_names_are_found(void **state) {
    static const struct {
        const char *group, *images, *labels, *spec;
    } layouts[] = {{NULL, "/x", "/y", ""},
                   {NULL, "/X", "/y", ""},
                   {NULL, "/data", "/label", ""},
                   {"/a", "/a/image", "/a/label", ":a"},
                   {NULL, "/x_train", "/y_train", ":train"},
                   {NULL, "/x_train", "/y_train", ""}, /* the only split */
                   {NULL, "/train_set_x", "/train_set_y", ":train"},
                   {NULL, "/images", "", ""}};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct recipe r = good;
        struct dataset *ds;

        r.group = layouts[i].group;
        r.images = layouts[i].images;
        r.labels = layouts[i].labels;
        if (make(&r, layouts[i].spec, 0, &ds, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(dataset_n_fields(ds), *r.labels ? 2 : 1);
        assert_int_equal(dataset_field_classes(ds, 1), *r.labels ? 2 : 0);
        assert_int_equal(dataset_labels(ds, 1) != NULL, *r.labels != 0);
        dataset_close(ds);
    }
}

static void grey_images_need_no_channel_dimension(void **state) {
    struct recipe r = good;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    r.image_rank = 3;
    r.mean = 0;
    assert_int_equal(make(&r, "", 0, &ds, &err), 0);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 1);
    assert_null(dataset_mean(ds, 0));
    dataset_close(ds);
}

static void labels_number_the_classes_where_names_are_missing(void **state) {
    struct recipe r = good;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    r.no_classes = true;
    r.label_type = H5_TYPE_I64;
    r.label_rank = 2; /* [n, 1] */
    r.bad_sample = 17;
    r.bad_label = 6;
    assert_int_equal(make(&r, "", 0, &ds, &err), 0);
    assert_int_equal(dataset_field_classes(ds, 1), 7);
    assert_string_equal(dataset_class_name(ds, 1, 6), "6");
    assert_int_equal(dataset_labels(ds, 1)[17], 6);
    dataset_close(ds);
}

/* The losses pass such samples over. */
static void labels_of_minus_one_do_not_count(void **state) {
    struct recipe r = good;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    r.label_type = H5_TYPE_I64;
    r.bad_sample = 34;
    r.bad_label = -1;
    assert_int_equal(make(&r, "", 0, &ds, &err), 0);
    assert_int_equal(dataset_labels(ds, 1)[34], -1);
    assert_int_equal(dataset_class_counts(ds, 1)[0], N / 2 - 1);
    assert_contains(dataset_guesses(ds), "the label of 1 samples is -1: they do not count");
    dataset_close(ds);
}

static void assert_refused(const struct recipe *r, const char *group, const char *message) {
    struct dataset *ds = NULL;
    struct err err = {0};

    assert_int_equal(make(r, group, DATASET_CACHE_BYTES, &ds, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "d.h5");
    assert_contains(err.msg, message);
    assert_null(strchr(err.msg, '\n'));
}

static void wrong_labels_are_refused(void **state) {
    struct recipe r = good;

    (void)state;
    r.label_type = H5_TYPE_I64;
    r.bad_sample = 34;
    r.bad_label = 12;
    assert_refused(
        &r, ":train",
        "label 12 of sample 34, expected 0 to 1 (the attribute classes has 2 names), or");
    r.bad_label = -2;
    assert_refused(&r, ":train", "label -2 of sample 34, expected 0 to 1");
    r.bad_label = INT64_C(5000000000); /* as stored, not as far as 32 bits go */
    assert_refused(&r, ":train", "label 5000000000 of sample 34, expected 0 to 1");
    r = good;
    r.n_labels = N - 1;
    assert_refused(&r, ":train", "has 40 images but 39 labels");
    r = good;
    r.label_type = H5_TYPE_F64;
    assert_refused(&r, ":train",
                   "/train/labels is float64 [n], expected class numbers; store them as integers: "
                   "f['/train/labels'] = y.astype('int64')");
    r = good;
    r.label_rank = 2;
    r.label_width = 2;
    assert_refused(&r, ":train",
                   "is uint8 [n, 2] (one-hot?), expected one class number for each sample: "
                   "f['/train/labels'] = y.argmax(1)");
}

static void wrong_images_are_refused(void **state) {
    struct recipe r = good;

    (void)state;
    r.image_rank = 2;
    assert_refused(&r, "", "/train/images is uint8 [n, 4], expected images of 4 dimensions");
    r = good;
    r.dim[0] = r.n_labels = 0;
    assert_refused(&r, "", "/train/images is empty");
}

static void wrong_statistics_are_refused(void **state) {
    struct recipe r = good;

    (void)state;
    r.mean = 125; /* of 0 .. 255 */
    assert_refused(&r, "",
                   "attribute mean is 125 for channel 0, expected a value of pixels scaled");
    r = good;
    r.short_mean = true;
    assert_refused(&r, "", "attribute mean has 2 values for 3 channels");
    r = good;
    r.no_std = true;
    assert_refused(&r, "", "has the attribute mean but not std");
    r = good;
    r.version = 2;
    assert_refused(&r, "", "is a dataset of version 2, this program reads 1");
}

static void a_wrong_group_names_the_nearest(void **state) {
    struct recipe r = good;

    (void)state;
    assert_refused(&r, ":trian", "has no group 'trian'; did you mean 'train'? It has train");
    assert_refused(&r, ":validation", "has no group 'validation'; it has train");
}

/* As an interrupted writer leaves it: the extent is set, the chunks are not there. */
static void rows_that_were_never_written_are_refused(void **state) {
    const hsize_t dim[] = {N, H, W, C}, chunk[] = {1, H, W, C};
    struct err err = {0};
    struct dataset *ds;
    hid_t file, space, list, id;

    (void)state;
    file = H5Fcreate(in_scratch("sparse.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    space = H5Screate_simple(4, dim, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 4, chunk);
    id = H5Dcreate2(file, "images", H5T_NATIVE_UINT8, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
    assert_int_equal(dataset_open(&ds, in_scratch("sparse.h5"), 0, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "/images claims 2400 bytes but stores 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_layout_is_read),
        cmocka_unit_test(images_come_in_the_order_asked),
        cmocka_unit_test(channels_first_become_channels_last),
        cmocka_unit_test(channels_first_are_known_by_their_number),
        cmocka_unit_test(float_images_stay_as_they_are),
        cmocka_unit_test(common_names_are_found),
        cmocka_unit_test(grey_images_need_no_channel_dimension),
        cmocka_unit_test(labels_number_the_classes_where_names_are_missing),
        cmocka_unit_test(labels_of_minus_one_do_not_count),
        cmocka_unit_test(wrong_labels_are_refused),
        cmocka_unit_test(wrong_images_are_refused),
        cmocka_unit_test(wrong_statistics_are_refused),
        cmocka_unit_test(a_wrong_group_names_the_nearest),
        cmocka_unit_test(rows_that_were_never_written_are_refused),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
