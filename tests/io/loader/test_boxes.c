/* Boxes and their masks move as the pixels that they are about. */
#include "io/scratch.h"
#include "io/augment/made.h"

#include "io/h5/h5.h"
#include "io/loader/prepare.h"
#include "io/loader/mix.h"

enum { N = 8, SIDE = 12, AREA = SIDE * SIDE, MAX = 2, MOST = 4096 };

/* Box 0 of each sample is a white rectangle, and its mask the same; box 1 is none. */
static void write_file(void) {
    unsigned char pixels[N * AREA] = {0}, masks[N * MAX * AREA] = {0};
    float boxes[N * MAX * 5] = {0};
    struct h5 *file;
    struct err err = {0};

    for (int i = 0; i < N; i++) {
        const int left = i % 4, top = i / 2, right = left + 5, bottom = top + 4;

        for (int y = top; y < bottom; y++)
            for (int x = left; x < right; x++) {
                pixels[i * AREA + y * SIDE + x] = 255;
                masks[i * MAX * AREA + y * SIDE + x] = 1;
            }
        memcpy(boxes + (size_t)i * MAX * 5,
               (float[]){(float)left, (float)top, (float)right, (float)bottom, 0}, 20);
        boxes[i * MAX * 5 + 9] = -1;
    }
    assert_int_equal(h5_create(&file, in_scratch("b.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_U8, 4, (int64_t[]){N, SIDE, SIDE, 1}, pixels, &err);
    h5_write(file, "/boxes", H5_TYPE_F32, 3, (int64_t[]){N, MAX, 5}, boxes, &err);
    h5_write(file, "/boxes_masks", H5_TYPE_U8, 4, (int64_t[]){N, MAX, SIDE, SIDE}, masks, &err);
    h5_attr_write_text(file, "/boxes", "kind", "boxes", &err);
    h5_attr_write_text(file, "/boxes_masks", "kind", "masks", &err);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static struct dataset *opened(void) {
    struct dataset *ds = NULL;
    struct err err = {0};

    write_file();
    if (dataset_open(&ds, in_scratch("b.h5"), DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(dataset_field(ds, 1)->name, "boxes");
    assert_true(dataset_field(ds, 2)->masks);
    return ds;
}

static int plan(struct prepare *p, struct dataset *ds, const struct applied *words, int n,
                struct err *err) {
    return prepare_init(p, &(struct prepare_config){ds, words, n, 17, true, false}, err);
}

static float image[N * AREA * 4], boxes[N * MAX * 5], masks[N * MAX * AREA * 4];

static void run(const struct prepare *p, int64_t epoch) {
    static unsigned char raw[DATASET_MAX_FIELDS][N * MAX * AREA * 4];
    static float spare[MOST];
    struct prepare_scratch own = {.floats = spare};
    const int64_t samples[N] = {0, 1, 2, 3, 4, 5, 6, 7};
    int64_t rows[N];
    struct prepare_batch b = {.samples = samples, .n = N, .epoch = epoch, .rows = rows};
    void *const out[] = {image, boxes, masks};
    atomic_bool stop = false;
    struct err err = {0};
    int field;

    assert_true(p->scratch_len <= MOST);
    for (int i = 0; i < p->n_fields; i++) {
        b.raw[i] = raw[i];
        b.out[i] = out[i];
    }
    assert_int_equal(prepare_read(p, &b, &stop, &err), 0);
    for (int64_t i = N - 1; i >= 0; i--)
        if (prepare_sample(p, &b, i, &own, &field, &err))
            fail_msg("%s", err.msg);
}

/* The box around what is white of picture i. */
static bool white(int i, int side, float box[4]) {
    int left = side, top = side, right = 0, bottom = 0;

    for (int k = 0; k < side * side; k++)
        if (image[i * side * side + k] > 0.5F) {
            const int x = k % side, y = k / side;

            left = x < left ? x : left;
            right = x >= right ? x + 1 : right;
            top = y < top ? y : top;
            bottom = y >= bottom ? y + 1 : bottom;
        }
    box[0] = (float)left;
    box[1] = (float)top;
    box[2] = (float)right;
    box[3] = (float)bottom;
    return right > left;
}

static void boxes_and_masks_stay_around_what_they_are_about(void **state) {
    struct made m[3];
    struct applied words[] = {make(&m[0], "random_crop"), make(&m[1], "random_flip"),
                              make(&m[2], "resize")};
    struct prepare p;
    struct err err = {0};
    bool moved = false;
    int vanished = 0;

    (void)state;
    *(struct ints *)spot(&m[0], "size", ARG_INTS) = (struct ints){1, {6}};
    *(int *)spot(&m[0], "pad", ARG_INT) = 2;
    *(double *)spot(&m[0], "min_visible", ARG_REAL) = 0;
    *(struct ints *)spot(&m[2], "size", ARG_INTS) = (struct ints){1, {18}};
    struct dataset *ds = opened();
    if (plan(&p, ds, words, 3, &err))
        fail_msg("%s", err.msg);
    assert_true(shape_equal(&p.field[2].sample, &(struct shape){3, {MAX, 18, 18}}));
    for (int64_t epoch = 0; epoch < 16; epoch++) {
        run(&p, epoch);
        for (int i = 0; i < N; i++) {
            const float *b = boxes + (ptrdiff_t)i * MAX * 5;
            float seen[4];

            assert_int_equal((int)b[9], -1);
            for (int k = 0; k < 18 * 18; k++)
                assert_true(masks[(i * MAX + 1) * 18 * 18 + k] == 0);
            if (!white(i, 18, seen)) {
                assert_int_equal((int)b[4], -1);
                vanished++;
                continue;
            }
            assert_int_equal((int)b[4], 0);
            for (int k = 0; k < 4; k++)
                assert_float_equal(b[k], seen[k], 1e-4);
            for (int k = 0; k < 18 * 18; k++)
                assert_true((masks[i * MAX * 18 * 18 + k] > 0) ==
                            ((float)(k % 18) >= seen[0] && (float)(k % 18) < seen[2] &&
                             (float)(k / 18) >= seen[1] && (float)(k / 18) < seen[3]));
            moved = moved || b[0] > 0;
        }
    }
    assert_true(moved && vanished > 0);
    dataset_close(ds);
}

/* The image and the boxes draw the same piece, which holds the box's centre or is the whole. */
static void a_word_that_looks_at_boxes_sees_those_of_the_image(void **state) {
    struct made m;
    const struct applied word = make(&m, "random_iou_crop");
    struct prepare p;
    struct err err = {0};
    int larger = 0, there = 0;

    (void)state;
    *(struct ints *)spot(&m, "size", ARG_INTS) = (struct ints){1, {18}};
    struct dataset *ds = opened();
    if (plan(&p, ds, &word, 1, &err))
        fail_msg("%s", err.msg);
    for (int64_t epoch = 0; epoch < 16; epoch++) {
        run(&p, epoch);
        for (int i = 0; i < N; i++) {
            const float *b = boxes + (ptrdiff_t)i * MAX * 5;
            float seen[4];

            if (!white(i, 18, seen))
                fail_msg("a piece without the centre of the only box");
            assert_int_equal((int)b[4], 0);
            there++;
            larger += b[2] - b[0] > 9;
        }
    }
    assert_true(larger > 0 && larger < there);
    dataset_close(ds);
}

static void what_boxes_cannot_follow_is_refused(void **state) {
    struct made m;
    struct applied word = make(&m, "elastic");
    struct prepare p;
    struct mix mix;
    struct err err = {0};
    struct dataset *ds = opened();

    (void)state;
    assert_int_equal(plan(&p, ds, &word, 1, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, "elastic: the boxes of boxes cannot move along");
    word = make(&m, "mixup");
    err = (struct err){0};
    assert_int_equal(plan(&p, ds, &word, 1, &err), 0);
    assert_int_equal(
        mix_init(&mix, &p, &(struct prepare_config){ds, &word, 1, 17, true, false}, &err), -1);
    assert_contains(err.msg, "mixup: mixes pictures, but not boxes");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_and_masks_stay_around_what_they_are_about),
        cmocka_unit_test(a_word_that_looks_at_boxes_sees_those_of_the_image),
        cmocka_unit_test(what_boxes_cannot_follow_is_refused),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
