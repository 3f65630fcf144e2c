#include "dist/reducer.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/spin.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIRST_BYTES = 1 << 20, /* of the bucket at the begin of a span, at most */
    WINDOW = 4             /* buckets under way: one is added up while others travel */
};

/* Between two looks at what is under way; operators take longer, messages between hosts as well. */
static const double patience_s = 20e-6;

struct bucket {
    int span;
    int64_t begin, len; /* elements of the span */
    int64_t missing;    /* elements not ready yet */
    bool started, done, returned;
};

struct reducer_span {
    int64_t len, first_len; /* elements; of the bucket at its begin */
    int first;              /* index of its first bucket, that at the end of the span */
    int n;
};

struct reducer {
    struct comm *comm; /* borrowed */
    int64_t cut;       /* elements of a full bucket */
    int n_spans, n_buckets;
    struct reducer_span *span;       /* [n_spans] */
    struct bucket *bucket;           /* [n_buckets] */
    struct allreduce_vector *vector; /* [n_buckets] where the buckets are */
    struct allreduce *sums;          /* of all buckets */
    int *order;                      /* [n_order] buckets as they are expected to become ready */
    int *moving;                     /* [n_moving] buckets under way, in order of their start */
    int *done; /* [n_done] buckets that hold the sum, in order of completion */
    int n_order, n_moving, n_done, n_returned, n_used;
    int n_first;   /* of the order, the first so many are done */
    double looked; /* when */
    double seconds;
    struct mover *mover;  /* NULL: none; else: */
    pthread_mutex_t lock; /* of all but what only the caller's thread knows: returned, used */
};

static void enter(struct reducer *r) {
    if (r->mover)
        pthread_mutex_lock(&r->lock);
}

static void leave(struct reducer *r) {
    if (r->mover)
        pthread_mutex_unlock(&r->lock);
}

/* Elements of the bucket at the begin of a span; the others are cut from its end. */
static int64_t first_len(int64_t len, int64_t cut) {
    const int64_t small = FIRST_BYTES / (int64_t)sizeof(real);

    if (len <= small || cut <= small)
        return len <= cut ? len : (len - 1) % cut + 1;
    return small;
}

static int64_t n_cuts(int64_t len, int64_t cut) {
    return len ? 1 + (len - first_len(len, cut) + cut - 1) / cut : 0;
}

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
}

/* Fill span, bucket and vector. */
static void cut_spans(struct reducer *r, const struct allreduce_vector *span) {
    int n = 0;

    for (int s = 0; s < r->n_spans; s++) {
        const int64_t len = span[s].len, first = first_len(len, r->cut);
        r->span[s] = (struct reducer_span){.len = len, .first_len = first, .first = n};
        for (int64_t end = len; end > 0;) {
            const int64_t begin = end <= first ? 0 : end - r->cut > first ? end - r->cut : first;
            add_bucket(r, span, s, begin, end);
            end = begin;
        }
        n += r->span[s].n;
    }
}

