/* What tells one dataset from another. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

#include <xxhash.h>

enum { N = 300, AREA = 6 };

/* A dataset, of which one thing may be another. */
struct variant {
    int zero_row, swap_row; /* an image that is black, that changes places with the next one */
    bool reversed, reals;
    const char *field;       /* name of the mask */
    int mask_row, label_row; /* where a class is another */
    double mean, std;
    const char *class;
    const char *content_hash; /* of the images; "": the true one */
};

static const struct variant same = {.zero_row = -1,
                                    .swap_row = -1,
                                    .field = "mask",
                                    .mask_row = -1,
                                    .label_row = -1,
                                    .mean = 0.5,
                                    .std = 0.25,
                                    .class = "cat"};

static void write_hash(struct h5 *file, const char *path, const void *values, size_t bytes,
                       const char *said) {
    struct err err = {0};
    char text[32];

    snprintf(text, sizeof text, "xxh3:%016llx", (unsigned long long)XXH3_64bits(values, bytes));
    assert_int_equal(h5_attr_write_text(file, path, "content_hash", *said ? said : text, &err), 0);
}

static void write_images(struct h5 *file, const struct variant *v) {
    const int64_t dim[] = {N, 2, 3, 1};
    unsigned char pixels[N * AREA];
    float reals[N * AREA];
    struct err err = {0};

    for (int i = 0; i < N; i++)
        for (int p = 0; p < AREA; p++) {
            int from = v->reversed ? N - 1 - i : i;
            from += (i == v->swap_row) - (v->swap_row >= 0 && i == v->swap_row + 1);
            pixels[i * AREA + p] = (unsigned char)(i == v->zero_row ? 0 : 1 + (from * 7 + p) % 250);
            reals[i * AREA + p] = pixels[i * AREA + p];
        }
    assert_int_equal(h5_write(file, "/images", v->reals ? H5_TYPE_F32 : H5_TYPE_U8, 4, dim,
                              v->reals ? (const void *)reals : pixels, &err),
                     0);
    if (v->content_hash)
        write_hash(file, "/images", pixels, sizeof pixels, v->content_hash);
}

static void write_file(const char *name, const struct variant *v) {
    const char *const classes[] = {v->class, "dog"};
    unsigned char mask[N * 2];
    int32_t labels[N];
    struct err err = {0};
    struct h5 *file;
    char path[40];

    for (int i = 0; i < N; i++) {
        labels[i] = (i + (i == v->label_row)) % 2;
        mask[2 * i] = (unsigned char)((i + (i == v->mask_row)) % 2);
        mask[2 * i + 1] = (unsigned char)((i + (v->mask_row >= 0 && i == v->mask_row + 1)) % 2);
    }
    assert_int_equal(h5_create(&file, in_scratch(name), &err), 0);
    write_images(file, v);
    snprintf(path, sizeof path, "/%s", v->field);
    h5_write(file, "/labels", H5_TYPE_I32, 1, (int64_t[]){N}, labels, &err);
    h5_write(file, path, H5_TYPE_U8, 3, (int64_t[]){N, 1, 2}, mask, &err);
    h5_attr_write_texts(file, "/", "classes", classes, 2, &err);
    h5_attr_write_reals(file, "/", "mean", &v->mean, 1, &err);
    h5_attr_write_reals(file, "/", "std", &v->std, 1, &err);
    if (v->content_hash)
        write_hash(file, path, mask, sizeof mask, "");
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static uint64_t print_of_spec(const char *spec, int64_t cache_bytes) {
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_open(&ds, spec, cache_bytes, &err))
        fail_msg("%s", err.msg);
    const uint64_t print = dataset_fingerprint(ds);
    dataset_close(ds);
    return print;
}

static uint64_t print_of(const struct variant *v, int64_t cache_bytes) {
    write_file("v.h5", v);
    return print_of_spec(in_scratch("v.h5"), cache_bytes);
}

