/* The pulse of a rank: where its threads are, and what they began last. */
#include "core/base/pulse.h"
#include "core/base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void nobody_looking_is_fine(void **state) {
    (void)state;
    pulse_enter(NULL, PULSE_MAIN, PULSE_DATA, 1, 0);
    pulse_node(NULL, 1);
    pulse_bucket(NULL, 1);
    pulse_sample(NULL, PULSE_READER, 1);
    const struct pulse_beat was = pulse_pause(NULL, PULSE_WAIT);
    pulse_resume(NULL, &was);
    pulse_free(NULL);
}

static void a_beat_is_what_its_thread_wrote_last(void **state) {
    struct pulse *p = pulse_new();
    const double before = clock_now();

    (void)state;
    pulse_enter(p, PULSE_MAIN, PULSE_FORWARD, 12, 1);
    pulse_node(p, 7);
    pulse_enter(p, PULSE_READER, PULSE_READ, 13, -1);
    pulse_sample(p, PULSE_READER, 4711);
    const struct pulse_beat here = pulse_look(p, PULSE_MAIN), reader = pulse_look(p, PULSE_READER);
    assert_int_equal(here.phase, PULSE_FORWARD);
    assert_int_equal(here.step, 12);
    assert_int_equal(here.which, 1);
    assert_int_equal(here.node, 7);
    assert_int_equal(here.bucket, -1);
    assert_true(here.since >= before && here.since <= clock_now());
    assert_int_equal(reader.phase, PULSE_READ);
    assert_int_equal(reader.sample, 4711);
    pulse_enter(p, PULSE_MAIN, PULSE_WAIT, 12, 1);
    pulse_bucket(p, 3);
    assert_int_equal(pulse_look(p, PULSE_MAIN).node, -1);
    assert_int_equal(pulse_look(p, PULSE_MAIN).bucket, 3);
    assert_int_equal(pulse_look(p, PULSE_SAVER).phase, PULSE_IDLE);
    pulse_free(p);
}

static void what_is_paused_goes_on_as_it_was(void **state) {
    struct pulse *p = pulse_new();
    struct pulse_event e[PULSE_EVENTS];

    (void)state;
    pulse_enter(p, PULSE_MAIN, PULSE_BACKWARD, 12, 1);
    pulse_node(p, 7);
    const struct pulse_beat before = pulse_look(p, PULSE_MAIN);
    const struct pulse_beat was = pulse_pause(p, PULSE_WAIT);
    pulse_bucket(p, 3);
    const struct pulse_beat waits = pulse_look(p, PULSE_MAIN);
    assert_int_equal(waits.phase, PULSE_WAIT);
    assert_int_equal(waits.step, 12);
    assert_int_equal(waits.bucket, 3);
    assert_int_equal(waits.node, -1);
    pulse_resume(p, &was);
    const struct pulse_beat after = pulse_look(p, PULSE_MAIN);
    assert_memory_equal(&after, &before, sizeof after);
    assert_int_equal(pulse_events(p, e), 2);
    assert_int_equal(e[1].phase, PULSE_WAIT);
    pulse_free(p);
}

static void the_last_events_are_kept_in_order(void **state) {
    struct pulse *p = pulse_new();
    struct pulse_event e[PULSE_EVENTS];

    (void)state;
    assert_int_equal(pulse_events(p, e), 0);
    for (int i = 0; i < PULSE_EVENTS + 50; i++)
        pulse_enter(p, PULSE_MAIN, PULSE_DATA, i, 0);
    assert_int_equal(pulse_begun(p), PULSE_EVENTS + 50);
    assert_int_equal(pulse_events(p, e), PULSE_EVENTS);
    for (int i = 0; i < PULSE_EVENTS; i++)
        assert_int_equal(e[i].step, 50 + i);
    pulse_free(p);
}

struct writer {
    struct pulse *pulse;
    atomic_bool stop;
};

/* What belongs together: the step is a multiple of the phase. */
static void *write_on(void *context) {
    struct writer *w = context;

    for (int64_t i = 1; !atomic_load(&w->stop); i++)
        pulse_enter(w->pulse, PULSE_MAIN, (enum pulse_phase)(1 + i % 7), (1 + i % 7) * i, 0);
    return NULL;
}

static void events_that_are_read_while_they_are_written_are_whole(void **state) {
    struct writer w = {.pulse = pulse_new()};
    struct pulse_event e[PULSE_EVENTS];
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    for (int round = 0; round < 2000; round++)
        for (int i = pulse_events(w.pulse, e); i-- > 0;)
            assert_int_equal(e[i].step % e[i].phase, 0);
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    pulse_free(w.pulse);
}

static void phases_have_names(void **state) {
    (void)state;
    for (int i = 0; i < PULSE_PHASES; i++)
        assert_true(pulse_name((enum pulse_phase)i)[0] != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_looking_is_fine),
        cmocka_unit_test(a_beat_is_what_its_thread_wrote_last),
        cmocka_unit_test(what_is_paused_goes_on_as_it_was),
        cmocka_unit_test(the_last_events_are_kept_in_order),
        cmocka_unit_test(events_that_are_read_while_they_are_written_are_whole),
        cmocka_unit_test(phases_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
