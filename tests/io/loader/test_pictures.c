/* Pictures of many sizes on their way from files to batches. */
#include "io/loader/pictures.h"
#include "io/augment/made.h"

#include "io/augment/augment.h"
#include "io/loader/loader.h"

#include <math.h>

static struct applied make_size(struct made *m, const char *name, int side) {
    make(m, name);
    *(struct ints *)spot(m, "size", ARG_INTS) = (struct ints){1, {side}};
    return m->applied;
}

static struct applied make_short(struct made *m, int side) {
    make(m, "resize");
    *(int *)spot(m, "short", ARG_INT) = side;
    return m->applied;
}

/* As most of these tests have them. */
static struct loader_config config_of(struct dataset *ds, const struct applied *words, int n) {
    return (struct loader_config){.dataset = ds,
                                  .pipeline = words,
                                  .n_pipeline = n,
                                  .seed = 11,
                                  .max_batch = PICTURES_MOST,
                                  .workers = 2};
}

static struct loader *new_loader(const struct loader_config *config) {
    struct loader *loader = NULL;
    struct err err = {0};

    if (loader_new(&loader, config, &err))
        fail_msg("%s", err.msg);
    return loader;
}

/* Samples 0 .. n - 1 in one batch to out[n * len], malloc'd. */
static float *batch_of(const struct loader_config *config, int64_t n, int64_t *len) {
    struct loader *loader = new_loader(config);
    const struct shape shape = loader_field(loader, 0)->sample;
    struct loader_batch batch = {0};
    struct err err = {0};
    int64_t samples[PICTURES_MOST];
    float *out;

    *len = shape_len(&shape);
    for (int64_t i = 0; i < n; i++)
        samples[i] = i;
    loader_request(loader, samples, NULL, n, 0);
    if (loader_wait(loader, &batch, &err))
        fail_msg("%s", err.msg);
    out = malloc((size_t)(n * *len) * sizeof *out);
    assert_non_null(out);
    memcpy(out, batch.field[0], (size_t)(n * *len) * sizeof *out);
    loader_free(loader);
    return out;
}

/* --- beside torchvision --- */

/* Printed by tests/golden/validation_pieces.py. */
static const struct {
    int width, height, side;
    int64_t sum, weighted;
} torchvision[] = {
    {500, 375, 256, 19209044, 9683363770}, {375, 500, 256, 19208272, 9677552575},
    {503, 375, 256, 19207926, 9680759307}, {333, 500, 256, 19206656, 9680517610},
    {768, 512, 256, 19249196, 9700503742}, {100, 80, 256, 19224929, 9688275797},
    {224, 224, 224, 19154144, 9652324072}, {1000, 250, 232, 19196955, 9679007712},
};

enum { CASES = sizeof torchvision / sizeof *torchvision, AS_OTHERS = 4 /* 3 : 2, exactly */ };

static void sums_are(const float *values, int64_t len, int k) {
    int64_t sum = 0, weighted = 0;

    for (int64_t i = 0; i < len; i++) {
        const int64_t byte = lroundf(values[i] * 255);

        assert_true(values[i] == (float)byte / 255);
        sum += byte;
        weighted += byte * ((i * 31 + 7) % 1009);
    }
    if (sum != torchvision[k].sum || weighted != torchvision[k].weighted)
        fail_msg("%d x %d: the sums are %lld and %lld", torchvision[k].width, torchvision[k].height,
                 (long long)sum, (long long)weighted);
}

static void validation_gives_the_bytes_of_torchvision(void **state) {
    struct made m[2];
    struct pictures p = {0};
    int64_t len;

    (void)state;
    for (int k = 0; k < CASES; k++)
        pictures_add_made(&p, torchvision[k].width, torchvision[k].height, 3, false);
    pictures_file(&p, "golden.h5", 3);
    pictures_release(&p);
    struct dataset *ds = pictures_open("golden.h5", 0);
    for (int k = 0; k < CASES; k++) {
        const struct applied words[] = {make_short(&m[0], torchvision[k].side),
                                        make_size(&m[1], "center_crop", 224)};
        const struct loader_config config = config_of(ds, words, 2);
        float *out = batch_of(&config, CASES, &len);

        sums_are(out + k * len, len, k);
        free(out);
    }
    const struct applied one = make_size(&m[0], "random_resized_crop", 224);
    *(double *)spot(&m[0], "crop_pct", ARG_REAL) = 0.875;
    const struct loader_config config = config_of(ds, &one, 1);
    float *out = batch_of(&config, CASES, &len);
    sums_are(out + AS_OTHERS * len, len, AS_OTHERS);
    free(out);
    dataset_close(ds);
}

/* --- any number of workers --- */

