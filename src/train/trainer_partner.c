/* trainer_partner.c - a run's copies in the memory of its hosts. */
#include "train/resume_file.h"
#include "train/trainer_parts.h"

#include <inttypes.h>

static bool has_copies(const struct trainer *t) {
    return interval_is_set(&t->job->partner);
}

/* On rank 0: the step of the checkpoint that the run would go on from; -1: none is whole. */
static int64_t newest_saved(struct trainer *t) {
    const struct identity id = {.job = t->job};
    const struct resume resume = {runfolder_file(&t->folder, "last.h5"), t->folder.path, &id,
                                  t->sinks};
    struct resume_file file = {0};
    struct err ignored = {0};
    int64_t step = -1;

    if (comm_rank(t->comm) == 0 && !resume_file_open(&file, &resume, &ignored))
        step = meta_step(&file.meta);
    resume_file_release(&file);
    return step;
}

void trainer_find_copy(struct trainer *t, bool resume) {
    int64_t step;

    if (!resume || !has_copies(t))
        return;
    t->copy = partner_find(&t->partner, t->folder.path, newest_saved(t), &step);
    if (t->copy >= 0)
        sinks_note(t->sinks, "resuming from the copy of step %" PRId64 " in the memory of %s", step,
                   t->places->rank[t->copy].host);
}

int trainer_bring_copy(struct trainer *t, struct err *err) {
    const char *last = runfolder_file(&t->folder, "last.h5");

    return t->copy < 0 ? 0 : partner_bring(&t->partner, t->copy, last, t->job->keep_last, err);
}

void trainer_begin_copies(struct trainer *t) {
    if (has_copies(t) && !t->finished)
        partner_begin(&t->partner, t->folder.path, (double)save_len(&t->replica) * sizeof(real));
}

/* Where the step is saved anyway it is not. */
bool trainer_copy_is_due(const struct trainer *t) {
    return has_copies(t) && interval_due(&t->job->partner, &t->progress) && !t->control.save_last;
}

/* What has ended with its last checkpoint needs them no longer. */
void trainer_end_copies(struct trainer *t, int rc, const struct err *err) {
    const bool saved = err->kind == ERR_STOPPED && t->progress.step > t->first_step;

    if (has_copies(t) && (!rc || saved))
        partner_remove(&t->partner);
}
