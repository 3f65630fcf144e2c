/* watchdog_parts.h - what a watchdog consists of: private to watchdog*.c. All but what the lock is
 * of is its thread's own. */
#pragma once
#include "dist/watchdog_judge.h"
#include "dist/watchdog_line.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WATCHDOG_HUBS = 2, WATCHDOG_TOKEN = 16, WATCHDOG_ORDERED = 16 };

/* What ranks and hubs say to each other. */
enum watchdog_kind {
    WATCHDOG_HELLO = 0x646c7431, /* struct watchdog_hello: who has connected */
    WATCHDOG_WELCOME,            /* token: it is the hub that was meant */
    WATCHDOG_BEAT,               /* what a rank says of itself, every now and then */
    WATCHDOG_PING,               /* the hub lives */
    WATCHDOG_ASK,                /* the hub wants all that a rank knows of itself: */
    WATCHDOG_STATE,              /* the rank says it */
    WATCHDOG_COLLECT,            /* a rank wants this of all; patience in seconds, a double */
    WATCHDOG_ALL,                /* one after another, each with its length before it, a uint64_t */
    WATCHDOG_END,                /* struct watchdog_order: the job ends */
    WATCHDOG_BYE                 /* whoever says it ends as it should */
};

struct watchdog_hello {
    unsigned char token[WATCHDOG_TOKEN];
    int32_t rank;
};

/* Processes that obey nobody, for those on the same host to end. */
struct watchdog_order {
    int32_t n;
    struct {
        int64_t pid;
        char host[WATCHDOG_HOST];
    } silent[WATCHDOG_ORDERED];
};

/* A hub as the other ranks know it. */
struct watchdog_hub {
    int rank; /* -1: there is none */
    char host[WATCHDOG_HOST];
    struct watchdog_place place;
};

/* The way to a hub. */
struct watchdog_way {
    struct watchdog_line line;
    int address;         /* tried now, or the one that led there */
    double began, heard; /* to try; when the hub was heard last */
    bool welcome, left;
    char why[WATCHDOG_TEXT]; /* it does not answer; for messages */
};

/* A rank that has connected to this hub. */
struct watchdog_peer {
    struct watchdog_line line;
    int rank;      /* -1: it has not said who it is */
    double began;  /* when it connected */
    bool answered; /* since it was asked last */
    double wants;  /* it waits for what all say, so long; 0: it does not */
};

enum watchdog_mode { WATCHDOG_STARTS, WATCHDOG_TOGETHER, WATCHDOG_ALONE };

struct watchdog {
    struct watchdog_config config;
    struct comm *comm;
    int rank, size, number; /* which hub this rank is, -1: none */
    char host[WATCHDOG_HOST];
    char trouble[WATCHDOG_TEXT]; /* "": ranks are connected */
    unsigned char token[WATCHDOG_TOKEN];
    double interval_s; /* between beats */
    struct watchdog_hub hub[WATCHDOG_HUBS];
    struct watchdog_way way[WATCHDOG_HUBS];
    struct watchdog_judge judge;
    struct watchdog_peer *peer; /* [n_peers], of a hub */
    int n_peers, room_peers;
    int listener;     /* -1: none */
    atomic_int mode;  /* enum watchdog_mode */
    double suspected; /* since when this hub would accuse, if it were the first; 0 */
    bool ordered;     /* a hub has ended the job: */
    struct watchdog_order order;
    double ticked;

    pthread_t thread;
    int wake[2]; /* a pipe: read by the thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock: */
    bool ends, met;               /* to end; it has connected, or given up */
    bool connected;               /* to hub 0 */
    double wanted;                /* seconds of patience of who collects; 0: nobody does */
    bool answered;                /* they have been told: */
    int n_answers;                /* so many in */
    struct watchdog_rank *answer; /* [size], of the caller */
};

/* Fill what this rank says of itself; everything: with what it was at before, and its host. */
void watchdog_self(const struct watchdog *w, bool everything, struct watchdog_rank *out);

/* --- watchdog_talk.c: everything that goes over connections --- */

/* Wait for messages, timeout_s at most, and take what has come. */
void watchdog_talk(struct watchdog *w, double timeout_s);

/* Connect where there is no connection. */
void watchdog_reach(struct watchdog *w, double now);

/* Tell hubs and ranks that this one lives, and where it is. */
void watchdog_beat(struct watchdog *w, double now);

/* Ask all who are connected for all they know, and wait for it; rank[].answers says who did. */
void watchdog_gather(struct watchdog *w, double patience_s);

/* Send what is wanted of a hub to those who want it. */
void watchdog_serve(struct watchdog *w);

/* Say the same to all, and let it go, for so long at most. */
void watchdog_say_all(struct watchdog *w, uint32_t kind, const void *data, size_t len,
                      double patience_s);

/* Close all. */
void watchdog_hang_up(struct watchdog *w);

/* --- watchdog_end.c --- */

/* A rank holds up the job: tell, and end all ranks. */
_Noreturn void watchdog_accuse(struct watchdog *w, const struct watchdog_verdict *v);

/* A hub has said so. */
_Noreturn void watchdog_obey(struct watchdog *w);

/* No hub has been heard for so long. */
_Noreturn void watchdog_give_up(struct watchdog *w, double silent_s);
