/* What a page is made of, without a browser: thinning, tables, base64, lines that are still
 * written. */
#include "io/scratch.h"
#include "io/image/image.h"
#include "report/page_base64.h"
#include "report/page_lines.h"
#include "report/page_parts.h"
#include "report/page_table.h"
#include "report/page_thin.h"

#include <math.h>

enum { LONG = 10000, MOST = 400 };

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(in_scratch(name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int count_line(void *context, json_t *line, struct err *err) {
    (void)line, (void)err;
    ++*(int *)context;
    return 0;
}

/* --- thinning --- */

static void short_curves_are_kept_whole(void **state) {
    const double v[] = {3, 1, NAN};
    size_t at[3];

    (void)state;
    assert_int_equal(page_thin_curve(v, 3, 8, at), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(at[i], i);
    assert_int_equal(page_thin_curve(v, 0, 8, at), 0);
}

/* A peak, a valley, a gap and both ends of a long curve are among what is kept, in order. */
static void thinning_keeps_what_is_seen(void **state) {
    static const size_t kept_for_sure[] = {0, 1234, 5001, 7777, LONG - 1};
    static double v[LONG];
    size_t at[MOST + 2], n, found = 0;

    (void)state;
    for (int i = 0; i < LONG; i++)
        v[i] = sin(i / 300.0);
    v[1234] = 50;
    v[5001] = -50;
    v[7777] = NAN;
    n = page_thin_curve(v, LONG, MOST, at);
    assert_in_range(n, MOST / 2, MOST + 1);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || at[i] > at[i - 1]);
        if (found < 5 && at[i] == kept_for_sure[found])
            found++;
    }
    assert_int_equal(found, 5);
}

static void even_spread_ends_with_the_last(void **state) {
    (void)state;
    for (size_t n = 1; n < 40; n++)
        for (size_t k = 1; k <= n; k++) {
            for (size_t i = 1; i < k; i++)
                assert_true(page_thin_even(i, k, n) > page_thin_even(i - 1, k, n));
            assert_int_equal(page_thin_even(k - 1, k, n), n - 1);
        }
}

/* --- base64: RFC 4648, section 10 --- */

static void base64_is_that_of_the_rfc(void **state) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char expected[32],
            *text = page_base64("x:", (const unsigned char *)pairs[i][0], strlen(pairs[i][0]));
        snprintf(expected, sizeof expected, "x:%s", pairs[i][1]);
        assert_string_equal(text, expected);
        free(text);
    }
    const unsigned char high[] = {0xfb, 0xff, 0xfe};
    char *text = page_base64("", high, 3);
    assert_string_equal(text, "+//+");
    free(text);
}

/* --- lines --- */

static void half_a_last_line_is_passed_over(void **state) {
    struct err err = {0};
    int n = 0;

    (void)state;
    write_text("a.jsonl", "{\"step\":1}\n{\"step\":2}\n{\"step\":3,\"lo");
    assert_int_equal(page_lines_read(in_scratch("a.jsonl"), true, count_line, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(page_lines_read(in_scratch("none.jsonl"), true, count_line, &n, &err), 0);
    assert_int_equal(n, 2);
}

static void refused(const char *text, const char *message) {
    struct err err = {0};
    int n = 0;

    write_text("b.jsonl", text);
    assert_int_equal(page_lines_read(in_scratch("b.jsonl"), true, count_line, &n, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.msg, message));
}

static void broken_lines_are_named(void **state) {
    (void)state;
    refused("{\"step\":1}\nnonsense\n{\"step\":2}\n", "b.jsonl:2: is no JSON");
    refused("{\"step\":1,\"loss\":NaN}\n", "b.jsonl:1: is no JSON");
    refused("[1]\n", "b.jsonl:1: is JSON, but no object");
    refused("{\"step\":1}\n{\"epoch\":1}\n", "b.jsonl:2: has no whole number \"step\"");
}

static void text_that_is_not_utf8_loses_its_letters_alone(void **state) {
    json_t *good = page_text("gr\xc3\xbc\xc3\x9f </script>"), *bad = page_text("gr\xfc\xdf");

    (void)state;
    assert_string_equal(json_string_value(good), "gr\xc3\xbc\xc3\x9f </script>");
    assert_string_equal(json_string_value(bad), "gr??");
    json_decref(good);
    json_decref(bad);
}

/* --- tables --- */

static json_t *matrix(size_t n, bool diagonal) {
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < n; k++)
            json_array_append_new(row, json_real(!diagonal || i == k ? 0.25 : 0));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void large_tables_of_zeros_are_kept_by_what_is_in_them(void **state) {
    json_t *table = matrix(100, true), *packed = page_table_pack(table);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(packed, "at")), 100);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(packed, "at"), 2)), 202);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(packed, "shape"), 1)), 100);
    json_decref(table);
    json_decref(packed);
    table = matrix(5, true);
    packed = page_table_pack(table);
    assert_true(json_equal(table, packed));
    json_decref(table);
    json_decref(packed);
    table = matrix(600, false);
    packed = page_table_pack(table);
    assert_true(json_is_null(packed));
    json_decref(table);
    json_decref(packed);
}

