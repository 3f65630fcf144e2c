#include "train/gradients.h"
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"

/* The ranks of all hosts go on alike. */
static void do_without(struct gradients *g, struct job *job, const struct sinks *sinks,
                       const char *why) {
    const char *wanted = job->allreduce.word->name;

    gradients_release(g);
    job->allreduce = allreduce_plain(&job->pool);
    sinks_warn(sinks, "[dist] allreduce: %s takes the place of %s: %s", job->allreduce.word->name,
               wanted, why);
}

void gradients_reserve(struct gradients *g, struct replica *r, struct job *job, struct comm *comm,
                       const struct sinks *sinks) {
    const size_t bytes = model_gradient_bytes(&r->model);
    struct err why = {0};
    int rc = 0;

    *g = (struct gradients){0};
    if (!allreduce_wants_home(&job->allreduce) || comm_size(comm) == 1)
        return;
    g->host = comm_on_host(comm);
    if (comm_size(g->host) > 1)
        rc = (g->shared = comm_shared_new(g->host, bytes, &why)) ? 0 : -1;
    if (agree(comm, rc, &why))
        do_without(g, job, sinks, why.msg);
    else if (g->shared)
        r->model.gradients = comm_shared_of(g->shared, comm_rank(g->host));
}

void gradients_release(struct gradients *g) {
    comm_shared_free(g->shared);
    comm_free(g->host);
    *g = (struct gradients){0};
}
