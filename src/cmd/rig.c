#include "cmd/rig.h"
#include "core/base/rng.h"
#include "dist/agree.h"
#include "train/facts.h"
#include "train/shards.h"

#include <stdlib.h>

/* Labels below the smallest number of classes that the job's steps choose from. */
static int64_t n_classes(const struct replica *r) {
    int64_t classes = 0;

    for (int s = 0; s < r->n_steps; s++)
        for (int i = 0; i < r->step[s].graph->n_nodes; i++) {
            int64_t c;
            if (graph_class_input(r->step[s].graph, i, &c) >= 0)
                classes = !classes || c < classes ? c : classes;
        }
    return classes ? classes : 1;
}

static int make_batch(struct rig *r, const struct loader_field *fields, int64_t global_n,
                      const struct comm *comm, struct err *err) {
    const int rank = comm_rank(comm);
    const struct shard_range share =
        shard_share(global_n, r->replica.shards, rank, comm_size(comm));
    const int64_t n = share.n;
    const uint64_t most = (uint64_t)n_classes(&r->replica);

    r->batch = (struct feed_batch){.data.n = n, .first = share.first, .global_n = global_n};
    for (int f = 0; f < r->replica.n_fields; f++) {
        const uint64_t key = rng_key(1, RNG_TEST, (uint64_t)rank, (uint64_t)f);
        const int64_t len = n * (fields[f].sample.rank ? shape_len(&fields[f].sample) : 1);
        float *x = r->memory[f] = calloc((size_t)len + 1, sizeof *x);
        int32_t *classes = r->memory[f];

        if (!x)
            return err_set(err, ERR_IO, "no memory for a batch of %lld images", (long long)n);
        for (int64_t i = 0; i < len; i++)
            if (fields[f].kind == DATASET_CLASS)
                classes[i] = (int32_t)rng_below(key, (uint64_t)i, most);
            else
                x[i] = rng_normal(key, (uint64_t)i);
        if (fields[f].kind == DATASET_CLASS)
            r->batch.data.classes[f] = classes;
        else
            r->batch.data.field[f] = x;
    }
    return 0;
}

int rig_init(struct rig *r, struct job *job, struct comm *comm, int threads, struct err *err) {
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n_fields = 0;

    *r = (struct rig){0};
    if (!job->n_steps)
        return err_set(err, ERR_CONFIG, "%s: there is no [step]", job->path);
    if (agree(comm, groups_new(&r->groups, comm, job->reproducible, err), err) ||
        agree(comm, feed_fields(job, seen, &n_fields, err), err) ||
        facts_check_fields(comm, seen, n_fields, err))
        return -1;
    feed_graph_fields(seen, n_fields, fields);
    const struct replica_config config = {
        .job = job,
        .fields = fields,
        .n_fields = n_fields,
        .step_samples = job->batch,
        .batch = shards_at_a_time(job, job->batch, comm_size(comm)),
        .training = true,
        .threads = threads,
        .ranks = groups_all(r->groups),
        .data_name = job->path,
    };
    if (agree(comm, replica_init(&r->replica, &config, err), err))
        return -1;
    replica_meet(&r->replica, config.ranks);
    gradients_reserve(&r->gradients, &r->replica, job, comm, &(struct sinks){0});
    return agree(comm, replica_allocate(&r->replica, &config, err), err) ||
                   stepper_init(&r->stepper, &r->replica, job, comm, r->gradients.shared, err) ||
                   agree(comm, make_batch(r, seen, job->batch, comm, err), err)
               ? -1
               : 0;
}

int rig_step(struct rig *r, int64_t step, struct step_output *out, struct err *err) {
    double lr[JOB_MAX_STEPS];

    for (int i = 0; i < JOB_MAX_STEPS; i++)
        lr[i] = 1e-6;
    const struct step_input in = {.batch = &r->batch, .step = step, .lr = lr};
    return stepper_run(&r->stepper, &in, out, err);
}

void rig_release(struct rig *r) {
    stepper_release(&r->stepper);
    replica_release(&r->replica);
    gradients_release(&r->gradients);
    groups_free(r->groups);
    for (int i = 0; i < LOADER_MAX_FIELDS; i++)
        free(r->memory[i]);
    *r = (struct rig){0};
}
