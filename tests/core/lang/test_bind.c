#include "core/lang/eval_case.h"

/* The arguments of one paint(...). */
static struct paint painted(struct run *r, void **state, const char *x) {
    if (run_init(r, *state, "half = 0.5\n", x, &host))
        fail_msg("%s", r->err.msg);
    return r->world.paint;
}

static void defaults_fill_what_is_not_given(void **state) {
    struct run r;
    const struct paint p = painted(&r, state, "paint(2)");

    assert_int_equal(p.coats, 2);
    assert_true(fabs(p.gloss - 0.5) < 1e-12 && fabs(p.depth + 2) < 1e-12);
    assert_int_equal(p.tone, 1);
    assert_int_equal(p.size.n, 1);
    assert_int_equal(p.size.v[0], 3);
    assert_int_equal(p.edge.n, 0);
    assert_int_equal(p.edge.v[0], 0);
    assert_int_equal(p.mix.n, 1);
    assert_true(fabs(p.mix.v[0] - 1) < 1e-12);
    assert_null(p.primer.word);
    assert_true(p.can == 4096);
    run_release(&r);
}

static void bytes_may_have_a_unit(void **state) {
    struct run r;

    assert_true(painted(&r, state, "paint(2, can=512KiB)").can == 512 * 1024);
    run_release(&r);
    assert_true(painted(&r, state, "paint(2, can=2 * 3GB)").can == 6000000000);
    run_release(&r);
    assert_true(painted(&r, state, "paint(2, can=2000)").can == 2000);
    run_release(&r);
    check_refused(state, "", "paint(2, can=1000)",
                  "DIR/a.ini:2:18: paint: can is 1000, expected 1KiB to 1024GiB");
    check_refused(state, "", "paint(2, can=2000GiB)",
                  "DIR/a.ini:2:18: paint: can is 2000GiB, expected 1KiB to 1024GiB");
    check_refused(state, "", "paint(2, can=1024.5)",
                  "DIR/a.ini:2:18: paint: can is 1024.5, expected a whole number");
}

static void arguments_of_every_kind_are_bound(void **state) {
    struct run r;
    const struct paint p = painted(&r, state,
                                   "paint(1 + 1, half, -3, warm, [5, 6], hard, [0.1, 0.2, 0.3], "
                                   "ramp(slope=4))");

    assert_int_equal(p.coats, 2);
    assert_true(fabs(p.gloss - 0.5) < 1e-12 && fabs(p.depth + 3) < 1e-12);
    assert_int_equal(p.tone, 0);
    assert_int_equal(p.size.n, 2);
    assert_int_equal(p.size.v[1], 6);
    assert_int_equal(p.edge.n, 0);
    assert_int_equal(p.edge.v[0], 1);
    assert_int_equal(p.mix.n, 3);
    assert_true(fabs(p.mix.v[2] - 0.3) < 1e-12);
    assert_ptr_equal(p.primer.word, &ramp_word);
    assert_true(fabs(((const struct constant_args *)p.primer.args)->value - 4) < 1e-12);
    run_release(&r);
}

