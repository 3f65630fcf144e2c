/* Ranks of a host add up in memory that they share; some of each, the leaders, talk to other hosts.
 * Vectors lie there from the start (their `home`), or are copied into a slot of the rank's own. The
 * sum is made in the vector of the host's first rank, and all read it there. For each vector:
 *   1. a rank's vector is final                                          -> ready
 *   2. every rank adds up its slice of all vectors, in order of rank     -> reduced
 *   3. where there are several hosts, leaders sum the results in rings   -> summed
 *   4. every rank has read the sum, or copied it where its caller writes -> used
 * With several hosts a vector is cut into pieces, each of which goes through 2 and 3 by itself:
 * between hosts one piece is summed while the next is added up. Pieces are led in turn.
 *
 * Stages end with a count in a flag of the rank, which the others read: nobody waits in a call.
 * Counts only grow, and are those of the step: a rank may be in the next step with a vector that
 * another has not left. It waits there for all to be ready; what is written then, the first rank's
 * vector, is written again when all have used it. Each number is added up in one order, hence the
 * same bits everywhere.
 *
 * Cost on one host: P reads and one write of each number in memory, in all ranks together; two
 * passes more for each rank that copies. Between hosts that of a ring of leaders.
 * Memory: slots as long as the vectors without a home; of leaders a fourth of the vectors. */
#include "dist/allreduce/host.h"
#include "dist/agree.h"
#include "dist/allreduce/add.h"
#include "dist/allreduce/allreduce.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE = COMM_LINE,
    BLOCK_LEN = 2048, /* reals that stay in the first cache while those of all ranks are added */
    PIECE_BYTES = 8 << 20,  /* with several hosts */
    LEADER_BYTES = 64 << 10 /* the least that is worth a leader of its own */
};

/* Of one rank and one vector; a cache line, which that rank alone writes. */
struct host_flags {
    _Alignas(LINE) atomic_ullong ready; /* steps */
    atomic_ullong reduced, summed;      /* pieces of all steps */
    atomic_ullong used;                 /* steps */
};

enum host_stage { BRING, MEET, REDUCE, SUM, LEAVE, DONE };

/* The sum of one vector. */
struct host_sum {
    const struct comm_shared *in; /* where all ranks' vectors are; NULL: this rank has no other */
    size_t at;                    /* bytes, from where the memory of each rank begins */
    bool slot;                    /* it is copied there */
    int n_pieces;
    struct ring *ring; /* [n_led] of the pieces that this rank leads */
    int n_led;
    enum host_stage stage;
    uint64_t step;
    int reduced, started, summed; /* pieces, in this step; of those that are led */
};

struct host_sums {
    struct allreduce base;
    struct comm *host, *leaders; /* leaders NULL: this rank is none */
    int n_leaders;               /* of each host; 0: there is one host */
    struct comm_shared *shared;  /* of each rank: flags [n], slots; NULL: this host has one rank */
    struct host_flags *own;      /* [n] whose flags are here */
    struct host_sum *sum;        /* [base.n] */
};

static struct host_flags *flags_of(const struct host_sums *s, int rank, int i) {
    return (s->own ? s->own : (struct host_flags *)comm_shared_of(s->shared, rank)) + i;
}

/* The vector of a rank of the host. */
static real *data_of(const struct host_sums *s, int rank, int i) {
    const struct host_sum *sum = &s->sum[i];

    return sum->in ? (real *)(void *)((char *)comm_shared_of(sum->in, rank) + sum->at)
                   : s->base.vector[i].v;
}

static uint64_t count_of(const struct host_sums *s, int rank, int i, size_t flag) {
    const char *flags = (const char *)flags_of(s, rank, i);

    return atomic_load_explicit((const atomic_ullong *)(const void *)(flags + flag),
                                memory_order_acquire);
}

/* Have the first n ranks of the host come that far? */
static bool all_at(const struct host_sums *s, int i, int n, size_t flag, uint64_t count) {
    for (int r = 0; r < n; r++)
        if (count_of(s, r, i, flag) < count)
            return false;
    return true;
}

