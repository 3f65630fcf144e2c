/* Rows of a group cut into groups of a new file: none lost, none twice, nothing changed. */
#include "io/scratch.h"

#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_split.h"
#include "io/h5/h5.h"

#include <inttypes.h>
#include <xxhash.h>

enum { ROWS = 61, PLACES = 9, CLASSES = 3, PIXELS = 4 * 5 * 3, UNPAIRED = 17 };

static const struct split_plan fifths = {.folds = 5, .seed = 1};
static const struct split_plan held = {.share = 0.2, .seed = 1};

static unsigned char images[ROWS][PIXELS];
static int32_t labels[ROWS], places[ROWS][PLACES];
static double numbers[ROWS];

static void succeeded(int status, const struct err *err) {
    if (status)
        fail_msg("%s", err->msg);
}

static void write_rows(struct h5 *file, const char *path, enum h5_type type, int rank,
                       const int64_t *sample, int64_t n, const void *rows) {
    struct h5_data *data;
    struct err err = {0};

    succeeded(h5_data_create(&data, file, path, type, rank, sample, 8, &err), &err);
    succeeded(h5_data_append(data, n, rows, &err), &err);
    h5_data_close(data);
}

/* in.h5: image i is of i, class i % 3 (the last one alone of class 3), places 0 .. 2 and -1. */
static int setup(void **state) {
    static const char *const names[] = {"ape", "bee", "cow", "dog"};
    const int64_t image[] = {4, 5, 3}, place[] = {PLACES};
    struct err err = {0};
    struct h5 *file;
    char hash[32];

    if (scratch_setup(state))
        return -1;
    for (int i = 0; i < ROWS; i++) {
        memset(images[i], i, PIXELS);
        labels[i] = i == ROWS - 1 ? 3 : i % 3;
        numbers[i] = 1.0 / (i + 1);
        for (int k = 0; k < PLACES; k++)
            places[i][k] = (i + k) % 4 - 1;
    }
    succeeded(h5_create(&file, in_scratch("in.h5"), &err), &err);
    succeeded(h5_group_create(file, "/all", &err), &err);
    write_rows(file, "/all/images", H5_TYPE_U8, 4, image, ROWS, images);
    write_rows(file, "/all/labels", H5_TYPE_I32, 1, NULL, ROWS, labels);
    write_rows(file, "/all/places", H5_TYPE_I32, 2, place, ROWS, places);
    write_rows(file, "/all/size", H5_TYPE_F64, 1, NULL, ROWS, numbers);
    write_rows(file, "/all/other", H5_TYPE_U8, 4, image, UNPAIRED, images);
    succeeded(h5_attr_write_int(file, "/", "dltrain_dataset", 1, &err), &err);
    succeeded(h5_attr_write_int(file, "/all/other", "unpaired", 1, &err), &err);
    succeeded(h5_attr_write_texts(file, "/all", "classes", names, 4, &err), &err);
    succeeded(h5_attr_write_texts(file, "/all/places", "classes", names, 3, &err), &err);
    snprintf(hash, sizeof hash, "xxh3:%016" PRIx64, (uint64_t)XXH3_64bits(places, sizeof places));
    succeeded(h5_attr_write_text(file, "/all/places", CONTENT_HASH, hash, &err), &err);
    succeeded(h5_attr_write_reals(file, "/", "mean", (const double[]){.1, .2, .3}, 3, &err), &err);
    succeeded(h5_attr_write_reals(file, "/", "std", (const double[]){.1, .2, .3}, 3, &err), &err);
    succeeded(h5_attr_write_text(file, "/all/images", "who", "took them", &err), &err);
    succeeded(h5_sync(file, &err), &err);
    h5_close(file);
    return 0;
}

static void split(const struct split_plan *plan, struct split_result *result) {
    char spec[600];
    struct err err = {0};

    snprintf(spec, sizeof spec, "%s:all", in_scratch("in.h5"));
    succeeded(dataset_split(spec, in_scratch("out.h5"), plan, result, &err), &err);
}

/* A whole dataset as `type`, malloc'd; *n its numbers. */
static void *read_all(struct h5 *file, const char *group, const char *name, enum h5_type type,
                      int64_t *rows, size_t bytes) {
    struct err err = {0};
    struct h5_data *data;
    char path[64];

    snprintf(path, sizeof path, "/%s/%s", group, name);
    succeeded(h5_data_open(&data, file, path, &err), &err);
    const struct h5_info *info = h5_data_info(data);
    void *out = malloc((size_t)(info->dim[0] * h5_row_len(info)) * bytes);
    assert_non_null(out);
    *rows = info->dim[0];
    succeeded(h5_data_read(data, 0, *rows, type, out, &err), &err);
    h5_data_close(data);
    return out;
}

