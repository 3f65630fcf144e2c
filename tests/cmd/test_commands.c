/* The commands as README.md promises them. */
#include "printed.h"
#include "support/program.h"
#include "io/image/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { LINE_TEXT = 1024 };

/* The last line that begins with `start`, copied. */
static void last_line(const char *text, const char *start, char line[LINE_TEXT]) {
    const char *found = NULL;

    for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (!strncmp(at, start, strlen(start)))
            found = at;
    if (!found)
        fail_msg("no line begins with '%s':\n%s", start, text);
    snprintf(line, LINE_TEXT, "%.*s", (int)strcspn(found, "\n"), found);
}

/* The number of NAME=NUMBER in a line. */
static double field(const char *line, const char *name) {
    const char *at = line;
    const size_t len = strlen(name);
    char *end;

    while ((at = strstr(at, name)) && (at == line || at[-1] != ' ' || at[len] != '='))
        at++;
    if (!at)
        fail_msg("no %s= in: %s", name, line);
    const double v = strtod(at + len + 1, &end);
    if (end == at + len + 1)
        fail_msg("%s= has no number in: %s", name, line);
    return v;
}

/* --- show --- */

/* Worked by hand: 3, 5, pooling to 6 with steps of 2, 10, 14; 3*3*3*32 = 864, 3*3*32*64 = 18432. */
static void show_tells_receptive_field_and_weights(void **state) {
    (void)state;
    program_write("field.ini",
                  "[job]\nmodel = m\n[net m(image)]\n"
                  "a = image | conv(32, 3, bias=false) | conv(64, 3, bias=false) | maxpool(2)\n"
                  "b = a | conv(64, 3) | conv(64, 3)\n"
                  "[data]\nimage = [64, 64, 3]\n");
    expect_text("$DLTRAIN show field.ini", "receptive field 14,");
    expect_text("$DLTRAIN show field.ini", " 864 ");
    expect_text("$DLTRAIN show field.ini", " 18432 ");
}

/* He et al. 2015, arXiv:1512.03385, table 6, gives 0.27, 0.46, 0.66, 0.85 and 1.7 million. Exactly,
 * with n blocks of two 3x3 convolutions a stage and batch norm (2 numbers a channel):
 *   stem 432 + 32; stage 1: 2n (2304 + 32); stage 2: 4608 + (2n - 1) 9216 + 2n 64;
 *   stage 3: 18432 + (2n - 1) 36864 + 2n 128; classifier 640 + 10. */
static void residual_networks_have_their_published_sizes(void **state) {
    static const struct {
        const char *name;
        long n;
        long expected;
    } nets[] = {{"resnet20", 3, 269722},
                {"resnet32", 5, 464154},
                {"resnet44", 7, 658586},
                {"resnet56", 9, 853018},
                {"resnet110", 18, 1727962}};

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        const long m = 2 * nets[i].n;
        char text[64];

        assert_int_equal(nets[i].expected, 464 + m * 2336 + 4608 + (m - 1) * 9216 + m * 64 + 18432 +
                                               (m - 1) * 36864 + m * 128 + 650);
        program_write("resnet.ini",
                      "[job]\ninclude = %s/%s.ini\nmodel = %s(classes=10)\n"
                      "[data]\nimage = [32, 32, 3]\n",
                      DLTRAIN_CONFIGS, nets[i].name, nets[i].name);
        snprintf(text, sizeof text, "net %s: %ld parameters", nets[i].name, nets[i].expected);
        expect_text("$DLTRAIN show resnet.ini", text);
    }
}

