/* runlog.h - the logs in the folder of a run: metrics.jsonl and others, one JSON object a line.
 * Written by one rank only. */
#pragma once
#include "core/base/err.h"

#include <jansson.h>
#include <stdint.h>

struct runlog;

/* Make the folder with those above it, and open one of its logs.
 *   dir   "runs/NAME"
 *   name  of the log, without .jsonl: "metrics"
 *   step  updates done by the checkpoint that the run goes on from; 0: a new run
 * A new run keeps the log of an earlier one in the same folder as NAME.previous.jsonl. Any other
 * cuts the log at the first line of a larger "step", or that is no whole JSON object, as a crash
 * leaves it. Errors: ERR_IO naming path and reason. */
int runlog_open(struct runlog **out, const char *dir, const char *name, int64_t step,
                struct err *err);

/* Append one object as one line, readable by others at once.
 *   object  borrowed; its "step" is what a resumed run is cut by
 * Errors: ERR_IO (disk full): the caller may go on. The line waits in memory, as long as those that
 * wait are 1 MiB, and goes out with the next one that can be written, or when the log is closed. */
int runlog_append(struct runlog *log, const json_t *object, struct err *err);

/* Begin the file again under its name, after its folder was deleted and made again. Errors: ERR_IO;
 * lines go to the file that has no name any more then. */
int runlog_again(struct runlog *log, struct err *err);

/* The largest "step" of a log, 0 where there is none or it cannot be read.
 *   dir, name  as of runlog_open */
int64_t runlog_last_step(const char *dir, const char *name);

/* object[key] = value, or null where it is not finite, which JSON cannot say. */
void runlog_number(json_t *object, const char *key, double value);

/* NULL is fine. */
void runlog_close(struct runlog *log);
