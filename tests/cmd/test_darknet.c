/* dltrain convert: weights of Darknet for a net of a job and back. */
#include "io/weights/safetensors.h"
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* Offset, scale, mean and variance of two channels; 2x2 kernels of 1x1: outputs before inputs; then
 * a layer with a bias: outputs, inputs, rows, columns. Numbers count from 1. */
enum { WITH_NORM = 4 * 2 + 4, WITH_BIAS = 1 + 2 * 9, NUMBERS = WITH_NORM + WITH_BIAS };

static void write_job(void) {
    program_write("net.ini", "[job]\nmodel = small\n"
                             "[net small(image)]\n"
                             "a = image | conv(2, 1) | bn | leaky_relu(0.1)\n"
                             "b = a | conv(1, 3, bias=true)\n"
                             "[data]\nimage = [4, 4, 2]\n");
}

/* A header of 16 or 20 bytes, as the version says, and n numbers. */
static void write_weights(const char *path, int32_t minor, int n) {
    const int32_t version[] = {0, minor, 0};
    const int64_t seen = 6400;
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(version, 4, 3, file), 3);
    assert_int_equal(fwrite(&seen, minor >= 2 ? 8 : 4, 1, file), 1);
    for (int i = 1; i <= n; i++) {
        const float v = (float)i;
        assert_int_equal(fwrite(&v, 4, 1, file), 1);
    }
    assert_int_equal(fclose(file), 0);
}

/* That tensor of the file begins with the number `first` and counts on. */
static void counts(const char *path, const char *name, int64_t len, float first) {
    struct safetensors *st = NULL;
    struct err err = {0};
    float out[WITH_BIAS];
    int n, i = 0;

    if (safetensors_open(&st, path, &err))
        fail_msg("%s", err.msg);
    const struct safetensor *t = safetensors_list(st, &n);
    while (i < n && strcmp(t[i].name, name))
        i++;
    if (i == n)
        fail_msg("%s has no %s", path, name);
    assert_int_equal(shape_len(&t[i].shape), len);
    safetensors_read(st, i, out);
    for (int64_t k = 0; k < len; k++)
        assert_true(out[k] > first + (float)k - 0.5f && out[k] < first + (float)k + 0.5f);
    safetensors_close(st);
}

static void layers_come_in_the_order_of_the_text(void **state) {
    (void)state;
    write_job();
    for (int minor = 1; minor <= 2; minor++) {
        write_weights("in.weights", minor, NUMBERS);
        program_expect(0, NULL, "$DLTRAIN convert in.weights out.safetensors --job net.ini");
        counts("out.safetensors", "bn1.bias", 2, 1);
        counts("out.safetensors", "bn1.weight", 2, 3);
        counts("out.safetensors", "bn1.running_mean", 2, 5);
        counts("out.safetensors", "bn1.running_var", 2, 7);
        counts("out.safetensors", "conv1.weight", 4, 9);
        counts("out.safetensors", "b.bias", 1, 13);
        counts("out.safetensors", "b.weight", 18, 14);
    }
}

static void what_is_written_is_what_was_read(void **state) {
    size_t len[2];
    char *bytes[2];

    (void)state;
    write_job();
    write_weights("in.weights", 2, NUMBERS);
    program_expect(0, NULL, "$DLTRAIN convert in.weights middle.h5 --job net.ini");
    program_expect(0, NULL, "$DLTRAIN convert net.ini out.weights --weights middle.h5");
    const char *const path[] = {"in.weights", "out.weights"};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(path[i], "rb");
        assert_non_null(file);
        bytes[i] = calloc(1, 4096);
        len[i] = fread(bytes[i], 1, 4096, file);
        fclose(file);
    }
    assert_int_equal(len[0], 20 + 4 * NUMBERS);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(bytes[0] + 20, bytes[1] + 20, 4 * NUMBERS);
    free(bytes[0]);
    free(bytes[1]);
}

static void the_first_layers_alone_are_taken_on_request(void **state) {
    (void)state;
    write_job();
    write_weights("first.weights", 2, WITH_NORM);
    program_expect(65,
                   "first.weights: holds 12 numbers, expected 31 of net small of net.ini: they end "
                   "before b.bias, after a whole layer; --partial takes the layers there are",
                   "$DLTRAIN convert first.weights first.safetensors --job net.ini");
    program_expect(0, NULL,
                   "$DLTRAIN convert first.weights first.safetensors --job net.ini --partial");
    counts("first.safetensors", "conv1.weight", 4, 9);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    write_job();
    write_weights("short.weights", 2, 10);
    program_expect(65,
                   "short.weights: holds 10 numbers, expected 31 of net small of net.ini: they end "
                   "within conv1.weight",
                   "$DLTRAIN convert short.weights x.safetensors --job net.ini --partial");
    write_weights("long.weights", 2, NUMBERS + 1);
    program_expect(65,
                   "long.weights: holds 32 numbers, expected 31: net small of net.ini has no more",
                   "$DLTRAIN convert long.weights x.safetensors --job net.ini");
    program_write("cut.weights", "0123456789abcdefg");
    program_expect(65, NULL, "$DLTRAIN convert cut.weights x.safetensors --job net.ini");
    program_write("empty.weights", "%s", "");
    program_expect(65, "empty.weights: is 0 bytes, too few for weights of Darknet",
                   "$DLTRAIN convert empty.weights x.safetensors --job net.ini");
    program_expect(64,
                   "convert: long.weights has neither names nor shapes; expected --job JOB.ini, "
                   "which describes its net",
                   "$DLTRAIN convert long.weights x.safetensors");
    program_expect(64, "convert: --partial is for weights of Darknet, with --job",
                   "$DLTRAIN convert x.h5 x.safetensors --partial");
    assert_int_not_equal(access("x.safetensors", F_OK), 0);
}

static void layers_that_darknet_lacks_are_refused(void **state) {
    (void)state;
    program_write("bare.ini", "[job]\nmodel = bare\n[net bare(image)]\na = image | conv(2, 1, "
                              "bias=false) | relu\n[data]\nimage = [4, 4, 2]\n");
    program_expect(78,
                   "bare.ini:4:13: conv: Darknet has no layer without a bias or bn behind it; "
                   "bias=true",
                   "$DLTRAIN convert bare.ini out2.weights");
    program_write("group.ini", "[job]\nmodel = group\n[net group(image)]\na = image | conv(2, 1) | "
                               "group_norm(1)\n[data]\nimage = [4, 4, 2]\n");
    program_expect(78, NULL, "$DLTRAIN convert group.ini out2.weights");
    assert_int_not_equal(access("out2.weights", F_OK), 0);
}

/* Numbers of yolov3-tiny.weights, 35,434,956 bytes with a header of 20: parameters and running
 * statistics. */
static void the_file_of_yolov3_tiny_has_the_numbers_of_darknet(void **state) {
    (void)state;
    program_write("tiny.ini",
                  "[job]\ninclude = %s/yolov3_tiny.ini\nmodel = yolov3_tiny\n"
                  "[data]\nimage = [416, 416, 3]\n",
                  DLTRAIN_CONFIGS);
    program_expect(0, NULL, "$DLTRAIN convert tiny.ini tiny.weights");
    FILE *file = fopen("tiny.weights", "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_int_equal(ftell(file), 20 + 4 * 8858734L);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_come_in_the_order_of_the_text),
        cmocka_unit_test(what_is_written_is_what_was_read),
        cmocka_unit_test(the_first_layers_alone_are_taken_on_request),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(layers_that_darknet_lacks_are_refused),
        cmocka_unit_test(the_file_of_yolov3_tiny_has_the_numbers_of_darknet),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
