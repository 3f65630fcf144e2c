/* Images of many sizes: which piece of each becomes one of the size that all share. */
#include "io/augment/augment_words.h"

static const struct augment_source many = {.shape = {3, {0, 0, 3}}, .unit = true};

static struct applied make_short(struct made *m, int side) {
    make(m, "resize");
    *(int *)spot(m, "short", ARG_INT) = side;
    return m->applied;
}

static struct augment_plan plan_many(const struct applied *words, int n, bool training) {
    struct augment_plan p;
    struct err err = {0};

    if (augment_plan_init(&p, words, n, training, &many, &err))
        fail_msg("%s", err.msg);
    assert_true(p.many);
    return p;
}

static struct augment_piece piece_of(const struct applied *words, int n, bool training,
                                     uint64_t key, int64_t height, int64_t width) {
    const struct augment_plan p = plan_many(words, n, training);
    struct augment_piece piece;

    augment_piece(&p, &(struct augment_draw){.key = rng_key(5, RNG_AUGMENT, 0, key)}, height, width,
                  &piece);
    assert_true(piece.out_height == p.opened.dim[0] && piece.out_width == p.opened.dim[1]);
    return piece;
}

static void lies_at(const struct augment_piece *p, double top, double left, double height,
                    double width) {
    if (fabs(p->top - top) > 1e-9 || fabs(p->left - left) > 1e-9 ||
        fabs(p->height - height) > 1e-9 || fabs(p->width - width) > 1e-9)
        fail_msg("%g x %g at (%g, %g), expected %g x %g at (%g, %g)", p->height, p->width, p->top,
                 p->left, height, width, top, left);
}

static bool bound_is(const struct augment_piece *p, int64_t top, int64_t left, int64_t height,
                     int64_t width) {
    return p->bound.top == top && p->bound.left == left && p->bound.height == height &&
           p->bound.width == width;
}

static void validation_takes_the_middle(void **state) {
    struct made m[2];
    struct applied words[2] = {make_size(&m[0], "random_resized_crop", 224, 224)};
    struct augment_piece p = piece_of(words, 1, false, 1, 375, 500);

    (void)state;
    lies_at(&p, 0, 62, 375, 375); /* whole pixels, of which nothing outside counts */
    assert_true(bound_is(&p, 0, 62, 375, 375));
    *(double *)spot(&m[0], "crop_pct", ARG_REAL) = 0.875;
    p = piece_of(words, 1, false, 1, 375, 500);
    lies_at(&p, 0.0625 * 375, 250 - 0.4375 * 375, 0.875 * 375, 0.875 * 375);
    assert_true(bound_is(&p, 0, 0, 375, 500));
    make_size(&m[0], "random_resized_crop", 100, 300);
    *(double *)spot(&m[0], "crop_pct", ARG_REAL) = 0.5;
    p = piece_of(words, 1, false, 1, 600, 300);
    lies_at(&p, 275, 75, 50, 150);
    words[0] = make_size(&m[0], "resize", 3, 5);
    p = piece_of(words, 1, false, 1, 600, 300);
    lies_at(&p, 0, 0, 600, 300);
    assert_true(p.out_height == 3 && p.out_width == 5 && bound_is(&p, 0, 0, 600, 300));
}

/* 503 x 375 becomes 343 x 256 (343.38 rounded down); half of 119 is 60, the even number, half of
 * 117 of 341 is 58: as torchvision's Resize and CenterCrop. */
static void a_crop_of_the_resized_image_is_a_piece_of_the_image(void **state) {
    struct made m[2];
    const struct applied words[] = {make_short(&m[0], 256),
                                    make_size(&m[1], "center_crop", 224, 224)};
    struct augment_piece p = piece_of(words, 2, false, 1, 375, 503);

    (void)state;
    lies_at(&p, 16 * 375 / 256.0, 60 * 503 / 343.0, 224 * 375 / 256.0, 224 * 503 / 343.0);
    assert_true(bound_is(&p, 0, 0, 375, 503) && p.out_width == 224 && p.out_height == 224);
    p = piece_of(words, 2, false, 1, 500, 375);
    lies_at(&p, 58 * 500 / 341.0, 16 * 375 / 256.0, 224 * 500 / 341.0, 224 * 375 / 256.0);
    p = piece_of(words, 2, true, 1, 256, 256); /* of the size already */
    lies_at(&p, 16, 16, 224, 224);
}

/* 512 x 896 becomes 4 x 7: a crop of 4 x 4 has four places. */
static void random_crops_of_the_resized_image_have_all_places(void **state) {
    struct made m[2];
    const struct applied words[] = {make_short(&m[0], 4), make_size(&m[1], "random_crop", 4, 4)};
    int seen[4] = {0};

    (void)state;
    for (uint64_t key = 0; key < 400; key++) {
        const struct augment_piece p = piece_of(words, 2, true, key, 512, 896);

        lies_at(&p, 0, 128 * floor(p.left / 128 + 0.5), 512, 512);
        assert_true(p.left >= 0 && p.left <= 384 && bound_is(&p, 0, 0, 512, 896));
        seen[(int)(p.left / 128 + 0.5)]++;
    }
    for (int i = 0; i < 4; i++) /* 100 each, standard deviation 9 */
        assert_in_range(seen[i], 60, 140);
    const struct augment_piece middle = piece_of(words, 2, false, 1, 512, 896);
    lies_at(&middle, 0, 2 * 128, 512, 512); /* half of 3 is 2 */
}

