/* rand_augment, trivial_augment and gaussian_blur against torchvision's: tests/golden/augment.py;
 * and what else is random about images. */
#include "augment_words.h"
#include "io/augment/augment_pixels.h"
#include "torchvision_image.h"

enum { H = 12, W = 10, LEN = H * W * 3, N_OPERATIONS = 14 };

static const struct augment_source color = {{3, {H, W, 3}}, NULL, NULL, AUGMENT_IMAGE, true};

/* The image of the generator through one word. */
static void run_color(struct applied word, uint64_t key, float out[LEN]) {
    static float scratch[GOLDEN_FLOATS];
    unsigned char bytes[LEN];
    struct augment_plan p;

    for (int i = 0; i < LEN; i++)
        bytes[i] = golden_byte(i, 1);
    plan(&p, &word, 1, true, &color);
    augment_run(&p, &(struct augment_draw){.key = key}, bytes, NULL, scratch, out);
}

struct golden {
    const char *name;
    uint64_t operation;
    bool back;
    double sum, weighted;
};

/* At magnitude 9. */
static const struct golden rand_golden[] = {
    {"Identity", 0, false, 179.41177, 1068.33335},
    {"ShearX", 1, false, 170.05098, 991.17257},
    {"ShearX back", 1, true, 170.84706, 996.73335},
    {"ShearY", 2, false, 172.89020, 1026.92551},
    {"ShearY back", 2, true, 173.22745, 1032.41178},
    {"TranslateX", 3, false, 161.41177, 965.30982},
    {"TranslateX back", 3, true, 161.87059, 957.86276},
    {"TranslateY", 4, false, 164.12942, 996.82355},
    {"TranslateY back", 4, true, 164.74902, 976.23924},
    {"Rotate", 5, false, 171.54118, 1014.09806},
    {"Rotate back", 5, true, 172.50196, 1016.66669},
    {"Brightness", 6, false, 217.45098, 1297.06162},
    {"Brightness back", 6, true, 130.97059, 779.88337},
    {"Color", 7, false, 180.36210, 1072.14522},
    {"Color back", 7, true, 179.24541, 1069.41614},
    {"Contrast", 8, false, 179.69549, 1069.14306},
    {"Contrast back", 8, true, 179.24541, 1068.19131},
    {"Sharpness", 9, false, 179.50837, 1068.70290},
    {"Sharpness back", 9, true, 179.42814, 1068.85951},
    {"Posterize", 10, false, 178.60393, 1063.48237},
    {"Solarize", 11, false, 103.60000, 625.79217},
    {"AutoContrast", 12, false, 178.92212, 1065.38175},
    {"Equalize", 13, false, 179.41177, 1068.33335},
};

/* At bin 5. */
static const struct golden trivial_golden[] = {
    {"Identity", 0, false, 179.41177, 1068.33335},
    {"ShearX", 1, false, 160.67059, 964.10198},
    {"ShearX back", 1, true, 160.36079, 992.45884},
    {"ShearY", 2, false, 165.98040, 996.81178},
    {"ShearY back", 2, true, 167.83530, 1011.88629},
    {"TranslateX", 3, false, 86.28235, 511.69805},
    {"TranslateX back", 3, true, 93.12941, 557.02746},
    {"TranslateY", 4, false, 104.08628, 606.18433},
    {"TranslateY back", 4, true, 105.18432, 639.89413},
    {"Rotate", 5, false, 156.06667, 932.98041},
    {"Rotate back", 5, true, 156.10981, 941.99610},
    {"Brightness", 6, false, 204.76980, 1220.21784},
    {"Brightness back", 6, true, 149.80883, 892.05839},
    {"Color", 7, false, 179.79338, 1068.78651},
    {"Color back", 7, true, 179.31011, 1068.99509},
    {"Contrast", 8, false, 179.59759, 1068.53960},
    {"Contrast back", 8, true, 179.31011, 1068.24656},
    {"Sharpness", 9, false, 179.47963, 1068.58590},
    {"Sharpness back", 9, true, 179.42178, 1068.65493},
    {"Posterize", 10, false, 178.60393, 1063.48237},
    {"Solarize", 11, false, 129.31765, 784.34512},
    {"AutoContrast", 12, false, 178.92212, 1065.38175},
    {"Equalize", 13, false, 179.41177, 1068.33335},
};

/* A key whose first draws are that operation in that direction, and that bin where it is drawn. */
static uint64_t find_key(const struct golden *g, int bin) {
    for (uint64_t key = 0;; key++)
        if (rng_below(key, 0, N_OPERATIONS) == g->operation &&
            (rng_uniform(key, 1) < 0.5F) == g->back &&
            (bin < 0 || rng_below(key, 2, 31) == (uint64_t)bin))
            return key;
}

