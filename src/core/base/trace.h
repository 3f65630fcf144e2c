/* trace.h - what the threads of a process do, and when: numbers in memory, for somebody who knows
 * what they stand for. Nobody waits: each event has a place of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What is done, and what a and b say of it. */
enum trace_kind {
    TRACE_NONE,
    TRACE_STEP,     /* a whole one; a: its number */
    TRACE_FORWARD,  /* an operator; a: which of the job's steps, b: its node */
    TRACE_BACKWARD, /* likewise */
    TRACE_UPDATE,   /* a: which of the job's steps, b: its net */
    TRACE_BUCKET,   /* of gradients, from ready to summed; a: which of the job's steps, b: bucket */
    TRACE_SUM,      /* waiting for the sum of what ranks tell each other */
    TRACE_WAIT,     /* waiting for gradients; a: which of the job's steps */
    TRACE_DATA,     /* waiting for a batch */
    TRACE_VALIDATE,
    TRACE_SAVE,
    TRACE_READ,    /* a batch is read; a: its number */
    TRACE_PREPARE, /* samples are decoded and augmented; a: the first, b: how many */
    TRACE_MOVE,    /* messages are moved */
    TRACE_KINDS
};

/* Who does it. */
enum trace_thread { TRACE_MAIN, TRACE_MOVER, TRACE_READER, TRACE_WORKERS /* and so on */ };

struct trace_event {
    int32_t kind, thread, a, b;
    double begin, end; /* as clock_now says */
};

struct trace;

/* Room for n events, not yet wanted; to be freed by trace_free. NULL: there is no memory. */
struct trace *trace_new(int64_t n);
void trace_free(struct trace *t);

/* From now on events are wanted; no longer. */
void trace_begin(struct trace *t);
void trace_end(struct trace *t);

/* Are they? NULL: never. Any thread. */
bool trace_wants(const struct trace *t);

/* Keep one, if they are wanted and there is room. Any thread. */
void trace_add(struct trace *t, const struct trace_event *event);

/* Move all that are complete to the front, after trace_end; borrowed.
 *   n        how many
 *   dropped  how many had no room */
const struct trace_event *trace_events(struct trace *t, int64_t *n, int64_t *dropped);