static void random_pieces_are_whole_pixels_of_the_wanted_areas(void **state) {
    struct made m[2];
    const struct applied words[] = {make_size(&m[0], "random_resized_crop", 8, 8),
                                    make(&m[1], "random_flip")};
    double least = 1, most = 0;
    int mirrored = 0;

    (void)state;
    for (uint64_t key = 0; key < 1000; key++) {
        const struct augment_piece p = piece_of(words, 2, true, key, 375, 500);
        const double area = p.height * p.width / (375.0 * 500), form = p.width / p.height;

        assert_true(
            bound_is(&p, (int64_t)p.top, (int64_t)p.left, (int64_t)p.height, (int64_t)p.width));
        assert_true(p.top >= 0 && p.top + p.height <= 375 && p.left >= 0 &&
                    p.left + p.width <= 500);
        assert_true(form > 0.74 && form < 1.35);
        least = fmin(least, area), most = fmax(most, area);
        mirrored += p.mirrored;
    }
    assert_true(least > 0.078 && least < 0.1 && most > 0.9 && most <= 1);
    assert_in_range(mirrored, 430, 570); /* 500, 16 */
}

/* A piece of bytes through the pipeline. */
static void run_piece(const struct applied *words, int n, bool training, const unsigned char *bytes,
                      float *out) {
    const struct augment_plan p = plan_many(words, n, training);
    float scratch[MAX_FLOATS];

    assert_true(p.scratch_len <= MAX_FLOATS);
    augment_run(&p, &(struct augment_draw){.key = 3}, bytes, NULL, scratch, out);
}

/* A word that changes nothing keeps those behind it from being part of decoding. */
static void what_is_part_of_decoding_gives_the_same_bits(void **state) {
    static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    enum { SIDE = 16, BYTES = SIDE * SIDE * 3 };
    unsigned char bytes[BYTES], mirror[BYTES];
    float folded[BYTES], plain[BYTES];
    struct made m[4];
    const struct applied open = make_size(&m[0], "resize", SIDE, SIDE),
                         flip = make_real(&m[1], "random_flip", "p", 1),
                         none = make_real(&m[2], "brightness", "range", 0),
                         normal = make(&m[3], "normalize");
    const struct applied all[] = {open, flip, normal}, apart[] = {open, none, flip, normal};

    (void)state;
    *(struct reals *)spot(&m[3], "mean", ARG_REALS) = (struct reals){3, mean};
    *(struct reals *)spot(&m[3], "std", ARG_REALS) = (struct reals){3, std};
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i % 256);
    for (int i = 0; i < BYTES; i++) /* what decoding does */
        mirror[i] = bytes[(i / 3 / SIDE * SIDE + SIDE - 1 - i / 3 % SIDE) * 3 + i % 3];
    assert_int_equal(plan_many(all, 3, true).n_done, 3);
    assert_int_equal(plan_many(apart, 4, true).n_done, 1);
    assert_true(piece_of(all, 3, true, 0, 40, 30).mirrored);
    assert_false(piece_of(apart, 4, true, 0, 40, 30).mirrored);
    run_piece(all, 3, true, mirror, folded);
    run_piece(apart, 4, true, bytes, plain);
    assert_memory_equal(folded, plain, sizeof plain);
    run_piece(&open, 1, false, bytes, plain);
    for (int i = 0; i < BYTES; i++)
        assert_true(plain[i] == (float)bytes[i] / 255);
    *(int *)spot(&m[1], "vertical", ARG_WORD) = 1;
    assert_int_equal(plan_many(all, 3, true).n_done, 1);
    assert_false(piece_of(all, 3, true, 0, 40, 30).mirrored);
}

static void grey_pieces_go_through_the_same_table(void **state) {
    static const double half[] = {0.5};
    const struct augment_source grey = {.shape = {3, {0, 0, 1}}, .unit = true};
    const unsigned char bytes[] = {0, 255, 51, 102};
    const float expected[] = {-1, 1, -0.6f, -0.2f};
    float scratch[64], out[4];
    struct made m[2];
    const struct applied words[] = {make_size(&m[0], "resize", 2, 2), make(&m[1], "normalize")};
    struct augment_plan p;
    struct err err = {0};

    (void)state;
    *(struct reals *)spot(&m[1], "mean", ARG_REALS) = (struct reals){1, half};
    *(struct reals *)spot(&m[1], "std", ARG_REALS) = (struct reals){1, half};
    assert_int_equal(augment_plan_init(&p, words, 2, true, &grey, &err), 0);
    assert_true(p.scratch_len <= 64);
    augment_run(&p, &(struct augment_draw){0}, bytes, NULL, scratch, out);
    near(out, expected, 4);
}