/* All but those that read regions, too, which are no field of a picture. */
static void every_network_and_job_is_shown_without_data(void **state) {
    (void)state;
    program_write("networks.sh", "for file in $CONFIGS/*.ini; do\n"
                                 "  name=$(basename $file .ini)\n"
                                 "  grep -q \"^\\[net $name(\" $file || continue\n"
                                 "  grep -q \"^\\[net $name(.*regions, classes\" $file && continue\n"
                                 "  printf \"[job]\\ninclude = $file\\nmodel = $name\\n"
                                 "[data]\\nimage = [32, 32, 3]\\n\" > shown.ini\n"
                                 "  $DLTRAIN show shown.ini > shown.txt 2> small.txt || {\n"
                                 "    grep -q 'larger than the padded input' small.txt || exit 1\n"
                                 "    sed -i 's/\\[32, 32/[299, 299/' shown.ini\n"
                                 "    $DLTRAIN show shown.ini > shown.txt || exit 1\n"
                                 "  }\n"
                                 "  grep -q \"^net $name: .* parameters\" shown.txt || exit 2\n"
                                 "  echo $name\n"
                                 "done\n");
    program_write("jobs.sh", "for job in $CONFIGS/../jobs/*.ini; do\n"
                             "  $DLTRAIN show $job > /dev/null || exit 1\n"
                             "  basename $job\n"
                             "done\n");
    expect_text("sh networks.sh", "resnet20");
    expect_text("sh jobs.sh", "quickstart.ini");
}

/* --- train, eval, bench --- */

static void eval_measures_what_training_reported(void **state) {
    char line[LINE_TEXT], commands[2][128];

    (void)state;
    program_write_job("eval.ini", 40, "");
    char *out = printed("$MPIRUN -np 2 $DLTRAIN eval.ini");
    char *log = program_read("runs/eval/metrics.jsonl");
    double best = 0;
    for (const char *at = log; (at = strstr(at, "\"top1\":")); at++) {
        const double top1 = strtod(at + 7, NULL);
        best = top1 > best ? top1 : best;
    }
    assert_true(best > 0);
    snprintf(commands[0], 128, "$DLTRAIN eval eval.ini --weights runs/eval/best.h5");
    snprintf(commands[1], 128, "$MPIRUN -np 3 $DLTRAIN eval eval.ini --weights runs/eval/best.h5");
    for (int i = 0; i < 2; i++) {
        char *measured = printed(commands[i]);
        last_line(measured, "result: ", line);
        assert_true(field(line, "top1") > best - 6e-5 && field(line, "top1") < best + 6e-5);
        assert_true(field(line, "loss") > 0);
        free(measured);
    }
    free(log);
    free(out);
}

static void training_ends_in_a_line_of_results(void **state) {
    char line[LINE_TEXT];

    (void)state;
    /* Long enough for a line that moves, if there were a terminal. */
    program_write_job("result.ini", 600, "[validate]\nevery = 300 steps\n");
    char *out = printed("$MPIRUN -np 2 $DLTRAIN result.ini");
    last_line(out, "result: top1=", line);
    const char *end = out + strlen(out) - strlen(line) - 1;
    assert_memory_equal(end, line, strlen(line)); /* nothing comes after it */
    assert_true(field(line, "top1") >= 0 && field(line, "top1") <= 1);
    assert_true(field(line, "loss") > 0);
    assert_true(field(line, "epochs") > 59.9 && field(line, "epochs") < 60.1);
    assert_true(field(line, "img_per_s") > 0);
    assert_true(field(line, "data_wait_share") >= 0 && field(line, "data_wait_share") <= 1);
    assert_true(field(line, "comm_share") > 0 && field(line, "comm_share") <= 1);
    assert_null(strchr(out, '\033'));
    assert_null(strchr(out, '\r'));
    free(out);
}

