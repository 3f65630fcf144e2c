/* Events of several threads, as many as there is room for, while they are wanted. */
#include "core/base/parallel.h"
#include "core/base/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void add(struct trace *t, int a) {
    trace_add(t, &(struct trace_event){TRACE_STEP, TRACE_MAIN, a, -a, a, a + 0.5});
}

static void only_what_is_wanted_is_kept(void **state) {
    struct trace *t = trace_new(8);
    int64_t n, dropped;

    (void)state;
    add(NULL, 1);
    assert_false(trace_wants(NULL) || trace_wants(t));
    add(t, 1);
    trace_begin(t);
    assert_true(trace_wants(t));
    add(t, 2);
    add(t, 3);
    trace_end(t);
    add(t, 4);
    const struct trace_event *e = trace_events(t, &n, &dropped);
    assert_true(n == 2 && dropped == 0);
    assert_true(e[0].a == 2 && e[1].a == 3 && e[1].b == -3 && e[1].end > 3.4);
    trace_free(t);
}

static void many(void *context, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
        add(context, (int)i);
}

/* Of 1000 there is room for 600: each of these is another one. */
static void what_has_no_room_is_counted(void **state) {
    struct trace *t = trace_new(600);
    struct team *team = NULL;
    struct err err = {0};
    bool seen[1000] = {false};
    int64_t n, dropped;

    (void)state;
    assert_int_equal(team_new(&team, 4, &err), 0);
    trace_begin(t);
    team_run(team, 1000, many, t);
    trace_end(t);
    team_free(team);
    const struct trace_event *e = trace_events(t, &n, &dropped);
    assert_true(n == 600 && dropped == 400);
    for (int64_t i = 0; i < n; i++) {
        assert_true(e[i].a >= 0 && e[i].a < 1000 && !seen[e[i].a] && e[i].b == -e[i].a);
        seen[e[i].a] = true;
    }
    trace_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_wanted_is_kept),
        cmocka_unit_test(what_has_no_room_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
