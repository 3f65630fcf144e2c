/* Ranks of a host meet in memory that they share; one of each, the leader, talks to other hosts.
 * For each vector, in turn:
 *   1. every rank copies its vector into its slot                       -> brought
 *   2. every rank adds up its slice of all slots, in order of rank      -> reduced
 *   3. where there are several hosts, leaders sum the results in a ring -> summed
 *   4. every rank copies the result
 * Stages end with the number of the step in a flag of the rank, which the others read: nobody waits
 * in a call. Slots are written again when the result is there, that is when everybody has reduced;
 * results when everybody has brought the next vector, that is when everybody has copied. Each
 * number is added up in one order, hence the same bits everywhere.
 *
 * Cost on one host: each number is read and written about 5 + P times in memory, in all ranks
 * together; between hosts that of a ring of the leaders.
 * Memory: all vectors once more for each rank, and once for each host. */
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Steps that this rank has done with a vector; a cache line of its own. */
struct host_flags {
    _Alignas(64) atomic_ullong brought;
    atomic_ullong reduced, summed;
};

enum host_stage { BRING, REDUCE, SUM, COPY };

/* The sum of one vector. */
struct host_sum {
    int64_t at; /* of its slot among those of all vectors, reals */
    uint64_t step;
    enum host_stage stage;
    struct ring ring; /* of leaders */
};

struct host_sums {
    struct allreduce base;
    struct comm *host, *leaders; /* leaders NULL: this rank is none */
    struct comm_shared
        *shared;          /* of each rank: flags [n], slots [len]; the leader's also results */
    struct host_sum *sum; /* [base.n] */
    int64_t len;          /* of all slots of a rank, reals */
    bool alone;           /* there is one host */
};

static struct host_flags *flags_of(const struct host_sums *s, int rank, int i) {
    return (struct host_flags *)comm_shared_of(s->shared, rank) + i;
}

static real *slot_of(const struct host_sums *s, int rank, int i) {
    return (real *)(void *)flags_of(s, rank, s->base.n) + s->sum[i].at;
}

static real *result_of(const struct host_sums *s, int i) {
    return slot_of(s, 0, i) + s->len;
}

/* Has every rank of the host come to that step? */
static bool all_at(const struct host_sums *s, int i, size_t flag, uint64_t step) {
    for (int r = 0; r < comm_size(s->host); r++) {
        const char *flags = (const char *)flags_of(s, r, i);
        if (atomic_load_explicit((const atomic_ullong *)(const void *)(flags + flag),
                                 memory_order_acquire) < step)
            return false;
    }
    return true;
}

static void say(atomic_ullong *flag, uint64_t step) {
    atomic_store_explicit(flag, step, memory_order_release);
}

/* This rank's slice of the sum over the host. */
static void reduce(const struct host_sums *s, int i) {
    const int64_t size = comm_size(s->host), rank = comm_rank(s->host);
    const int64_t len = s->base.vector[i].len;
    const int64_t begin = len * rank / size, end = len * (rank + 1) / size;
    real *restrict to = result_of(s, i);
    const real *first = slot_of(s, 0, i);

    memcpy(to + begin, first + begin, (size_t)(end - begin) * sizeof(real));
    for (int r = 1; r < size; r++) {
        const real *restrict more = slot_of(s, r, i);
        for (int64_t k = begin; k < end; k++)
            to[k] += more[k];
    }
}

