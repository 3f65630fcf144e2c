/* Boxes and masks follow what is drawn: rectangles of values of their own go through every word
 * that moves pixels, and their boxes end where the values are found. */
#include "io/augment/augment_words.h"

enum { SIDE = 40, MOST = 4, ROW = 5, FLOATS = 1 << 16 };

/* x1, y1, x2, y2, class; the last one is none. */
static const float truth[MOST][ROW] = {
    {3, 4, 13, 18, 2}, {20, 2, 36, 12, 0}, {9, 22, 33, 37, 1}, {0, 0, 0, 0, -1}};

static float scratch[FLOATS], picture[FLOATS];

static void draw(int64_t h, int64_t w, float value[MOST]) {
    memset(picture, 0, sizeof picture);
    for (int b = 0; b < MOST; b++) {
        value[b] = (float)(b + 1) / 5;
        for (int y = (int)truth[b][1]; y < (int)truth[b][3]; y++)
            for (int x = (int)truth[b][0]; x < (int)truth[b][2]; x++)
                picture[y * w + x] = value[b];
    }
    assert_true(h * w <= FLOATS);
}

/* The least box that holds all that is 1, or false. */
static bool find(const float *mask, int64_t h, int64_t w, float box[4]) {
    bool any = false;

    box[0] = (float)w, box[1] = (float)h, box[2] = box[3] = 0;
    for (int64_t i = 0; i < h * w; i++) {
        const float y = (float)(i / w), x = (float)(i % w);

        if (mask[i] < 0.5f)
            continue;
        any = true;
        box[0] = fminf(box[0], x), box[1] = fminf(box[1], y);
        box[2] = fmaxf(box[2], x + 1), box[3] = fmaxf(box[3], y + 1);
    }
    return any;
}

static struct augment_plan plan_of(const struct applied *words, int n, bool training,
                                   enum augment_role role, int64_t side) {
    const struct augment_source source = {{3, {side, side, 1}}, NULL, NULL, role, true};
    struct augment_plan p;
    struct err err = {0};

    if (augment_plan_init(&p, words, n, training, &source, &err))
        fail_msg("%s", err.msg);
    assert_true(p.scratch_len <= FLOATS);
    return p;
}

struct seen {
    int moved, lost;
};

/* Masks and boxes of one draw agree: to `slack` pixels where they are not turned; where they are,
 * the box of the corners holds what the mask shows. */
static void agree(const struct applied *words, int n, bool training, uint64_t key, float slack,
                  bool turned, struct seen *seen) {
    static float masks[MOST * SIDE * SIDE], moved[MOST * 64 * 64];
    const struct augment_plan b = plan_of(words, n, training, AUGMENT_BOXES, SIDE);
    const struct augment_plan m = plan_of(words, n, training, AUGMENT_INSTANCES, SIDE);
    const struct augment_draw random = {
        .key = rng_key(3, RNG_AUGMENT, 0, key), .boxes = truth[0], .n_boxes = MOST};
    const int64_t h = m.out.dim[0], w = m.out.dim[1];
    float boxes[MOST][ROW], value[MOST], box[4];

    assert_true(h <= 64 && w <= 64 && h == b.out.dim[0] && w == b.out.dim[1]);
    memset(masks, 0, sizeof masks);
    draw(SIDE, SIDE, value);
    for (int k = 0; k < MOST; k++)
        for (int i = 0; i < SIDE * SIDE; i++)
            masks[k * SIDE * SIDE + i] = picture[i] == value[k];
    augment_run_boxes(&b, &random, SIDE, SIDE, truth[0], boxes[0], MOST);
    augment_run_masks(&m, &random, masks, scratch, moved, MOST);
    for (int k = 0; k < MOST; k++) {
        const bool there = find(moved + k * h * w, h, w, box);
        const float *found = boxes[k];

        if (found[4] < 0) {
            seen->lost += k < 3;
            for (int i = 0; i < 4; i++)
                assert_true(found[i] == 0);
            continue;
        }
        assert_true(found[4] == truth[k][4] && there);
        seen->moved += memcmp(found, truth[k], sizeof truth[k]) != 0;
        for (int i = 0; i < 4; i++) {
            const float beyond = i < 2 ? found[i] - box[i] : box[i] - found[i];

            assert_true(found[i] >= 0 && found[i] <= (float)(i & 1 ? h : w));
            if (beyond > slack || (!turned && beyond < -slack))
                fail_msg("%s, draw %d: box %d is %g %g %g %g, drawn at %g %g %g %g",
                         words[0].word->name, (int)key, k, (double)found[0], (double)found[1],
                         (double)found[2], (double)found[3], (double)box[0], (double)box[1],
                         (double)box[2], (double)box[3]);
        }
    }
}

