/* The tasks of configs/ that give more than one label: segmentation, autoencoders, GANs, images
 * to images. Each network has its published size, each task trains, each job of the cookbook is a
 * job. */
#include "cmd/recipes.h"
#include "io/dataset/dataset_writer.h"
#include "io/h5/h5.h"
#include "support/program.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { STEPS = 3, MAX_JOB_LINES = 30 };

static const char cookbook[] = DLTRAIN_CONFIGS "/../docs/cookbook.md";

/* --- data --- */

static void check(int rc, const struct err *err) {
    if (rc)
        fail_msg("%s", err->msg);
}

static unsigned char pixel(int64_t i) {
    return (unsigned char)((i * 2654435761u) >> 13);
}

/* One field of n samples: images of any bytes, class numbers that go round. */
static void add_rows(struct dataset_writer *w, int i, const struct writer_field *f, int64_t n) {
    const int64_t len = n * (f->sample.rank ? shape_len(&f->sample) : 1);
    unsigned char *bytes = malloc((size_t)len);
    int32_t *labels = malloc((size_t)len * sizeof *labels);
    struct err err = {0};

    assert_true(bytes && labels);
    for (int64_t k = 0; k < len; k++) {
        bytes[k] = (unsigned char)(f->n_classes ? k % f->n_classes : pixel(k));
        labels[k] = (int32_t)(k % 10);
    }
    const bool is_label = f->kind == DATASET_CLASS && !f->sample.rank;
    check(dataset_writer_add(w, i, is_label ? (const void *)labels : bytes, n, &err), &err);
    free(bytes);
    free(labels);
}

/* Groups train and test of n samples. */
static void write_data(const char *path, const struct writer_field *fields, int n_fields,
                       int64_t n) {
    static const char *const groups[] = {"train", "test"};
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    struct dataset_writer *w;
    struct err err = {0};

    check(dataset_writer_new(&w, path, &err), &err);
    for (int g = 0; g < 2; g++) {
        check(dataset_writer_fields(w, groups[g], fields, n_fields, &err), &err);
        for (int i = 0; i < n_fields; i++)
            add_rows(w, i, &fields[i], n);
    }
    const bool labelled = n_fields > 1 && !strcmp(fields[1].name, "labels");
    check(dataset_writer_finish(w, digits, labelled ? 10 : 0, &err), &err);
    dataset_writer_free(w);
}

static struct writer_field image_field(const char *name, int size) {
    return (struct writer_field){
        .name = name, .kind = DATASET_BYTES, .sample = {3, {size, size, 3}}};
}

static void write_images(const char *path, int size, int64_t n) {
    const struct writer_field fields[] = {image_field("images", size),
                                          {.name = "labels", .kind = DATASET_CLASS}};

    write_data(path, fields, 2, n);
}

static void write_masks(const char *path, int size, int64_t n) {
    const struct writer_field fields[] = {
        image_field("images", size),
        {.name = "mask", .kind = DATASET_CLASS, .sample = {2, {size, size}}, .n_classes = 3}};

    write_data(path, fields, 2, n);
}

static void write_two(const char *path, int size, int64_t n) {
    const struct writer_field fields[] = {image_field("a", size), image_field("b", size)};

    write_data(path, fields, 2, n);
}

/* Numbers in a field of any shape, and labels. */
static void write_numbers(const char *path, const char *field, int rank, const int64_t *dim,
                          int n_classes) {
    static const char *const groups[] = {"train", "test"};
    int64_t len = 1;
    struct err err = {0};
    struct h5 *file;

    for (int i = 0; i < rank; i++)
        len *= dim[i];
    float *values = malloc((size_t)len * sizeof *values);
    int32_t *labels = malloc((size_t)dim[0] * sizeof *labels);
    assert_true(values && labels);
    for (int64_t k = 0; k < len; k++)
        values[k] = (float)pixel(k) / 128 - 1;
    for (int64_t k = 0; k < dim[0]; k++)
        labels[k] = (int32_t)(k % n_classes);
    check(h5_create(&file, path, &err), &err);
    for (int g = 0; g < 2; g++) {
        char name[64];
        snprintf(name, sizeof name, "/%s", groups[g]);
        check(h5_group_create(file, name, &err), &err);
        snprintf(name, sizeof name, "/%s/%s", groups[g], field);
        check(h5_write(file, name, H5_TYPE_F32, rank, dim, values, &err), &err);
        snprintf(name, sizeof name, "/%s/labels", groups[g]);
        check(h5_write(file, name, H5_TYPE_I32, 1, dim, labels, &err), &err);
    }
    check(h5_sync(file, &err), &err);
    h5_close(file);
    free(values);
    free(labels);
}

