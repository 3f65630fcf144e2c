/* What still fits into the time that is left. */
#include "train/deadline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const double UTC = 1795883400, START = 50; /* two clocks at one moment */

/* 1000 seconds, of which 30 are kept back; a step takes 2, a validation 100, a checkpoint 10. */
static struct deadline thousand(void) {
    struct deadline d;

    deadline_init(&d, UTC + 1000, UTC, START);
    deadline_took(&d, DEADLINE_STEP, 2);
    deadline_took(&d, DEADLINE_VALIDATION, 100);
    deadline_took(&d, DEADLINE_SAVE, 10);
    return d;
}

/* The run must end there when so many seconds are needed from now on, and not a second before. */
static void needs(const struct deadline *d, const struct control *next, int steps, double seconds) {
    const double last = START + 1000 - seconds;

    assert_false(deadline_is_near(d, next, steps, last - 0.5));
    assert_true(deadline_is_near(d, next, steps, last + 0.5));
}

static void the_last_checkpoint_still_fits(void **state) {
    const struct deadline d = thousand();

    (void)state;
    needs(&d, &(struct control){0}, 0, 2 + 10 + 30);
    needs(&d, &(struct control){0}, 1, 2 + 2 + 10 + 30);
    needs(&d, &(struct control){.save_last = true}, 1, 2 + 2 + 20 + 30);
    needs(&d, &(struct control){.save_last = true, .save_every = true}, 0, 2 + 30 + 30);
}

static void a_validation_begins_only_where_it_ends_in_time(void **state) {
    const struct deadline d = thousand();

    (void)state;
    needs(&d, &(struct control){.validate = true}, 1, 2 + 100 + 10 + 2 + 10 + 30);
    needs(&d, &(struct control){.validate = true, .finish = CONTROL_LENGTH}, 1,
          2 + 100 + 10 + 10 + 30);
}

/* It saves and ends anyway. */
static void a_job_that_is_done_ends_by_itself(void **state) {
    const struct deadline d = thousand();
    const struct control done = {.finish = CONTROL_LENGTH, .save_last = true};

    (void)state;
    assert_false(deadline_is_near(&d, &done, 1, START + 999));
}

static void without_an_end_nothing_is_near(void **state) {
    static const double never[] = {0, HUGE_VAL};
    struct deadline d;

    (void)state;
    for (int i = 0; i < 2; i++) {
        deadline_init(&d, never[i], UTC, START);
        deadline_expect(&d, 1e12, 1e6);
        assert_false(deadline_is_near(&d, &(struct control){0}, 1, 1e15));
    }
}

/* 1 GB at 25 MB/s; a validation of 50 steps, of which one takes 2 s. */
static void what_was_never_done_is_guessed(void **state) {
    struct deadline d;

    (void)state;
    deadline_init(&d, UTC + 1000, UTC, START);
    deadline_expect(&d, 1e9, 50);
    needs(&d, &(struct control){0}, 1, 40 + 30);
    deadline_took(&d, DEADLINE_STEP, 2);
    needs(&d, &(struct control){.validate = true}, 1, 2 + 2 + 100 + 80 + 30);
    deadline_took(&d, DEADLINE_SAVE, 10);
    deadline_took(&d, DEADLINE_VALIDATION, 7);
    needs(&d, &(struct control){.validate = true}, 1, 2 + 2 + 7 + 20 + 30);
}

static void the_longest_counts_and_fades(void **state) {
    struct deadline d = thousand();

    (void)state;
    deadline_took(&d, DEADLINE_SAVE, 60);
    deadline_took(&d, DEADLINE_SAVE, 1);
    needs(&d, &(struct control){0}, 0, 2 + 54 + 30);
    deadline_took(&d, DEADLINE_STEP, 200); /* the first of a cold file system */
    deadline_took(&d, DEADLINE_STEP, 2);
    needs(&d, &(struct control){0}, 0, 198 + 54 + 30);
    for (int i = 0; i < 1000; i++)
        deadline_took(&d, DEADLINE_STEP, 2);
    needs(&d, &(struct control){0}, 0, 2 + 54 + 30);
}

/* A twentieth of the time is kept back, 1 to 30 seconds. */
static void the_margin_grows_with_the_time(void **state) {
    static const double times[][2] = {{2, 1}, {60, 3}, {600, 30}, {86400, 30}};
    struct deadline d;

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        deadline_init(&d, UTC + times[i][0], UTC, START);
        assert_true(fabs(d.margin_s - times[i][1]) < 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_checkpoint_still_fits),
        cmocka_unit_test(a_validation_begins_only_where_it_ends_in_time),
        cmocka_unit_test(a_job_that_is_done_ends_by_itself),
        cmocka_unit_test(without_an_end_nothing_is_near),
        cmocka_unit_test(what_was_never_done_is_guessed),
        cmocka_unit_test(the_longest_counts_and_fades),
        cmocka_unit_test(the_margin_grows_with_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
