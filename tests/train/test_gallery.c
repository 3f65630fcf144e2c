/* The samples that pictures are made of come from the dataset that the validation has open. */
#include "io/scratch.h"

#include "io/dataset/dataset_writer.h"
#include "train/picture.h"

enum { N = 6, BYTES = 2 * 2 * 3 };

static const char text[] = "[data]\nvalidate = %s:val\nbatch = 4\ncache = %d\n"
                           "[validate]\nm = mean(image)\n[picture a]\nshow = image\ncount = %d\n"
                           "[picture b]\nshow = image\ncount = 1\n";

static float pixel(int sample, int i) {
    return (float)(sample * BYTES + i);
}

static void write_data(const char *path) {
    const struct shape sample = {3, {2, 2, 3}};
    unsigned char images[N * BYTES];
    int32_t labels[N] = {0};
    struct dataset_writer *w;
    struct err err = {0};

    for (int i = 0; i < N * BYTES; i++)
        images[i] = (unsigned char)i;
    if (dataset_writer_new(&w, path, &err) || dataset_writer_split(w, "val", &sample, &err) ||
        dataset_writer_append(w, images, labels, N, &err) ||
        dataset_writer_finish(w, NULL, 0, &err))
        fail_msg("%s", err.msg);
    dataset_writer_free(w);
}

/* The gallery holds the first n samples. */
static void check_samples(const struct gallery *g, int n) {
    assert_int_equal(g->samples.n, n);
    assert_string_equal(loader_field(g->loader, 0)->name, "image");
    for (int s = 0; s < n; s++)
        for (int i = 0; i < BYTES; i++)
            if (g->samples.field[0][s * BYTES + i] * 255 - pixel(s, i) > 1e-3f ||
                g->samples.field[0][s * BYTES + i] * 255 - pixel(s, i) < -1e-3f)
                fail_msg("sample %d, number %d is %g", s, i,
                         (double)g->samples.field[0][s * BYTES + i]);
}

/* One rank of four validates one sample at a time, and the file is gone once it is open; yet there
 * are as many samples as the larger picture asks for, if the set has them. The feed then gives what
 * it would without a gallery. */
static void check(int cache, int count, int n) {
    const char *path = in_scratch("a.h5"), *ini = in_scratch("a.ini");
    char job_text[1024];
    struct job job;
    struct gallery gallery = {0};
    struct feeds feeds = {.validates_here = true};
    struct feed_batch batch;
    struct err err = {0};

    write_data(path);
    snprintf(job_text, sizeof job_text, text, path, cache, count);
    write_bytes(ini, job_text, strlen(job_text));
    if (job_read(&job, ini, NULL, 0, &err))
        fail_msg("%s", err.msg);
    const struct feed_config config = {
        .job = &job, .spec = job.validate_data, .batch = 4, .rank = 1, .size = 4};
    if (feed_init(&feeds.validate, &config, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(unlink(path), 0);
    if (gallery_init(&gallery, &job, &feeds, &err))
        fail_msg("%s", err.msg);
    check_samples(&gallery, n);
    feed_seek(&feeds.validate, 0, 2);
    assert_int_equal(feed_next(&feeds.validate, &batch, &err), 0);
    assert_int_equal(batch.data.n, 1);
    assert_true(batch.data.field[0][0] * 255 > pixel(1, 0) - 0.5f &&
                batch.data.field[0][0] * 255 < pixel(1, 0) + 0.5f);
    check_samples(&gallery, n);
    gallery_release(&gallery);
    feed_release(&feeds.validate);
    job_release(&job);
}

static void nothing_is_opened_again(void **state) {
    (void)state;
    for (int cache = 0; cache < 2; cache++) {
        check(cache, 5, 5);
        check(cache, 1, 1);
        check(cache, 100, N);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_opened_again),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
