/* reducer_run.c - a step of a reducer: what becomes ready starts, moves, is given back. */
#include "core/base/clock.h"
#include "dist/reducer_parts.h"
#include "dist/spin.h"

#include <assert.h>
#include <stdio.h>

enum { WINDOW = 4 }; /* buckets under way: one is added up while others travel */

/* Between two looks at what is under way; operators take longer, messages between hosts as well. */
static const double patience_s = 20e-6;

static void enter(struct reducer *r) {
    if (r->mover)
        pthread_mutex_lock(&r->lock);
}

static void leave(struct reducer *r) {
    if (r->mover)
        pthread_mutex_unlock(&r->lock);
}

/* The bucket that holds an element of a span. */
static int bucket_of(const struct reducer *r, int span, int64_t element) {
    int low = r->span[span].first, high = low + r->span[span].n - 1;

    while (low < high) { /* they begin ever further down */
        const int middle = low + (high - low) / 2;
        if (r->bucket[middle].begin <= element)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
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
    struct pulse *const pulse = comm_pulse(r->comm);
    const struct pulse_beat was = pulse_pause(pulse, PULSE_WAIT);
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
    pulse_resume(pulse, &was);
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
    if (trace_wants(r->trace))
        r->bucket[b].began = clock_now();
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

static void tell_arrived(const struct reducer *r, int b) {
    if (trace_wants(r->trace))
        trace_add(r->trace, &(struct trace_event){TRACE_BUCKET, TRACE_MAIN, r->step, b,
                                                  r->bucket[b].began, clock_now()});
}

/* The seconds since then went into waiting. */
static void count_wait(struct reducer *r, double began) {
    const double now = clock_now();

    r->seconds += now - began;
    trace_add(r->trace, &(struct trace_event){TRACE_WAIT, TRACE_MAIN, r->step, 0, began, now});
}

/* Ask after all that are under way. */
static void look(struct reducer *r) {
    int n = 0;

    for (int i = 0; i < r->n_moving; i++) {
        const int b = r->moving[i];
        r->bucket[b].done = allreduce_progress(r->sums, b);
        if (r->bucket[b].done) {
            r->done[r->n_done++] = b;
            tell_arrived(r, b);
        } else {
            r->moving[n++] = b;
        }
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
    struct pulse *const pulse = comm_pulse(r->comm);
    const struct pulse_beat was = pulse_pause(pulse, PULSE_WAIT);
    bool moves = false;

    for (int spins = 0; !has_more(r); spin(&spins)) {
        enter(r);
        look(r);
        check_wait(r);
        moves = r->n_moving > 0;
        pulse_bucket(pulse, moves ? r->moving[0] : -1);
        leave(r);
    }
    pulse_resume(pulse, &was);
    if (moves && r->mover) /* it may be asleep: this thread has begun them */
        mover_wake(r->mover);
    count_wait(r, began);
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

void reducer_trace(struct reducer *r, struct trace *trace, int step) {
    r->trace = trace;
    r->step = step;
}

void reducer_forget(struct reducer *r) {
    enter(r);
    allreduce_forget(r->sums);
    leave(r);
}
