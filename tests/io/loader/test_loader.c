#include "io/loader/loader.h"
#include "io/augment/augment.h"
#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { SAMPLES = 20, HEIGHT = 2, WIDTH = 3, PIXELS = HEIGHT * WIDTH, MAX_BATCH = 5 };

static char folder[] = "/tmp/dltrain_XXXXXX";
static char path[64];

/* Pixel p of sample i is i * 6 + p; its label i % 4. Split "reals" has the halves of it,
 * unlabelled; "large" is black, and more than HDF5 keeps of a file. */
static int write_file(struct err *err) {
    const int64_t images[] = {SAMPLES, HEIGHT, WIDTH, 1}, labels[] = {SAMPLES};
    const int64_t large[] = {300, 32, 32, 1};
    static const unsigned char black[300 * 32 * 32];
    unsigned char bytes[SAMPLES * PIXELS];
    float reals[SAMPLES * PIXELS];
    int32_t label[SAMPLES];
    struct h5 *file = NULL;

    for (int i = 0; i < SAMPLES * PIXELS; i++) {
        bytes[i] = (unsigned char)i;
        reals[i] = (float)i / 2;
    }
    for (int i = 0; i < SAMPLES; i++)
        label[i] = i % 4;
    const int status = h5_create(&file, path, err) || h5_group_create(file, "/bytes", err) ||
                       h5_write(file, "/bytes/images", H5_TYPE_U8, 4, images, bytes, err) ||
                       h5_write(file, "/bytes/labels", H5_TYPE_I32, 1, labels, label, err) ||
                       h5_group_create(file, "/large", err) ||
                       h5_write(file, "/large/images", H5_TYPE_U8, 4, large, black, err) ||
                       h5_group_create(file, "/reals", err) ||
                       h5_write(file, "/reals/images", H5_TYPE_F32, 4, images, reals, err) ||
                       h5_sync(file, err);

    h5_close(file);
    return status;
}

static int setup(void **state) {
    struct err err = {0};

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/x.h5", folder);
    if (write_file(&err)) {
        print_error("%s\n", err.msg);
        return -1;
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct dataset *open_split(const char *split, int64_t cache_bytes) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[96];

    snprintf(spec, sizeof spec, "%s:%s", path, split);
    if (dataset_open(&ds, spec, cache_bytes, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static struct loader *new_loader(const struct loader_config *config) {
    struct loader *loader = NULL;
    struct err err = {0};

    if (loader_new(&loader, config, &err))
        fail_msg("%s", err.msg);
    return loader;
}

static struct loader_batch wait_for(struct loader *loader) {
    struct loader_batch batch = {0};
    struct err err = {0};

    if (loader_wait(loader, &batch, &err))
        fail_msg("%s", err.msg);
    return batch;
}

/* The batch holds these samples of "bytes", untouched. */
static void holds(const struct loader_batch *b, const int64_t *samples, int64_t n) {
    assert_int_equal(b->n, n);
    for (int64_t i = 0; i < n; i++) {
        assert_true(b->classes[1][i] == samples[i] % 4);
        for (int64_t p = 0; p < PIXELS; p++)
            assert_true(b->field[0][i * PIXELS + p] == (float)(samples[i] * PIXELS + p) / 255);
    }
}

static void batches_come_in_the_order_of_their_requests(void **state) {
    (void)state;
    for (int cached = 0; cached < 2; cached++) {
        struct dataset *ds = open_split("bytes", cached ? DATASET_CACHE_BYTES : 0);
        struct loader *loader =
            new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});
        int64_t samples[2][MAX_BATCH];

        for (int64_t b = 0; b < 50; b++) {
            const int64_t n = b % (MAX_BATCH + 1); /* 0 to 5 */

            for (int64_t i = 0; i < n; i++)
                samples[b % 2][i] = (b * 7 + i * 11) % SAMPLES;
            loader_request(loader, samples[b % 2], NULL, n, 0);
            if (b == 0)
                continue;
            const struct loader_batch batch = wait_for(loader);
            holds(&batch, samples[(b - 1) % 2], (b - 1) % (MAX_BATCH + 1));
            assert_int_equal((uintptr_t)batch.field[0] % 64, 0);
            loader_release_batch(loader);
        }
        assert_true(loader_wait_seconds(loader) >= 0);
        loader_free(loader);
        dataset_close(ds);
    }
}

static void a_batch_stays_while_the_next_is_prepared(void **state) {
    (void)state;
    const int64_t first[] = {3, 3, 19}, second[] = {0, 1, 2, 4, 5};
    struct dataset *ds = open_split("bytes", DATASET_CACHE_BYTES);
    struct loader *loader =
        new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});
    loader_request(loader, first, NULL, 3, 0);
    loader_request(loader, second, NULL, 5, 0);
    const struct loader_batch a = wait_for(loader), b = wait_for(loader);

    holds(&a, first, 3);
    holds(&b, second, 5);
    loader_free(loader);
    dataset_close(ds);
}

