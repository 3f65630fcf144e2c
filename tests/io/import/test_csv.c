/* Tables: what RFC 4180 says, what columns are taken for, and what is refused. */
#include "io/scratch.h"
#include "io/dataset/dataset.h"
#include "io/import/csv.h"
#include "io/import/import.h"

#include <math.h>
#include <zlib.h>

static const char *put(const char *text) {
    const char *path = in_scratch("t.csv");

    write_bytes(path, text, strlen(text));
    return path;
}

static struct csv table(const char *text, bool no_header) {
    static struct import_result result;
    struct csv csv = {0};
    struct err err = {0};

    result = (struct import_result){0};
    if (csv_init(&csv, put(text), no_header, &result, &err))
        fail_msg("%s", err.msg);
    return csv;
}

static void bad_table(const char *text, const char *message) {
    struct import_result result = {0};
    struct csv csv = {0};
    struct err err = {0};

    if (!csv_init(&csv, put(text), false, &result, &err))
        fail_msg("expected '%s'", message);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, message);
}

static void cells_are_those_of_the_standard(void **state) {
    (void)state;
    struct csv csv = table("\xef\xbb\xbf"
                           "a,\"b \"\"x\"\"\",c\r\n1,\"two,\nlines\",3\r\n\r\n4,,\" 5\"\r\n",
                           false);

    assert_int_equal(csv.n_columns, 3);
    assert_int_equal(csv.n, 2);
    assert_string_equal(csv.name[0], "a");
    assert_string_equal(csv.name[1], "b \"x\"");
    assert_string_equal(csv_cell(&csv, 0, 1), "two,\nlines");
    assert_string_equal(csv_cell(&csv, 0, 2), "3");
    assert_string_equal(csv_cell(&csv, 1, 1), "");
    assert_string_equal(csv_cell(&csv, 1, 2), " 5");
    assert_int_equal(csv.line[0], 2);
    csv_release(&csv);
}

static void semicolons_and_tabs_separate_too(void **state) {
    (void)state;
    struct csv csv = table("a;b,c;d\n1;2;3\n", false);

    assert_string_equal(csv.name[1], "b,c");
    csv_release(&csv);
    csv = table("a\tb\n1\t\n2\t3", false);
    assert_int_equal(csv.n, 2);
    assert_string_equal(csv_cell(&csv, 0, 1), "");
    assert_string_equal(csv_cell(&csv, 1, 1), "3");
    csv_release(&csv);
    csv = table("1,2\n3,4\n", true);
    assert_string_equal(csv.name[1], "c2");
    assert_int_equal(csv.n, 2);
    csv_release(&csv);
}

static void damaged_tables_are_refused_with_their_line(void **state) {
    (void)state;
    bad_table("a,b\n1,2\n1,2,3\n", ":3: has 3 cells, the first line has 2");
    bad_table("a,b\n1,\"2\n3\n", ":2: a quote begins here that does not end");
    bad_table("a,b\n1,\"2\"x\n", ":2: found 'x' behind a closing quote");
    bad_table("a,b\n1,\xe9\n", ":2: holds the byte 0xe9, which is no UTF-8");
    bad_table("\xff\xfe"
              "a",
              "is UTF-16, expected UTF-8");
    bad_table("1,2\n3,4\n", ":1: the first line holds numbers alone");
    bad_table("a,b,a\n1,2,3\n", ":1: the name 'a' stands twice, in columns 1 and 3");
    bad_table("", "is empty");
    bad_table("a,b\n", "has names of columns and no rows");
    bad_table("a,b\r1,2\r", "has lines that end in CR alone");
    bad_table("a,b\n1,\xc0\xaf\n", ":2: holds the byte 0xc0");
    bad_table("a,b\n1,\xed\xa0\x80\n", ":2: holds the byte 0xed");
}

/* gzread tells the end of a file that is cut off like any other. */
static void packed_tables_are_read_to_their_end(void **state) {
    const char *path = in_scratch("t.csv");
    struct import_result result = {0};
    struct csv csv = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzputs(file, "a,b\n1,2\n"), 8);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(csv_init(&csv, path, false, &result, &err), 0);
    assert_int_equal(csv.n, 1);
    csv_release(&csv);
    unsigned char *bytes = read_bytes(path, &n);
    write_bytes(path, bytes, n - 8);
    free(bytes);
    assert_int_equal(csv_init(&csv, path, false, &result, &err), -1);
    assert_contains(err.msg, "is damaged: it is cut off");
}

