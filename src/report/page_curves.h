/* page_curves.h - metrics.jsonl as curves and tables of a page. */
#pragma once
#include "core/base/err.h"

#include <jansson.h>
#include <stdbool.h>

/* What a run is the best by. */
struct page_best {
    const char *measure; /* NULL: nothing, or it is not known */
    bool maximise;
};

/* Add to run what its log says, at most `points` numbers a curve:
 *   "clock": {"step", "epoch", "time": seconds since "began", null where lines have none}
 *   "curves": [{"name", "validate": of a validation?, "step": [], "value": [], "error": []}]
 *   "tables": [{"name", "step", "epoch", "best": of the best validation?, "table": nested lists, or
 *       of many zeros {"shape", "at", "value"}}], those of the best and of the last validation
 *   "best": {"measure", "value", "error", "step", "epoch", "maximise"}
 *   "step", "epoch", "steps_per_epoch", "began", "seconds": of the last line; null where not known
 * Errors: those of page_lines_read; ERR_IO for lack of memory. */
int page_curves_add(json_t *run, const char *path, const struct page_best *best, size_t points,
                    struct err *err);