static void float_images_and_missing_labels_pass_as_they_are(void **state) {
    (void)state;
    const int64_t samples[] = {19, 4};
    struct dataset *ds = open_split("reals", DATASET_CACHE_BYTES);
    struct loader *loader =
        new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});

    loader_request(loader, samples, NULL, 2, 0);
    const struct loader_batch b = wait_for(loader);
    assert_int_equal(loader_n_fields(loader), 1);
    for (int p = 0; p < PIXELS; p++) {
        assert_true(b.field[0][p] == (float)(19 * PIXELS + p) / 2);
        assert_true(b.field[0][PIXELS + p] == (float)(4 * PIXELS + p) / 2);
    }
    loader_free(loader);
    dataset_close(ds);
}

/* A crop of all samples in batches of n, by this seed, in this epoch: [SAMPLES, 2]. */
static void crops_by(int workers, struct dataset *ds, int64_t n, uint64_t seed, int64_t epoch,
                     float *out) {
    const struct word *word = augment_find("random_crop");
    struct {
        struct ints size;
        double rest[16];
    } args;

    assert_true(word->args_size <= sizeof args);
    word_defaults(word, &args);
    *(struct ints *)(void *)((char *)&args + word->args[0].offset) = (struct ints){2, {1, 2}};
    const struct applied pipeline = {word, &args};
    struct loader *loader = new_loader(&(struct loader_config){.dataset = ds,
                                                               .pipeline = &pipeline,
                                                               .n_pipeline = 1,
                                                               .seed = seed,
                                                               .training = true,
                                                               .max_batch = MAX_BATCH,
                                                               .workers = workers});
    const struct shape shape = loader_field(loader, 0)->sample;

    assert_int_equal(shape_len(&shape), 2);
    for (int64_t from = 0; from < SAMPLES; from += n) {
        int64_t samples[MAX_BATCH];

        for (int64_t i = 0; i < n; i++)
            samples[i] = from + i;
        loader_request(loader, samples, NULL, n, epoch);
        const struct loader_batch b = wait_for(loader);
        memcpy(out + from * 2, b.field[0], (size_t)n * 2 * sizeof *out);
        loader_release_batch(loader);
    }
    loader_free(loader);
}

static void crops(struct dataset *ds, int64_t n, uint64_t seed, int64_t epoch, float *out) {
    crops_by(1, ds, n, seed, epoch, out);
}

static void any_number_of_workers_gives_the_same_bits(void **state) {
    (void)state;
    struct dataset *ds = open_split("bytes", DATASET_CACHE_BYTES);
    float one[SAMPLES * 2], several[SAMPLES * 2];

    crops_by(1, ds, 5, 42, 3, one);
    for (int workers = 2; workers <= 7; workers++) {
        memset(several, 0, sizeof several);
        crops_by(workers, ds, 5, 42, 3, several);
        assert_memory_equal(one, several, sizeof one);
    }
    dataset_close(ds);
}

static void randomness_depends_on_seed_epoch_and_sample_alone(void **state) {
    (void)state;
    struct dataset *ds = open_split("bytes", DATASET_CACHE_BYTES);
    float ones[SAMPLES * 2], fives[SAMPLES * 2], other[SAMPLES * 2];
    int places = 0;

    crops(ds, 1, 42, 3, ones);
    crops(ds, 5, 42, 3, fives);
    assert_memory_equal(ones, fives, sizeof ones);
    crops(ds, 5, 42, 4, other);
    assert_memory_not_equal(ones, other, sizeof ones);
    crops(ds, 5, 43, 3, other);
    assert_memory_not_equal(ones, other, sizeof ones);
    for (int i = 0; i < SAMPLES; i++) /* one of four places each: all of them in 20 samples */
        places |= 1 << (int)(ones[2 * i] * 255 - (float)(i * PIXELS) + 0.5f);
    assert_int_equal(places, 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4);
    dataset_close(ds);
}

static void a_wrong_pipeline_names_the_dataset(void **state) {
    (void)state;
    const struct word *word = augment_find("normalize");
    double args[16];
    struct dataset *ds = open_split("bytes", DATASET_CACHE_BYTES);
    struct loader *loader = NULL;
    struct err err = {0};

    word_defaults(word, args);
    const struct applied pipeline = {word, args};
    assert_int_equal(loader_new(&loader,
                                &(struct loader_config){.dataset = ds,
                                                        .pipeline = &pipeline,
                                                        .n_pipeline = 1,
                                                        .max_batch = MAX_BATCH},
                                &err),
                     -1);
    assert_null(loader);
    assert_string_equal(strstr(err.msg, "x.h5:"),
                        "x.h5:bytes: normalize: the dataset does not say its mean; give "
                        "mean=[...], one number a channel");
    assert_int_equal(err.kind, ERR_CONFIG);
    dataset_close(ds);
}