/* Import and open one split. */
static struct dataset *imported(const char *text, struct import_options options,
                                const char *split) {
    static struct import_result result;
    const char *target = in_scratch("t.h5");
    char spec[600];
    struct dataset *ds = NULL;
    struct err err = {0};

    result = (struct import_result){0};
    options.threads = 1;
    if (importer_find("csv")->run(put(text), target, &options, &result, &err))
        fail_msg("%s", err.msg);
    snprintf(spec, sizeof spec, "%s:%s", target, split);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static void refused(const char *text, struct import_options options, enum err_kind kind,
                    const char *message) {
    struct import_result result = {0};
    struct err err = {0};

    options.threads = 1;
    if (!importer_find("csv")->run(put(text), in_scratch("no.h5"), &options, &result, &err))
        fail_msg("expected '%s'", message);
    assert_contains(err.msg, message);
    assert_int_equal(err.kind, kind);
    assert_int_equal(access(in_scratch("no.h5"), F_OK), -1);
}

static const struct import_options by_y = {.table = {.target = "y"}};

static void texts_become_columns_and_classes(void **state) {
    const int64_t rows[] = {0, 1, 2};
    float x[9];

    (void)state;
    struct dataset *ds =
        imported("x,town,y\n1.5,Ulm,dog\n2.5,Bonn,cat\n3.5,Ulm,dog\n", by_y, "train");
    const int features = dataset_find_field(ds, "features"),
              label = dataset_find_field(ds, "label");
    struct err err = {0};

    assert_int_equal(dataset_read(ds, features, rows, 3, x, &err), 0);
    assert_memory_equal(x, ((const float[]){1.5f, 0, 1, 2.5f, 1, 0, 3.5f, 0, 1}), sizeof x);
    assert_string_equal(dataset_class_name(ds, label, 0), "cat");
    assert_memory_equal(dataset_labels(ds, label), ((const int32_t[]){1, 0, 1}), 12);
    assert_true(fabsf(dataset_mean(ds, features)[0] - 2.5f) < 1e-6f);
    assert_true(fabsf(dataset_std(ds, features)[0] - (float)sqrt(2. / 3)) < 1e-6f);
    dataset_close(ds);
}

static void missing_values_are_refused_dropped_or_the_mean_of_training(void **state) {
    static const char text[] = "x,y\n1,1.5\nNA,2.5\n3,3.5\n8,4.5\n";
    struct import_options options = by_y;
    const int64_t rows[] = {0, 1, 2, 3};
    struct err err = {0};
    float x[4];

    (void)state;
    refused(text, options, ERR_DATA, ":3: column 'x' holds 'NA', no value (1 of 4 rows)");
    options.table.missing = MISSING_DROP;
    struct dataset *ds = imported(text, options, "train");
    assert_int_equal(dataset_len(ds), 3);
    dataset_close(ds);
    options.table.missing = MISSING_MEAN;
    ds = imported(text, options, "train");
    assert_int_equal(dataset_read(ds, dataset_find_field(ds, "features"), rows, 4, x, &err), 0);
    assert_true(x[0] == 1 && x[1] == 4 && x[3] == 8);
    dataset_close(ds);
    refused("x,y\n1,\n2,3.5\n", options, ERR_DATA, "there is no mean of targets and texts");
}

static void what_is_open_is_for_the_user_to_say(void **state) {
    struct import_options options = by_y;

    (void)state;
    refused("x,y\n1,0\n2,1\n", options, ERR_USAGE,
            "the target 'y' holds whole numbers from 0 to 1: say --classes or --regression");
    options.table.as = TARGET_CLASSES;
    struct dataset *ds = imported("x,y\n1,10\n2,9\n3,10\n", options, "train");
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "label"), 0), "9");
    dataset_close(ds);
    ds = imported("x,y\n1,10\n2,1a\n3,2\n4,10\n5,1a\n", options, "train");
    const int label = dataset_find_field(ds, "label");
    assert_int_equal(dataset_field_classes(ds, label), 3);
    assert_string_equal(dataset_class_name(ds, label, 1), "10");
    assert_memory_equal(dataset_labels(ds, label), ((const int32_t[]){1, 2, 0, 1, 2}), 20);
    dataset_close(ds);
    refused("x,y\n\"1,5\",1.5\n", by_y, ERR_DATA,
            ":2: column 'x' holds '1,5', expected numbers with a decimal point");
    refused("x,y\n2024-01-31,1.5\n", by_y, ERR_DATA, ":2: column 'x' holds dates ('2024-01-31')");
    refused("x,y\n1,1.5\noops,2.5\n", by_y, ERR_DATA,
            ":3: column 'x' holds 'oops', but 1 numbers in other lines");
    refused("x,y\n1,1.5\n1e39,2.5\n", by_y, ERR_DATA,
            ":3: column 'x' holds '1e39', expected numbers from -3.4e38 to 3.4e38");
    refused("x,y\n1,1.5\n1,-inf\n", by_y, ERR_DATA,
            ":3: column 'y' holds '-inf', expected numbers");
    options.table = (struct import_table){.target = "price"};
    refused("x,prise\n1,1.5\n", options, ERR_USAGE, "has no column 'price'; did you mean 'prise'?");
}

