#include "io/jpeg.h"

#include "io/dataset/dataset.h"
#include "io/import/import.h"

static const struct import_options plain = {.threads = 2};

static void make_folder(const char *name) {
    assert_int_equal(mkdir(in_scratch(name), 0777), 0);
}

/* SRC/{train,test}/{ape,bee}: apes are red, bees are blue. */
static void make_images(const char *source) {
    char path[128];

    make_folder(source);
    for (int s = 0; s < 2; s++) {
        snprintf(path, sizeof path, "%s/%s", source, s ? "test" : "train");
        make_folder(path);
        for (int c = 0; c < 2; c++) {
            snprintf(path, sizeof path, "%s/%s/%s", source, s ? "test" : "train",
                     c ? "bee" : "ape");
            make_folder(path);
            for (int i = 0; i < (s ? 1 : 3); i++) {
                snprintf(path, sizeof path, "%s/%s/%s/%d.%s", source, s ? "test" : "train",
                         c ? "bee" : "ape", i, i % 2 ? "JPEG" : "jpg");
                write_plain_jpeg(in_scratch(path), 10, 8, c ? 0 : 255, 0, c ? 255 : 0);
            }
        }
    }
}

static int import(const char *importer, const char *source, const struct import_options *options,
                  struct import_result *result, struct err *err) {
    *result = (struct import_result){0};
    return importer_find(importer)->run(in_scratch(source), in_scratch("out.h5"), options, result,
                                        err);
}

