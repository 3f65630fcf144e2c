#include "core/lang/eval.h"
#include "core/lang/job_files.h"

#include <math.h>

/* A word with an argument of every kind. */
struct paint {
    int coats;
    double gloss, depth;
    int tone;
    struct ints size, edge;
    struct reals mix;
    struct applied primer;
};

struct constant_args {
    double value;
};

static const struct arg_spec constant_specs[] = {
    {.name = "value", .kind = ARG_REAL, .required = true},
    {0},
};
static const struct word constant_word = {"constant", "a number", sizeof(struct constant_args),
                                          constant_specs};
static const struct arg_spec ramp_specs[] = {
    {.name = "slope", .kind = ARG_REAL, .fallback = 2},
    {0},
};
static const struct word ramp_word = {"ramp", "a slope", sizeof(struct constant_args), ramp_specs};

static const struct word *primer_at(int i) {
    const struct word *const words[] = {&constant_word, &ramp_word};

    return i < 2 ? words[i] : NULL;
}

static const struct word *find_primer(const char *name) {
    for (int i = 0; primer_at(i); i++)
        if (!strcmp(primer_at(i)->name, name))
            return primer_at(i);
    return NULL;
}

static const char *const tones[] = {"warm", "cold", NULL};
static const char *const edges[] = {"soft", "hard", NULL};

static const struct arg_spec paint_specs[] = {
    {.name = "coats",
     .kind = ARG_INT,
     .offset = offsetof(struct paint, coats),
     .min = 1,
     .max = 9,
     .required = true,
     .help = "layers"},
    {.name = "gloss",
     .kind = ARG_REAL,
     .offset = offsetof(struct paint, gloss),
     .fallback = 0.5,
     .min = 0,
     .max = 1},
    {.name = "depth", .kind = ARG_REAL, .offset = offsetof(struct paint, depth), .fallback = -2},
    {.name = "tone",
     .kind = ARG_WORD,
     .offset = offsetof(struct paint, tone),
     .fallback = 1,
     .words = tones},
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct paint, size),
     .fallback = 3,
     .min = 1},
    {.name = "edge",
     .kind = ARG_INTS_OR_WORD,
     .offset = offsetof(struct paint, edge),
     .words = edges},
    {.name = "mix",
     .kind = ARG_REALS,
     .offset = offsetof(struct paint, mix),
     .fallback = 1,
     .min = 0,
     .max = -1},
    {.name = "primer",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct paint, primer),
     .find = find_primer,
     .at = primer_at},
    {0},
};
static const struct word paint_word = {"paint", "all kinds of arguments", sizeof(struct paint),
                                       paint_specs};

/* The host: `seven` is a number, `twice` doubles what stands before it, `count` says how often it
 * was called, paint(...) is bound; arithmetic on strings gives its left operand's text. */
struct world {
    int calls;
    struct paint paint;
};

static int host_name(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    (void)ev, (void)err;
    if (strcmp(e->text, "seven") && strcmp(e->text, "shadowed"))
        return 0;
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = 7};
    return 1;
}

static int host_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err) {
    struct world *world = ev->context;

    if (!strcmp(e->text, "twice") && piped) {
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = 2 * piped->number};
        return 1;
    }
    if (!strcmp(e->text, "count")) {
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = ++world->calls};
        return 1;
    }
    if (strcmp(e->text, "paint"))
        return 0;
    struct applied applied;
    if (eval_apply(ev, e, 0, &paint_word, &applied, err))
        return -1;
    world->paint = *(const struct paint *)applied.args;
    *out = (struct value){.kind = VALUE_APPLIED, .pos = e->pos, .applied = applied};
    return 1;
}

static int host_member(struct evaluator *ev, const struct expr *e, const struct value *left,
                       struct value *out, struct err *err) {
    (void)ev, (void)err;
    if (left->kind != VALUE_APPLIED || strcmp(e->text, "coats"))
        return 0;
    *out = (struct value){.kind = VALUE_NUMBER,
                          .pos = e->pos,
                          .number = ((const struct paint *)left->applied.args)->coats};
    return 1;
}

static int host_arithmetic(struct evaluator *ev, const struct expr *e, const struct value *a,
                           const struct value *b, struct value *out, struct err *err) {
    (void)ev, (void)e, (void)err;
    if (a->kind != VALUE_STRING)
        return 0;
    *out = (struct value){.kind = VALUE_STRING, .text = a->text, .number = b->number};
    return 1;
}

static int host_known(const struct evaluator *ev, const char **names, int n, int max) {
    (void)ev;
    for (const char *const *w = (const char *const[]){"seven", "twice", "paint", NULL};
         *w && n < max; w++)
        names[n++] = *w;
    return n;
}

static const struct eval_host host = {host_name,       host_call,  host_member,
                                      host_arithmetic, host_known, "colour"};

/* A job of [let] as given and one key x, evaluated. */
struct run {
    struct source source;
    struct pool pool;
    struct world world;
    struct value value;
    struct err err;
};

