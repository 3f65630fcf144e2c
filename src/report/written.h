/* written.h - everything that a run writes for others to look at, as sinks: docs/watching.md. */
#pragma once
#include "report/diary.h"
#include "report/histograms.h"
#include "report/jsonl.h"
#include "report/mlperf.h"
#include "report/phases.h"
#include "report/ranks.h"
#include "report/tensorboard.h"
#include "report/trace.h"

enum { WRITTEN_SINKS = 8 };

struct written {
    struct jsonl jsonl;
    struct diary diary;
    struct ranks_log ranks;
    struct histograms_log histograms;
    struct tensorboard tensorboard;
    struct mlperf mlperf;
    struct trace_file trace;
    struct phases_file phases;
};

/* Sinks that write what the job wants into the run's folder; at the beginning of the program.
 *   warn  who is told of what could not be written; may hold these sinks, too
 *   list  where pointers to them go */
void written_init(struct written *w, const struct sinks *warn, struct sink *list[WRITTEN_SINKS]);

void written_release(struct written *w);
