/* dltrain convert: to PyTorch's order and back without losing a bit. */
#include "support/program.h"
#include "core/base/err.h"
#include "io/weights/checkpoint.h"
#include "io/weights/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const float w[] = {1, 2, 3, 4, 5, 6}, turned[] = {1, 3, 5, 2, 4, 6}, b[] = {7, 8};
static const float average[] = {9, 10};

/* gen has all that there is, dis is the second of two nets. */
static void write_checkpoint(const char *path, bool two) {
    static const struct checkpoint_tensor t[] = {
        {"/nets/gen/fc.weight", {2, {3, 2}}, w, false},
        {"/nets/gen/fc.bias", {1, {2}}, b, false},
        {"/nets/gen/words.weight", {2, {3, 2}}, w, true},
        {"/ema/gen/fc.bias", {1, {2}}, average, false},
        {"/optimizer/step/gen/0", {1, {2}}, b, false},
        {"/nets/dis/fc.bias", {1, {2}}, b, false},
    };
    struct err err = {0};

    if (checkpoint_write(path, t, two ? 6 : 5, "{}", &err))
        fail_msg("%s", err.msg);
}

static void safetensors_holds(const char *path, int n_all, const char *name, int rows, int columns,
                              const float *numbers) {
    struct safetensors *st = NULL;
    struct err err = {0};
    float out[6];
    int n;

    if (safetensors_open(&st, path, &err))
        fail_msg("%s", err.msg);
    const struct safetensor *t = safetensors_list(st, &n);
    assert_int_equal(n, n_all);
    int i = 0;
    while (i < n && strcmp(t[i].name, name))
        i++;
    if (i == n)
        fail_msg("%s has no %s", path, name);
    assert_int_equal(t[i].shape.dim[0], rows);
    assert_int_equal(t[i].shape.rank, columns ? 2 : 1);
    assert_int_equal(t[i].shape.dim[1], columns);
    safetensors_read(st, i, out);
    assert_memory_equal(out, numbers, (size_t)(rows * (columns ? columns : 1)) * sizeof *out);
    safetensors_close(st);
}