/* Pictures of many sizes, JPEG and PNG. */
static void write_mixed(const char *name, int n, int channels) {
    struct pictures p = {0};

    for (int k = 0; k < n; k++)
        pictures_add_made(&p, 20 + 7 * k % 50, 16 + 11 * k % 60, channels, k % 3 != 0);
    pictures_file(&p, name, channels);
    pictures_release(&p);
}

static void any_number_of_workers_gives_the_same_bits(void **state) {
    enum { N = 21, SIDE = 16 };
    static const int workers[] = {1, 2, 3, 7, 100};
    static const double half[] = {0.5};
    struct made m[4];
    const struct applied words[] = {make_size(&m[0], "random_resized_crop", SIDE),
                                    make(&m[1], "random_flip"), make(&m[2], "rand_augment"),
                                    make(&m[3], "normalize")};
    float *first = NULL;
    int64_t len = 0;

    (void)state;
    *(struct reals *)spot(&m[3], "mean", ARG_REALS) = (struct reals){1, half};
    *(struct reals *)spot(&m[3], "std", ARG_REALS) = (struct reals){1, half};
    write_mixed("mixed.h5", N, 3);
    for (int k = 0; k < 10; k++) {
        struct dataset *ds = pictures_open("mixed.h5", k % 2 ? DATASET_CACHE_BYTES : 0);
        struct loader_config config = config_of(ds, words, 4);

        config.training = true;
        config.workers = workers[k / 2];
        float *out = batch_of(&config, N, &len);
        assert_int_equal(len, SIDE * SIDE * 3);
        if (!first)
            first = out;
        assert_memory_equal(out, first, (size_t)(N * len) * sizeof *out);
        if (out != first)
            free(out);
        dataset_close(ds);
    }
    assert_memory_not_equal(first, first + len, (size_t)len * sizeof *first);
    free(first);
}

/* 40 batches, of which up to three are on their way. */
static void batches_come_in_the_order_of_their_requests(void **state) {
    enum { N = 13, BATCHES = 40 };
    struct made m;
    const struct applied word = make_size(&m, "resize", 4);
    int64_t samples[BATCHES][N], len;
    struct err err = {0};

    (void)state;
    write_mixed("order.h5", N, 1);
    struct dataset *ds = pictures_open("order.h5", 0);
    struct loader_config config = config_of(ds, &word, 1);
    float *all = batch_of(&config, N, &len);
    assert_int_equal(len, 16);
    config.workers = 3;
    struct loader *loader = new_loader(&config);
    for (int b = 0, next = 0; b < BATCHES; b++) {
        struct loader_batch batch;

        for (; next < BATCHES && next < b + LOADER_BATCHES; next++) {
            for (int i = 0; i < N; i++)
                samples[next][i] = (next * 5 + i * 7) % N;
            loader_request(loader, samples[next], NULL, next % (N + 1), 0);
        }
        assert_int_equal(loader_wait(loader, &batch, &err), 0);
        assert_int_equal(batch.n, b % (N + 1));
        for (int64_t i = 0; i < batch.n; i++)
            assert_memory_equal(batch.field[0] + i * len, all + samples[b][i] * len,
                                (size_t)len * sizeof *all);
        loader_release_batch(loader);
    }
    assert_true(loader_bytes(loader) > 3 * N * 16 * 4);
    loader_free(loader);
    dataset_close(ds);
    free(all);
}

/* Pictures 4, 7 and 8 are cut off, and no picture; whoever comes first, 7 is the first in the
 * batch. */
