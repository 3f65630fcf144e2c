/* Expected values are worked by hand. */
#include "augment_words.h"

static void bytes_become_0_to_1_without_a_pipeline(void **state) {
    (void)state;
    const struct augment_source source = {{3, {1, 2, 2}}, NULL, NULL, AUGMENT_IMAGE, false};
    const unsigned char bytes[] = {0, 51, 255, 1};
    float out[4], scratch[MAX_FLOATS];
    struct augment_plan p;

    plan(&p, NULL, 0, true, &source);
    assert_true(shape_equal(&p.out, &source.shape));
    augment_run(&p, &(struct augment_draw){.key = 1}, bytes, NULL, scratch, out);
    assert_true(out[0] == 0 && out[1] == 0.2f && out[2] == 1 && out[3] == 1.0f / 255);
}

/* Every random_crop of 2 x 3 from the 3 x 4 grid, padded by one, is a piece of this. */
static void random_crops_are_pieces_and_all_places_come_up(void **state) {
    (void)state;
    const float padded[5][6] = {
        {0}, {0, 1, 2, 3, 4, 0}, {0, 5, 6, 7, 8, 0}, {0, 9, 10, 11, 12, 0}, {0}};
    int seen[4][4] = {{0}};
    struct made m;
    struct applied word = make_size(&m, "random_crop", 2, 3);

    *(int *)spot(&m, "pad", ARG_INT) = 1;
    for (uint64_t key = 0; key < 1600; key++) {
        float out[6];
        int found = 0;

        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), 3, 4, grid, out);
        for (int top = 0; top < 4; top++)
            for (int left = 0; left < 4; left++)
                if (!memcmp(out, &padded[top][left], 12) &&
                    !memcmp(out + 3, &padded[top + 1][left], 12))
                    seen[top][left]++, found++;
        assert_true(found >= 1);
    }
    for (int i = 0; i < 16; i++) /* 100 each, standard deviation 10 */
        assert_in_range(seen[i / 4][i % 4], 60, 140);
}

static void center_crop_and_validation_take_the_centre(void **state) {
    (void)state;
    const float expected[] = {2, 3, 6, 7};
    float out[12];
    struct made m;

    run(make_size(&m, "center_crop", 2, 2), true, 1, 3, 4, grid, out);
    near(out, expected, 4);
    for (uint64_t key = 0; key < 20; key++) {
        run(make_size(&m, "random_crop", 2, 2), false, key, 3, 4, grid, out);
        near(out, expected, 4);
        make_size(&m, "random_crop", 3, 4);
        *(int *)spot(&m, "pad", ARG_INT) = 4;
        run(m.applied, false, key, 3, 4, grid, out);
        assert_memory_equal(out, grid, sizeof grid);
    }
}

static void resize_weighs_as_a_triangle_does(void **state) {
    (void)state;
    const float two[] = {4, 8}, four[] = {7, 14, 21, 35};
    const float up[] = {4, 5, 7, 8}; /* x0, 3/4 x0 + 1/4 x1, ... */
    const float down[] = {12, 26};   /* (3 x0 + 3 x1 + x2) / 7, (x1 + 3 x2 + 3 x3) / 7 */
    float out[16];
    struct made m;

    run(make_size(&m, "resize", 1, 4), true, 1, 1, 2, two, out);
    near(out, up, 4);
    run(make_size(&m, "resize", 4, 1), true, 1, 2, 1, two, out);
    near(out, up, 4);
    run(make_size(&m, "resize", 1, 2), true, 1, 1, 4, four, out);
    near(out, down, 2);
    run(make_size(&m, "resize", 2, 1), true, 1, 4, 1, four, out);
    near(out, down, 2);
    run(make_size(&m, "resize", 3, 4), true, 1, 3, 4, grid, out);
    assert_memory_equal(out, grid, sizeof grid);
}

