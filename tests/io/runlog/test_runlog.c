#include "io/runlog/runlog.h"
#include "io/file/file.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/dltrain_XXXXXX";
static char runs[40], dir[48], metrics[80], previous[80];

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(runs, sizeof runs, "%s/runs", folder);
    snprintf(dir, sizeof dir, "%s/one", runs);
    snprintf(metrics, sizeof metrics, "%s/metrics.jsonl", dir);
    snprintf(previous, sizeof previous, "%s/metrics.previous.jsonl", dir);
    return 0;
}

static int clean(void **state) {
    (void)state;
    unlink(metrics);
    unlink(previous);
    rmdir(dir);
    rmdir(runs);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(folder);
}

static struct runlog *open_log(int64_t step) {
    struct runlog *log = NULL;
    struct err err = {0};

    if (runlog_open(&log, dir, "metrics", step, &err))
        fail_msg("%s", err.msg);
    return log;
}

static void append(struct runlog *log, int step, double loss) {
    json_t *line = json_object();
    struct err err = {0};

    json_object_set_new(line, "step", json_integer(step));
    runlog_number(line, "loss", loss);
    assert_int_equal(runlog_append(log, line, &err), 0);
    json_decref(line);
}

static void holds(const char *path, const char *expected) {
    struct err err = {0};
    char *text;
    size_t len;

    if (file_read(path, &text, &len, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(text, expected);
    free(text);
}

static void lines_are_there_at_once(void **state) {
    (void)state;
    struct runlog *log = open_log(0);

    append(log, 1, 2.5);
    holds(metrics, "{\"step\":1,\"loss\":2.5}\n");
    append(log, 2, NAN);
    append(log, 3, -INFINITY);
    holds(metrics, "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":null}\n"
                   "{\"step\":3,\"loss\":null}\n");
    runlog_close(log);
}

static void a_resumed_run_forgets_what_came_after(void **state) {
    (void)state;
    struct runlog *log = open_log(0);

    for (int step = 1; step <= 4; step++)
        append(log, step, step);
    runlog_close(log);
    log = open_log(2);
    holds(metrics, "{\"step\":1,\"loss\":1.0}\n{\"step\":2,\"loss\":2.0}\n");
    append(log, 3, 0.5);
    runlog_close(log);
    holds(metrics, "{\"step\":1,\"loss\":1.0}\n{\"step\":2,\"loss\":2.0}\n"
                   "{\"step\":3,\"loss\":0.5}\n");
    log = open_log(9);
    runlog_close(log);
    holds(metrics, "{\"step\":1,\"loss\":1.0}\n{\"step\":2,\"loss\":2.0}\n"
                   "{\"step\":3,\"loss\":0.5}\n");
}

static void put(const char *text) {
    struct err err = {0};

    assert_int_equal(file_replace(metrics, text, strlen(text), &err), 0);
}

static void a_line_that_a_crash_cut_is_removed(void **state) {
    (void)state;
    runlog_close(open_log(0));
    put("{\"epoch\":0}\n{\"step\":1}\n{\"step\":2,\"lo");
    runlog_close(open_log(2));
    holds(metrics, "{\"epoch\":0}\n{\"step\":1}\n");
    put("{\"step\":1}\n{\"step\":2}"); /* whole, but the next would be glued to it */
    runlog_close(open_log(2));
    holds(metrics, "{\"step\":1}\n");
    put("{\"step\":1}\n[2]\n{\"step\":2}\n");
    runlog_close(open_log(2));
    holds(metrics, "{\"step\":1}\n");
}

static void a_new_run_keeps_the_log_of_the_old_one(void **state) {
    (void)state;
    struct runlog *log = open_log(0);

    append(log, 1, 1);
    runlog_close(log);
    log = open_log(0);
    append(log, 1, 3);
    runlog_close(log);
    holds(metrics, "{\"step\":1,\"loss\":3.0}\n");
    holds(previous, "{\"step\":1,\"loss\":1.0}\n");
}

static void resuming_without_a_log_begins_one(void **state) {
    (void)state;
    struct runlog *log = open_log(7);

    append(log, 8, 1);
    runlog_close(log);
    holds(metrics, "{\"step\":8,\"loss\":1.0}\n");
}

static void a_file_in_place_of_the_folder_is_named(void **state) {
    (void)state;
    struct runlog *log = NULL;
    struct err err = {0}, ignored = {0};

    assert_int_equal(file_replace(runs, "x", 1, &ignored), 0);
    assert_int_equal(runlog_open(&log, dir, "metrics", 0, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(strstr(err.msg, "runs"), "runs: cannot be created: Not a directory");
    assert_null(log);
    unlink(runs);
}

/* The disk takes a line and half of another; then it is full; then there is room again. */
static void lines_that_a_full_disk_does_not_take_are_written_later(void **state) {
    (void)state;
    struct runlog *log = open_log(0);
    struct rlimit room = {40, RLIM_INFINITY};
    struct err err = {0};
    json_t *line = json_pack("{s:i}", "step", 2);

    signal(SIGXFSZ, SIG_IGN);
    append(log, 1, 0.5);
    setrlimit(RLIMIT_FSIZE, &room);
    for (int i = 0; i < 3; i++)
        assert_int_equal(runlog_append(log, line, &err), i ? -1 : 0);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.msg, "File too large"));
    room.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &room);
    holds(metrics, "{\"step\":1,\"loss\":0.5}\n{\"step\":2}\n");
    append(log, 3, 0.25);
    holds(metrics, "{\"step\":1,\"loss\":0.5}\n{\"step\":2}\n{\"step\":2}\n{\"step\":2}\n"
                   "{\"step\":3,\"loss\":0.25}\n");
    runlog_close(log);
    json_decref(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(lines_are_there_at_once, clean),
        cmocka_unit_test_teardown(a_resumed_run_forgets_what_came_after, clean),
        cmocka_unit_test_teardown(a_line_that_a_crash_cut_is_removed, clean),
        cmocka_unit_test_teardown(a_new_run_keeps_the_log_of_the_old_one, clean),
        cmocka_unit_test_teardown(resuming_without_a_log_begins_one, clean),
        cmocka_unit_test_teardown(a_file_in_place_of_the_folder_is_named, clean),
        cmocka_unit_test_teardown(lines_that_a_full_disk_does_not_take_are_written_later, clean),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