static void anything_that_training_sees_tells(void **state) {
    struct variant v[13];
    int n = 0;

    (void)state;
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        v[k] = same;
    v[n++].zero_row = 0; /* the first and the last are looked at always */
    v[n++].zero_row = N - 1;
    v[n++].reversed = true;
    v[n++].field = "masks";
    v[n++].label_row = 17;
    v[n++].mask_row = 0;
    v[n++].mean = 0.5000001;
    v[n++].std = 0.26;
    v[n++].class = "cats";
    v[n++].reals = true;
    for (int kept = 0; kept < 2; kept++) {
        const int64_t cache = kept ? DATASET_CACHE_BYTES : 0;
        const uint64_t print = print_of(&same, cache);

        assert_true(print == print_of(&same, cache));
        for (int k = 0; k < n; k++)
            if (print_of(&v[k], cache) == print)
                fail_msg("variant %d has the same fingerprint, cache %lld", k, (long long)cache);
    }
}

/* One row of 300, which is none of the 64, and whose counts stay the same. */
static void all_values_tell_in_memory_or_by_their_hash(void **state) {
    struct variant v = same, hashed = same;

    (void)state;
    v.zero_row = 1;
    assert_true(print_of(&v, DATASET_CACHE_BYTES) != print_of(&same, DATASET_CACHE_BYTES));
    assert_true(print_of(&v, 0) == print_of(&same, 0));
    v.content_hash = hashed.content_hash = "";
    assert_true(print_of(&v, 0) != print_of(&hashed, 0));
    v = hashed;
    v.swap_row = 1;
    assert_true(print_of(&v, 0) != print_of(&hashed, 0));
    v = hashed;
    v.mask_row = 1;
    assert_true(print_of(&v, 0) != print_of(&hashed, 0));
}

static void the_cache_does_not_matter_where_the_file_has_hashes(void **state) {
    struct variant hashed = same;

    (void)state;
    hashed.content_hash = "";
    assert_true(print_of(&hashed, 0) == print_of(&hashed, DATASET_CACHE_BYTES));
    assert_true(print_of(&same, 0) != print_of(&same, DATASET_CACHE_BYTES));
    /* of what is in memory no hash is believed */
    assert_true(print_of(&hashed, DATASET_CACHE_BYTES) == print_of(&same, DATASET_CACHE_BYTES));
}

static void a_hash_that_is_none_is_refused(void **state) {
    static const char *const wrong[] = {"xxh3:12", "md5:0123456789abcdef", "xxh3:0123456789abcdeg",
                                        "xxh3:0123456789abcdef0", "x"};
    struct variant v = same;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        v.content_hash = wrong[k];
        write_file("v.h5", &v);
        assert_int_equal(dataset_open(&ds, in_scratch("v.h5"), 0, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, "attribute content_hash of /images is '");
    }
}

static void parts_tell_in_their_order(void **state) {
    struct variant other = same;
    char ab[1200], ba[1200], text[DATASET_PART_TEXT];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    other.zero_row = 1;
    write_file("a.h5", &same);
    write_file("b.h5", &other);
    snprintf(ab, sizeof ab, "%s, %s", in_scratch("a.h5"), in_scratch("b.h5"));
    snprintf(ba, sizeof ba, "%s, %s", in_scratch("b.h5"), in_scratch("a.h5"));
    const uint64_t print = print_of_spec(ab, DATASET_CACHE_BYTES);
    assert_true(print == print_of_spec(ab, DATASET_CACHE_BYTES));
    assert_true(print != print_of_spec(ba, DATASET_CACHE_BYTES));
    write_file("b.h5", &same);
    assert_true(print != print_of_spec(ab, DATASET_CACHE_BYTES));

    assert_int_equal(dataset_open(&ds, ab, 3000, &err), 0); /* the first is kept */
    assert_int_equal(dataset_n_parts(ds), 2);
    assert_contains(dataset_part_text(ds, 0, text), "a.h5: 300 samples, fingerprint ");
    assert_contains(text, " of all values");
    assert_contains(dataset_part_text(ds, 1, text), " of a few rows");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_that_training_sees_tells),
        cmocka_unit_test(all_values_tell_in_memory_or_by_their_hash),
        cmocka_unit_test(the_cache_does_not_matter_where_the_file_has_hashes),
        cmocka_unit_test(a_hash_that_is_none_is_refused),
        cmocka_unit_test(parts_tell_in_their_order),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
