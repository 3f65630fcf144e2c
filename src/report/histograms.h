/* histograms.h - how weights, gradients and activations are spread: histograms.jsonl in the folder
 * of a run, where the job has [log] histograms. */
#pragma once
#include "io/runlog/runlog.h"
#include "train/event.h"

struct histograms_log {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
    struct runlog *log;       /* NULL: not open */
    bool lost;                /* the last line */
};

/* A sink that opens the log in the run's folder, where the job wants it, and goes on with it where
 * the run does.
 *   warn  who is told of lines that could not be written; may hold this sink too */
void histograms_log_init(struct histograms_log *h, const struct sinks *warn);

/* {0} is fine. */
void histograms_log_release(struct histograms_log *h);