static bool all_used(const struct host_sums *s, int i, uint64_t step) {
    return all_at(s, i, comm_size(s->host), offsetof(struct host_flags, used), step);
}

static struct host_flags *mine(const struct host_sums *s, int i) {
    return flags_of(s, comm_rank(s->host), i);
}

static void say(atomic_ullong *flag, uint64_t count) {
    atomic_store_explicit(flag, count, memory_order_release);
}

static int64_t piece_begin(const struct host_sums *s, int i, int piece) {
    return s->base.vector[i].len * piece / s->sum[i].n_pieces;
}

/* This rank's slice of a piece, cut where cache lines end. */
static void reduce(const struct host_sums *s, int i, int piece) {
    const int64_t size = comm_size(s->host), rank = comm_rank(s->host), line = LINE / sizeof(real);
    const int64_t first = piece_begin(s, i, piece), len = piece_begin(s, i, piece + 1) - first;
    const int64_t lines = (len + line - 1) / line;
    const int64_t begin = lines * rank / size * line, past = lines * (rank + 1) / size * line;
    const int64_t end = past < len ? past : len;
    real *sum = data_of(s, 0, i) + first;

    for (int64_t k = begin; k < end; k += BLOCK_LEN) {
        const int64_t n = end - k < BLOCK_LEN ? end - k : BLOCK_LEN;
        for (int r = 1; r < size; r++)
            add(sum + k, data_of(s, r, i) + first + k, n);
    }
}

/* Begin the rings of pieces that the whole host has added up, and move on those that are begun. */
static void lead(struct host_sums *s, int i) {
    struct host_sum *sum = &s->sum[i];
    const uint64_t before = (sum->step - 1) * (uint64_t)sum->n_pieces;
    const uint64_t led_before = (sum->step - 1) * (uint64_t)sum->n_led;

    while (sum->started < sum->n_led &&
           all_at(s, i, comm_size(s->host), offsetof(struct host_flags, reduced),
                  before + (uint64_t)(sum->started * s->n_leaders + comm_rank(s->host) + 1)))
        ring_start(&sum->ring[sum->started++]);
    while (sum->summed < sum->started && ring_progress(&sum->ring[sum->summed]))
        say(&mine(s, i)->summed, led_before + (uint64_t)++sum->summed);
    for (int k = sum->summed + 1; k < sum->started; k++)
        ring_progress(&sum->ring[k]);
}

/* Pieces that a leader of that rank leads. */
static int n_led_by(const struct host_sums *s, int i, int rank) {
    return rank < s->n_leaders ? (s->sum[i].n_pieces - rank + s->n_leaders - 1) / s->n_leaders : 0;
}

/* Is the sum there? */
static bool is_summed(const struct host_sums *s, int i) {
    const struct host_sum *sum = &s->sum[i];

    if (!s->n_leaders)
        return all_at(s, i, comm_size(s->host), offsetof(struct host_flags, reduced),
                      sum->step * (uint64_t)sum->n_pieces);
    for (int r = 0; r < s->n_leaders; r++)
        if (count_of(s, r, i, offsetof(struct host_flags, summed)) <
            sum->step * (uint64_t)n_led_by(s, i, r))
            return false;
    return true;
}

/* The sum is there: take it to where it is wanted. Who writes over the first rank's vector waits
 * for those that copy from it. */
static void take(struct host_sums *s, int i) {
    struct host_sum *sum = &s->sum[i];
    const struct allreduce_vector *v = &s->base.vector[i];
    const real *from = data_of(s, 0, i);

    sum->stage = DONE;
    if (!v->own)
        return;
    if (from != v->v)
        memcpy(v->v, from, (size_t)v->len * sizeof(real));
    else
        sum->stage = LEAVE;
    say(&mine(s, i)->used, sum->step);
}

