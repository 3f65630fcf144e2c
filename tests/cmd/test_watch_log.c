/* A log that somebody else writes, cuts and replaces meanwhile. */
#define _POSIX_C_SOURCE 200809L
#include "cmd/watch_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* What has been taken since it was taken anew: "1 2 3 ". */
struct taken {
    char text[4096];
    int times_anew;
};

static void anew(void *context) {
    struct taken *t = context;

    t->text[0] = 0;
    t->times_anew++;
}

static void take(void *context, const json_t *line) {
    struct taken *t = context;
    const size_t used = strlen(t->text);

    snprintf(t->text + used, sizeof t->text - used, "%lld ",
             (long long)json_integer_value(json_object_get(line, "step")));
}

static char path[] = "/tmp/dltrain_log_XXXXXX";

static int setup(void **state) {
    const int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static void put(const char *mode, const char *text) {
    FILE *file = fopen(path, mode);

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void expect(struct watch_log *log, struct taken *t, const char *text, int times_anew) {
    watch_log_read(log, t, anew, take);
    assert_string_equal(t->text, text);
    assert_int_equal(t->times_anew, times_anew);
}

static void half_a_line_is_taken_when_it_is_whole(void **state) {
    struct watch_log log = {.path = path};
    struct taken t = {{0}, 0};

    (void)state;
    put("w", "{\"step\":1}\n{\"st");
    expect(&log, &t, "1 ", 1);
    expect(&log, &t, "1 ", 1);
    put("a", "ep\":2}\n{\"step\":3}\n");
    expect(&log, &t, "1 2 3 ", 1);
    put("a", "{\"step\":4}");
    expect(&log, &t, "1 2 3 ", 1);
    put("a", "\n");
    expect(&log, &t, "1 2 3 4 ", 1);
}

/* A run that goes on cuts its log and writes on: the file is as long as before, or longer, by the
 * time that it is looked at. */
static void a_log_that_was_cut_is_read_anew(void **state) {
    struct watch_log log = {.path = path};
    struct taken t = {{0}, 0};

    (void)state;
    put("w", "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    expect(&log, &t, "1 2 3 ", 1);
    put("w", "{\"step\":1}\n");
    expect(&log, &t, "1 ", 2);
    put("a", "{\"step\":2}\n{\"step\":3}\n");
    expect(&log, &t, "1 2 3 ", 2);
    put("w", "{\"step\":1}\n{\"step\":5}\n{\"step\":6}\n{\"step\":7}\n");
    expect(&log, &t, "1 5 6 7 ", 3);
}

static void another_file_is_read_anew(void **state) {
    struct watch_log log = {.path = path};
    struct taken t = {{0}, 0};

    (void)state;
    put("w", "{\"step\":1}\n");
    expect(&log, &t, "1 ", 1);
    char beside[64];
    snprintf(beside, sizeof beside, "%s.beside", path);
    assert_int_equal(rename(path, beside), 0);
    watch_log_read(&log, &t, anew, take); /* for a moment there is none */
    assert_true(log.changed == 0);
    put("w", "{\"step\":1}\n{\"step\":2}\n");
    expect(&log, &t, "1 2 ", 2);
    assert_true(log.changed > 0);
    unlink(beside);
}

/* The end of a file is zeros for a moment where NFS knows its length before its bytes. */
static void a_last_line_that_is_none_is_waited_for_once(void **state) {
    struct watch_log log = {.path = path};
    struct taken t = {{0}, 0};
    FILE *file;

    (void)state;
    put("w", "{\"step\":1}\n\1\1\1\1\1\1\1\1\1\1\n");
    expect(&log, &t, "1 ", 1);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 11, SEEK_SET);
    fputs("{\"step\":2}\n", file);
    fclose(file);
    expect(&log, &t, "1 2 ", 1);
    put("a", "no line\n");
    expect(&log, &t, "1 2 ", 1);
    expect(&log, &t, "1 2 ", 1); /* passed over */
    put("a", "{\"step\":3}\n[1]\n{\"step\":4}\n{]\n{\"step\":5}\n");
    expect(&log, &t, "1 2 3 4 5 ", 1);
}

static void what_is_no_file_is_nothing(void **state) {
    struct watch_log log = {.path = "/tmp"};
    struct taken t = {{0}, 0};

    (void)state;
    expect(&log, &t, "", 0);
    log.path = "/tmp/dltrain/is/not/there";
    expect(&log, &t, "", 0);
    log.path = "/dev/zero";
    expect(&log, &t, "", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_line_is_taken_when_it_is_whole),
        cmocka_unit_test(a_log_that_was_cut_is_read_anew),
        cmocka_unit_test(another_file_is_read_anew),
        cmocka_unit_test(a_last_line_that_is_none_is_waited_for_once),
        cmocka_unit_test(what_is_no_file_is_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
