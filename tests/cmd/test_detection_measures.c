/* Measures of boxes that were found, of a whole validation set, on any number of ranks. */
#include "cmd/results.h"
#include "core/ops/detection_set.h"
#include "core/ops/golden_detection.h"
#include "io/h5/h5.h"

enum { N_GOLDEN = sizeof golden_detection / sizeof *golden_detection };

static int reals(struct h5 *h5, const char *path, int rank, const int64_t *dims, const act *values,
                 const char *kind, struct err *err) {
    int64_t n = 1;

    for (int i = 0; i < rank; i++)
        n *= dims[i];
    float *copy = malloc((size_t)n * sizeof *copy);
    assert_non_null(copy);
    for (int64_t i = 0; i < n; i++)
        copy[i] = (float)values[i];
    const int rc = h5_write(h5, path, H5_TYPE_F32, rank, dims, copy, err) ||
                   (kind && h5_attr_write_text(h5, path, "kind", kind, err));
    free(copy);
    return rc;
}

/* found.h5:test in the scratch folder, of images of 80 x 80. */
static void write_data(void) {
    static const int64_t image[] = {SET_N, 80, 80}, found[] = {SET_N, SET_K, FOUND},
                         boxes[] = {SET_N, SET_M, TRUTH};
    static const char *const classes[] = {"ant", "bee", "cow", "dog", "elk", "fox"};
    static struct detection_set set;
    static act images[SET_N * 80 * 80];
    struct err err = {0};
    struct h5 *h5;

    set_make(&set);
    if (h5_create(&h5, "found.h5", &err) || h5_group_create(h5, "/test", &err) ||
        reals(h5, "/test/images", 3, image, images, "image", &err) ||
        reals(h5, "/test/found", 3, found, &set.found[0][0][0], "real", &err) ||
        reals(h5, "/test/boxes", 3, boxes, &set.boxes[0][0][0], "boxes", &err) ||
        h5_attr_write_texts(h5, "/test/boxes", "classes", classes, 6, &err) ||
        reals(h5, "/test/difficult", 2, boxes, &set.difficult[0][0], "real", &err) ||
        reals(h5, "/test/crowd", 2, boxes, &set.crowd[0][0], "real", &err) || h5_sync(h5, &err))
        fail_msg("%s", err.msg);
    h5_close(h5);
}

/* A statement m0, m1, .. for each golden case. */
static int setup(void **state) {
    char text[8192];
    int at;

    if (program_setup(state))
        return -1;
    write_data();
    at = snprintf(text, sizeof text,
                  "[job]\nsteps = 1\n[net dummy(image)]\ny = image | conv(1, 1)\n"
                  "[data]\ntrain = found.h5:test\nvalidate = found.h5:test\nbatch = 10\n"
                  "[step]\nloss = mse(dummy(image), image)\ntrain = dummy\n"
                  "optimizer = sgd(lr=0.001)\n[validate]\nbatch = 7\nbest = m2\n");
    for (int i = 0; i < N_GOLDEN; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "m%d = %s(found, boxes, %s, %s%s%s)\n",
                       i, golden_detection[i].op, golden_detection[i].difficult ? "difficult" : "0",
                       golden_detection[i].crowd ? "crowd" : "0",
                       *golden_detection[i].with ? ", " : "", golden_detection[i].with);
    assert_true(at < (int)sizeof text);
    program_write("found.ini", "%s", text);
    return 0;
}

static json_t *last_line(const char *name) {
    json_t *lines = results_log(name);
    json_t *last = json_incref(json_array_get(lines, json_array_size(lines) - 1));

    json_decref(lines);
    return last;
}

/* The k-th number of a table, a list of numbers or of lists. */
static const json_t *number_at(const json_t *value, size_t k) {
    const json_t *row;

    if (!json_is_array(value))
        return value;
    row = json_array_get(value, 0);
    if (!json_is_array(row))
        return json_array_get(value, k);
    return json_array_get(json_array_get(value, k / json_array_size(row)),
                          k % json_array_size(row));
}

/* In float a score or an overlap may not be told from another where in double it is: here none is.
 */
static void they_are_those_of_their_definitions(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN found.ini");
    json_t *line = last_line("found");

    for (int i = 0; i < N_GOLDEN; i++) {
        char name[16];

        snprintf(name, sizeof name, "m%d", i);
        const json_t *value = json_object_get(json_object_get(line, "validate"), name);
        assert_non_null(value);
        for (int k = 0; k < golden_detection[i].n; k++) {
            const json_t *found = number_at(value, (size_t)k);
            const double expected = golden_detection[i].y[k];

            if (isnan(expected) ? json_is_number(found)
                                : !(fabs(json_number_value(found) - expected) < 1e-6))
                fail_msg("%s(%s) [%d] is %.9f, expected %.9f", golden_detection[i].op,
                         golden_detection[i].with, k, json_number_value(found), expected);
        }
        if (!strcmp(golden_detection[i].op, "map"))
            assert_null(json_object_get(json_object_get(line, "error"), name));
    }
    json_decref(line);
}

/* Equal scores are ordered by sample and row, whoever has the sample. */
static void ranks_change_no_bit(void **state) {
    json_t *one = last_line("found");
    const json_t *expected = json_object_get(one, "validate");

    (void)state;
    for (int ranks = 2; ranks <= 4; ranks++) {
        char name[16];

        snprintf(name, sizeof name, "ranks%d", ranks);
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN found.ini --set name=%s", ranks, name);
        json_t *line = last_line(name);
        const json_t *found = json_object_get(line, "validate");
        for (int i = 0; i < N_GOLDEN; i++) {
            char key[16];

            snprintf(key, sizeof key, "m%d", i);
            if (strcmp(golden_detection[i].op, "detection_counts") &&
                !json_equal(json_object_get(found, key), json_object_get(expected, key)))
                fail_msg("%s(%s) of %d ranks is another one", golden_detection[i].op,
                         golden_detection[i].with, ranks);
        }
        json_decref(line);
    }
    json_decref(one);
}

/* m10 is class_map. */
static void eval_prints_the_names_of_the_classes(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN eval runs/found > eval.txt");
    char *text = program_read("eval.txt");
    assert_non_null(strstr(text, "m10\n  ant"));
    assert_non_null(strstr(text, "  elk  "));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_those_of_their_definitions),
        cmocka_unit_test(ranks_change_no_bit),
        cmocka_unit_test(eval_prints_the_names_of_the_classes),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
