/* pulse.h - where the threads of a rank are, and what they began last: written without locks in
 * some nanoseconds, and read while a thread is stuck, by another one or by a handler of signals. */
#pragma once
#include <stdint.h>

/* Whose pulse it is. */
enum pulse_thread { PULSE_MAIN, PULSE_READER, PULSE_SAVER, PULSE_THREADS };

enum pulse_phase {
    PULSE_IDLE,     /* nothing to do */
    PULSE_START,    /* before the first step */
    PULSE_DATA,     /* waiting for a batch */
    PULSE_FORWARD,  /* operators */
    PULSE_BACKWARD, /* likewise */
    PULSE_UPDATE,   /* of weights */
    PULSE_SUM,      /* waiting for the sum of what ranks tell each other */
    PULSE_WAIT,     /* waiting for gradients of other ranks */
    PULSE_AUDIT,    /* replicas are compared */
    PULSE_VALIDATE,
    PULSE_SAVE,
    PULSE_LOG,  /* what was done is written down, and what follows is decided */
    PULSE_READ, /* a thread reads samples */
    PULSE_END,  /* behind the last step */
    PULSE_PHASES
};

/* Where a thread is; what is not known, or does not apply, is -1. */
struct pulse_beat {
    int32_t phase, which; /* which of the job's steps; of a reader: 0 training's, 1 validation's */
    int32_t node, bucket; /* the operator begun last, of that step's graph; gradients waited for */
    int64_t step, sample; /* steps done; row of the dataset: the first of the batch that is read; of
                             the main thread the batch of a validation */
    double since;         /* when the phase began, as clock_now says */
};

/* A phase that began. */
struct pulse_event {
    int32_t thread, phase, which;
    int64_t step;
    double at; /* as clock_now says */
};

enum { PULSE_EVENTS = 200 }; /* that are kept */

struct pulse;

/* All threads are idle; to be freed by pulse_free. NULL: there is no memory. */
struct pulse *pulse_new(void);
void pulse_free(struct pulse *p);

/* A thread begins a phase; each thread writes its own pulse only. p = NULL is fine here and in the
 * next five: nobody looks. */
void pulse_enter(struct pulse *p, enum pulse_thread thread, enum pulse_phase phase, int64_t step,
                 int which);

/* The main thread begins a phase within another: it waits, and goes on with what it was at, as if
 * it had never left. */
struct pulse_beat pulse_pause(struct pulse *p, enum pulse_phase phase);
void pulse_resume(struct pulse *p, const struct pulse_beat *was);

/* Within the phase: the main thread begins an operator, waits for a bucket; a thread goes on to a
 * sample. */
void pulse_node(struct pulse *p, int node);
void pulse_bucket(struct pulse *p, int bucket);
void pulse_sample(struct pulse *p, enum pulse_thread thread, int64_t sample);

/* Where it is. Members may be of two moments that follow each other. Any thread, any handler. */
struct pulse_beat pulse_look(const struct pulse *p, enum pulse_thread thread);

/* The last events, oldest first; returns how many. One that is being written may be left out. */
int pulse_events(const struct pulse *p, struct pulse_event out[PULSE_EVENTS]);

/* How many phases began so far. Any thread, any handler. */
int64_t pulse_begun(const struct pulse *p);

/* "forward" */
const char *pulse_name(enum pulse_phase phase);
