/* jsonl.h - the log of a run: metrics.jsonl in its folder, a line for steps and validations. */
#pragma once
#include "io/runlog/runlog.h"
#include "train/event.h"

struct jsonl {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
    struct runlog *log;       /* NULL: not open */
    bool lost;                /* the last line */
};

/* A sink that opens the log in the run's folder and goes on with it where the run does.
 *   warn  who is told of lines that could not be written; may hold this sink too */
void jsonl_init(struct jsonl *j, const struct sinks *warn);

/* {0} is fine. */
void jsonl_release(struct jsonl *j);
