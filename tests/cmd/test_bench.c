/* `dltrain bench --layers`: where the time of a step goes. */
#include "cmd/printed_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const phases[] = {"forward", "data", "weights"};

/* Two blocks and a classifier; nothing that could become one operator with another. */
static void write_layers_job(const char *path) {
    program_write(path, "[job]\nmodel = m\n"
                        "[block unit(x, width)]\nc = x | conv(width, 3, bias=true)\n"
                        "out = c | sigmoid\n"
                        "[net m(image)]\nbody = image | unit(4)^2\n"
                        "fc = body | maxpool(2) | flatten | linear(10)\n"
                        "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n"
                        "optimizer = sgd(lr=0.1)\n"
                        "[data]\nimage = [8, 8, 3]\nbatch = 6\n");
}

/* The operators of the graph of that number. */
static const json_t *operators(const json_t *json, size_t graph) {
    return json_object_get(json_array_get(json_object_get(json, "graphs"), graph), "operators");
}

static void every_operator_is_listed_once_in_order(void **state) {
    static const struct {
        const char *name, *word, *phases; /* f, d, w */
        int64_t last_dim;
    } expected[] = {{"body.0.c", "conv", "fw", 4},  {"body.0", "sigmoid", "fd", 4},
                    {"body.1.c", "conv", "fdw", 4}, {"body.1", "sigmoid", "fd", 4},
                    {"", "maxpool", "fd", 4},       {"", "flatten", "fd", 64},
                    {"fc", "linear", "fdw", 10},    {"", "cross_entropy", "fd", 1}};
    enum { N = sizeof expected / sizeof *expected };

    (void)state;
    write_layers_job("layers.ini");
    json_t *json = printed_json("$DLTRAIN bench layers.ini --layers --json --steps 3");
    const json_t *rows = operators(json, 0);
    assert_int_equal(json_array_size(json_object_get(json, "graphs")), 1);
    assert_int_equal(json_array_size(rows), N);
    for (size_t i = 0; i < N; i++) {
        const json_t *row = json_array_get(rows, i), *output = json_object_get(row, "output");
        const size_t rank = json_array_size(output);
        assert_string_equal(json_string_value(json_object_get(row, "name")), expected[i].name);
        assert_string_equal(json_string_value(json_object_get(row, "operator")), expected[i].word);
        assert_int_equal(json_integer_value(json_array_get(output, rank - 1)),
                         expected[i].last_dim);
        for (int k = 0; k < 3; k++)
            assert_int_equal(json_object_get(row, phases[k]) != NULL,
                             strchr(expected[i].phases, phases[k][0]) != NULL);
    }
    json_decref(json);
}

/* By hand, for 6 samples: the second convolution has 8 x 8 outputs of 4 channels, each of 3 x 3 x 4
 * products. It reads and writes 6 x 8 x 8 x 4 numbers, and has 3 x 3 x 4 x 4 weights and 4 biases.
 */
static void flops_and_bytes_are_those_worked_by_hand(void **state) {
    static const char *const commands[] = {
        "$DLTRAIN bench layers.ini --layers --json --steps 2",
        "$DLTRAIN bench layers.ini --layers --json --steps 2 --set data.accumulate=3"};
    const double values = 4.0 * 6 * 8 * 8 * 4, weights = 4.0 * (3 * 3 * 4 * 4 + 4);

    (void)state;
    write_layers_job("layers.ini");
    for (int i = 0; i < 2; i++) {
        const double parts = i ? 3 : 1; /* which read the weights each */
        json_t *json = printed_json(commands[i]);
        const json_t *conv = json_array_get(operators(json, 0), 2);
        for (int k = 0; k < 3; k++) {
            const json_t *figures = json_object_get(conv, phases[k]);
            assert_true(number(figures, "flops") == 2.0 * 6 * 8 * 8 * 4 * 3 * 3 * 4);
            assert_true(number(figures, "bytes") == 2 * values + parts * weights);
            assert_true(number(figures, "ms") > 0);
        }
        json_decref(json);
    }
}

/* Of the rows whose operator is `word`, or of all. */
static double sum_of(const json_t *json, const char *word, const char *phase, const char *key) {
    const json_t *rows = operators(json, 0);
    double sum = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *figures = json_object_get(row, phase);
        if (figures &&
            (!word || !strcmp(json_string_value(json_object_get(row, "operator")), word)))
            sum += number(figures, key);
    }
    return sum;
}

static void totals_are_the_sums_of_the_rows(void **state) {
    static const char *const keys[] = {"ms", "flops", "bytes"};

    (void)state;
    write_layers_job("layers.ini");
    json_t *json = printed_json("$DLTRAIN bench layers.ini --layers --json --steps 5");
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++) {
            const json_t *all = json_object_get(json_object_get(json, "total"), phases[k]);
            const json_t *conv = json_object_get(json_object_get(json, "convolutions"), phases[k]);
            const double sum = sum_of(json, NULL, phases[k], keys[i]);
            const double conv_sum = sum_of(json, "conv", phases[k], keys[i]);
            assert_true(fabs(number(all, keys[i]) - sum) <= 1e-6 * sum);
            assert_true(fabs(number(conv, keys[i]) - conv_sum) <= 1e-6 * conv_sum);
            assert_true(conv_sum > 0 && conv_sum < sum);
        }
    assert_true(number(json, "peak_gflops") > 0 && number(json, "memory_gb_per_s") > 0);
    json_decref(json);
}