static void bench_ends_in_a_line_of_figures(void **state) {
    char line[LINE_TEXT];

    (void)state;
    program_write_job("bench.ini", 1, "");
    char *out = printed("$MPIRUN -np 2 $DLTRAIN bench bench.ini --steps 5 --set threads=1");
    last_line(out, "bench: model=small ", line);
    assert_non_null(strstr(line, " dtype=fp32 "));
    assert_true(field(line, "ranks") > 1.5 && field(line, "ranks") < 2.5);
    assert_true(field(line, "threads") > 0.5 && field(line, "threads") < 1.5);
    assert_true(field(line, "batch") > 24.5 && field(line, "batch") < 25.5);
    const double step = field(line, "step_ms"), median = field(line, "median_img_per_s");
    assert_true(step > 0 && median > 0);
    assert_true(field(line, "best_img_per_s") >= median);
    assert_true(field(line, "forward_ms") > 0 && field(line, "backward_ms") > 0);
    assert_true(field(line, "exposed_comm_ms") >= 0 && field(line, "optimizer_ms") >= 0);
    /* The parts are parts of the step, to the rounding of 5 numbers with 2 digits. */
    assert_true(field(line, "forward_ms") + field(line, "backward_ms") +
                    field(line, "exposed_comm_ms") + field(line, "optimizer_ms") <
                step + 0.03);
    const double exposed = field(line, "control_comm_ms") + field(line, "bucket_comm_ms") +
                           field(line, "sync_comm_ms");
    assert_true(fabs(exposed - field(line, "exposed_comm_ms")) < 0.03);
    assert_true(field(line, "exposed_comm_max_ms") >= field(line, "exposed_comm_min_ms"));
    assert_true(field(line, "exposed_comm_max_ms") > 0);
    assert_true(field(line, "mpi_calls") >= 0);
    assert_true(field(line, "peak_rss_mb") > 5);
    assert_non_null(strstr(out, "\nexposed communication "));
    assert_non_null(strstr(out, "\nstep "));
    free(out);
}

static void without_a_new_best_the_job_ends_early(void **state) {
    char line[LINE_TEXT];

    (void)state;
    /* With a rate of 0 nothing ever improves: the first validation, then 3 in vain. */
    program_write_job("patience.ini", 400, "[validate]\nevery = 2 steps\npatience = 3\n");
    char *out = printed("$MPIRUN -np 2 $DLTRAIN patience.ini --set lr=0");
    last_line(out, "result: ", line);
    assert_true(field(line, "epochs") > 0.79 && field(line, "epochs") < 0.81);
    free(out);
}

/* The numbers called `key` of the training steps in runs/NAME/metrics.jsonl. Returns how many. */
static int read_numbers(const char *name, const char *key, double *first, double *last) {
    char path[128], quoted[64], line[LINE_TEXT];
    int n = 0;

    snprintf(path, sizeof path, "runs/%s/metrics.jsonl", name);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        const char *at = strstr(line, quoted);
        if (!at || strstr(line, "\"validate\":"))
            continue;
        *last = strtod(at + strlen(quoted), NULL);
        if (!n++)
            *first = *last;
    }
    fclose(log);
    return n;
}

static void write_gan(void) {
    program_write("gan.ini",
                  "[job]\nsteps = 12\n"
                  "[net generator(z)]\n"
                  "h = z | linear(32) | leaky_relu(0.2)\n"
                  "out = h | linear(32*32*3) | tanh | reshape([32, 32, 3])\n"
                  "[net discriminator(image)]\n"
                  "h = image | flatten | linear(32) | leaky_relu(0.2)\n"
                  "out = h | linear(1)\n"
                  "[step discriminator]\n"
                  "fake = generator(noise(100))\n"
                  "loss = bce(discriminator(image), 0.9) + bce(discriminator(detach(fake)), 0)\n"
                  "train = discriminator\noptimizer = adam(lr=2e-4, beta1=0.5)\n"
                  "[step generator]\nevery = 2\n"
                  "loss = bce(discriminator(generator(noise(100))), 1)\n"
                  "train = generator\noptimizer = adam(lr=2e-4, beta1=0.5)\n"
                  "[data]\ntrain = shapes.h5:train\nbatch = 25\n[log]\nevery = 1\n");
}

