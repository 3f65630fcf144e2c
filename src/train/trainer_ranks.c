/* trainer_ranks.c - what each rank's time goes into, for rank 0 to write down. */
#include "train/trainer_parts.h"

enum {
    LINES = 2000, /* of a whole run, at most */
    TOLD = 3      /* numbers of each rank */
};

void trainer_meet_ranks(struct trainer *t) {
    const size_t size = (size_t)comm_size(t->comm);
    struct pool *pool = &t->replica.model.pool;
    struct trainer_ranks *r = &t->ranks;

    if (size == 1)
        return;
    *r = (struct trainer_ranks){.host = pool_take(pool, size * sizeof *r->host),
                                .told = pool_take(pool, size * TOLD * sizeof *r->told),
                                .compute_s = pool_take(pool, size * sizeof *r->compute_s),
                                .wait_s = pool_take(pool, size * sizeof *r->wait_s),
                                .data_s = pool_take(pool, size * sizeof *r->data_s)};
    for (size_t i = 0; i < size; i++)
        r->host[i] = t->places->rank[i].host;
}

/* All ranks count the same steps. */
static bool is_due(const struct trainer *t) {
    const int64_t every = t->job->every_rank ? 1 : t->progress.total_steps / LINES + 1;

    return t->ranks.host && t->progress.step / every > t->ranks.at / every;
}

static double computed(const struct trainer_spent *s) {
    return s->step.forward + s->step.backward + s->step.optimizer;
}

bool trainer_gather_ranks(struct trainer *t, struct event_ranks *out) {
    struct trainer_ranks *r = &t->ranks;
    const struct trainer_spent *now = &t->spent, *then = &r->before;

    if (!is_due(t))
        return false;
    const int64_t since = r->at > t->first_step ? r->at : t->first_step;
    const double steps = (double)(t->progress.step - since);
    const double mine[TOLD] = {(computed(now) - computed(then)) / steps,
                               (now->step.exposed_comm - then->step.exposed_comm) / steps,
                               (now->data_s - then->data_s) / steps};
    comm_all_gather(t->comm, mine, r->told, sizeof mine);
    for (int i = 0; i < comm_size(t->comm); i++) {
        const double *told = r->told + (ptrdiff_t)i * TOLD;
        r->compute_s[i] = told[0], r->wait_s[i] = told[1], r->data_s[i] = told[2];
    }
    r->before = *now;
    r->at = t->progress.step;
    *out = (struct event_ranks){comm_size(t->comm), r->host, r->compute_s, r->wait_s, r->data_s};
    return true;
}
