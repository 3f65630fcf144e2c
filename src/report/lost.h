/* lost.h - what a full disk costs is told once, not with every line until there is room again. */
#pragma once
#include "train/event.h"

/* After a line was written, or not.
 *   lost  the one before could not be; in and out
 *   rc    of writing it; -1: why says why not
 *   what  "line" */
static inline void lost_tell(bool *lost, int rc, const struct err *why, const char *what,
                             const struct sinks *warn) {
    if (rc && !*lost)
        sinks_warn(warn,
                   "%s; the %s is lost, training goes on, and says no more of it until one can be "
                   "written",
                   why->msg, what);
    *lost = rc != 0;
}
