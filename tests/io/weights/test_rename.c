/* Rules that rename tensors, and patterns that pick them. */
#include "io/scratch.h"
#include "io/weights/rename.h"

static struct pool pool;

static int release(void **state) {
    (void)state;
    pool_release(&pool);
    return 0;
}

static struct renames parsed(const char *text, bool arrows) {
    struct renames list = {0};
    struct err err = {0};

    if (rename_parse(&list, &pool, text, arrows, &err))
        fail_msg("%s", err.msg);
    return list;
}

static void becomes(const char *rules, const char *name, const char *expected) {
    struct renames list = parsed(rules, true);

    assert_string_equal(rename_apply(&list, &pool, name), expected);
}

static void refused(const char *text, bool arrows, const char *message) {
    struct renames list = {0};
    struct err err = {0};

    if (!rename_parse(&list, &pool, text, arrows, &err))
        fail_msg("'%s' is taken", text);
    assert_string_equal(err.msg, message);
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void a_rule_renames_whole_dotted_parts(void **state) {
    (void)state;
    becomes("layer1 -> stage.a", "layer1.0.conv1.weight", "stage.a.0.conv1.weight");
    becomes("layer1 -> stage.a", "layer10.0.conv1.weight", "layer10.0.conv1.weight");
    becomes("layer1 -> stage.a", "head.layer1.weight", "head.layer1.weight");
    becomes("layer1.0 -> first", "layer1.0.bias", "first.bias");
    becomes("fc.weight -> head.weight", "fc.weight", "head.weight");
    becomes("fc -> head", "fc", "head");
}

static void an_empty_new_name_removes_the_beginning(void **state) {
    (void)state;
    becomes("module ->", "module.fc.weight", "fc.weight");
    becomes("module -> , a -> b", "module.fc.weight", "fc.weight");
    becomes("module ->", "module", "");
}

static void a_star_stands_for_the_same_text(void **state) {
    (void)state;
    becomes("*.gamma -> *.weight", "layer1.bn.gamma", "layer1.bn.weight");
    becomes("*.gamma -> *.weight", "layer1.bn.gamma.x", "layer1.bn.gamma.x");
    becomes("features.*.conv.weight -> conv*.weight", "features.3.conv.weight", "conv3.weight");
    becomes("* -> backbone.*", "fc.weight", "backbone.fc.weight");
    becomes("head.* -> *", "head.fc.weight", "fc.weight");
    becomes("*weight -> w", "fc.weight", "w");
    becomes("ab*bc -> x", "abc", "abc"); /* the ends do not overlap */
    becomes("ab*bc -> x*y", "abbc", "xy");
}

static void the_first_rule_that_matches_applies_alone(void **state) {
    (void)state;
    becomes("layer1 -> a, layer1.0 -> b, a -> c", "layer1.0.weight", "a.0.weight");
    becomes("layer1.0 -> b\n   ,\tlayer1 -> a", "layer1.0.weight", "b.weight");
}

static void a_rule_without_effect_is_found(void **state) {
    struct renames list = parsed("a -> b, c -> d", true);

    (void)state;
    assert_string_equal(rename_unused(&list)->old, "a");
    rename_apply(&list, &pool, "a.weight");
    assert_string_equal(rename_unused(&list)->old, "c");
    rename_apply(&list, &pool, "c");
    assert_null(rename_unused(&list));
}

static void patterns_pick_by_beginning_or_star(void **state) {
    struct renames list = parsed("fc, *.running_mean, head", false);

    (void)state;
    assert_true(rename_match(&list, "fc.weight"));
    assert_true(rename_match(&list, "fc"));
    assert_false(rename_match(&list, "fc2.weight"));
    assert_true(rename_match(&list, "layer1.bn.running_mean"));
    assert_false(rename_match(&list, "running_mean"));
    assert_string_equal(rename_unused(&list)->old, "head");
}

static void what_is_no_rule_is_refused(void **state) {
    (void)state;
    refused("fc", true, "found 'fc', expected OLD -> NEW");
    refused("", true, "found '', expected OLD -> NEW");
    refused("a -> b,", true, "found '', expected OLD -> NEW");
    refused(" -> b", true, "found '-> b', expected OLD -> NEW");
    refused("a -> b c -> d", true,
            "found a blank in 'a -> b c -> d', expected commas between names");
    refused("a->b->c", true, "found two arrows in 'a->b->c', expected OLD -> NEW");
    refused("*.* -> x", true, "found more than one * in '*.* -> x', expected one at most");
    refused("a -> b.*", true, "'a -> b.*': the * in the new name stands for nothing in the old");
    refused("fc, ", false, "found '', expected a name or a pattern");
    refused("a -> b", false, "found 'a -> b', expected a name or a pattern");
    refused("*a*", false, "found more than one * in '*a*', expected one at most");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_renames_whole_dotted_parts),
        cmocka_unit_test(an_empty_new_name_removes_the_beginning),
        cmocka_unit_test(a_star_stands_for_the_same_text),
        cmocka_unit_test(the_first_rule_that_matches_applies_alone),
        cmocka_unit_test(a_rule_without_effect_is_found),
        cmocka_unit_test(patterns_pick_by_beginning_or_star),
        cmocka_unit_test(what_is_no_rule_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
