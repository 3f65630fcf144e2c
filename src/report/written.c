#include "report/written.h"

#include <string.h>

void written_init(struct written *w, const struct sinks *warn, struct sink *list[WRITTEN_SINKS]) {
    struct sink *const all[WRITTEN_SINKS] = {
        &w->jsonl.sink,       &w->diary.sink,  &w->ranks.sink, &w->histograms.sink,
        &w->tensorboard.sink, &w->mlperf.sink, &w->trace.sink, &w->phases.sink};

    jsonl_init(&w->jsonl, warn);
    diary_init(&w->diary, warn);
    ranks_log_init(&w->ranks, warn);
    histograms_log_init(&w->histograms, warn);
    tensorboard_init(&w->tensorboard, warn);
    mlperf_init(&w->mlperf, warn);
    trace_file_init(&w->trace, warn);
    phases_file_init(&w->phases, warn);
    memcpy(list, all, sizeof all);
}

void written_release(struct written *w) {
    mlperf_release(&w->mlperf);
    tensorboard_release(&w->tensorboard);
    histograms_log_release(&w->histograms);
    ranks_log_release(&w->ranks);
    diary_release(&w->diary);
    jsonl_release(&w->jsonl);
}