static void words_may_stand_in_a_list(void **state) {
    static const struct {
        const char *call;
        int bits;
    } cases[] = {
        {"paint(2)", 5},
        {"paint(2, dabs=none)", 0},
        {"paint(2, dabs=stripe)", 2},
        {"paint(2, dabs=[ring, stripe])", 6},
        {"paint(2, dabs=[spot, \"spot\"])", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r;

        assert_int_equal(painted(&r, state, cases[i].call).dabs, cases[i].bits);
        run_release(&r);
    }
    check_refused(state, "", "paint(1, dabs=[spot, blob])",
                  "DIR/a.ini:2:26: paint: dabs is 'blob', expected none or a list of spot, stripe, "
                  "ring");
    check_refused(state, "", "paint(1, dabs=2)",
                  "DIR/a.ini:2:19: paint: dabs is not a word, expected none or a list of spot, "
                  "stripe, ring");
}

static void names_may_stand_in_any_order(void **state) {
    struct run r;
    const struct paint p = painted(&r, state,
                                   "paint(edge=[1, 2], tone=\"cold\", mix=2, coats=3, "
                                   "name=front)");

    assert_int_equal(p.coats, 3);
    assert_int_equal(p.tone, 1);
    assert_int_equal(p.edge.n, 2);
    assert_int_equal(p.edge.v[1], 2);
    assert_int_equal(p.mix.n, 1);
    run_release(&r);
}

static void a_number_stands_for_a_constant(void **state) {
    struct run r;
    struct paint p = painted(&r, state, "paint(2, primer=half)");

    assert_ptr_equal(p.primer.word, &constant_word);
    assert_true(fabs(((const struct constant_args *)p.primer.args)->value - 0.5) < 1e-12);
    run_release(&r);
    p = painted(&r, state, "paint(2, primer=ramp)");
    assert_ptr_equal(p.primer.word, &ramp_word);
    assert_true(fabs(((const struct constant_args *)p.primer.args)->value - 2) < 1e-12);
    run_release(&r);
}

static void wrong_kinds_are_refused(void **state) {
    check_refused(state, "", "paint(\"a\")",
                  "DIR/a.ini:2:11: paint: coats is a string, expected a number");
    check_refused(state, "", "paint([1, 2])",
                  "DIR/a.ini:2:11: paint: coats is a list, expected one number");
    check_refused(state, "", "paint(1, gloss=[0.1, 0.2])",
                  "DIR/a.ini:2:20: paint: gloss is a list, expected one number");
    check_refused(state, "", "paint(1, tone=3)",
                  "DIR/a.ini:2:19: paint: tone is not a word, expected warm, cold");
    check_refused(state, "", "paint(1, tone=blue)",
                  "DIR/a.ini:2:19: paint: tone is 'blue', expected warm, cold");
    check_refused(state, "", "paint(1, size=[1, \"a\"])",
                  "DIR/a.ini:2:19: paint: size is a string, expected a number or a list of "
                  "numbers");
    check_refused(state, "", "paint(1, size=[])", "DIR/a.ini:2:19: paint: size is an empty list");
    check_refused(state, "", "paint(1, size=[1, 2, 3, 4, 5])",
                  "DIR/a.ini:2:19: paint: size has 5 numbers, expected at most 4");
    check_refused(state, "", "paint(1, mix=paint(2))",
                  "DIR/a.ini:2:18: paint: mix is a function, expected a number or a list of "
                  "numbers");
}

static void unknown_words_of_an_argument_are_told_the_nearest(void **state) {
    check_refused(state, "", "paint(1, primer=rampe(2))",
                  "DIR/a.ini:2:21: paint: primer is 'rampe', expected a number or one of its "
                  "words; did you mean 'ramp'?");
    check_refused(state, "", "paint(1, primer=\"a\")",
                  "DIR/a.ini:2:21: paint: primer is a string, expected a number or one of its "
                  "words");
    check_refused(state, "", "paint(1, edge=hardy)",
                  "DIR/a.ini:2:19: paint: edge is 'hardy', expected soft, hard or whole numbers");
}

static void numbers_out_of_range_are_refused(void **state) {
    check_refused(state, "", "paint(0)", "DIR/a.ini:2:11: paint: coats is 0, expected 1 to 9");
    check_refused(state, "", "paint(10)", "DIR/a.ini:2:11: paint: coats is 10, expected 1 to 9");
    check_refused(state, "", "paint(5 / 2)",
                  "DIR/a.ini:2:13: paint: coats is 2.5, expected a whole number");
    check_refused(state, "", "paint(1, 1.5)",
                  "DIR/a.ini:2:14: paint: gloss is 1.5, expected 0 to 1");
    check_refused(state, "", "paint(1, size=[3, 0])",
                  "DIR/a.ini:2:19: paint: size is 0, expected at least 1");
    check_refused(state, "", "paint(1, edge=1.5)",
                  "DIR/a.ini:2:19: paint: edge is 1.5, expected a whole number");
    check_refused(state, "", "paint(1, size=3000000000)",
                  "DIR/a.ini:2:19: paint: size is 3000000000, expected 1 to 2147483647");
}

static void limits_of_0_and_0_are_none(void **state) {
    struct run r;

    assert_true(fabs(painted(&r, state, "paint(1, depth=-1e9)").depth + 1e9) < 1);
    run_release(&r);
}

static void arguments_are_given_once(void **state) {
    check_refused(state, "", "paint(1, coats=2)", "DIR/a.ini:2:14: paint: coats is given twice");
    check_refused(state, "", "paint(1, tone=warm, tone=cold)",
                  "DIR/a.ini:2:25: paint: tone is given twice");
}

static void unknown_arguments_are_told_the_nearest(void **state) {
    check_refused(state, "", "paint(1, glos=1)",
                  "DIR/a.ini:2:14: paint has no argument 'glos'; did you mean 'gloss'?");
    check_refused(state, "", "paint(1, flavour=1)",
                  "DIR/a.ini:2:14: paint has no argument 'flavour'");
    check_refused(state, "", "paint(1, primer=ramp(slop=1))",
                  "DIR/a.ini:2:26: ramp has no argument 'slop'; did you mean 'slope'?");
}

static void more_arguments_than_there_are_are_refused(void **state) {
    check_refused(state, "", "paint(1, primer=ramp(1, 2))",
                  "DIR/a.ini:2:29: ramp takes 1 argument here, found more");
}

static void missing_arguments_are_named(void **state) {
    check_refused(state, "", "paint(gloss=1)", "DIR/a.ini:2:5: paint: coats is missing: layers");
    check_refused(state, "", "paint(1, primer=constant())",
                  "DIR/a.ini:2:21: constant: value is missing");
}

static void skipped_arguments_are_the_callers(void **state) {
    struct run r;
    struct paint p;
    struct err err = {0};
    struct expr *e;

    assert_int_equal(run_init(&r, *state, "", "1", &host), 0);
    struct evaluator ev = {
        .source = &r.source, .pool = &r.pool, .host = &host, .context = &r.world};
    const struct entry entry = {.key = "y", .value = "f(a, 4, 1)", .raw = "f(a, 4, 1)"};
    assert_int_equal(expr_parse(&r.source, &entry, &e, &err), 0);
    assert_int_equal(eval_bind(&ev, e, 1, &paint_word, &p, &err), 0);
    assert_int_equal(p.coats, 4);
    assert_true(fabs(p.gloss - 1) < 1e-12);
    run_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FILES(defaults_fill_what_is_not_given),
        IN_FILES(bytes_may_have_a_unit),
        IN_FILES(arguments_of_every_kind_are_bound),
        IN_FILES(words_may_stand_in_a_list),
        IN_FILES(names_may_stand_in_any_order),
        IN_FILES(a_number_stands_for_a_constant),
        IN_FILES(wrong_kinds_are_refused),
        IN_FILES(unknown_words_of_an_argument_are_told_the_nearest),
        IN_FILES(numbers_out_of_range_are_refused),
        IN_FILES(limits_of_0_and_0_are_none),
        IN_FILES(arguments_are_given_once),
        IN_FILES(unknown_arguments_are_told_the_nearest),
        IN_FILES(more_arguments_than_there_are_are_refused),
        IN_FILES(missing_arguments_are_named),
        IN_FILES(skipped_arguments_are_the_callers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
