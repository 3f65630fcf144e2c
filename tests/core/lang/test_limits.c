/* Jobs that ask for more than any computer has, in a few lines. Where one is computed nevertheless,
 * the alarm ends the test. */
#include "core/lang/eval_case.h"
#include "core/lang/reader.h"

enum { SECONDS = 60, TEXT_ROOM = 1 << 20 };

/* The value of x in a job whose [let] is the line, with %1$d = i and %2$d = i + 1, for i < n, and
 * then a<n> = last. */
static int run_lines(struct run *r, struct job_files *files, const char *line, int n,
                     const char *last, const char *x) {
    char *text = malloc(TEXT_ROOM);
    int used = 0;

    assert_non_null(text);
    *r = (struct run){0};
    used += snprintf(text, TEXT_ROOM, "[step]\nx = %s\n[let]\n", x);
    for (int i = 0; i < n; i++)
        used += snprintf(text + used, (size_t)(TEXT_ROOM - used), line, i, i + 1);
    snprintf(text + used, (size_t)(TEXT_ROOM - used), "a%d = %s\n", n, last);
    job_read(&r->source, job_file(files, "a.ini", text), NULL, 0);
    free(text);
    struct evaluator ev = {
        .source = &r->source, .pool = &r->pool, .host = &host, .context = &r->world};
    return eval_entry(&ev, section_find(source_find(&r->source, "step", ""), "x"), &r->value,
                      &r->err);
}

static void check_lines(void **state, const char *line, int n, const char *last, double expected) {
    struct run r;

    if (run_lines(&r, *state, line, n, last, "a0"))
        fail_msg("%s", r.err.msg);
    assert_int_equal(r.value.kind, VALUE_NUMBER);
    assert_true(r.value.number >= expected && r.value.number <= expected);
    run_release(&r);
}

static void check_lines_refused(void **state, const char *line, int n, const char *message) {
    struct run r;

    assert_int_equal(run_lines(&r, *state, line, n, "1", "a0"), -1);
    check_message(*state, r.err.msg, message);
    assert_int_equal(r.err.kind, ERR_CONFIG);
    run_release(&r);
}

static void long_chains_of_constants_are_no_circles(void **state) {
    check_lines(state, "a%1$d = a%2$d\n", 999, "0.5", 0.5);
    check_lines_refused(state, "a%1$d = a%2$d\n", 1000,
                        "DIR/a.ini:1003:8: constants of [let] need each other more than 1000 deep, "
                        "expected less");
}

static void constants_are_computed_once(void **state) {
    check_lines(state, "a%1$d = a%2$d + a%2$d\n", 60, "0.25", 0x1p58);
    check_lines(state, "a%1$d = if(a%2$d + a%2$d > 0, a%2$d, a%2$d)\n", 60, "3", 3);
}

static void a_circle_far_away_is_found(void **state) {
    struct run r;

    assert_int_equal(run_lines(&r, *state, "a%1$d = a%2$d\n", 500, "1 + a7", "a0"), -1);
    check_message(*state, r.err.msg,
                  "DIR/a.ini:504:12: constant 'a7' of [let] is defined by itself");
    run_release(&r);
}

/* The list of level n holds 2^n - 1 lists below it and 2^n numbers. */
static void lists_that_double_are_refused(void **state) {
    struct run r;

    assert_int_equal(run_lines(&r, *state, "a%1$d = [a%2$d, a%2$d]\n", 10, "1", "a0"), 0);
    assert_int_equal(r.value.n_items, 2);
    assert_int_equal(r.value.n_all, 2046);
    run_release(&r);
    check_lines_refused(state, "a%1$d = [a%2$d, a%2$d]\n", 40,
                        "DIR/a.ini:24:7: list of more than 1048576 items, expected fewer");
}

static void what_repeats_itself_for_ever_is_refused(void **state) {
    check_refused(state, "", "1 | (((twice^1000)^1000)^1000)",
                  "DIR/a.ini:2:12: here more than 5000000 values are computed before the first "
                  "step, expected fewer: something doubles what it is made of, over and over");
}