/* What the jobs of the cookbook name. */
static int setup(void **state) {
    if (program_setup(state) || mkdir("data", 0777) || mkdir("jobs", 0777) ||
        system("ln -s $CONFIGS configs"))
        return -1;
    write_images("data/shapes.h5", 32, 10);
    write_images("data/photos.h5", 256, 10);
    write_images("data/faces.h5", 64, 4);
    write_images("data/pieces.h5", 128, 2);
    write_masks("data/cells.h5", 64, 4);
    write_two("data/pairs.h5", 286, 2);
    write_two("data/horses.h5", 64, 2);
    write_numbers("data/signals.h5", "signal", 3, (const int64_t[]){10, 256, 2}, 5);
    write_numbers("data/volumes.h5", "volume", 5, (const int64_t[]){4, 16, 16, 16, 1}, 2);
    recipes_import(cookbook);
    return 0;
}

/* --- sizes --- */

struct net_case {
    const char *sections; /* of the job, but for include */
    const char *config;
    const char *net;
    int64_t n_weights;
};

static int64_t shown_weights(const struct net_case *c) {
    char line[64];

    program_write("size.ini", "[job]\ninclude = %s/%s.ini\nepochs = 1\n%s", DLTRAIN_CONFIGS,
                  c->config, c->sections);
    struct program_run run = program_run("$DLTRAIN show size.ini");
    snprintf(line, sizeof line, "net %s: ", c->net);
    const char *at = strstr(run.out, line);
    if (run.code || !at)
        fail_msg("%s of %s: exit code %d\n%s%s", c->net, c->config, run.code, run.out, run.err);
    const int64_t n = strtoll(at + strlen(line), NULL, 10);
    program_release(&run);
    return n;
}

/* U-Net: as milesial/Pytorch-UNet counts (3 channels, 2 classes), with and without `bilinear`.
 * FCN: VGG-16 without classifier 14714688; fc6 25088 * 4096 + 4096; fc7 4096 * 4096 + 4096; 21
 *   scores of 4096, and of 512 and 256 channels; transposed convolutions of 21 * 21 * 64^2, or of
 *   4^2 twice and 16^2.
 * DCGAN: the example of PyTorch, generator and discriminator for 64x64.
 * pix2pix and CycleGAN: 54.414 and 2.769 million, 11.378 and 2.765 million as
 *   pytorch-CycleGAN-and-pix2pix prints; CycleGAN's exactly: 9472 + 73856 + 295168 + 18 * 590080 +
 *   295040 + 73792 + 9411, and 3136 + 131200 + 524544 + 2097664 + 8193. */
static void networks_have_their_published_sizes(void **state) {
#define IMAGE "[data]\nimage = [64, 64, 3]\n"
#define PAIRS "[data]\nfields = a 256x256x3, b 256x256x3\n"
    static const struct net_case nets[] = {
        {"model = unet\n" IMAGE, "unet", "unet", 31037698},
        {"model = unet(bilinear=true)\n" IMAGE, "unet", "unet", 17263042},
        {"model = fcn32s\n" IMAGE, "fcn32s", "fcn32s",
         14714688 + 102764544 + 16781312 + 86037 + 1806336},
        {"model = fcn8s\n" IMAGE, "fcn8s", "fcn8s",
         14714688 + 102764544 + 16781312 + 86037 + 10773 + 5397 + 2 * 7056 + 112896},
        {IMAGE, "dcgan", "generator", 3576704},
        {IMAGE, "dcgan", "discriminator", 2765568},
        {PAIRS, "pix2pix", "generator", 54413955},
        {PAIRS, "pix2pix", "discriminator", 2768705},
        {PAIRS, "cyclegan", "to_a", 11378179},
        {PAIRS, "cyclegan", "judge_b", 2764737},
    };

    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        const int64_t n = shown_weights(&nets[i]);
        if (n != nets[i].n_weights)
            fail_msg("%s of %s has %lld parameters, expected %lld", nets[i].net, nets[i].config,
                     (long long)n, (long long)nets[i].n_weights);
    }
}

/* --- training --- */

struct task {
    const char *name;
    const char *include; /* configs */
    const char *job;     /* further keys of [job] */
    const char *data;    /* the file */
    const char *augment; /* pipeline */
    const char *let;     /* constants that make it small */
};

#define SIGNED "image | normalize(mean=0.5, std=0.5)"
#define SMALL_GAN "size = 32\nwidth = 4\ncode = 8\n"