static void a_job_of_two_steps_logs_the_losses_of_both(void **state) {
    double first = 0, last = 0;

    (void)state;
    write_gan();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN gan.ini");
    assert_int_equal(read_numbers("gan", "discriminator.loss", &first, &last), 12);
    assert_true(first > 0.5 && first < 10);
    assert_int_equal(read_numbers("gan", "generator.loss", &first, &last), 6); /* every = 2 */
    assert_true(first > 0.1 && first < 10);
    assert_int_equal(read_numbers("gan", "loss", &first, &last), 0);
    expect_text("$DLTRAIN show gan.ini", "net discriminator: 98369 parameters"); /* 3072*32+32+33 */
    /* Three ranks see the same noise for the same place of the batch. */
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN gan.ini --set name=gan3");
    double first3 = 0, last3 = 0;
    read_numbers("gan", "generator.loss", &first, &last);
    read_numbers("gan3", "generator.loss", &first3, &last3);
    assert_true(last3 > last * (1 - 1e-4) && last3 < last * (1 + 1e-4));
}

/* All samples in every step, always the same way: the loss of a step can be compared with that of
 * another. */
static void train_on_all(const char *name, const char *sets) {
    program_expect(0, NULL,
                   "$DLTRAIN all.ini --set name=%s --set data.batch=240 "
                   "--set \"data.augment=image | normalize\" %s",
                   name, sets);
}

/* With so small a limit only weight decay moves, and the loss stays where it is. */
static void clipping_limits_what_a_step_changes(void **state) {
    double free_first = 0, free_last = 0, first = 0, last = 0;

    (void)state;
    program_write_job("all.ini", 30, "[checkpoint]\nlast = never\n");
    train_on_all("none", "--set lr=0.05");
    read_numbers("none", "loss", &free_first, &free_last);
    train_on_all("norm", "--set lr=0.05 --set step.clip_norm=1e-6");
    assert_int_equal(read_numbers("norm", "lr", &first, &last), 30);
    read_numbers("norm", "loss", &first, &last);
    const double still = last;
    assert_true(first > free_first - 1e-6 && first < free_first + 1e-6);
    assert_true(still > first - 0.005 && still < first + 0.005);
    assert_true(free_last < still - 0.02);
    train_on_all("value", "--set lr=0.05 --set step.clip_value=1e-9");
    read_numbers("value", "loss", &first, &last);
    assert_true(last > first - 0.005 && last < first + 0.005);
    /* A limit that is never reached changes nothing. */
    train_on_all("high", "--set lr=0.05 --set step.clip_norm=1e6 --set step.clip_value=1e6");
    read_numbers("high", "loss", &first, &last);
    assert_true(last > free_last * (1 - 1e-5) && last < free_last * (1 + 1e-5));
}

static void every_optimizer_reduces_the_loss(void **state) {
    static const char *const optimizers[] = {"sgd(lr=0.1)",      "sgd(lr=0.03, momentum=0.9)",
                                             "adagrad(lr=0.02)", "rmsprop(lr=0.002)",
                                             "adam(lr=0.005)",   "adamw(lr=0.005)"};
    double first = 0, last = 0;

    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        char section[128], name[16];

        snprintf(section, sizeof section, "[step]\noptimizer = %s\n[checkpoint]\nlast = never\n",
                 optimizers[i]);
        snprintf(name, sizeof name, "optim%zu", i);
        program_write_job("all.ini", 30, section);
        train_on_all(name, "");
        assert_int_equal(read_numbers(name, "lr", &first, &last), 30);
        read_numbers(name, "loss", &first, &last);
        if (!(last < first - 0.02))
            fail_msg("%s: the loss goes from %g to %g", optimizers[i], first, last);
    }
}

/* --- data --- */

/* FOLDER/{cat,dog}: three PNG images of 6 x 4 each, of one colour. */
static void write_images(const char *folder) {
    static const char *const classes[] = {"cat", "dog"};
    unsigned char pixels[6 * 4 * 3];
    struct err err = {0};
    char path[128];

    assert_int_equal(mkdir(folder, 0777), 0);
    for (int c = 0; c < 2; c++) {
        snprintf(path, sizeof path, "%s/%s", folder, classes[c]);
        assert_int_equal(mkdir(path, 0777), 0);
        for (int i = 0; i < 3; i++) {
            memset(pixels, c ? 255 : 0, sizeof pixels);
            snprintf(path, sizeof path, "%s/%s/%d.png", folder, classes[c], i);
            if (image_write_png(path, 6, 4, 3, pixels, &err))
                fail_msg("%s", err.msg);
        }
    }
}