static struct dataset *open_split(const char *group) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s:%s", in_scratch("out.h5"), group);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static void folders_become_groups_and_classes(void **state) {
    struct import_result result;
    unsigned char pixels[8 * 10 * 3];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    make_images("plain");
    write_bytes(in_scratch("plain/train/ape/notes.txt"), "x", 1);
    if (import("imagefolder", "plain", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_true(result.n_images == 8 && result.n_skipped == 0 && result.n_ignored == 1);
    assert_true(result.n_splits == 2 && result.n_classes == 2);
    assert_int_equal(access(in_scratch("out.h5.tmp"), F_OK), -1);

    ds = open_split("train");
    assert_int_equal(dataset_len(ds), 6);
    assert_string_equal(dataset_class_name(ds, 1, 0), "ape");
    assert_true(dataset_field(ds, 0)->sample.dim[0] == 8 &&
                dataset_field(ds, 0)->sample.dim[1] == 10);
    for (int64_t i = 0; i < 6; i++) {
        assert_int_equal(dataset_read(ds, 0, &i, 1, pixels, &err), 0);
        assert_true(pixels[dataset_labels(ds, 1)[i] ? 2 : 0] > 250);
        assert_true(pixels[dataset_labels(ds, 1)[i] ? 0 : 2] < 5);
    }
    /* Half of the pixels are 255, half 0: mean and deviation are both a half. */
    assert_true(dataset_mean(ds, 0)[0] > 0.49F && dataset_mean(ds, 0)[0] < 0.51F);
    assert_true(dataset_std(ds, 0)[2] > 0.49F && dataset_std(ds, 0)[2] < 0.51F);
    dataset_close(ds);
    ds = open_split("test");
    assert_int_equal(dataset_len(ds), 2);
    dataset_close(ds);
}

static void classes_alone_become_one_group(void **state) {
    struct import_result result;
    struct err err = {0};

    (void)state;
    assert_int_equal(importer_find("imagefolder")
                         ->run(in_scratch("plain/train"), in_scratch("out.h5"), &plain,
                               memset(&result, 0, sizeof result), &err),
                     0);
    assert_true(result.n_splits == 1 && result.n_images == 6);
    dataset_close(open_split("train"));
}

/* Nor does the clock. */
static void threads_do_not_change_the_file(void **state) {
    struct import_options one = plain;
    struct import_result result;
    unsigned char *first, *second;
    struct err err = {0};
    size_t n, m;

    (void)state;
    assert_int_equal(import("imagefolder", "plain", &plain, &result, &err), 0);
    first = read_bytes(in_scratch("out.h5"), &n);
    sleep(1); /* HDF5 would store times in seconds */
    one.threads = 1;
    assert_int_equal(import("imagefolder", "plain", &one, &result, &err), 0);
    second = read_bytes(in_scratch("out.h5"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
}

static void other_sizes_need_a_decision(void **state) {
    struct import_options options = plain;
    struct import_result result;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    make_images("sizes");
    write_plain_jpeg(in_scratch("sizes/train/bee/9.jpg"), 12, 8, 0, 0, 255);
    assert_int_equal(import("imagefolder", "sizes", &options, &result, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_contains(err.msg, "has 12x8 pixels");
    assert_contains(err.msg, "has 10x8; bring them to one size with --size");
    options.width = 6;
    options.height = 4;
    assert_int_equal(import("imagefolder", "sizes", &options, &result, &err), 0);
    ds = open_split("train");
    assert_true(dataset_field(ds, 0)->sample.dim[0] == 4 &&
                dataset_field(ds, 0)->sample.dim[1] == 6);
    assert_int_equal(dataset_len(ds), 7);
    dataset_close(ds);
}

static void a_broken_image_is_named_or_skipped(void **state) {
    struct import_options options = plain;
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_images("broken");
    write_bytes(in_scratch("broken/train/ape/1.JPEG"), "\xff\xd8\xff nothing", 11);
    unlink(in_scratch("out.h5"));
    assert_int_equal(import("imagefolder", "broken", &options, &result, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "broken/train/ape/1.JPEG: broken JPEG");
    assert_int_equal(access(in_scratch("out.h5"), F_OK), -1);
    assert_int_equal(access(in_scratch("out.h5.tmp"), F_OK), -1);
    options.skip_broken = true;
    assert_int_equal(import("imagefolder", "broken", &options, &result, &err), 0);
    assert_true(result.n_images == 7 && result.n_skipped == 1);
    assert_contains(result.first_skipped, "broken/train/ape/1.JPEG");
}

static void the_most_decide_between_grey_and_colour(void **state) {
    unsigned char grey[80] = {0};
    struct import_options options = plain;
    struct import_result result;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    make_images("grey");
    write_jpeg(in_scratch("grey/train/ape/0.jpg"), 10, 8, JCS_GRAYSCALE, grey);
    assert_int_equal(import("imagefolder", "grey", &options, &result, &err), 0);
    assert_contains(result.note, "colour: 7 of 8 images; 1 other became coloured");
    for (int i = 0; i < 3; i++) {
        char path[64];

        snprintf(path, sizeof path, "grey/train/ape/%d.%s", i, i % 2 ? "JPEG" : "jpg");
        write_jpeg(in_scratch(path), 10, 8, JCS_GRAYSCALE, grey);
    }
    write_jpeg(in_scratch("grey/train/bee/1.JPEG"), 10, 8, JCS_GRAYSCALE, grey);
    assert_int_equal(import("imagefolder", "grey", &options, &result, &err), 0);
    assert_contains(result.note, "colour: 4 of 8 images; 4 others became coloured");
    write_jpeg(in_scratch("grey/train/bee/2.jpg"), 10, 8, JCS_GRAYSCALE, grey);
    assert_int_equal(import("imagefolder", "grey", &options, &result, &err), 0);
    assert_contains(result.note, "grey: 5 of 8 images; 3 others became grey");
    ds = open_split("train");
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 1);
    dataset_close(ds);
    options.mode = IMAGE_COLOUR;
    assert_int_equal(import("imagefolder", "grey", &options, &result, &err), 0);
    assert_null(strstr(result.note, "of 8 images"));
    ds = open_split("train");
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 3);
    dataset_close(ds);
}

static void classes_are_those_of_all_splits(void **state) {
    struct import_result result;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    make_images("extra");
    make_folder("extra/test/auk");
    write_plain_jpeg(in_scratch("extra/test/auk/0.jpg"), 10, 8, 0, 0, 0);
    if (import("imagefolder", "extra", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_classes, 3);
    assert_contains(result.note, "classes of which train has no images: auk");
    ds = open_split("train");
    assert_string_equal(dataset_class_name(ds, 1, 1), "auk");
    assert_int_equal(dataset_class_counts(ds, 1)[1], 0);
    assert_int_equal(dataset_class_counts(ds, 1)[2], 3);
    dataset_close(ds);
    assert_int_equal(import("imagefolder", "absent", &plain, &result, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

static int by_value(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* 10 apes and 20 bees, each with a grey of its own: a fifth of each is held out, none is lost. */
static void held_out_images_keep_the_mixture_of_classes(void **state) {
    struct import_options options = {.threads = 2, .split = {.share = 0.2, .seed = 1}};
    struct import_result result;
    unsigned char grey[30], first[6], pixels[8 * 10 * 3];
    struct err err = {0};
    char path[64];

    (void)state;
    make_folder("held");
    make_folder("held/ape");
    make_folder("held/bee");
    for (int i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "held/%s/%d.jpg", i < 10 ? "ape" : "bee", i);
        write_plain_jpeg(in_scratch(path), 10, 8, 8 * i, 8 * i, 8 * i);
    }
    for (int seed = 1; seed <= 3; seed++) {
        int n = 0;

        options.split.seed = seed == 3 ? 1 : (uint64_t)seed;
        if (import("imagefolder", "held", &options, &result, &err))
            fail_msg("%s", err.msg);
        assert_string_equal(result.note, "train: 24 images\nvalidate: 6 images");
        for (int s = 0; s < 2; s++) {
            struct dataset *ds = open_split(s ? "train" : "validate");

            assert_int_equal(dataset_class_counts(ds, 1)[0], s ? 8 : 2);
            assert_int_equal(dataset_class_counts(ds, 1)[1], s ? 16 : 4);
            for (int64_t i = 0; i < dataset_len(ds); i++) {
                assert_int_equal(dataset_read(ds, 0, &i, 1, pixels, &err), 0);
                grey[n++] = (unsigned char)((pixels[0] + 4) / 8);
                assert_int_equal(dataset_labels(ds, 1)[i], grey[n - 1] >= 10);
            }
            dataset_close(ds);
        }
        if (seed == 1)
            memcpy(first, grey, sizeof first);
        assert_int_equal(memcmp(first, grey, sizeof first) == 0, seed != 2);
        qsort(grey, 30, 1, by_value);
        for (int i = 0; i < 30; i++)
            assert_int_equal(grey[i], i);
    }
}

static void nothing_to_hold_out_is_refused(void **state) {
    struct import_options options = {.threads = 1, .split = {.n = 6}};
    struct import_result result;
    struct err err = {0};

    (void)state;
    assert_int_equal(import("imagefolder", "plain", &options, &result, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_contains(err.msg, "--split would hold out 6 of 6 images of train");
    options.split = (struct import_split){.share = 0.01};
    assert_int_equal(import("imagefolder", "plain", &options, &result, &err), -1);
    assert_contains(err.msg, "--split would hold out 0 of 6 images of train");
    assert_int_equal(rename(in_scratch("plain/test"), in_scratch("plain/Validation")), 0);
    options.split.share = 0.5;
    assert_int_equal(import("imagefolder", "plain", &options, &result, &err), -1);
    assert_contains(err.msg, "--split has nothing to do: there is a group validate");
    assert_int_equal(rename(in_scratch("plain/train"), in_scratch("plain/a")), 0);
    assert_int_equal(rename(in_scratch("plain/Validation"), in_scratch("plain/b")), 0);
    assert_int_equal(import("imagefolder", "plain", &options, &result, &err), -1);
    assert_contains(err.msg, "no split is called train; the first of 2 is a");
    make_folder("singles");
    make_folder("singles/ape");
    make_folder("singles/bee");
    write_plain_jpeg(in_scratch("singles/ape/1.jpg"), 10, 8, 0, 0, 0);
    write_plain_jpeg(in_scratch("singles/bee/1.jpg"), 10, 8, 0, 0, 0);
    assert_int_equal(import("imagefolder", "singles", &options, &result, &err), -1);
    assert_contains(err.msg, "finds nothing to hold out: each class has one image in ");
}

/* n images of 2x3 pixels, image i of class i % 4, pixels 10 i + 0 .. 5. */
static void make_idx(const char *folder, const char *prefix, int n, int claimed) {
    unsigned char images[16 + 6 * 16] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3};
    unsigned char labels[8 + 16] = {0, 0, 8, 1, 0, 0, 0, 0};
    char path[128];

    images[7] = (unsigned char)claimed;
    labels[7] = (unsigned char)n;
    for (int i = 0; i < n; i++) {
        labels[8 + i] = (unsigned char)(i % 4);
        for (int j = 0; j < 6; j++)
            images[16 + 6 * i + j] = (unsigned char)(10 * i + j);
    }
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, prefix);
    write_bytes(in_scratch(path), images, (size_t)(16 + 6 * n));
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, prefix);
    write_bytes(in_scratch(path), labels, (size_t)(8 + n));
}

static void idx_files_are_read(void **state) {
    struct import_result result;
    unsigned char pixels[6];
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    make_folder("idx");
    make_idx("idx", "train", 9, 9);
    make_idx("idx", "t10k", 3, 3);
    if (import("idx", "idx", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_true(result.n_images == 12 && result.n_classes == 4);
    ds = open_split("train");
    assert_true(dataset_field(ds, 0)->sample.dim[0] == 2 &&
                dataset_field(ds, 0)->sample.dim[1] == 3);
    assert_int_equal(dataset_labels(ds, 1)[7], 3);
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){7}, 1, pixels, &err), 0);
    for (int j = 0; j < 6; j++)
        assert_int_equal(pixels[j], 70 + j);
    dataset_close(ds);
    ds = open_split("test");
    assert_int_equal(dataset_field_classes(ds, 1),
                     4); /* the file names four, although three occur */
    dataset_close(ds);
}

static void wrong_idx_files_are_refused(void **state) {
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_folder("bad");
    assert_int_equal(import("idx", "bad", &plain, &result, &err), -1);
    assert_contains(err.msg, "bad: has no file train-images-idx3-ubyte");
    make_idx("bad", "train", 9, 10);
    make_idx("bad", "t10k", 3, 3);
    assert_int_equal(import("idx", "bad", &plain, &result, &err), -1);
    assert_contains(err.msg, "train-images-idx3-ubyte: has 70 bytes, its header says 76");
    write_bytes(in_scratch("bad/train-images-idx3-ubyte"), "0123456789abcdefg", 17);
    assert_int_equal(import("idx", "bad", &plain, &result, &err), -1);
    assert_contains(err.msg, "begins with 30313233, expected 00000803");
    assert_int_equal(rename(in_scratch("bad/train-images-idx3-ubyte"),
                            in_scratch("bad/train-images-idx3-ubyte.gz")),
                     0);
    assert_int_equal(import("idx", "bad", &plain, &result, &err), -1);
    assert_contains(err.msg, "unpack it with gunzip first");
}

enum { RECORD = 1 + 3 * 1024 };

/* One record for each class given; plane p has the value 10 p + class. */
static void make_batch(const char *path, const char *classes) {
    const size_t n = strlen(classes);
    unsigned char *records = malloc(n * RECORD);

    assert_non_null(records);
    for (size_t i = 0; i < n; i++) {
        const int class = classes[i] - '0';

        records[i * RECORD] = (unsigned char)class;
        for (int p = 0; p < 3; p++)
            memset(records + i * RECORD + 1 + 1024 * p, 10 * p + class, 1024);
    }
    write_bytes(in_scratch(path), records, n * RECORD);
    free(records);
}

static void cifar_batches_are_read(void **state) {
    static const char names[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n";
    struct import_result result;
    static unsigned char pixels[3072];
    struct dataset *ds;
    struct err err = {0};
    char path[64];

    (void)state;
    make_folder("cifar");
    assert_int_equal(import("cifar", "cifar", &plain, &result, &err), -1);
    assert_contains(err.msg, "has neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100)");
    for (int i = 1; i <= 5; i++) {
        snprintf(path, sizeof path, "cifar/data_batch_%d.bin", i);
        make_batch(path, "0918");
    }
    make_batch("cifar/test_batch.bin", "37");
    write_bytes(in_scratch("cifar/batches.meta.txt"), names, sizeof names - 1);
    if (import("cifar", "cifar", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_true(result.n_images == 22 && result.n_classes == 10);
    ds = open_split("train");
    assert_int_equal(dataset_len(ds), 20);
    assert_int_equal(dataset_labels(ds, 1)[5], 9);
    assert_string_equal(dataset_class_name(ds, 1, 9), "j");
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){5}, 1, pixels, &err), 0);
    for (int i = 0; i < 1024; i++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(pixels[3 * i + c], 10 * c + 9);
    dataset_close(ds);

    make_batch("cifar/data_batch_3.bin", "01:");
    assert_int_equal(import("cifar", "cifar", &plain, &result, &err), -1);
    assert_contains(err.msg, "data_batch_3.bin: label 10 of record 2, expected 0 to 9");
    write_bytes(in_scratch("cifar/data_batch_3.bin"), names, 10);
    assert_int_equal(import("cifar", "cifar", &plain, &result, &err), -1);
    assert_contains(err.msg, "data_batch_3.bin: ends inside record 0 of 3073 bytes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_become_groups_and_classes),
        cmocka_unit_test(classes_alone_become_one_group),
        cmocka_unit_test(threads_do_not_change_the_file),
        cmocka_unit_test(other_sizes_need_a_decision),
        cmocka_unit_test(a_broken_image_is_named_or_skipped),
        cmocka_unit_test(the_most_decide_between_grey_and_colour),
        cmocka_unit_test(classes_are_those_of_all_splits),
        cmocka_unit_test(held_out_images_keep_the_mixture_of_classes),
        cmocka_unit_test(nothing_to_hold_out_is_refused),
        cmocka_unit_test(idx_files_are_read),
        cmocka_unit_test(wrong_idx_files_are_refused),
        cmocka_unit_test(cifar_batches_are_read),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
