/* ranks.h - what each rank's time goes into: ranks.jsonl in the folder of a run of several ranks, a
 * line now and then. */
#pragma once
#include "io/runlog/runlog.h"
#include "train/event.h"

struct ranks_log {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
    struct runlog *log;       /* NULL: not open */
    bool lost;                /* the last line */
    bool named;               /* a line of this process has said who the ranks are */
};

/* A sink that opens the log in the run's folder, where there are several ranks, and goes on with it
 * where the run does.
 *   warn  who is told of lines that could not be written; may hold this sink too */
void ranks_log_init(struct ranks_log *r, const struct sinks *warn);

/* {0} is fine. */
void ranks_log_release(struct ranks_log *r);
