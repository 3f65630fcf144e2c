/* Imports that keep pictures encoded: what is stored, and how they go on where they were ended. */
#include "io/jpeg.h"

#include "io/dataset/content_hash.h"
#include "io/file/lock.h"
#include "io/h5/h5.h"
#include "io/import/import.h"

enum { MANY = 700 };

static const struct import_options plain = {.threads = 2, .encoded = true, .quality = 90};

static char said[512];

static void say(void *context, const char *text) {
    (void)context;
    snprintf(said, sizeof said, "%s", text);
}

/* Asked once for each image. */
static int asked, most_asked;

static bool stop_later(void) {
    return __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) > most_asked;
}

static void write_png(const char *path, int width, int height, int channels, int value) {
    unsigned char *pixels = malloc((size_t)(width * height * channels));
    struct err err = {0};

    assert_non_null(pixels);
    memset(pixels, value, (size_t)(width * height * channels));
    assert_int_equal(image_write_png(path, width, height, channels, pixels, &err), 0);
    free(pixels);
}

static void make_folders(const char *source) {
    char path[64];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", source, i == 0 ? "" : i == 1 ? "/ape" : "/bee");
        assert_int_equal(mkdir(in_scratch(path), 0777), 0);
    }
}

/* MANY small pictures of two classes, in more than one batch. */
static void make_many(const char *source) {
    char path[64];

    make_folders(source);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "%s/%s/%d.png", source, i % 2 ? "ape" : "bee", i);
        write_png(in_scratch(path), 1 + i % 3, 2, 3, i % 256);
    }
}

static int import_to(const char *source, const char *target, const struct import_options *options,
                     struct import_result *result, struct err *err) {
    struct import_options o = *options;

    *result = (struct import_result){0};
    *err = (struct err){0};
    *said = 0;
    o.progress.say = say;
    return importer_find("imagefolder")
        ->run(in_scratch(source), in_scratch(target), &o, result, err);
}

static void import_fine(const char *source, const char *target,
                        const struct import_options *options) {
    struct import_result result;
    struct err err;

    if (import_to(source, target, options, &result, &err))
        fail_msg("%s", err.msg);
    import_result_release(&result);
}

static void same_files(const char *a, const char *b) {
    size_t n, m;
    unsigned char *first = read_bytes(in_scratch(a), &n), *second = read_bytes(in_scratch(b), &m);

    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
}

/* What the group `train` of a file holds. */
struct stored {
    int64_t n, *offset;
    int32_t *label;
    unsigned char *bytes;
};

static void stored_init(struct stored *s, const char *file) {
    struct h5_data *data;
    struct err err = {0};
    struct h5 *h5;

    assert_int_equal(h5_open(&h5, in_scratch(file), &err), 0);
    assert_int_equal(h5_data_open(&data, h5, "/train/labels", &err), 0);
    s->n = h5_data_info(data)->dim[0];
    h5_data_close(data);
    s->offset = malloc((size_t)(s->n + 1) * sizeof *s->offset);
    s->label = malloc((size_t)s->n * sizeof *s->label);
    assert_int_equal(h5_read(h5, "/train/labels", H5_TYPE_I32, s->n, s->label, &err), 0);
    assert_int_equal(h5_read(h5, "/train/images_offsets", H5_TYPE_I64, s->n + 1, s->offset, &err),
                     0);
    s->bytes = malloc((size_t)s->offset[s->n]);
    assert_int_equal(h5_read(h5, "/train/images", H5_TYPE_U8, s->offset[s->n], s->bytes, &err), 0);
    h5_close(h5);
}

static void stored_release(struct stored *s) {
    free(s->offset);
    free(s->label);
    free(s->bytes);
}

static struct image decode_stored(const struct stored *s, int64_t i) {
    struct image image = {0};
    struct err err = {0};

    if (image_decode(s->bytes + s->offset[i], (size_t)(s->offset[i + 1] - s->offset[i]), "stored",
                     IMAGE_AS_STORED, &image, &err))
        fail_msg("%s", err.msg);
    return image;
}

