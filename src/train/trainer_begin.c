/* trainer_begin.c - the weights that a run begins with. */
#include "io/runlog/runlog.h"
#include "train/others.h"
#include "train/resume.h"
#include "train/trained.h"
#include "train/trainer_parts.h"
#include "train/weights.h"

#include <inttypes.h>

/* On rank 0: where the log says that there was more, somebody has taken the checkpoints away. */
static void say_that_it_begins(struct trainer *t, const char *file) {
    const int64_t last = runlog_last_step(t->folder.path, "metrics");

    if (last)
        sinks_warn(t->sinks,
                   "%s is not there, nor another checkpoint to go on from: beginning with step 1; "
                   "what was done up to step %" PRId64 " is done again",
                   file, last);
    else
        sinks_note(t->sinks, "%s is not there: beginning with step 1", file);
}

/* On rank 0: is there something to go on from? */
static int look_for_checkpoint(struct trainer *t, struct err *err) {
    const char *file = runfolder_file(&t->folder, "last.h5");
    int there = resume_exists(file, err);

    if (!there)
        there = others_exist(t->folder.path, err);
    if (!there && t->copy < 0)
        say_that_it_begins(t, file);
    t->resumes = there > 0 || t->copy >= 0;
    return there < 0 ? -1 : 0;
}

int trainer_load_weights(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm))
        return 0;
    if (resume && look_for_checkpoint(t, err))
        return -1;
    if (t->resumes)
        return 0;
    for (int i = 0; i < t->job->n_weights; i++)
        trained_warn_of_order(t->job->weights[i].file, &t->data.train, t->sinks);
    return weights_load(t->job, &t->replica, t->sinks, err);
}
