/* shard.h - who trains on which sample. Pure: no messages, a function of numbers that all ranks
 * know. The batch is that of the whole job, so that neither the order of samples nor the steps of
 * an epoch depend on the number of ranks, and no rank ever runs out of steps before another. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What the order of an epoch is. */
enum shard_shuffle {
    SHARD_STORED, /* as stored, in every epoch */
    SHARD_FULL,   /* any order is as likely as any other, anew each epoch */
    /* For storage that reads runs faster than rows: blocks of neighbours in a new order each epoch,
     * and the samples of each `window` blocks that follow each other there shuffled among
     * themselves. Within a step samples stand as stored, so that a rank's contiguous part of it is
     * of few blocks, the same ones through all steps of a window: all ranks together read about
     * each block once, whatever their number. */
    SHARD_BLOCKS,
};

struct shard {
    int64_t n_samples;
    int64_t batch; /* samples of a step, of all ranks together */
    uint64_t seed;
    enum shard_shuffle shuffle;
    int64_t block;  /* of SHARD_BLOCKS: samples of a block; the last one may be shorter */
    int64_t window; /* of SHARD_BLOCKS: blocks that are mixed at a time; 0: shard_usual_window */
    bool drop_last; /* leave out the last batch of an epoch when it is not full */
    int shards; /* that a step's batch is cut into, whole ones for a rank; 0: one for each rank */
    /* NULL, or [n_samples], 0 .. n_classes - 1, borrowed: every epoch has as many samples of each
     * class that occurs (give or take one), each class's in an order of its own, again from the
     * beginning when all were there. With SHARD_FULL only. */
    const int32_t *labels;
    int n_classes;
    /* private */
    int64_t *order;   /* [n_samples] of epoch: a permutation, unless there are labels */
    int32_t *visits;  /* [n_samples] with labels: how often the epoch had that sample before */
    int64_t *members; /* [n_samples] with labels: samples by class */
    int64_t *begin;   /* [n_classes + 1] where members of a class are */
    int64_t *present; /* [n_present] the classes that occur */
    int64_t n_present;
    int64_t *taken; /* [n_classes] how many samples of a class the epoch had */
    int64_t epoch;  /* -1: none yet */
};

/* Blocks that hold 8 batches, and 8 at least. */
int64_t shard_usual_window(int64_t block, int64_t batch);

/* Copies the public members of plan; allocates 8 bytes a sample, 20 with labels, released by
 * shard_release.
 * Errors: ERR_CONFIG when there is no sample, no batch, no step or no block, and for labels with
 * another order than SHARD_FULL; ERR_IO for lack of memory. */
int shard_init(struct shard *s, const struct shard *plan, struct err *err);

/* {0} is fine. */
void shard_release(struct shard *s);

/* Steps of every epoch. */
int64_t shard_steps(const struct shard *s);

/* Samples of that step, of all ranks together: batch, or fewer in the last step. */
int64_t shard_batch_len(const struct shard *s, int64_t step);

/* Samples of a batch that follow each other. */
struct shard_range {
    int64_t first, n;
};

/* What number `shard` of `shards` has of a batch of len samples; n may be 0. */
struct shard_range shard_cut(int64_t len, int shards, int shard);

/* Which shards a rank has, that many from the first on, of `shards` over `size` ranks; as those of
 * a leaf each in dist/fold.h. */
struct shard_range shard_of_rank(int shards, int rank, int size);

/* What a rank has of a batch of len samples.
 *   shards  as in struct shard */
struct shard_range shard_share(int64_t len, int shards, int rank, int size);

/* The samples of one rank in one step of an epoch: a contiguous part of the step's batch.
 *   samples  [n] indices into the dataset; borrowed, until a part of another epoch is asked for
 *   n        may be 0
 *   first    position of samples[0] in the step's batch
 * Cost: a shuffle of all samples whenever epoch changes; of blocks, sorting each step, too. */
void shard_part(struct shard *s, int64_t epoch, int64_t step, int rank, int size,
                const int64_t **samples, int64_t *n, int64_t *first);

/* The sample at a position of that step's batch, of the epoch that was asked for last; positions go
 * round: behind the last comes the first. Borrowed as those of shard_part. */
const int64_t *shard_at(const struct shard *s, int64_t step, int64_t position);

/* How often the epoch had each of these samples before, so that what is random about them can
 * differ: [n] for samples that shard_part gave; NULL: never. */
const int32_t *shard_visits(const struct shard *s, const int64_t *samples);