static void follow(struct applied word, float slack, bool turned) {
    struct seen seen = {0, 0};

    for (uint64_t key = 0; key < 300; key++)
        agree(&word, 1, true, key, slack, turned, &seen);
    if (seen.moved < 50)
        fail_msg("%s moved %d boxes of 900", word.word->name, seen.moved);
    agree(&word, 1, false, 0, slack, turned, &seen);
}

static void boxes_follow_every_word(void **state) {
    struct made m;
    struct applied a;

    (void)state;
    a = make_size(&m, "random_crop", 30, 24);
    follow(a, 0, false);
    *(int *)spot(&m, "pad", ARG_INT) = 8;
    follow(a, 0, false);
    follow(make_size(&m, "center_crop", 31, 24), 0, false);
    a = make_size(&m, "random_resized_crop", 50, 60);
    follow(a, 1, false);
    follow(make_size(&m, "resize", 60, 20), 1, false);
    follow(make(&m, "random_flip"), 0, false);
    *(int *)spot(&m, "axis", ARG_WORD) = 1;
    follow(m.applied, 0, false);
    follow(make_real(&m, "rotate", "degrees", 40), 1, true);
    follow(make(&m, "rotate90"), 0, false);
    follow(make_real(&m, "shift", "fraction", 0.4), 0, false);
    follow(make(&m, "rand_augment"), 1.5f, true);
    follow(make(&m, "trivial_augment"), 1.5f, true);
}

static struct applied make_scale(struct made *m, double low, double high) {
    make_real(m, "random_scale", "low", low);
    *(double *)spot(m, "high", ARG_REAL) = high;
    return m->applied;
}

static void boxes_follow_words_of_canvases(void **state) {
    struct made m, n;
    struct applied a;

    (void)state;
    follow(make_size(&m, "letterbox", 30, 60), 1, false);
    follow(make_size(&m, "letterbox", 64, 40), 1, false);
    follow(make_scale(&m, 0.4, 1.8), 1, false);
    follow(make(&m, "expand"), 1, false);
    follow(make_size(&m, "random_iou_crop", 50, 30), 1, false);
    make(&m, "resize_shorter");
    *(int *)spot(&m, "size", ARG_INT) = 20;
    *(int *)spot(&m, "max", ARG_INT) = 33;
    follow(m.applied, 1, false);
    *(struct ints *)spot(&m, "canvas", ARG_INTS) = (struct ints){2, {60, 44}};
    follow(m.applied, 1, false);
    a = make(&m, "expand");
    *(double *)spot(&m, "p", ARG_REAL) = 1;
    const struct applied both[] = {a, make_size(&n, "random_iou_crop", 60, 60)};
    struct seen seen = {0, 0};
    for (uint64_t key = 0; key < 300; key++)
        agree(both, 2, true, key, 4, false, &seen);
    assert_true(seen.moved > 300 && seen.lost > 30);
}

/* Of a quarter turn nothing is lost: the box of the corners is that of the mask. */
static void a_turned_box_is_that_of_its_corners(void **state) {
    const struct augment_source source = {{3, {SIDE, SIDE, 1}}, NULL, NULL, AUGMENT_BOXES, true};
    const float square[ROW] = {10, 10, 30, 30, 7};
    struct made m;
    const struct applied word = make_real(&m, "rotate", "degrees", 45);
    struct augment_plan p;
    float found[ROW];
    int wide = 0;

    (void)state;
    plan(&p, &word, 1, true, &source);
    for (uint64_t key = 0; key < 100; key++) {
        augment_run_boxes(&p, &(struct augment_draw){.key = key}, SIDE, SIDE, square, found, 1);
        const float half = (found[2] - found[0]) / 2; /* 10 (|sin| + |cos|) */
        assert_true(half >= 10 && half <= 14.143f && found[4] == 7);
        assert_true(fabsf(found[0] + found[2] - 40) < 1e-4f);
        assert_true(fabsf(found[1] + found[3] - 40) < 1e-4f);
        wide += half > 14;
    }
    assert_true(wide > 0);
}

