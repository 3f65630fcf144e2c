#include "core/lang/job_files.h"

static void add(char *out, size_t size, const char *s) {
    assert_true(strlen(out) + strlen(s) < size);
    strcat(out, s);
}

/* The tree as nested parentheses, operator first. */
static void dump(const struct expr *e, char *out, size_t size) {
    static const char *const ops[] = {
        "+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "and", "or"};
    char number[32];

    switch (e->kind) {
    case EXPR_NUMBER:
        snprintf(number, sizeof number, "%.15g", e->number);
        add(out, size, number);
        return;
    case EXPR_NAME:
        add(out, size, e->text);
        return;
    case EXPR_STRING:
        add(out, size, "\"");
        add(out, size, e->text);
        add(out, size, "\"");
        return;
    default:
        break;
    }
    add(out, size, e->kind == EXPR_LIST ? "[" : "(");
    add(out, size,
        e->kind == EXPR_CALL     ? e->text
        : e->kind == EXPR_MEMBER ? "."
        : e->kind == EXPR_NEGATE ? "-"
        : e->kind == EXPR_NOT    ? "not"
        : e->kind == EXPR_BINARY ? ops[e->op]
        : e->kind == EXPR_PIPE   ? "|"
                                 : "");
    if (e->times) {
        add(out, size, "^");
        dump(e->times, out, size);
    }
    for (int i = 0; i < e->n_args; i++) {
        add(out, size, " ");
        if (e->args[i].name) {
            add(out, size, e->args[i].name);
            add(out, size, "=");
        }
        dump(e->args[i].value, out, size);
    }
    if (e->left) {
        add(out, size, " ");
        dump(e->left, out, size);
    }
    if (e->right || e->kind == EXPR_MEMBER)
        add(out, size, " ");
    if (e->right)
        dump(e->right, out, size);
    if (e->kind == EXPR_MEMBER)
        add(out, size, e->text);
    add(out, size, e->kind == EXPR_LIST ? "]" : ")");
}

/* Read "[let]\nx = VALUE" and parse x. */
static int parse(struct job_files *files, const char *value, struct source *s, struct expr **e,
                 struct err *err) {
    char text[8192];

    assert_true(snprintf(text, sizeof text, "[let]\nx = %s\n", value) < (int)sizeof text);
    job_read(s, job_file(files, "a.ini", text), NULL, 0);
    return expr_parse(s, &source_find(s, "let", "")->entries[0], e, err);
}

static void check_tree(struct job_files *files, const char *value, const char *expected) {
    char out[1024] = "";
    struct source s;
    struct expr *e = NULL;
    struct err err = {0};

    if (parse(files, value, &s, &e, &err))
        fail_msg("%s", err.msg);
    dump(e, out, sizeof out);
    assert_string_equal(out, expected);
    source_release(&s);
}

static void check_refused(struct job_files *files, const char *value, const char *message) {
    struct source s;
    struct expr *e = NULL;
    struct err err = {0};

    assert_int_equal(parse(files, value, &s, &e, &err), -1);
    check_message(files, err.msg, message);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_null(e);
    source_release(&s);
}

static void product_binds_tighter_than_sum_and_pipe_weakest(void **state) {
    check_tree(*state, "1 - 2 * 3 - 4", "(- (- 1 (* 2 3)) 4)");
    check_tree(*state, "a / b / c", "(/ (/ a b) c)");
    check_tree(*state, "y + skip | relu", "(| (+ y skip) relu)");
    check_tree(*state, "x | f | g(1)", "(| (| x f) (g 1))");
    check_tree(*state, "x + (x | f) + (x | f | f)", "(+ (+ x (| x f)) (| (| x f) f))");
    check_tree(*state, "-a * -2", "(* (- a) (- 2))");
    check_tree(*state, "2 - -1", "(- 2 (- 1))");
}

static void conditions_bind_weaker_than_sums(void **state) {
    check_tree(*state, "if(stride > 1 or channels(x) != 4*width, x | bn, x)",
               "(if (or (> stride 1) (!= (channels x) (* 4 width))) (| x bn) x)");
    check_tree(*state, "not a == b and c or not not d",
               "(or (and (not (== a b)) c) (not (not d)))");
    check_tree(*state, "a or b and c", "(or a (and b c))");
    check_tree(*state, "a<b and c<=d and e>=f and true",
               "(and (and (and (< a b) (<= c d)) (>= e f)) true)");
}

static void calls_take_positions_names_and_repetition(void **state) {
    check_tree(*state, "f()", "(f)");
    check_tree(*state, "f", "f");
    check_tree(*state, "conv(64, 7, stride=2, pad=same)", "(conv 64 7 stride=2 pad=same)");
    check_tree(*state, "f(a=b==c)", "(f a=(== b c))");
    check_tree(*state, "f(x | g, k = x | h)", "(f (| x g) k=(| x h))");
    check_tree(*state, "x | f(64)^3 | g^2", "(| (| x (f^3 64)) (g^2))");
    check_tree(*state, "x | f(64)^(n - 1)", "(| x (f^(- n 1) 64))");
    check_tree(*state, "x | (f | g(1))^2 | h", "(| (| x (^2 f (g 1))) h)");
    check_tree(*state, "x | (f | (g^2 | h)^(n))", "(| x ( f (^n (g^2) h)))");
    check_tree(*state, "share(bottleneck, 64)", "(share bottleneck 64)");
}

static void members_are_reached_by_dots(void **state) {
    check_tree(*state, "m.aux1", "(. m aux1)");
    check_tree(*state, "net(image).a.b + 0.3*m.c", "(+ (. (. (net image) a) b) (* 0.3 (. m c)))");
    check_tree(*state, "(x | f).y", "(. (| x f) y)");
    check_refused(
        *state, "m.f(3)",
        "DIR/a.ini:2:8: found '(', expected an operator or the end: what stands after '.' "
        "cannot be called");
    check_refused(*state, "x | m.f",
                  "DIR/a.ini:2:10: found '.', expected '|', an operator or end of value");
    check_refused(*state, "m.3 a",
                  "DIR/a.ini:2:6: found '.3', expected '|', an operator or end of value");
}

static void lists_stand_in_brackets_or_alone(void **state) {
    check_tree(*state, "[1, [2, a], f(x)]", "[ 1 [ 2 a] (f x)]");
    check_tree(*state, "[]", "[]");
    check_tree(*state, "f(\n    [1, 2])", "(f [ 1 2])"); /* not the header of a section */
    check_tree(*state, "a, b | f", "[ a (| b f)]");
    check_tree(*state, "(a)", "a");
    check_refused(
        *state, "a,",
        "DIR/a.ini:2:7: found end of value, expected a number, a name, a string, '(' or '['");
    check_refused(*state, "[1,]",
                  "DIR/a.ini:2:8: found ']', expected a number, a name, a string, '(' or '['");
}

static void numbers_are_decimal(void **state) {
    check_tree(*state, "[1, 0.5, 1e-4, .5, 2E+3, 007]", "[ 1 0.5 0.0001 0.5 2000 7]");
    check_tree(*state, "[1KiB, 0.5MiB, 2KB, 1GB]", "[ 1024 524288 2000 1000000000]");
    check_refused(*state, "64channels", "DIR/a.ini:2:5: found '64channels', expected a number");
    check_refused(*state, "2kB",
                  "DIR/a.ini:2:5: found '2kB', expected a number; did you mean 'KB'?");
    check_refused(*state, "3mib",
                  "DIR/a.ini:2:5: found '3mib', expected a number; did you mean 'MiB'?");
    check_refused(*state, "3Mi", "DIR/a.ini:2:5: found '3Mi', expected a number");
    check_refused(*state, "3miles", "DIR/a.ini:2:5: found '3miles', expected a number");
    check_refused(*state, "0x10", "DIR/a.ini:2:5: found '0x10', expected a number");
    check_refused(*state, "1.2.3", "DIR/a.ini:2:5: found '1.2.3', expected a number");
    check_refused(*state, "3 + 1.", "DIR/a.ini:2:9: found '1.', expected a number");
    check_refused(*state, "1e", "DIR/a.ini:2:5: found '1e', expected a number");
    check_refused(*state, "1e999", "DIR/a.ini:2:5: found '1e999', expected a number below 1.8e308");
}

static void strings_hold_everything_but_line_ends(void **state) {
    check_tree(*state, "arch(\"C64 ;B # | ) \\\"R\\\" \\\\\") ; why",
               "(arch \"C64 ;B # | ) \"R\" \\\")");
    check_tree(*state, "\"\"", "\"\"");
    check_refused(
        *state, "f(\"abc)",
        "DIR/a.ini:2:12: found end of value, expected '\"' to close the string at column 7");
    check_refused(
        *state, "f(\"abc\n  \")",
        "DIR/a.ini:2:11: found end of line, expected '\"' to close the string at column 7");
    check_refused(*state, "\"a\\n\"",
                  "DIR/a.ini:2:7: found '\\n' in a string, expected \\\" or \\\\");
}

static void brackets_are_closed_or_named(void **state) {
    check_refused(
        *state, "x | conv(3",
        "DIR/a.ini:2:15: found end of value, expected ',' or ')' to close '(' at column 13");
    check_refused(*state, "f((1 + 2, 3)",
                  "DIR/a.ini:2:13: found ',', expected ')' to close '(' at column 7");
    check_refused(*state, "f([1, 2)",
                  "DIR/a.ini:2:12: found ')', expected ',' or ']' to close '[' at column 7");
    check_refused(*state, "f(a b)",
                  "DIR/a.ini:2:9: found 'b', expected ',' or ')' to close '(' at column 6");
    check_refused(*state, "f(1))",
                  "DIR/a.ini:2:9: found ')', expected '|', an operator or end of value");
    check_refused(*state, "f^(1",
                  "DIR/a.ini:2:9: found end of value, expected ')' to close '(' at column 7");
}

static void places_hold_on_continuation_lines(void **state) {
    struct source s;
    struct expr *e = NULL;
    struct err err = {0};

    check_refused(*state, "x | f(1,   ; one\n\n; remark\n\t 2",
                  "DIR/a.ini:5:4: found end of value, "
                  "expected ',' or ')' to close '(' at line 2, column 10");
    check_refused(*state, "\n   a\n     $",
                  "DIR/a.ini:4:6: found '$', expected a name, a number or one of "
                  "()[],.|+-*/^=<>");
    assert_int_equal(parse(*state, "a\n    | f(b,\n  k=c)", &s, &e, &err), 0);
    assert_int_equal(e->left->pos.line, 2);
    assert_int_equal(e->right->pos.line, 3);
    assert_int_equal(e->right->pos.column, 7);
    assert_int_equal(e->right->args[1].pos.line, 4);
    assert_int_equal(e->right->args[1].pos.column, 3);
    assert_int_equal(e->right->args[1].value->pos.column, 5);
    source_release(&s);
}

static void stray_text_is_refused(void **state) {
    check_refused(
        *state, "",
        "DIR/a.ini:2:4: found end of value, expected a number, a name, a string, '(' or '['");
    check_refused(*state, "data/a.h5:train",
                  "DIR/a.ini:2:14: found ':', expected a name, a number or one of "
                  "()[],.|+-*/^=<>");
    check_refused(*state, "a \xc3\xa9",
                  "DIR/a.ini:2:7: found '\xc3\xa9', expected a name, a number or one of "
                  "()[],.|+-*/^=<>");
    check_refused(*state, "1 epoch",
                  "DIR/a.ini:2:7: found 'epoch', expected '|', an operator or end of value");
    check_refused(*state, "a = b",
                  "DIR/a.ini:2:7: found '=', expected '|', an operator or end of value");
    check_refused(*state, "2^3",
                  "DIR/a.ini:2:6: found '^', expected '|', an operator or end of value");
    check_refused(*state, "f^2.5",
                  "DIR/a.ini:2:7: found '2.5', expected a whole number or '(' after '^'");
    check_refused(*state, "f^-1",
                  "DIR/a.ini:2:7: found '-', expected a whole number or '(' after '^'");
    check_refused(*state, "a < b < c",
                  "DIR/a.ini:2:11: found '<', expected 'and' or 'or' between two comparisons");
    check_refused(*state, "x | 3",
                  "DIR/a.ini:2:9: found '3', expected the name of an operator, net or block, or "
                  "'(', after '|'");
    check_refused(*state, "x | (f + y)",
                  "DIR/a.ini:2:12: found '+', expected '|' or ')' to close '(' at column 9");
    check_refused(*state, "x | ()",
                  "DIR/a.ini:2:10: found ')', expected the name of an operator, net or block, or "
                  "'(', after '|'");
    check_refused(*state, "and",
                  "DIR/a.ini:2:5: found 'and', expected a number, a name, a string, '(' or '['");
}

/* n lines of `what`, which is indented. */
static void repeat(char *value, const char *what, int n) {
    for (value += strlen(value); n; n--)
        value += sprintf(value, "%s", what);
}

static void deep_nesting_is_refused_but_long_pipes_are_not(void **state) {
    static char value[400000], text[400032];
    struct source s;
    struct expr *e = NULL;
    struct err err = {0};
    int depth = 0;

    value[0] = '\0';
    repeat(value, "((((((((((\n ", 21);
    check_refused(*state, value,
                  "DIR/a.ini:22:2: found more than 200 levels of brackets, expected less");
    value[0] = '\0';
    repeat(value, "not not not not not\n ", 41);
    check_refused(*state, value,
                  "DIR/a.ini:42:2: found more than 200 levels of brackets, expected less");
    strcpy(value, "x");
    repeat(value, "\n | f", 1000);
    assert_int_equal(parse(*state, value, &s, &e, &err), 0);
    for (; e->kind == EXPR_PIPE; e = e->left)
        depth++;
    assert_int_equal(depth, 1000);
    source_release(&s);
    strcpy(value, "x");
    repeat(value, "\n | f", 5000);
    sprintf(text, "[let]\nx = %s\n", value);
    job_read(&s, job_file(*state, "a.ini", text), NULL, 0);
    assert_int_equal(expr_parse(&s, &source_find(&s, "let", "")->entries[0], &e, &err), -1);
    assert_non_null(strstr(err.msg, "found an expression of more than 10000 parts"));
    source_release(&s);
}

static void set_values_have_places_too(void **state) {
    const char *sets[] = {"epochs=3", "data.batch = f(1"};
    struct source s;
    struct expr *e = NULL;
    struct err err = {0};

    job_read(&s, job_file(*state, "a.ini", "[job]\n"), sets, 2);
    assert_int_equal(expr_parse(&s, &source_find(&s, "data", "")->entries[0], &e, &err), -1);
    assert_string_equal(
        err.msg, "--set:2:17: found end of value, expected ',' or ')' to close '(' at column 15");
    source_release(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, job_files_setup, job_files_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(product_binds_tighter_than_sum_and_pipe_weakest),
        TEST(conditions_bind_weaker_than_sums),
        TEST(calls_take_positions_names_and_repetition),
        TEST(members_are_reached_by_dots),
        TEST(lists_stand_in_brackets_or_alone),
        TEST(numbers_are_decimal),
        TEST(strings_hold_everything_but_line_ends),
        TEST(brackets_are_closed_or_named),
        TEST(places_hold_on_continuation_lines),
        TEST(stray_text_is_refused),
        TEST(deep_nesting_is_refused_but_long_pipes_are_not),
        TEST(set_values_have_places_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
