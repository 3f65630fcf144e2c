/* reducer.c - the buckets of a reducer: how spans are cut. */
#include "dist/reducer_parts.h"
#include "dist/agree.h"
#include "dist/bucket.h"

#include <limits.h>
#include <stdlib.h>

static void add_bucket(struct reducer *r, const struct allreduce_vector *span, int s, int64_t begin,
                       int64_t end) {
    const int b = r->span[s].first + r->span[s].n++;

    r->bucket[b] = (struct bucket){.span = s, .begin = begin, .len = end - begin};
    r->bucket[b].missing = end - begin; /* until the order is known */
    r->vector[b] = span[s];
    r->vector[b].v += begin;
    r->vector[b].len = end - begin;
    if (span[s].partial)
        r->vector[b].partial += begin;
    r->vector[b].tensor = r->tensor + r->n_tensors;
    r->vector[b].n_tensors = bucket_tensors(&span[s], begin, end, r->tensor + r->n_tensors);
    r->n_tensors += r->vector[b].n_tensors;
}

/* Fill span, bucket, vector and tensor. */
static void cut_spans(struct reducer *r, const struct allreduce_vector *span) {
    int n = 0;

    for (int s = 0; s < r->n_spans; s++) {
        r->span[s] = (struct reducer_span){.len = span[s].len, .first = n};
        for (int64_t begin, end = span[s].len; end > 0; end = begin) {
            begin = bucket_begin(&span[s], end, r->cut);
            add_bucket(r, span, s, begin, end);
        }
        n += r->span[s].n;
    }
}

/* How many buckets there will be. */
static int count_buckets(const struct allreduce_vector *span, int n_spans, int64_t bucket_bytes,
                         int *out, struct err *err) {
    const int64_t cut = bucket_bytes / (int64_t)sizeof(real);
    int64_t n = 0;

    if (cut < 1)
        return err_set(err, ERR_CONFIG, "a gradient bucket of %lld bytes holds no number of %zu",
                       (long long)bucket_bytes, sizeof(real));
    for (int s = 0; s < n_spans; s++)
        for (int64_t end = span[s].len; end > 0; end = bucket_begin(&span[s], end, cut))
            n++;
    if (n > INT_MAX)
        return err_set(err, ERR_CONFIG, "gradient buckets of %lld bytes are too many: %lld",
                       (long long)bucket_bytes, (long long)n);
    *out = (int)n;
    return 0;
}

static int allocate(struct reducer **out, const struct allreduce_vector *span, int n_spans,
                    int n_buckets, struct err *err) {
    struct reducer *r = calloc(1, sizeof *r);
    size_t n_tensors = 0;

    for (int s = 0; s < n_spans; s++)
        n_tensors += (size_t)span[s].n_tensors;
    if (!r)
        return err_set(err, ERR_IO, "out of memory");
    *r = (struct reducer){.n_spans = n_spans,
                          .n_buckets = n_buckets,
                          .span = calloc((size_t)n_spans + 1, sizeof *r->span),
                          .bucket = calloc((size_t)n_buckets + 1, sizeof *r->bucket),
                          .vector = calloc((size_t)n_buckets + 1, sizeof *r->vector),
                          .tensor = calloc(n_tensors + 1, sizeof *r->tensor),
                          .order = calloc((size_t)n_buckets + 1, sizeof *r->order),
                          .moving = calloc((size_t)n_buckets + 1, sizeof *r->moving),
                          .done = calloc((size_t)n_buckets + 1, sizeof *r->done)};
    if (!r->span || !r->bucket || !r->vector || !r->tensor || !r->order || !r->moving || !r->done) {
        reducer_free(r);
        return err_set(err, ERR_IO, "out of memory: %d gradient buckets", n_buckets);
    }
    *out = r;
    return 0;
}

int reducer_new(struct reducer **out, struct comm *comm, const struct applied *algorithm,
                const struct allreduce_vector *span, int n_spans, int64_t bucket_bytes,
                struct err *err) {
    struct reducer *r = NULL;
    int n_buckets = 0;
    int rc = count_buckets(span, n_spans, bucket_bytes, &n_buckets, err);

    if (!rc)
        rc = allocate(&r, span, n_spans, n_buckets, err);
    if (!rc) {
        r->comm = comm;
        r->cut = bucket_bytes / (int64_t)sizeof(real);
        cut_spans(r, span);
    }
    if (agree(comm, rc, err) ||
        allreduce_new(&r->sums, comm, algorithm, r->vector, r->n_buckets, err)) {
        reducer_free(r);
        return -1;
    }
    r->n_done = r->n_returned = r->n_used = r->n_buckets; /* as after a step */
    for (int b = 0; b < r->n_buckets; b++)
        r->bucket[b].started = r->bucket[b].done = r->bucket[b].returned = true;
    *out = r;
    return 0;
}

void reducer_free(struct reducer *r) {
    if (!r)
        return;
    allreduce_free(r->sums);
    if (r->mover)
        pthread_mutex_destroy(&r->lock);
    free(r->span);
    free(r->bucket);
    free(r->vector);
    free(r->tensor);
    free(r->order);
    free(r->moving);
    free(r->done);
    free(r);
}

int reducer_n_buckets(const struct reducer *r) {
    return r->n_buckets;
}

const struct allreduce *reducer_sums(const struct reducer *r) {
    return r->sums;
}

struct reducer_piece reducer_bucket(const struct reducer *r, int i) {
    return (struct reducer_piece){r->bucket[i].span, r->bucket[i].begin, r->bucket[i].len, NULL};
}
