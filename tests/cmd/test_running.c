/* Running statistics after a step on ranks with uneven shares: each rank's own, weighted by its
 * samples. Numbers are worked by hand from the shares, which are checked first. */
#include "cmd/results.h"

#include "dist/shard.h"
#include "io/h5/h5.h"

enum { WIDTH = 2, MAX_SAMPLES = 4, SEED = 1 };

#define MEAN "/nets/m/a.running_mean"
#define VAR "/nets/m/a.running_var"

static const float pixels[MAX_SAMPLES][WIDTH] = {{1, 3}, {5, 7}, {10, 30}, {0, 4}};

static void write_samples(int n) {
    static const int32_t labels[MAX_SAMPLES] = {0, 1, 0, 1};
    const int64_t images_dim[] = {n, 1, WIDTH, 1}, labels_dim[] = {n};
    struct h5 *file;
    struct err err = {0};

    assert_int_equal(h5_create(&file, "pixels.h5", &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    assert_int_equal(h5_write(file, "/train/images", H5_TYPE_F32, 4, images_dim, pixels[0], &err),
                     0);
    assert_int_equal(h5_write(file, "/train/labels", H5_TYPE_I32, 1, labels_dim, labels, &err), 0);
    assert_int_equal(h5_attr_write_text(file, "/", "layout", "NHWC", &err), 0);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static void write_job(int n) {
    program_write("pixels.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = m\nsteps = 1\nseed = %d\n"
                  "[net m(image)]\na = image | bn(momentum=0.1)\nfc = a | flatten | linear(2)\n"
                  "[data]\ntrain = pixels.h5:train\nvalidate = pixels.h5:train\nbatch = %d\n",
                  DLTRAIN_CONFIGS, SEED, n);
}

/* The samples of this rank in the first step, as digits in rising order: "02". */
static void expect_share(int n_samples, int rank, int size, const char *expected) {
    const struct shard plan = {
        .n_samples = n_samples, .batch = n_samples, .seed = SEED, .shuffle = true};
    struct shard shard;
    struct err err = {0};
    const int64_t *samples;
    int64_t n, first;
    char found[MAX_SAMPLES + 1] = "";

    assert_int_equal(shard_init(&shard, &plan, &err), 0);
    shard_part(&shard, 0, 0, rank, size, &samples, &n, &first);
    for (int64_t sample = 0, at = 0; sample < n_samples; sample++)
        for (int64_t i = 0; i < n; i++)
            if (samples[i] == sample)
                found[at++] = (char)('0' + sample);
    assert_string_equal(found, expected);
    shard_release(&shard);
}

static void expect_number(const struct checkpoint *ck, const char *path, double expected) {
    const struct checkpoint_tensor *t = results_tensor(ck, path);

    assert_int_equal(shape_len(&t->shape), 1);
    if (!(fabs((double)t->data[0] - expected) <= 2e-6 * (1 + fabs(expected))))
        fail_msg("%s is %.9g, not %.9g", path, (double)t->data[0], expected);
}

/* After one step of all samples on so many ranks. */
static void expect_running(int n_samples, int ranks, double mean, double var) {
    char name[16];

    snprintf(name, sizeof name, "on%d_%d", ranks, n_samples);
    write_samples(n_samples);
    write_job(n_samples);
    program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN pixels.ini --set name=%s", ranks, name);
    struct checkpoint *ck = results_open(name, "last.h5");
    expect_number(ck, MEAN, mean);
    expect_number(ck, VAR, var);
    checkpoint_close(ck);
}

/* 6 pixels: mean 28/3, unbiased variance (1084 - 6 (28/3)^2) / 5 = 1684/15; from 0 and 1 by a
 * tenth. */
static void one_rank_has_all_samples(void **state) {
    (void)state;
    expect_share(3, 0, 1, "012");
    expect_running(3, 1, 28.0 / 30, 0.9 + 168.4 / 15);
}

/* 5 7: mean 6, variance 2. 1 3 10 30: mean 11, variance 526/3. Weights 1/3 and 2/3. */
static void one_of_two_ranks_has_two_samples(void **state) {
    (void)state;
    expect_share(3, 0, 2, "1");
    expect_share(3, 1, 2, "02");
    expect_running(3, 2, 28.0 / 30, 0.9 + 105.8 / 9);
}

/* The same two, and 0 4: mean 2, variance 8. Weights 1/4, 1/2 and 1/4. */
static void one_of_three_ranks_has_two_samples(void **state) {
    (void)state;
    expect_share(4, 0, 3, "1");
    expect_share(4, 1, 3, "3");
    expect_share(4, 2, 3, "02");
    expect_running(4, 3, 0.75, 0.9 + 54.1 / 6);
}

/* 5 7 and 1 3: means 6 and 2, variances 2. */
static void one_of_three_ranks_has_no_sample(void **state) {
    (void)state;
    expect_share(2, 0, 3, "");
    expect_share(2, 1, 3, "1");
    expect_share(2, 2, 3, "0");
    expect_running(2, 3, 0.4, 1.1);
}

/* The second step begins with what the first left, everywhere: 0.9 of that and 0.4, and 0.9 of 1.1
 * and 0.2. */
static void a_second_step_goes_on_from_the_first(void **state) {
    (void)state;
    write_samples(2);
    write_job(2);
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN pixels.ini --set name=two --set steps=2");
    struct checkpoint *ck = results_open("two", "last.h5");
    expect_number(ck, MEAN, 0.76);
    expect_number(ck, VAR, 1.19);
    checkpoint_close(ck);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_has_all_samples),
        cmocka_unit_test(one_of_two_ranks_has_two_samples),
        cmocka_unit_test(one_of_three_ranks_has_two_samples),
        cmocka_unit_test(one_of_three_ranks_has_no_sample),
        cmocka_unit_test(a_second_step_goes_on_from_the_first),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