static void expect_line(const char *text, const char *wanted) {
    if (!strstr(text, wanted))
        fail_msg("no '%s' in\n%s", wanted, text);
}

static void the_table_fits_its_page(void **state) {
    char *table;
    size_t longest = 0;

    (void)state;
    write_layers_job("layers.ini");
    table = printed("$MPIRUN -np 2 $DLTRAIN bench layers.ini --layers --steps 2 --set threads=2");
    const char *last = table;
    for (const char *at = table; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        const size_t len = strcspn(at, "\n");
        if (strncmp(at, "bench: ", 7) && strncmp(at, "warning: ", 9))
            longest = len > longest ? len : longest;
        last = at;
    }
    assert_in_range(longest, 100, 120);
    expect_line(table, "\nbody.1.c ");
    expect_line(table, " 2 x conv ");
    expect_line(table, "\nall convolutions ");
    expect_line(table, "\nrank 0 of 2: 3 samples of 6, peak ");
    assert_memory_equal(last, "bench: model=m ranks=2 threads=2 ", 33);
    expect_line(last, " isa=");
    expect_line(last, " conv_weights_share=");
    free(table);
}

static void all_steps_of_a_job_are_listed(void **state) {
    (void)state;
    program_write("two.ini",
                  "[job]\n[net g(z)]\nout = z | linear(192) | tanh | reshape([8, 8, 3])\n"
                  "[net d(image)]\nout = image | flatten | linear(1)\n"
                  "[step d]\nloss = bce(d(image), 1) + bce(d(detach(g(noise(5)))), 0)\n"
                  "train = d\noptimizer = sgd(lr=0.1)\n"
                  "[step g]\nloss = bce(d(g(noise(5))), 1)\ntrain = g\n"
                  "optimizer = sgd(lr=0.1)\nevery = 3\n"
                  "[data]\nimage = [8, 8, 3]\nbatch = 4\n");
    char *table = printed("$DLTRAIN bench two.ini --layers --steps 6");
    expect_line(table, "[step d]: medians of 6 steps");
    expect_line(table, "[step g]: medians of 2 steps");
    expect_line(table, "\ng.out ");
    free(table);
}

/* Parameters of torchvision 0.14's networks, counted there; of ResNet-20 and DCGAN as
 * configs/ says; of U-Net in grey those of milesial/Pytorch-UNet, 31037698, less 2 of 3 colours of
 * the first convolution: 2 * 3 * 3 * 64. */
static void networks_to_compare_have_their_sizes(void **state) {
    static const struct {
        const char *job, *net;
        long n;
    } nets[] = {{"resnet50", "resnet50", 25557032},
                {"resnet20", "resnet20", 269722},
                {"vgg16", "vgg16", 138357544},
                {"mobilenet_v2", "mobilenet_v2", 3504872},
                {"densenet121", "densenet121", 7978856},
                {"inception_v3", "inception_v3", 27161264},
                {"dcgan64", "generator", 3576704},
                {"dcgan64", "discriminator", 2765568},
                {"unet256", "unet", 31037698 - 2 * 3 * 3 * 64}};

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        char command[128], text[64];

        snprintf(command, sizeof command, "$DLTRAIN show $CONFIGS/../bench/%s.ini", nets[i].job);
        snprintf(text, sizeof text, "\nnet %s: %ld parameters", nets[i].net, nets[i].n);
        char *shown = printed(command);
        expect_line(shown, text);
        free(shown);
    }
}

static void wrong_arguments_are_refused(void **state) {
    (void)state;
    write_layers_job("layers.ini");
    program_expect(64, "--json is for --layers, which is not given",
                   "$DLTRAIN bench layers.ini --json");
    program_expect(64, "found '--layers', which is no option here",
                   "$DLTRAIN train layers.ini --layers");
    program_expect(64, "--steps: found '0', expected a whole number from 1 to 1000000",
                   "$DLTRAIN bench layers.ini --layers --steps 0");
    program_expect(78, "a batch of 1 leaves no samples to rank 0 of 2",
                   "$MPIRUN -np 2 $DLTRAIN bench layers.ini --layers --set data.batch=1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_is_listed_once_in_order),
        cmocka_unit_test(flops_and_bytes_are_those_worked_by_hand),
        cmocka_unit_test(totals_are_the_sums_of_the_rows),
        cmocka_unit_test(the_table_fits_its_page),
        cmocka_unit_test(all_steps_of_a_job_are_listed),
        cmocka_unit_test(networks_to_compare_have_their_sizes),
        cmocka_unit_test(wrong_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
