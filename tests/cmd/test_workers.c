/* Pictures kept as files, decoded by workers while the network trains. */
#include "cmd/printed.h"
#include "io/image/image.h"

#include <stdio.h>
#include <sys/stat.h>

enum { CLASSES = 2, EACH = 12, MOST_BYTES = 1 << 20 };

/* Picture k of its class, of a size of its own. */
static int write_picture(const char *path, int class, int k) {
    const int width = 12 + 3 * k, height = 30 - 2 * k;
    unsigned char *pixels = malloc((size_t)(width * height * 3));
    struct err err = {0};

    if (!pixels)
        return -1;
    for (int i = 0; i < width * height * 3; i++)
        pixels[i] = (unsigned char)(i * (class ? 5 : 3) + 40 * k + i / width * 7);
    const int rc = image_write_png(path, width, height, 3, pixels, &err);
    free(pixels);
    return rc;
}

static int setup(void **state) {
    char path[64];

    if (program_setup(state) || mkdir("set", 0777) || mkdir("set/train", 0777))
        return -1;
    for (int class = 0; class < CLASSES; class ++) {
        snprintf(path, sizeof path, "set/train/n%d", class);
        if (mkdir(path, 0777))
            return -1;
        for (int k = 0; k < EACH; k++) {
            snprintf(path, sizeof path, "set/train/n%d/%d.png", class, k);
            if (write_picture(path, class, k))
                return -1;
        }
    }
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = c\nsteps = 9\n"
                  "[net c(image)]\nfc = image | conv(4, 3) | relu | global_avgpool | linear(2)\n"
                  "[step]\noptimizer = sgd(lr=0.1)\n"
                  "[data]\ntrain = set.h5:train\nvalidate = set.h5:train\nbatch = 6\n"
                  "augment = image | random_resized_crop(16, crop_pct=0.875) | random_flip\n"
                  " | normalize(mean=0.5, std=0.25)\n",
                  DLTRAIN_CONFIGS);
    return system("$DLTRAIN data import imagefolder set set.h5 --encoded > import.log");
}

static void any_number_of_workers_trains_to_the_same_bits(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=one --set data.workers=1");
    for (int workers = 2; workers <= 3; workers++) {
        program_expect(0, NULL, "$DLTRAIN job.ini --set name=w%d --set data.workers=%d", workers,
                       workers);
        program_expect(0, NULL, "$SAME runs/one/last.h5 runs/w%d/last.h5", workers);
    }
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=auto");
    program_expect(0, NULL, "$DLTRAIN eval runs/auto --set data.decode=reduced");
    expect_text("$DLTRAIN check job.ini", ", batches ");
}

static void what_is_interrupted_goes_on_to_the_same_bits(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=whole");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=parts --set steps=5");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=parts --resume");
    program_expect(0, NULL, "$SAME runs/whole/last.h5 runs/parts/last.h5");
}

/* Where a file's first `len` bytes lie in the dataset; -1: nowhere. */
static long find(const char *all, long n, const char *part, long len) {
    for (long at = 0; at + len <= n; at++)
        if (!memcmp(all + at, part, (size_t)len))
            return at;
    return -1;
}

/* Spoil the pixels of a picture where it lies in broken.h5, a copy of set.h5. */
static void spoil(const char *picture) {
    static char all[MOST_BYTES], part[MOST_BYTES];
    FILE *file = fopen(picture, "rb");

    assert_non_null(file);
    const long len = (long)fread(part, 1, sizeof part, file);
    fclose(file);
    file = fopen("broken.h5", "r+b");
    assert_non_null(file);
    const long n = (long)fread(all, 1, sizeof all, file);
    const long at = find(all, n, part, len);
    assert_true(len > 0 && n < MOST_BYTES && at >= 0);
    fseek(file, at + len / 2, SEEK_SET);
    for (int i = 0; i < 8; i++)
        fputc(~part[len / 2 + i], file);
    assert_int_equal(fclose(file), 0);
}