static void of_tables_the_best_and_the_last_are_kept(void **state) {
    json_t *tables = json_array(), *table = matrix(2, true);
    const bool best[] = {true, true, false, false};

    (void)state;
    for (int i = 0; i < 4; i++) {
        json_t *line = json_pack("{s:i, s:f}", "step", i, "epoch", i / 2.0);
        page_table_keep(tables, "c", table, line, best[i]);
        json_decref(line);
    }
    assert_int_equal(json_array_size(tables), 2);
    for (int i = 0; i < 2; i++) {
        const json_t *kept = json_array_get(tables, (size_t)i);
        assert_int_equal(json_integer_value(json_object_get(kept, "step")), i ? 3 : 1);
        assert_int_equal(json_is_true(json_object_get(kept, "best")), !i);
        assert_int_equal(json_is_true(json_object_get(kept, "last")), i);
    }
    json_decref(tables);
    json_decref(table);
}

/* --- ranks --- */

/* 1000 lines of 2 ranks in 40 numbers of each kind: 20 times, each the mean of 50. */
static void neighbours_in_time_are_averaged(void **state) {
    FILE *file = fopen(in_scratch("ranks.jsonl"), "w");
    json_t *run = json_object();
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        fprintf(file,
                "{\"step\":%d,\"epoch\":%d,%s\"compute_s\":[%d,1],\"wait_s\":[0,null],"
                "\"data_s\":[0,0]}\n",
                i + 1, i, i ? "" : "\"ranks\":2,\"hosts\":[\"a\",\"b\"],", i);
    fclose(file);
    assert_int_equal(page_ranks_add(run, in_scratch("ranks.jsonl"), 40, &err), 0);
    const json_t *log = json_object_get(run, "ranks_log");
    const json_t *compute = json_object_get(log, "compute_s");
    assert_int_equal(json_integer_value(json_object_get(run, "ranks")), 2);
    assert_int_equal(json_array_size(json_object_get(run, "hosts")), 2);
    assert_int_equal(json_array_size(compute), 20);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(log, "step"), 19)), 1000);
    assert_float_equal(json_number_value(json_array_get(json_array_get(compute, 1), 0)), 74.5, 0);
    assert_true(json_is_null(json_array_get(json_array_get(json_object_get(log, "wait_s"), 0), 1)));
    json_decref(run);
}

static void phases_are_shown_as_they_are(void **state) {
    static const char text[] = "s of 2 steps   time\ntotal   1.5\n";
    json_t *run = json_object();
    struct err err = {0};

    (void)state;
    assert_int_equal(page_phases_add(run, in_scratch("phases.txt"), &err), 0);
    assert_null(json_object_get(run, "phases"));
    write_bytes(in_scratch("phases.txt"), text, strlen(text));
    assert_int_equal(page_phases_add(run, in_scratch("phases.txt"), &err), 0);
    assert_string_equal(json_string_value(json_object_get(run, "phases")), text);
    json_decref(run);
}

/* --- pictures --- */

/* Three pictures, of which two fit: the newest is one of them, and reads back as it was. */
static void pictures_fit_in_their_bytes(void **state) {
    unsigned char pixels[64 * 64 * 3];
    json_t *run = json_object();
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    assert_int_equal(mkdir(in_scratch("pictures"), 0777), 0);
    for (int step = 9; step <= 11; step++) {
        char name[64];
        snprintf(name, sizeof name, "pictures/two_words_%d.png", step);
        assert_int_equal(image_write_png(in_scratch(name), 64, 64, 3, pixels, &err), 0);
    }
    write_text("pictures/notes.txt", "no picture");
    write_text("pictures/x_1y.png", "no number");
    struct stat st;
    assert_int_equal(stat(in_scratch("pictures/two_words_9.png"), &st), 0);
    assert_int_equal(page_pictures_add(run, scratch, (size_t)st.st_size * 3 + 3, &err), 0);
    json_t *list = json_object_get(json_object_get(run, "pictures"), "two_words");
    assert_int_equal(json_object_size(json_object_get(run, "pictures")), 1);
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(page_pictures_add(run, scratch, (size_t)st.st_size * 2 + 100, &err), 0);
    list = json_object_get(json_object_get(run, "pictures"), "two_words");
    assert_in_range(json_array_size(list), 1, 3);
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    assert_int_equal(json_integer_value(json_object_get(last, "step")), 11);
    assert_memory_equal(json_string_value(json_object_get(last, "uri")), "data:image/png;base64,",
                        22);
    json_decref(run);
}

