/* dltrain predict: masks, pictures and values of each pixel, in windows, whole, and made of noise.
 */
#include "cmd/predicted.h"

static int setup(void **state) {
    if (predicted_setup(state))
        return -1;
    program_write("gan.ini", "[job]\nepochs = 1\n[net gen(z, class)]\n"
                             "y = concat(z, one_hot(class, 2)) | linear(24 * 24 * 3) | tanh | "
                             "reshape([24, 24, 3])\n[net dis(image)]\n"
                             "y = image | conv(4, 3, stride=4) | relu | flatten | linear(1)\n"
                             "[data]\ntrain = photos.h5:train\nvalidate = photos.h5:test\n"
                             "augment = image | normalize(0.5, 0.5)\nbatch = 8\n"
                             "[step]\nloss = bce(dis(gen(noise(8), label)), 1)\ntrain = gen\n"
                             "optimizer = adam(lr=0.001)\n"
                             "[validate]\nfake = mean(dis(gen(noise(8), label)) | sigmoid)\n"
                             "[picture p]\nshow = image, gen(noise(8), label)\nrange = -1, 1\n");
    program_write("copy.ini",
                  "[job]\nmodel = u\nepochs = 1\n[net u(image)]\nout = image | conv(3, 3)\n"
                  "[data]\ntrain = photos.h5:train\nvalidate = photos.h5:test\nbatch = 8\n"
                  "[step]\nloss = mse(u(image), image)\ntrain = u\noptimizer = sgd(lr=0.1)\n"
                  "[validate]\nloss = mse(u(image), image)\n");
    program_expect(0, NULL, "$DLTRAIN gan.ini && $DLTRAIN copy.ini");
    return 0;
}

static struct image picture(const char *path, enum image_mode mode) {
    struct image image = {0};
    struct err err = {0};

    if (image_read(path, mode, &image, &err))
        fail_msg("%s", err.msg);
    return image;
}

static void expect_size(const char *path, int width, int height) {
    struct image image = picture(path, IMAGE_CLASSES);

    if (image.width != width || image.height != height)
        fail_msg("%s is %dx%d, expected %dx%d", path, image.width, image.height, width, height);
    image_release(&image);
}

/* Shares of classes in a mask are those that its line says. */
static void check_shares(const char *folder, const char *mask, const json_t *line) {
    char path[128];
    double ones = 0;

    snprintf(path, sizeof path, "%s/%s", folder, mask);
    struct image image = picture(path, IMAGE_CLASSES);
    const int n = image.width * image.height;
    for (int i = 0; i < n; i++)
        ones += image.pixels[i] == 1;
    image_release(&image);
    const json_t *share = json_object_get(json_object_get(line, "classes"), "1");
    assert_true(fabs(json_number_value(share) - ones / n) < 1e-6);
}

static void masks_have_names_places_and_sizes_of_their_pictures(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN predict runs/cell scans -o m --window 0.5 --overlay");
    expect_size("m/a.png", 41, 30);
    expect_size("m/deep/b.png", 16, 16);
    expect_size("m/deep/c.png", 9, 50);
    expect_size("m/deep/c_overlay.png", 9, 50);
    json_t *lines = predicted_lines("m/predictions.jsonl"), *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        check_shares("m", json_string_value(json_object_get(line, "mask")), line);
    }
    assert_int_equal(i, 3);
    json_decref(lines);
    program_expect(0, NULL,
                   "for i in 2 3 4; do $MPIRUN -np $i $DLTRAIN predict runs/cell scans -o m$i "
                   "--window 0.5 --overlay && diff -r m m$i || exit 1; done");
}

/* A network that looks at one pixel gives each pixel the same class, in whatever window it is; and
 * a picture of the network's size is the same in all ways. */
static void windows_whole_pictures_and_turned_ones_agree(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/cell scans -o whole --whole && "
                   "$DLTRAIN predict runs/cell scans -o windows --window 0.25 && "
                   "diff -r whole windows");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/cell scans -o turned --whole --tta flips && "
                   "diff -r whole turned");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/cell scans -o plain && "
                   "cmp plain/deep/b.png whole/deep/b.png");
    expect_size("plain/a.png", 41, 30);
    program_expect(64, "--whole and --window exclude each other",
                   "$DLTRAIN predict runs/cell scans -o x --whole --window 0.5");
    program_expect(65, "--tta rot90 turns squares",
                   "$DLTRAIN predict runs/cell scans/a.png --whole --tta rot90");
}

/* Of a picture 41x30 a network of 16x16 sees the middle 30x30: beside it the mask says nothing. */
static void what_the_network_has_not_seen_has_no_class(void **state) {
    struct image image = picture("plain/a.png", IMAGE_CLASSES);

    (void)state;
    for (int i = 0; i < 41 * 30; i++) {
        const int x = i % 41;
        if (x == 5 || x == 35)
            continue; /* half of each is in it */
        assert_true((image.pixels[i] == 255) == (x < 5 || x > 35));
    }
    image_release(&image);
}

static void read_values(const char *file, const char *path, int64_t len, float *out) {
    struct err err = {0};
    struct h5 *h5;

    if (h5_open(&h5, file, &err) || h5_read(h5, path, H5_TYPE_F32, len, out, &err))
        fail_msg("%s", err.msg);
    h5_close(h5);
}

