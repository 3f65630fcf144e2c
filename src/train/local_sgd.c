#include "train/local_sgd.h"

int local_sgd_check(const struct replica *r, const struct job *job, struct err *err) {
    for (int i = 0; i < r->n_steps && sync_local_sgd(&job->sync); i++)
        for (int k = 0; k < r->step[i].graph->n_nodes; k++) {
            const struct node *node = &r->step[i].graph->nodes[k];
            if (node->plan.ranks.kind)
                return pos_error(err, node->pos,
                                 "what is computed here needs other ranks in every step, and "
                                 "[dist] sync = local_sgd leaves them apart; expected sync=none");
        }
    return 0;
}

/* How much of a span moves apart, in reals. */
static int64_t len_of(const struct span *span) {
    switch (span->kind) {
    case SPAN_WEIGHTS:
    case SPAN_AVERAGES:
        return span->net->trained ? span->net->weights.trained_len : 0;
    case SPAN_RUNNING:
    case SPAN_MOMENT:
        return (int64_t)(span->bytes / sizeof(real));
    case SPAN_COUNTER:
        break; /* the same on all ranks */
    }
    return 0;
}

/* What is averaged lies in no memory that ranks of a host share, and all of it is copied there, for
 * which there may be no room, though gradients have theirs. */
static int plan_sums(struct local_sgd *l, struct pool *pool, const struct job *job,
                     const struct sinks *sinks, struct err *err) {
    const struct applied plain = allreduce_plain(pool);
    struct err why = {0};

    if (!allreduce_new(&l->sums, l->comm, &job->allreduce, l->vector, l->n, &why))
        return 0;
    if (allreduce_new(&l->sums, l->comm, &plain, l->vector, l->n, err))
        return -1;
    sinks_warn(sinks, "[dist] sync: averages go by %s in place of %s: %s", plain.word->name,
               job->allreduce.word->name, why.msg);
    return 0;
}

int local_sgd_init(struct local_sgd *l, struct replica *r, const struct job *job, struct comm *comm,
                   const struct sinks *sinks, struct err *err) {
    struct pool *pool = &r->model.pool;

    *l = (struct local_sgd){.args = sync_local_sgd(&job->sync), .comm = comm};
    if (!l->args || comm_size(comm) == 1)
        return 0;
    l->vector = pool_take(pool, (size_t)(r->n_spans + 1) * sizeof *l->vector);
    for (int i = 0; i < r->n_spans; i++) {
        const int64_t len = len_of(&r->spans[i]);
        if (len)
            l->vector[l->n++] =
                (struct allreduce_vector){.v = r->spans[i].data, .len = len, .own = true};
    }
    return plan_sums(l, pool, job, sinks, err);
}

void local_sgd_release(struct local_sgd *l) {
    allreduce_free(l->sums);
    *l = (struct local_sgd){0};
}

bool local_sgd_part(struct local_sgd *l, int64_t step) {
    const bool parts = l->sums && step >= l->args->after;

    l->apart = l->apart || parts;
    return parts;
}

void local_sgd_meet(struct local_sgd *l) {
    const real share = 1 / (real)(l->comm ? comm_size(l->comm) : 1);

    for (int i = 0; i < l->n && l->apart; i++) {
        const struct allreduce_vector *v = &l->vector[i];
        allreduce_run(l->sums, i);
        for (int64_t k = 0; k < v->len; k++)
            v->v[k] *= share;
    }
    l->apart = false;
}

bool local_sgd_is_due(const struct local_sgd *l, int64_t steps) {
    return l->apart && steps % l->args->every == 0;
}