/* An image that says where it is: row * 100 + column. */
static void random_resized_crops_have_the_wanted_areas(void **state) {
    (void)state;
    enum { SIDE = 30, KEYS = 500 };
    const double range[] = {0.25, 0.5}, ratio[] = {0.5, 2};
    float in[SIDE * SIDE], out[4];
    double least = 1, most = 0, narrow = 9, wide = 0;
    struct made m;
    struct applied word = make_size(&m, "random_resized_crop", 2, 2);

    for (int i = 0; i < SIDE * SIDE; i++)
        in[i] = (float)(i / SIDE * 100 + i % SIDE);
    *(struct reals *)spot(&m, "scale", ARG_REALS) = (struct reals){2, range};
    *(struct reals *)spot(&m, "ratio", ARG_REALS) = (struct reals){2, ratio};
    for (uint64_t key = 0; key < KEYS; key++) {
        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), SIDE, SIDE, in, out);
        /* Of many pixels, cut triangles about 1/4 and 3/4 have their centroids at 25/84 and
         * 59/84 of the width: 17/42 apart. */
        const double dx = (double)(out[1] - out[0]) / (17.0 / 42);
        const double dy = (double)(out[2] - out[0]) / (17.0 / 42) / 100;
        const double area = dx * dy / (SIDE * SIDE);

        assert_true(dx > 0 && dy > 0 && dx <= SIDE + 1 && dy <= SIDE + 1);
        least = fmin(least, area), most = fmax(most, area);
        narrow = fmin(narrow, dx / dy), wide = fmax(wide, dx / dy);
    }
    assert_true(least > 0.22 && least < 0.29 && most > 0.45 && most < 0.55);
    assert_true(narrow > 0.45 && narrow < 0.58 && wide > 1.75 && wide < 2.2);
}

static void random_resized_crop_validates_on_the_centred_piece(void **state) {
    (void)state;
    const float expected[] = {2, 3, 4, 7, 8, 9}; /* 2 x 3 of the 2 x 5 below, untouched */
    const float in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    float out[6];
    struct made m;

    run(make_size(&m, "random_resized_crop", 2, 3), false, 1, 2, 5, in, out);
    near(out, expected, 6);
}

static void half_of_the_images_are_mirrored(void **state) {
    (void)state;
    const float mirrored[] = {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9};
    const float down[] = {9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4};
    int n = 0;
    float out[12];
    struct made m;
    struct applied word = make(&m, "random_flip");

    for (uint64_t key = 0; key < 1000; key++) {
        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), 3, 4, grid, out);
        if (!memcmp(out, mirrored, sizeof mirrored))
            n++;
        else
            assert_memory_equal(out, grid, sizeof grid);
    }
    assert_in_range(n, 420, 580); /* 500, standard deviation 16 */
    *(double *)spot(&m, "p", ARG_REAL) = 1;
    *(int *)spot(&m, "vertical", ARG_WORD) = 1;
    run(word, true, 1, 3, 4, grid, out);
    assert_memory_equal(out, down, sizeof down);
    run(word, false, 1, 3, 4, grid, out);
    assert_memory_equal(out, grid, sizeof grid);
}

static void mirrored_pixels_keep_their_channels(void **state) {
    (void)state;
    const struct augment_source source = {{3, {1, 3, 2}}, NULL, NULL, AUGMENT_IMAGE, false};
    const unsigned char bytes[] = {0, 255, 255, 0, 51, 51};
    const float expected[] = {0.2f, 0.2f, 1, 0, 0, 1};
    float out[6], scratch[MAX_FLOATS];
    struct augment_plan p;
    struct made m;
    const struct applied word = make_real(&m, "random_flip", "p", 1);

    plan(&p, &word, 1, true, &source);
    augment_run(&p, &(struct augment_draw){.key = 1}, bytes, NULL, scratch, out);
    near(out, expected, 6);
}