static const struct task tasks[] = {
    {"unet", "unet segment", "model = unet(classes=3, width=4)", "cells", "image | center_crop(32)",
     "dice = 1"},
    {"unet_bilinear", "unet segment", "model = unet(classes=3, width=4, bn=false, bilinear=true)",
     "cells", "image | center_crop(32)", ""},
    {"segnet", "segnet segment", "model = segnet(classes=3, width=4)", "cells",
     "image | random_crop(32)", ""},
    {"fcn32s", "fcn32s segment", "model = fcn32s(classes=3, width=4, hidden=16)", "cells", "image",
     ""},
    {"fcn8s", "fcn8s segment", "model = fcn8s(classes=3, width=4, hidden=16)", "cells", "image",
     ""},
    {"reconstruct", "autoencoder reconstruct", "model = autoencoder(width=4)", "shapes", "image",
     ""},
    {"denoise", "autoencoder denoise", "model = autoencoder(width=4)", "shapes", "image", ""},
    {"dcgan", "dcgan", "", "shapes", SIGNED, SMALL_GAN},
    {"dcgan64", "dcgan", "", "faces", SIGNED, "width = 4"},
    {"cgan", "cgan", "", "shapes", SIGNED, SMALL_GAN},
    {"lsgan", "lsgan", "", "shapes", SIGNED, SMALL_GAN},
    {"wgan", "wgan", "", "shapes", SIGNED, SMALL_GAN},
    {"sngan", "sngan", "", "shapes", SIGNED, SMALL_GAN},
    {"pix2pix", "pix2pix", "", "pairs", SIGNED " | random_crop(256)", "width = 2"},
    {"cyclegan", "cyclegan", "", "horses", SIGNED, "width = 4\nblocks = 1"},
    {"srgan", "srgan", "", "pieces", "image | random_crop(32)", "blocks = 1"},
};

static void write_task(const struct task *t, const char *sections) {
    char include[256] = "", copy[64];

    snprintf(copy, sizeof copy, "%s", t->include);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        snprintf(include + strlen(include), sizeof include - strlen(include), " configs/%s.ini",
                 word);
    char path[64];
    snprintf(path, sizeof path, "%s.ini", t->name);
    program_write(path,
                  "[job]\ninclude =%s\nsteps = %d\n%s\n"
                  "[let]\n%s\n"
                  "[data]\ntrain = data/%s.h5:train\nvalidate = data/%s.h5:test\n"
                  "augment = %s\nbatch = 2\n"
                  "[log]\nevery = 1\n%s",
                  include, STEPS, t->job, t->let, t->data, t->data, t->augment, sections);
}

static void run_task(const struct task *t, int ranks) {
    struct program_run run =
        program_run("$MPIRUN -np %d $DLTRAIN %s.ini --set threads=1", ranks, t->name);

    if (run.code)
        fail_msg("%s on %d ranks: exit code %d\n%s%s", t->name, ranks, run.code, run.out, run.err);
    program_release(&run);
}

static bool is_loss(const char *key) {
    const size_t len = strlen(key);

    return len >= 4 && !strcmp(key + len - 4, "loss");
}

static void expect_finite(const char *task, const char *key, const json_t *value) {
    if (!json_is_real(value) || !isfinite(json_real_value(value)))
        fail_msg("%s: %s is no number", task, key);
}

/* The log of a task: *losses of its steps and *measures of its validations are all numbers. Returns
 * the last loss. */
static double read_log(const struct task *t, int *losses, int *measures) {
    double last = NAN;
    char path[96];
    const char *key;
    json_t *value;

    snprintf(path, sizeof path, "runs/%s/metrics.jsonl", t->name);
    char *log = program_read(path);
    *losses = *measures = 0;
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *entry = json_loads(line, 0, NULL);
        json_t *validate = json_object_get(entry, "validate");
        assert_non_null(entry);
        json_object_foreach(entry, key, value) {
            if (!is_loss(key))
                continue;
            expect_finite(t->name, key, value);
            last = json_real_value(value);
            (*losses)++;
        }
        json_object_foreach(validate, key, value) {
            (*measures)++;
            if (!json_is_array(value)) /* confusion */
                expect_finite(t->name, key, value);
        }
        json_decref(entry);
    }
    free(log);
    return last;
}

static void every_task_trains_on_one_and_two_ranks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        int losses[2], measures[2];
        write_task(&tasks[i], "");
        for (int ranks = 1; ranks <= 2; ranks++) {
            run_task(&tasks[i], ranks);
            read_log(&tasks[i], &losses[ranks - 1], &measures[ranks - 1]);
        }
        assert_true(losses[0] >= STEPS && losses[0] == losses[1]);
        assert_true(measures[0] > 0 && measures[0] == measures[1]);
    }
}