static void rand_augment_is_torchvisions(void **state) {
    float out[LEN];
    struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof rand_golden / sizeof *rand_golden; i++) {
        const struct golden *g = &rand_golden[i];
        make(&m, "rand_augment");
        *(int *)spot(&m, "n", ARG_INT) = 1;
        run_color(m.applied, find_key(g, -1), out);
        golden_check(out, LEN, g->sum, g->weighted);
    }
}

static void trivial_augment_is_torchvisions(void **state) {
    float out[LEN];
    struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof trivial_golden / sizeof *trivial_golden; i++) {
        const struct golden *g = &trivial_golden[i];
        run_color(make(&m, "trivial_augment"), find_key(g, 5), out);
        golden_check(out, LEN, g->sum, g->weighted);
    }
}

/* Each pixel is a number of its own; what a mask lacks there is no class. */
static void masks_move_with_images(void **state) {
    const struct augment_source mask = {{3, {H, W, 1}}, NULL, NULL, AUGMENT_MASK, false};
    const struct augment_source image = {{3, {H, W, 1}}, NULL, NULL, AUGMENT_VALUES, false};
    float in[H * W], moved[H * W], classes[H * W], scratch[GOLDEN_FLOATS];
    struct augment_plan p, q;
    struct made m;
    int changed = 0;

    (void)state;
    for (int i = 0; i < H * W; i++)
        in[i] = (float)(i + 1);
    struct applied word = make(&m, "rand_augment");
    plan(&p, &word, 1, true, &image);
    plan(&q, &word, 1, true, &mask);
    for (uint64_t key = 0; key < 50; key++) {
        augment_run(&p, &(struct augment_draw){.key = key}, NULL, in, scratch, moved);
        augment_run(&q, &(struct augment_draw){.key = key}, NULL, in, scratch, classes);
        for (int i = 0; i < H * W; i++) {
            assert_true(classes[i] == (moved[i] == 0 ? -1 : moved[i]));
            changed += classes[i] != in[i];
        }
    }
    assert_true(changed > H * W);
}

static bool is_near(const float *a, const float *b, int n) {
    for (int i = 0; i < n; i++)
        if (fabsf(a[i] - b[i]) > 1e-5F)
            return false;
    return true;
}

static void gaussian_blur_is_torchvisions(void **state) {
    float out[LEN];
    struct made m;

    (void)state;
    make(&m, "gaussian_blur");
    const double sigma[] = {1.3};
    *(int *)spot(&m, "kernel", ARG_INT) = 5;
    *(struct reals *)spot(&m, "sigma", ARG_REALS) = (struct reals){1, sigma};
    run_color(m.applied, 1, out);
    golden_check(out, LEN, 179.94251, 1071.23366);
}

/* One stage alone is that operation; a strength of 0 is none. */
static void color_jitter_draws_within_its_ranges(void **state) {
    float out[LEN], plain[LEN];
    double least = 9, most = 0;
    struct made m;

    (void)state;
    golden_image(plain, LEN, 1);
    run_color(make(&m, "color_jitter"), 1, out);
    near(out, plain, LEN);
    for (uint64_t key = 0; key < 300; key++) {
        run_color(make_real(&m, "color_jitter", "brightness", 0.5), key, out);
        const double factor = (double)(out[0] / plain[0]); /* 5 / 255: not cut off */
        assert_true(factor >= 0.5 && factor < 1.5);
        least = fmin(least, factor);
        most = fmax(most, factor);
    }
    assert_true(least < 0.55 && most > 1.45);
}

/* Brightness and contrast do not commute where they are cut off: both orders come up. */
static void color_jitter_changes_its_order(void **state) {
    float out[LEN], v[2][LEN];
    int seen[2] = {0};
    struct made m;

    (void)state;
    for (uint64_t key = 0; key < 100; key++) {
        const float first = 0.5F + rng_uniform(key, 3), second = 0.5F + rng_uniform(key, 4);

        for (int order = 0; order < 2; order++) {
            const struct pixels p = {v[order], H, W, 3};
            golden_image(v[order], LEN, 1);
            if (order)
                pixels_contrast(&p, second);
            pixels_brightness(&p, first);
            if (!order)
                pixels_contrast(&p, second);
        }
        make_real(&m, "color_jitter", "brightness", 0.5);
        *(double *)spot(&m, "contrast", ARG_REAL) = 0.5;
        run_color(m.applied, key, out);
        const bool is[] = {is_near(out, v[0], LEN), is_near(out, v[1], LEN)};
        assert_true(is[0] || is[1]);
        seen[0] += is[0] && !is[1];
        seen[1] += is[1] && !is[0];
    }
    assert_true(seen[0] > 20 && seen[1] > 20);
}

static void random_gray_makes_channels_equal(void **state) {
    float out[LEN], plain[LEN];
    struct made m;
    int gray = 0;

    (void)state;
    golden_image(plain, LEN, 1);
    for (uint64_t key = 0; key < 1000; key++) {
        run_color(make_real(&m, "random_gray", "p", 0.3), key, out);
        if (out[0] == out[1])
            gray++;
        else
            near(out, plain, LEN);
    }
    assert_in_range(gray, 250, 350); /* 300, standard deviation 14 */
}

