/* dltrain data proposals and data crops, as a user calls them. */
#include "cmd/results.h"
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_writer.h"
#include "io/image/image.h"

#include <math.h>

enum { N = 3, H = 40, W = 50, BOXES = 2 };

/* A thing at another place in each picture, and none. */
static void box_of(int i, float box[5]) {
    const float x = (float)(4 + 9 * i), y = (float)(6 + 5 * i);

    memcpy(box, (const float[]){x, y, x + 20, y + 16, 0}, 5 * sizeof *box);
}

/* things.h5 with groups train and test of the same pictures. */
static int write_data(void **state) {
    static const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = {3, {H, W, 3}}},
        {.name = "boxes", .kind = DATASET_REALS, .sample = {2, {BOXES, 5}}, .says = "boxes"}};
    static unsigned char images[N][H][W][3];
    static float boxes[N][BOXES][5];
    struct dataset_writer *writer;
    struct err err = {0};

    for (int i = 0; i < N; i++) {
        box_of(i, boxes[i][0]);
        boxes[i][1][4] = -1;
        const float *box = boxes[i][0];
        for (int k = 0; k < H * W; k++) {
            const int x = k % W, y = k / W;
            const bool in =
                (float)x >= box[0] && (float)x < box[2] && (float)y >= box[1] && (float)y < box[3];
            images[i][y][x][0] = (unsigned char)((in ? 200 : 60) + (x + y) % 3);
            images[i][y][x][1] = (unsigned char)(90 + (x * y) % 3);
            images[i][y][x][2] = in ? 30 : 120;
        }
    }
    if (program_setup(state) || dataset_writer_new(&writer, "things.h5", &err))
        return -1;
    for (int g = 0; g < 2; g++)
        if (dataset_writer_fields(writer, g ? "test" : "train", fields, 2, &err) ||
            dataset_writer_add(writer, 0, images, N, &err) ||
            dataset_writer_add(writer, 1, boxes, N, &err))
            return -1;
    const int rc = dataset_writer_finish(writer, NULL, 0, &err);
    dataset_writer_free(writer);
    return rc;
}

/* The command succeeds, and this is in what it prints. */
static void prints(const char *text, const char *command) {
    struct program_run run = program_run(command);

    if (run.code || !strstr(run.out, text))
        fail_msg("%s: exit code %d, expected '%s' in:\n%s", command, run.code, text, run.out);
    program_release(&run);
}

static void every_picture_gets_regions_that_meet_its_boxes(void **state) {
    struct dataset *ds;
    struct err err = {0};
    float rows[N][30][5];
    const int64_t index[] = {0, 1, 2};

    (void)state;
    prints("of 3 boxes 100.0 % are met by a region",
           "$DLTRAIN data proposals things.h5 with.h5 --n 30 --jobs 2");
    program_expect(0, NULL, "$DLTRAIN data verify with.h5");
    assert_int_equal(dataset_open(&ds, "with.h5:test", 0, &err), 0);
    const int field = dataset_find_field(ds, "proposals");
    assert_true(field >= 0 && dataset_field(ds, field)->boxes);
    assert_int_equal(dataset_read(ds, field, index, N, rows, &err), 0);
    for (int i = 0; i < N; i++) {
        float box[5];
        double worst = 1e9;
        box_of(i, box);
        for (int k = 0; k < 30; k++) {
            double off = rows[i][k][4] < 0 ? 1e9 : 0;
            for (int j = 0; j < 4; j++)
                off = fmax(off, fabs((double)rows[i][k][j] - (double)box[j]));
            worst = fmin(worst, off);
        }
        assert_true(worst <= 2); /* pixels, of the sides of the nearest region */
    }
    dataset_close(ds);
}

