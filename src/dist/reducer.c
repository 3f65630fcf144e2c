#include "dist/reducer.h"
#include "core/base/clock.h"
#include "dist/agree.h"

#include <assert.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

struct bucket {
    int span;
    int64_t begin, len; /* elements of the span */
    int64_t missing;    /* elements not ready yet */
};

struct reducer_span {
    int64_t len;
    int first; /* index of its first bucket, that at the end of the span */
};

struct reducer {
    struct comm *comm; /* borrowed */
    int64_t cut;       /* elements of a full bucket */
    int n_spans, n_buckets;
    struct reducer_span *span;       /* [n_spans] */
    struct bucket *bucket;           /* [n_buckets] */
    struct allreduce_vector *vector; /* [n_buckets] where the buckets are */
    struct allreduce *sums;          /* of all buckets */
    int *moving;                     /* [n_moving] buckets under way, in order of their start */
    int *done; /* [n_done] buckets that hold the sum, in order of completion */
    int n_moving, n_done, n_returned, n_used;
    double wait_s;
};

/* Fill span, bucket and vector. */
static void cut_spans(struct reducer *r, const struct allreduce_vector *span) {
    int b = 0;

    for (int s = 0; s < r->n_spans; s++) {
        r->span[s] = (struct reducer_span){span[s].len, b};
        for (int64_t end = span[s].len; end > 0; end -= r->cut, b++) {
            const int64_t begin = end > r->cut ? end - r->cut : 0;
            r->bucket[b] = (struct bucket){s, begin, end - begin, 0};
            r->vector[b] = span[s];
            r->vector[b].v += begin;
            r->vector[b].len = end - begin;
        }
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
        n += span[s].len / cut + (span[s].len % cut > 0);
    if (n > INT_MAX)
        return err_set(err, ERR_CONFIG, "gradient buckets of %lld bytes are too many: %lld",
                       (long long)bucket_bytes, (long long)n);
    *out = (int)n;
    return 0;
}

static int allocate(struct reducer **out, int n_spans, int n_buckets, struct err *err) {
    struct reducer *r = calloc(1, sizeof *r);

    if (!r)
        return err_set(err, ERR_IO, "out of memory");
    *r = (struct reducer){.n_spans = n_spans,
                          .n_buckets = n_buckets,
                          .span = calloc((size_t)n_spans + 1, sizeof *r->span),
                          .bucket = calloc((size_t)n_buckets + 1, sizeof *r->bucket),
                          .vector = calloc((size_t)n_buckets + 1, sizeof *r->vector),
                          .moving = calloc((size_t)n_buckets + 1, sizeof *r->moving),
                          .done = calloc((size_t)n_buckets + 1, sizeof *r->done)};
    if (!r->span || !r->bucket || !r->vector || !r->moving || !r->done) {
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
        rc = allocate(&r, n_spans, n_buckets, err);
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
    *out = r;
    return 0;
}

void reducer_free(struct reducer *r) {
    if (!r)
        return;
    allreduce_free(r->sums);
    free(r->span);
    free(r->bucket);
    free(r->vector);
    free(r->moving);
    free(r->done);
    free(r);
}

/* The program contradicts itself, and the other ranks would wait forever. */
_Noreturn static void bug(const struct reducer *r, const char *what, const struct bucket *b) {
    char message[256];

    snprintf(message, sizeof message,
             "bug: %s; gradient bucket of span %d, elements %lld to %lld, %lld not ready", what,
             b->span, (long long)b->begin, (long long)(b->begin + b->len), (long long)b->missing);
    comm_abort(r->comm, COMM_BUG, message);
}

void reducer_settle(struct reducer *r) {
    for (int b = 0; b < r->n_buckets; b++)
        while (!allreduce_writable(r->sums, b))
            sched_yield();
}

void reducer_begin(struct reducer *r) {
    if (r->n_returned < r->n_buckets)
        bug(r, "a step begins before the last one ended", &r->bucket[0]);
    const double began = clock_now();
    reducer_settle(r);
    for (int b = 0; b < r->n_buckets; b++)
        r->bucket[b].missing = r->bucket[b].len;
    r->n_moving = r->n_done = r->n_returned = r->n_used = 0;
    r->wait_s = clock_now() - began;
}

/* A bucket whose elements are all ready starts on its way. */
static void start(struct reducer *r, int b) {
    r->moving[r->n_moving++] = b;
    allreduce_start(r->sums, b);
}

void reducer_ready(struct reducer *r, int span, int64_t begin, int64_t len) {
    const struct reducer_span *s = &r->span[span];

    assert(begin >= 0 && begin + len <= s->len);
    while (len > 0) { /* bucket by bucket, from the end as they are cut */
        const int b = s->first + (int)((s->len - begin - len) / r->cut);
        struct bucket *bucket = &r->bucket[b];
        const int64_t from = begin > bucket->begin ? begin : bucket->begin;
        const int64_t ready = begin + len - from;
        if (ready > bucket->missing)
            bug(r, "elements are ready twice in a step", bucket);
        bucket->missing -= ready;
        if (bucket->missing == 0)
            start(r, b);
        len -= ready;
    }
}

void reducer_progress(struct reducer *r) {
    int n = 0;

    for (int i = 0; i < r->n_moving; i++) {
        const int b = r->moving[i];
        if (allreduce_progress(r->sums, b))
            r->done[r->n_done++] = b;
        else
            r->moving[n++] = b;
    }
    r->n_moving = n;
}

/* Until a bucket is done that has not been returned. */
static void wait(struct reducer *r) {
    const double began = clock_now();

    for (reducer_progress(r); r->n_done == r->n_returned; reducer_progress(r)) {
        sched_yield(); /* there may be more ranks than processors */
        if (r->n_moving == 0) {
            int b = 0;
            while (r->bucket[b].missing == 0)
                b++;
            bug(r, "waiting for gradients that were never ready", &r->bucket[b]);
        }
    }
    r->wait_s += clock_now() - began;
}

bool reducer_next(struct reducer *r, struct reducer_piece *out) {
    for (; r->n_used < r->n_returned; r->n_used++)
        allreduce_used(r->sums, r->done[r->n_used]);
    if (r->n_returned == r->n_buckets)
        return false;
    if (r->n_done == r->n_returned)
        wait(r);
    else
        reducer_progress(r); /* the next ones move on while the caller updates this one */
    const int i = r->done[r->n_returned++];
    const struct bucket *b = &r->bucket[i];
    *out = (struct reducer_piece){b->span, b->begin, b->len, allreduce_sum(r->sums, i)};
    return true;
}

double reducer_wait_seconds(const struct reducer *r) {
    return r->wait_s;
}

int reducer_n_buckets(const struct reducer *r) {
    return r->n_buckets;
}

struct reducer_piece reducer_bucket(const struct reducer *r, int i) {
    return (struct reducer_piece){r->bucket[i].span, r->bucket[i].begin, r->bucket[i].len, NULL};
}