/* Whoever has it: one message, that names it, and nobody is left. */
static void a_broken_picture_ends_all_ranks_by_its_name(void **state) {
    (void)state;
    program_expect(0, NULL, "cp set.h5 broken.h5");
    spoil("set/train/n1/7.png");
    for (int ranks = 1; ranks <= 3; ranks++)
        program_expect(65, "(n1/7.png) of broken.h5:train: that of /train/images is not what was ",
                       "$MPIRUN -np %d $DLTRAIN job.ini --set name=broken%d --set steps=4 "
                       "--set data.train=broken.h5:train --set data.workers=%d",
                       ranks, ranks, ranks);
    program_expect(65, "(n1/7.png) of broken.h5:train: that of /train/images is not what was ",
                   "$DLTRAIN eval runs/whole --set data.validate=broken.h5:train");
}

/* Also where it is the data to validate on that is broken: samples of it are looked at before. */
static void a_broken_picture_to_validate_on_is_named_before_training(void **state) {
    (void)state;
    program_expect(0, NULL, "cp set.h5 broken.h5");
    spoil("set/train/n1/7.png");
    for (int ranks = 1; ranks <= 3; ranks += 2) {
        program_expect(65, "(n1/7.png) of broken.h5:train: that of /train/images is not what was ",
                       "$MPIRUN -np %d $DLTRAIN job.ini --set name=saved --set data.cache=0 "
                       "--set data.validate=broken.h5:train",
                       ranks);
        program_expect(0, NULL, "[ ! -e runs/saved ]");
    }
}

/* A file that is cut off in the middle of the run costs nothing that was trained either. */
static void a_file_that_is_cut_off_leaves_a_checkpoint(void **state) {
    (void)state;
    program_expect(0, NULL, "cp set.h5 live.h5");
    program_expect(65, "is saved in runs/live/last.h5, for --resume",
                   "($MPIRUN -np 2 $DLTRAIN job.ini --set name=live --set data.cache=0 "
                   "--set steps=1000000 --set log.every=1 --set data.train=live.h5:train "
                   "--set data.validate=set.h5:train --set validate.every=never "
                   "--set checkpoint.last=never) & job=$!; "
                   "until [ -s runs/live/metrics.jsonl ]; do sleep 0.1; done; "
                   "truncate -s 2000 live.h5; wait $job");
    program_expect(0, NULL,
                   "[ ! -e runs/live/lock ] && cp set.h5 live.h5 && $DLTRAIN job.ini "
                   "--set name=live --set data.cache=0 --set data.train=live.h5:train "
                   "--set steps=1 --resume");
}

static void a_host_with_fewer_pictures_is_named(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir h1 && cp -r set job.ini h1 && rm h1/set/train/n1/11.png && "
                   "cd h1 && $DLTRAIN data import imagefolder set set.h5 --encoded");
    program_expect(65,
                   "has image of set.h5:train = 23 rows of encoded pictures of 3 channels, rank 0 ",
                   "$MPIRUN -np 1 $DLTRAIN job.ini : -np 1 -wdir $PWD/h1 $DLTRAIN job.ini");
}

static void pipelines_that_leave_many_sizes_are_refused(void **state) {
    (void)state;
    program_expect(78,
                   "set.h5:train: random_crop: the images have many sizes; begin with "
                   "random_resized_crop(224), resize(224) or resize(short=256) | center_crop(224)",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set \"data.augment=image | random_crop(8)\"");
    program_expect(78, "set.h5:train: augment: the images have many sizes; begin with ",
                   "$DLTRAIN job.ini --set data.augment=image");
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=other --set \"data.augment=image | "
                   "resize(short=20) | random_crop(16) | rand_augment\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers_trains_to_the_same_bits),
        cmocka_unit_test(what_is_interrupted_goes_on_to_the_same_bits),
        cmocka_unit_test(a_broken_picture_ends_all_ranks_by_its_name),
        cmocka_unit_test(a_broken_picture_to_validate_on_is_named_before_training),
        cmocka_unit_test(a_file_that_is_cut_off_leaves_a_checkpoint),
        cmocka_unit_test(a_host_with_fewer_pictures_is_named),
        cmocka_unit_test(pipelines_that_leave_many_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