static void turning_about_the_centre_keeps_it_and_its_distance(void **state) {
    (void)state;
    enum { SIDE = 21 };
    float in[SIDE * SIDE] = {0}, out[SIDE * SIDE];
    int left = 0, right = 0;
    struct made m;
    struct applied word = make_real(&m, "rotate", "degrees", 0);

    run(word, true, 3, 3, 4, grid, out);
    near(out, grid, 12);
    word = make_real(&m, "rotate", "degrees", 60);
    in[10 * SIDE + 10] = 5; /* the centre, and a point 8 to the right of it */
    in[10 * SIDE + 18] = 1;
    for (uint64_t key = 0; key < 200; key++) {
        double sum = 0, y = 0, x = 0;

        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), SIDE, SIDE, in, out);
        assert_true(out[10 * SIDE + 10] == 5);
        for (int i = 0; i < SIDE * SIDE; i++) {
            if (abs(i / SIDE - 10) < 3 && abs(i % SIDE - 10) < 3)
                continue; /* around the centre */
            sum += (double)out[i];
            y += (double)out[i] * (i / SIDE - 10);
            x += (double)out[i] * (i % SIDE - 10);
        }
        y /= sum, x /= sum;
        assert_true(fabs(sqrt(x * x + y * y) - 8) < 0.5);
        assert_true(fabs(atan2(y, x)) < 1.1);
        left += y > 4, right += y < -4;
    }
    assert_true(left > 20 && right > 20);
}

/* What moves by (dy, dx) leaves zeros behind; 40 % of 5 pixels is 2. */
static void shifts_are_whole_pixels_within_the_fraction(void **state) {
    (void)state;
    float in[25] = {0}, out[25];
    int seen[5][5] = {{0}};
    struct made m;
    const struct applied word = make_real(&m, "shift", "fraction", 0.4);

    in[12] = 1;
    for (uint64_t key = 0; key < 1600; key++) {
        int n = 0;

        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), 5, 5, in, out);
        for (int i = 0; i < 25; i++)
            if (out[i] != 0) {
                assert_true(out[i] == 1);
                seen[i / 5][i % 5]++, n++;
            }
        assert_int_equal(n, 1);
    }
    for (int i = 0; i < 25; i++) /* inner ones 100, edges half of it, corners a quarter */
        assert_true(seen[i / 5][i % 5] > 5);
}

static void brightness_and_contrast_stay_in_their_range(void **state) {
    (void)state;
    const float in[] = {1, 3}; /* mean 2 */
    double least[2] = {9, 9}, most[2] = {0, 0}, sum[2] = {0, 0};
    float out[2];
    struct made b, c;
    const struct applied words[] = {make_real(&b, "brightness", "range", 0.4),
                                    make_real(&c, "contrast", "range", 1.5)};

    for (int k = 0; k < 2; k++)
        for (uint64_t key = 0; key < 1000; key++) {
            run(words[k], true, rng_key(7, RNG_AUGMENT, 0, key), 1, 2, in, out);
            const double f = (double)(k ? (out[1] - out[0]) / 2 : out[0]);

            if (k)
                assert_true(fabsf(out[0] + out[1] - 4) < 1e-5f);
            else
                assert_true(fabsf(out[1] - 3 * out[0]) < 1e-5f);
            least[k] = fmin(least[k], f), most[k] = fmax(most[k], f), sum[k] += f / 1000;
        }
    assert_true(least[0] >= 0.6 - 1e-6 && least[0] < 0.61 && most[0] > 1.39 && most[0] <= 1.4001);
    assert_true(least[1] >= 0 && least[1] < 0.03 && most[1] > 2.47 && most[1] <= 2.5001);
    assert_true(fabs(sum[0] - 1) < 0.03 && fabs(sum[1] - 1.25) < 0.1);
}

/* A 2 x 2 hole centred on any of 12 pixels covers 4, and fewer at the top and left edges. */
static void cutout_leaves_a_hole_of_its_size(void **state) {
    (void)state;
    int holes[5] = {0};
    float out[12];
    struct made m;
    const struct applied word = make_size(&m, "cutout", 2, 2);

    for (uint64_t key = 0; key < 1200; key++) {
        int n = 0;

        run(word, true, rng_key(7, RNG_AUGMENT, 0, key), 3, 4, grid, out);
        for (int i = 0; i < 12; i++) {
            assert_true(out[i] == 0 || out[i] == grid[i]);
            n += out[i] == 0;
        }
        assert_true(n == 1 || n == 2 || n == 4);
        holes[n]++;
    }
    /* centres: 1 corner, 5 on the edges, 6 inside */
    assert_in_range(holes[1], 60, 140);
    assert_in_range(holes[2], 430, 570);
    assert_in_range(holes[4], 530, 670);
}