/* The threads do not matter; what was proposed before is replaced. */
static void proposals_are_replaced_in_the_file_itself(void **state) {
    (void)state;
    program_expect(0, NULL, "cp things.h5 a.h5 && cp things.h5 b.h5");
    program_expect(0, NULL, "$DLTRAIN data proposals a.h5 --n 5 --jobs 1");
    prints("proposals: ", "$DLTRAIN data info a.h5");
    program_expect(0, NULL, "$DLTRAIN data proposals a.h5 --n 12 --jobs 1");
    program_expect(0, NULL, "$DLTRAIN data proposals b.h5 --n 12 --jobs 3");
    prints("/train/proposals: 3x12x5", "$DLTRAIN data info a.h5");
    program_expect(0, NULL, "cmp a.h5 b.h5");
}

/* 3 boxes and no more; 3 and as much background where there is any. */
static void boxes_are_cut_out(void **state) {
    struct dataset *ds;
    struct err err = {0};
    unsigned char image[16][16][3];
    float deltas[4];
    const int64_t first = 0;

    (void)state;
    prints("train: 3 crops from 3 pictures, 0 of them background",
           "$DLTRAIN data crops things.h5 c.h5 --size 16 --near 0 --background 0");
    program_expect(0, NULL, "$DLTRAIN data verify c.h5");
    assert_int_equal(dataset_open(&ds, "c.h5:train", 0, &err), 0);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "label"), 0), "background");
    assert_int_equal(dataset_labels(ds, dataset_find_field(ds, "label"))[0], 1);
    assert_int_equal(dataset_read(ds, dataset_find_field(ds, "image"), &first, 1, image, &err), 0);
    for (int k = 0; k < 256; k++) /* all of it is the thing */
        assert_true(image[k / 16][k % 16][0] >= 199 && image[k / 16][k % 16][2] == 30);
    assert_int_equal(dataset_read(ds, dataset_find_field(ds, "deltas"), &first, 1, deltas, &err),
                     0);
    for (int k = 0; k < 4; k++)
        assert_true(fabsf(deltas[k]) < 1e-6F);
    dataset_close(ds);
}

/* Samples of one tile, twice their size, 2 pixels apart: the first box, (4, 6) to (24, 22), has its
 * lower left corner in the pure green of class 0; the pixel below it is the picture's. */
static void boxes_are_drawn_on_sheets(void **state) {
    struct image sheet = {0};
    struct err err = {0};

    (void)state;
    prints("s.png: the first 3 samples",
           "$DLTRAIN data stats things.h5:train --sheet s.png --each 3");
    assert_int_equal(image_read("s.png", IMAGE_COLOUR, &sheet, &err), 0);
    assert_int_equal(sheet.width, 2 + 3 * (2 * W + 2));
    const unsigned char *corner = sheet.pixels + 3 * ((2 + 2 * 22 - 1) * sheet.width + 2 + 2 * 4);
    assert_memory_equal(corner, ((const unsigned char[]){0, 255, 0}), 3);
    assert_int_equal(corner[3 * sheet.width + 2], 120);
    image_release(&sheet);
}

static void what_cannot_be_searched_or_cut_is_refused(void **state) {
    (void)state;
    program_expect(64, "takes --fast or --quality, not both",
                   "$DLTRAIN data proposals things.h5 --fast --quality");
    program_expect(64, "proposals takes FILE.h5", "$DLTRAIN data proposals");
    program_expect(74, "absent.h5", "$DLTRAIN data proposals absent.h5");
    program_expect(65, "has no proposals, which dltrain data proposals adds",
                   "$DLTRAIN data crops things.h5 d.h5");
    program_expect(64, "--context: found 'x'", "$DLTRAIN data crops things.h5 d.h5 --context x");
    program_expect(64, "expected another name", "$DLTRAIN data crops things.h5 things.h5");
    program_expect(0, NULL, "$DLTRAIN data synth plain.h5 --train 10 --test 10");
    program_expect(65, "has no boxes, expected a field boxes", "$DLTRAIN data crops plain.h5 d.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_picture_gets_regions_that_meet_its_boxes),
        cmocka_unit_test(proposals_are_replaced_in_the_file_itself),
        cmocka_unit_test(boxes_are_cut_out),
        cmocka_unit_test(boxes_are_drawn_on_sheets),
        cmocka_unit_test(what_cannot_be_searched_or_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, write_data, program_teardown);
}
