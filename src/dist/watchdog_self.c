/* watchdog_self.c - what a rank says of itself. */
#include "core/base/clock.h"
#include "dist/watchdog_parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Number `which` of the first line of a file of /proc that begins with `word`, from 0; -1: the
 * system does not say. */
static double number_of(const char *file, const char *word, int which) {
    char line[256];
    double number[2] = {-1, -1};
    FILE *f = fopen(file, "r");

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, word, strlen(word))) {
            if (sscanf(line + strlen(word), "%lf %lf", &number[0], &number[1]) <= which)
                number[which] = -1;
            break;
        }
    if (f)
        fclose(f);
    return number[which];
}

static double scaled(double number, double by) {
    return number < 0 ? -1 : number * by;
}

void watchdog_self(const struct watchdog *w, bool everything, struct watchdog_rank *out) {
    *out = (struct watchdog_rank){.answers = true,
                                  .rank = w->rank,
                                  .pid = (long)getpid(),
                                  .now = clock_now(),
                                  .begun = pulse_begun(w->config.pulse)};
    memcpy(out->host, w->host, sizeof out->host);
    for (int i = 0; i < PULSE_THREADS; i++)
        out->beat[i] = pulse_look(w->config.pulse, (enum pulse_thread)i);
    if (!everything)
        return;
    out->rss_bytes = scaled(number_of("/proc/self/statm", "", 1), (double)sysconf(_SC_PAGESIZE));
    out->free_bytes = scaled(number_of("/proc/meminfo", "MemAvailable:", 0), 1024); /* KiB */
    out->load = number_of("/proc/loadavg", "", 0);
    out->clock_utc = clock_utc();
    out->n_events = pulse_events(w->config.pulse, out->event);
}