static void checkpoint_holds(const char *path, const char *tensor, bool plain,
                             const struct shape *shape, const float *numbers) {
    struct checkpoint *ck = NULL;
    struct err err = {0};
    float out[6];

    if (checkpoint_open(&ck, path, &err) || checkpoint_read(ck, tensor, shape, out, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(checkpoint_find(ck, tensor)->plain, plain);
    assert_memory_equal(out, numbers, (size_t)shape_len(shape) * sizeof *out);
    checkpoint_close(ck);
}

/* Every tensor of every net in one is in two, with the same bits. */
static void same_nets(const char *one, const char *two) {
    struct checkpoint *x = NULL, *y = NULL;
    struct err err = {0};
    int n, n_nets = 0;

    if (checkpoint_open(&x, one, &err) || checkpoint_open(&y, two, &err))
        fail_msg("%s", err.msg);
    const struct checkpoint_tensor *t = checkpoint_tensors(x, &n);
    for (int i = 0; i < n; i++) {
        const struct checkpoint_tensor *other = checkpoint_find(y, t[i].path);
        if (strncmp(t[i].path, "/nets/", 6))
            continue;
        n_nets++;
        if (!other || !shape_equal(&t[i].shape, &other->shape) ||
            memcmp(t[i].data, other->data, (size_t)shape_len(&t[i].shape) * sizeof *t[i].data))
            fail_msg("%s is another in %s", t[i].path, two);
    }
    assert_true(n_nets > 0);
    checkpoint_close(x);
    checkpoint_close(y);
}

static void prints(const char *text, const char *command) {
    struct program_run run = program_run("%s", command);

    if (run.code || !strstr(run.out, text))
        fail_msg("%s\nexit code %d, expected '%s' in\n%s%s", command, run.code, text, run.out,
                 run.err);
    program_release(&run);
}

static void a_net_goes_to_pytorch_and_back(void **state) {
    static const struct shape matrix = {2, {3, 2}}, vector = {1, {2}};

    (void)state;
    write_checkpoint("one.h5", false);
    prints("one.safetensors: 3 tensors of 14 numbers, 0 renamed, 0 skipped",
           "$DLTRAIN convert one.h5 one.safetensors");
    safetensors_holds("one.safetensors", 3, "fc.weight", 2, 3, turned);
    safetensors_holds("one.safetensors", 3, "fc.bias", 2, 0, b);
    safetensors_holds("one.safetensors", 3, "words.weight", 3, 2, w);
    prints("back.h5, net other: 3 tensors of 14 numbers",
           "$DLTRAIN convert one.safetensors back.h5 --net other");
    checkpoint_holds("back.h5", "/nets/other/fc.weight", false, &matrix, w);
    checkpoint_holds("back.h5", "/nets/other/fc.bias", false, &vector, b);
    checkpoint_holds("back.h5", "/nets/other/words.weight", true, &matrix, w);
    program_expect(0, NULL, "$DLTRAIN convert back.h5 again.safetensors");
    program_expect(0, NULL, "cmp one.safetensors again.safetensors");
}

static void a_trained_network_survives_to_the_bit(void **state) {
    (void)state;
    program_write_job("trained.ini", 3, "");
    program_expect(0, NULL, "$DLTRAIN trained.ini");
    program_expect(0, NULL,
                   "cd runs/trained && $DLTRAIN convert last.h5 a.safetensors && "
                   "$DLTRAIN convert a.safetensors b.h5 --net small && "
                   "$DLTRAIN convert b.h5 b.safetensors && cmp a.safetensors b.safetensors");
    same_nets("runs/trained/last.h5", "runs/trained/b.h5");
    program_expect(0, NULL,
                   "$DLTRAIN eval trained.ini --weights runs/trained/last.h5 > a.txt && "
                   "$DLTRAIN eval trained.ini --weights runs/trained/b.h5 > b.txt && "
                   "grep -q result a.txt && cmp a.txt b.txt");
}

static void several_nets_are_told_apart(void **state) {
    (void)state;
    write_checkpoint("two.h5", true);
    program_expect(0, NULL, "$DLTRAIN convert two.h5 two.safetensors");
    safetensors_holds("two.safetensors", 4, "gen.fc.weight", 2, 3, turned);
    safetensors_holds("two.safetensors", 4, "dis.fc.bias", 2, 0, b);
    program_expect(0, NULL, "$DLTRAIN convert two.h5 gen.safetensors --net gen");
    safetensors_holds("gen.safetensors", 3, "fc.weight", 2, 3, turned);
    program_expect(0, NULL,
                   "$DLTRAIN convert two.safetensors gen.h5 --net gen --skip dis --rename gen-\\>");
    program_expect(0, NULL, "$DLTRAIN convert gen.h5 gen2.safetensors");
    program_expect(0, NULL, "cmp gen.safetensors gen2.safetensors");
    program_expect(0, NULL, "$DLTRAIN convert two.h5 ema.safetensors --net gen --ema");
    safetensors_holds("ema.safetensors", 3, "fc.bias", 2, 0, average);
}

/* A trained net with spectral norm goes to PyTorch's names and back, and is measured from either.
 */
static void spectral_norm_changes_its_names(void **state) {
    (void)state;
    program_write_job("norm.ini", 3, "");
    program_expect(0, NULL,
                   "sed -i \"s/conv(16, 3/conv(16, 3, spectral=true/; "
                   "s/linear(classes)/linear(classes, spectral=true)/\" norm.ini");
    program_expect(0, NULL, "$DLTRAIN norm.ini");
    prints("conv2.weight_orig", "$DLTRAIN convert runs/norm/last.h5 norm.safetensors");
    prints("fc.weight_orig", "$DLTRAIN convert norm.safetensors same.safetensors");
    program_expect(0, NULL, "cmp norm.safetensors same.safetensors");
    program_expect(0, NULL, "$DLTRAIN convert norm.safetensors norm.h5 --net small");
    same_nets("runs/norm/last.h5", "norm.h5");
    program_expect(0, NULL,
                   "$DLTRAIN eval runs/norm/last.h5 | grep result > a.txt && "
                   "$DLTRAIN eval runs/norm --weights norm.safetensors | grep result | cmp a.txt - "
                   "&& $DLTRAIN eval norm.ini --weights norm.h5 | grep result | cmp a.txt -");
}

static void rules_rename_and_leave_out(void **state) {
    (void)state;
    write_checkpoint("one.h5", false);
    prints("skipped words.weight: --skip\n"
           "r.safetensors: 2 tensors of 8 numbers, 2 renamed, 1 skipped",
           "$DLTRAIN convert one.h5 r.safetensors --skip words "
           "--rename \"fc.bias -> head.b\" --rename \"fc -> head\"");
    safetensors_holds("r.safetensors", 2, "head.b", 2, 0, b);
    safetensors_holds("r.safetensors", 2, "head.weight", 2, 3, turned);
}

static void arrays_of_numpy_hold_the_same(void **state) {
    (void)state;
    write_checkpoint("one.h5", false);
    prints("a.npz: 3 tensors of 14 numbers", "$DLTRAIN convert one.h5 a.npz");
    program_expect(0, NULL, "$DLTRAIN convert one.h5 a.safetensors");
    prints("b.safetensors: 3 tensors of 14 numbers",
           "$DLTRAIN convert a.npz b.safetensors --plain words");
    program_expect(0, NULL, "cmp a.safetensors b.safetensors");
    prints("fc.weight  3x2              ->  fc.weight  2x3",
           "$DLTRAIN convert one.h5 fc.npy --only fc.weight");
    program_expect(0, NULL, "$DLTRAIN convert fc.npy fc.h5 --net gen --rename \"fc -> fc.weight\"");
    checkpoint_holds("fc.h5", "/nets/gen/fc.weight", false, &(struct shape){2, {3, 2}}, w);
    program_expect(ERR_USAGE, "all.npy is for one tensor, found 3; --only NAME says which",
                   "$DLTRAIN convert one.h5 all.npy");
    program_expect(ERR_USAGE, "--only 'conv' fits nothing in one.h5",
                   "$DLTRAIN convert one.h5 all.npy --only conv");
    assert_int_equal(access("all.npy", F_OK), -1);
}

/* As PyTorch saves batch norm: a counter without dimensions. */
static void what_is_no_float_is_skipped_and_said(void **state) {
    static const char header[] =
        "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
        "\"bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}";
    static const struct shape matrix = {2, {3, 2}}, table = {2, {2, 3}};
    FILE *file = fopen("torch.safetensors", "wb");

    (void)state;
    assert_non_null(file);
    const unsigned char len[8] = {(unsigned char)strlen(header)};
    fwrite(len, 1, 8, file);
    fwrite(header, 1, strlen(header), file);
    fwrite(len, 1, 8, file);
    fwrite(turned, sizeof *turned, 6, file);
    assert_int_equal(fclose(file), 0);
    prints("skipped bn.num_batches_tracked: is I64\n"
           "torch.h5, net t: 1 tensors of 6 numbers, 0 renamed, 1 skipped",
           "$DLTRAIN convert torch.safetensors torch.h5 --net t");
    checkpoint_holds("torch.h5", "/nets/t/fc.weight", false, &matrix, w);
    prints("plain", "$DLTRAIN convert torch.safetensors torch.h5 --net t --plain fc");
    checkpoint_holds("torch.h5", "/nets/t/fc.weight", true, &table, turned);
}

static void mistakes_are_said(void **state) {
    (void)state;
    write_checkpoint("two.h5", true);
    write_checkpoint("one.h5", false);
    program_expect(0, NULL, "$DLTRAIN convert one.h5 one.safetensors");
    program_expect(ERR_USAGE, "found 1 files, expected IN and OUT", "$DLTRAIN convert one.h5");
    program_expect(ERR_USAGE, "found '--nett', which is no option here",
                   "$DLTRAIN convert one.h5 a.h5 --nett x");
    program_expect(ERR_USAGE, "found 'out.pt', expected one of OUT.h5, OUT.safetensors",
                   "$DLTRAIN convert one.h5 out.pt");
    program_expect(ERR_USAGE, "found no --net NAME, expected the name that the net is to have",
                   "$DLTRAIN convert one.safetensors a.h5");
    program_expect(ERR_USAGE, "two.h5 holds several nets: dis, gen; --net says which",
                   "$DLTRAIN convert two.h5 a.h5");
    program_expect(ERR_DATA, "two.h5: holds no net x; its nets are: dis, gen",
                   "$DLTRAIN convert two.h5 a.h5 --net x");
    program_expect(ERR_USAGE, "--net is 'a/b', expected the name of a net",
                   "$DLTRAIN convert one.safetensors a.h5 --net a/b");
    program_expect(ERR_USAGE, "--rename: found ", "$DLTRAIN convert one.h5 a.h5 --rename fc");
    program_expect(ERR_USAGE, "--rename 'conv -> c' fits nothing in one.h5",
                   "$DLTRAIN convert one.h5 a.h5 --rename \"conv -> c\"");
    program_expect(ERR_USAGE, "--skip 'conv' fits nothing in one.h5",
                   "$DLTRAIN convert one.h5 a.h5 --skip conv");
    program_expect(ERR_USAGE, "--plain 'conv' fits nothing in one.safetensors",
                   "$DLTRAIN convert one.safetensors a.h5 --net x --plain conv");
    program_expect(ERR_DATA, "one.h5: there is nothing left to convert",
                   "$DLTRAIN convert one.h5 a.h5 --skip \"*\"");
    program_expect(ERR_DATA, "cannot be a name in a checkpoint; --rename gives another",
                   "$DLTRAIN convert one.h5 a.h5 --rename \"fc -> a/b\"");
    program_expect(ERR_IO, "none.h5: cannot be read: No such file or directory",
                   "$DLTRAIN convert none.h5 a.safetensors");
    program_expect(ERR_IO, "no/a.safetensors: cannot be written: No such file or directory",
                   "$DLTRAIN convert one.h5 no/a.safetensors");
    assert_int_equal(access("a.h5", F_OK), -1);
}

static void one_process_of_several_converts(void **state) {
    (void)state;
    write_checkpoint("one.h5", false);
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN convert one.h5 m.safetensors > lines.txt; "
                   "test $(grep -c numbers lines.txt) = 1");
    program_expect(ERR_IO, "none.h5: cannot be read",
                   "$MPIRUN -np 2 $DLTRAIN convert none.h5 m.safetensors");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_goes_to_pytorch_and_back),
        cmocka_unit_test(a_trained_network_survives_to_the_bit),
        cmocka_unit_test(several_nets_are_told_apart),
        cmocka_unit_test(spectral_norm_changes_its_names),
        cmocka_unit_test(rules_rename_and_leave_out),
        cmocka_unit_test(arrays_of_numpy_hold_the_same),
        cmocka_unit_test(what_is_no_float_is_skipped_and_said),
        cmocka_unit_test(mistakes_are_said),
        cmocka_unit_test(one_process_of_several_converts),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