/* 4 of 10 columns are left by the middle 32 of 40: visible 0.6 of 10 x 14. */
static void a_box_that_is_hardly_seen_is_none(void **state) {
    const struct augment_source source = {{3, {SIDE, SIDE, 1}}, NULL, NULL, AUGMENT_BOXES, true};
    const float in[2][ROW] = {{0, 10, 10, 20, 3}, {10, 10, 20, 20, 4}};
    const float cut[2][ROW] = {{0, 6, 6, 16, 3}, {6, 6, 16, 16, 4}};
    struct made m;
    const struct applied word = make_size(&m, "center_crop", 32, 32);
    struct augment_plan p;
    float found[2][ROW];

    (void)state;
    plan(&p, &word, 1, false, &source);
    augment_run_boxes(&p, &(struct augment_draw){0}, SIDE, SIDE, in[0], found[0], 2);
    assert_memory_equal(found, cut, sizeof cut);
    *(double *)spot(&m, "min_visible", ARG_REAL) = 0.6; /* just so */
    augment_run_boxes(&p, &(struct augment_draw){0}, SIDE, SIDE, in[0], found[0], 2);
    assert_memory_equal(found, cut, sizeof cut);
    *(double *)spot(&m, "min_visible", ARG_REAL) = 0.61;
    augment_run_boxes(&p, &(struct augment_draw){0}, SIDE, SIDE, in[0], found[0], 2);
    assert_true(found[0][4] == -1 && found[0][2] == 0);
    assert_memory_equal(found[1], cut[1], sizeof cut[1]);
}

static void words_that_boxes_cannot_follow_are_refused(void **state) {
    const struct augment_source source = {{3, {SIDE, SIDE, 1}}, NULL, NULL, AUGMENT_BOXES, true};
    struct made m;

    (void)state;
    make(&m, "elastic");
    *(double *)spot(&m, "alpha", ARG_REAL) = 3;
    *(double *)spot(&m, "sigma", ARG_REAL) = 3;
    refused(m.applied, &source, "elastic: boxes cannot follow it");
    refused(make(&m, "mixup"), &source, "mixup: mixes images, and boxes cannot be mixed");
    refused(make(&m, "cutmix"), &source, "cutmix: mixes images, and boxes cannot be mixed");
}

/* 64 x 100 becomes 32 x 50, of which the middle 32 x 32 is seen: one pixel is two of the file. */
static void boxes_of_images_of_many_sizes_are_in_pixels_of_each(void **state) {
    const struct augment_source source = {{3, {0, 0, 3}}, NULL, NULL, AUGMENT_BOXES, true};
    const float in[2][ROW] = {{20, 10, 40, 30, 3}, {60, 4, 100, 64, 1}};
    const float expected[2][ROW] = {{1, 5, 11, 15, 3}, {21, 2, 32, 32, 1}};
    struct made m[2];
    struct applied words[2];
    struct augment_plan p;
    struct err err = {0};
    float found[2][ROW], back[4];

    (void)state;
    make(&m[0], "resize");
    *(int *)spot(&m[0], "short", ARG_INT) = 32;
    words[0] = m[0].applied;
    words[1] = make_size(&m[1], "center_crop", 32, 32);
    assert_int_equal(augment_plan_init(&p, words, 2, false, &source, &err), 0);
    augment_run_boxes(&p, &(struct augment_draw){0}, 64, 100, in[0], found[0], 2);
    for (int i = 0; i < 2; i++)
        near(found[i], expected[i], ROW);
    assert_int_equal(augment_back(&p, 64, 100, found[0], back), 0);
    near(back, in[0], 4);
}

/* 20 x 40 becomes 30 x 60 in 50 x 60: 10 lines of 0.25 above and below, masks of no class. */
static void letterboxes_lie_in_the_middle(void **state) {
    struct augment_source source = {{3, {20, 40, 1}}, NULL, NULL, AUGMENT_IMAGE, true};
    struct made m;
    const struct applied word = make_size(&m, "letterbox", 50, 60);
    static float seen[50 * 60];
    struct augment_plan p;
    struct err err = {0};

    (void)state;
    *(double *)spot(&m, "value", ARG_REAL) = 0.25;
    for (int i = 0; i < 20 * 40; i++)
        picture[i] = 1;
    for (int role = AUGMENT_IMAGE; role <= AUGMENT_VALUES; role++) {
        const float around = role == AUGMENT_IMAGE ? 0.25f : role == AUGMENT_MASK ? -1 : 0;

        source.role = (enum augment_role)role;
        assert_int_equal(augment_plan_init(&p, &word, 1, true, &source, &err), 0);
        augment_run(&p, &(struct augment_draw){0}, NULL, picture, scratch, seen);
        for (int i = 0; i < 50; i++)
            for (int j = 0; j < 60; j++)
                assert_true(fabsf(seen[i * 60 + j] - (i < 10 || i >= 40 ? around : 1)) < 1e-6f);
    }
}

