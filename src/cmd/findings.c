#include "cmd/findings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void findings_add(struct finding_list *f, enum finding what, const char *topic, const char *fmt,
                  ...) {
    static const char *const names[] = {"ok", "warning", "refused"};
    char text[1024];
    va_list ap;

    f->n_warnings += what == FINDING_WARNING;
    if (f->silent)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (f->json)
        json_array_append_new(f->json, json_pack("{s:s, s:s, s:s}", "finding", names[what], "topic",
                                                 topic, "text", text));
    else
        printf("%-8s %-10s %s\n", names[what], topic, text);
}

const char *findings_bytes(double bytes, char text[FINDING_TEXT]) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;

    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(text, FINDING_TEXT, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

const char *findings_rate(double rate, char text[FINDING_TEXT]) {
    snprintf(text, FINDING_TEXT, rate < 100 ? "%.3g" : "%.0f", rate);
    return text;
}

const char *findings_time(double seconds, char text[FINDING_TEXT]) {
    const double minute = 60, hour = 3600;

    if (seconds < 1)
        snprintf(text, FINDING_TEXT, "%.3g ms", 1e3 * seconds);
    else if (seconds < minute)
        snprintf(text, FINDING_TEXT, "%.3g s", seconds);
    else if (seconds < hour)
        snprintf(text, FINDING_TEXT, "%.0f min %02.0f s", floor(seconds / minute),
                 floor(fmod(seconds, minute)));
    else
        snprintf(text, FINDING_TEXT, "%.0f h %02.0f min", floor(seconds / hour),
                 floor(fmod(seconds, hour) / minute));
    return text;
}
