/* The text of a checkpoint: what is none, and what it says. */
#include "train/meta.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void refused(const char *text, const char *message) {
    struct err err = {0};
    struct meta meta;

    assert_int_equal(meta_read(&meta, "x.h5", text, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    if (!strstr(err.msg, message))
        fail_msg("%s", err.msg);
    meta_release(&meta);
}

static void what_no_run_has_saved_is_refused(void **state) {
    (void)state;
    refused("", "x.h5: its meta text is not JSON");
    refused("{\"step\": 3", "x.h5: its meta text is not JSON");
    refused("[]", "x.h5: is no checkpoint of a run");
    refused("{\"converted_from\": \"a.h5\"}", "x.h5: is no checkpoint of a run");
    refused("{\"step\": \"3\"}", "x.h5: is no checkpoint of a run");
    refused("{\"step\": 3, \"batch\": 8, \"data\": \"00ff\"}", "by another version of the program");
    refused("{\"step\": 3, \"format\": 3, \"job\": \"[job]\"}", "by another version");
    refused("{\"step\": 3, \"format\": 2}", "by another version");
    refused("{\"step\": -3, \"format\": 2, \"job\": \"[job]\"}",
            "its step is -3, expected at least 0");
}

static const char text[] =
    "{\"format\": 2, \"step\": 30, \"epoch\": 1.5, \"name\": \"cells\", \"job\": \"[job]\\nsteps = "
    "3\\n\", \"validated\": true, \"updates\": [], \"data\": {\"train\": {\"samples\": 7, "
    "\"file\": "
    "\"a.h5:x\"}}, \"fields\": [{\"name\": \"image\", \"classes\": 0}, {\"name\": \"label\", "
    "\"classes\": 2}, {\"name\": \"mask\", \"classes\": 7}], \"classes\": {\"label\": "
    "[\"cat\", \"dog\"]}, \"measures\": "
    "{\"values\": [{\"step\": 10, \"value\": 0.25}, {\"step\": 20, \"value\": \"nan\"}, {\"step\": "
    "25, \"value\": \"-inf\"}, {\"step\": 30, \"value\": \"inf\"}]}}";

static void read(struct meta *meta) {
    struct err err = {0};

    if (meta_read(meta, "x.h5", text, &err))
        fail_msg("%s", err.msg);
}

static void values_are_found_by_their_paths(void **state) {
    struct meta meta;

    (void)state;
    read(&meta);
    assert_int_equal(meta_step(&meta), 30);
    assert_true(meta_epoch(&meta) == 1.5);
    assert_string_equal(meta_name(&meta), "cells");
    assert_string_equal(meta_job(&meta), "[job]\nsteps = 3\n");
    assert_int_equal(meta_whole(&meta, "data.train.samples"), 7);
    assert_string_equal(meta_string(&meta, "data.train.file"), "a.h5:x");
    assert_string_equal(meta_string(&meta, "data.validate.file"), "");
    assert_null(meta_at(&meta, "data.train.file.more"));
    meta_release(&meta);
}

static void classes_come_field_by_field(void **state) {
    struct feed_classes *classes;
    struct pool pool = {0};
    struct meta meta;

    (void)state;
    read(&meta);
    assert_int_equal(meta_classes(&meta, &pool, &classes), 2);
    meta_release(&meta);
    assert_string_equal(classes[0].field, "label");
    assert_int_equal(classes[0].n, 2);
    assert_string_equal(classes[0].names[1], "dog");
    assert_int_equal(classes[1].n, 7);
    assert_null(classes[1].names); /* numbers alone */
    pool_release(&pool);
}

static void a_history_is_taken_or_left(void **state) {
    struct progress taken = {.maximise = true}, left = {0};
    struct replica replica = {0};
    struct err err = {0};
    struct meta meta;

    (void)state;
    read(&meta);
    assert_int_equal(meta_progress(&meta, true, &replica, &taken, &err), 0);
    assert_int_equal(taken.n_measures, 4);
    assert_true(taken.measure[0] == 0.25 && isnan(taken.measure[1]));
    assert_true(taken.measure[2] < -1e300 && taken.measure[3] > 1e300);
    assert_int_equal(taken.measured_at[3], 30);
    assert_true(taken.validated);
    assert_int_equal(progress_best(&taken), 3);
    assert_int_equal(meta_progress(&meta, false, &replica, &left, &err), 0);
    assert_int_equal(left.step, 30);
    assert_int_equal(left.n_measures, 0);
    assert_false(left.validated); /* by the new measure */
    progress_release(&taken);
    meta_release(&meta);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_run_has_saved_is_refused),
        cmocka_unit_test(values_are_found_by_their_paths),
        cmocka_unit_test(classes_come_field_by_field),
        cmocka_unit_test(a_history_is_taken_or_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
