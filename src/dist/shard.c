#include "dist/shard.h"

#include "core/base/rng.h"
#include "dist/fold.h"

#include <stdlib.h>
#include <string.h>

static int64_t *take(int64_t n) {
    return n < 0 || (uint64_t)n > SIZE_MAX / sizeof(int64_t) - 1
               ? NULL
               : calloc((size_t)n + 1, sizeof(int64_t));
}

/* Where the members of each class will be, and which classes there are. */
static void find_classes(struct shard *s) {
    for (int64_t i = 0; i < s->n_samples; i++)
        s->begin[s->labels[i] + 1]++;
    for (int c = 0; c < s->n_classes; c++) {
        if (s->begin[c + 1])
            s->present[s->n_present++] = c;
        s->begin[c + 1] += s->begin[c];
    }
}

static int allocate(struct shard *s, struct err *err) {
    bool fits;

    s->order = take(s->n_samples);
    fits = s->order;
    if (fits && s->labels) {
        s->visits = calloc((size_t)s->n_samples, sizeof *s->visits);
        s->members = take(s->n_samples);
        s->begin = take(s->n_classes);
        s->taken = take(s->n_classes);
        s->present = take(s->n_classes);
        fits = s->visits && s->members && s->begin && s->taken && s->present;
    }
    if (!fits) {
        const int64_t n = s->n_samples;
        shard_release(s);
        return err_set(err, ERR_IO, "out of memory: the order of %lld samples", (long long)n);
    }
    if (s->labels)
        find_classes(s);
    return 0;
}

int64_t shard_usual_window(int64_t block, int64_t batch) {
    enum { BATCHES = 8, LEAST = 8 };
    const int64_t whole = batch / block, rest = batch % block; /* no product that overflows */
    const int64_t n = BATCHES * whole + (BATCHES * rest + block - 1) / block;

    return n < LEAST ? LEAST : n;
}

static int check(const struct shard *plan, struct err *err) {
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
    if (plan->shuffle == SHARD_BLOCKS && (plan->block < 1 || plan->window < 0))
        return err_set(err, ERR_CONFIG, "%lld blocks of %lld samples cannot be mixed",
                       (long long)plan->window, (long long)plan->block);
    if (plan->labels && plan->shuffle != SHARD_FULL)
        return err_set(err, ERR_CONFIG,
                       "samples of each class equally often are drawn from everywhere: that is no "
                       "order of blocks, and none as stored");
    return 0;
}

int shard_init(struct shard *s, const struct shard *plan, struct err *err) {
    if (check(plan, err))
        return -1;
    *s = *plan;
    s->order = NULL;
    s->visits = NULL;
    s->members = s->begin = s->taken = s->present = NULL;
    s->n_present = 0;
    s->epoch = -1;
    if (s->shuffle == SHARD_BLOCKS && s->block > s->n_samples)
        s->block = s->n_samples;
    if (s->shuffle == SHARD_BLOCKS && !s->window)
        s->window = shard_usual_window(s->block, s->batch);
    return allocate(s, err);
}

void shard_release(struct shard *s) {
    free(s->order);
    free(s->visits);
    free(s->members);
    free(s->begin);
    free(s->taken);
    free(s->present);
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
static void shuffle(uint64_t key, int64_t *items, int64_t n) {
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
        const int64_t keep = items[i];
        items[i] = items[j];
        items[j] = keep;
    }
}

/* Members by class, each class in an order of its own for the epoch. */
static void sort_members(struct shard *s, int64_t epoch) {
    int64_t *at = s->taken;

    memcpy(at, s->begin, (size_t)s->n_classes * sizeof *at);
    for (int64_t i = 0; i < s->n_samples; i++)
        s->members[at[s->labels[i]]++] = i;
    for (int c = 0; c < s->n_classes; c++)
        shuffle(rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, 1 + (uint64_t)c),
                s->members + s->begin[c], s->begin[c + 1] - s->begin[c]);
    memset(s->taken, 0, (size_t)s->n_classes * sizeof *s->taken);
}