static int run_init(struct run *r, struct job_files *files, const char *let, const char *x,
                    const struct eval_host *with) {
    char text[2048];

    *r = (struct run){0};
    snprintf(text, sizeof text, "[step]\nx = %s\n[let]\n%s", x, let);
    job_read(&r->source, job_file(files, "a.ini", text), NULL, 0);
    struct evaluator ev = {
        .source = &r->source, .pool = &r->pool, .host = with, .context = &r->world};
    return eval_entry(&ev, section_find(source_find(&r->source, "step", ""), "x"), &r->value,
                      &r->err);
}

static void run_release(struct run *r) {
    pool_release(&r->pool);
    source_release(&r->source);
}

static void check_number(void **state, const char *let, const char *x, double expected) {
    struct run r;

    if (run_init(&r, *state, let, x, &host))
        fail_msg("%s", r.err.msg);
    assert_int_equal(r.value.kind, VALUE_NUMBER);
    if (fabs(r.value.number - expected) > 1e-12)
        fail_msg("%s is %.17g, expected %g", x, r.value.number, expected);
    run_release(&r);
}

static void check_refused(void **state, const char *let, const char *x, const char *message) {
    struct run r;

    if (!run_init(&r, *state, let, x, &host))
        fail_msg("%s is accepted, expected: %s", x, message);
    check_message(*state, r.err.msg, message);
    assert_int_equal(r.err.kind, ERR_CONFIG);
    run_release(&r);
}

/* The arguments of one paint(...). */
static struct paint painted(struct run *r, void **state, const char *x) {
    if (run_init(r, *state, "half = 0.5\n", x, &host))
        fail_msg("%s", r->err.msg);
    return r->world.paint;
}

static void arithmetic_follows_precedence(void **state) {
    check_number(state, "", "1 + 2 * 3 - 8 / 4", 5);
    check_number(state, "", "-(1 + 2) * -2", 6);
    check_number(state, "", "1 / 4", 0.25);
    check_number(state, "", "7 - 2 - 1", 4);
}

static void comparisons_are_0_or_1(void **state) {
    check_number(state, "", "if(2 < 3, 10, 20)", 10);
    check_number(state, "", "if(3 <= 2, 10, 20)", 20);
    check_number(state, "", "if(2 > 2 or 2 >= 2, 10, 20)", 10);
    check_number(state, "", "if(2 == 2 and 2 != 3, 10, 20)", 10);
    check_number(state, "", "if(not 2 == 2, 10, 20)", 20);
    check_number(state, "", "if(not 0, 10, 20)", 10);
    check_number(state, "", "(2 == 2) + (1 != 1) + true - false", 2);
}

static void if_evaluates_only_the_branch_taken(void **state) {
    check_number(state, "", "if(1 < 2, 4, nonsense)", 4);
    check_number(state, "", "if(1 > 2, 1 / 0, 5)", 5);
    check_refused(state, "", "if(1 < 2, nonsense, 4)",
                  "DIR/a.ini:2:15: found 'nonsense', expected the name of a known colour");
}

static void if_takes_three_values(void **state) {
    check_refused(state, "", "if(1, 2)",
                  "DIR/a.ini:2:5: if takes (condition, value if true, value if false)");
    check_refused(state, "", "if(1, a=2, 3)",
                  "DIR/a.ini:2:5: if takes (condition, value if true, value if false)");
    check_refused(state, "", "if(\"a\", 2, 3)", "DIR/a.ini:2:8: found a string, expected a number");
}

static void and_or_stop_at_the_first_answer(void **state) {
    struct run r;

    check_number(state, "", "0 and nonsense", 0);
    check_number(state, "", "1 or nonsense", 1);
    check_number(state, "", "3 and 2", 1);
    check_number(state, "", "0 or 0", 0);
    assert_int_equal(run_init(&r, *state, "", "(0 and count) + (1 or count)", &host), 0);
    assert_int_equal(r.world.calls, 0);
    run_release(&r);
}

static void division_by_zero_is_refused(void **state) {
    check_refused(state, "", "1 + 2 / (3 - 3)", "DIR/a.ini:2:11: division by zero");
}

static void lists_and_strings_are_values(void **state) {
    struct run r;

    assert_int_equal(run_init(&r, *state, "", "[1, 2 * 3, \"a b\", [4]]", &host), 0);
    assert_int_equal(r.value.kind, VALUE_LIST);
    assert_int_equal(r.value.n_items, 4);
    assert_true(fabs(r.value.items[1].number - 6) < 1e-12);
    assert_string_equal(r.value.items[2].text, "a b");
    assert_int_equal(r.value.items[3].kind, VALUE_LIST);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "1, seven", &host), 0);
    assert_int_equal(r.value.n_items, 2);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "[]", &host), 0);
    assert_int_equal(r.value.n_items, 0);
    run_release(&r);
}

static void constants_use_constants(void **state) {
    check_number(state, "width = 4 * base\nbase = 16\n", "width / 2", 32);
    check_number(state, "deep = true\n", "if(deep, 3, 4)", 3);
}

static void the_host_knows_names_first(void **state) {
    check_number(state, "shadowed = 3\n", "shadowed", 7);
}

