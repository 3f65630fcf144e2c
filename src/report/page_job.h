/* page_job.h - what the job of a run says, with what its checkpoints know: its networks, what it is
 * the best by, the names of its classes. */
#pragma once
#include "core/base/pool.h"
#include "report/page_curves.h"

/* What else must be known of the job to read its log. */
struct page_job {
    struct pool pool;
    struct page_best best; /* its text is the pool's */
};

/* Add to run:
 *   "job": the text, "epochs_wanted", "steps_wanted": 0 where not said
 *   "network": as network_json makes it
 *   "classes": {field: [names]}, "validation_samples", "checkpoint": {"file", "step"}
 *   "notes": what could not be read of it
 * A job that cannot be read any more, or data and checkpoints that are not there, leave out what
 * they would have said. Errors: ERR_IO for job.ini where it is there and cannot be read. */
int page_job_add(json_t *run, const char *folder, struct page_job *out, struct err *err);

/* {0} is fine. */
void page_job_release(struct page_job *job);
