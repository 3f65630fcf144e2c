/* outcome.h - what came of a run, in words: why it ended, which weights were the best. */
#pragma once
#include "train/event.h"

struct outcome {
    const struct job *job;
    const struct progress *progress; /* with the whole history: that of rank 0 */
    const char *folder;              /* of the run */
    const struct sinks *sinks;
};

/* Why a run has ended, and "best: iou=0.1860 at epoch 2, in best.h5", as notes.
 *   before  it had ended before it began: nothing was left to do
 * Errors: ERR_DATA when there was a measure to be the best by, and it never was a number. */
int outcome_say(const struct outcome *o, enum control_end end, bool before, struct err *err);

/* It stops, to go on later: its best so far is a note.
 *   end  "18:00:00" where that is because its time ends; NULL: it was asked to
 * Returns -1 with ERR_STOPPED. */
int outcome_stopped(const struct outcome *o, const char *end, struct err *err);

/* Say behind *err, why data could not be read, that all steps before it are saved. Local. */
void outcome_add_saved(const struct outcome *o, struct err *err);
