/* Whatever is wrong with a job, its user gets one line that says so, the same on any number of
 * ranks, and no rank is left behind. */
#include "support/program.h"
#include "core/base/err.h"
#include "io/h5/h5.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATH_TEXT = 512 };

/* Processes called dltrain whose working directory is this test's. */
static int n_left_behind(void) {
    char here[PATH_TEXT], path[PATH_TEXT], cwd[PATH_TEXT], name[32];
    const struct dirent *process;
    DIR *all = opendir("/proc");
    int n = 0;

    assert_non_null(all);
    assert_non_null(getcwd(here, sizeof here));
    while ((process = readdir(all))) {
        snprintf(path, sizeof path, "/proc/%.32s/cwd", process->d_name);
        const ssize_t len = readlink(path, cwd, sizeof cwd - 1);
        if (len < 0)
            continue;
        cwd[len] = 0;
        snprintf(path, sizeof path, "/proc/%.32s/comm", process->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file))
            n += !strcmp(cwd, here) && !strcmp(name, "dltrain\n");
        if (file)
            fclose(file);
    }
    closedir(all);
    return n;
}

/* `dltrain ARGUMENTS` on two ranks is refused with that message. */
static void refused(int code, const char *message, const char *arguments) {
    /* Open MPI lets ranks live for a second after the first has failed; without it the test is
     * three times as fast, and the message must be out before. */
    program_expect(code, message, "OMPI_MCA_odls_base_sigkill_timeout=0 $MPIRUN -np 2 $DLTRAIN %s",
                   arguments);
    /* mpirun does not wait until those that it kills are gone. */
    for (int i = 0; n_left_behind(); i++) {
        if (i == 1000)
            fail_msg("after '%s' a rank is left", arguments);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

/* The job that all tests damage, in job.ini, with more sections at its end. */
static void write_job(const char *sections) {
    program_write_job("job.ini", 4, sections);
}

/* The same with the first `from` replaced. */
static void write_edited(const char *from, const char *to) {
    write_job("");
    char *text = program_read("job.ini");
    char *at = strstr(text, from);

    if (!at)
        fail_msg("the job does not hold '%s'", from);
    program_write("job.ini", "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
}

static void edited_is_refused(int code, const char *message, const char *from, const char *to) {
    write_edited(from, to);
    refused(code, message, "job.ini");
}

static void added_is_refused(int code, const char *message, const char *sections) {
    write_job(sections);
    refused(code, message, "job.ini");
}

static void set_is_refused(int code, const char *message, const char *set) {
    char arguments[PATH_TEXT];

    write_job("");
    snprintf(arguments, sizeof arguments, "job.ini --set %s", set);
    refused(code, message, arguments);
}

/* --- the job's text --- */

static void unknown_keys_name_the_nearest(void **state) {
    (void)state;
    edited_is_refused(ERR_CONFIG, "job.ini:14:1: [data] has no key 'bacth'; did you mean 'batch'?",
                      "batch", "bacth");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:1: [step] has no key 'clip_nrm'; did you mean 'clip_norm'?",
                     "[step]\nclip_nrm = 1\n");
    added_is_refused(ERR_CONFIG, "job.ini:18:1: [validate] has no key 'evry'",
                     "[validate]\nevry = 2 epochs\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:1: [step] has no key 'optimiser'; did you mean 'optimizer'?",
                     "[step]\noptimiser = adam(lr=0.1)\n");
}

/* What nothing reads would be left out without a word. */
static void numbers_that_no_statement_uses_are_refused(void **state) {
    (void)state;
    added_is_refused(
        ERR_CONFIG,
        "job.ini:18:1: [step] has no key 'lr'; it is an argument: optimizer = WORD(lr=0.001)",
        "[step]\nlr = 0.001\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:1: [step] has no key 'weight_decay'; it is an argument",
                     "[step]\nweight_decay = decay / 2\n");
    added_is_refused(
        ERR_CONFIG,
        "job.ini:18:1: [validate] has no key 'threshold', and no statement there uses this number",
        "[validate]\nthreshold = 0.5\n");
}

static void unknown_sections_name_the_nearest(void **state) {
    (void)state;
    added_is_refused(ERR_CONFIG,
                     "job.ini:17:1: unknown section [valdiate]; did you mean [validate]?",
                     "[valdiate]\nevery = 1 epoch\n");
}

static void unknown_words_name_the_nearest(void **state) {
    (void)state;
    edited_is_refused(ERR_CONFIG, "job.ini:9:10: found 'maxpol'", "maxpool", "maxpol");
    edited_is_refused(ERR_CONFIG, "did you mean 'maxpool'?", "maxpool", "maxpol");
    edited_is_refused(ERR_CONFIG,
                      "job.ini:3:9: found 'smal', expected the name of a known operator, block, "
                      "net or value; did you mean 'small'?",
                      "small(classes=10)", "smal(classes=10)");
    edited_is_refused(ERR_CONFIG,
                      "job.ini:13:19: found 'random_corp', expected the name of a known "
                      "augmentation; did you mean 'random_crop'?",
                      "random_crop", "random_corp");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:13: found 'sdg', expected the name of a known optimizer; did you "
                     "mean 'sgd'?",
                     "[step]\noptimizer = sdg(lr=0.1)\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:20: sgd: lr is 'cosin', expected a number or one of its words; "
                     "did you mean 'cosine'?",
                     "[step]\noptimizer = sgd(lr=cosin(0.1))\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:13: found 'rign', expected the name of a known allreduce; did you "
                     "mean 'ring'?",
                     "[dist]\nallreduce = rign\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:8: found 'bfp16', expected the name of a known wire; did you mean "
                     "'bf16'?",
                     "[dist]\nwire = bfp16\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:8: best: [validate] has no statement 'top2'; did you mean 'top1'?",
                     "[validate]\nbest = top2\n");
}

static void sums_that_cannot_be_packed_are_refused(void **state) {
    (void)state;
    added_is_refused(ERR_CONFIG,
                     "job.ini:18:8: wire: int8: block is 100, expected a power of two, as in "
                     "int8(block=256)",
                     "[dist]\nwire = int8(block=100)\n");
    added_is_refused(ERR_CONFIG, "job.ini:18:19: int8: block is 8, expected 16 to 65536",
                     "[dist]\nwire = int8(block=8)\n");
    added_is_refused(ERR_CONFIG,
                     "job.ini:19:8: wire: allreduce = mpi sends numbers as it does; expected one "
                     "that packs them as bf16, as ring and host do",
                     "[dist]\nallreduce = mpi\nwire = bf16\n");
}

static void arguments_of_the_wrong_kind_are_refused(void **state) {
    (void)state;
    edited_is_refused(ERR_CONFIG, "job.ini:8:18: conv: channels is a string, expected a number",
                      "conv(8,", "conv(\"8\",");
    edited_is_refused(ERR_CONFIG, "job.ini:8:18: conv: channels is 8.5, expected a whole number",
                      "conv(8,", "conv(8.5,");
    edited_is_refused(ERR_CONFIG,
                      "job.ini:8:28: conv: pad is 'sam', expected same, valid or whole numbers",
                      "stride=2)", "pad=sam)");
    edited_is_refused(ERR_CONFIG,
                      "job.ini:8:24: conv has no argument 'strid'; did you mean 'stride'?",
                      "stride=2)", "strid=2)");
    added_is_refused(ERR_CONFIG, "job.ini:18:20: sgd: lr is a string",
                     "[step]\noptimizer = sgd(lr=\"fast\")\n");
}

static void text_that_does_not_end_is_refused(void **state) {
    char line[302] = "; ";

    (void)state;
    edited_is_refused(ERR_CONFIG,
                      "job.ini:9:47: found end of value, expected ',' or ')' to close '(' at "
                      "column 17",
                      "maxpool(2)", "maxpool(2");
    memset(line + 2, 'x', 298);
    added_is_refused(ERR_CONFIG, "job.ini:17:200: line of 300 characters, expected at most 199",
                     line);
}

static void files_that_include_each_other_are_refused(void **state) {
    (void)state;
    write_job("");
    program_write("a.ini", "[job]\ninclude = b.ini\n");
    program_write("b.ini", "[job]\ninclude = a.ini\n");
    refused(ERR_CONFIG, "b.ini:2:11: include cycle: a.ini -> b.ini -> a.ini", "a.ini");
}

static void a_job_without_its_parts_is_refused(void **state) {
    (void)state;
    program_write("job.ini", "[job]\nsteps = 4\n[data]\ntrain = shapes.h5:train\n");
    refused(ERR_CONFIG, "job.ini: there is no [step]", "job.ini");
    edited_is_refused(ERR_CONFIG, "job.ini: [job] has neither epochs nor steps", "steps = 4", "");
    edited_is_refused(ERR_CONFIG, "job.ini: [data] has no key train", "train = shapes.h5:train",
                      "");
    edited_is_refused(ERR_CONFIG, "[validate] needs a key validate in [data]",
                      "validate = shapes.h5:test", "");
}

static void graphs_that_do_not_fit_are_refused(void **state) {
    (void)state;
    edited_is_refused(ERR_CONFIG,
                      "job.ini:8:26: add: shapes 13x32x32x8 and 13x16x16x8 do not match",
                      "a = image | conv(8, 3, stride=2)",
                      "a = (image | conv(8, 3)) + (image | conv(8, 3, stride=2))");
    edited_is_refused(ERR_CONFIG,
                      "expected samples x channels; put flatten or global_avgpool before it",
                      "flatten | ", "");
    added_is_refused(ERR_CONFIG, "job.ini:18:8: loss: expected a loss", "[step]\nloss = logits\n");
    added_is_refused(ERR_CONFIG, "job.ini:18:18: conv has parameters",
                     "[step]\nlogits = image | conv(10)\n");
}

/* --- data --- */

/* 20 samples of side x side pixels; all labels 0 but the last, of 10 classes. */
static void write_dataset(const char *path, int side, int last_label) {
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static unsigned char pixels[20 * 64 * 64 * 3];
    const int64_t dim[4] = {20, side, side, 3};
    int32_t labels[20] = {0};
    struct err err = {0};
    struct h5 *file;

    labels[19] = last_label;
    if (h5_create(&file, path, &err) || h5_group_create(file, "/test", &err) ||
        h5_write(file, "/test/images", H5_TYPE_U8, 4, dim, pixels, &err) ||
        h5_write(file, "/test/labels", H5_TYPE_I32, 1, dim, labels, &err) ||
        h5_attr_write_texts(file, "/", "classes", names, 10, &err) || h5_sync(file, &err))
        fail_msg("%s", err.msg);
    h5_close(file);
}

static void data_that_is_not_there_is_refused(void **state) {
    (void)state;
    edited_is_refused(ERR_IO, "shape.h5: No such file or directory in /", "shapes.h5:train",
                      "shape.h5:train");
    edited_is_refused(ERR_DATA, "shapes.h5: has no group 'trian'; did you mean 'train'?",
                      "shapes.h5:train", "shapes.h5:trian");
}

static void damaged_data_is_refused(void **state) {
    (void)state;
    program_expect(0, NULL, "head -c 20000 shapes.h5 > half.h5");
    edited_is_refused(ERR_DATA, "half.h5: cannot be opened as HDF5, it is damaged or incomplete",
                      "shapes.h5:train", "half.h5:train");
    program_write("text.h5", "no dataset\n");
    edited_is_refused(ERR_DATA, "text.h5: is not an HDF5 file", "shapes.h5:train", "text.h5:train");
}

static void labels_that_do_not_fit_are_refused(void **state) {
    (void)state;
    write_dataset("labels.h5", 64, 12);
    edited_is_refused(ERR_DATA, "labels.h5:test: label 12 of sample 19, expected 0 to 9",
                      "shapes.h5:test", "labels.h5:test");
    edited_is_refused(ERR_DATA,
                      "shapes.h5:train: label has 10 classes (class 7 first in sample 7), but "
                      "the network gives 7 numbers here",
                      "classes=10", "classes=7");
}

static void validation_of_other_images_is_refused(void **state) {
    (void)state;
    write_dataset("small.h5", 16, 9);
    write_edited("shapes.h5:test", "small.h5:test");
    refused(ERR_CONFIG, "shapes.h5:train gives image 32x32x3, but small.h5:test gives 16x16x3",
            "job.ini --set \"data.augment=image | random_flip\"");
}

/* --- running --- */

static void a_loss_that_is_none_ends_the_job(void **state) {
    (void)state;
    set_is_refused(ERR_DATA, "rank 0 on ", "lr=1e30");
    set_is_refused(ERR_DATA, "step 2: the loss is ", "lr=1e30");
}

static void an_output_that_cannot_be_written_is_refused(void **state) {
    (void)state;
    set_is_refused(ERR_IO, "/proc/x: cannot be created: ", "output=/proc/x");
    set_is_refused(ERR_IO, "shapes.h5: cannot be created: Not a directory", "output=shapes.h5/x");
}

static void checkpoints_of_something_else_are_refused(void **state) {
    (void)state;
    write_job("");
    program_expect(0, NULL, "$DLTRAIN job.ini");
    write_edited("conv(16,", "conv(12,");
    refused(ERR_DATA,
            "runs/job/last.h5: tensor /nets/small/conv2.weight is 3x3x8x16, expected 3x3x8x12",
            "eval job.ini --weights runs/job/last.h5");
    refused(ERR_CONFIG,
            "runs/job/last.h5: tensor /nets/small/conv2.weight is 3x3x8x16, expected 3x3x8x12",
            "job.ini --resume");
    refused(ERR_DATA, "shapes.h5: not a checkpoint", "eval job.ini --weights shapes.h5");
    refused(ERR_IO, "none.h5: cannot be read: No such file", "eval job.ini --weights none.h5");
    program_expect(0, NULL, "mkdir -p runs/text && echo no checkpoint > runs/text/last.h5");
    refused(ERR_DATA, "runs/text/last.h5: not a checkpoint", "job.ini --resume --set name=text");
}

/* --- the command line --- */

static void command_lines_that_say_nothing_are_refused(void **state) {
    (void)state;
    write_job("");
    refused(ERR_USAGE, "found no command, expected `dltrain JOB.ini` or a command", "");
    refused(ERR_USAGE, "'trian' is no command and no job (JOB.ini); did you mean 'train'?",
            "trian job.ini");
    refused(ERR_USAGE, "'trian' is no command and no job (JOB.ini); did you mean 'train'?",
            "trian");
    refused(ERR_USAGE, "found '--faster', which is no option here", "job.ini --faster");
    refused(ERR_USAGE, "--set needs a value", "job.ini --set");
    refused(ERR_USAGE, "found 0 job files, expected one", "train");
    refused(ERR_USAGE, "found no --weights FILE", "eval job.ini");
    refused(ERR_USAGE, "--steps: found 'few'", "bench job.ini --steps few");
    refused(ERR_IO, "none.ini: cannot open: No such file or directory", "none.ini");
}

static void sets_of_nothing_are_refused(void **state) {
    (void)state;
    set_is_refused(ERR_USAGE, "--set: found 'nonsense', expected NAME=VALUE", "nonsense");
    set_is_refused(ERR_USAGE, "--set: nothing is called 'epcohs'; did you mean epochs=VALUE?",
                   "epcohs=3");
    set_is_refused(ERR_USAGE, "did you mean data.batch=VALUE or validate.batch=VALUE?",
                   "batch_size=3");
    set_is_refused(ERR_CONFIG, "--set:1:12: found 'few', expected a number", "data.batch=few");
    set_is_refused(ERR_CONFIG, "--set:1:1: [data] has no key 'bacth'; did you mean 'batch'?",
                   "data.bacth=3");
}

/* Who opens a pipe waits for somebody to write. */
static void pipes_in_the_place_of_files_are_refused(void **state) {
    (void)state;
    program_expect(0, NULL, "mkfifo pipe.h5 pipe.ini");
    refused(ERR_IO, "pipe.ini: cannot open: it is no regular file", "pipe.ini");
    edited_is_refused(ERR_IO, "pipe.h5: is no regular file", "shapes.h5:test", "pipe.h5:test");
    write_job("");
    refused(ERR_IO, "pipe.h5: cannot be read: it is no regular file",
            "eval job.ini --weights pipe.h5");
    program_expect(0, NULL, "rm pipe.h5 pipe.ini");
}

/* A net of a config that the user did not write cannot know who uses it wrongly. */
static void errors_in_a_config_name_its_user(void **state) {
    (void)state;
    program_write("net.ini", "[net theirs(image)]\nfc = image | flatten | linear(4) | conv(3)\n");
    program_write("user.ini", "[job]\ninclude = net.ini\nepochs = 1\nmodel = theirs\n[data]\n"
                              "image = [8, 8, 3]\n[step]\nloss = mean(model(image))\n"
                              "train = model\noptimizer = sgd(0.1)\n");
    refused(ERR_CONFIG, "; [net theirs] is used at user.ini:8:13 (included by user.ini:2)",
            "show user.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_in_the_place_of_files_are_refused),
        cmocka_unit_test(errors_in_a_config_name_its_user),
        cmocka_unit_test(unknown_keys_name_the_nearest),
        cmocka_unit_test(numbers_that_no_statement_uses_are_refused),
        cmocka_unit_test(unknown_sections_name_the_nearest),
        cmocka_unit_test(unknown_words_name_the_nearest),
        cmocka_unit_test(sums_that_cannot_be_packed_are_refused),
        cmocka_unit_test(arguments_of_the_wrong_kind_are_refused),
        cmocka_unit_test(text_that_does_not_end_is_refused),
        cmocka_unit_test(files_that_include_each_other_are_refused),
        cmocka_unit_test(a_job_without_its_parts_is_refused),
        cmocka_unit_test(graphs_that_do_not_fit_are_refused),
        cmocka_unit_test(data_that_is_not_there_is_refused),
        cmocka_unit_test(damaged_data_is_refused),
        cmocka_unit_test(labels_that_do_not_fit_are_refused),
        cmocka_unit_test(validation_of_other_images_is_refused),
        cmocka_unit_test(a_loss_that_is_none_ends_the_job),
        cmocka_unit_test(an_output_that_cannot_be_written_is_refused),
        cmocka_unit_test(checkpoints_of_something_else_are_refused),
        cmocka_unit_test(command_lines_that_say_nothing_are_refused),
        cmocka_unit_test(sets_of_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
