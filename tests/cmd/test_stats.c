/* `dltrain data stats`: numbers worked by hand, and a picture of the right samples. */
#include "printed.h"

#include "io/h5/h5.h"
#include "io/image/image.h"

#include <unistd.h>

enum { SIDE = 16, PIXELS = SIDE * SIDE, N = 6 };

/* Image i is 51 * i all over, which is i / 5; its label i % 2, its mask class i % 2. */
static void write_data(void) {
    static const char *const names[] = {"even", "odd"};
    const int64_t images[] = {N, SIDE, SIDE, 1}, masks[] = {N, SIDE, SIDE}, rows[] = {N};
    unsigned char image[N * PIXELS], mask[N * PIXELS];
    int32_t label[N];
    float age[N];
    struct err err = {0};
    struct h5 *file;

    for (int i = 0; i < N * PIXELS; i++) {
        image[i] = (unsigned char)(51 * (i / PIXELS));
        mask[i] = (unsigned char)(i / PIXELS % 2);
    }
    for (int i = 0; i < N; i++) {
        label[i] = i % 2;
        age[i] = (float)i;
    }
    if (h5_create(&file, "s.h5", &err) || h5_group_create(file, "/all", &err) ||
        h5_group_create(file, "/bare", &err) ||
        h5_write(file, "/all/images", H5_TYPE_U8, 4, images, image, &err) ||
        h5_write(file, "/all/labels", H5_TYPE_I32, 1, rows, label, &err) ||
        h5_write(file, "/all/mask", H5_TYPE_U8, 3, masks, mask, &err) ||
        h5_write(file, "/all/age", H5_TYPE_F32, 1, rows, age, &err) ||
        h5_write(file, "/bare/age", H5_TYPE_F32, 1, rows, age, &err) ||
        h5_attr_write_texts(file, "/all", "classes", names, 2, &err) || h5_sync(file, &err))
        fail_msg("%s", err.msg);
    h5_close(file);
}

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    write_data();
    return 0;
}

/* 0, 0.2 ... 1 have the mean 0.5 and the deviation sqrt(7 / 60); 0 .. 5 have 2.5 and 1.708. */
static void numbers_are_those_of_the_data(void **state) {
    (void)state;
    expect_text("$DLTRAIN data stats s.h5:all", "s.h5:all: 6 samples\nimage: bytes, as 0 .. 1, "
                                                "16x16x1\n");
    expect_text("$DLTRAIN data stats s.h5:all",
                "  0               0.5     0.3416          0          1\nlabel: class\n");
    expect_text("$DLTRAIN data stats s.h5:all",
                "age: numbers\n"
                "                 mean        std      least    largest\n"
                "  0               2.5      1.708          0          5\n");
    expect_text("$DLTRAIN data stats s.h5:all",
                "  odd                               3  50.00 %  ##");
}

/* Two classes of two samples, each an image and its mask of 64x64: 5 gaps of 2 and 4 tiles across.
 */
static void a_sheet_has_a_row_for_each_class(void **state) {
    const int64_t width = 4 * 64 + 5 * 2, height = 2 * 64 + 3 * 2;
    struct image sheet;
    struct err err = {0};

    (void)state;
    expect_text("$DLTRAIN data stats s.h5:all --sheet s.png --each 2",
                "s.png: a row for each of 2 classes, of 2 samples\n");
    if (image_read("s.png", IMAGE_COLOUR, &sheet, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(sheet.width, width);
    assert_int_equal(sheet.height, height);
    for (int tile = 0; tile < 8; tile++) {
        const int row = tile / 4, column = tile % 4, sample = row + column / 2 * 2;
        const int64_t at = (2 + row * 66 + 30) * width + 2 + column * 66 + 30;
        const int expected =
            column % 2 ? 128 * (sample % 2) : 51 * sample; /* class 1 is dark red */
        assert_int_equal(sheet.pixels[3 * at], expected);
    }
    image_release(&sheet);
}

static void what_cannot_be_drawn_or_replaced_is_refused(void **state) {
    (void)state;
    program_expect(
        65, "s.h5:bare: has no images or volumes of 1 or 3 channels and no masks to be drawn",
        "$DLTRAIN data stats s.h5:bare --sheet b.png");
    assert_int_equal(access("b.png", F_OK), -1);
    program_expect(64, "--sheet: found 's.h5', expected a file that ends in .png",
                   "$DLTRAIN data stats s.h5:all --sheet s.h5");
    program_expect(64, "is a folder", "mkdir x.png; $DLTRAIN data stats s.h5:all --sheet x.png");
    program_expect(64, "data: stats takes one FILE.h5[:GROUP], found 0", "$DLTRAIN data stats");
    program_expect(74, "none.h5: No such file or directory", "$DLTRAIN data stats none.h5");
    program_expect(65, "s.h5: which group?", "$DLTRAIN data stats s.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_data),
        cmocka_unit_test(a_sheet_has_a_row_for_each_class),
        cmocka_unit_test(what_cannot_be_drawn_or_replaced_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
