/* Fields of one sample go through the pipeline together. */
#include "io/scratch.h"
#include "io/augment/made.h"

#include "core/base/rng.h"
#include "io/h5/h5.h"
#include "io/loader/prepare.h"

#include <math.h>

enum { N = 8, SIDE = 12, AREA = SIDE * SIDE, MOST = 4096 };

static struct applied make_size(struct made *m, const char *name, int side) {
    make(m, name);
    *(struct ints *)spot(m, "size", ARG_INTS) = (struct ints){1, {side}};
    return m->applied;
}

static struct applied make_real(struct made *m, const char *name, const char *arg, double value) {
    make(m, name);
    *(double *)spot(m, arg, ARG_REAL) = value;
    return m->applied;
}

/* Place p of every sample has class p + 1, byte p + 1 and number p + 1; small has another size. */
static void write_file(const char *small, bool small_is_mask) {
    unsigned char bytes[N * AREA];
    float reals[N * AREA];
    int32_t labels[N];
    struct h5 *file;
    struct err err = {0};

    for (int i = 0; i < N * AREA; i++) {
        bytes[i] = (unsigned char)(i % AREA + 1);
        reals[i] = (float)(i % AREA + 1);
    }
    for (int i = 0; i < N; i++)
        labels[i] = i;
    assert_int_equal(h5_create(&file, in_scratch("p.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_U8, 4, (int64_t[]){N, SIDE, SIDE, 1}, bytes, &err);
    h5_write(file, "/labels", H5_TYPE_I32, 1, (int64_t[]){N}, labels, &err);
    h5_write(file, "/depth", H5_TYPE_F32, 3, (int64_t[]){N, SIDE, SIDE}, reals, &err);
    h5_write(file, "/mask", H5_TYPE_U8, 3, (int64_t[]){N, SIDE, SIDE}, bytes, &err);
    if (small)
        h5_write(file, small, H5_TYPE_U8, small_is_mask ? 3 : 4, (int64_t[]){N, 6, 6, 1}, bytes,
                 &err);
    h5_write(file, "/z", H5_TYPE_F32, 2, (int64_t[]){N, 5}, reals, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static struct dataset *opened(void) {
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_open(&ds, in_scratch("p.h5"), DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

/* image, label, depth, mask, z of all samples. */
static float image[N * AREA], depth[N * AREA], z[N * 5];
static int32_t label[N], mask[N * AREA];

static int plan(struct prepare *p, struct dataset *ds, const struct applied *words, int n,
                uint64_t seed, bool training, struct err *err) {
    return prepare_init(p, &(struct prepare_config){ds, words, n, seed, training, false}, err);
}

/* Read a batch of up to N samples and prepare them, the last first, into out[] of each field. */
static void make_batch(const struct prepare *p, const int64_t *samples, const int32_t *visits,
                       int64_t epoch, void *const *out) {
    static unsigned char raw[DATASET_MAX_FIELDS][N * AREA * 4];
    static float spare[MOST];
    struct prepare_scratch own = {.floats = spare};
    int64_t rows[N];
    struct prepare_batch b = {
        .samples = samples, .visits = visits, .n = N, .epoch = epoch, .rows = rows};
    atomic_bool stop = false;
    struct err err = {0};
    int field;

    assert_true(p->scratch_len <= MOST);
    for (int i = 0; i < p->n_fields; i++) {
        assert_true(p->field[i].raw_bytes <= AREA * 4);
        b.raw[i] = raw[i];
        b.out[i] = out[i];
    }
    assert_int_equal(prepare_read(p, &b, &stop, &err), 0);
    for (int64_t i = N - 1; i >= 0; i--)
        assert_int_equal(prepare_sample(p, &b, i, &own, &field, &err), 0);
}

static void run(struct dataset *ds, const struct applied *words, int n, int64_t epoch,
                struct prepare *p) {
    int64_t samples[N];
    struct err err = {0};

    for (int i = 0; i < N; i++)
        samples[i] = i;
    if (plan(p, ds, words, n, 17, true, &err))
        fail_msg("%s", err.msg);
    make_batch(p, samples, NULL, epoch, (void *[]){image, label, depth, mask, z});
}

static void masks_move_as_their_images_do(void **state) {
    struct made m[5];
    struct applied words[5] = {make_size(&m[0], "random_crop", SIDE - 2),
                               make(&m[1], "random_flip"), make(&m[2], "random_flip"),
                               make(&m[3], "rotate90"), make_real(&m[4], "shift", "fraction", 0.2)};
    struct prepare p;
    bool moved = false, outside = false;

    (void)state;
    *(int *)spot(&m[0], "pad", ARG_INT) = 2;
    *(int *)spot(&m[2], "vertical", ARG_WORD) = 1;
    write_file(NULL, false);
    struct dataset *ds = opened();
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        run(ds, words, 5, epoch, &p);
        const struct shape flat = {2, {SIDE - 2, SIDE - 2}};
        assert_true(shape_equal(&p.field[3].sample, &flat));
        assert_true(shape_equal(&p.field[2].sample, &flat));
        for (int i = 0; i < N * (SIDE - 2) * (SIDE - 2); i++) {
            const long code = lroundf(255 * image[i]);

            assert_int_equal(mask[i], code ? code : -1);
            assert_int_equal(lroundf(depth[i]), code);
            outside = outside || !code;
            moved = moved || code != i % AREA + 1;
        }
        for (int i = 0; i < N; i++)
            assert_true(label[i] == i && z[5 * i + 1] == (float)((5 * i + 1) % AREA + 1));
    }
    assert_true(moved && outside);
    dataset_close(ds);
}

/* Between pixels, the image is interpolated and the mask is that of the nearest: on a slope of
 * SIDE a line and 1 a place they differ by less than half of both. */
static void masks_take_the_nearest_class(void **state) {
    struct made m[4];
    struct applied words[4] = {
        make_size(&m[0], "random_resized_crop", SIDE), make_real(&m[1], "rotate", "degrees", 30),
        make_size(&m[2], "resize", SIDE), make_real(&m[3], "elastic", "alpha", 20)};
    struct prepare p;

    (void)state;
    *(double *)spot(&m[3], "sigma", ARG_REAL) = 3;
    write_file(NULL, false);
    struct dataset *ds = opened();
    for (int w = 0; w < 4; w++) {
        int inside = 0;

        run(ds, &words[w], 1, 5, &p);
        for (int i = 0; i < N * AREA; i++) {
            const int32_t class = mask[i];

            /* Near the edge zeros are mixed in; sizes reduced average. */
            if (class <= SIDE || class > AREA - SIDE || class % SIDE < 2)
                continue;
            inside++;
            if (depth[i] > 0 && fabsf(depth[i] - 255 * image[i]) > 1e-3f)
                fail_msg("image %g, depth %g", (double)(255 * image[i]), (double)depth[i]);
            if (fabsf(255 * image[i] - (float)class) > 0.5f * SIDE + 1)
                fail_msg("%s: image %g, mask %g", words[w].word->name, (double)(255 * image[i]),
                         (double)class);
        }
        assert_true(inside > N * AREA / 3);
    }
    dataset_close(ds);
}

static void values_change_in_images_alone(void **state) {
    struct made m[3];
    struct applied words[3] = {make_real(&m[0], "brightness", "range", 0.5),
                               make_size(&m[1], "cutout", 6), make(&m[2], "normalize")};
    struct prepare p;
    int holes = 0;

    (void)state;
    *(struct reals *)spot(&m[2], "mean", ARG_REALS) = (struct reals){1, (const double[]){0.25}};
    *(struct reals *)spot(&m[2], "std", ARG_REALS) = (struct reals){1, (const double[]){0.5}};
    write_file(NULL, false);
    struct dataset *ds = opened();
    run(ds, words, 3, 0, &p);
    for (int i = 0; i < N * AREA; i++) {
        assert_true(mask[i] == i % AREA + 1 && depth[i] == (float)mask[i]);
        holes += image[i] == -0.5f;
    }
    assert_in_range(holes, N * 9, N * 36); /* at least a quarter of each hole is in the image */
    dataset_close(ds);
}

static void refuse(const struct applied *word, const char *message) {
    struct dataset *ds = opened();
    struct prepare p;
    struct err err = {0};

    assert_int_equal(plan(&p, ds, word, 1, 1, true, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, message);
    dataset_close(ds);
}

static void other_sizes_are_refused_where_something_moves(void **state) {
    struct made flip, bright;
    struct prepare p;
    struct err err = {0};

    (void)state;
    make(&flip, "random_flip");
    make_real(&bright, "brightness", "range", 0.1);
    write_file("/seam", true);
    refuse(&flip.applied, "random_flip: seam is 6x6 (height, width), but image is 12x12: they "
                          "cannot be moved alike");
    write_file("/other", false);
    refuse(&flip.applied, "random_flip: other is 6x6 (height, width), but image is 12x12: they "
                          "cannot be moved alike");
    struct dataset *ds = opened();
    assert_int_equal(plan(&p, ds, &bright.applied, 1, 1, true, &err), 0);
    assert_true(p.field[dataset_find_field(ds, "other")].augmented);
    assert_false(p.field[dataset_find_field(ds, "z")].augmented);
    dataset_close(ds);
}

static void a_field_that_a_word_does_not_fit_is_named(void **state) {
    struct made m;
    struct err err = {0};
    struct prepare p;
    const double mean[] = {0.5};

    (void)state;
    make(&m, "normalize");
    struct h5 *file;
    assert_int_equal(h5_create(&file, in_scratch("p.h5"), &err), 0);
    const unsigned char zeros[64] = {0};
    h5_write(file, "/images", H5_TYPE_U8, 4, (int64_t[]){1, 2, 2, 1}, zeros, &err);
    h5_write(file, "/b", H5_TYPE_U8, 4, (int64_t[]){1, 2, 2, 1}, zeros, &err);
    h5_attr_write_text(file, "/b", "kind", "image", &err);
    h5_attr_write_reals(file, "/images", "mean", mean, 1, &err);
    h5_attr_write_reals(file, "/images", "std", mean, 1, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    refuse(
        &m.applied,
        "b: normalize: the dataset does not say its mean; give mean=[...], one number a channel");
    *(struct reals *)spot(&m, "mean", ARG_REALS) = (struct reals){1, mean};
    *(struct reals *)spot(&m, "std", ARG_REALS) = (struct reals){1, mean};
    struct dataset *ds = opened();
    assert_int_equal(plan(&p, ds, &m.applied, 1, 1, true, &err), 0);
    dataset_close(ds);
}

/* Row r of b holds r. */
static void unpaired_rows_are_drawn_anew_in_every_epoch(void **state) {
    enum { ROWS = 5, EPOCHS = 200 };
    const unsigned char a[N * 4] = {0}, b[ROWS] = {0, 1, 2, 3, 4};
    int64_t samples[N];
    float x[N * 4], y[2][N];
    int seen[ROWS] = {0}, same = 0;
    struct err err = {0};
    struct prepare p;
    struct h5 *file;

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("p.h5"), &err), 0);
    h5_write(file, "/a", H5_TYPE_U8, 4, (int64_t[]){N, 2, 2, 1}, a, &err);
    h5_attr_write_text(file, "/a", "kind", "image", &err);
    h5_write(file, "/b", H5_TYPE_U8, 4, (int64_t[]){ROWS, 1, 1, 1}, b, &err);
    h5_attr_write_text(file, "/b", "kind", "image", &err);
    h5_attr_write_int(file, "/b", "unpaired", 1, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    struct dataset *ds = opened();
    for (int i = 0; i < N; i++)
        samples[i] = i;
    assert_int_equal(plan(&p, ds, NULL, 0, 3, true, &err), 0);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int twice = 0; twice < 2; twice++)
            make_batch(&p, samples, NULL, epoch, (void *[]){x, y[twice]});
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        for (int i = 0; i < N; i++)
            seen[lroundf(255 * y[0][i])]++;
        same += lroundf(255 * y[0][0]) == 0;
    }
    for (int r = 0; r < ROWS; r++) /* 320 each, standard deviation 16 */
        assert_in_range(seen[r], 240, 400);
    assert_in_range(same, 15, 65); /* 40, 5.7 */
    assert_int_equal(plan(&p, ds, NULL, 0, 3, false, &err), 0);
    make_batch(&p, samples, NULL, 9, (void *[]){x, y[0]});
    for (int i = 0; i < N; i++)
        assert_int_equal(lroundf(255 * y[0][i]), i % ROWS);
    dataset_close(ds);
}

/* Each of eight visits of sample 0 has one of 25 places. */
static void a_sample_that_comes_again_is_changed_otherwise(void **state) {
    const int64_t samples[N] = {0};
    const int32_t visits[N] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct err err = {0};
    struct prepare p;
    struct made m;
    bool differs = false;

    (void)state;
    make_size(&m, "random_crop", SIDE - 4);
    write_file(NULL, false);
    struct dataset *ds = opened();
    assert_int_equal(plan(&p, ds, &m.applied, 1, 17, true, &err), 0);
    for (int again = 0; again < 2; again++) {
        make_batch(&p, samples, again ? visits : NULL, 0, (void *[]){image, label, depth, mask, z});
        for (int i = 1; i < N; i++) {
            differs = image[i * (SIDE - 4) * (SIDE - 4)] != image[0];
            assert_true(again || !differs);
            if (differs)
                break;
        }
    }
    assert_true(differs);
    dataset_close(ds);
}

static void a_pipeline_needs_an_image(void **state) {
    struct made m;
    struct h5 *file;
    struct err err = {0};
    const float x[4] = {0};

    (void)state;
    make(&m, "random_flip");
    assert_int_equal(h5_create(&file, in_scratch("p.h5"), &err), 0);
    h5_write(file, "/a", H5_TYPE_F32, 2, (int64_t[]){2, 2}, x, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    refuse(&m.applied, "random_flip: there are no images to change");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_move_as_their_images_do),
        cmocka_unit_test(masks_take_the_nearest_class),
        cmocka_unit_test(values_change_in_images_alone),
        cmocka_unit_test(other_sizes_are_refused_where_something_moves),
        cmocka_unit_test(a_field_that_a_word_does_not_fit_is_named),
        cmocka_unit_test(unpaired_rows_are_drawn_anew_in_every_epoch),
        cmocka_unit_test(a_sample_that_comes_again_is_changed_otherwise),
        cmocka_unit_test(a_pipeline_needs_an_image),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