/* The erased part is a rectangle whose area and form are within their ranges. */
static void random_erasing_takes_a_rectangle(void **state) {
    static float in[40 * 40], out[40 * 40];
    struct made m;
    int erased = 0;

    (void)state;
    for (int i = 0; i < 1600; i++)
        in[i] = 1;
    for (uint64_t key = 0; key < 400; key++) {
        int top = 40, bottom = -1, left = 40, right = -1, zeros = 0;

        run(make(&m, "random_erasing"), true, key, 40, 40, in, out);
        for (int i = 0; i < 1600; i++) {
            if (out[i] != 0)
                continue;
            zeros++;
            top = i / 40 < top ? i / 40 : top;
            bottom = i / 40 > bottom ? i / 40 : bottom;
            left = i % 40 < left ? i % 40 : left;
            right = i % 40 > right ? i % 40 : right;
        }
        if (!zeros)
            continue;
        const int h = bottom - top + 1, w = right - left + 1;
        assert_int_equal(zeros, h * w);
        assert_in_range(zeros, 20, 580); /* 0.02 to 0.33 of 1600, sides rounded */
        assert_true((double)(h + 1) / (w - 1 > 0 ? w - 1 : 1) > 0.3);
        erased++;
    }
    assert_in_range(erased, 160, 240); /* 200, standard deviation 10 */
}

/* A crop of the size of the padded image is all of it. */
static void random_crop_mirrors_or_repeats_the_edge(void **state) {
    static const int rows[2][7] = {{2, 1, 0, 1, 2, 1, 0}, {0, 0, 0, 1, 2, 2, 2}};
    static const int columns[2][8] = {{2, 1, 0, 1, 2, 3, 2, 1}, {0, 0, 0, 1, 2, 3, 3, 3}};
    float out[56];
    struct made m;

    (void)state;
    for (int fill = 1; fill < 3; fill++) {
        make_size(&m, "random_crop", 7, 8);
        *(int *)spot(&m, "pad", ARG_INT) = 2;
        *(int *)spot(&m, "fill", ARG_WORD) = fill;
        run(m.applied, true, 1, 3, 4, grid, out);
        for (int i = 0; i < 56; i++)
            assert_true(out[i] == grid[rows[fill - 1][i / 8] * 4 + columns[fill - 1][i % 8]]);
    }
}

static void images_that_do_not_fit_are_refused(void **state) {
    const struct augment_source floats = {{3, {H, W, 3}}, NULL, NULL, AUGMENT_IMAGE, false};
    const struct augment_source grey = {{3, {H, W, 1}}, NULL, NULL, AUGMENT_IMAGE, true};
    struct applied two[2];
    struct made m, n;
    struct augment_plan p;
    struct err err = {0};

    (void)state;
    refused(make(&m, "rand_augment"), &floats,
            "rand_augment: needs values from 0 to 1, as of images of bytes; the images are floats");
    two[0] = make_real(&n, "brightness", "range", 0.1);
    two[1] = make(&m, "trivial_augment");
    assert_int_equal(augment_plan_init(&p, two, 2, true, &color, &err), -1);
    assert_string_equal(err.msg,
                        "trivial_augment: needs values from 0 to 1; put it before brightness");
    refused(make_real(&m, "color_jitter", "hue", 0.1), &grey,
            "color_jitter: saturation and hue are for images of 3 channels, found 1");
    refused(make(&m, "random_gray"), &grey, "random_gray: the image has 1 channels, expected 3");
    make(&m, "gaussian_blur");
    *(int *)spot(&m, "kernel", ARG_INT) = 4;
    refused(m.applied, &color, "gaussian_blur: kernel is 4, expected an odd number");
    *(int *)spot(&m, "kernel", ARG_INT) = 21;
    refused(m.applied, &color, "gaussian_blur: kernel 21 is too large for a side of 10");
    make_size(&m, "random_crop", 4, 4);
    *(int *)spot(&m, "pad", ARG_INT) = 10;
    *(int *)spot(&m, "fill", ARG_WORD) = 1;
    refused(m.applied, &color, "random_crop: pad 10 is too much to be reflected from a side of 10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rand_augment_is_torchvisions),
        cmocka_unit_test(trivial_augment_is_torchvisions),
        cmocka_unit_test(masks_move_with_images),
        cmocka_unit_test(gaussian_blur_is_torchvisions),
        cmocka_unit_test(color_jitter_draws_within_its_ranges),
        cmocka_unit_test(color_jitter_changes_its_order),
        cmocka_unit_test(random_gray_makes_channels_equal),
        cmocka_unit_test(random_erasing_takes_a_rectangle),
        cmocka_unit_test(random_crop_mirrors_or_repeats_the_edge),
        cmocka_unit_test(images_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