/* Into the slot, unless others still read the sum of the last step there. */
static bool bring(struct host_sums *s, int i) {
    const struct host_sum *sum = &s->sum[i];
    const struct allreduce_vector *v = &s->base.vector[i];

    if (sum->slot) {
        if (!comm_rank(s->host) && !all_used(s, i, sum->step - 1))
            return false;
        memcpy(data_of(s, comm_rank(s->host), i), v->v, (size_t)v->len * sizeof(real));
    }
    say(&mine(s, i)->ready, sum->step);
    return true;
}

/* Go to the next stage if that can be. */
static bool advance(struct host_sums *s, int i) {
    struct host_sum *sum = &s->sum[i];

    switch (sum->stage) {
    case BRING:
        if (!bring(s, i))
            return false;
        sum->stage = MEET;
        return true;
    case MEET:
        if (!all_at(s, i, comm_size(s->host), offsetof(struct host_flags, ready), sum->step))
            return false;
        sum->stage = REDUCE;
        return true;
    case REDUCE:
        reduce(s, i, sum->reduced++);
        say(&mine(s, i)->reduced,
            (sum->step - 1) * (uint64_t)sum->n_pieces + (uint64_t)sum->reduced);
        lead(s, i);
        sum->stage = sum->reduced < sum->n_pieces ? REDUCE : SUM;
        return true;
    case SUM:
        lead(s, i);
        if (!is_summed(s, i))
            return false;
        take(s, i);
        return true;
    case LEAVE:
        if (!all_used(s, i, sum->step))
            return false;
        sum->stage = DONE;
        return true;
    case DONE:
        break;
    }
    return false;
}

static bool progress(struct allreduce *a, int i) {
    struct host_sums *s = (struct host_sums *)a;

    while (advance(s, i))
        ;
    return s->sum[i].stage == DONE;
}

static void start(struct allreduce *a, int i) {
    struct host_sums *s = (struct host_sums *)a;
    struct host_sum *sum = &s->sum[i];

    sum->step++;
    sum->stage = BRING;
    sum->reduced = sum->started = sum->summed = 0;
    progress(a, i);
}

static const real *sum_of(const struct allreduce *a, int i) {
    return a->vector[i].own ? a->vector[i].v : data_of((const struct host_sums *)a, 0, i);
}

static void used(struct allreduce *a, int i) {
    struct host_sums *s = (struct host_sums *)a;

    if (!a->vector[i].own)
        say(&mine(s, i)->used, s->sum[i].step);
}

/* Others read the first rank's vector until they have used the sum; those of others, and all that
 * are copied, nobody reads any more. */
static bool writable(struct allreduce *a, int i) {
    const struct host_sums *s = (const struct host_sums *)a;

    return s->sum[i].slot || comm_rank(s->host) || all_used(s, i, s->sum[i].step);
}

static void forget(struct allreduce *a) {
    const struct host_sums *s = (const struct host_sums *)a;

    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < s->sum[i].n_led; k++)
            ring_forget(&s->sum[i].ring[k]);
}

static void free_sums(struct allreduce *a) {
    struct host_sums *s = (struct host_sums *)a;

    for (int i = 0; i < a->n; i++) {
        for (int k = 0; s->sum[i].ring && k < s->sum[i].n_led; k++)
            ring_release(&s->sum[i].ring[k]);
        free(s->sum[i].ring);
    }
    comm_shared_free(s->shared);
    free(s->own);
    comm_free(s->leaders);
    comm_free(s->host);
    free(s->sum);
    free(s);
}

/* Where vectors are, and how they are cut. Returns the bytes that this rank's slots take. */
static size_t place(struct host_sums *s, const struct allreduce_vector *vector, int n) {
    const size_t flags = (size_t)n * sizeof(struct host_flags) + LINE;
    size_t slots = 0;

    for (int i = 0; i < n; i++) {
        struct host_sum *sum = &s->sum[i];
        const int64_t bytes = vector[i].len * (int64_t)sizeof(real);
        const int64_t pieces = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
        const int64_t leaders = bytes / LEADER_BYTES < s->n_leaders ? 1 : s->n_leaders;
        const bool meets = comm_size(s->host) > 1;
        sum->n_pieces = s->n_leaders ? (int)(pieces > leaders ? pieces : leaders) : 1;
        sum->n_led = n_led_by(s, i, comm_rank(s->host));
        sum->in = vector[i].home;
        if (sum->in) {
            sum->at =
                (size_t)((char *)vector[i].v - (char *)comm_shared_of(sum->in, comm_rank(s->host)));
        } else if (meets) {
            sum->slot = true;
            sum->at = flags + slots;
            slots += ((size_t)bytes + LINE - 1) / LINE * LINE;
        }
    }
    return flags + slots;
}