/* Go to the next stage if that can be. */
static bool advance(struct host_sums *s, int i) {
    struct host_sum *sum = &s->sum[i];
    struct host_flags *mine = flags_of(s, comm_rank(s->host), i);
    const struct allreduce_vector *v = &s->base.vector[i];

    switch (sum->stage) {
    case BRING:
        if (!all_at(s, i, offsetof(struct host_flags, brought), sum->step))
            return false;
        reduce(s, i);
        say(&mine->reduced, sum->step);
        sum->stage = REDUCE;
        return true;
    case REDUCE:
        if (!s->leaders) { /* the leader says when */
            sum->stage = SUM;
            return true;
        }
        if (!all_at(s, i, offsetof(struct host_flags, reduced), sum->step))
            return false;
        if (!s->alone)
            ring_start(&sum->ring);
        sum->stage = SUM;
        return true;
    case SUM:
        if (s->leaders && (s->alone || ring_progress(&sum->ring)))
            say(&mine->summed, sum->step);
        if (atomic_load_explicit(&flags_of(s, 0, i)->summed, memory_order_acquire) < sum->step)
            return false;
        memcpy(v->v, result_of(s, i), (size_t)v->len * sizeof(real));
        sum->stage = COPY;
        return true;
    case COPY:
        break;
    }
    return false;
}

static bool progress(struct allreduce *a, int i) {
    struct host_sums *s = (struct host_sums *)a;

    while (advance(s, i))
        ;
    return s->sum[i].stage == COPY;
}

static void start(struct allreduce *a, int i) {
    struct host_sums *s = (struct host_sums *)a;
    const struct allreduce_vector *v = &a->vector[i];
    struct host_sum *sum = &s->sum[i];

    sum->step++;
    sum->stage = BRING;
    memcpy(slot_of(s, comm_rank(s->host), i), v->v, (size_t)v->len * sizeof(real));
    say(&flags_of(s, comm_rank(s->host), i)->brought, sum->step);
    progress(a, i);
}

static void free_sums(struct allreduce *a) {
    struct host_sums *s = (struct host_sums *)a;

    for (int i = 0; i < a->n; i++)
        ring_release(&s->sum[i].ring);
    comm_shared_free(s->shared);
    comm_free(s->leaders);
    comm_free(s->host);
    free(s->sum);
    free(s);
}

/* Slots begin at whole cache lines. */
static int64_t place(struct host_sums *s, const struct allreduce_vector *vector, int n) {
    int64_t at = 0;

    for (int i = 0; i < n; i++) {
        s->sum[i].at = at;
        at += (vector[i].len + 15) / 16 * 16;
    }
    return at;
}

/* The memory of all ranks of the host, then the rings of leaders between hosts. */
static int share(struct host_sums *s, const void *args, struct err *err) {
    const int n = s->base.n;
    const bool leads = comm_rank(s->host) == 0;
    const size_t slots = (size_t)s->len * sizeof(real) * (leads ? 2 : 1);

    s->shared = comm_shared_new(s->host, (size_t)n * sizeof(struct host_flags) + slots, err);
    if (!s->shared)
        return -1;
    for (int i = 0; i < n && s->leaders && !s->alone; i++)
        if (ring_init(&s->sum[i].ring, args, s->base.vector[i].wire, s->leaders, result_of(s, i),
                      s->base.vector[i].len, err))
            return -1;
    return 0;
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct host_sums *s = calloc(1, sizeof *s);

    if (s)
        s->sum = calloc((size_t)n + 1, sizeof *s->sum);
    const bool whole = s && s->sum;
    if (agree(comm, whole ? 0 : err_set(err, ERR_IO, "out of memory: %d sums over ranks", n),
              err)) {
        if (s)
            free(s->sum);
        free(s);
        return -1;
    }
    s->base.vector = vector, s->base.n = n;
    s->host = comm_on_host(comm);
    s->leaders = comm_leaders(comm);
    s->alone = comm_size(s->host) == comm_size(comm);
    s->len = place(s, vector, n);
    if (agree(comm, share(s, args, err), err)) { /* freeing is collective: all or none */
        free_sums(&s->base);
        return -1;
    }
    *out = &s->base;
    return 0;
}

const struct allreduce_algorithm allreduce_host = {
    .word = {"host", "within a host in shared memory, between hosts a ring of one rank each",
             sizeof(struct ring_args), ring_specs},
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = free_sums,
    .packs = true,
};