/* Rows of a dataset that are larger than the network: 24x24 by one of 10x10. */
static void values_of_a_dataset_are_the_same_in_windows(void **state) {
    enum { LEN = 16 * 24 * 24 * 3 };
    static float whole[LEN], parts[LEN];

    (void)state;
    program_write("point.ini",
                  "[job]\nmodel = u\nepochs = 1\n[net u(image)]\nout = image | conv(3, 1)\n"
                  "[data]\ntrain = photos.h5:train\nvalidate = photos.h5:test\nbatch = 8\n"
                  "augment = image | random_crop(10)\n"
                  "[step]\nloss = mse(u(image), image)\ntrain = u\noptimizer = sgd(lr=0.1)\n"
                  "[validate]\nloss = mse(u(image), image)\n");
    program_expect(0, NULL,
                   "$DLTRAIN point.ini && $DLTRAIN predict runs/point photos.h5:test -o whole.h5 "
                   "--whole && $MPIRUN -np 3 $DLTRAIN predict runs/point photos.h5:test -o "
                   "parts.h5 --window 0.5 --tta flip");
    read_values("whole.h5", "/values", LEN, whole);
    read_values("parts.h5", "/values", LEN, parts);
    for (int i = 0; i < LEN; i++)
        assert_true(fabsf(whole[i] - parts[i]) < 1e-5f);
}

static void images_are_drawn_at_the_size_of_theirs(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/copy photos/test/dark/33.png -o copies "
                   "--range 0,1");
    struct image from = picture("photos/test/dark/33.png", IMAGE_COLOUR);
    expect_size("copies/33.png", from.width, from.height);
    image_release(&from);
    program_expect(64, "is pictures; expected a folder for them",
                   "$DLTRAIN predict runs/copy photos/test/dark/33.png");
    program_expect(64, "33.jpg and 33.png would both become 33.png",
                   "mkdir two && cp photos/test/dark/33.png two/33.jpg && $DLTRAIN predict "
                   "runs/copy two/33.jpg photos/test/dark/33.png -o x");
}

/* The same seed makes the same pictures, on any ranks and in any batch; another makes others. */
static void noise_becomes_pictures(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/gan --count 7 --seed 3 -o g --batch 7 && for i in 2 3 4; "
                   "do $MPIRUN -np $i $DLTRAIN predict runs/gan --count 7 --seed 3 -o g$i --batch "
                   "$i && diff -r g g$i || exit 1; done");
    program_expect(1, NULL,
                   "$DLTRAIN predict runs/gan --count 7 --seed 4 -o h && "
                   "cmp -s g/000000.png h/000000.png");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/gan --count 3 --class dark -o d && "
                   "grep -c dark d/predictions.jsonl | grep -q 3");
    expect_size("g/000006.png", 24, 24);
    program_expect(64, "--class: found 'cat', expected a class of label",
                   "$DLTRAIN predict runs/gan --count 3 --class cat -o d");
    program_expect(64, "reads no pictures; expected --count N",
                   "$DLTRAIN predict runs/gan photos/test -o d");
}

/* Two halves of a picture have to be of one size: of 9 pixels they are not. */
static void a_size_that_the_network_cannot_take_is_named(void **state) {
    (void)state;
    program_write("halves.ini",
                  "[job]\nmodel = u\nepochs = 1\n[net u(image)]\nhalf = image | maxpool(2)\n"
                  "out = concat(image, half | upsample(2)) | conv(1, 1)\n"
                  "[data]\ntrain = cells.h5:all\nbatch = 4\n"
                  "[step]\nloss = mse(u(image), image)\ntrain = u\noptimizer = sgd(lr=0.1)\n");
    program_expect(0, NULL, "$DLTRAIN halves.ini");
    program_expect(65, "scans/a.png: --whole, 30x41x1: ",
                   "$MPIRUN -np 2 $DLTRAIN predict runs/halves scans -o halves --whole");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/halves scans -o halves --whole --skip-broken && "
                   "grep -c error halves/predictions.jsonl | grep -q 2");
    expect_size("halves/deep/b.png", 16, 16);
}

/* What is there of a folder is not made again. */
static void folders_are_gone_on_with(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "cp -r m again && head -n 1 m/predictions.jsonl > again/predictions.jsonl && "
                   "rm -r again/deep && $MPIRUN -np 2 $DLTRAIN predict runs/cell scans -o again "
                   "--window 0.5 --overlay --resume && diff -r m again");
}

/* Masks are called as their pictures. */
static void pictures_are_not_replaced_by_their_masks(void **state) {
    (void)state;
    program_expect(0, NULL, "cp -r scans own");
    program_expect(64, "own/a.png: is an input, which its prediction would replace",
                   "$DLTRAIN predict runs/cell own -o own --window 0.5");
    program_expect(64, "b.png: is an input, which its prediction would replace",
                   "$DLTRAIN predict runs/cell own/deep/b.png -o own/deep --window 0.5");
    program_expect(0, NULL, "diff -r own scans");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_have_names_places_and_sizes_of_their_pictures),
        cmocka_unit_test(windows_whole_pictures_and_turned_ones_agree),
        cmocka_unit_test(what_the_network_has_not_seen_has_no_class),
        cmocka_unit_test(values_of_a_dataset_are_the_same_in_windows),
        cmocka_unit_test(images_are_drawn_at_the_size_of_theirs),
        cmocka_unit_test(noise_becomes_pictures),
        cmocka_unit_test(a_size_that_the_network_cannot_take_is_named),
        cmocka_unit_test(folders_are_gone_on_with),
        cmocka_unit_test(pictures_are_not_replaced_by_their_masks),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
