/* diary.h - what a run says while it goes: events.jsonl in its folder, one JSON object a line, so
 * that a page can say how it went:
 *   {"time": seconds since 1970, "event": "start", "step", "ranks", "threads", "kernels"}
 *   {"time", "event": "note" or "warning", "text"}
 *   {"time", "event": "end", "step", "state": "complete", "stopped" or "failed", "text"}
 * A run that goes on appends to it. */
#pragma once
#include "train/event.h"

#include <stdbool.h>

struct diary {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
    int fd;                   /* -1: not open */
    bool lost;                /* the last line */
};

/* A sink that opens the file in the run's folder.
 *   warn  who is told where it cannot be written any more; may hold this sink too */
void diary_init(struct diary *d, const struct sinks *warn);

/* {0} is not fine, what diary_init has made is. */
void diary_release(struct diary *d);
