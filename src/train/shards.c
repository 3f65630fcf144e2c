#include "train/shards.h"
#include "dist/shard.h"
#include "dist/fold.h"

int shards_check(const struct job *job, int size, struct err *err) {
    if (!job->shards || size <= job->shards)
        return 0;
    return err_set(
        err, ERR_CONFIG,
        "%s: %d ranks for %d shards: with reduction = reproducible each rank computes "
        "one or more; expected at most %d ranks, or [dist] shards = %d, which is another "
        "sum",
        job->path, size, job->shards, job->shards, size);
}

int64_t shards_at_a_time(const struct job *job, int64_t batch, int size) {
    const int64_t parts = job->shards ? job->shards : size * job->accumulate;

    return (batch + parts - 1) / parts;
}

static int64_t room(int64_t len) {
    return (int64_t)(arena_round((size_t)len * sizeof(real)) / sizeof(real));
}

int64_t shards_step_len(const struct replica_step *step) {
    int64_t len = 0;

    for (int i = 0; i < step->n_train; i++)
        len += room(step->train[i]->weights.trained_len);
    for (int i = 0; i < step->n_running; i++)
        len += room(step->running[i]->states.len);
    return len;
}

size_t shards_bytes(const struct replica *r, int rank, int size) {
    size_t bytes = 0;

    if (!r->shards)
        return 0;
    const struct shard_range own = shard_of_rank(r->shards, rank, size);
    const int depth = fold_depth(r->shards, (int)own.first, (int)(own.first + own.n));
    for (int i = 0; i < r->n_steps; i++)
        bytes += (size_t)depth * (size_t)shards_step_len(&r->step[i]) * sizeof(real);
    return bytes;
}
