/* Who is told of what. */
#include "train/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* A sink that writes down what it hears: "a0 a4:hello ". */
struct listener {
    struct sink sink;
    char name;
    int refuses; /* to open */
};

static char heard[256];

static int open_it(struct sink *sink, const struct event *start, struct err *err) {
    const struct listener *l = (const struct listener *)sink;

    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c(%d) ", l->name,
             (int)start->kind);
    return l->refuses ? err_set(err, ERR_IO, "%c is full", l->name) : 0;
}

static void take(struct sink *sink, const struct event *e) {
    const bool text = e->kind == EVENT_NOTE || e->kind == EVENT_WARNING;

    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c%d%s%s ",
             ((const struct listener *)sink)->name, (int)e->kind, text ? ":" : "",
             text ? e->text : "");
}

static const struct sink_kind opens = {open_it, take}, listens = {NULL, take};
static struct listener a = {{&opens}, 'a', 0}, b = {{&listens}, 'b', 0}, c = {{&opens}, 'c', 0};
static struct sink *const list[] = {&a.sink, &b.sink, &c.sink};
static const struct sinks all = {list, 3}, none = {0};

static int setup(void **state) {
    (void)state;
    heard[0] = 0;
    c.refuses = 0;
    return 0;
}

static void every_sink_hears_in_order(void **state) {
    const struct event start = {.kind = EVENT_START}, step = {.kind = EVENT_STEP};
    struct err err = {0};

    (void)state;
    assert_int_equal(sinks_start(&all, &start, &err), 0);
    sinks_tell(&all, &step);
    assert_string_equal(heard, "a(0) c(0) a0 b0 c0 a1 b1 c1 ");
}

static void none_is_told_of_a_start_that_one_refuses(void **state) {
    const struct event start = {.kind = EVENT_START};
    struct err err = {0};

    (void)state;
    c.refuses = 1;
    assert_int_equal(sinks_start(&all, &start, &err), -1);
    assert_string_equal(err.msg, "c is full");
    assert_string_equal(heard, "a(0) c(0) ");
}

static void texts_are_whole_however_long(void **state) {
    static const struct sinks one = {list + 1, 1};
    char expected[256];

    (void)state;
    sinks_note(&one, "%s %0150d", "n", 7);
    sinks_warn(&one, "w");
    snprintf(expected, sizeof expected, "b4:n %0150d b5:w ", 7);
    assert_string_equal(heard, expected);
}

static void an_empty_list_is_told_nothing(void **state) {
    const struct event start = {.kind = EVENT_START};
    struct err err = {0};

    (void)state;
    assert_int_equal(sinks_start(&none, &start, &err), 0);
    sinks_note(&none, "x");
    assert_string_equal(heard, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_sink_hears_in_order, setup),
        cmocka_unit_test_setup(none_is_told_of_a_start_that_one_refuses, setup),
        cmocka_unit_test_setup(texts_are_whole_however_long, setup),
        cmocka_unit_test_setup(an_empty_list_is_told_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
