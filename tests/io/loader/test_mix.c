/* Batches whose samples are mixed. */
#include "io/scratch.h"

#include "io/augment/made.h"

#include "io/h5/h5.h"
#include "io/loader/loader.h"

#include <math.h>

enum { N = 64, SIDE = 16, AREA = SIDE * SIDE, CLASSES = 10, IMAGE = 0, LABEL = 1, MASK = 2 };

/* Every byte and every class of a mask of sample i is i; its label is i % 10, that of sample 3 -1.
 */
static void write_file(void) {
    static unsigned char image[N * AREA], mask[N * AREA], small[N * 4];
    static float target[N * 2];
    int32_t label[N];
    struct h5 *file;
    struct err err = {0};

    for (int i = 0; i < N * AREA; i++)
        image[i] = mask[i] = (unsigned char)(i / AREA);
    for (int i = 0; i < N; i++)
        label[i] = i == 3 ? -1 : i % CLASSES;
    assert_int_equal(h5_create(&file, in_scratch("m.h5"), &err), 0);
    for (const char *const *g = (const char *const[]){"plain", "masks", "small", "named", NULL}; *g;
         g++) {
        char at[64];
        snprintf(at, sizeof at, "/%s", *g);
        assert_int_equal(h5_group_create(file, at, &err), 0);
        snprintf(at, sizeof at, "/%s/images", *g);
        h5_write(file, at, H5_TYPE_U8, 4, (int64_t[]){N, SIDE, SIDE, 1}, image, &err);
        snprintf(at, sizeof at, "/%s/labels", *g);
        h5_write(file, at, H5_TYPE_I32, 1, (int64_t[]){N}, label, &err);
    }
    h5_write(file, "/masks/mask", H5_TYPE_U8, 3, (int64_t[]){N, SIDE, SIDE}, mask, &err);
    h5_write(file, "/small/mask", H5_TYPE_U8, 3, (int64_t[]){N, 2, 2}, small, &err);
    h5_write(file, "/named/target", H5_TYPE_F32, 2, (int64_t[]){N, 2}, target, &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static int setup(void **state) {
    if (scratch_setup(state))
        return -1;
    write_file();
    return 0;
}

/* --- pipelines --- */

/* A word where argument `name`, NULL: none, has that value. */
static struct applied make_with(struct made *m, const char *word, const char *name, double value) {
    make(m, word);
    if (name)
        *(double *)spot(m, name, ARG_REAL) = value;
    return m->applied;
}

static struct dataset *open_group(const char *group) {
    struct dataset *ds;
    struct err err = {0};
    char spec[128];

    snprintf(spec, sizeof spec, "%s:%s", in_scratch("m.h5"), group);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

/* What a batch has: images, shares, masks. */
struct seen {
    float image[N * AREA], target[N * CLASSES];
    int32_t label[N], mask[N * AREA];
};

static void keep(struct seen *s, const struct loader_batch *b, int64_t first) {
    const int last = loader_n_fields(b->loader) - 1;

    memcpy(s->image + first * AREA, b->field[IMAGE], (size_t)b->n * AREA * sizeof(float));
    memcpy(s->label + first, b->classes[LABEL], (size_t)b->n * sizeof *s->label);
    if (b->classes[MASK])
        memcpy(s->mask + first * AREA, b->classes[MASK], (size_t)b->n * AREA * sizeof *s->mask);
    if (!strcmp(loader_field(b->loader, last)->name, "target"))
        memcpy(s->target + first * CLASSES, b->field[last],
               (size_t)b->n * CLASSES * sizeof *s->target);
}

/* All samples of a group as one step, cut into `ranks` parts; epoch 1. */
static void mix_all(const char *group, struct applied word, bool training, int ranks, int workers,
                    struct seen *seen) {
    struct dataset *ds = open_group(group);
    struct loader *loader;
    struct err err = {0};
    int64_t samples[N];

    for (int64_t i = 0; i < N; i++)
        samples[i] = i;
    if (loader_new(&loader,
                   &(struct loader_config){.dataset = ds,
                                           .pipeline = &word,
                                           .n_pipeline = 1,
                                           .seed = 3,
                                           .training = training,
                                           .max_batch = N,
                                           .workers = workers},
                   &err))
        fail_msg("%s", err.msg);
    for (int64_t r = 0; r < ranks; r++) {
        const int64_t begin = N * r / ranks, end = N * (r + 1) / ranks;
        const struct loader_partner next = {samples[end % N], 0};
        struct loader_batch batch;

        loader_request_part(loader, samples + begin, NULL, end - begin, &next, 1);
        assert_int_equal(loader_wait(loader, &batch, &err), 0);
        assert_int_equal(batch.n, end - begin);
        for (int k = 0; k < loader_n_fields(loader); k++)
            for (int64_t i = 0; i < batch.n; i++)
                assert_int_equal(loader_batch_row(&batch, k, i), samples[begin + i]);
        keep(seen, &batch, begin);
        loader_release_batch(loader);
    }
    loader_free(loader);
    dataset_close(ds);
}

/* --- what is mixed --- */

/* The share of its own class that sample i has left; of 3, and of who is mixed with it, nobody says
 * all of it. */
static double share_of(const struct seen *s, int i) {
    const int next = (i + 1) % N;

    return i == 3 ? 1 - (double)s->target[i * CLASSES + next % CLASSES]
                  : (double)s->target[i * CLASSES + i % CLASSES];
}

static void check_target(const struct seen *s, int i, double share) {
    const int next = (i + 1) % N;

    assert_int_equal(s->label[i], i == 3 ? -1 : i % CLASSES);
    for (int c = 0; c < CLASSES; c++) {
        const double expected =
            (i != 3 && c == i % CLASSES) * share + (next != 3 && c == next % CLASSES) * (1 - share);
        assert_true(fabs((double)s->target[i * CLASSES + c] - expected) < 1e-6);
    }
}

static void mixup_takes_shares_of_pixels_and_classes(void **state) {
    static struct seen s;
    struct made m;
    int n_mixed = 0;

    (void)state;
    mix_all("plain", make_with(&m, "mixup", "alpha", 1), true, 1, 1, &s);
    for (int i = 0; i < N; i++) {
        const double share = share_of(&s, i), value = share * i + (1 - share) * ((i + 1) % N);

        n_mixed += share > 0.01 && share < 0.99;
        check_target(&s, i, share);
        for (int p = 0; p < AREA; p++)
            assert_true(fabs(255 * (double)s.image[i * AREA + p] - value) < 1e-4);
    }
    assert_in_range(n_mixed, N * 9 / 10, N); /* all but 1 of 50 */
}

/* The pixels of sample i that are its next one's; they are a rectangle. */
static int count_rectangle(const struct seen *s, int i) {
    int n = 0, top = SIDE, left = SIDE, bottom = -1, right = -1;

    for (int p = 0; p < AREA; p++) {
        const int value = (int)lround(255 * (double)s->image[i * AREA + p]);
        const int y = p / SIDE, x = p % SIDE;

        assert_int_equal(s->mask[i * AREA + p], value);
        if (value == i)
            continue;
        assert_int_equal(value, (i + 1) % N);
        n++;
        top = y < top ? y : top, left = x < left ? x : left;
        bottom = y > bottom ? y : bottom, right = x > right ? x : right;
    }
    assert_int_equal(n, n ? (bottom - top + 1) * (right - left + 1) : 0);
    return n;
}

static void cutmix_exchanges_a_rectangle_and_its_classes(void **state) {
    static struct seen s;
    struct made m;
    int n_mixed = 0, n_pixels = 0;

    (void)state;
    mix_all("masks", make_with(&m, "cutmix", "alpha", 1), true, 1, 1, &s);
    for (int i = 0; i < N; i++) {
        const int n = count_rectangle(&s, i);

        n_mixed += n > 0;
        n_pixels += n;
        check_target(&s, i, 1 - (double)n / AREA);
    }
    assert_in_range(n_mixed, N * 3 / 4, N);
    /* Half of the area, but what is outside: by torchvision's formula 10^6 draws are 0.277 of it in
     * the mean, with a deviation of 0.176. */
    assert_in_range(n_pixels, (int)(N * AREA * (0.277 - 5 * 0.176 / 8)),
                    (int)(N * AREA * (0.277 + 5 * 0.176 / 8)));
}

static void either_is_drawn_for_each_sample(void **state) {
    static struct seen s;
    struct made m;
    int n_cut = 0, n_whole = 0;

    (void)state;
    make_with(&m, "mix", "mixup", 50); /* shares of about a half */
    mix_all("plain", m.applied, true, 1, 1, &s);
    for (int i = 0; i < N; i++) {
        int own = 0, other = 0;
        for (int p = 0; p < AREA; p++) {
            const double v = 255 * (double)s.image[i * AREA + p];
            own += fabs(v - i) < 1e-3;
            other += fabs(v - (i + 1) % N) < 1e-3;
        }
        n_cut += own + other == AREA;
        n_whole += own + other == 0;
        check_target(&s, i, share_of(&s, i));
    }
    assert_int_equal(n_cut + n_whole, N);
    assert_in_range(n_cut, N / 4, N * 3 / 4);
}

static void some_samples_may_stay_as_they_are(void **state) {
    static struct seen s;
    struct made m;
    int n = 0;

    (void)state;
    mix_all("plain", make_with(&m, "mixup", "p", 0.25), true, 1, 1, &s);
    for (int i = 0; i < N; i++)
        n += s.image[i * AREA] == (float)i / 255;
    assert_in_range(n, N / 2, N - 1);
}

/* --- on what it does not depend --- */

static void parts_of_a_step_and_workers_give_the_same_bits(void **state) {
    static struct seen whole, parts;
    static const char *const words[] = {"mixup", "cutmix", "mix"};
    struct made m;

    (void)state;
    for (int w = 0; w < 3; w++) {
        make_with(&m, words[w], NULL, 0);
        memset(&whole, 0, sizeof whole);
        mix_all("plain", m.applied, true, 1, 1, &whole);
        for (int ranks = 1; ranks <= 5; ranks++)
            for (int workers = 1; workers <= 3; workers++) {
                memset(&parts, 0, sizeof parts);
                mix_all("plain", m.applied, true, ranks, workers, &parts);
                assert_memory_equal(&whole, &parts, sizeof whole);
            }
    }
}

static void in_validation_the_target_is_the_label(void **state) {
    static struct seen s;
    struct made m;

    (void)state;
    mix_all("plain", make_with(&m, "mix", NULL, 0), false, 3, 2, &s);
    for (int i = 0; i < N; i++) {
        assert_true(s.image[i * AREA] == (float)i / 255);
        for (int c = 0; c < CLASSES; c++)
            assert_true(s.target[i * CLASSES + c] == (float)(c == s.label[i]));
    }
}

static void a_request_without_parts_is_a_step_of_its_own(void **state) {
    struct made m;
    struct applied word = make_with(&m, "mixup", NULL, 0);
    struct dataset *ds = open_group("plain");
    struct loader *loader;
    struct loader_batch batch;
    struct err err = {0};

    (void)state;
    assert_int_equal(loader_new(&loader,
                                &(struct loader_config){.dataset = ds,
                                                        .pipeline = &word,
                                                        .n_pipeline = 1,
                                                        .training = true,
                                                        .max_batch = 2},
                                &err),
                     0);
    loader_request(loader, (int64_t[]){7, 8}, NULL, 2, 0);
    loader_request(loader, (int64_t[]){9}, NULL, 1, 0);
    loader_request(loader, NULL, NULL, 0, 0);
    for (int n = 2; n >= 0; n--) {
        assert_int_equal(loader_wait(loader, &batch, &err), 0);
        assert_int_equal(batch.n, n);
        if (n == 2) /* 8 with 7 */
            assert_true(fabs((double)(batch.field[2][CLASSES + 8] + batch.field[2][CLASSES + 7]) -
                             1) < 1e-6);
        if (n == 1) /* with itself */
            assert_true(fabs(255 * (double)batch.field[IMAGE][0] - 9) < 1e-4);
        loader_release_batch(loader);
    }
    loader_free(loader);
    dataset_close(ds);
}

/* --- what cannot be mixed --- */

/* The network may know classes that the data has not. */
static void a_target_may_have_more_classes_than_the_data(void **state) {
    struct made m;
    struct applied word = make_with(&m, "cutmix", NULL, 0);
    struct dataset *ds = open_group("plain");
    struct loader_config config = {
        .dataset = ds, .pipeline = &word, .n_pipeline = 1, .training = true, .max_batch = 1};
    struct loader *loader;
    struct loader_batch batch;
    struct err err = {0};

    (void)state;
    *(int *)spot(&m, "classes", ARG_INT) = 12;
    assert_int_equal(loader_new(&loader, &config, &err), 0);
    assert_int_equal(loader_field(loader, 2)->sample.dim[0], 12);
    loader_request(loader, (int64_t[]){5}, NULL, 1, 0);
    assert_int_equal(loader_wait(loader, &batch, &err), 0);
    for (int c = 0; c < 12; c++)
        assert_true(fabs((double)batch.field[2][c] - (c == 5)) < 1e-6);
    loader_free(loader);
    *(int *)spot(&m, "classes", ARG_INT) = 9;
    assert_int_equal(loader_new(&loader, &config, &err), -1);
    assert_contains(err.msg, "cutmix: classes is 9, but label has 10");
    dataset_close(ds);
}

static void refused(const char *group, const char *first, const char *second, const char *msg) {
    struct made a, b;
    const struct applied words[] = {make_with(&a, first, NULL, 0), make_with(&b, second, NULL, 0)};
    struct dataset *ds = open_group(group);
    struct loader *loader;
    struct err err = {0};

    assert_int_equal(loader_new(&loader,
                                &(struct loader_config){.dataset = ds,
                                                        .pipeline = words,
                                                        .n_pipeline = 2,
                                                        .training = true,
                                                        .max_batch = 2},
                                &err),
                     -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_contains(err.msg, msg);
    dataset_close(ds);
}

static void what_cannot_be_mixed_is_refused(void **state) {
    (void)state;
    refused("plain", "mixup", "random_flip",
            "mixup: mixes samples that are finished; put it at the end, behind random_flip");
    refused("plain", "mixup", "cutmix",
            "mixup: cutmix mixes, too; mix(mixup=0.2, cutmix=1) takes one of both for each sample");
    refused("masks", "random_flip", "mixup",
            "mixup: mask holds a class for each pixel, of which there are no shares; cutmix "
            "exchanges pixels with their classes");
    refused("small", "random_erasing", "cutmix",
            "cutmix: mask is 2x2, but images are 16x16 (height, width): no rectangle is the same "
            "in both");
    refused("named", "random_flip", "mixup",
            "mixup: calls the shares of classes target, which the data has already; give that "
            "another name");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixup_takes_shares_of_pixels_and_classes),
        cmocka_unit_test(cutmix_exchanges_a_rectangle_and_its_classes),
        cmocka_unit_test(either_is_drawn_for_each_sample),
        cmocka_unit_test(some_samples_may_stay_as_they_are),
        cmocka_unit_test(parts_of_a_step_and_workers_give_the_same_bits),
        cmocka_unit_test(in_validation_the_target_is_the_label),
        cmocka_unit_test(a_request_without_parts_is_a_step_of_its_own),
        cmocka_unit_test(a_target_may_have_more_classes_than_the_data),
        cmocka_unit_test(what_cannot_be_mixed_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
