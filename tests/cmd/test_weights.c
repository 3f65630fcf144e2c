/* [weights NET]: a network begins with what a file holds, and the job says so when it does not
 * fit. */
#include "support/program.h"
#include "core/base/err.h"
#include "io/weights/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void run_ok(const char *text, const char *command) {
    struct program_run run = program_run("%s", command);

    if (run.code || !strstr(run.out, text))
        fail_msg("%s\nexit code %d, expected '%s' in\n%s%s", command, run.code, text, run.out,
                 run.err);
    program_release(&run);
}

/* The donor: a network with batch norm that has trained for 5 steps; in runs/donor/last.h5. */
static int setup(void **state) {
    if (program_setup(state))
        return -1;
    program_write("base.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = small(classes=10)\nsteps = 5\n"
                  "[let]\nlr = 0.05\n"
                  "[net small(image, classes)]\n"
                  "stem = image | conv(8, 3, stride=4) | bn | relu\n"
                  "body = stem | conv(16, 3, stride=2) | relu\n"
                  "fc = body | flatten | linear(classes)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | normalize\nbatch = 24\n",
                  DLTRAIN_CONFIGS);
    run_ok("", "$DLTRAIN base.ini --set name=donor");
    run_ok("", "$DLTRAIN convert runs/donor/last.h5 donor.safetensors");
    return 0;
}

/* The donor's network with another head: 10 more numbers in between. */
static void write_tuned(const char *sections) {
    program_write("tuned.ini",
                  "[job]\ninclude = base.ini\n"
                  "[net small(image, classes)]\n"
                  "stem = image | conv(8, 3, stride=4) | bn | relu\n"
                  "body = stem | conv(16, 3, stride=2) | relu\n"
                  "hidden = body | flatten | linear(20) | relu\n"
                  "fc = hidden | linear(classes)\n%s",
                  sections);
}

static struct checkpoint *opened(const char *path) {
    struct checkpoint *ck = NULL;
    struct err err = {0};

    if (checkpoint_open(&ck, path, &err))
        fail_msg("%s", err.msg);
    return ck;
}

/* How many tensors of small in both files have the same bits; *n is how many a has. */
static int n_equal(const char *a, const char *b, int *n) {
    struct checkpoint *x = opened(a), *y = opened(b);
    int n_all, equal = 0;
    const struct checkpoint_tensor *t = checkpoint_tensors(x, &n_all);

    *n = 0;
    for (int i = 0; i < n_all; i++) {
        const struct checkpoint_tensor *other = checkpoint_find(y, t[i].path);
        if (strncmp(t[i].path, "/nets/small/", 12))
            continue;
        ++*n;
        equal += other && shape_equal(&t[i].shape, &other->shape) &&
                 !memcmp(t[i].data, other->data, (size_t)shape_len(&t[i].shape) * sizeof(float));
    }
    checkpoint_close(x);
    checkpoint_close(y);
    return equal;
}

static void weights_and_statistics_are_those_of_the_file(void **state) {
    (void)state;
    program_write("same.ini", "[job]\ninclude = base.ini\n[weights model]\n"
                              "file = runs/donor/last.h5\n");
    run_ok("net small: 9 of 9 tensors loaded from runs/donor/last.h5 (3986 numbers)\n",
           "$DLTRAIN eval same.ini | tee with.txt");
    run_ok("result: top1=",
           "$DLTRAIN eval base.ini --weights runs/donor/last.h5 | tee without.txt");
    run_ok("", "grep result with.txt | cmp - without.txt");
    run_ok("", "$MPIRUN -np 2 $DLTRAIN eval same.ini --set weights.model.file=donor.safetensors "
               "| grep result | cmp - without.txt");
    run_ok("", "$DLTRAIN eval same.ini --weights runs/donor/last.h5 "
               "--set weights.model.file=none | cmp - without.txt");
}

static void a_new_head_trains_on_loaded_features(void **state) {
    int n;

    (void)state;
    write_tuned("[step]\nfreeze = model.conv1, model.bn1, model.body\n"
                "[weights small]\nfile = donor.safetensors\nskip = fc, hidden\n");
    run_ok("net small: 7 of 11 tensors loaded from donor.safetensors (1416 numbers), 4 skipped "
           "(hidden.weight, hidden.bias, fc.weight, fc.bias)\n",
           "$MPIRUN -np 2 $DLTRAIN tuned.ini --set checkpoint.every=\"1 steps\"");
    assert_int_equal(n_equal("runs/tuned/last.h5", "runs/donor/last.h5", &n), 7);
    assert_int_equal(n, 11);
    assert_int_equal(n_equal("runs/tuned/step_00000001.h5", "runs/tuned/last.h5", &n), 7);
}

