/* Picture files as a dataset, brought to one size as importers do it. */
#include "io/scratch.h"

#include "core/base/rng.h"
#include "io/augment/augment.h"
#include "io/dataset/dataset_files.h"
#include "io/image/image.h"
#include "io/loader/loader.h"

enum { N = 4, SIDE = 24 };

static const int sizes[N][2] = {{31, 47}, {24, 24}, {60, 20}, {13, 57}}; /* width, height */

static const char *path_of(int i) {
    char name[16];

    snprintf(name, sizeof name, "%d.png", i);
    return in_scratch(name);
}

static void write_pictures(char paths[N][512], const char *list[N]) {
    struct err err = {0};

    for (int i = 0; i < N; i++) {
        unsigned char pixels[60 * 60 * 3];
        for (int k = 0; k < 60 * 60 * 3; k++)
            pixels[k] =
                (unsigned char)rng_below(rng_key(5, RNG_TEST, (uint64_t)i, 0), (uint64_t)k, 256);
        snprintf(paths[i], 512, "%s", path_of(i));
        list[i] = paths[i];
        if (image_write_png(paths[i], sizes[i][0], sizes[i][1], 3, pixels, &err))
            fail_msg("%s", err.msg);
    }
}

static struct dataset *open_files(const char *const *list, int64_t n) {
    const struct dataset_files files = {
        .name = "the pictures", .field = "image", .path = list, .n = n, .channels = 3};
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_of_files(&ds, &files, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static struct loader *open_loader(struct dataset *ds, const struct augment_fit *fit) {
    const struct applied pipeline = {&augment_fit_word.word, (void *)(uintptr_t)fit};
    const struct loader_config config = {
        .dataset = ds, .pipeline = &pipeline, .n_pipeline = 1, .max_batch = N, .workers = 2};
    struct loader *loader = NULL;
    struct err err = {0};

    if (loader_new(&loader, &config, &err))
        fail_msg("%s", err.msg);
    return loader;
}

static void check_fit(const char *const *list, bool stretch) {
    const struct augment_fit fit = {SIDE, SIDE, stretch};
    static const int64_t order[N] = {2, 0, 3, 1};
    struct dataset *ds = open_files(list, N);
    struct loader *loader = open_loader(ds, &fit);
    struct loader_batch batch;
    struct err err = {0};

    loader_request(loader, order, NULL, N, 0);
    if (loader_wait(loader, &batch, &err))
        fail_msg("%s", err.msg);
    for (int i = 0; i < N; i++) {
        unsigned char expected[SIDE * SIDE * 3];
        struct image image;
        assert_int_equal(image_read(list[order[i]], IMAGE_COLOUR, &image, &err), 0);
        assert_int_equal(
            image_resize(&image, SIDE, SIDE, stretch ? IMAGE_STRETCH : IMAGE_CROP, expected, &err),
            0);
        for (int k = 0; k < SIDE * SIDE * 3; k++)
            assert_true(batch.field[0][i * SIDE * SIDE * 3 + k] == (float)expected[k] / 255);
        image_release(&image);
    }
    loader_release_batch(loader);
    loader_free(loader);
    dataset_close(ds);
}

static void pixels_are_those_of_an_import(void **state) {
    char paths[N][512];
    const char *list[N];

    (void)state;
    write_pictures(paths, list);
    check_fit(list, false);
    check_fit(list, true);
}

static void what_is_wrong_is_said_by_the_name_of_the_file(void **state) {
    const char *list[] = {in_scratch("none.png"), in_scratch("text.png")};
    const struct augment_fit fit = {SIDE, SIDE, false};
    struct dataset *ds = open_files(list, 2);
    struct loader *loader = open_loader(ds, &fit);
    struct loader_batch batch;

    (void)state;
    write_bytes(list[1], "hello", 5);
    for (int64_t i = 0; i < 2; i++) {
        struct err err = {0};
        loader_request(loader, &i, NULL, 1, 0);
        assert_int_equal(loader_wait(loader, &batch, &err), -1);
        assert_int_equal(strncmp(err.msg, list[i], strlen(list[i])), 0);
        assert_int_equal(err.kind, i ? ERR_DATA : ERR_IO);
        loader_release_batch(loader);
    }
    loader_free(loader);
    dataset_close(ds);
}

/* The middle of what an importer leaves of 60x20, of which a crop leaves the middle. */
static void the_piece_that_is_seen_is_that_of_all_words(void **state) {
    const struct augment_fit fit = {20, 20, false};
    const struct word *crop = augment_find("center_crop");
    char memory[256] = {0};
    const struct applied pipeline[] = {{&augment_fit_word.word, (void *)(uintptr_t)&fit},
                                       {crop, memory}};
    const struct augment_source source = {{3, {0, 0, 3}}, NULL, NULL, AUGMENT_IMAGE, true};
    struct augment_plan *plan = malloc(sizeof *plan);
    struct augment_piece piece;
    struct err err = {0};

    (void)state;
    assert_non_null(plan);
    assert_true(crop->args_size <= sizeof memory);
    *(struct ints *)(void *)(memory + crop->args[0].offset) = (struct ints){1, {10}};
    if (augment_plan_init(plan, pipeline, 2, false, &source, &err))
        fail_msg("%s", err.msg);
    augment_seen(plan, 40, 60, &piece);
    assert_true(piece.height == 20 && piece.width == 20 && piece.top == 10 && piece.left == 20);
    assert_int_equal(piece.out_height, 10);
    free(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_those_of_an_import),
        cmocka_unit_test(what_is_wrong_is_said_by_the_name_of_the_file),
        cmocka_unit_test(the_piece_that_is_seen_is_that_of_all_words),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