/* The rings of the pieces of a vector that this rank leads. */
static int make_rings(struct host_sums *s, int i, const struct host_args *args, struct err *err) {
    struct host_sum *sum = &s->sum[i];

    if (!sum->n_led)
        return 0;
    sum->ring = calloc((size_t)sum->n_led, sizeof *sum->ring);
    if (!sum->ring)
        return err_set(err, ERR_IO, "out of memory: %d sums between hosts", sum->n_led);
    for (int k = 0; k < sum->n_led; k++) {
        const int piece = k * s->n_leaders + comm_rank(s->host);
        const int64_t begin = piece_begin(s, i, piece), end = piece_begin(s, i, piece + 1);
        if (ring_init(&sum->ring[k], &args->ring, s->base.vector[i].wire, s->leaders,
                      data_of(s, 0, i) + begin, end - begin, err))
            return -1;
    }
    return 0;
}

/* As many leaders of each host as are asked for, or as the smallest host has ranks. */
static void find_leaders(struct host_sums *s, struct comm *comm, int wanted) {
    const int ranks = (int)-comm_max_double(comm, -(double)comm_size(s->host));

    if (comm_max_double(comm, comm_size(s->host) < comm_size(comm)) > 0)
        s->n_leaders = wanted < ranks ? wanted : ranks;
    s->leaders = comm_split(comm, comm_rank(s->host) < s->n_leaders ? comm_rank(s->host) : -1);
}

/* The memory of all ranks of the host, then the rings of leaders between hosts. */
static int share(struct host_sums *s, const struct allreduce_vector *vector,
                 const struct host_args *args, struct err *err) {
    const size_t bytes = place(s, vector, s->base.n);

    if (comm_size(s->host) == 1) {
        s->own = aligned_alloc(LINE, bytes);
        if (!s->own)
            return err_set(err, ERR_IO, "out of memory: %d sums over ranks", s->base.n);
        memset(s->own, 0, bytes);
    } else if (!(s->shared = comm_shared_new(s->host, bytes, err))) {
        return err_wrap(err, "allreduce = host needs memory that ranks of a host share, ring none");
    }
    for (int i = 0; i < s->base.n; i++) {
        if (s->sum[i].slot)
            s->sum[i].in = s->shared;
        if (make_rings(s, i, args, err))
            return -1;
    }
    return 0;
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    const struct host_args *wanted = args;
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
    find_leaders(s, comm, wanted->leaders);
    if (agree(comm, share(s, vector, wanted, err), err)) { /* freeing is collective: all or none */
        free_sums(&s->base);
        return -1;
    }
    *out = &s->base;
    return 0;
}

static const struct arg_spec specs[] = {
    {.name = "chunk",
     .kind = ARG_BYTES,
     .offset = offsetof(struct host_args, ring.chunk),
     .fallback = RING_CHUNK,
     .min = 1024,
     .max = 1 << 30,
     .help = "of a message between hosts, bytes"},
    {.name = "leaders",
     .kind = ARG_INT,
     .offset = offsetof(struct host_args, leaders),
     .fallback = 1,
     .min = 1,
     .max = 1024,
     .help = "ranks of a host that talk to other hosts, if it has so many"},
    {0},
};

const struct allreduce_algorithm allreduce_host = {
    .word = {"host", "within a host in memory that its ranks share, between hosts a ring",
             sizeof(struct host_args), specs},
    .wants_home = true,
    .plan = plan,
    .start = start,
    .progress = progress,
    .sum = sum_of,
    .used = used,
    .writable = writable,
    .free = free_sums,
    .forget = forget,
    .packs = true,
};