/* A file of 40 x 20 (height, width) in a letterbox of 8 x 8: 8 x 4 at column 2. */
static void pieces_that_reach_over_are_laid_where_they_are_seen(void **state) {
    const struct augment_source source = {{3, {0, 0, 1}}, NULL, NULL, AUGMENT_IMAGE, true};
    struct made m[2];
    const struct applied words[] = {make_size(&m[0], "letterbox", 8, 8),
                                    make(&m[1], "random_flip")};
    struct augment_plan p;
    struct augment_piece piece;
    struct err err = {0};
    unsigned char bytes[64];

    (void)state;
    *(double *)spot(&m[0], "value", ARG_REAL) = 1;
    *(double *)spot(&m[1], "p", ARG_REAL) = 1;
    assert_int_equal(augment_plan_init(&p, words, 2, true, &source, &err), 0);
    augment_piece(&p, &(struct augment_draw){0}, 40, 20, &piece);
    assert_true(piece.out_height == 8 && piece.out_width == 4 && piece.inner.left == 2);
    assert_true(piece.top == 0 && piece.left == 0 && piece.height == 40 && piece.width == 20);
    assert_true(piece.mirrored && piece.bound.height == 40 && piece.bound.width == 20);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    augment_lay(&p, &piece, bytes);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            assert_int_equal(bytes[8 * i + j], j < 2 || j >= 6 ? 255 : 4 * i + j - 2);
    augment_piece(&p, &(struct augment_draw){0}, 20, 41, &piece); /* 3.9 lines become 4 */
    assert_true(piece.out_height == 4 && piece.out_width == 8 && piece.inner.top == 2);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    augment_lay(&p, &piece, bytes);
    for (int i = 0; i < 64; i++)
        assert_int_equal(bytes[i], i < 16 || i >= 48 ? 255 : i - 16);
}

static void crops_overlap_a_box_whose_centre_they_hold(void **state) {
    const struct augment_source source = {{3, {SIDE, SIDE, 1}}, NULL, NULL, AUGMENT_BOXES, true};
    struct made m;
    const struct applied word = make_size(&m, "random_iou_crop", SIDE, SIDE);
    struct augment_plan p;
    int whole = 0;

    (void)state;
    plan(&p, &word, 1, true, &source);
    for (uint64_t key = 0; key < 1000; key++) {
        const struct augment_draw random = {
            .key = rng_key(3, RNG_AUGMENT, 0, key), .boxes = truth[0], .n_boxes = MOST};
        float found[MOST][ROW];

        augment_run_boxes(&p, &random, SIDE, SIDE, truth[0], found[0], MOST);
        assert_true(found[0][4] >= 0 || found[1][4] >= 0 || found[2][4] >= 0);
        whole += !memcmp(found, truth, sizeof truth);
    }
    assert_in_range(whole, 140, 500); /* one choice of seven, more where others have no piece */
    const struct augment_draw none = {.key = 1};
    float found[MOST][ROW];
    augment_run_boxes(&p, &none, SIDE, SIDE, truth[0], found[0], MOST);
    assert_memory_equal(found, truth, sizeof truth);
}

static void what_is_found_is_brought_back(void **state) {
    const struct augment_source source = {{3, {0, 0, 3}}, NULL, NULL, AUGMENT_IMAGE, true};
    const float in[ROW] = {30, 20, 130, 70, 1};
    const float bar[4] = {10, 0, 20, 7}, edge[4] = {-3, 30, 50, 70};
    struct made m;
    const struct applied word = make_size(&m, "letterbox", 100, 100);
    struct augment_plan p, b;
    struct augment_source boxes = source;
    struct err err = {0};
    float found[ROW], back[4];

    (void)state;
    boxes.role = AUGMENT_BOXES;
    assert_int_equal(augment_plan_init(&p, &word, 1, false, &source, &err), 0);
    assert_int_equal(augment_plan_init(&b, &word, 1, false, &boxes, &err), 0);
    augment_run_boxes(&b, &(struct augment_draw){0}, 100, 200, in, found, 1);
    near(found, (const float[]){15, 35, 65, 60}, 4);
    assert_int_equal(augment_back(&p, 100, 200, found, back), 0);
    near(back, in, 4);
    assert_int_equal(augment_back(&p, 100, 200, bar, back), -1); /* in the bar above */
    assert_int_equal(augment_back(&p, 100, 200, edge, back), 0);
    near(back, (const float[]){0, 10, 100, 90}, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_follow_every_word),
        cmocka_unit_test(boxes_follow_words_of_canvases),
        cmocka_unit_test(letterboxes_lie_in_the_middle),
        cmocka_unit_test(pieces_that_reach_over_are_laid_where_they_are_seen),
        cmocka_unit_test(crops_overlap_a_box_whose_centre_they_hold),
        cmocka_unit_test(what_is_found_is_brought_back),
        cmocka_unit_test(a_turned_box_is_that_of_its_corners),
        cmocka_unit_test(a_box_that_is_hardly_seen_is_none),
        cmocka_unit_test(words_that_boxes_cannot_follow_are_refused),
        cmocka_unit_test(boxes_of_images_of_many_sizes_are_in_pixels_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
