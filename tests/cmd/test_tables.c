/* Measures of several numbers, measures that are no means, and weights by frequency. */
#include "cmd/results.h"
#include "io/dataset/dataset_writer.h"

enum { CLASSES = 10, TEST = 60, SIDE = 4 };

/* Nothing moves: all ranks measure one and the same network, in uneven batches. */
static void write_job(void) {
    program_write_job("table.ini", 1,
                      "[validate]\nbatch = 7\n"
                      "c    = confusion(logits, label)\n"
                      "miou = mean_iou(c)\nf = f1(c)\nhits = pixel_accuracy(c)\n"
                      "each = class_accuracy(c)\n");
}

/* Row r, column k of the matrix `c`. */
static double entry(const json_t *validate, size_t r, size_t k) {
    const json_t *row = json_array_get(json_object_get(validate, "c"), r);

    assert_int_equal(json_array_size(row), CLASSES);
    return json_number_value(json_array_get(row, k));
}

static double measure(const json_t *validate, const char *name) {
    const json_t *v = json_object_get(validate, name);

    assert_true(json_is_number(v));
    return json_number_value(v);
}

/* Everything that is computed from the matrix, from the matrix of the log. */
static void check_measures(const json_t *validate) {
    double iou = 0, f = 0, hits = 0;
    int occurring = 0;

    for (size_t r = 0; r < CLASSES; r++) {
        double labels = 0, guesses = 0;
        for (size_t k = 0; k < CLASSES; k++) {
            labels += entry(validate, r, k);
            guesses += entry(validate, k, r);
        }
        const double hit = entry(validate, r, r);
        const json_t *each = json_array_get(json_object_get(validate, "each"), r);
        assert_true(fabs(json_number_value(each) - hit / labels) < 1e-6);
        iou += hit / (labels + guesses - hit);
        f += 2 * hit / (labels + guesses);
        hits += hit;
        occurring += labels > 0;
    }
    assert_int_equal(occurring, CLASSES);
    assert_true(fabs(measure(validate, "miou") - iou / CLASSES) < 1e-6);
    assert_true(fabs(measure(validate, "f") - f / CLASSES) < 1e-6);
    assert_true(fabs(measure(validate, "hits") - hits) < 1e-6);
    assert_true(fabs(measure(validate, "top1") - hits) < 1e-6);
}

static void tables_are_exact_on_any_number_of_ranks(void **state) {
    static const char *const names[] = {"c", "each", "miou", "f", "hits", "top1"};
    char name[16];
    json_t *one = NULL;

    (void)state;
    write_job();
    for (int ranks = 1; ranks <= 3; ranks++) {
        snprintf(name, sizeof name, "ranks%d", ranks);
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN table.ini --set lr=0 --set name=%s", ranks,
                       name);
        json_t *validate = results_validation(name);
        double sum = 0;
        for (size_t r = 0; r < CLASSES; r++)
            for (size_t k = 0; k < CLASSES; k++) {
                const double samples = TEST * entry(validate, r, k);
                assert_true(fabs(samples - round(samples)) < 1e-5);
                sum += samples;
            }
        assert_true(fabs(sum - TEST) < 1e-4);
        check_measures(validate);
        if (!one)
            one = json_incref(validate);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (!json_equal(json_object_get(one, names[i]), json_object_get(validate, names[i])))
                fail_msg("%s differs on %d ranks", names[i], ranks);
        json_decref(validate);
    }
    json_decref(one);
}

static void eval_prints_tables_with_the_names_of_classes(void **state) {
    static const char *const lines[] = {
        "\nc, how often (rows: the label; columns: what it was taken for)\n",
        "\n                circle     square   triangle  ",
        "\nc, share of the row\n",
        "\n  hourglass  ",
        "\neach\n  circle     0.",
        "\nresult: top1="};

    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN table.ini --set name=eval");
    struct program_run run =
        program_run("echo; $DLTRAIN eval table.ini --weights runs/eval/last.h5");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(run.out, lines[i]))
            fail_msg("there is no '%s' in\n%s", lines[i], run.out);
    program_release(&run);
}

/* A table is no measure that could be the best. */
static void a_table_cannot_be_the_best(void **state) {
    (void)state;
    write_job();
    program_expect(78, "is no loss or metric", "$DLTRAIN table.ini --set validate.best=c");
}

/* 10 images of SIDE x SIDE in grey with classes 0 six times, 1 three times and 2 once, of four; the
 * masks have class 0 on 120 pixels, 1 on 36 and none on 4. */