static void check_hash(struct h5 *file, const char *group, const char *name, const void *bytes,
                       size_t len) {
    struct err err = {0};
    char path[64], expected[32], *found;

    snprintf(path, sizeof path, "/%s/%s", group, name);
    snprintf(expected, sizeof expected, "xxh3:%016llx",
             (unsigned long long)XXH3_64bits(bytes, len));
    succeeded(h5_attr_text(file, path, CONTENT_HASH, &found, &err), &err);
    assert_string_equal(found, expected);
    free(found);
}

/* The rows of one group: in order, all their fields with them. Marks them in seen[ROWS]. */
static int64_t check_group(struct h5 *file, const char *group, int *seen, int *per_class) {
    int64_t n, m, count[CLASSES] = {0};
    unsigned char *x = read_all(file, group, "images", H5_TYPE_U8, &n, 1);
    int32_t *y = read_all(file, group, "labels", H5_TYPE_I32, &m, 4);
    assert_int_equal(n, m);
    int32_t *at = read_all(file, group, "places", H5_TYPE_I32, &m, 4);
    assert_int_equal(n, m);
    double *size = read_all(file, group, "size", H5_TYPE_F64, &m, 8), *told;
    struct err err = {0};
    char path[64];
    int n_told, before = -1;

    for (int64_t i = 0; i < n; i++) {
        const int row = x[i * PIXELS];

        assert_true(row > before);
        before = row;
        seen[row]++;
        assert_memory_equal(x + i * PIXELS, images[row], PIXELS);
        assert_memory_equal(at + i * PLACES, places[row], sizeof places[row]);
        assert_int_equal(y[i], labels[row]);
        assert_true(size[i] == numbers[row]);
        per_class[y[i]]++;
        for (int k = 0; k < PLACES; k++)
            if (places[row][k] >= 0)
                count[places[row][k]]++;
    }
    check_hash(file, group, "images", x, (size_t)n * PIXELS);
    check_hash(file, group, "places", at, (size_t)n * sizeof places[0]);
    check_hash(file, group, "size", size, (size_t)n * sizeof *size);
    snprintf(path, sizeof path, "/%s/places", group);
    succeeded(h5_attr_reals(file, path, "class_counts", &told, &n_told, &err), &err);
    assert_int_equal(n_told, CLASSES);
    for (int k = 0; k < CLASSES; k++)
        assert_int_equal((int64_t)told[k], count[k]);
    free(x);
    free(y);
    free(at);
    free(size);
    free(told);
    return n;
}

static void folds_hold_every_row_once(void **state) {
    struct split_result result;
    struct err err = {0};
    int seen[ROWS] = {0}, others[ROWS] = {0};
    struct h5 *file;
    char group[16];
    int64_t n;

    (void)state;
    split(&fifths, &result);
    assert_int_equal(result.n_groups, 5);
    assert_string_equal(result.note,
                        "classes with fewer rows than there are groups: dog and 0 more");
    succeeded(h5_open(&file, in_scratch("out.h5"), &err), &err);
    for (int g = 0; g < 5; g++) {
        int per_class[4] = {0};

        split_name(&fifths, g, group);
        assert_int_equal(check_group(file, group, seen, per_class), result.rows[g]);
        assert_in_range(result.rows[g], 12, 13);
        for (int k = 0; k < 3; k++)
            assert_int_equal(per_class[k], 4);
        unsigned char *other = read_all(file, group, "other", H5_TYPE_U8, &n, 1);
        assert_in_range(n, UNPAIRED / 5, UNPAIRED / 5 + 1);
        for (int64_t i = 0; i < n; i++)
            others[other[i * PIXELS]]++;
        free(other);
    }
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(seen[i], 1);
        assert_int_equal(others[i], i < UNPAIRED);
    }
    h5_close(file);
}

static void a_share_is_held_out(void **state) {
    struct split_result result;
    struct err err = {0};
    int seen[ROWS] = {0}, train[4] = {0}, validate[4] = {0};
    struct h5 *file;

    (void)state;
    split(&held, &result);
    succeeded(h5_open(&file, in_scratch("out.h5"), &err), &err);
    assert_int_equal(check_group(file, "train", seen, train), 49);
    assert_int_equal(check_group(file, "validate", seen, validate), 12);
    assert_true(result.rows[0] == 49 && result.rows[1] == 12);
    for (int k = 0; k < 3; k++)
        assert_int_equal(validate[k], 4);
    assert_int_equal(validate[3], 0);
    assert_int_equal(train[3], 1); /* the only one of its class */
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(seen[i], 1);
    h5_close(file);
}