static void groups_stay_together(void **state) {
    struct import_options options = {.table = {.target = "y", .group = "who"},
                                     .split = {.share = 0.4, .seed = 3}};
    char text[4096] = "x,who,y\n";
    float seen[2][64];
    int64_t n[2];

    (void)state;
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d.5,p%d,%d.5\n", i % 8, i % 8,
                 i);
    for (int s = 0; s < 2; s++) {
        struct dataset *ds = imported(text, options, s ? "validate" : "train");
        int64_t rows[64];
        struct err err = {0};

        n[s] = dataset_len(ds);
        for (int64_t i = 0; i < n[s]; i++)
            rows[i] = i;
        assert_int_equal(
            dataset_read(ds, dataset_find_field(ds, "features"), rows, n[s], seen[s], &err), 0);
        dataset_close(ds);
    }
    assert_int_equal(n[0] + n[1], 40);
    assert_int_equal(n[1], 15); /* 3 of 8 groups of 5 */
    for (int64_t i = 0; i < n[0]; i++)
        for (int64_t k = 0; k < n[1]; k++)
            assert_true(seen[0][i] != seen[1][k]);
}

static void folds_have_each_class_in_proportion(void **state) {
    struct import_options options = {.table = {.target = "y"}, .split = {.folds = 3, .seed = 1}};
    char text[2048] = "x,y\n";

    (void)state;
    for (int i = 0; i < 30; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%s\n", i,
                 i < 9 ? "rare" : "often");
    for (int f = 1; f <= 3; f++) {
        char split[16];

        snprintf(split, sizeof split, "fold%d", f);
        struct dataset *ds = imported(text, options, split);
        assert_int_equal(dataset_len(ds), 10);
        assert_int_equal(dataset_class_counts(ds, dataset_find_field(ds, "label"))[1], 3);
        dataset_close(ds);
    }
}

/* Rows 0 .. 19: windows of 4 tell 2; the last 5 windows are held out, and the 5 before them, which
 * share rows with them, are in neither split. */
static void series_are_cut_at_their_end(void **state) {
    const struct import_options options = {.table = {.target = "v", .window = 4, .horizon = 2},
                                           .split = {.n = 5}};
    char text[512] = "v\n";
    const int64_t first[] = {0};
    float series[4], target[2];
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d.5\n", i);
    struct dataset *ds = imported(text, options, "train");
    assert_int_equal(dataset_len(ds), 20 - 4 - 2 + 1 - 5 - 5);
    dataset_close(ds);
    ds = imported(text, options, "validate");
    assert_int_equal(dataset_len(ds), 5);
    assert_int_equal(dataset_read(ds, dataset_find_field(ds, "series"), first, 1, series, &err), 0);
    assert_int_equal(dataset_read(ds, dataset_find_field(ds, "label"), first, 1, target, &err), 0);
    assert_memory_equal(series, ((const float[]){10.5f, 11.5f, 12.5f, 13.5f}), sizeof series);
    assert_memory_equal(target, ((const float[]){14.5f, 15.5f}), sizeof target);
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_those_of_the_standard),
        cmocka_unit_test(semicolons_and_tabs_separate_too),
        cmocka_unit_test(damaged_tables_are_refused_with_their_line),
        cmocka_unit_test(packed_tables_are_read_to_their_end),
        cmocka_unit_test(texts_become_columns_and_classes),
        cmocka_unit_test(missing_values_are_refused_dropped_or_the_mean_of_training),
        cmocka_unit_test(what_is_open_is_for_the_user_to_say),
        cmocka_unit_test(groups_stay_together),
        cmocka_unit_test(folds_have_each_class_in_proportion),
        cmocka_unit_test(series_are_cut_at_their_end),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
