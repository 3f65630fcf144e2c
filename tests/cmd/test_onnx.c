/* dltrain convert: a run as an ONNX file, an ONNX file as a job, and what is refused. What the
 * files compute is compared by golden/onnx_parity.py. */
#include "support/program.h"
#include "core/base/err.h"
#include "export/onnx_read.h"
#include "io/file/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char job[] = "[job]\nmodel = net(classes=auto)\nsteps = 2\n"
                          "[net net(image, classes)]\n"
                          "fc = image | conv(4, 3) | bn | relu | global_avgpool | linear(classes)\n"
                          "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 24\n"
                          "augment = image | normalize\n"
                          "[step]\nloss = cross_entropy(model(image), label)\ntrain = model\n"
                          "optimizer = sgd(lr=0.1)\n"
                          "[validate]\ntop1 = accuracy(model(image), label)\n";

static Onnx__ModelProto *read_file(const char *path) {
    Onnx__ModelProto *m = NULL;
    struct err err = {0};
    char *bytes = NULL;
    size_t len = 0;

    if (file_read(path, &bytes, &len, &err) || onnx_read(path, bytes, len, &m, &err))
        fail_msg("%s", err.msg);
    free(bytes);
    return m;
}

static const char *text_of(const Onnx__ModelProto *m, const char *key) {
    for (size_t i = 0; i < m->n_metadata_props; i++)
        if (!strcmp(m->metadata_props[i]->key, key))
            return m->metadata_props[i]->value;
    fail_msg("there is no %s among the metadata", key);
    return NULL;
}

static int count(const Onnx__ModelProto *m, const char *type) {
    int n = 0;

    for (size_t i = 0; i < m->graph->n_node; i++)
        n += !strcmp(m->graph->node[i]->op_type, type);
    return n;
}

static int has_weight(const Onnx__ModelProto *m, const char *name) {
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (!strcmp(m->graph->initializer[i]->name, name))
            return 1;
    return 0;
}

static void a_run_becomes_a_file_that_says_what_it_is_of(void **state) {
    (void)state;
    program_write("net.ini", "%s", job);
    program_expect(0, NULL, "$DLTRAIN net.ini");
    program_expect(0, NULL, "$DLTRAIN convert runs/net net.onnx");
    Onnx__ModelProto *m = read_file("net.onnx");
    const Onnx__TensorShapeProto *in = m->graph->input[0]->type->tensor_type->shape;
    assert_string_equal(m->graph->input[0]->name, "image");
    assert_string_equal(in->dim[0]->dim_param, "batch");
    assert_int_equal(in->dim[1]->dim_value, 3);
    assert_string_equal(m->graph->output[0]->name, "fc");
    assert_int_equal(onnx_read_opset(m), 17);
    assert_string_equal(text_of(m, "run"), "net");
    assert_non_null(strstr(text_of(m, "classes.label"), "\"circle\""));
    assert_non_null(strstr(text_of(m, "mean.image"), "0."));
    assert_non_null(
        strstr(m->doc_string, "pixels from 0 to 1 (bytes / 255), then (x - mean) / std"));
    assert_int_equal(count(m, "BatchNormalization"), 1);
    assert_int_equal(count(m, "Sub"), 0);
    assert_true(has_weight(m, "conv1.weight") && has_weight(m, "bn1.running_var"));
    onnx_read_free(m);
}

static void options_fold_fix_and_normalise(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN convert runs/net/last.h5 folded.onnx --fold-bn --with-normalize "
                   "--batch 4 --opset 13");
    Onnx__ModelProto *m = read_file("folded.onnx");
    assert_int_equal(m->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value, 4);
    assert_int_equal(onnx_read_opset(m), 13);
    assert_int_equal(count(m, "BatchNormalization"), 0);
    assert_int_equal(count(m, "Sub"), 1);
    assert_true(has_weight(m, "conv1.bias") && !has_weight(m, "bn1.running_var"));
    onnx_read_free(m);
}

static void a_file_becomes_a_job_with_the_same_weights(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN convert net.onnx back.ini");
    program_expect(0, NULL, "$DLTRAIN convert runs/net was.safetensors");
    program_expect(0, NULL,
                   "$DLTRAIN convert was.safetensors was.h5 --net net && "
                   "$DLTRAIN convert back.safetensors is.h5 --net net && "
                   "$SAME was.h5 is.h5");
    program_expect(0, NULL, "$DLTRAIN show back.ini | grep -q \"net net: 166 parameters\"");
    program_write("goes_on.ini", "[job]\ninclude = back.ini\nsteps = 1\n"
                                 "[data]\ntrain = shapes.h5:train\nbatch = 24\n"
                                 "[step]\nloss = cross_entropy(model(image), label)\n"
                                 "train = model\noptimizer = sgd(lr=0.1)\n");
    program_expect(0, NULL, "$DLTRAIN goes_on.ini | grep -q \"net net: 7 of 7 tensors loaded\"");
    program_expect(0, NULL,
                   "$DLTRAIN convert net.onnx new/er/net.ini && test -s new/er/net.safetensors && "
                   "$DLTRAIN convert net.onnx folder && test -s folder/net.ini && "
                   "test -s folder/net.safetensors");
}

/* Jobs that were written by hand, and weights from elsewhere, stay; what was converted is made
 * anew. */
