#include "dist/shard.h"

#include "core/base/rng.h"

#include <stdlib.h>

int shard_init(struct shard *s, const struct shard *plan, struct err *err) {
    if (plan->n_samples < 1)
        return err_set(err, ERR_CONFIG, "there are no samples to share out");
    if (plan->batch < 1)
        return err_set(err, ERR_CONFIG, "a batch has at least 1 sample, not %lld",
                       (long long)plan->batch);
    if (plan->drop_last && plan->batch > plan->n_samples)
        return err_set(err, ERR_CONFIG,
                       "a batch of %lld is never full with %lld samples, and the last batch is to "
                       "be left out when it is not full",
                       (long long)plan->batch, (long long)plan->n_samples);
    const size_t n = (size_t)plan->n_samples;
    int64_t *order = n > SIZE_MAX / sizeof *order ? NULL : malloc(n * sizeof *order);
    if (!order)
        return err_set(err, ERR_IO, "out of memory: the order of %lld samples",
                       (long long)plan->n_samples);
    *s = *plan;
    s->order = order;
    s->epoch = -1;
    return 0;
}

void shard_release(struct shard *s) {
    free(s->order);
    *s = (struct shard){0};
}

int64_t shard_steps(const struct shard *s) {
    return s->n_samples / s->batch + (!s->drop_last && s->n_samples % s->batch > 0);
}

int64_t shard_batch_len(const struct shard *s, int64_t step) {
    const int64_t left = s->n_samples - step * s->batch;

    return left < s->batch ? left : s->batch;
}

/* Source: Fisher-Yates, Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P. */
static void shuffle(struct shard *s, int64_t epoch) {
    const uint64_t key = rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, 0);

    for (int64_t i = 0; i < s->n_samples; i++)
        s->order[i] = i;
    for (int64_t i = s->n_samples - 1; s->shuffle && i > 0; i--) {
        const int64_t j = (int64_t)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
        const int64_t keep = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = keep;
    }
    s->epoch = epoch;
}

void shard_part(struct shard *s, int64_t epoch, int64_t step, int rank, int size,
                const int64_t **samples, int64_t *n, int64_t *first) {
    const int64_t len = shard_batch_len(s, step);
    const int64_t begin = len * rank / size, end = len * (rank + 1) / size;

    if (s->epoch != epoch)
        shuffle(s, epoch);
    *samples = s->order + step * s->batch + begin;
    *n = end - begin;
    *first = begin;
}
