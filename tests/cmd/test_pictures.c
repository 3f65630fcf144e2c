/* [picture]: grids of PNG at every validation, pixel by pixel. */
#include "cmd/results.h"
#include "io/dataset/dataset_writer.h"
#include "io/image/image.h"

enum { BOXES = 2, N = 5, SIDE = 4, GAP = 2, TILE = 64, BACKGROUND = 64 };

/* Of each sample a box of class 0, and none; the box covers what is right of its middle. */
static const float boxes[BOXES][5] = {{0, 1, 4, 3, 0}, {0, 0, 0, 0, -1}};

static float cover_at(int box, int y, int x) {
    return box == 0 && y < 3 && x >= 2 ? 1 : 0;
}

/* Colours and classes of the dataset: any, but for each pixel others. */
static unsigned char colour(int sample, int y, int x, int channel) {
    return (unsigned char)((sample * 47 + y * 31 + x * 13 + channel * 101) % 256);
}

static unsigned char class_at(int sample, int y, int x) {
    const int class = (sample + y + x) % 4;

    return class == 3 ? 255 : (unsigned char)class;
}

/* colours.h5 with groups train and test of the same N samples. */
static int write_data(void **state) {
    static const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = {3, {SIDE, SIDE, 3}}},
        {.name = "mask", .kind = DATASET_CLASS, .sample = {2, {SIDE, SIDE}}, .n_classes = 3},
        {.name = "boxes", .kind = DATASET_REALS, .sample = {2, {BOXES, 5}}},
        {.name = "covers", .kind = DATASET_REALS, .sample = {3, {BOXES, SIDE, SIDE}}}};
    static const char *const groups[] = {"train", "test"};
    unsigned char images[N * SIDE * SIDE * 3], mask[N * SIDE * SIDE];
    float all[N][BOXES][5], covers[N][BOXES][SIDE][SIDE];
    struct dataset_writer *writer;
    struct err err = {0};

    if (program_setup(state) || dataset_writer_new(&writer, "colours.h5", &err))
        return -1;
    for (int i = 0; i < N * SIDE * SIDE; i++) {
        const int sample = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
        mask[i] = class_at(sample, y, x);
        for (int c = 0; c < 3; c++)
            images[3 * i + c] = colour(sample, y, x, c);
    }
    for (int i = 0; i < N; i++) {
        memcpy(all[i], boxes, sizeof boxes);
        for (int k = 0; k < BOXES * SIDE * SIDE; k++)
            covers[i][k / (SIDE * SIDE)][k / SIDE % SIDE][k % SIDE] =
                cover_at(k / (SIDE * SIDE), k / SIDE % SIDE, k % SIDE);
    }
    for (int g = 0; g < 2; g++)
        if (dataset_writer_fields(writer, groups[g], fields, 4, &err) ||
            dataset_writer_add(writer, 0, images, N, &err) ||
            dataset_writer_add(writer, 1, mask, N, &err) ||
            dataset_writer_add(writer, 2, all, N, &err) ||
            dataset_writer_add(writer, 3, covers, N, &err))
            return -1;
    const int rc = dataset_writer_finish(writer, NULL, 0, &err);
    dataset_writer_free(writer);
    return rc;
}

/* A job of two steps that move nothing, validated after each. */
static void write_job(const char *pictures) {
    program_write("p.ini",
                  "[job]\nmodel = m\nsteps = 2\n"
                  "[net m(image)]\nout = image | conv(3, 1)\n"
                  "[net g(code)]\nfc = code | linear(48) | tanh\nout = fc | reshape([4, 4, 3])\n"
                  "[step]\nloss = cross_entropy(m(image), mask)\ntrain = m\n"
                  "optimizer = sgd(lr=0)\n"
                  "[data]\ntrain = colours.h5:train\nvalidate = colours.h5:test\nbatch = 3\n"
                  "[validate]\nevery = 1 steps\nloss = cross_entropy(m(image), mask)\n"
                  "c = confusion(m(image), mask)\niou = mean_iou(c)\n"
                  "made = mean(g(noise(6)))\n%s",
                  pictures);
}

