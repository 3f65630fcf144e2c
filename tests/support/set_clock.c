/* set_clock.c - a host whose clock somebody sets: loaded with LD_PRELOAD, it lets the time of day
 * differ by CLOCK_SHIFT seconds as soon as the file CLOCK_ONCE is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t) {
    const char *once = getenv("CLOCK_ONCE"), *shift = getenv("CLOCK_SHIFT");
    int (*next)(clockid_t, struct timespec *);
    void *found = dlsym(RTLD_NEXT, "clock_gettime");

    memcpy(&next, &found, sizeof found);
    const int rc = next(clock, t);
    if (clock == CLOCK_REALTIME && once && shift && !access(once, F_OK))
        t->tv_sec += atol(shift);
    return rc;
}