static void every_way_to_the_same_weights_trains_the_same(void **state) {
    (void)state;
    program_write("fine.ini", "[job]\ninclude = base.ini\nsteps = 3\n[weights model]\n"
                              "file = runs/donor/last.h5\n");
    run_ok("", "$DLTRAIN fine.ini");
    run_ok("", "$DLTRAIN fine.ini --set name=torch --set weights.model.file=donor.safetensors");
    run_ok("", "$SAME runs/fine/last.h5 runs/torch/last.h5");
    run_ok("", "$DLTRAIN convert donor.safetensors renamed.safetensors "
               "--rename \"conv1 -> net.s\" --rename \"* -> net.*\"");
    run_ok("9 of 9 tensors loaded",
           "$DLTRAIN fine.ini --set name=from --set weights.model.file=renamed.safetensors "
           "--set weights.model.from=net --set \"weights.model.rename=s -> conv1\"");
    run_ok("", "$SAME runs/fine/last.h5 runs/from/last.h5");
    run_ok("", "$DLTRAIN convert donor.safetensors other.h5 --net other");
    run_ok("9 of 9 tensors loaded from other.h5",
           "$DLTRAIN fine.ini --set name=other --set weights.model.file=other.h5");
    run_ok("", "$SAME runs/fine/last.h5 runs/other/last.h5");
}

static void a_run_that_goes_on_needs_the_file_no_more(void **state) {
    int n;

    (void)state;
    program_write("long.ini", "[job]\ninclude = base.ini\nsteps = 6\n"
                              "[step]\noptimizer = adam(lr=1e-3)\n[weights model]\n"
                              "file = gone.h5\n");
    run_ok("", "cp runs/donor/last.h5 gone.h5 && $DLTRAIN long.ini");
    run_ok("", "$DLTRAIN long.ini --set name=parts --set steps=3");
    run_ok("going on after step 3", "rm gone.h5 && $DLTRAIN long.ini --set name=parts --resume");
    assert_int_equal(n_equal("runs/long/last.h5", "runs/parts/last.h5", &n), 9);
    program_expect(ERR_IO, "[weights model]: gone.h5: cannot be read: No such file or directory",
                   "$DLTRAIN long.ini --set name=new --resume");
}

/* As eval measures them: the averages of a checkpoint that has some. */
static void averages_are_what_another_run_begins_with(void **state) {
    (void)state;
    program_write("ema.ini", "[job]\ninclude = base.ini\n[step]\nema = 0.9\n");
    program_write("same.ini", "[job]\ninclude = base.ini\n[weights model]\n"
                              "file = runs/ema/last.h5\n");
    run_ok("", "$DLTRAIN ema.ini");
    run_ok("9 of 9 tensors loaded from runs/ema/last.h5 (3986 numbers, averages)\n",
           "$DLTRAIN eval same.ini | tee with.txt");
    run_ok("", "$DLTRAIN eval base.ini --weights runs/ema/last.h5 > averaged.txt");
    run_ok("", "grep result with.txt | cmp - averaged.txt");
    run_ok("",
           "$DLTRAIN convert runs/ema/last.h5 last.h5 && "
           "$DLTRAIN eval base.ini --weights last.h5 > last.txt; ! cmp -s last.txt averaged.txt");
    run_ok("", "$DLTRAIN convert runs/ema/last.h5 ema.h5 --ema && "
               "$DLTRAIN eval base.ini --weights ema.h5 | cmp - averaged.txt");
}

static void what_the_file_lacks_may_keep_its_initial_values(void **state) {
    (void)state;
    write_tuned("[weights model]\nfile = runs/donor/last.h5\npartial = true\n");
    run_ok("net small: 8 of 11 tensors loaded from runs/donor/last.h5 (1426 numbers), 2 not in the "
           "file (hidden.weight, hidden.bias), 1 of another shape (fc.weight is 256x10, expected "
           "20x10)\n",
           "$DLTRAIN tuned.ini --set name=partial");
}