static void facts_go_with_the_rows(void **state) {
    struct split_result result;
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file;
    char spec[600], *who;

    (void)state;
    split(&held, &result);
    snprintf(spec, sizeof spec, "%s:validate", in_scratch("out.h5"));
    succeeded(dataset_open(&ds, spec, 0, &err), &err);
    assert_int_equal(dataset_n_fields(ds), 5);
    assert_int_equal(dataset_field_classes(ds, dataset_find_field(ds, "label")), 4);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "label"), 3), "dog");
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "places"), 2), "cow");
    assert_true(dataset_field(ds, dataset_find_field(ds, "other"))->unpaired);
    assert_true(dataset_mean(ds, 0)[2] > 0.299F && dataset_mean(ds, 0)[2] < 0.301F);
    dataset_close(ds);
    succeeded(h5_open(&file, in_scratch("out.h5"), &err), &err);
    succeeded(h5_attr_text(file, "/train/images", "who", &who, &err), &err);
    assert_string_equal(who, "took them");
    free(who);
    h5_close(file);
}

/* A file that says nothing of the order of its channels. */
static void guesses_are_told(void **state) {
    const int64_t image[] = {3, 2, 10};
    struct split_result result;
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file;
    char spec[600];

    (void)state;
    succeeded(h5_create(&file, in_scratch("guess.h5"), &err), &err);
    write_rows(file, "/images", H5_TYPE_U8, 4, image, ROWS, images);
    succeeded(h5_sync(file, &err), &err);
    h5_close(file);
    succeeded(dataset_split(in_scratch("guess.h5"), in_scratch("out.h5"), &held, &result, &err),
              &err);
    assert_contains(result.note, "there is no class for each row: rows were drawn from all\n");
    assert_contains(result.note, "is taken for 3 channels");
    snprintf(spec, sizeof spec, "%s:train", in_scratch("out.h5"));
    succeeded(dataset_open(&ds, spec, 0, &err), &err);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 3);
    dataset_close(ds);
}

static void the_seed_decides(void **state) {
    struct split_plan other = fifths;
    struct split_result result;
    size_t n, m;

    (void)state;
    split(&fifths, &result);
    unsigned char *first = read_bytes(in_scratch("out.h5"), &n);
    split(&fifths, &result);
    unsigned char *again = read_bytes(in_scratch("out.h5"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, again, n);
    free(again);
    other.seed = 2;
    split(&other, &result);
    again = read_bytes(in_scratch("out.h5"), &m);
    assert_true(n != m || memcmp(first, again, n) != 0);
    free(again);
    free(first);
}

static void refused(const char *source, const char *target, const struct split_plan *plan,
                    enum err_kind kind, const char *message) {
    struct split_result result;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s", in_scratch(source));
    assert_int_equal(dataset_split(spec, in_scratch(target), plan, &result, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_contains(err.msg, message);
    assert_int_equal(access(in_scratch("new.h5"), F_OK), -1);
    assert_int_equal(access(in_scratch("new.h5.tmp"), F_OK), -1);
}

static void what_cannot_be_cut_is_refused(void **state) {
    (void)state;
    refused("in.h5:all", "in.h5", &held, ERR_USAGE, "in.h5: is the same file as ");
    refused("in.h5:all", "./in.h5", &held, ERR_USAGE, "in.h5: is the same file as ");
    refused("in.h5:al", "new.h5", &held, ERR_DATA, "has no group 'al'; did you mean 'all'?");
    refused("no.h5:all", "new.h5", &held, ERR_IO, "no.h5: No such file");
    refused("in.h5:all", "new.h5", &(struct split_plan){.folds = 62}, ERR_USAGE,
            "in.h5:all: has 61 samples, too few for 62 folds");
    refused("in.h5:all", "new.h5", &(struct split_plan){.folds = 18}, ERR_USAGE,
            "in.h5:all: has 17 others, too few for 18 folds");
    refused("in.h5:all", "new.h5", &(struct split_plan){.share = 0.001}, ERR_USAGE,
            "validate would be 0 of 61 samples, expected some, not all");
    refused("in.h5:all", "new.h5", &(struct split_plan){.n = 61}, ERR_USAGE,
            "validate would be 61 of 61 samples, expected some, not all");
}

/* The new file would say of damage that it is what was written. */
static void what_is_not_as_it_was_written_is_refused(void **state) {
    size_t len;
    unsigned char *bytes = read_bytes(in_scratch("in.h5"), &len), *at = bytes;

    (void)state;
    while (memcmp(at, places, 8 * sizeof *places) != 0) /* a chunk */
        at++;
    at[sizeof **places] ^= 1; /* one class becomes another */
    write_bytes(in_scratch("in.h5"), bytes, len);
    refused("in.h5:all", "new.h5", &held, ERR_DATA,
            "in.h5:/all/places: is not what was written: its content_hash is xxh3:");
    at[sizeof **places] ^= 1;
    write_bytes(in_scratch("in.h5"), bytes, len);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_hold_every_row_once),
        cmocka_unit_test(a_share_is_held_out),
        cmocka_unit_test(facts_go_with_the_rows),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(guesses_are_told),
        cmocka_unit_test(what_cannot_be_cut_is_refused),
        cmocka_unit_test(what_is_not_as_it_was_written_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
