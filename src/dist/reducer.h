/* reducer.h - gradients summed over ranks while the backward pass still runs. Spans are cut into
 * buckets, from the end, since the backward pass finishes the last layers first; the first of a
 * span, which comes last and is needed first by the next forward pass, is small. Spans that say
 * what tensors they have are cut between those, which may make any bucket larger. A step:
 *   reducer_begin(r);
 *   during the backward pass: reducer_ready(r, span, begin, len), reducer_progress(r), and
 *   while (reducer_poll(r, &piece)) update those weights;
 *   after it, or during the next forward pass: while (reducer_next(r, &piece)) update them; */
#pragma once
#include "core/base/tensor.h"
#include "dist/allreduce/allreduce.h"
#include "dist/mover.h"

struct reducer;

/* Elements [begin, begin + len) of a span, summed over ranks. */
struct reducer_piece {
    int span;
    int64_t begin, len;
    const real *sum; /* [len], in the span or in memory of the host; until the next call */
};

/* Plan the buckets of n_spans spans of gradients.
 *   out           owned by the caller, ended by reducer_free
 *   comm          borrowed until then
 *   algorithm     of the table in allreduce.h, with its arguments; borrowed until then
 *   span          [n_spans], copied; what they point to is borrowed until then; lengths may be 0
 *   bucket_bytes  size of a bucket, at least that of one real; the first of a span may be smaller
 * Collective.
 * Memory: scratch as the algorithm says, for each bucket.
 * Errors, the same on all ranks: as allreduce_new; ERR_CONFIG for too small bucket_bytes. */
int reducer_new(struct reducer **out, struct comm *comm, const struct applied *algorithm,
                const struct allreduce_vector *span, int n_spans, int64_t bucket_bytes,
                struct err *err);

/* Elements that will become ready, in the order in which they do in every step, before the first:
 * each once, the same on all ranks. Then few buckets are under way at a time, in this order, so
 * that the link is not shared by all of them; but the last one, which forward needs first,
 * overtakes. Without it, each starts as soon as it is ready. Local. */
void reducer_expect(struct reducer *r, int span, int64_t begin, int64_t len);

/* Let a thread move what is under way, in place of reducer_progress, until the reducer is freed;
 * the mover first. Before the first step. Local. Errors: ERR_IO. */
int reducer_move_by(struct reducer *r, struct mover *mover, struct err *err);

/* NULL is fine. Between steps only. Collective. */
void reducer_free(struct reducer *r);

/* Wait until gradients may be written again, which other ranks may still read. Collective over a
 * step. */
void reducer_wait_writable(struct reducer *r);

/* A new step: no element is ready, and all may be written. Every bucket of the last step has been
 * returned. */
void reducer_begin(struct reducer *r);

/* Elements [begin, begin + len) of a span are final on this rank; each exactly once a step, in
 * any order and any pieces. Buckets that have become complete start on their way. Local. */
void reducer_ready(struct reducer *r, int span, int64_t begin, int64_t len);

/* Keep the messages moving without waiting; to be called between operators, any number of times: it
 * costs a look at the clock, and nothing where nothing is under way. Local. */
void reducer_progress(struct reducer *r);

/* Likewise; true: another bucket holds the sum, as reducer_next says. Local. */
bool reducer_poll(struct reducer *r, struct reducer_piece *out);

/* Wait until another bucket holds the sum over ranks, and return it; its elements of the span are
 * not touched again this step. Buckets come in the order of completion, which may differ by rank.
 * False when all were returned.
 * Every element must be ready, or be made so before the buckets under way run out.
 * Collective over a whole step. */
bool reducer_next(struct reducer *r, struct reducer_piece *out);

/* Have all buckets that hold elements [begin, begin + len) of a span been returned, in this step?
 * Local. */
bool reducer_returned(const struct reducer *r, int span, int64_t begin, int64_t len);

/* Have all buckets of the step been returned? Local. */
bool reducer_done(const struct reducer *r);

/* Seconds spent in all calls so far: waiting, and moving what nothing hid; not those of a mover. */
double reducer_seconds(const struct reducer *r);

/* The sums of its buckets: for what was chosen of them. Borrowed. */
const struct allreduce *reducer_sums(const struct reducer *r);

/* Keep in a trace, borrowed until reducer_free, when buckets are under way and when it waits; as of
 * one of the job's steps. Between steps. Local. */
void reducer_trace(struct reducer *r, struct trace *trace, int step);

/* As allreduce_forget, between steps. */
void reducer_forget(struct reducer *r);

/* Number of buckets. */
int reducer_n_buckets(const struct reducer *r);

/* Where the bucket of that number is; no sum. Local. */
struct reducer_piece reducer_bucket(const struct reducer *r, int i);