static void write_odd_data(void) {
    static const char *const classes[] = {"a", "b", "c", "d"};
    static const int32_t labels[] = {0, 1, 0, 0, 2, 1, 0, 0, 1, 0};
    static const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = {3, {SIDE, SIDE, 1}}},
        {.name = "labels", .kind = DATASET_CLASS, .n_classes = 4},
        {.name = "mask", .kind = DATASET_CLASS, .sample = {2, {SIDE, SIDE}}, .n_classes = 2}};
    unsigned char images[10 * SIDE * SIDE], mask[10 * SIDE * SIDE];
    struct dataset_writer *writer;
    struct err err = {0};

    for (int i = 0; i < 10 * SIDE * SIDE; i++) {
        images[i] = (unsigned char)(37 * i % 251);
        mask[i] = i < 120 ? 0 : i < 156 ? 1 : 255;
    }
    if (dataset_writer_new(&writer, "odd.h5", &err) ||
        dataset_writer_fields(writer, "train", fields, 3, &err) ||
        dataset_writer_add(writer, 0, images, 10, &err) ||
        dataset_writer_add(writer, 1, labels, 10, &err) ||
        dataset_writer_add(writer, 2, mask, 10, &err) ||
        dataset_writer_finish(writer, classes, 4, &err))
        fail_msg("%s", err.msg);
    dataset_writer_free(writer);
}

/* The losses of 6 steps with those weights of the classes. */
static void weighted_losses(const char *net, const char *field, const char *weights,
                            double losses[6]) {
    program_write("odd.ini",
                  "[job]\nmodel = m\nsteps = 6\n[net m(image)]\nfc = image | %s\n"
                  "[step]\nlogits = model(image)\ntrain = model\noptimizer = sgd(lr=0.1)\n"
                  "loss = cross_entropy(logits, %s, weights=%s)\n"
                  "[data]\ntrain = odd.h5:train\nbatch = 4\n[log]\nevery = 1\n",
                  net, field, weights);
    program_expect(0, NULL, "$DLTRAIN odd.ini");
    assert_int_equal(results_numbers("odd", "loss", losses, NULL, 6), 6);
}

/* By hand: total / (classes that occur * count) is 10 / (3 * 6), 10 / (3 * 3), 10 / (3 * 1) and 0
 * for the class without samples; of the pixels 156 / (2 * 120) and 156 / (2 * 36). */
static void balanced_weights_follow_the_counts(void **state) {
    static const char linear[] = "flatten | linear(4)", conv[] = "conv(2, 1)";
    double expected[6], found[6], plain[6];

    (void)state;
    write_odd_data();
    weighted_losses(linear, "label",
                    "[0.55555555555555556, 1.1111111111111112, 3.3333333333333335, 0]", expected);
    weighted_losses(linear, "label", "balanced(label)", found);
    assert_memory_equal(expected, found, sizeof found);
    weighted_losses(linear, "label", "1", plain);
    assert_true(fabs(plain[0] - expected[0]) > 1e-4);
    weighted_losses(conv, "mask", "[0.65, 2.1666666666666665]", expected);
    weighted_losses(conv, "mask", "balanced(mask)", found);
    assert_memory_equal(expected, found, sizeof found);
}

static void balanced_says_which_field_it_means(void **state) {
    (void)state;
    write_odd_data();
    program_write("odd.ini", "[job]\nmodel = m\nsteps = 1\n"
                             "[net m(image)]\nfc = image | flatten | linear(4)\n"
                             "[let]\nw = 1\n"
                             "[step]\ntrain = model\noptimizer = sgd(lr=0.1)\n"
                             "loss = cross_entropy(model(image), label, weights=balanced)\n"
                             "[data]\ntrain = odd.h5:train\nbatch = 4\n");
    program_expect(78, "found the classes of label and of mask, expected balanced(label)",
                   "$DLTRAIN odd.ini");
    program_expect(
        78, "balanced: image: the data has no class indices of that name",
        "$DLTRAIN odd.ini "
        "--set \"step.loss=cross_entropy(model(image), label, weights=balanced(image))\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_exact_on_any_number_of_ranks),
        cmocka_unit_test(eval_prints_tables_with_the_names_of_classes),
        cmocka_unit_test(a_table_cannot_be_the_best),
        cmocka_unit_test(balanced_weights_follow_the_counts),
        cmocka_unit_test(balanced_says_which_field_it_means),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