static struct image read_picture(const char *file) {
    struct image image = {0};
    struct err err = {0};

    if (image_read(file, IMAGE_AS_STORED, &image, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(image.channels, 3);
    return image;
}

static void check_pixel(const struct image *image, int y, int x, int r, int g, int b) {
    const unsigned char *p = image->pixels + 3 * (y * image->width + x);

    if (p[0] != r || p[1] != g || p[2] != b)
        fail_msg("pixel %d, %d is %d %d %d, expected %d %d %d", y, x, p[0], p[1], p[2], r, g, b);
}

/* The first and the last of the pixels [zoom, zoom] that number y, x of a tile's tensor becomes. */
static void check_square(const struct image *image, int row, int column, int zoom, int y, int x,
                         const int rgb[3]) {
    const int top = GAP + row * (TILE + GAP) + y * zoom;
    const int left = GAP + column * (TILE + GAP) + x * zoom;

    check_pixel(image, top, left, rgb[0], rgb[1], rgb[2]);
    check_pixel(image, top + zoom - 1, left + zoom - 1, rgb[0], rgb[1], rgb[2]);
}

static const int no_class[] = {255, 255, 255};
/* PASCAL VOC's: the bits of the class from the highest of red, green, blue down. */
static const int class_colours[][3] = {{0, 0, 0}, {128, 0, 0}, {0, 128, 0}};

static void images_and_classes_stand_side_by_side(void **state) {
    (void)state;
    write_job("[picture grid]\nshow = image, mask\ncount = 5\ncolumns = 2\nrange = [0, 1]\n");
    program_expect(0, NULL, "$DLTRAIN p.ini");
    struct image image = read_picture("runs/p/pictures/grid_00000002.png");
    assert_int_equal(image.width, GAP + 4 * (TILE + GAP));
    assert_int_equal(image.height, GAP + 3 * (TILE + GAP));
    for (int i = 0; i < N * SIDE * SIDE; i++) {
        const int sample = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
        const int class = class_at(sample, y, x), row = sample / 2, column = sample % 2 * 2;
        const int rgb[] = {colour(sample, y, x, 0), colour(sample, y, x, 1),
                           colour(sample, y, x, 2)};
        check_square(&image, row, column, 16, y, x, rgb);
        check_square(&image, row, column + 1, 16, y, x,
                     class == 255 ? no_class : class_colours[class]);
    }
    /* Between the tiles, around them, and where the sixth sample would be. */
    check_pixel(&image, 0, 0, BACKGROUND, BACKGROUND, BACKGROUND);
    check_pixel(&image, GAP + TILE, 30, BACKGROUND, BACKGROUND, BACKGROUND);
    check_pixel(&image, 30, GAP + TILE + 1, BACKGROUND, BACKGROUND, BACKGROUND);
    check_pixel(&image, 180, 180, BACKGROUND, BACKGROUND, BACKGROUND);
    image_release(&image);
}

/* 5 samples of one tile each: 3 columns. A tensor of half the size has pixels of twice the size;
 * the least value is black, the largest white. */
static void a_picture_lays_itself_out(void **state) {
    (void)state;
    write_job("[picture all]\nshow = 3 * (image | avgpool(4)) - 1\n"
              "[picture two]\nshow = image, image | maxpool(2)\ncount = 2\nrange = [0, 1]\n");
    program_expect(0, NULL, "$DLTRAIN p.ini");
    struct image all = read_picture("runs/p/pictures/all_00000001.png");
    assert_int_equal(all.width, GAP + 3 * (TILE + GAP));
    assert_int_equal(all.height, GAP + 2 * (TILE + GAP));
    int least = 255, largest = 0;
    for (int i = 0; i < N; i++) {
        const unsigned char *p = all.pixels + 3 * ((GAP + i / 3 * (TILE + GAP)) * all.width + GAP +
                                                   i % 3 * (TILE + GAP));
        for (int c = 0; c < 3; c++) {
            least = p[c] < least ? p[c] : least;
            largest = p[c] > largest ? p[c] : largest;
        }
    }
    assert_int_equal(least, 0);
    assert_int_equal(largest, 255);
    image_release(&all);

    struct image two = read_picture("runs/p/pictures/two_00000001.png");
    assert_int_equal(two.width, GAP + 2 * (TILE + GAP));
    assert_int_equal(two.height, GAP + 2 * (TILE + GAP));
    int rgb[3];
    for (int c = 0; c < 3; c++) {
        rgb[c] = 0;
        for (int i = 0; i < 4; i++)
            rgb[c] =
                colour(1, 2 + i / 2, i % 2, c) > rgb[c] ? colour(1, 2 + i / 2, i % 2, c) : rgb[c];
    }
    check_square(&two, 1, 1, 32, 1, 0, rgb);
    image_release(&two);
}

/* Class 0 is pure green. Tiles are 16 times the image; the box [0, 1, 4, 3] is drawn along the
 * inside of its edges, its mask of the size of the picture lies half transparent on it, and what
 * would be worse than `score` is not there. */
static void boxes_and_masks_lie_on_the_image_before_them(void **state) {
    enum { ZOOM = 16, LOWER = 3 * ZOOM - 1 };

    (void)state;
    write_job("[picture boxes]\nshow = image, boxes, image, boxes, covers, image, "
              "concat(boxes, boxes | slice(0, 1)), mask\ncount = 1\nrange = [0, 1]\n");
    program_expect(0, NULL, "$DLTRAIN p.ini");
    struct image image = read_picture("runs/p/pictures/boxes_00000001.png");
    assert_int_equal(image.width, GAP + 4 * (TILE + GAP)); /* what is drawn on takes no tile */
    const int one = GAP, two = GAP + TILE + GAP, three = two + TILE + GAP;
    check_pixel(&image, GAP + LOWER, one + 2, 0, 255, 0);
    check_pixel(&image, GAP + LOWER, two + 2, 0, 255, 0);
    check_pixel(&image, GAP + LOWER + 1, one + 2, colour(0, 3, 0, 0), colour(0, 3, 0, 1),
                colour(0, 3, 0, 2));
    check_pixel(&image, GAP + LOWER - 4, one + 40, colour(0, 2, 2, 0), colour(0, 2, 2, 1),
                colour(0, 2, 2, 2));
    check_pixel(&image, GAP + LOWER - 4, two + 40, colour(0, 2, 2, 0) / 2,
                (colour(0, 2, 2, 1) + 255) / 2, colour(0, 2, 2, 2) / 2);
    check_pixel(&image, GAP + LOWER - 4, two + 20, colour(0, 2, 1, 0), colour(0, 2, 1, 1),
                colour(0, 2, 1, 2));
    check_pixel(&image, GAP + LOWER, three + 2, colour(0, 2, 0, 0), colour(0, 2, 0, 1),
                colour(0, 2, 0, 2)); /* its score is x1, 0 */
    check_square(&image, 0, 3, ZOOM, 0, 1, class_colours[1]);
    image_release(&image);
}

static void noise_in_pictures_is_always_the_same(void **state) {
    (void)state;
    write_job("[picture made]\nshow = g(noise(6))\nrange = [-1, 1]\n");
    program_expect(0, NULL, "$DLTRAIN p.ini --set name=one");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN p.ini --set name=three");
    program_expect(0, NULL,
                   "cd runs && cmp one/pictures/made_00000001.png one/pictures/made_00000002.png "
                   "&& cmp one/pictures/made_00000002.png three/pictures/made_00000002.png");
    struct image image = read_picture("runs/one/pictures/made_00000001.png");
    assert_memory_not_equal(image.pixels + 3 * (GAP * image.width + GAP),
                            image.pixels + 3 * (GAP * image.width + 2 * GAP + TILE), 3L * TILE);
    image_release(&image);
}

/* Their graphs share memory with that of the validation. */
static void pictures_do_not_change_measures(void **state) {
    (void)state;
    write_job("");
    program_expect(0, NULL, "$DLTRAIN p.ini --set name=without");
    write_job("[picture grid]\nshow = image, argmax(m(image)), g(noise(6)) * 100\n");
    program_expect(0, NULL, "$DLTRAIN p.ini --set name=with");
    json_t *without = results_validation("without"), *with = results_validation("with");
    assert_true(json_equal(without, with));
    json_decref(without);
    json_decref(with);
}

static void pictures_that_cannot_be_written_are_a_warning(void **state) {
    (void)state;
    write_job("[picture grid]\nshow = image\n");
    program_expect(0, NULL, "mkdir -p runs/blocked && touch runs/blocked/pictures");
    struct program_run run = program_run("$MPIRUN -np 2 $DLTRAIN p.ini --set name=blocked");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "warning: "));
    assert_non_null(strstr(run.out, "runs/blocked/pictures"));
    assert_non_null(strstr(run.out, "; training goes on"));
    assert_non_null(strstr(run.out, "\nresult: "));
    program_release(&run);
}

