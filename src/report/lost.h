/* lost.h - what a full disk does not take is told once, not with every line until there is room
 * again. */
#pragma once
#include "io/runlog/runlog.h"
#include "train/event.h"

/* After a line was written, or not.
 *   lost  the one before could not be; in and out
 *   rc    of writing it; -1: why says why not
 *   fate  of what was not written: "the record is lost" */
static inline void lost_tell(bool *lost, int rc, const struct err *why, const char *fate,
                             const struct sinks *warn) {
    if (rc && !*lost)
        sinks_warn(warn, "%s; %s, training goes on, and says no more of it until it can be written",
                   why->msg, fate);
    *lost = rc != 0;
}

/* The folder of the run is made again: so is the log in it. */
static inline void lost_begin_again(struct runlog *log, const struct sinks *warn) {
    struct err err = {0};

    if (log && runlog_again(log, &err))
        sinks_warn(warn, "%s; its lines are lost, training goes on", err.msg);
}
