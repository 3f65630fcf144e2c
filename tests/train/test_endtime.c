/* When the time of a run is over, as it is written. */
#define _DEFAULT_SOURCE /* setenv */
#include "train/endtime.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* 2026-11-28 17:30:00 in Berlin, as `date -d '2026-11-28 17:30 CET' +%s` says. */
static const double NOW = 1795883400;

static int in_berlin(void **state) {
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return 0;
}

static void reads_at(const char *text, double now, double expected) {
    struct err err = {0};
    double end = 0;

    if (endtime_read(text, now, &end, &err))
        fail_msg("%s: %s", text, err.msg);
    if (end < expected || end > expected)
        fail_msg("%s is %.3f, expected %.3f", text, end, expected);
}

static void reads(const char *text, double expected) {
    reads_at(text, NOW, expected);
}

static void refuses(const char *text, const char *message) {
    struct err err = {0};
    double end = 7;

    assert_int_equal(endtime_read(text, NOW, &end, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (!strstr(err.msg, message))
        fail_msg("%s: no '%s' in '%s'", text, message, err.msg);
    assert_true(end > 6);
}

static void durations_count_from_now(void **state) {
    (void)state;
    reads("5400", NOW + 5400);
    reads("90m", NOW + 5400);
    reads("3h30m", NOW + 12600);
    reads("1d12h", NOW + 129600);
    reads("1d45s", NOW + 86445);
    reads("1.5h", NOW + 5400);
}

static void a_clock_time_is_the_next_one(void **state) {
    (void)state;
    reads("18:00", NOW + 1800);
    reads("18:00:30", NOW + 1830);
    reads("17:30:01", NOW + 1);
    reads("17:30", NOW + 86400); /* it is that now */
    reads("00:00", NOW + 6.5 * 3600);
    reads("9:15", NOW + 15.75 * 3600);
}

static void dates_are_local_and_whole(void **state) {
    (void)state;
    reads("2026-11-28T18:00", NOW + 1800);
    reads("2026-12-01T18:00:30", NOW + 3 * 86400 + 1830);
    reads("2027-06-28T18:30", NOW + 212 * 86400); /* in summer clocks are an hour ahead */
    reads("@1795883401", NOW + 1);
    reads("@1795883399", NOW - 1); /* who passes it on is late */
    reads("never", HUGE_VAL);
}

/* Of the night in which 3:00 becomes 2:00, and of the one that has no 2:30. */
static void days_of_other_lengths_are_days(void **state) {
    const double autumn = 1792879200; /* 2026-10-25 00:00 in summer time */
    const double spring = 1774738800; /* 2026-03-29 00:00 */

    (void)state;
    reads_at("12:00", autumn, autumn + 13 * 3600.0);
    reads_at("00:00", autumn + 1800, autumn + 25 * 3600.0);
    reads_at("12:00", spring, spring + 11 * 3600.0);
    reads_at("23:30", spring - 1200, spring + 22.5 * 3600);
}

static void what_is_no_time_is_refused_with_what_is(void **state) {
    static const char *const wrong[] = {
        "",        "x",    "18:60",  "24:00",  "18:00x",        "18:00:60", "18:",
        "-5",      "1h2d", "3h30",   "3x",     "1h1h",          "1e400",    "18:-1",
        "@",       "@x",   "T18:00", "inf",    "nan",           "0x10",     "5400x",
        "18:00 x", ".",    "h",      "3.5.1h", "99999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(wrong[i], "expected a time as 18:00 or 2026-12-01T18:00, a duration as 3h30m");
    refuses("2026-02-30T10:00", "expected a time as");
    refuses("2026-13-01T10:00", "expected a time as");
    refuses("2027-01-01", "expected a time as");
}

static void what_has_passed_is_refused_with_what_the_time_is(void **state) {
    (void)state;
    refuses("2026-11-28T17:29", "which is 17:29:00; expected a time after 17:30:00");
    refuses("2020-01-01T00:00", "which is 2020-01-01 00:00:00");
    refuses("0", "expected a time after");
}

static const char *slurm_says;

static char *slurm_env(const char *name) {
    static char text[64];

    if (strcmp(name, "SLURM_JOB_END_TIME") != 0 || !slurm_says)
        return NULL;
    return strcpy(text, slurm_says);
}

static void slurm_says_when_a_job_ends(void **state) {
    static const struct {
        const char *text;
        double end;
    } cases[] = {{"1795887000", NOW + 3600},
                 {"1795883000", NOW - 400},
                 {NULL, 0},
                 {"", 0},
                 {"x", 0},
                 {"0", 0},
                 {"1827419400", 0} /* a year: there is no limit */};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        slurm_says = cases[i].text;
        const double end = endtime_slurm(slurm_env, NOW);
        if (end < cases[i].end || end > cases[i].end)
            fail_msg("%s is %.3f", slurm_says ? slurm_says : "nothing", end);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_count_from_now),
        cmocka_unit_test(a_clock_time_is_the_next_one),
        cmocka_unit_test(dates_are_local_and_whole),
        cmocka_unit_test(days_of_other_lengths_are_days),
        cmocka_unit_test(what_is_no_time_is_refused_with_what_is),
        cmocka_unit_test(what_has_passed_is_refused_with_what_the_time_is),
        cmocka_unit_test(slurm_says_when_a_job_ends),
    };

    return cmocka_run_group_tests(tests, in_berlin, NULL);
}