/* The bucket that holds an element of a span. */
static int bucket_of(const struct reducer *r, int span, int64_t element) {
    const struct reducer_span *s = &r->span[span];

    return element < s->first_len ? s->first + s->n - 1
                                  : s->first + (int)((s->len - element - 1) / r->cut);
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
        n += n_cuts(span[s].len, cut);
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
                          .order = calloc((size_t)n_buckets + 1, sizeof *r->order),
                          .moving = calloc((size_t)n_buckets + 1, sizeof *r->moving),
                          .done = calloc((size_t)n_buckets + 1, sizeof *r->done)};
    if (!r->span || !r->bucket || !r->vector || !r->order || !r->moving || !r->done) {
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
    for (int b = 0; b < r->n_buckets; b++)
        r->bucket[b].returned = true;
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
    free(r->order);
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

/* Take [begin, begin + *len) of a span, of which the last bucket's part counts as ready: *len
 * becomes what is left before it. Returns that bucket. */
static int take_last(struct reducer *r, int span, int64_t begin, int64_t *len) {
    const int b = bucket_of(r, span, begin + *len - 1);
    struct bucket *bucket = &r->bucket[b];
    const int64_t from = begin > bucket->begin ? begin : bucket->begin;
    const int64_t ready = begin + *len - from;

    if (ready > bucket->missing)
        bug(r, "elements are ready twice in a step", bucket);
    bucket->missing -= ready;
    *len -= ready;
    return b;
}

void reducer_expect(struct reducer *r, int span, int64_t begin, int64_t len) {
    while (len > 0) {
        const int b = take_last(r, span, begin, &len);
        if (r->bucket[b].missing == 0)
            r->order[r->n_order++] = b;
    }
}

void reducer_wait_writable(struct reducer *r) {
    const double began = clock_now();
    int spins = 0;

    for (int b = 0; b < r->n_buckets;) {
        enter(r);
        const bool writable = allreduce_writable(r->sums, b);
        leave(r);
        if (writable)
            b++;
        else
            spin(&spins);
    }
    r->seconds += clock_now() - began;
}

void reducer_begin(struct reducer *r) {
    if (r->n_returned < r->n_buckets)
        bug(r, "a step begins before the last one ended", &r->bucket[0]);
    if (r->n_order && r->n_order < r->n_buckets)
        bug(r, "gradients that are never expected", &r->bucket[0]);
    reducer_wait_writable(r);
    enter(r);
    for (int b = 0; b < r->n_buckets; b++) {
        struct bucket *bucket = &r->bucket[b];
        bucket->missing = bucket->len;
        bucket->started = bucket->done = bucket->returned = false;
    }
    r->n_moving = r->n_done = r->n_returned = r->n_used = r->n_first = 0;
    leave(r);
}

/* A bucket whose elements are all ready starts on its way. */
static void start(struct reducer *r, int b) {
    r->bucket[b].started = true;
    r->moving[r->n_moving++] = b;
    allreduce_start(r->sums, b);
}

static void start_if_ready(struct reducer *r, int b) {
    if (r->bucket[b].missing == 0 && !r->bucket[b].started)
        start(r, b);
}

/* Those that may be under way begin, in the one order: what is first of those not done on some rank
 * may begin on all, so that no rank waits for one that another holds back. */
static void start_next(struct reducer *r) {
    for (int k = r->n_first; k < r->n_order && k < r->n_first + WINDOW; k++)
        start_if_ready(r, r->order[k]);
    if (r->n_order)
        start_if_ready(r, r->order[r->n_order - 1]);
}

void reducer_ready(struct reducer *r, int span, int64_t begin, int64_t len) {
    const double began = clock_now();

    assert(begin >= 0 && begin + len <= r->span[span].len);
    enter(r);
    while (len > 0) { /* bucket by bucket, from the end as they are cut */
        const int b = take_last(r, span, begin, &len);
        if (!r->n_order)
            start_if_ready(r, b);
    }
    start_next(r);
    const bool moves = r->n_moving > 0;
    leave(r);
    if (moves && r->mover)
        mover_wake(r->mover);
    r->seconds += clock_now() - began;
}

/* Ask after all that are under way. */
static void look(struct reducer *r) {
    int n = 0;

    for (int i = 0; i < r->n_moving; i++) {
        const int b = r->moving[i];
        r->bucket[b].done = allreduce_progress(r->sums, b);
        if (r->bucket[b].done)
            r->done[r->n_done++] = b;
        else
            r->moving[n++] = b;
    }
    r->n_moving = n;
    while (r->n_first < r->n_order && r->bucket[r->order[r->n_first]].done)
        r->n_first++;
    start_next(r);
}

/* For the mover. */
static bool move(void *context) {
    struct reducer *r = context;

    enter(r);
    look(r);
    const bool moves = r->n_moving > 0;
    leave(r);
    return moves;
}

int reducer_move_by(struct reducer *r, struct mover *mover, struct err *err) {
    pthread_mutex_init(&r->lock, NULL);
    r->mover = mover;
    return mover_add(mover, move, r, err);
}

/* What was returned has been read. */
static void release(struct reducer *r) {
    if (r->n_used == r->n_returned)
        return;
    enter(r);
    for (; r->n_used < r->n_returned; r->n_used++)
        allreduce_used(r->sums, r->done[r->n_used]);
    leave(r);
}

void reducer_progress(struct reducer *r) {
    release(r);
    if (r->mover || r->n_moving == 0)
        return;
    const double began = clock_now();
    if (began - r->looked < patience_s)
        return;
    look(r);
    r->looked = clock_now();
    r->seconds += r->looked - began;
}

/* Is a bucket done that has not been returned? */
static bool has_more(struct reducer *r) {
    enter(r);
    const bool more = r->n_done > r->n_returned;
    leave(r);
    return more;
}

/* Nothing is under way, and nothing is done: it never will be. */
static void check_wait(const struct reducer *r) {
    int b = 0;

    if (r->n_moving > 0 || r->n_done > r->n_returned)
        return;
    while (r->bucket[b].missing == 0)
        b++;
    bug(r, "waiting for gradients that were never ready", &r->bucket[b]);
}

/* Until a bucket is done that has not been returned. */
static void wait(struct reducer *r) {
    const double began = clock_now();
    bool moves = false;

    for (int spins = 0; !has_more(r); spin(&spins)) {
        enter(r);
        look(r);
        check_wait(r);
        moves = r->n_moving > 0;
        leave(r);
    }
    if (moves && r->mover) /* it may be asleep: this thread has begun them */
        mover_wake(r->mover);
    r->seconds += clock_now() - began;
}

static void give(struct reducer *r, struct reducer_piece *out) {
    enter(r);
    const int i = r->done[r->n_returned++];
    struct bucket *b = &r->bucket[i];
    const real *sum = allreduce_sum(r->sums, i);
    leave(r);
    b->returned = true;
    *out = (struct reducer_piece){b->span, b->begin, b->len, sum};
}

bool reducer_poll(struct reducer *r, struct reducer_piece *out) {
    reducer_progress(r);
    if (!has_more(r))
        return false;
    give(r, out);
    return true;
}

bool reducer_next(struct reducer *r, struct reducer_piece *out) {
    if (reducer_poll(r, out)) /* the next ones move on while the caller updates this one */
        return true;
    if (r->n_returned == r->n_buckets)
        return false;
    wait(r);
    give(r, out);
    return true;
}

bool reducer_returned(const struct reducer *r, int span, int64_t begin, int64_t len) {
    if (r->n_returned == r->n_buckets || len == 0)
        return true;
    for (int b = bucket_of(r, span, begin + len - 1); b <= bucket_of(r, span, begin); b++)
        if (!r->bucket[b].returned)
            return false;
    return true;
}

bool reducer_done(const struct reducer *r) {
    return r->n_returned == r->n_buckets;
}

double reducer_seconds(const struct reducer *r) {
    return r->seconds;
}

int reducer_n_buckets(const struct reducer *r) {
    return r->n_buckets;
}

struct reducer_piece reducer_bucket(const struct reducer *r, int i) {
    return (struct reducer_piece){r->bucket[i].span, r->bucket[i].begin, r->bucket[i].len, NULL};
}