static void normalize_takes_the_datasets_numbers_or_those_given(void **state) {
    (void)state;
    const float mean[] = {0.5f, 0.25f}, std[] = {0.5f, 0.125f};
    const struct augment_source source = {{3, {1, 2, 2}}, mean, std, AUGMENT_IMAGE, false};
    const float in[] = {1, 0.5f, 0, 0}, expected[] = {1, 2, -1, -2}, halves[] = {6, 2, -2, -2};
    const double given_mean[] = {0.25, 0.25}, given_std[] = {0.125};
    float out[4], scratch[MAX_FLOATS];
    struct augment_plan p;
    struct made m;
    struct applied word = make(&m, "normalize");

    for (int training = 0; training < 2; training++) {
        plan(&p, &word, 1, training, &source);
        augment_run(&p, &(struct augment_draw){.key = 1}, NULL, in, scratch, out);
        near(out, expected, 4);
    }
    *(struct reals *)spot(&m, "mean", ARG_REALS) = (struct reals){2, given_mean};
    *(struct reals *)spot(&m, "std", ARG_REALS) = (struct reals){1, given_std};
    plan(&p, &word, 1, true, &source);
    augment_run(&p, &(struct augment_draw){.key = 1}, NULL, in, scratch, out);
    near(out, halves, 4);
}

/* Pixel p of channel k is k * 10 + p, mean k * 10, deviation k + 1: p / (k + 1) is left. */
static void normalize_keeps_channels_apart_whatever_their_number(void **state) {
    (void)state;
    enum { PIXELS = 7, MOST = 250 };
    const int channels[] = {1, 3, 5, 95, 96, 97, 192, 250};
    float mean[MOST], std[MOST], in[PIXELS * MOST], out[PIXELS * MOST], scratch[MAX_FLOATS];
    struct augment_plan p;
    struct made m;
    const struct applied word = make(&m, "normalize");

    for (int t = 0; t < 8; t++) {
        const int n = channels[t];
        const struct augment_source source = {{3, {1, PIXELS, n}}, mean, std, AUGMENT_IMAGE, false};

        for (int i = 0; i < PIXELS * n; i++)
            in[i] = (float)(i % n * 10 + i / n);
        for (int k = 0; k < n; k++)
            mean[k] = (float)(k * 10), std[k] = (float)(k + 1);
        plan(&p, &word, 1, true, &source);
        augment_run(&p, &(struct augment_draw){.key = 1}, NULL, in, scratch, out);
        for (int i = 0; i < PIXELS * n; i++)
            assert_true(fabsf(out[i] - (float)(i / n) / (float)(i % n + 1)) < 1e-5f);
    }
}

/* crop (apart), normalize (in place), flip (in place): 2 x 2 of [[1 2 3][4 5 6]] / 255. */
static void words_follow_one_another(void **state) {
    (void)state;
    const float mean[] = {0}, std[] = {1.0f / 255};
    const struct augment_source source = {{3, {2, 4, 1}}, mean, std, AUGMENT_IMAGE, false};
    const unsigned char bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float expected[] = {3, 2, 7, 6};
    float out[4], scratch[MAX_FLOATS];
    struct augment_plan p;
    struct made m[4];
    const struct applied words[] = {make_real(&m[0], "brightness", "range", 0),
                                    make_size(&m[1], "center_crop", 2, 2), make(&m[2], "normalize"),
                                    make_real(&m[3], "random_flip", "p", 1)};

    plan(&p, words, 4, true, &source);
    assert_int_equal(p.n, 4);
    augment_run(&p, &(struct augment_draw){.key = 1}, bytes, NULL, scratch, out);
    near(out, expected, 4);
    plan(&p, words, 4, false, &source);
    assert_int_equal(p.n, 2);
    assert_int_equal(p.stage[1].position, 2);
}

