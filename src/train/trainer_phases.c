/* trainer_phases.c - what the time of all ranks went into, at the end of a run. */
#include "core/base/clock.h"
#include "train/trainer_parts.h"

/* What is not counted anywhere is `other`, so that the parts are the whole. */
static struct event_times times_of(const struct trainer *t) {
    const struct trainer_spent *s = &t->spent;
    const struct step_times *step = &s->step;
    struct event_times e = {.start = t->start_s - t->began_s,
                            .data = s->data_s,
                            .forward = step->forward,
                            .backward = step->backward,
                            .optimizer = step->optimizer,
                            .exposed = step->exposed_comm,
                            .control = step->control_comm,
                            .buckets = step->bucket_comm,
                            .sync = step->sync_comm,
                            .validate = s->validate_s,
                            .save = s->save_s,
                            .audit = s->audit_s,
                            .total = clock_now() - t->began_s};

    e.other = e.total - e.start - e.data - e.forward - e.backward - e.optimizer - e.exposed -
              e.validate - e.save - e.audit;
    return e;
}

void trainer_tell_phases(struct trainer *t) {
    const int n = comm_size(t->comm);
    const struct event_times mine = times_of(t);
    struct event e = trainer_event_of(t, EVENT_PHASES);
    struct pool pool = {0};
    struct event_times *all = pool_take(&pool, (size_t)n * sizeof *all);

    comm_all_gather(t->comm, &mine, all, sizeof mine);
    e.phases = (struct event_phases){all, n, t->progress.step - t->first_step};
    sinks_tell(t->sinks, &e);
    pool_release(&pool);
}
