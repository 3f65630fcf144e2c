/* page_run.h - one run's folder as what a page knows of it. */
#pragma once
#include "core/base/err.h"

#include <jansson.h>

/* How much of a page one run may take. */
struct page_share {
    size_t points;        /* numbers of a curve */
    size_t cells;         /* of ranks over time, and of histograms */
    size_t picture_bytes; /* of files, before base64 */
};

/* Read a folder as it is: a run may be going on in it, or have been copied from elsewhere; what it
 * has not written is left out. *out is an object, to be released by the caller:
 *   "folder", "name", "job": text, "state": {"is", "text"}, "notes": [texts]
 *   those of page_curves_add, "classes": {field: [names]}, "validation_samples"
 *   "network": that of network_json, where it is known
 *   "ranks", "hosts", "ranks_log", "histograms", "worst", "pictures": see page_parts.h
 * Errors: ERR_IO for what cannot be read; ERR_DATA where it is no run's folder, or a line in it is
 * broken, naming file and line. */
int page_run(json_t **out, const char *folder, const struct page_share *share, struct err *err);