/* The same word twice draws twice. */
static void places_in_the_pipeline_draw_apart(void **state) {
    (void)state;
    const struct augment_source source = {{3, {1, 2, 1}}, NULL, NULL, AUGMENT_IMAGE, false};
    const float in[] = {1, 2};
    int mirrored = 0;
    struct augment_plan p;
    struct made m;
    const struct applied flip = make(&m, "random_flip"), words[] = {flip, flip};

    plan(&p, words, 2, true, &source);
    for (uint64_t key = 0; key < 1000; key++) {
        float out[2], again[2], scratch[MAX_FLOATS];

        augment_run(&p, &(struct augment_draw){.key = rng_key(7, RNG_AUGMENT, 1, key)}, NULL, in,
                    scratch, out);
        augment_run(&p, &(struct augment_draw){.key = rng_key(7, RNG_AUGMENT, 1, key)}, NULL, in,
                    scratch, again);
        assert_memory_equal(out, again, sizeof out);
        mirrored += out[0] == 2;
    }
    assert_in_range(mirrored, 420, 580);
}

/* By numpy: np.rot90([[1, 2], [3, 4]], k) for k = 0 .. 3. */
static void quarters_are_turned_equally_often(void **state) {
    (void)state;
    const float in[] = {1, 2, 3, 4};
    const float turned[4][4] = {{1, 2, 3, 4}, {2, 4, 1, 3}, {4, 3, 2, 1}, {3, 1, 4, 2}};
    const struct augment_source flat = {{3, {2, 3, 1}}, NULL, NULL, AUGMENT_IMAGE, false};
    int seen[4] = {0};
    struct made m;

    for (uint64_t key = 0; key < 400; key++) {
        float out[4];

        run(make(&m, "rotate90"), true, rng_key(1, RNG_AUGMENT, 0, key), 2, 2, in, out);
        for (int k = 0; k < 4; k++)
            seen[k] += !memcmp(out, turned[k], sizeof out);
    }
    assert_int_equal(seen[0] + seen[1] + seen[2] + seen[3], 400);
    for (int k = 0; k < 4; k++) /* 100 each, standard deviation 8.7 */
        assert_in_range(seen[k], 65, 135);
    refused(make(&m, "rotate90"), &flat,
            "rotate90: the image is 2x3 (height, width), expected a square");
}

/* On a slope of 1 a place along x, out - in is how far the pixel came from: smooth noise, whose
 * variance is alpha^2 / 3 times the sum of the squared weights, 1 / (4 pi sigma^2). */
static void elastic_moves_are_smooth_and_as_strong_as_said(void **state) {
    (void)state;
    enum { SIDE = 28, EDGE = 10, ROUNDS = 60 };
    static float in[SIDE * SIDE], out[SIDE * SIDE];
    const double alpha = 12, sigma = 2, expected = alpha * alpha / 3 / (4 * 3.14159265 * 4);
    double squares = 0, steps = 0;
    int n = 0;
    struct made m;
    struct applied word = make_real(&m, "elastic", "alpha", alpha);

    *(double *)spot(&m, "sigma", ARG_REAL) = sigma;
    for (int i = 0; i < SIDE * SIDE; i++)
        in[i] = (float)(i % SIDE);
    for (uint64_t key = 0; key < ROUNDS; key++) {
        run(word, true, rng_key(2, RNG_AUGMENT, 0, key), SIDE, SIDE, in, out);
        for (int y = EDGE; y < SIDE - EDGE; y++)
            for (int x = EDGE; x < SIDE - EDGE; x++, n++) {
                const double move = (double)out[y * SIDE + x] - x;
                const double next = (double)out[y * SIDE + x + 1] - x - 1;

                squares += move * move;
                steps += (next - move) * (next - move);
            }
    }
    assert_true(fabs(squares / n / expected - 1) < 0.25);
    /* Neighbours: 2 (1 - exp(-1 / (4 sigma^2))) of that. */
    assert_true(fabs(steps / squares / (2 * (1 - exp(-1.0 / 16))) - 1) < 0.2);
    run(word, false, 1, SIDE, SIDE, in, out);
    assert_memory_equal(in, out, sizeof in);
}

