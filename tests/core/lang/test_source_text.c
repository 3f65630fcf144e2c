/* Jobs that are texts, and what is not alike in two of them. */
#include "core/lang/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char text[] = "[job]\nmodel = m(2)\n\n[net m(x, k=3)]\na = x | conv(k, 3) | relu\n"
                           "    | bn\nfc = a | linear(k)\n\n[step]\nloss = mse(m(x), x)\n";

static void read(struct source *s, const char *job, const char *set) {
    struct err err = {0};

    if (source_read_text(s, "x.h5", job, &set, set != NULL, NULL, &err))
        fail_msg("%s", err.msg);
}

static void a_printed_job_reads_back_the_same(void **state) {
    struct source s, again;

    (void)state;
    read(&s, text, NULL);
    assert_string_equal(section_find(source_find(&s, "net", "m"), "a")->value,
                        "x | conv(k, 3) | relu | bn");
    char *printed = source_print(&s);
    read(&again, printed, NULL);
    char *twice = source_print(&again);
    assert_string_equal(printed, twice);
    free(printed);
    free(twice);
    source_release(&again);
    source_release(&s);
}

static void mistakes_are_named_by_the_files_name(void **state) {
    const char *const sets[] = {"nothing=3"};
    struct source s;
    struct err err = {0};

    (void)state;
    assert_int_equal(source_read_text(&s, "x.h5", "[job]\nloss\n", NULL, 0, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_memory_equal(err.msg, "x.h5:2:1: ", 10);
    assert_int_equal(source_read_text(&s, "x.h5", text, sets, 1, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_null(s.pool.first);
}

/* What is not alike, as "[job] model m(2) m(3); ...". */
static void expect_changes(const char *was, const char *now, const char *set,
                           const char *expected) {
    struct source a, b;
    struct source_change *change;
    struct pool pool = {0};
    const char *found = "";

    read(&a, was, NULL);
    read(&b, now, set);
    const int n = source_changes(&a, &b, &pool, &change);
    for (int i = 0; i < n; i++)
        found =
            pool_print(&pool, "%s%s%s %s <%s> <%s>", found, i ? "; " : "", change[i].section,
                       change[i].key ? change[i].key : "-", change[i].was ? change[i].was : "none",
                       change[i].now ? change[i].now : "none");
    assert_string_equal(found, expected);
    pool_release(&pool);
    source_release(&a);
    source_release(&b);
}

static void what_differs_is_listed_key_by_key(void **state) {
    static const char *const other = "[job]\nmodel=m(2) ; a comment\n[step]\nloss = mse(m(x),\n"
                                     "   x)\n[net m(x, k=3)]\nfc = a | linear(k)\n"
                                     "a = x | conv(k, 3) | relu | bn\n";

    (void)state;
    expect_changes(text, text, NULL, "");
    expect_changes(text, other, NULL, "");
    expect_changes(text, text, "step.loss=l1(x, x)", "[step] loss <mse(m(x), x)> <l1(x, x)>");
    expect_changes(text, text, "step.ema=0.9", "[step] ema <none> <0.9>");
    expect_changes("[step a]\nb = 1\nc = 2\n[log]\nd = 3\n", "[step a]\nc = 2\n", NULL,
                   "[step a] b <1> <none>; [log] d <3> <none>");
    expect_changes("[net m(x)]\na = x\nb = a\n", "[net m(x, k=2)]\na = x\nb = a\n", NULL,
                   "[net m] - <net m(x)> <net m(x, k=2)>");
    expect_changes("[net m(x)]\na = x\nb = a\n", "[block m(x)]\na = x\nb = a\n", NULL,
                   "[block m] - <none> <block m(x)>; [net m] - <net m(x)> <none>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_job_reads_back_the_same),
        cmocka_unit_test(mistakes_are_named_by_the_files_name),
        cmocka_unit_test(what_differs_is_listed_key_by_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