/* The row whose bytes are those of the file, or -1. */
static int64_t find(const struct stored *s, const char *file) {
    size_t n;
    unsigned char *bytes = read_bytes(in_scratch(file), &n);
    int64_t found = -1;

    for (int64_t i = 0; i < s->n; i++)
        if (s->offset[i + 1] - s->offset[i] == (int64_t)n &&
            !memcmp(s->bytes + s->offset[i], bytes, n))
            found = i;
    free(bytes);
    return found;
}

static void check_hash(struct h5 *h5, const char *path, const void *bytes, size_t len) {
    char expected[32], *found = NULL;
    struct err err = {0};

    snprintf(expected, sizeof expected, "xxh3:%016llx",
             (unsigned long long)content_hash_of(bytes, len));
    if (h5_attr_text(h5, path, CONTENT_HASH, &found, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(found, expected);
    free(found);
}

static void files_stay_as_they_are(void **state) {
    struct import_result result;
    struct stored s;
    struct h5 *h5;
    struct err err = {0};
    int64_t channels;
    double *mean;
    char *text;
    int n;

    (void)state;
    make_folders("kept");
    write_plain_jpeg(in_scratch("kept/ape/1.jpg"), 10, 8, 255, 0, 0);
    write_png(in_scratch("kept/ape/2.png"), 5, 4, 3, 255);
    write_png(in_scratch("kept/bee/3.png"), 10, 2, 1, 0);
    assert_int_equal(import_to("kept", "kept.h5", &plain, &result, &err), 0);
    assert_true(result.n_images == 3 && result.n_classes == 2 && result.n_splits == 1);
    assert_contains(result.note, "colour: 2 of 3 images; 1 other became coloured");
    assert_int_equal(access(in_scratch("kept.h5.import"), F_OK), -1);
    stored_init(&s, "kept.h5");
    assert_true(s.n == 3 && s.offset[0] == 0 && s.offset[3] == result.n_bytes);
    assert_int_equal(s.label[find(&s, "kept/ape/1.jpg")], 0);
    assert_int_equal(s.label[find(&s, "kept/ape/2.png")], 0);
    assert_int_equal(s.label[find(&s, "kept/bee/3.png")], 1);

    assert_int_equal(h5_open(&h5, in_scratch("kept.h5"), &err), 0);
    assert_int_equal(h5_attr_text(h5, "/train/images", "encoding", &text, &err), 0);
    assert_string_equal(text, "files");
    free(text);
    assert_int_equal(h5_attr_int(h5, "/train/images", "channels", &channels, &err), 0);
    assert_int_equal(channels, 3);
    assert_int_equal(h5_attr_int(h5, "/", "dltrain_dataset", &channels, &err), 0);
    check_hash(h5, "/train/images", s.bytes, (size_t)s.offset[3]);
    check_hash(h5, "/train/labels", s.label, sizeof(int32_t) * 3);
    /* 80 red pixels, 20 white ones, 20 black ones */
    assert_int_equal(h5_attr_reals(h5, "/", "mean", &mean, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_true(mean[0] > 0.828 && mean[0] < 0.8334 && mean[1] > 0.16 && mean[1] < 0.17);
    free(mean);
    h5_close(h5);
    stored_release(&s);
}

static void names_are_kept_with_their_folders(void **state) {
    unsigned char *bytes;
    size_t n;

    (void)state;
    bytes = read_bytes(in_scratch("kept.h5"), &n);
    bool found = false;
    for (size_t i = 0; i + 9 < n && !found; i++)
        found = !memcmp(bytes + i, "bee/3.png", 9);
    assert_true(found);
    free(bytes);
}

static void threads_do_not_change_the_file(void **state) {
    struct import_options one = plain;

    (void)state;
    one.threads = 1;
    make_many("many");
    import_fine("many", "whole.h5", &plain);
    import_fine("many", "one.h5", &one);
    same_files("whole.h5", "one.h5");
}

static void who_is_stopped_goes_on(void **state) {
    struct import_options options = plain;
    struct import_result result;
    struct err err;
    int rounds = 0;

    (void)state;
    options.progress.stopped = stop_later;
    for (most_asked = 100;; rounds++) {
        asked = 0;
        if (!import_to("many", "stopped.h5", &options, &result, &err))
            break;
        assert_int_equal(err.kind, ERR_STOPPED);
        assert_int_equal(access(in_scratch("stopped.h5"), F_OK), -1);
        assert_contains(err.msg, "stopped.h5.import: keeps the first ");
        assert_contains(err.msg, " of 700 images; the same command goes on");
    }
    assert_contains(said, "stopped.h5.import: goes on after ");
    assert_true(rounds >= 3);
    same_files("whole.h5", "stopped.h5");
    assert_int_equal(access(in_scratch("stopped.h5.import"), F_OK), -1);
}

/* Stop after so many, of which one batch at least is kept. */
static void stop_after(const char *target, int n) {
    struct import_options options = plain;
    struct import_result result;
    struct err err;

    options.progress.stopped = stop_later;
    asked = 0;
    most_asked = n;
    assert_int_equal(import_to("many", target, &options, &result, &err), -1);
    assert_int_equal(err.kind, ERR_STOPPED);
}

static void what_was_cut_or_damaged_is_done_again(void **state) {
    unsigned char *bytes;
    size_t n;

    (void)state;
    stop_after("cut.h5", 600);
    bytes = read_bytes(in_scratch("cut.h5.import/journal"), &n);
    write_bytes(in_scratch("cut.h5.import/journal"), bytes, n - 5);
    free(bytes);
    import_fine("many", "cut.h5", &plain);
    assert_true(strstr(said, "goes on after 256 of 700") ||
                strstr(said, "goes on after 512 of 700"));
    same_files("whole.h5", "cut.h5");

    stop_after("cut.h5", 600);
    bytes = read_bytes(in_scratch("cut.h5.import/data"), &n);
    bytes[n - 1000] ^= 1;
    write_bytes(in_scratch("cut.h5.import/data"), bytes, n);
    free(bytes);
    import_fine("many", "cut.h5", &plain);
    assert_contains(said, "cut.h5.import: goes on after ");
    same_files("whole.h5", "cut.h5");
}

static void other_images_or_options_begin_anew(void **state) {
    struct import_options smaller = plain;

    (void)state;
    smaller.resize_short = 1;
    stop_after("anew.h5", 600);
    import_fine("many", "anew.h5", &smaller);
    assert_contains(said, "anew.h5.import: begins anew: what is there is of other options");
    stop_after("anew.h5", 600);
    import_fine("kept", "anew.h5", &plain);
    assert_contains(said, "anew.h5.import: begins anew: what is there is of other images");
    same_files("kept.h5", "anew.h5");
}

static void two_at_a_time_are_refused(void **state) {
    struct import_result result;
    char left[LOCK_TEXT];
    struct lock lock;
    struct err err = {0};

    (void)state;
    assert_int_equal(mkdir(in_scratch("two.h5.import"), 0777), 0);
    assert_int_equal(lock_take(&lock, in_scratch("two.h5.import"), "", left, &err), 0);
    assert_int_equal(import_to("kept", "two.h5", &plain, &result, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_contains(err.msg, "two.h5.import is in use by another run (process ");
    assert_contains(err.msg, "; wait for it, or give another name to write to");
    lock_release(&lock);
    import_fine("kept", "two.h5", &plain);
}

static void broken_images_are_named_or_skipped(void **state) {
    struct import_options skip = plain;
    struct import_result result;
    struct stored s;
    struct err err;

    (void)state;
    skip.skip_broken = true;
    write_bytes(in_scratch("many/ape/torn.jpg"), "\xff\xd8\xff nothing", 11);
    write_bytes(in_scratch("many/ape/empty.png"), "", 0);
    assert_int_equal(import_to("many", "torn.h5", &plain, &result, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_true(strstr(err.msg, "many/ape/torn.jpg: broken JPEG") ||
                strstr(err.msg, "many/ape/empty.png: is empty"));
    assert_int_equal(access(in_scratch("torn.h5"), F_OK), -1);
    assert_int_equal(import_to("many", "torn.h5", &skip, &result, &err), 0);
    assert_true(result.n_images == MANY && result.n_skipped == 2);
    for (int i = 0; i < 2; i++)
        assert_true(strstr(result.skipped[i], "many/ape/torn.jpg: broken JPEG") ||
                    strstr(result.skipped[i], "many/ape/empty.png: is empty"));
    assert_string_not_equal(result.skipped[0], result.skipped[1]);
    import_result_release(&result);
    most_asked = 600; /* what was skipped then is not now */
    asked = 0;
    skip.progress.stopped = stop_later;
    assert_int_equal(import_to("many", "torn.h5", &skip, &result, &err), -1);
    assert_int_equal(err.kind, ERR_STOPPED);
    assert_int_equal(import_to("many", "torn.h5", &plain, &result, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    stored_init(&s, "torn.h5");
    assert_int_equal(s.n, MANY);
    stored_release(&s);
    assert_int_equal(unlink(in_scratch("many/ape/torn.jpg")), 0);
    assert_int_equal(unlink(in_scratch("many/ape/empty.png")), 0);
}

/* A block of EXIF after the first marker: what is stored is to be turned by a quarter. */
static void turn_jpeg(const char *path) {
    static const unsigned char exif[] = "\xff\xe1\0\x22"
                                        "Exif\0\0"
                                        "II*\0\10\0\0\0\1\0"
                                        "\x12\1\3\0\1\0\0\0\6\0\0\0"
                                        "\0\0\0\0";
    size_t n;
    unsigned char *bytes = read_bytes(path, &n), *turned = malloc(n + sizeof exif);

    assert_non_null(turned);
    memcpy(turned, bytes, 2);
    memcpy(turned + 2, exif, sizeof exif - 1);
    memcpy(turned + 2 + sizeof exif - 1, bytes + 2, n - 2);
    write_bytes(path, turned, n + sizeof exif - 1);
    free(bytes);
    free(turned);
}

static void large_images_become_smaller_and_upright(void **state) {
    struct import_options options = plain;
    struct import_result result;
    struct stored s;
    struct err err;
    int seen = 0;

    (void)state;
    options.resize_short = 20;
    make_folders("large");
    write_plain_jpeg(in_scratch("large/ape/1.jpg"), 75, 50, 200, 20, 20);
    turn_jpeg(in_scratch("large/ape/1.jpg"));
    write_png(in_scratch("large/ape/2.png"), 40, 71, 1, 99);
    write_plain_jpeg(in_scratch("large/bee/3.jpg"), 90, 20, 1, 2, 3);
    assert_int_equal(import_to("large", "large.h5", &options, &result, &err), 0);
    assert_contains(result.note, "2 images became smaller JPEGs of quality 90, their shorter side "
                                 "20; 1 stay as they are");
    assert_contains(result.note, "1 of them were PNG or other files and are JPEGs now");
    assert_contains(result.note, "1 image not upright as stored");
    stored_init(&s, "large.h5");
    assert_true(find(&s, "large/bee/3.jpg") >= 0);
    for (int64_t i = 0; i < s.n; i++) {
        struct image image = decode_stored(&s, i);

        assert_memory_equal(s.bytes + s.offset[i], "\xff\xd8\xff", 3);
        if (image.height == 30) { /* 50x75 as it is shown */
            assert_true(image.width == 20 && image.channels == 3 && image.orientation == 1);
            assert_true(abs(image.pixels[0] - 200) < 4 && abs(image.pixels[1] - 20) < 4);
            seen++;
        } else if (image.channels == 1) { /* 71 / 2, rounded down */
            assert_true(image.width == 20 && image.height == 35);
            assert_true(abs(image.pixels[0] - 99) < 4);
            seen++;
        }
        image_release(&image);
    }
    assert_int_equal(seen, 2);
    stored_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stay_as_they_are),
        cmocka_unit_test(names_are_kept_with_their_folders),
        cmocka_unit_test(threads_do_not_change_the_file),
        cmocka_unit_test(who_is_stopped_goes_on),
        cmocka_unit_test(what_was_cut_or_damaged_is_done_again),
        cmocka_unit_test(other_images_or_options_begin_anew),
        cmocka_unit_test(two_at_a_time_are_refused),
        cmocka_unit_test(broken_images_are_named_or_skipped),
        cmocka_unit_test(large_images_become_smaller_and_upright),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