static void circles_of_constants_are_refused(void **state) {
    check_refused(state, "a = a\n", "a",
                  "DIR/a.ini:4:5: constant 'a' of [let] is defined by itself");
    struct run r;

    assert_int_equal(run_init(&r, *state, "a = 1 + b\nb = 2 * c\nc = a\n", "a", &host), -1);
    assert_non_null(strstr(r.err.msg, "of [let] is defined by itself"));
    run_release(&r);
}

static void constants_are_numbers_only(void **state) {
    check_refused(state, "a = count\nb = paint(1)\n", "b",
                  "DIR/a.ini:5:5: found 'paint(...)', expected numbers only: constants of [let] "
                  "cannot use functions");
    check_refused(state, "a = widt\nwidth = 1\n", "a",
                  "DIR/a.ini:4:5: found 'widt', expected a number or the name of a known constant "
                  "of [let]; did you mean 'width'?");
}

static void unknown_names_are_told_the_nearest(void **state) {
    check_refused(state, "half = 0.5\n", "1 + hal",
                  "DIR/a.ini:2:9: found 'hal', expected the name of a known colour; did you mean "
                  "'half'?");
    check_refused(state, "", "4 | twise",
                  "DIR/a.ini:2:9: found 'twise', expected the name of a known colour; did you mean "
                  "'twice'?");
    check_refused(state, "", "quite(3)",
                  "DIR/a.ini:2:5: found 'quite', expected the name of a known colour");
}

static void without_a_host_there_are_only_constants(void **state) {
    struct run r;

    assert_int_equal(run_init(&r, *state, "a = 2\n", "a * 3", NULL), 0);
    assert_true(fabs(r.value.number - 6) < 1e-12);
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "a = 2\n", "seven", NULL), -1);
    check_message(*state, r.err.msg,
                  "DIR/a.ini:2:5: found 'seven', expected a number or the name of a known constant "
                  "of [let]");
    run_release(&r);
    assert_int_equal(run_init(&r, *state, "", "\"a\" * 2", NULL), -1);
    check_message(*state, r.err.msg,
                  "DIR/a.ini:2:9: '*' between a string and a number, expected numbers");
    run_release(&r);
}

static void powers_repeat_a_call(void **state) {
    check_number(state, "", "3 | twice^4", 48);
    check_number(state, "n = 2\n", "3 | twice^(n + 1) | twice", 48);
    check_number(state, "", "3 | twice^0", 3);
}

static void powers_are_whole_numbers(void **state) {
    check_refused(state, "", "3 | twice^(3/2)",
                  "DIR/a.ini:2:17: 'twice' is repeated 1.5 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "3 | twice^(0 - 1)",
                  "DIR/a.ini:2:18: 'twice' is repeated -1 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "3 | twice^(4000)",
                  "DIR/a.ini:2:16: 'twice' is repeated 4000 times, expected a whole number from 0 "
                  "to 1000");
    check_refused(state, "", "count^2",
                  "DIR/a.ini:2:5: 'count^2' stands alone, expected a value and a bar before it");
}

static void the_host_is_asked_for_members_and_arithmetic(void **state) {
    struct run r;

    check_number(state, "", "paint(4).coats + 1", 5);
    check_refused(state, "", "paint(4).coat",
                  "DIR/a.ini:2:14: '.coat' of a function, expected the output of a net");
    assert_int_equal(run_init(&r, *state, "", "\"a\" * 3", &host), 0);
    assert_string_equal(r.value.text, "a");
    run_release(&r);
    check_refused(state, "", "3 * \"a\"",
                  "DIR/a.ini:2:7: '*' between a number and a string, expected numbers");
    check_refused(state, "", "-[1, 2]", "DIR/a.ini:2:5: found a list, expected a number");
    check_refused(state, "", "not \"a\"", "DIR/a.ini:2:5: found a string, expected a number");
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
    run_release(&r);
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
                  "DIR/a.ini:2:19: paint: size is 3e+09, expected a whole number");
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

#define IN_FILES(test) cmocka_unit_test_setup_teardown(test, job_files_setup, job_files_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FILES(arithmetic_follows_precedence),
        IN_FILES(comparisons_are_0_or_1),
        IN_FILES(if_evaluates_only_the_branch_taken),
        IN_FILES(if_takes_three_values),
        IN_FILES(and_or_stop_at_the_first_answer),
        IN_FILES(division_by_zero_is_refused),
        IN_FILES(lists_and_strings_are_values),
        IN_FILES(constants_use_constants),
        IN_FILES(the_host_knows_names_first),
        IN_FILES(circles_of_constants_are_refused),
        IN_FILES(constants_are_numbers_only),
        IN_FILES(unknown_names_are_told_the_nearest),
        IN_FILES(without_a_host_there_are_only_constants),
        IN_FILES(powers_repeat_a_call),
        IN_FILES(powers_are_whole_numbers),
        IN_FILES(the_host_is_asked_for_members_and_arithmetic),
        IN_FILES(defaults_fill_what_is_not_given),
        IN_FILES(arguments_of_every_kind_are_bound),
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
