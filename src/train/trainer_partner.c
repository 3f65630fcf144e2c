/* trainer_partner.c - a run's copies in the memory of its hosts. */
#include "train/meta.h"
#include "train/trainer_parts.h"

#include <inttypes.h>

static bool has_copies(const struct trainer *t) {
    return t->job->partner.steps || t->job->partner.epochs > 0;
}

/* On rank 0: the step of the last checkpoint; -1: there is none that is whole. */
static int64_t newest_saved(struct trainer *t) {
    struct meta meta = {0};
    struct err ignored = {0};
    int64_t step = -1;

    if (comm_rank(t->comm) == 0 &&
        !meta_open(&meta, runfolder_file(&t->folder, "last.h5"), &ignored))
        step = meta_step(&meta);
    meta_release(&meta);
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

    return t->copy < 0 ? 0 : partner_bring(&t->partner, t->copy, last, err);
}

void trainer_begin_copies(struct trainer *t) {
    double bytes = 0;

    if (!has_copies(t) || t->finished)
        return;
    for (int i = 0; i < t->replica.n_spans; i++)
        bytes += t->replica.spans[i].path ? (double)t->replica.spans[i].bytes : 0;
    partner_begin(&t->partner, t->folder.path, bytes);
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