static void too_much_memory_is_refused(void **state) {
    (void)state;
    const int64_t sizes[] = {INT64_C(1) << 44, INT64_MAX};
    struct dataset *ds = open_split("bytes", DATASET_CACHE_BYTES);

    for (int i = 0; i < 2; i++) {
        struct loader *loader = NULL;
        struct err err = {0};

        assert_int_equal(loader_new(&loader,
                                    &(struct loader_config){.dataset = ds, .max_batch = sizes[i]},
                                    &err),
                         -1);
        assert_int_equal(err.kind, ERR_IO);
        assert_non_null(strstr(err.msg, "not enough memory"));
    }
    dataset_close(ds);
}

/* From now on the file cannot be read: its descriptor is one for writing. */
static void spoil(const char *name) {
    struct stat file, open_file;

    assert_int_equal(stat(name, &file), 0);
    for (int fd = 3; fd < 256; fd++)
        if (!fstat(fd, &open_file) && open_file.st_ino == file.st_ino &&
            open_file.st_dev == file.st_dev) {
            const int sink = open("/dev/null", O_WRONLY);

            assert_int_equal(dup2(sink, fd), fd);
            close(sink);
        }
}

static void a_read_error_is_told_by_wait(void **state) {
    (void)state;
    const int64_t samples[] = {1, 2};
    struct dataset *ds = open_split("large", 0);
    struct loader *loader =
        new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});
    struct loader_batch batch = {0};
    struct err err = {0};

    spoil(path);
    loader_request(loader, samples, NULL, 2, 0);
    loader_request(loader, NULL, NULL, 0, 0);
    assert_int_equal(loader_wait(loader, &batch, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.msg, "x.h5"));
    loader_release_batch(loader);
    batch = wait_for(loader); /* the thread goes on */
    assert_int_equal(batch.n, 0);
    loader_free(loader);
    dataset_close(ds);
}

/* Sample 3 of "nan" has one at row 1, column 2; an unpaired field of one row is infinite. */
static void what_is_not_finite_is_found_by_sample_and_place(void **state) {
    const int64_t samples[] = {4, 3, 5};
    float reals[SAMPLES * PIXELS] = {0};
    const float other[2] = {INFINITY, -INFINITY};
    char file_path[96], text[256];
    struct err err = {0};
    struct dataset *ds;
    struct h5 *file;

    (void)state;
    snprintf(file_path, sizeof file_path, "%s/nan.h5", folder);
    reals[3 * PIXELS + 5] = NAN;
    for (int second = 0; second < 2; second++) {
        assert_int_equal(h5_create(&file, file_path, &err), 0);
        h5_write(file, "/a", H5_TYPE_F32, 3, (int64_t[]){SAMPLES, HEIGHT, WIDTH}, reals, &err);
        if (second) {
            h5_write(file, "/b", H5_TYPE_F32, 1, (int64_t[]){2}, other, &err);
            h5_attr_write_int(file, "/b", "unpaired", 1, &err);
        }
        h5_close(file);
        assert_int_equal(dataset_open(&ds, file_path, 0, &err), 0);
        struct loader *loader =
            new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});
        loader_request(loader, samples + 2 * second, NULL, second ? 1 : 3, 0);
        loader_request(loader, samples, NULL, 1, 0);
        struct loader_batch batch = wait_for(loader);
        assert_true(loader_batch_not_finite(&batch, text, sizeof text));
        assert_non_null(
            strstr(text, second ? "field b of sample 1 of " : "field a of sample 3 of "));
        assert_non_null(strstr(text, second ? "nan.h5 is infinite" : "nan.h5 is nan at [1, 2]"));
        loader_release_batch(loader);
        batch = wait_for(loader);
        assert_int_equal(loader_batch_not_finite(&batch, text, sizeof text), second);
        loader_free(loader);
        dataset_close(ds);
    }
    assert_false(loader_batch_not_finite(&(struct loader_batch){.n = 3}, text, sizeof text));
    unlink(file_path);
}

static void it_can_be_freed_at_any_moment(void **state) {
    (void)state;
    const int64_t samples[] = {0, 1, 2, 3, 4};
    struct dataset *ds = open_split("bytes", 0);

    loader_free(NULL);
    for (int i = 0; i < 60; i++) {
        struct loader *loader =
            new_loader(&(struct loader_config){.dataset = ds, .max_batch = MAX_BATCH});

        for (int k = 0; k < i % 3; k++)
            loader_request(loader, samples, NULL, 5, 0);
        if (i % 6 > 2 && i % 3)
            wait_for(loader);
        loader_free(loader);
    }
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_in_the_order_of_their_requests),
        cmocka_unit_test(a_batch_stays_while_the_next_is_prepared),
        cmocka_unit_test(float_images_and_missing_labels_pass_as_they_are),
        cmocka_unit_test(any_number_of_workers_gives_the_same_bits),
        cmocka_unit_test(randomness_depends_on_seed_epoch_and_sample_alone),
        cmocka_unit_test(a_wrong_pipeline_names_the_dataset),
        cmocka_unit_test(too_much_memory_is_refused),
        cmocka_unit_test(a_read_error_is_told_by_wait),
        cmocka_unit_test(what_is_not_finite_is_found_by_sample_and_place),
        cmocka_unit_test(it_can_be_freed_at_any_moment),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
