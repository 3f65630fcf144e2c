/* A statement beside those of a job. */
#include "core/lang/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void read_text(struct source *s, const char *text) {
    struct err err = {0};

    if (source_read_text(s, "job.ini", text, NULL, 0, NULL, &err))
        fail_msg("%s", err.msg);
}

static void statements_of_a_section_are_kept_and_one_is_added(void **state) {
    struct source s;
    struct expr *tree;
    struct err err = {0};

    (void)state;
    read_text(&s, "[validate]\na = f(x)\nb = g(a)\n");
    const struct section *from = source_find(&s, "validate", "");
    const struct section *out = source_extend(&s, from, "--output", "a | h(2)");
    assert_int_equal(out->n_entries, 3);
    assert_string_equal(section_find(out, "b")->value, "g(a)");
    assert_string_equal(out->entries[2].key, "--output");
    assert_int_equal(expr_parse(&s, &out->entries[2], &tree, &err), 0);
    assert_int_equal(tree->kind, EXPR_PIPE);
    assert_int_equal(from->n_entries, 2);
    assert_null(source_find(&s, "--output", ""));
    source_release(&s);
}

static void mistakes_stand_at_their_place_in_the_text(void **state) {
    struct source s;
    struct expr *tree;
    struct err err = {0};

    (void)state;
    read_text(&s, "[job]\nname = a\n");
    const struct section *out = source_extend(&s, NULL, "--output", "f(x");
    assert_int_equal(out->n_entries, 1);
    assert_int_equal(expr_parse(&s, &out->entries[0], &tree, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "--output:1:4: "));
    source_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_of_a_section_are_kept_and_one_is_added),
        cmocka_unit_test(mistakes_stand_at_their_place_in_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