/* On two ranks, with that message and code. */
static void refused(int code, const char *message, const char *options) {
    program_expect(code, message,
                   "OMPI_MCA_odls_base_sigkill_timeout=0 $MPIRUN -np 2 $DLTRAIN tuned.ini "
                   "--set name=refused %s",
                   options);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    write_tuned("[weights model]\nfile = runs/donor/last.h5\n");
    refused(ERR_CONFIG,
            "tuned.ini:9:8: net small: in runs/donor/last.h5 fc.weight is 256x10, expected 20x10; "
            "skip = leaves them as initialised",
            "");
    refused(ERR_CONFIG, "fc.weight is 10x256, expected 10x20",
            "--set weights.model.file=donor.safetensors");
    refused(ERR_CONFIG,
            "tuned.ini:9:8: net small: runs/donor/last.h5 has no hidden.weight, hidden.bias; not "
            "used of it: last.bias, last.weight; rename =, skip = or partial = true may help",
            "--set \"weights.model.rename=fc -> last\" --set weights.model.skip=fc");
    refused(ERR_CONFIG, "rename: 'conv -> c' renames nothing in runs/donor/last.h5",
            "--set \"weights.model.rename=conv -> c\"");
    refused(ERR_CONFIG, "rename: runs/donor/last.h5: renaming gives ",
            "--set \"weights.model.rename=fc.bias -> fc.weight\"");
    refused(ERR_CONFIG, "skip: net small has no parameter 'head'",
            "--set weights.model.skip=fc,hidden,head");
    refused(ERR_CONFIG, "from: runs/donor/last.h5: holds no net big; its nets are: small",
            "--set weights.model.from=big");
    refused(ERR_CONFIG, "net small: nothing in donor.safetensors fits; it holds ",
            "--set weights.model.file=donor.safetensors --set \"weights.model.rename=* -> x.*\" "
            "--set weights.model.partial=true");
}

static void a_bad_file_is_refused(void **state) {
    (void)state;
    write_tuned("[weights model]\nfile = runs/donor/last.h5\n");
    refused(ERR_IO, "[weights model]: none.h5: cannot be read: No such file or directory",
            "--set weights.model.file=none.h5");
    refused(ERR_DATA, "[weights model]: base.ini: is neither a checkpoint nor safetensors",
            "--set weights.model.file=base.ini");
    refused(ERR_DATA, "[weights model]: cut.safetensors: tensor body.weight: data_offsets are",
            "--set weights.model.file=cut.safetensors --set log.every=$("
            "head -c 900 donor.safetensors > cut.safetensors; echo 1)");
}

static void sections_that_mean_nothing_are_refused(void **state) {
    (void)state;
    write_tuned("[weights smal]\nfile = donor.safetensors\n");
    refused(ERR_CONFIG,
            "tuned.ini:8:1: [weights smal]: there is no net smal that is used; did you mean "
            "'small'?",
            "");
    write_tuned("[weights small]\nskip = fc\n");
    refused(ERR_CONFIG, "tuned.ini:8:1: [weights small] has no key file, where they are", "");
    write_tuned("[weights]\nfile = donor.safetensors\n");
    refused(ERR_CONFIG, "[weights] needs a name", "");
    write_tuned("[weights small]\nfile = donor.safetensors\nskp = fc\n");
    refused(ERR_CONFIG, "tuned.ini:10:1: [weights] has no key 'skp'; did you mean 'skip'?", "");
    write_tuned("[weights small]\nfile = donor.safetensors\nrename = fc\n");
    refused(ERR_CONFIG, "tuned.ini:10:10: rename: found 'fc', expected OLD -> NEW", "");
    write_tuned("[weights small]\nfile = donor.safetensors\nskip = fc, hidden\n"
                "[weights model]\nfile = donor.safetensors\nskip = fc, hidden\n");
    refused(ERR_CONFIG, "[weights model]: net small has its weights from [weights small] already",
            "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_and_statistics_are_those_of_the_file),
        cmocka_unit_test(a_new_head_trains_on_loaded_features),
        cmocka_unit_test(every_way_to_the_same_weights_trains_the_same),
        cmocka_unit_test(a_run_that_goes_on_needs_the_file_no_more),
        cmocka_unit_test(averages_are_what_another_run_begins_with),
        cmocka_unit_test(what_the_file_lacks_may_keep_its_initial_values),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_bad_file_is_refused),
        cmocka_unit_test(sections_that_mean_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