static void folders_of_images_become_a_dataset(void **state) {
    (void)state;
    write_images("pets");
    expect_text("$DLTRAIN data import imagefolder pets made/here/pets.h5",
                "made/here/pets.h5: 6 images in 1 group, 2 classes");
    expect_text("$DLTRAIN data info made/here/pets.h5", "/train/images: 6x4x6x3 uint8");
    expect_text("$DLTRAIN data info made/here/pets.h5",
                "  6 samples\n  image: image of bytes 4x6x3");
    expect_text("$DLTRAIN data info made/here/pets.h5", "2 classes of 3 samples: cat 3, dog 3");
    expect_text("$DLTRAIN data info made/here/pets.h5", "mean: 0.5000 0.5000 0.5000");
    expect_text("$DLTRAIN data info made/here/pets.h5", "std: 0.5000 0.5000 0.5000");
}

static void broken_images_are_named_or_counted(void **state) {
    (void)state;
    write_images("torn");
    program_expect(0, NULL, "head -c 40 torn/dog/1.png > t && mv t torn/dog/1.png");
    program_expect(65, "torn/dog/1.png: ", "$DLTRAIN data import imagefolder torn torn.h5");
    program_expect(1, NULL, "ls torn.h5 torn.h5.tmp 2> /dev/null | grep -q .");
    expect_text("$DLTRAIN data import imagefolder torn torn.h5 --skip-broken",
                "skipped 1 broken image, the first: torn/dog/1.png");
    expect_text("$DLTRAIN data info torn.h5", "2 classes of 2 to 3 samples: cat 3, dog 2");
}

static void importers_refuse_options_that_they_do_not_have(void **state) {
    (void)state;
    program_expect(64, "data: the importer cifar has no --size",
                   "$DLTRAIN data import cifar here out.h5 --size 32");
    program_expect(64, "data: the importer segmentation has no --halves",
                   "$DLTRAIN data import segmentation here out.h5 --halves");
    program_expect(64, "data: --split is '1.5', expected a number of images or a share such as 0.1",
                   "$DLTRAIN data import pairs here out.h5 --split 1.5");
    program_expect(64, "expected one of imagefolder, segmentation, pairs, unpaired, idx, cifar",
                   "$DLTRAIN data import pets here out.h5");
}

static void synth_makes_missing_folders(void **state) {
    (void)state;
    expect_text("$DLTRAIN data synth new/folder/shapes.h5 --train 30 --test 10",
                "new/folder/shapes.h5: 30 images in train, 10 in test, 10 classes");
    expect_text("$DLTRAIN data info new/folder/shapes.h5", "new/folder/shapes.h5:train");
    program_expect(74, "shapes.h5/x/y.h5: cannot be written: Not a directory",
                   "$DLTRAIN data synth shapes.h5/x/y.h5");
    program_expect(74, "none.h5: No such file or directory", "$DLTRAIN data info none.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_tells_receptive_field_and_weights),
        cmocka_unit_test(residual_networks_have_their_published_sizes),
        cmocka_unit_test(every_network_and_job_is_shown_without_data),
        cmocka_unit_test(eval_measures_what_training_reported),
        cmocka_unit_test(training_ends_in_a_line_of_results),
        cmocka_unit_test(bench_ends_in_a_line_of_figures),
        cmocka_unit_test(without_a_new_best_the_job_ends_early),
        cmocka_unit_test(a_job_of_two_steps_logs_the_losses_of_both),
        cmocka_unit_test(clipping_limits_what_a_step_changes),
        cmocka_unit_test(every_optimizer_reduces_the_loss),
        cmocka_unit_test(folders_of_images_become_a_dataset),
        cmocka_unit_test(broken_images_are_named_or_counted),
        cmocka_unit_test(importers_refuse_options_that_they_do_not_have),
        cmocka_unit_test(synth_makes_missing_folders),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
