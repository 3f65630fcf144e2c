/* What a field is, by its name, type and shape: certain, said as a guess, or refused. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

enum { N = 3, MOST = 4096 };

/* One dataset: number j of it is first + j % modulus. */
struct recipe {
    const char *path;
    enum h5_type type;
    int rank;
    int64_t dim[5];
    int first, modulus;
    const char *kind, *layout;
};

static void put(struct h5 *file, const struct recipe *r) {
    static unsigned char bytes[MOST];
    static int32_t ints[MOST];
    static float floats[MOST];
    int64_t len = 1;
    struct err err = {0};

    for (int i = 0; i < r->rank; i++)
        len *= r->dim[i];
    assert_true(len <= MOST);
    for (int64_t j = 0; j < len; j++) {
        ints[j] = (int32_t)(r->first + j % r->modulus);
        bytes[j] = (unsigned char)ints[j];
        floats[j] = (float)ints[j];
    }
    const void *values = r->type == H5_TYPE_U8    ? (const void *)bytes
                         : r->type == H5_TYPE_I32 ? (const void *)ints
                                                  : (const void *)floats;
    assert_int_equal(h5_write(file, r->path, r->type, r->rank, r->dim, values, &err), 0);
    if (r->kind)
        assert_int_equal(h5_attr_write_text(file, r->path, "kind", r->kind, &err), 0);
    if (r->layout)
        assert_int_equal(h5_attr_write_text(file, r->path, "layout", r->layout, &err), 0);
}

static int opened(const struct recipe *r, int n, struct dataset **ds, struct err *err) {
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch("k.h5"), err), 0);
    for (int i = 0; i < n; i++)
        put(file, &r[i]);
    assert_int_equal(h5_sync(file, err), 0);
    h5_close(file);
    return dataset_open(ds, in_scratch("k.h5"), 0, err);
}

/* The only field of a file with that dataset alone is so, and `guess` is said, or nothing for "".
 */
