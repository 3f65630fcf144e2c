/* watchdog.h - names the rank that a job waits for in vain, and ends the job. A thread in each rank
 * tells two of them, the hubs, every now and then where its rank is (core/base/pulse.h), over
 * connections of its own: it goes on where the rank does not, and knows no MPI but at the end. */
#pragma once
#include "core/base/pulse.h"
#include "dist/comm.h"

enum { WATCHDOG_TEXT = 256, WATCHDOG_HOST = 64 };

/* What one rank says of itself. */
struct watchdog_rank {
    bool answers; /* false: what follows is from when it was heard last, or nothing */
    int rank;
    char host[WATCHDOG_HOST];
    long pid;
    double silent_s; /* since it was heard last */
    double still_s;  /* since it was last seen to do something; its watchdog may well be heard */
    double now;      /* its clock_now when it answered */
    int64_t begun;   /* phases so far, of all its threads */
    struct pulse_beat beat[PULSE_THREADS];
    /* Where it was asked for them; bytes are -1 where the system does not say. */
    double rss_bytes, free_bytes, load, clock_utc;
    int n_events;
    struct pulse_event event[PULSE_EVENTS];
};

/* Why the job is ended. */
struct watchdog_stall {
    int guilty;
    char why[WATCHDOG_TEXT]; /* "in backward of layer3.0.conv2 since 71 s, while 7 ranks wait" */
    const struct watchdog_rank *rank; /* [n] all; where ranks watch themselves alone, this one */
    int n;
};

struct watchdog_config {
    double timeout_s; /* 0: learnt from how long phases take; < 0: nothing is watched, though ranks
                         still answer */
    struct pulse *pulse; /* borrowed until watchdog_free */
    /* What the operator of a beat is called, for messages. NULL: by its number. Any thread. */
    void (*name)(void *context, const struct pulse_beat *beat, char text[WATCHDOG_TEXT]);
    /* Once, in the watchdog's thread of the rank that leads: the lowest hub that is heard. */
    void (*stalled)(void *context, const struct watchdog_stall *stall);
    /* In the watchdog's thread of every rank, right before its process ends. May be NULL. */
    void (*leave)(void *context);
    void *context;
};

struct watchdog;

/* Start it. Where ranks cannot connect, as behind a firewall, each watches itself alone.
 *   out   owned by the caller, ended by watchdog_free
 *   comm  borrowed until then
 * Collective, between threads that call MPI. Errors, the same on all ranks: ERR_IO where there is
 * no memory or no thread. */
int watchdog_new(struct watchdog **out, struct comm *comm, const struct watchdog_config *config,
                 struct err *err);

/* Why ranks watch themselves alone; NULL: they do not. Borrowed, the same on all ranks. Local. */
const char *watchdog_trouble(const struct watchdog *w);

/* What all ranks say of themselves, of those that answer within patience_s: all[size]. Returns how
 * many answered. Any rank, any thread, without MPI; one call at a time is served. w = NULL: this
 * function returns 0. */
int watchdog_collect(struct watchdog *w, double patience_s, struct watchdog_rank *all);

/* NULL is fine. Collective: returns when every rank has called it, so that whoever never does is
 * named. */
void watchdog_free(struct watchdog *w);
