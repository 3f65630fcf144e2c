/* record.h - the folder of a run and what is written into it: the job, the log, checkpoints.
 * Opened on rank 0 only; where it is not open, lines are ignored. */
#pragma once
#include "io/runlog/runlog.h"
#include "train/evaluate.h"
#include "train/report.h"
#include "train/save.h"
#include "train/step.h"

struct record {
    const struct job *job; /* borrowed */
    struct report *report; /* borrowed; warnings go there */
    const char *folder;    /* runs/NAME, on all ranks */
    struct pool pool;
    struct runlog *log; /* NULL: not open */
    int lock;           /* the open folder, locked; -1: none */
};

/* Before a run: name the folder. Local. */
void record_init(struct record *r, const struct job *job, struct report *report);

/* Path of a file in the folder; belongs to the record. */
const char *record_path(struct record *r, const char *file);

/* Keep other runs out of the folder. An earlier run in it is kept as NAME.1, NAME.2 ... unless
 * this one resumes it. Errors: ERR_IO when another run is in the folder. */
int record_lock(struct record *r, bool resume, struct err *err);

/* Make the folder, where it is new, and open the log after so many steps. Errors: ERR_IO. */
int record_open(struct record *r, int64_t step, struct err *err);

/* One line of the log after a step that is done.
 *   out  the losses of what ran since the last line
 * A line that cannot be written is a warning. */
void record_step(struct record *r, const struct progress *p, const struct control *control,
                 const struct step_output *out, double img_per_s);

/* One line of the log for a validation. */
void record_validation(struct record *r, const struct progress *p, const struct replica *replica);

void record_release(struct record *r);