static void is(const struct recipe *r, const char *name, enum dataset_kind kind,
               struct shape sample, const char *guess) {
    struct dataset *ds;
    struct err err = {0};

    if (opened(r, 1, &ds, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(dataset_field(ds, 0)->name, name);
    assert_int_equal(dataset_field(ds, 0)->kind, kind);
    if (!shape_equal(&dataset_field(ds, 0)->sample, &sample))
        fail_msg("%s of another shape", r->path);
    if (*guess)
        assert_contains(dataset_guesses(ds), guess);
    else
        assert_string_equal(dataset_guesses(ds), "");
    dataset_close(ds);
}

static void refused(const struct recipe *r, const char *message) {
    struct dataset *ds;
    struct err err = {0};

    assert_int_equal(opened(r, 1, &ds, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, r->path);
    assert_contains(err.msg, message);
}

static void integers_under_a_name_of_classes_are_maps(void **state) {
    static const char *const names[] = {
        "/mask", "/masks", "/label",      "/labels",    "/targets", "/seg",    "/gt",
        "/y",    "/Y",     "/tumor_mask", "/lungMask2", "/Mask_1",  "/target", "/annotations"};
    static const char *const other[] = {"/images", "/b"};

    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int shape = 0; shape < 3; shape++) {
            static const int64_t dims[3][4] = {{N, 6, 5, 1}, {N, 1, 6, 5}, {N, 6, 5, 0}};
            struct recipe r = {
                names[k], k % 2 ? H5_TYPE_I32 : H5_TYPE_U8, shape < 2 ? 4 : 3, {0}, 0, 3, NULL,
                NULL};
            struct dataset *ds;
            struct err err = {0};

            memcpy(r.dim, dims[shape], sizeof dims[shape]);
            if (opened(&r, 1, &ds, &err))
                fail_msg("%s", err.msg);
            const struct dataset_field *f = dataset_field(ds, 0);
            assert_int_equal(f->kind, DATASET_CLASS);
            assert_true(shape_equal(&f->sample, &(struct shape){2, {6, 5}}));
            assert_int_equal(dataset_field_classes(ds, 0), 3);
            dataset_close(ds);
        }
    for (size_t k = 0; k < 2; k++) /* and under others they are not */
        is(&(struct recipe){other[k], H5_TYPE_U8, 4, {N, 6, 5, 1}, 0, 250, NULL, NULL},
           k ? "b" : "image", DATASET_BYTES, (struct shape){3, {6, 5, 1}},
           k ? "/b: uint8 of one channel is taken for grey images, scaled to 0 .. 1; if they are "
               "masks, f['/b'].attrs['kind'] = 'class'"
             : "");
}

static void few_small_bytes_under_no_such_name_must_be_told(void **state) {
    struct recipe r = {"/b", H5_TYPE_U8, 4, {N, 6, 5, 1}, 0, 32, NULL, NULL};

    (void)state;
    refused(&r, "is uint8 [n, 6, 5, 1] with no number above 31: class numbers or dark images? Say "
                "which: f['/b'].attrs['kind'] = 'class' or 'image'");
    r.kind = "class";
    is(&r, "b", DATASET_CLASS, (struct shape){2, {6, 5}}, "");
    r.kind = "image";
    is(&r, "b", DATASET_BYTES, (struct shape){3, {6, 5, 1}}, "");
    r.kind = NULL;
    memcpy(r.dim, (int64_t[]){N, 1, 6, 5}, sizeof(int64_t[4]));
    refused(&r, "is uint8 [n, 1, 6, 5] with no number above 31");
    r.modulus = 33;
    is(&r, "b", DATASET_BYTES, (struct shape){3, {6, 5, 1}}, "/b: uint8 of one channel");
}

static void maps_with_channels_must_be_told(void **state) {
    (void)state;
    refused(&(struct recipe){"/mask", H5_TYPE_U8, 4, {N, 6, 5, 3}, 0, 250, NULL, NULL},
            "expected one class number for each pixel");
    refused(&(struct recipe){"/y", H5_TYPE_I32, 4, {N, 7, 4, 5}, 0, 2, NULL, NULL},
            "is int32 [n, 7, 4, 5], expected one class number for each pixel");
    is(&(struct recipe){"/mask", H5_TYPE_U8, 4, {N, 6, 4, 5}, 0, 2, "class", NULL}, "mask",
       DATASET_CLASS, (struct shape){3, {6, 4, 5}}, "");
    is(&(struct recipe){"/mask", H5_TYPE_U8, 5, {N, 6, 4, 5, 1}, 0, 2, NULL, NULL}, "mask",
       DATASET_CLASS, (struct shape){3, {6, 4, 5}}, "");
}

static void float_labels_are_told_from_numbers(void **state) {
    struct recipe r = {"/labels", H5_TYPE_F32, 1, {N}, 1, 3, NULL, NULL};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    refused(&r, "store them as integers: f['/labels'] = y.astype('int64')");
    r.path = "/y";
    is(&r, "label", DATASET_REALS, (struct shape){0},
       "/y: float32 [n] is taken for numbers to regress on, not for classes");
    r = (struct recipe){"/y", H5_TYPE_F32, 2, {N, 4}, 0, 5, NULL, NULL};
    for (int several = 0; several < 2; several++) {
        r.modulus = several ? 2 : 4; /* rows of 0 1 0 1 are not one-hot */
        is(&r, "label", DATASET_REALS, (struct shape){1, {4}}, "is taken for numbers");
    }
    const float hot[N * 4] = {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, half[N] = {0, 1, 0.5F};
    for (int k = 0; k < 2; k++) {
        struct h5 *file;

        assert_int_equal(h5_create(&file, in_scratch("k.h5"), &err), 0);
        h5_write(file, k ? "/labels" : "/y", H5_TYPE_F32, k ? 1 : 2, (int64_t[]){N, 4},
                 k ? half : hot, &err);
        h5_close(file);
        assert_int_equal(dataset_open(&ds, in_scratch("k.h5"), 0, &err), -1);
        assert_contains(err.msg, k ? "holds 0.5 in sample 2, which is no class number"
                                   : "one-hot; store one class number for each sample: f['/y'] = "
                                     "y.argmax(1)");
    }
    r = (struct recipe){"/mask", H5_TYPE_F32, 4, {N, 6, 5, 1}, 0, 2, NULL, NULL};
    assert_int_equal(opened(&r, 1, &ds, &err), 0);
    assert_false(dataset_field(ds, 0)->image); /* brightness must not change it */
    assert_contains(dataset_guesses(ds), "/mask: float32 [n, 6, 5, 1] is taken for numbers");
    dataset_close(ds);
}

static void a_table_keeps_its_name(void **state) {
    (void)state;
    is(&(struct recipe){"/x", H5_TYPE_F32, 2, {N, 7}, 0, 9, NULL, NULL}, "x", DATASET_REALS,
       (struct shape){1, {7}}, "");
    is(&(struct recipe){"/data", H5_TYPE_U8, 2, {N, 7}, 0, 9, "real", NULL}, "data", DATASET_REALS,
       (struct shape){1, {7}}, "");
    refused(&(struct recipe){"/X", H5_TYPE_I32, 2, {N, 7}, 0, 9, NULL, NULL},
            "class numbers (of words ...) or a table of numbers? Say which");
    refused(&(struct recipe){"/images", H5_TYPE_U8, 2, {N, 7}, 0, 9, NULL, NULL},
            "expected images of 4 dimensions");
    is(&(struct recipe){"/x", H5_TYPE_F32, 3, {N, 7, 5}, 0, 9, NULL, NULL}, "image", DATASET_REALS,
       (struct shape){3, {7, 5, 1}}, "/x: floats [n, 7, 5] are taken for grey images; if not");
}

static void the_order_of_channels_is_certain_or_said_or_refused(void **state) {
    static const struct {
        int rank;
        int64_t dim[5];
        struct shape sample; /* rank 0: refused */
        const char *said;
    } cases[] = {
        {4, {N, 6, 5, 3}, {3, {6, 5, 3}}, ""},
        {4, {N, 3, 6, 5}, {3, {6, 5, 3}}, "taken for 3 channels, the first of its numbers (NCHW)"},
        {4, {N, 8, 8, 2}, {3, {8, 8, 2}}, "taken for 2 channels, the last of its numbers (NHWC)"},
        {4, {N, 8, 8, 13}, {3, {8, 8, 13}}, "taken for 13 channels, the last"},
        {4, {N, 2, 8, 8}, {0}, "channels may be the first of these, 2, or the last, 8"},
        {4, {N, 13, 8, 8}, {0}, "channels may be the first of these, 13, or the last, 8"},
        {4, {N, 4, 4, 3}, {3, {4, 4, 3}}, "taken for 3 channels, the last"},
        {4, {N, 3, 4, 4}, {3, {4, 4, 3}}, "taken for 3 channels, the first"},
        {4, {N, 4, 5, 1}, {0}, "attrs['layout'] = 'NCHW' or 'NHWC'"},
        {4, {N, 3, 8, 3}, {0}, "attrs['layout'] = 'NCHW' or 'NHWC'"},
        {4, {N, 1, 8, 1}, {0}, "attrs['layout'] = 'NCHW' or 'NHWC'"},
        {5,
         {N, 1, 4, 5, 6},
         {4, {4, 5, 6, 1}},
         "taken for 1 channels, the first of its numbers (NCDHW)"},
        {5, {N, 4, 5, 6, 1}, {0}, "attrs['layout'] = 'NCDHW' or 'NDHWC'"},
        {5, {N, 5, 5, 6, 1}, {4, {5, 5, 6, 1}}, ""},
        {5, {N, 7, 5, 5, 5}, {0}, "attrs['layout'] = 'NCDHW' or 'NDHWC'"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct recipe r = {"/scan", H5_TYPE_F32, cases[k].rank, {0}, 0, 99, NULL, NULL};

        memcpy(r.dim, cases[k].dim, sizeof r.dim);
        if (cases[k].sample.rank)
            is(&r, "scan", DATASET_REALS, cases[k].sample, cases[k].said);
        else
            refused(&r, cases[k].said);
        r.layout = "NCDHW"; /* told: no guess */
        struct shape first = {cases[k].rank - 1, {0}};
        for (int d = 0; d < first.rank; d++)
            first.dim[d] = cases[k].dim[1 + (d + 1) % first.rank];
        is(&r, "scan", DATASET_REALS, first, "");
    }
}

/* Number j of sample 1 of a volume of [2, 2, 2, 3] stands at channel j / 12. */
static void volumes_come_channels_last(void **state) {
    const struct recipe r = {"/scan", H5_TYPE_F32, 5, {N, 2, 2, 2, 3}, 0, 1000, NULL, "NCDHW"};
    struct dataset *ds;
    struct err err = {0};
    float out[24];

    (void)state;
    assert_int_equal(opened(&r, 1, &ds, &err), 0);
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){1}, 1, out, &err), 0);
    for (int j = 0; j < 24; j++)
        assert_true(out[j % 12 * 2 + j / 12] == (float)(24 + j));
    dataset_close(ds);
}

/* 0 1 2 255 in 32 bits. */
static void place_mask(struct h5 *file, int fourth, int fifth, const char *const *names, int n) {
    const int32_t mask[N * 6] = {0, 1, 2, fourth, fifth};
    struct err err = {0};

    h5_write(file, "/mask", H5_TYPE_I32, 3, (int64_t[]){N, 2, 3}, mask, &err);
    if (n)
        h5_attr_write_texts(file, "/mask", "classes", names, n, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static struct h5 *begin(void) {
    struct h5 *file;
    struct err err = {0};

    assert_int_equal(h5_create(&file, in_scratch("k.h5"), &err), 0);
    return file;
}

static void void_of_255_does_not_count_in_any_integers(void **state) {
    static const struct {
        int fourth, fifth, named, classes; /* classes 0: refused */
        bool counts;
    } cases[] = {{255, 0, 0, 3, false},   {255, 0, 5, 5, false},    {255, 253, 0, 254, false},
                 {255, 254, 0, 0, false}, {255, 256, 0, 257, true}, {255, 0, 256, 256, true},
                 {-1, 0, 0, 3, false},    {255, -1, 0, 3, false}};
    static const char *names[256];
    struct err err = {0};

    (void)state;
    for (int k = 0; k < 256; k++)
        names[k] = "a class";
    for (size_t k = 0; k < 2 * sizeof cases / sizeof *cases; k++) {
        const int64_t cache = k % 2 ? DATASET_CACHE_BYTES : 0;
        struct dataset *ds;
        int32_t out[6];

        place_mask(begin(), cases[k / 2].fourth, cases[k / 2].fifth, names, cases[k / 2].named);
        if (!cases[k / 2].classes) {
            assert_int_equal(dataset_open(&ds, in_scratch("k.h5"), cache, &err), -1);
            assert_contains(err.msg, "holds 254 and 255: is 255 a class, or what does not count?");
            continue;
        }
        if (dataset_open(&ds, in_scratch("k.h5"), cache, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(dataset_field_classes(ds, 0), cases[k / 2].classes);
        assert_int_equal(dataset_read(ds, 0, (const int64_t[]){0}, 1, out, &err), 0);
        assert_int_equal(out[3], cases[k / 2].counts ? 255 : -1);
        assert_int_equal(out[4], cases[k / 2].fifth);
        dataset_close(ds);
    }
    const int32_t two[6] = {0, 255};
    struct h5 *file = begin();
    struct dataset *ds;
    h5_write(file, "/mask", H5_TYPE_I32, 3, (int64_t[]){1, 2, 3}, two, &err);
    h5_close(file);
    assert_int_equal(dataset_open(&ds, in_scratch("k.h5"), 0, &err), -1);
    assert_contains(err.msg, "holds 0 and 255 only");
}

/* Of two groups one is wrong: neither is the only split. */
static void a_group_that_is_wrong_is_not_passed_over(void **state) {
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file = begin();
    const unsigned char bytes[12] = {0};

    (void)state;
    h5_group_create(file, "/more", &err);
    h5_group_create(file, "/train", &err);
    h5_write(file, "/more/a", H5_TYPE_U8, 1, (int64_t[]){4}, bytes, &err);
    h5_write(file, "/train/a", H5_TYPE_U8, 1, (int64_t[]){4}, bytes, &err);
    h5_write(file, "/train/b", H5_TYPE_U8, 1, (int64_t[]){5}, bytes, &err);
    h5_close(file);
    assert_int_equal(dataset_open(&ds, in_scratch("k.h5"), 0, &err), -1);
    assert_contains(err.msg, "which group? It has more, train");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_under_a_name_of_classes_are_maps),
        cmocka_unit_test(few_small_bytes_under_no_such_name_must_be_told),
        cmocka_unit_test(maps_with_channels_must_be_told),
        cmocka_unit_test(float_labels_are_told_from_numbers),
        cmocka_unit_test(a_table_keeps_its_name),
        cmocka_unit_test(the_order_of_channels_is_certain_or_said_or_refused),
        cmocka_unit_test(volumes_come_channels_last),
        cmocka_unit_test(void_of_255_does_not_count_in_any_integers),
        cmocka_unit_test(a_group_that_is_wrong_is_not_passed_over),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