/* Deal the classes that occur to the places of the epoch, whose order is shuffled already: those
 * that get one more than others differ from epoch to epoch. */
static void deal_classes(struct shard *s, int64_t epoch) {
    const uint64_t key = rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, UINT64_MAX);
    const int64_t first = (int64_t)rng_below(key, 0, (uint64_t)s->n_present);

    for (int64_t i = 0; i < s->n_samples; i++) {
        const int64_t c = s->present[(s->order[i] + first) % s->n_present];
        const int64_t len = s->begin[c + 1] - s->begin[c], k = s->taken[c]++;

        s->order[i] = s->members[s->begin[c] + k % len];
        s->visits[i] = (int32_t)(k / len);
    }
}

/* The numbers of the blocks in a new order become those of their samples. They wait at the end of
 * the order, where no block that comes before them reaches: it takes no memory of its own. */
static void order_blocks(struct shard *s, uint64_t key) {
    const int64_t n = (s->n_samples + s->block - 1) / s->block;
    int64_t *blocks = s->order + s->n_samples - n, *to = s->order;

    for (int64_t k = 0; k < n; k++)
        blocks[k] = k;
    shuffle(key, blocks, n);
    for (int64_t k = 0; k < n; k++) {
        const int64_t first = blocks[k] * s->block, left = s->n_samples - first;

        for (int64_t i = 0; i < left && i < s->block; i++)
            *to++ = first + i;
    }
}

static int by_number(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void mix_blocks(struct shard *s, int64_t epoch) {
    const int64_t n = s->n_samples;
    const int64_t most = s->window > n / s->block ? n : s->window * s->block;

    order_blocks(s, rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, 0));
    for (int64_t at = 0; at < n; at += most)
        shuffle(rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, 1 + (uint64_t)at), s->order + at,
                n - at < most ? n - at : most);
    for (int64_t at = 0; at < n; at += s->batch)
        qsort(s->order + at, (size_t)(n - at < s->batch ? n - at : s->batch), sizeof *s->order,
              by_number);
}

static void make_order(struct shard *s, int64_t epoch) {
    for (int64_t i = 0; i < s->n_samples && s->shuffle != SHARD_BLOCKS; i++)
        s->order[i] = i;
    if (s->shuffle == SHARD_FULL)
        shuffle(rng_key(s->seed, RNG_SHUFFLE, (uint64_t)epoch, 0), s->order, s->n_samples);
    if (s->shuffle == SHARD_BLOCKS)
        mix_blocks(s, epoch);
    if (s->labels) {
        sort_members(s, epoch);
        deal_classes(s, epoch);
    }
    s->epoch = epoch;
}

struct shard_range shard_cut(int64_t len, int shards, int shard) {
    const int64_t first = len * shard / shards;

    return (struct shard_range){first, len * (shard + 1) / shards - first};
}

struct shard_range shard_of_rank(int shards, int rank, int size) {
    const int first = fold_first(shards, rank, size);

    return (struct shard_range){first, fold_first(shards, rank + 1, size) - first};
}

struct shard_range shard_share(int64_t len, int shards, int rank, int size) {
    const int n = shards ? shards : size;
    const int64_t first = len * fold_first(n, rank, size) / n;

    return (struct shard_range){first, len * fold_first(n, rank + 1, size) / n - first};
}

void shard_part(struct shard *s, int64_t epoch, int64_t step, int rank, int size,
                const int64_t **samples, int64_t *n, int64_t *first) {
    const int64_t len = shard_batch_len(s, step);
    const struct shard_range share = shard_share(len, s->shards, rank, size);

    if (s->epoch != epoch)
        make_order(s, epoch);
    *samples = s->order + step * s->batch + share.first;
    *n = share.n;
    *first = share.first;
}

const int64_t *shard_at(const struct shard *s, int64_t step, int64_t position) {
    return s->order + step * s->batch + position % shard_batch_len(s, step);
}

const int32_t *shard_visits(const struct shard *s, const int64_t *samples) {
    return s->visits ? s->visits + (samples - s->order) : NULL;
}