static void encoded_png_reads_back(void **state) {
    unsigned char pixels[5 * 3 * 3], *bytes = NULL;
    struct image in = {.width = 5, .height = 3, .channels = 3, .pixels = pixels}, out = {0};
    struct err err = {0};
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 7);
    assert_int_equal(image_encode_png(&in, "x", &bytes, &len, &err), 0);
    assert_int_equal(image_decode(bytes, len, "x", IMAGE_AS_STORED, &out, &err), 0);
    assert_int_equal(out.width, 5);
    assert_memory_equal(out.pixels, pixels, sizeof pixels);
    image_release(&out);
    free(bytes);
}

/* A picture that is too large is reduced; one that is broken is told of and left out. */
static void pictures_are_reduced_and_broken_ones_left_out(void **state) {
    static unsigned char pixels[200 * 100 * 3];
    json_t *run = json_pack("{s:[]}", "notes");
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    assert_int_equal(image_write_png(in_scratch("pictures/big_1.png"), 200, 100, 3, pixels, &err),
                     0);
    write_text("pictures/half_1.png", "\x89PNG\r\n\x1a\n and no more of it than what stands here");
    assert_int_equal(page_pictures_add(run, scratch, 100, &err), 0);
    assert_int_equal(json_array_size(json_object_get(run, "notes")), 1);
    assert_null(json_object_get(json_object_get(run, "pictures"), "half"));
    const json_t *big = json_object_get(json_object_get(run, "pictures"), "big");
    assert_int_equal(json_array_size(big), 1);
    const json_t *uri = json_object_get(json_array_get(big, 0), "uri");
    /* at most 48 x 24 pixels of noise, in base64 */
    assert_in_range(json_string_length(uri), 1000, 48 * 24 * 3 * 4 / 3 + 400);
    json_decref(run);
}

/* What worst.json names may not be a file from anywhere. */
static void pictures_outside_of_the_folder_are_left_out(void **state) {
    json_t *run = json_object();
    struct err err = {0};

    (void)state;
    write_text("worst.json",
               "{\"step\":1,\"epoch\":1,\"samples\":[{\"index\":3,\"loss\":2,"
               "\"picture\":\"../../etc/passwd\"},{\"index\":4,\"picture\":\"/etc/passwd\"}]}");
    assert_int_equal(page_worst_add(run, scratch, 1000, &err), 0);
    const json_t *samples = json_object_get(json_object_get(run, "worst"), "samples");
    assert_int_equal(json_array_size(samples), 2);
    for (size_t i = 0; i < 2; i++)
        assert_null(json_object_get(json_array_get(samples, i), "uri"));
    write_text("worst.json", "{\"step\":1,\n\"samples\":[}");
    assert_int_equal(page_worst_add(run, scratch, 1000, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.msg, "worst.json:2: is no JSON object"));
    remove(in_scratch("worst.json"));
    json_decref(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_curves_are_kept_whole),
        cmocka_unit_test(thinning_keeps_what_is_seen),
        cmocka_unit_test(even_spread_ends_with_the_last),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(half_a_last_line_is_passed_over),
        cmocka_unit_test(broken_lines_are_named),
        cmocka_unit_test(text_that_is_not_utf8_loses_its_letters_alone),
        cmocka_unit_test(large_tables_of_zeros_are_kept_by_what_is_in_them),
        cmocka_unit_test(of_tables_the_best_and_the_last_are_kept),
        cmocka_unit_test(neighbours_in_time_are_averaged),
        cmocka_unit_test(phases_are_shown_as_they_are),
        cmocka_unit_test(pictures_fit_in_their_bytes),
        cmocka_unit_test(encoded_png_reads_back),
        cmocka_unit_test(pictures_are_reduced_and_broken_ones_left_out),
        cmocka_unit_test(pictures_outside_of_the_folder_are_left_out),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