static void the_first_broken_picture_of_a_batch_is_named(void **state) {
    enum { N = 12 };
    static const int64_t order[N] = {0, 1, 2, 3, 5, 7, 8, 4, 6, 9, 10, 11};
    struct made m;
    const struct applied word = make_size(&m, "resize", 8);
    struct pictures good = {0}, p = {0};

    (void)state;
    for (int k = 0; k < N; k++)
        pictures_add_made(&good, 40 + k, 30 + k, 3, true);
    for (int k = 0; k < N; k++)
        pictures_add(
            &p, k == 8 ? (const unsigned char *)"GIF89 is none" : good.bytes + good.offset[k],
            k == 8 ? 13
                   : (size_t)(good.offset[k + 1] - good.offset[k]) / (k == 4 || k == 7 ? 2 : 1));
    pictures_file(&p, "broken.h5", 3);
    struct dataset *ds = pictures_open("broken.h5", 0);
    struct loader_config config = config_of(ds, &word, 1);
    for (int round = 0; round < 30; round++) {
        struct loader_batch batch = {0};
        struct err err = {0};

        config.workers = 1 + round % 4;
        struct loader *loader = new_loader(&config);
        loader_request(loader, order, NULL, N, 0);
        loader_request(loader, order, NULL, 5, 0);
        assert_int_equal(loader_wait(loader, &batch, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_non_null(strstr(err.msg, "sample 7 of "));
        assert_non_null(strstr(err.msg, "broken.h5: broken JPEG: "));
        assert_null(strchr(err.msg, '\n'));
        loader_release_batch(loader);
        assert_int_equal(loader_wait(loader, &batch, &err), 0); /* the threads go on */
        assert_int_equal(batch.n, 5);
        loader_free(loader);
    }
    dataset_close(ds);
    pictures_release(&good);
    pictures_release(&p);
}

static void a_loader_of_pictures_can_be_freed_at_any_moment(void **state) {
    enum { N = 20 };
    struct made m[2];
    const struct applied words[] = {make_size(&m[0], "random_resized_crop", 32),
                                    make(&m[1], "random_flip")};
    int64_t samples[N];

    (void)state;
    for (int i = 0; i < N; i++)
        samples[i] = N - 1 - i;
    write_mixed("freed.h5", N, 3);
    struct dataset *ds = pictures_open("freed.h5", 0);
    struct loader_config config = config_of(ds, words, 2);
    for (int i = 0; i < 60; i++) {
        struct loader_batch batch;
        struct err err = {0};

        config.workers = 1 + i % 3;
        struct loader *loader = new_loader(&config);
        for (int k = 0; k < i % 4; k++)
            loader_request(loader, samples, NULL, N, k);
        if (i % 8 > 3 && i % 4)
            assert_int_equal(loader_wait(loader, &batch, &err), 0);
        loader_free(loader);
    }
    dataset_close(ds);
}

/* The least there is, and lines one pixel wide: whatever begins the pipeline. */
static void pictures_of_any_form_have_a_piece(void **state) {
    static const int size[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 3}};
    enum { N = sizeof size / sizeof *size };
    struct made m[5];
    const struct applied beginnings[][2] = {
        {make_size(&m[0], "random_resized_crop", 8), {0}},
        {make_size(&m[1], "resize", 8), {0}},
        {make_short(&m[2], 12), make_size(&m[3], "center_crop", 8)},
        {m[2].applied, make_size(&m[4], "random_crop", 8)},
    };
    struct pictures p = {0};
    int64_t len;

    (void)state;
    for (int k = 0; k < N; k++)
        pictures_add_made(&p, size[k][0], size[k][1], 3, k % 2);
    pictures_file(&p, "forms.h5", 3);
    pictures_release(&p);
    *(double *)spot(&m[0], "crop_pct", ARG_REAL) = 0.875;
    struct dataset *ds = pictures_open("forms.h5", 0);
    for (int k = 0; k < 8; k++) {
        const struct applied *words = beginnings[k / 2];
        struct loader_config config = config_of(ds, words, words[1].word ? 2 : 1);

        config.training = k % 2;
        float *out = batch_of(&config, N, &len);
        assert_int_equal(len, 8 * 8 * 3);
        for (int64_t i = 0; i < N * len; i++)
            assert_true(out[i] >= 0 && out[i] <= 1);
        for (int64_t i = 3; i < len; i++) /* of one pixel, every pixel is that */
            assert_true(out[i] == out[i - 3]);
        free(out);
    }
    dataset_close(ds);
}

/* --- beside other fields, and other ways --- */

/* Each of the two ways rounds elsewhere: to bytes after either direction, or not at all. */
static void encoded_and_raw_images_agree(void **state) {
    enum { N = 8, W = 50, H = 40, SIDE = 16 };
    struct made m[2];
    const struct applied words[] = {make_size(&m[0], "random_resized_crop", SIDE),
                                    make(&m[1], "random_flip")};
    const int64_t dim[] = {N, H, W, 3};
    unsigned char *all = malloc((size_t)N * H * W * 3), *one = picture_pixels(W, H, 3);
    struct pictures p = {0};
    float *out[2];
    int64_t len;
    struct err err = {0};

    (void)state;
    assert_non_null(all);
    for (int k = 0; k < N; k++) {
        memcpy(all + k * W * H * 3, one, (size_t)(W * H * 3));
        pictures_add_made(&p, W, H, 3, false);
    }
    pictures_file(&p, "files.h5", 3);
    struct h5 *file = pictures_begin("raw.h5");
    h5_write(file, "/train/images", H5_TYPE_U8, 4, dim, all, &err);
    pictures_end(file);
    for (int raw = 0; raw < 2; raw++) {
        struct dataset *ds = pictures_open(raw ? "raw.h5" : "files.h5", 0);
        struct loader_config config = config_of(ds, words, 2);

        config.training = true;
        out[raw] = batch_of(&config, N, &len);
        dataset_close(ds);
    }
    for (int64_t i = 0; i < N * len; i++)
        if (fabsf(out[0][i] - out[1][i]) > 1.001f / 255)
            fail_msg("number %lld is %g and %g", (long long)i, (double)out[0][i],
                     (double)out[1][i]);
    assert_memory_not_equal(out[0], out[0] + len, (size_t)len * sizeof(float));
    free(out[0]);
    free(out[1]);
    free(all);
    free(one);
    pictures_release(&p);
}

/* A slope is the same at any size. */
static void reduced_pictures_are_near_the_exact_ones(void **state) {
    enum { W = 640, H = 480, SIDE = 32 };
    struct made m;
    const struct applied word = make_size(&m, "resize", SIDE);
    unsigned char *slope = malloc((size_t)W * H * 3), *bytes;
    struct pictures p = {0};
    float *out[2];
    double error = 0;
    int64_t len = 0;
    size_t n;

    (void)state;
    assert_non_null(slope);
    for (int i = 0; i < W * H; i++) {
        slope[3 * i] = (unsigned char)(i % W * 255 / W);
        slope[3 * i + 1] = (unsigned char)(i / W * 255 / H);
        slope[3 * i + 2] = (unsigned char)((i % W + i / W) * 255 / (W + H));
    }
    write_jpeg(in_scratch("slope.jpg"), W, H, JCS_RGB, slope);
    bytes = read_bytes(in_scratch("slope.jpg"), &n);
    pictures_add(&p, bytes, n);
    pictures_file(&p, "slope.h5", 3);
    for (int reduced = 0; reduced < 2; reduced++) {
        struct dataset *ds = pictures_open("slope.h5", 0);
        struct loader_config config = config_of(ds, &word, 1);

        config.reduced = reduced;
        out[reduced] = batch_of(&config, 1, &len);
        dataset_close(ds);
    }
    for (int64_t i = 0; i < len; i++)
        error += fabs((double)(out[0][i] - out[1][i]));
    assert_true(error > 0 && error / (double)len < 1.0 / 255);
    free(out[0]);
    free(out[1]);
    free(slope);
    free(bytes);
    pictures_release(&p);
}

static void refused(const char *name, const struct applied *words, int n, const char *message) {
    struct dataset *ds = pictures_open(name, 0);
    const struct loader_config config = config_of(ds, words, n);
    struct loader *loader = NULL;
    struct err err = {0};

    assert_int_equal(loader_new(&loader, &config, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_contains(err.msg, message);
    assert_contains(err.msg, name);
    dataset_close(ds);
}

static void what_would_have_to_move_alike_is_refused(void **state) {
    enum { N = 3 };
    static const unsigned char mask[N * 4] = {0, 1, 1, 0};
    struct made m;
    const struct applied word = make_size(&m, "resize", 4);
    struct pictures p = {0};
    struct err err = {0};
    int64_t len;

    (void)state;
    for (int k = 0; k < N; k++)
        pictures_add_made(&p, 9 + k, 7, 3, false);
    struct h5 *file = pictures_begin("masks.h5");
    pictures_write(&p, file, "images", 3);
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, 2, 2}, mask, &err);
    pictures_end(file);
    refused("masks.h5", &word, 1,
            "masks.h5: resize: the pictures of image have many sizes: mask and image cannot be "
            "moved alike");
    for (int unpaired = 0; unpaired < 2; unpaired++) {
        file = pictures_begin("two.h5");
        pictures_write(&p, file, "a", 3);
        pictures_write(&p, file, "b", 3);
        if (unpaired)
            h5_attr_write_int(file, "/train/b", "unpaired", 1, &err);
        pictures_end(file);
        if (!unpaired)
            refused("two.h5", &word, 1, "b and a cannot be moved alike");
    }
    struct dataset *ds = pictures_open("two.h5", 0);
    const struct loader_config config = config_of(ds, &word, 1);
    free(batch_of(&config, N, &len));
    assert_int_equal(len, 4 * 4 * 3);
    dataset_close(ds);
    refused("two.h5", NULL, 0,
            "augment: the images have many sizes; begin with random_resized_crop(224), "
            "resize(224) or resize(short=256) | center_crop(224)");
    pictures_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation_gives_the_bytes_of_torchvision),
        cmocka_unit_test(any_number_of_workers_gives_the_same_bits),
        cmocka_unit_test(batches_come_in_the_order_of_their_requests),
        cmocka_unit_test(the_first_broken_picture_of_a_batch_is_named),
        cmocka_unit_test(a_loader_of_pictures_can_be_freed_at_any_moment),
        cmocka_unit_test(pictures_of_any_form_have_a_piece),
        cmocka_unit_test(encoded_and_raw_images_agree),
        cmocka_unit_test(reduced_pictures_are_near_the_exact_ones),
        cmocka_unit_test(what_would_have_to_move_alike_is_refused),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
