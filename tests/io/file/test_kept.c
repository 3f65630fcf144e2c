/* Files of which the ones before are kept. */
#include "io/scratch.h"

#include "io/file/file.h"
#include "io/file/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

static int n_links;
static bool has_links = true;

/* In the place of the system's: a file system may have none. */
int link(const char *from, const char *to) {
    n_links++;
    if (!has_links) {
        errno = EPERM;
        return -1;
    }
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void put(const char *text, int keep) {
    struct err err = {0};

    if (kept_replace(in_scratch("last.h5"), text, strlen(text), keep, NULL, &err))
        fail_msg("%s", err.msg);
}

/* What it holds; NULL: it is not there. */
static void expect(const char *name, const char *text) {
    struct err err = {0};
    char *found = NULL;
    size_t len;

    if (!text) {
        assert_int_equal(access(in_scratch(name), F_OK), -1);
        return;
    }
    if (file_read(in_scratch(name), &found, &len, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(found, text);
    free(found);
}

static void expect_all(const char *last, const char *one, const char *two, const char *three) {
    expect("last.h5", last);
    expect("last.1.h5", one);
    expect("last.2.h5", two);
    expect("last.3.h5", three);
    expect("last.h5.tmp", NULL);
}

static void clear(void) {
    unlink(in_scratch("last.h5"));
    unlink(in_scratch("last.1.h5"));
    unlink(in_scratch("last.2.h5"));
}

static void as_many_as_are_asked_for_stay(void **state) {
    (void)state;
    for (int links = 0; links < 2; links++) {
        has_links = links;
        clear();
        put("a", 3);
        expect_all("a", NULL, NULL, NULL);
        put("b", 3);
        put("c", 3);
        expect_all("c", "b", "a", NULL);
        put("d", 3);
        expect_all("d", "c", "b", NULL);
        put("e", 2);
        expect_all("e", "d", NULL, NULL);
        put("f", 1);
        expect_all("f", NULL, NULL, NULL);
    }
    assert_true(n_links > 0);
}

static void others_are_left_alone_where_none_are_kept(void **state) {
    (void)state;
    has_links = true;
    clear();
    put("a", 2);
    put("b", 2);
    put("c", 0);
    expect_all("c", "a", NULL, NULL);
}

/* The newest may be gone: what is left of the older ones is worth more than their order. */
static void nothing_grows_older_where_the_newest_is_gone(void **state) {
    (void)state;
    clear();
    put("a", 2);
    put("b", 2);
    unlink(in_scratch("last.h5"));
    put("c", 2);
    expect_all("c", "a", NULL, NULL);
}

/* As one that was killed leaves them. */
static void a_gap_does_no_harm(void **state) {
    (void)state;
    clear();
    put("a", 3);
    put("b", 3);
    put("c", 3);
    unlink(in_scratch("last.1.h5"));
    put("d", 3);
    expect_all("d", "c", NULL, NULL);
}

static void what_cannot_be_written_changes_nothing(void **state) {
    struct err err = {0};

    (void)state;
    clear();
    put("a", 2);
    put("b", 2);
    assert_int_equal(symlink("/dev/full", in_scratch("last.h5.tmp")), 0);
    assert_int_equal(kept_replace(in_scratch("last.h5"), "c", 1, 2, NULL, &err), -1);
    assert_non_null(strstr(err.msg, "last.h5: cannot be written: No space left on device"));
    expect_all("b", "a", NULL, NULL);
}

static void what_is_in_the_way_is_named(void **state) {
    struct err err = {0};

    (void)state;
    clear();
    put("1", 1);
    assert_int_equal(mkdir(in_scratch("last.1.h5"), 0777), 0);
    assert_int_equal(kept_replace(in_scratch("last.h5"), "2", 1, 2, NULL, &err), -1);
    assert_non_null(strstr(err.msg, "last.h5: cannot be kept as "));
    assert_non_null(strstr(err.msg, "last.1.h5: "));
    expect("last.h5", "1");
    expect("last.h5.tmp", NULL);
    assert_int_equal(rmdir(in_scratch("last.1.h5")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_are_asked_for_stay),
        cmocka_unit_test(others_are_left_alone_where_none_are_kept),
        cmocka_unit_test(nothing_grows_older_where_the_newest_is_gone),
        cmocka_unit_test(a_gap_does_no_harm),
        cmocka_unit_test(what_cannot_be_written_changes_nothing),
        cmocka_unit_test(what_is_in_the_way_is_named),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