static void refused_many(const struct applied *words, int n, const char *message) {
    struct augment_plan p;
    struct err err = {0};

    assert_int_equal(augment_plan_init(&p, words, n, true, &many, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, message);
}

#define BEGIN_WITH                                                                                 \
    ": the images have many sizes; begin with random_resized_crop(224), resize(224) or "           \
    "resize(short=256) | center_crop(224)"

static void words_that_leave_many_sizes_are_refused(void **state) {
    struct made m[8];
    const struct applied crop = make_size(&m[0], "random_crop", 224, 224),
                         middle = make_size(&m[1], "center_crop", 224, 224),
                         flip = make(&m[2], "random_flip"), jitter = make(&m[3], "color_jitter"),
                         side = make_short(&m[4], 256), size = make_size(&m[5], "resize", 224, 224),
                         rrc = make_size(&m[6], "random_resized_crop", 224, 224),
                         few = make_short(&m[7], 200);

    (void)state;
    refused_many(NULL, 0, "augment" BEGIN_WITH);
    refused_many(&crop, 1, "random_crop" BEGIN_WITH);
    refused_many(&middle, 1, "center_crop" BEGIN_WITH);
    refused_many((struct applied[]){flip, rrc}, 2, "random_flip" BEGIN_WITH);
    refused_many((struct applied[]){jitter, rrc}, 2, "color_jitter" BEGIN_WITH);
    refused_many((struct applied[]){side, flip, crop}, 3, "random_flip" BEGIN_WITH);
    refused_many(&side, 1,
                 "resize: the shorter side alone leaves images of many sizes; expected "
                 "center_crop(224) or random_crop(224) after it");
    refused_many((struct applied[]){side, size}, 2,
                 "resize: after resize(short=...) the images have many sizes; expected center_crop "
                 "or random_crop there");
    refused_many((struct applied[]){few, middle}, 2,
                 "center_crop: size 224x224 is larger than the image 200x200");
    *(int *)spot(&m[0], "pad", ARG_INT) = 4;
    refused_many((struct applied[]){side, crop}, 2,
                 "random_crop: images of many sizes are not padded; leave out pad");
    make(&m[5], "resize");
    refused_many(&size, 1,
                 "resize: expected a size, as in resize(224) and resize([192, 224]), or the "
                 "shorter side, as in resize(short=256)");
}

static void images_of_one_size_are_resized_by_their_shorter_side(void **state) {
    const struct augment_source raw[] = {{.shape = {3, {375, 503, 1}}}, {.shape = {3, {7, 3, 1}}}};
    const int64_t expected[][2] = {{256, 343}, {4, 2}};
    const int side[] = {256, 2};
    float in[8], out[2];
    struct augment_plan p;
    struct err err = {0};
    struct made m;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct applied word = make_short(&m, side[i]);

        assert_int_equal(augment_plan_init(&p, &word, 1, true, &raw[i], &err), 0);
        assert_true(p.out.dim[0] == expected[i][0] && p.out.dim[1] == expected[i][1]);
    }
    for (int i = 0; i < 8; i++)
        in[i] = (float)(i / 4);
    run(make_short(&m, 1), true, 1, 2, 4, in, out);
    near(out, (float[]){0.5f, 0.5f}, 2);
}

/* Columns 3 and 4 of lines 1 and 2 are the middle quarter of the largest square. */
static void crop_pct_takes_a_part_of_the_largest_piece(void **state) {
    float in[4 * 8], out[4], wide[4];
    const float expected[] = {13, 14, 23, 24};
    struct made m;
    const struct applied word = make_size(&m, "random_resized_crop", 2, 2);

    (void)state;
    for (int i = 0; i < 4 * 8; i++)
        in[i] = (float)(i / 8 * 10 + i % 8);
    run(word, false, 1, 4, 8, in, wide);
    *(double *)spot(&m, "crop_pct", ARG_REAL) = 0.5;
    run(word, false, 1, 4, 8, in, out);
    near(out, expected, 4);
    assert_true(wide[0] < 10); /* all four lines */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation_takes_the_middle),
        cmocka_unit_test(a_crop_of_the_resized_image_is_a_piece_of_the_image),
        cmocka_unit_test(random_crops_of_the_resized_image_have_all_places),
        cmocka_unit_test(random_pieces_are_whole_pixels_of_the_wanted_areas),
        cmocka_unit_test(what_is_part_of_decoding_gives_the_same_bits),
        cmocka_unit_test(grey_pieces_go_through_the_same_table),
        cmocka_unit_test(words_that_leave_many_sizes_are_refused),
        cmocka_unit_test(images_of_one_size_are_resized_by_their_shorter_side),
        cmocka_unit_test(crop_pct_takes_a_part_of_the_largest_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
