/* mlperf.h - a run in the lines of MLPerf Training: NAME/mlperf.log, where the job has [log] mlperf
 * = on. It is a log of processes: one that goes on appends, and begins with init_start again.
 * Source: the rules of MLCommons' logging package for training. */
#pragma once
#include "train/event.h"

#include <jansson.h>
#include <stdint.h>

struct mlperf {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
    int fd;                   /* -1: not open */
    bool lost;                /* the last line */
    char *path;
    int64_t init_ms; /* when the process began: milliseconds since 1970 */
    int64_t last_ms; /* when the last step, validation or checkpoint ended */
    bool in_epoch, in_block;
    double block_first; /* epoch that the block began with, counted from 1 */
};

/* A sink that opens its file in the run's folder, where the job wants it; at the beginning of the
 * program, whose time counts.
 *   warn  who is told of lines that could not be written; may hold this sink too */
void mlperf_init(struct mlperf *m, const struct sinks *warn);
void mlperf_release(struct mlperf *m);