static void wrong_sizes_and_numbers_are_refused(void **state) {
    (void)state;
    const float mean[] = {0.5f}, std[] = {0};
    const struct augment_source flat = {{3, {3, 4, 1}}, mean, std, AUGMENT_IMAGE, false};
    const double three[] = {0.1, 0.2, 0.3}, turned[] = {0.5, 0.1};
    struct made m;
    struct applied word;

    refused(make_size(&m, "random_crop", 4, 4), &grid_source,
            "random_crop: size 4x4 is larger than the image 3x4");
    make_size(&m, "random_crop", 6, 4);
    *(int *)spot(&m, "pad", ARG_INT) = 1;
    refused(m.applied, &grid_source, "random_crop: size 6x4 is larger than the padded image 5x6");
    refused(make_size(&m, "center_crop", 3, 5), &grid_source,
            "center_crop: size 3x5 is larger than the image 3x4");
    word = make(&m, "resize");
    *(struct ints *)spot(&m, "size", ARG_INTS) = (struct ints){3, {1, 2, 3}};
    refused(word, &grid_source,
            "resize: size is a list of 3 numbers, expected one or [height, width]");
    word = make_size(&m, "random_resized_crop", 2, 2);
    *(struct reals *)spot(&m, "scale", ARG_REALS) = (struct reals){2, turned};
    refused(word, &grid_source, "random_resized_crop: scale is [least, most] of the image's area");
    word = make(&m, "normalize");
    refused(word, &grid_source,
            "normalize: the dataset does not say its mean; give mean=[...], one number a channel");
    refused(word, &flat, "normalize: std of channel 0 is 0, expected more than 0");
    *(struct reals *)spot(&m, "mean", ARG_REALS) = (struct reals){3, three};
    refused(word, &flat, "normalize: mean has 3 numbers, the image has 1 channels");
}

/* As for Caffe, or of uint8 arrays: bytes are 0 to 1 here, and would all become about -2. */
static void numbers_of_0_to_255_are_refused_for_bytes(void **state) {
    (void)state;
    const float mean[] = {103.5f}, std[] = {57.375f};
    const double half[] = {0.5}, byte[] = {255}, none[] = {0};
    struct augment_source source = {{3, {3, 4, 1}}, mean, std, AUGMENT_IMAGE, true};
    struct augment_plan p;
    struct made first, second;
    struct applied words[2] = {make(&first, "normalize"), make(&second, "normalize")};

    refused(words[0], &source,
            "normalize: mean of channel 0 is 103.5 in the dataset, expected 0 to 1: bytes are "
            "divided by 255 first; 103.5/255 is 0.4059");
    *(struct reals *)spot(&first, "mean", ARG_REALS) = (struct reals){1, none};
    *(struct reals *)spot(&first, "std", ARG_REALS) = (struct reals){1, byte};
    refused(words[0], &source,
            "normalize: std of channel 0 is 255, expected 0 to 1: bytes are divided by 255 first; "
            "255/255 is 1");
    *(struct reals *)spot(&first, "std", ARG_REALS) = (struct reals){1, half};
    plan(&p, words, 2, true, &source);
    source.unit = false;
    plan(&p, &words[1], 1, true, &source);
}

static void pipelines_that_are_too_long_are_refused(void **state) {
    (void)state;
    struct applied words[AUGMENT_MAX + 1];
    struct augment_plan p;
    struct err err = {0};
    struct made m;

    for (int i = 0; i <= AUGMENT_MAX; i++)
        words[i] = make(&m, "random_flip");
    assert_int_equal(augment_plan_init(&p, words, AUGMENT_MAX, true, &grid_source, &err), 0);
    assert_int_equal(augment_plan_init(&p, words, AUGMENT_MAX + 1, true, &grid_source, &err), -1);
    assert_string_equal(err.msg, "random_flip: a pipeline has 16 words at most");
}