/* Deep trees that need deeper ones. */
static void recursion_stays_within_the_stack(void **state) {
    const size_t n = 5600;
    char *text = malloc(TEXT_ROOM), *at = text;
    struct run r = {0};

    assert_non_null(text);
    at += sprintf(at, "[step]\nx = a\n[let]\n");
    for (int k = 0; k < 2; k++) {
        at += sprintf(at, k ? "b = 1" : "a = b");
        for (size_t i = 0; i < n / 2; i++)
            at += sprintf(at, i % 50 ? "+1" : "\n +1");
        at += sprintf(at, "\n");
    }
    job_read(&r.source, job_file(*state, "a.ini", text), NULL, 0);
    free(text);
    struct evaluator ev = {.source = &r.source, .pool = &r.pool};
    const struct entry *x = section_find(source_find(&r.source, "step", ""), "x");
    assert_int_equal(eval_entry(&ev, x, &r.value, &r.err), 0);
    assert_true(r.value.number > (double)n && r.value.number < (double)n + 2);
    ev.depth = 1000;
    source_find(&r.source, "let", "")->entries[0].memo->value = NULL;
    source_find(&r.source, "let", "")->entries[1].memo->value = NULL;
    assert_int_equal(eval_entry(&ev, x, &r.value, &r.err), -1);
    assert_non_null(strstr(r.err.msg, "values that need each other more than 6000 deep"));
    run_release(&r);
}

static void check_unreadable(const struct job_files *files, const char *path, enum err_kind kind,
                             const char *message) {
    struct source s;
    struct err err = {0};

    assert_int_equal(source_read(&s, path, NULL, 0, NULL, &err), -1);
    check_message(files, err.msg, message);
    assert_int_equal(err.kind, kind);
}

static void files_that_never_end_are_not_read(void **state) {
    struct job_files *files = *state;
    char pipe[PATH_ROOM];

    check_unreadable(files, "/dev/zero", ERR_IO, "/dev/zero: cannot open: it is no regular file");
    check_unreadable(files, job_file(files, "a.ini", "[job]\ninclude = /dev/zero\n"), ERR_IO,
                     "DIR/a.ini:2:11: cannot open '/dev/zero': it is no regular file");
    snprintf(pipe, sizeof pipe, "%s/pipe.ini", files->dir);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    check_unreadable(files, pipe, ERR_IO, "DIR/pipe.ini: cannot open: it is no regular file");
    unlink(pipe);
}

static void all_files_of_a_job_share_one_limit(void **state) {
    struct job_files *files = *state;

    const char *a = job_file(files, "a.ini", "[job]\ninclude = b.ini c.ini\n");
    assert_int_equal(truncate(job_file(files, "b.ini", ""), SOURCE_MAX_BYTES - 40), 0);
    const char *c = job_file(files, "c.ini", "[let]\nlr = 0.1\n");
    assert_int_equal(truncate(files->paths[1], 0), 0);
    struct source s;
    job_read(&s, a, NULL, 0);
    source_release(&s);
    assert_int_equal(truncate(c, SOURCE_MAX_BYTES), 0);
    check_unreadable(files, a, ERR_CONFIG,
                     "DIR/c.ini: with the files before it 4194332 bytes, expected at most 4194304 "
                     "in a job (included by DIR/a.ini:2)");
}

/* With a search from the first on, each of these would take a minute. */
static void fifty_thousand_keys_and_sections_are_read_at_once(void **state) {
    const int n = 50000;
    char *text = malloc((size_t)n * 48), *at = text;
    struct source s;

    assert_non_null(text);
    at += sprintf(at, "[let]\n");
    for (int i = 0; i < n; i++)
        at += sprintf(at, "a%d = %d\n", i, i);
    for (int i = 0; i < n; i++)
        at += sprintf(at, "[net n%d]\ny = 1\n", i);
    job_read(&s, job_file(*state, "a.ini", text), NULL, 0);
    free(text);
    const struct section *let = source_find(&s, "let", "");
    for (int i = 0; i < n; i += 7) {
        char key[16];
        snprintf(key, sizeof key, "a%d", i);
        assert_ptr_equal(section_find(let, key), &let->entries[i]);
        key[0] = 'n';
        assert_ptr_equal(source_find(&s, "net", key), &s.sections[1 + i]);
    }
    source_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FILES(long_chains_of_constants_are_no_circles),
        IN_FILES(constants_are_computed_once),
        IN_FILES(a_circle_far_away_is_found),
        IN_FILES(lists_that_double_are_refused),
        IN_FILES(what_repeats_itself_for_ever_is_refused),
        IN_FILES(recursion_stays_within_the_stack),
        IN_FILES(files_that_never_end_are_not_read),
        IN_FILES(all_files_of_a_job_share_one_limit),
        IN_FILES(fifty_thousand_keys_and_sections_are_read_at_once),
    };

    alarm(SECONDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
