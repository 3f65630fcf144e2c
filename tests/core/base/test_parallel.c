#define _GNU_SOURCE /* sched_getaffinity */
#include "core/base/parallel.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 1000 };

struct visits {
    struct team *team; /* for loops inside loops */
    atomic_int at[MOST];
    atomic_int n_calls;
};

static void visit(void *context, int64_t begin, int64_t end) {
    struct visits *v = context;

    assert_true(begin < end);
    atomic_fetch_add(&v->n_calls, 1);
    for (int64_t i = begin; i < end; i++)
        atomic_fetch_add(&v->at[i], 1);
}

static void visit_nested(void *context, int64_t begin, int64_t end) {
    struct visits *v = context;

    for (int64_t i = begin; i < end; i++)
        team_run(v->team, MOST, visit, v);
}

static struct team *team_of(int n_threads) {
    struct team *team = NULL;
    struct err err = {0};

    assert_int_equal(team_new(&team, n_threads, &err), 0);
    assert_int_equal(team_size(team), n_threads);
    return team;
}

static void every_index_is_visited_once(void **state) {
    static const int64_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 64, 999, MOST};

    (void)state;
    for (int n_threads = 1; n_threads <= 8; n_threads++) {
        struct team *team = team_of(n_threads);

        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            struct visits v = {0};

            team_run(team, lengths[l], visit, &v);
            for (int64_t i = 0; i < MOST; i++)
                assert_int_equal(v.at[i], i < lengths[l]);
        }
        team_free(team);
    }
}

struct stuck {
    atomic_int n_visited;
    int64_t n, first_len;
};

/* The first range ends only when all others have ended. */
static void wait_for_the_others(void *context, int64_t begin, int64_t end) {
    struct stuck *s = context;

    if (begin == 0) {
        s->first_len = end;
        while (atomic_load(&s->n_visited) < s->n - end)
            sched_yield();
    }
    atomic_fetch_add(&s->n_visited, (int)(end - begin));
}

static void others_take_over_from_a_slow_thread(void **state) {
    struct team *team = team_of(2);
    struct stuck s = {.n = MOST};

    (void)state;
    team_run(team, s.n, wait_for_the_others, &s);
    assert_int_equal(s.n_visited, MOST);
    assert_true(s.first_len <= MOST / 8);
    team_free(team);
}

enum { SLOTS = 3 };

struct slots {
    atomic_int in_use[SLOTS], n_visited;
};

static void use_slot(void *context, int slot, int64_t begin, int64_t end) {
    struct slots *s = context;

    assert_in_range(slot, 0, SLOTS - 1);
    assert_int_equal(atomic_fetch_add(&s->in_use[slot], 1), 0);
    for (int64_t i = begin; i < end; i++)
        sched_yield();
    assert_int_equal(atomic_fetch_sub(&s->in_use[slot], 1), 1);
    atomic_fetch_add(&s->n_visited, (int)(end - begin));
}

static void a_slot_is_used_by_one_thread_at_a_time(void **state) {
    (void)state;
    for (int n_threads = 1; n_threads <= 6; n_threads++) {
        struct team *team = team_of(n_threads);
        struct slots s = {0};

        team_run_slots(team, MOST, SLOTS, use_slot, &s);
        assert_int_equal(s.n_visited, MOST);
        team_free(team);
    }
}

static void many_short_loops_end(void **state) {
    struct visits v = {.team = team_of(3)};

    (void)state;
    for (int i = 0; i < 20000; i++)
        team_run(v.team, 3, visit, &v);
    for (int i = 0; i < 3; i++)
        assert_int_equal(v.at[i], 20000);
    team_free(v.team);
}

static void a_loop_inside_a_loop_visits_all_indices(void **state) {
    struct visits v = {.team = team_of(4)};

    (void)state;
    team_run(v.team, 10, visit_nested, &v);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(v.at[i], 10);
    team_free(v.team);
}

static void one_thread_needs_no_team(void **state) {
    struct visits v = {0};

    (void)state;
    assert_null(team_of(1));
    team_run(NULL, MOST, visit, &v);
    assert_int_equal(v.n_calls, 1);
    assert_int_equal(v.at[MOST - 1], 1);
    team_free(NULL);
}

/* Which threads have seen that they may run on one processor alone: 1, or -1. */
static void count_pinned(void *context, int slot, int64_t begin, int64_t end) {
    atomic_int *pinned = context;
    cpu_set_t now;

    (void)begin;
    (void)end;
    assert_int_equal(sched_getaffinity(0, sizeof now, &now), 0);
    atomic_store(&pinned[slot], CPU_COUNT(&now) == 1 ? 1 : -1);
}

/* Runs a loop until all threads of a team of 2 have had a part of it. */
static void look_at_pins(struct team *team, atomic_int pinned[2]) {
    for (int i = 0; i < 2; i++)
        atomic_store(&pinned[i], 0);
    while (!atomic_load(&pinned[0]) || !atomic_load(&pinned[1]))
        team_run_slots(team, MOST, 2, count_pinned, pinned);
}

/* On one processor: there are machines that have no second one. */
static void threads_but_the_caller_keep_to_their_cores(void **state) {
    struct team *team = team_of(2);
    struct core_set core[2] = {{{0}}};
    cpu_set_t before, after;
    atomic_int pinned[2];
    int first = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    while (!CPU_ISSET((size_t)first, &before))
        first++;
    core_set_add(&core[0], first);
    core_set_add(&core[1], first);
    const bool one = CPU_COUNT(&before) == 1;
    team_pin(NULL, core, 2);
    team_pin(team, core, 1); /* not one each */
    look_at_pins(team, pinned);
    assert_int_equal(atomic_load(&pinned[1]), one ? 1 : -1);
    team_pin(team, core, 2);
    look_at_pins(team, pinned);
    assert_int_equal(atomic_load(&pinned[1]), 1);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    team_free(team);
}

static void core_sets_count_join_and_part(void **state) {
    struct core_set a = {{0}}, b = {{0}};

    (void)state;
    core_set_add(&a, 0);
    core_set_add(&a, 63);
    core_set_add(&a, 64);
    core_set_add(&a, CORE_SET_MOST - 1);
    assert_int_equal(core_set_count(&a), 4);
    assert_true(core_set_has(&a, 64) && !core_set_has(&a, 65));
    b = core_set_part(&a, 1, 3);
    assert_int_equal(core_set_count(&b), 2);
    assert_true(core_set_has(&b, 63) && core_set_has(&b, 64));
    assert_true(core_set_within(&b, &a) && !core_set_within(&a, &b));
    core_set_join(&b, &a);
    assert_true(core_set_equal(&a, &b));
}

static void a_team_that_never_ran_ends(void **state) {
    (void)state;
    team_free(team_of(5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once),
        cmocka_unit_test(others_take_over_from_a_slow_thread),
        cmocka_unit_test(a_slot_is_used_by_one_thread_at_a_time),
        cmocka_unit_test(many_short_loops_end),
        cmocka_unit_test(a_loop_inside_a_loop_visits_all_indices),
        cmocka_unit_test(one_thread_needs_no_team),
        cmocka_unit_test(a_team_that_never_ran_ends),
        cmocka_unit_test(threads_but_the_caller_keep_to_their_cores),
        cmocka_unit_test(core_sets_count_join_and_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