/* Half of the samples are mirrored in even epochs, the others in odd ones. */
static void alternate_flips_mirror_in_every_other_epoch(void **state) {
    const float in[] = {1, 2}, mirrored[] = {2, 1};
    const struct augment_source source = {{3, {1, 2, 1}}, NULL, NULL, AUGMENT_IMAGE, false};
    float out[2], scratch[MAX_FLOATS];
    struct augment_plan p;
    struct made m;
    int first = 0;

    (void)state;
    make(&m, "random_flip");
    *(int *)spot(&m, "alternate", ARG_WORD) = 1;
    plan(&p, &m.applied, 1, true, &source);
    for (uint64_t sample = 0; sample < 400; sample++) {
        bool flipped[4];

        for (uint64_t epoch = 0; epoch < 4; epoch++) {
            const struct augment_draw draw = {.key = rng_key(7, RNG_AUGMENT, epoch, sample),
                                              .steady = rng_key(7, RNG_AUGMENT, UINT64_MAX, sample),
                                              .odd = epoch & 1};
            augment_run(&p, &draw, NULL, in, scratch, out);
            flipped[epoch] = out[0] == mirrored[0];
        }
        assert_true(flipped[0] != flipped[1] && flipped[0] == flipped[2] &&
                    flipped[1] == flipped[3]);
        first += flipped[0];
    }
    assert_in_range(first, 160, 240); /* 200, standard deviation 10 */
    *(double *)spot(&m, "p", ARG_REAL) = 0.3;
    refused(m.applied, &source,
            "random_flip: alternate flips in every other epoch, so that p is 0.5, not 0.3");
}

static void all_words_are_found_by_name(void **state) {
    (void)state;
    int n;
    const struct augment *const *table = augment_table(&n);

    assert_int_equal(n, 30);
    for (int i = 0; i < n; i++)
        assert_ptr_equal(augment_find(table[i]->word.name), &table[i]->word);
    assert_null(augment_find("mixes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_0_to_1_without_a_pipeline),
        cmocka_unit_test(random_crops_are_pieces_and_all_places_come_up),
        cmocka_unit_test(center_crop_and_validation_take_the_centre),
        cmocka_unit_test(resize_weighs_as_a_triangle_does),
        cmocka_unit_test(random_resized_crops_have_the_wanted_areas),
        cmocka_unit_test(random_resized_crop_validates_on_the_centred_piece),
        cmocka_unit_test(half_of_the_images_are_mirrored),
        cmocka_unit_test(mirrored_pixels_keep_their_channels),
        cmocka_unit_test(turning_about_the_centre_keeps_it_and_its_distance),
        cmocka_unit_test(shifts_are_whole_pixels_within_the_fraction),
        cmocka_unit_test(brightness_and_contrast_stay_in_their_range),
        cmocka_unit_test(cutout_leaves_a_hole_of_its_size),
        cmocka_unit_test(normalize_takes_the_datasets_numbers_or_those_given),
        cmocka_unit_test(normalize_keeps_channels_apart_whatever_their_number),
        cmocka_unit_test(words_follow_one_another),
        cmocka_unit_test(places_in_the_pipeline_draw_apart),
        cmocka_unit_test(quarters_are_turned_equally_often),
        cmocka_unit_test(elastic_moves_are_smooth_and_as_strong_as_said),
        cmocka_unit_test(wrong_sizes_and_numbers_are_refused),
        cmocka_unit_test(numbers_of_0_to_255_are_refused_for_bytes),
        cmocka_unit_test(pipelines_that_are_too_long_are_refused),
        cmocka_unit_test(alternate_flips_mirror_in_every_other_epoch),
        cmocka_unit_test(all_words_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
