/* shards.h - how many samples are computed at a time, and what it takes beside: a rank's share of a
 * batch, parts of it, or the shards that it is cut into where its sums are reproducible. */
#pragma once
#include "job/job.h"
#include "train/replica.h"

/* Errors: ERR_CONFIG where there are more ranks than shards. */
int shards_check(const struct job *job, int size, struct err *err);

/* Most samples of a batch that one of `size` ranks trains on at a time. */
int64_t shards_at_a_time(const struct job *job, int64_t batch, int size);

/* Elements of gradients and running statistics that a job's step changes, with gaps that keep them
 * 64-byte aligned. */
int64_t shards_step_len(const struct replica_step *step);

/* Bytes that a rank holds while it goes through its shards: gradients that wait for those of
 * others. */
size_t shards_bytes(const struct replica *r, int rank, int size);