static void nothing_but_what_was_converted_is_replaced(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "cp goes_on.ini kept && cp shapes.h5 kept.h5 && mkdir other && "
                   "echo theirs > other/net.safetensors");
    program_expect(64, "goes_on.ini: is there and is no job that was made of an ONNX file",
                   "$DLTRAIN convert net.onnx goes_on.ini");
    program_expect(64, "other/net.safetensors: is there without other/net.ini",
                   "$DLTRAIN convert net.onnx other");
    program_expect(64, "shapes.h5: is there and holds no weights that were converted",
                   "$DLTRAIN convert runs/net shapes.h5");
    program_expect(64, "runs/net/last.h5: is there and holds no weights that were converted",
                   "$DLTRAIN convert runs/net runs/net/last.h5");
    program_expect(0, NULL,
                   "cmp goes_on.ini kept && cmp shapes.h5 kept.h5 && test ! -e other/net.ini && "
                   "for i in 1 2; do $DLTRAIN convert net.onnx folder && "
                   "$DLTRAIN convert back.safetensors is.h5 --net net || exit 1; done");
}

/* Each of golden/onnx_broken.py: one line, and nothing is written. */
static void damaged_and_strange_files_are_refused(void **state) {
    static const struct {
        const char *file, *message;
    } cases[] = {
        {"circle", "node a (Relu): reads 'b', which nothing before it gives"},
        {"cut_off", "is no ONNX file, or cut off"},
        {"external", "tensor 'w' lies in another file"},
        {"short_weight", "tensor 'w' holds 100 numbers, expected 108 for 4x3x3x3"},
        {"huge_weight", "tensor 'w' would be 1099511627776x1099511627776"},
        {"negative_weight", "tensor 'w' has the dimension -4"},
        {"wrong_channels", "node conv (Conv): its weight 4x5x3x3 with group 1 does not fit"},
        {"large_kernel", "node conv (Conv): its window of 9 is larger than its input of 8"},
        {"odd_pads", "node conv (Conv): pads are 0 before and 1 after"},
        {"auto_pad", "node conv (Conv): auto_pad is SAME_UPPER"},
        {"huge_stride", "node conv (Conv): strides holds 1099511627776"},
        {"zero_group", "with group 0 does not fit its input"},
        {"strange_attribute", "node r (Relu): its attribute slope is not understood"},
        {"strange_operator", "node n (NonZero): the operator has no counterpart"},
        {"strange_domain", "node r (Relu): its operator is of com.example"},
        {"dynamic_size", "input 'x' is [batch, 3, height, width]"},
        {"huge_input", "input 'x' is too large"},
        {"no_output", "of which 'y' is given by no node"},
        {"two_names", "two values are called 'y'"},
        {"no_operator", "node y has no operator"},
        {"old_operators", "has operators of version 7, expected 11 to 17"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        program_expect(ERR_DATA, cases[i].message,
                       "$DLTRAIN convert %s/../tests/fuzz/corpus/onnx/refused_%s.onnx x.ini",
                       DLTRAIN_CONFIGS, cases[i].file);
    assert_int_equal(access("x.ini", F_OK), -1);
    assert_int_equal(access("x.safetensors", F_OK), -1);
}

static void mistakes_are_said(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN convert runs/net w.safetensors");
    program_expect(ERR_USAGE, "expected one of OUT.h5, OUT.safetensors",
                   "$DLTRAIN convert runs/net x.pt");
    program_expect(ERR_USAGE, "expected one of OUT.ini, OUT (a folder)",
                   "$DLTRAIN convert net.onnx x.h5");
    program_expect(ERR_USAGE, "are for OUT.onnx, found x.h5",
                   "$DLTRAIN convert runs/net/last.h5 x.h5 --fold-bn");
    program_expect(ERR_USAGE, "--only, --plain and --ema are for weights alone",
                   "$DLTRAIN convert runs/net x.onnx --ema");
    program_expect(ERR_USAGE, "--batch: found 'x', expected dynamic or a number",
                   "$DLTRAIN convert runs/net x.onnx --batch x");
    program_expect(ERR_USAGE, "--opset: found '18', expected a whole number from 13 to 17",
                   "$DLTRAIN convert runs/net x.onnx --opset 18");
    program_expect(ERR_USAGE, "found --net dis, expected --net NAME of one that runs/net uses: net",
                   "$DLTRAIN convert runs/net x.onnx --net dis");
    program_expect(ERR_DATA, "weights alone, and no network; give its job",
                   "$DLTRAIN convert w.safetensors x.onnx");
    program_expect(ERR_CONFIG, "normalize takes its numbers from the data",
                   "$DLTRAIN convert net.ini x.onnx --weights w.safetensors --with-normalize");
    program_write("noise.ini", "[job]\nmodel = net()\n[data]\nimage = [8, 8, 3]\n"
                               "[net net(image)]\nout = image + noise([8, 8, 3])\n");
    program_expect(ERR_CONFIG, "noise.ini:6:15: noise: ONNX has no operators for it",
                   "$DLTRAIN convert noise.ini x.onnx");
    assert_int_equal(access("x.onnx", F_OK), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_becomes_a_file_that_says_what_it_is_of),
        cmocka_unit_test(options_fold_fix_and_normalise),
        cmocka_unit_test(a_file_becomes_a_job_with_the_same_weights),
        cmocka_unit_test(nothing_but_what_was_converted_is_replaced),
        cmocka_unit_test(damaged_and_strange_files_are_refused),
        cmocka_unit_test(mistakes_are_said),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
