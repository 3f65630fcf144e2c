/* page_parts.h - the files that a run may have beside its log, as a page keeps them. Each adds
 * nothing where there is no such file. Errors, of all: ERR_IO for what cannot be read, ERR_DATA
 * naming file and line for what is broken. */
#pragma once
#include "core/base/err.h"

#include <jansson.h>
#include <stddef.h>

/* "ranks": P, "hosts": [of each rank], "ranks_log": {"step", "epoch", "compute_s", "wait_s",
 * "data_s": [a list of P for each time]}, of ranks.jsonl: at most `cells` numbers of each kind,
 * where neighbours in time are averaged. */
int page_ranks_add(json_t *run, const char *path, size_t cells, struct err *err);

/* "phases": the text of phases.txt. */
int page_phases_add(json_t *run, const char *path, struct err *err);

/* "histograms": the lines of histograms.jsonl, at most `cells` counts, evenly spread in time. */
int page_histograms_add(json_t *run, const char *path, size_t cells, struct err *err);

/* "worst": what worst.json says, with "uri" in place of "picture". */
int page_worst_add(json_t *run, const char *folder, size_t bytes, struct err *err);

/* "pictures": {NAME: [{"step", "uri"}]} of pictures/NAME_STEP.png, rising: of each name the newest,
 * and others evenly spread, as many as the bytes suffice for. */
int page_pictures_add(json_t *run, const char *folder, size_t bytes, struct err *err);

/* "state": {"is": "complete", "stopped", "failed", "running" or "unknown", "text"}: by fault.txt,
 * the lock and how far the log goes; "history": the lines of events.jsonl, the newest. After the
 * curves and the job. */
int page_state_add(json_t *run, const char *folder, struct err *err);
