/* watchdog_judge.h - whose fault it is that nothing goes on: pure, from what ranks say of
 * themselves and the time. Private to watchdog*.c. */
#pragma once
#include "dist/watchdog.h"

/* What is known of a rank beside its last words. Times are those of the judge's clock. */
struct watchdog_seen {
    double heard,
        moved;   /* when it was heard last, when it was seen to do something else than before */
    double lost; /* when its connection ended, 0: it has one */
    bool left;   /* it said that it goes */
};

struct watchdog_judge {
    int first, n;                 /* ranks that are judged: [first, first + n) */
    double timeout_s;             /* as in watchdog_config */
    struct watchdog_rank *rank;   /* [n], that of rank first is the first */
    struct watchdog_seen *seen;   /* [n] */
    double longest[PULSE_PHASES]; /* seconds without a sign that ended; < 0: it never did */
};

enum watchdog_cause {
    WATCHDOG_LOST,   /* its connection ended, and does not come back */
    WATCHDOG_SILENT, /* not even its watchdog says anything */
    WATCHDOG_STILL,  /* it is at something that does not end */
    WATCHDOG_NOBODY, /* all wait for each other; it is furthest behind */
};

struct watchdog_verdict {
    int guilty;
    enum watchdog_cause cause;
    double since_s; /* seconds */
};

/* All ranks are heard now. Errors: ERR_IO. */
int watchdog_judge_init(struct watchdog_judge *j, int first, int n, double timeout_s, double now,
                        struct err *err);
void watchdog_judge_release(struct watchdog_judge *j);

/* Rank r says of itself what message holds, of len bytes: a struct watchdog_rank, up to its last
 * event. False: it is none. */
bool watchdog_judge_hear(struct watchdog_judge *j, int r, const void *message, size_t len,
                         double now);

/* Bytes of what a rank says of itself. */
size_t watchdog_rank_bytes(const struct watchdog_rank *rank);

/* Nothing could be heard for so long, as this process itself was stopped. */
void watchdog_judge_forgive(struct watchdog_judge *j, double seconds);

/* Seconds that a rank may be silent; and that it may be at a phase without a sign of life. */
double watchdog_judge_silence(const struct watchdog_judge *j);
double watchdog_judge_limit(const struct watchdog_judge *j, enum pulse_phase phase);

/* Does somebody hold up the job?
 *   only  the rank that is judged, which others may hold up; -1: all are */
bool watchdog_judge_find(const struct watchdog_judge *j, double now, int only,
                         struct watchdog_verdict *out);

/* How many are heard. */
int watchdog_judge_heard(const struct watchdog_judge *j, double now);

/* Does the main thread of a rank wait for others in this phase? */
bool watchdog_waits(enum pulse_phase phase);

/* "in backward of layer3.0.conv2 since 71 s, in step 813, while 7 ranks wait"
 *   name  of the operator; "" : none */
void watchdog_judge_say(const struct watchdog_judge *j, const struct watchdog_verdict *v,
                        const char *name, char why[WATCHDOG_TEXT]);
