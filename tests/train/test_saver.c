/* Files that are written while training goes on hold what was there when they were asked for. */
#include "io/scratch.h"

#include "io/file/file.h"
#include "train/saver.h"

enum { LEN = 300000 };

static real numbers[LEN];

/* All of them are v. */
static struct save take(real v, real *room) {
    struct save s = {.n = 1};
    real *data = room ? room : numbers;

    for (int i = 0; i < LEN; i++)
        data[i] = v;
    s.t = pool_take(&s.pool, sizeof *s.t);
    s.t[0] = (struct checkpoint_tensor){"/nets/a/w", {1, {LEN}}, data, false};
    s.meta = file_text("{\"step\": %d}", (int)v);
    return s;
}

static struct saver *begin(int64_t len) {
    struct saver *s;
    struct err err = {0};

    if (saver_new(&s, len, NULL, &err))
        fail_msg("%s", err.msg);
    return s;
}

static struct saver_job job_of(const char *file, int step) {
    return (struct saver_job){.file = file, .step = step};
}

static void ask(struct saver *s, const struct saver_job *job) {
    const struct save save = take((real)job->step, saver_room(s, job));

    saver_write(s, job, &save);
    for (int i = 0; i < LEN; i++) /* training goes on */
        numbers[i] = -1;
}

static void told(struct saver *s, const char *file, int step, const char *why) {
    struct saver_outcome o;

    if (!saver_told(s, true, &o))
        fail_msg("nothing has become of %s", file);
    assert_string_equal(o.file, file);
    assert_int_equal(o.step, step);
    assert_int_equal(o.rc, why ? -1 : 0);
    if (why && !strstr(o.err.msg, why))
        fail_msg("'%s' is not in '%s'", why, o.err.msg);
}

static void told_all(struct saver *s) {
    struct saver_outcome o;

    assert_false(saver_told(s, true, &o));
}

static void expect(const char *file, real v) {
    struct checkpoint *ck;
    struct err err = {0};

    if (checkpoint_open(&ck, file, &err))
        fail_msg("%s", err.msg);
    const struct checkpoint_tensor *t = checkpoint_find(ck, "/nets/a/w");
    for (int i = 0; i < LEN; i++)
        assert_true(t->data[i] == v);
    checkpoint_close(ck);
}

static void a_file_holds_what_was_there_when_it_was_asked_for(void **state) {
    (void)state;
    struct saver *s = begin(LEN);
    const char *file = in_scratch("a.h5");

    assert_true(saver_is_threaded(s));
    for (int step = 1; step < 9; step++) {
        struct saver_job job = job_of(file, step);
        job.waits = step == 5;
        ask(s, &job);
        told(s, file, step, NULL);
        told_all(s);
        expect(file, (real)step);
    }
    saver_free(s);
}

static void a_thread_writes_the_same_bytes(void **state) {
    (void)state;
    const char *file[] = {in_scratch("alone.h5"), in_scratch("thread.h5")};
    unsigned char *bytes[2];
    size_t len[2];

    for (int k = 0; k < 2; k++) {
        struct saver *s = begin(k ? LEN : 0);
        const struct saver_job job = job_of(file[k], 3);
        assert_true(saver_is_threaded(s) == k);
        ask(s, &job);
        saver_free(s); /* it waits */
        bytes[k] = read_bytes(file[k], &len[k]);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(bytes[0], bytes[1], len[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* A folder in its place keeps a file from being written. */
static void what_insists_is_tried_again_with_the_next(void **state) {
    (void)state;
    const char *best = in_scratch("best.h5"), *last = in_scratch("last.h5");

    for (int threaded = 0; threaded < 2; threaded++) {
        struct saver *s = begin(threaded ? LEN : 0);
        struct saver_job insists = job_of(best, 4);
        const struct saver_job next = job_of(last, 5), then = job_of(last, 6);
        insists.insists = true;
        assert_int_equal(mkdir(best, 0777), 0);
        ask(s, &insists);
        told(s, best, 4, "is a folder");
        ask(s, &next);
        told(s, best, 4, "is a folder");
        told(s, last, 5, NULL);
        assert_int_equal(rmdir(best), 0);
        ask(s, &then);
        told(s, best, 4, NULL);
        told(s, last, 6, NULL);
        told_all(s);
        expect(best, 4);
        expect(last, 6);
        ask(s, &next);
        told(s, last, 5, NULL);
        told_all(s);
        saver_free(s);
        unlink(best);
    }
}

/* Two tensors of one path cannot be in a file: as where there is no memory to make it. */
static void what_could_not_even_be_made_keeps_its_numbers(void **state) {
    (void)state;
    const char *best = in_scratch("made.h5"), *last = in_scratch("after.h5");

    for (int threaded = 0; threaded < 3; threaded++) {
        struct saver *s = begin(threaded ? LEN : 0);
        struct saver_job insists = job_of(best, 4);
        const struct saver_job next = job_of(last, 5), then = job_of(last, 6);
        struct saver_outcome o;
        insists.insists = true;
        insists.waits = threaded == 2;
        struct save save = take(4, saver_room(s, &insists));
        struct checkpoint_tensor *t = pool_take(&save.pool, 2 * sizeof *t);
        t[0] = save.t[0];
        t[1] = (struct checkpoint_tensor){"/nets/a/w", {1, {1}}, t[0].data, false};
        save.t = t;
        save.n = 2;
        saver_write(s, &insists, &save);
        assert_true(saver_told(s, true, &o));
        assert_true(o.rc && o.owed);
        ask(s, &next);
        assert_true(saver_told(s, true, &o));
        assert_true(o.rc && o.owed);
        assert_string_equal(o.file, best);
        told(s, last, 5, NULL);
        expect(last, 5);
        t[1].path = "/nets/a/b";
        ask(s, &then);
        told(s, best, 4, NULL);
        told(s, last, 6, NULL);
        told_all(s);
        expect(best, 4);
        expect(last, 6);
        assert_true(!saver_room(s, &then) == !threaded); /* it is given back */
        saver_free(s);
        unlink(best);
    }
}

static void a_better_one_takes_the_place_of_what_insists(void **state) {
    (void)state;
    const char *best = in_scratch("better.h5");
    struct saver *s = begin(LEN);
    struct saver_job job = job_of(best, 1);

    job.insists = true;
    assert_int_equal(mkdir(best, 0777), 0);
    ask(s, &job);
    told(s, best, 1, "is a folder");
    assert_int_equal(rmdir(best), 0);
    job.step = 2;
    ask(s, &job);
    told(s, best, 2, NULL);
    told_all(s);
    expect(best, 2);
    saver_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_holds_what_was_there_when_it_was_asked_for),
        cmocka_unit_test(a_thread_writes_the_same_bytes),
        cmocka_unit_test(what_insists_is_tried_again_with_the_next),
        cmocka_unit_test(what_could_not_even_be_made_keeps_its_numbers),
        cmocka_unit_test(a_better_one_takes_the_place_of_what_insists),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