/* Without batch norm the number of ranks changes nothing but rounding. */
static void tasks_without_batch_norm_do_not_depend_on_the_ranks(void **state) {
    static const char *const names[] = {"unet_bilinear", "fcn8s", "cyclegan"};
    int losses, measures;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
            if (strcmp(tasks[k].name, names[i]))
                continue;
            write_task(&tasks[k], "");
            run_task(&tasks[k], 1);
            const double alone = read_log(&tasks[k], &losses, &measures);
            run_task(&tasks[k], 2);
            const double shared = read_log(&tasks[k], &losses, &measures);
            if (!(fabs(alone - shared) <= 1e-3 * fabs(alone)))
                fail_msg("%s: loss %g, on 2 ranks %g", names[i], alone, shared);
        }
}

static void pictures_of_a_task_are_written_at_each_validation(void **state) {
    static const struct task task = {"drawn", "dcgan", "", "shapes", SIGNED, SMALL_GAN};
    struct stat found;

    (void)state;
    write_task(&task, "");
    run_task(&task, 2);
    if (stat("runs/drawn/pictures/samples_00000003.png", &found) || found.st_size < 1000)
        fail_msg("there is no picture of samples");
}

/* arXiv:1701.07875, algorithm 1: after each update every weight of the critic is at most 0.01. */
static void weights_of_a_wasserstein_critic_stay_in_their_box(void **state) {
    static const struct task task = {"box", "wgan", "", "shapes", SIGNED, SMALL_GAN};
    struct h5_list list = {0};
    struct err err = {0};
    struct h5 *file;
    double largest = 0;

    (void)state;
    write_task(&task, "");
    run_task(&task, 1);
    check(h5_open(&file, "runs/box/last.h5", &err), &err);
    check(h5_list(file, "/nets/discriminator", &list, &err), &err);
    for (int i = 0; i < list.n; i++) {
        struct h5_data *data;
        char path[256];
        if (strstr(list.entry[i].name, "running_"))
            continue;
        snprintf(path, sizeof path, "/nets/discriminator/%s", list.entry[i].name);
        check(h5_data_open(&data, file, path, &err), &err);
        const struct h5_info *info = h5_data_info(data);
        const int64_t len = info->dim[0] * h5_row_len(info);
        float *values = malloc((size_t)len * sizeof *values);
        assert_non_null(values);
        check(h5_data_read(data, 0, info->dim[0], H5_TYPE_F32, values, &err), &err);
        for (int64_t k = 0; k < len; k++)
            largest = fmax(largest, fabs((double)values[k]));
        free(values);
        h5_data_close(data);
    }
    assert_true(largest > 0.009 && largest <= 0.01 + 1e-9);
    h5_list_release(&list);
    h5_close(file);
}

/* --- cookbook --- */

/* The text of the next ```ini block from *at on, ended in place; NULL where there is none. */
static char *next_block(char **at) {
    static const char begin[] = "```ini\n";
    char *text = strstr(*at, begin);

    if (!text)
        return NULL;
    text += strlen(begin);
    char *end = strstr(text, "```");
    assert_non_null(end);
    *end = 0;
    *at = end + 3;
    return text;
}

static int lines_of(const char *text) {
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void every_job_of_the_cookbook_is_shown(void **state) {
    char *text = program_read(cookbook), *at = text, *block;
    int n = 0;

    (void)state;
    while ((block = next_block(&at))) {
        char path[64];
        if (sscanf(block, "; %63s", path) != 1 || strncmp(path, "jobs/", 5))
            fail_msg("a job does not begin with its path:\n%s", block);
        if (lines_of(block) > MAX_JOB_LINES)
            fail_msg("%s has %d lines, expected at most %d", path, lines_of(block), MAX_JOB_LINES);
        program_write(path, "%s", block);
        struct program_run run = program_run("$DLTRAIN show %s", path);
        if (run.code || !strstr(run.out, " parameters"))
            fail_msg("%s: exit code %d\n%s", path, run.code, run.err);
        program_release(&run);
        n++;
    }
    free(text);
    assert_true(n >= 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_their_published_sizes),
        cmocka_unit_test(every_task_trains_on_one_and_two_ranks),
        cmocka_unit_test(tasks_without_batch_norm_do_not_depend_on_the_ranks),
        cmocka_unit_test(pictures_of_a_task_are_written_at_each_validation),
        cmocka_unit_test(weights_of_a_wasserstein_critic_stay_in_their_box),
        cmocka_unit_test(every_job_of_the_cookbook_is_shown),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
