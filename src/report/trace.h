/* trace.h - what every thread of every rank did in some steps: trace.json in the folder of a run,
 * in the format of Chrome's trace events, which Perfetto (ui.perfetto.dev) and speedscope read.
 * Written once, whole. Source: "Trace Event Format", Google. */
#pragma once
#include "train/event.h"

struct trace_file {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
};

/* A sink that writes the file when the trace is complete.
 *   warn  who is told that it is written, or could not be; may hold this sink too */
void trace_file_init(struct trace_file *f, const struct sinks *warn);