static void pictures_that_cannot_be_drawn_are_refused(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[picture a]\nshow = image | flatten\n",
         "p.ini:24:16: show: found a tensor 3x48, expected images [n, h, w, 1 or 3] or class "
         "maps [n, h, w], as argmax(logits) gives; or, behind an image, boxes [n, m, 4 to 6] and "
         "behind those masks [n, m, h, w]"},
        {"[picture a]\nshow = boxes, image\n", "p.ini:24:8: show: found a tensor 3x2x5"},
        {"[picture a]\nshow = mask, boxes\n", "show: found a tensor 3x2x5"},
        {"[picture a]\nshow = image, covers\n", "show: found a tensor 3x2x4x4, expected"},
        {"[picture a]\nshow = image\nscore = 2\n", "score is 2"},
        {"[picture a]\nshow = concat(image, image)\n", "found a tensor 3x4x4x6"},
        {"[picture a]\nshow = 3\n", "show: expected tensors, as in show = image, fake"},
        {"[picture a]\nshow = image\nrange = [1, 1]\n",
         "range: expected the values of black and white, as in [-1, 1]"},
        {"[picture a]\nshow = image\nrange = 1\n", "range: expected the values of black and white"},
        {"[picture a]\nshow = image\ncount = 0\n", "count is 0"},
        {"[picture a]\nshow = image\ncolumns = 5000\n",
         "columns is 5000, expected a whole number from 1 to 4096"},
        {"[picture a]\nfake = image\n", "[picture a] has no key show, the tensors to draw"},
        {"[picture a]\nshow = image\ncolums = 2\n", "did you mean 'columns'?"},
        {"[picture a/b]\nshow = image\n", "p.ini:23:11: found '/'"},
        {"[picture]\nshow = image\n", "[picture] needs a name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_job(cases[i].text);
        program_expect(78, cases[i].message, "$DLTRAIN p.ini");
    }
    program_write("p.ini", "[job]\nsteps = 1\n[picture a]\nshow = image\n");
    program_expect(78, "[picture a] is drawn at every validation, but there is no [validate]",
                   "$DLTRAIN p.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_classes_stand_side_by_side),
        cmocka_unit_test(a_picture_lays_itself_out),
        cmocka_unit_test(boxes_and_masks_lie_on_the_image_before_them),
        cmocka_unit_test(noise_in_pictures_is_always_the_same),
        cmocka_unit_test(pictures_do_not_change_measures),
        cmocka_unit_test(pictures_that_cannot_be_written_are_a_warning),
        cmocka_unit_test(pictures_that_cannot_be_drawn_are_refused),
    };

    return cmocka_run_group_tests(tests, write_data, program_teardown);
}
