#include "train/endtime.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

static struct tm local(double at) {
    const time_t seconds = (time_t)at;
    struct tm t = {0};

    localtime_r(&seconds, &t);
    return t;
}

/* "18:00" or "18:00:30", and nothing behind it. */
static bool read_clock(const char *text, struct tm *t) {
    int end = 0;

    t->tm_sec = 0;
    if (sscanf(text, "%2d:%2d%n", &t->tm_hour, &t->tm_min, &end) != 2)
        return false;
    if (text[end] == ':') {
        const char *seconds = text + end;
        int more = 0;
        if (sscanf(seconds, ":%2d%n", &t->tm_sec, &more) != 1)
            return false;
        end += more;
    }
    return !text[end] && t->tm_hour >= 0 && t->tm_hour < 24 && t->tm_min >= 0 && t->tm_min < 60 &&
           t->tm_sec >= 0 && t->tm_sec < 60;
}

/* The next time that a clock shows this. */
static double next_clock(struct tm clock, double now) {
    double at = 0;

    for (int day = 0; day < 2 && at <= now; day++) {
        struct tm t = local(now);
        t.tm_hour = clock.tm_hour, t.tm_min = clock.tm_min, t.tm_sec = clock.tm_sec;
        t.tm_mday += day;
        t.tm_isdst = -1;
        at = (double)mktime(&t);
    }
    return at;
}

/* "2026-12-01T18:00"; -1: it is none, or no day of the calendar. */
static double read_date(const char *text) {
    struct tm t = {.tm_isdst = -1};
    int end = 0;

    if (sscanf(text, "%4d-%2d-%2dT%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &end) != 3 || !end ||
        !read_clock(text + end, &t))
        return -1;
    t.tm_year -= 1900;
    t.tm_mon--;
    struct tm real = t;
    const time_t at = mktime(&real);
    return real.tm_mon == t.tm_mon && real.tm_mday == t.tm_mday ? (double)at : -1;
}

/* The digits that text begins with, with a point or without; -1: there are none. */
static double read_digits(const char *text, char **end) {
    const size_t len = strspn(text, "0123456789.");
    const double v = strtod(text, end);

    return len && *end == text + len ? v : -1;
}

/* "1d12h", "5400"; -1: it is none. */
static double read_duration(const char *text) {
    static const struct {
        char name;
        double seconds;
    } units[] = {{'d', DAY}, {'h', 3600}, {'m', 60}, {'s', 1}};
    const size_t n_units = sizeof units / sizeof *units;
    double sum = 0;
    char *end;

    if (read_digits(text, &end) >= 0 && !*end)
        return strtod(text, NULL);
    for (size_t next = 0; !next || *text; text = end + 1) {
        const double v = read_digits(text, &end);
        while (next < n_units && *end != units[next].name)
            next++;
        if (v < 0 || next == n_units)
            return -1;
        sum += v * units[next++].seconds;
    }
    return sum;
}

/* "@1796148000"; -1: it is none. */
static double read_epoch(const char *text) {
    char *end;
    const double v = read_digits(text, &end);

    return *end ? -1 : v;
}

/* -1: it is none of those that are written. */
static double read_any(const char *text, double now) {
    struct tm clock = {0};

    if (*text == '@')
        return read_epoch(text + 1);
    if (strchr(text, 'T'))
        return read_date(text);
    if (strchr(text, ':'))
        return read_clock(text, &clock) ? next_clock(clock, now) : -1;
    const double duration = read_duration(text);
    return duration < 0 ? -1 : now + duration;
}

int endtime_read(const char *text, double now, double *end, struct err *err) {
    const bool never = !strcmp(text, "never"), by_program = *text == '@';
    const double at = never ? HUGE_VAL : read_any(text, now), most = 1e11; /* thousands of years */
    char there[ENDTIME_TEXT], is[ENDTIME_TEXT];

    if (at < 0 || (at > most && !never))
        return err_set(err, ERR_USAGE,
                       "--end: found '%s', expected a time as 18:00 or 2026-12-01T18:00, a "
                       "duration as 3h30m, 90m or 5400 (seconds), or never",
                       text);
    if (at <= now && !by_program)
        return err_set(err, ERR_USAGE, "--end: found '%s', which is %s; expected a time after %s",
                       text, endtime_text(at, now, there), endtime_text(now, at, is));
    *end = at;
    return 0;
}

const char *endtime_text(double end, double now, char text[ENDTIME_TEXT]) {
    const struct tm t = local(end), today = local(now);
    const bool same_day = t.tm_year == today.tm_year && t.tm_yday == today.tm_yday;

    strftime(text, ENDTIME_TEXT, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &t);
    return text;
}

double endtime_slurm(char *(*env)(const char *name), double now) {
    const double no_limit_s = 300.0 * DAY; /* Slurm writes a year ahead then */
    const char *text = env("SLURM_JOB_END_TIME");
    const double end = text ? read_epoch(text) : -1;

    return end > 0 && end - now < no_limit_s ? end : 0;
}
