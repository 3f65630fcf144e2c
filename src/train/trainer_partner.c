/* trainer_partner.c - a run's copies in the memory of its hosts. */
#include "dist/agree.h"
#include "train/resume_file.h"
#include "train/trainer_parts.h"

#include <inttypes.h>

static bool has_copies(const struct trainer *t) {
    return interval_is_set(&t->job->partner);
}

/* What the run would go on from without copies. */
static struct resume resume_of(struct trainer *t, const struct identity *id) {
    return (struct resume){runfolder_file(&t->folder, "last.h5"), t->folder.path, id, t->sinks};
}

/* On rank 0: the step of the checkpoint that the run would go on from; -1: none is whole. Nothing
 * is further than one that cannot be read, which is no damage. */
static int64_t newest_saved(struct trainer *t) {
    const struct identity id = {.job = t->job};
    const struct resume resume = resume_of(t, &id);
    struct resume_file file = {0};
    struct err why = {0};
    int64_t step = -1;

    if (comm_rank(t->comm) == 0) {
        if (!resume_file_open(&file, &resume, &why))
            step = meta_step(&file.meta);
        else if (why.kind != ERR_DATA)
            step = INT64_MAX;
    }
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
    const struct resume resume = resume_of(t, &t->identity);

    if (t->copy < 0)
        return 0;
    if (agree(t->comm, comm_rank(t->comm) ? 0 : resume_file_spare(&resume, err), err))
        return -1;
    return partner_bring(&t->partner, t->copy, resume.file, t->job->keep_last, err);
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
