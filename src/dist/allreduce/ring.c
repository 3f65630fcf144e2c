/* P ranks in a ring cut the vector into P segments. In round k, rank r sends segment r-k to r+1
 * and receives segment r-k-1 from r-1 (both modulo P). For three ranks:
 *
 *   round 0     rank 0 -a-> 1, 1 -b-> 2, 2 -c-> 0        add what arrives
 *   round 1     rank 0 -c-> 1, 1 -a-> 2, 2 -b-> 0        add: rank r now has all of segment r+1
 *   round 2     rank 0 -b-> 1, 1 -c-> 2, 2 -a-> 0        copy what arrives
 *   round 3     rank 0 -a-> 1, 1 -b-> 2, 2 -c-> 0        copy: everybody has everything
 *
 * P-1 rounds add (reduce-scatter), P-1 copy (all-gather). Each segment is added up once, in one
 * order, by whole ranks in turn, hence the same bits everywhere. Segments are cut into chunks
 * that fit a cache, and a chunk moves on as soon as it is there: message m is chunk m % n_chunks
 * of round m / n_chunks, and messages are sent, received and completed in that order, a window
 * of them under way at a time. */
#include "dist/allreduce/ring.h"
#include "dist/agree.h"
#include "dist/allreduce/add.h"
#include "dist/allreduce/allreduce.h"

#include <limits.h>
#include <stdlib.h>

/* What a message carries. */
struct ring_chunk {
    real *data;
    int64_t len;
};

/* The chunk of v that message m sends from rank r. */
static struct ring_chunk chunk_of(const struct ring *ring, int64_t m, int r) {
    const int64_t size = comm_size(ring->comm), len = ring->len;
    const int64_t round = m / ring->n_chunks, c = m % ring->n_chunks;
    const int64_t segment = (r - round + 2 * size) % size;
    const int64_t begin = len * segment / size;
    const int64_t segment_len = len * (segment + 1) / size - begin;
    const int64_t first = segment_len * c / ring->n_chunks;
    const int64_t end = segment_len * (c + 1) / ring->n_chunks;

    return (struct ring_chunk){ring->v + begin + first, end - first};
}

static int left_of(const struct comm *comm) {
    return (comm_rank(comm) + comm_size(comm) - 1) % comm_size(comm);
}

/* Where message m arrives before it is added. */
static real *slot_of(const struct ring *ring, int64_t m) {
    return ring->scratch + m % RING_WINDOW * ring->slot_len;
}

static void post_send(struct ring *ring) {
    struct comm *comm = ring->comm;
    const int64_t m = ring->send_posted++;
    const struct ring_chunk c = chunk_of(ring, m, comm_rank(comm));

    comm_isend(comm, c.data, (size_t)c.len * sizeof(real), (comm_rank(comm) + 1) % comm_size(comm),
               ring->tag, &ring->send[m % RING_WINDOW]);
}

static void post_receive(struct ring *ring) {
    struct comm *comm = ring->comm;
    const int64_t m = ring->receive_posted++;
    const struct ring_chunk c = chunk_of(ring, m, left_of(comm));

    comm_irecv(comm, m < ring->n_add ? slot_of(ring, m) : c.data, (size_t)c.len * sizeof(real),
               left_of(comm), ring->tag, &ring->receive[m % RING_WINDOW]);
}

/* A sum is copied over the partial one that message m - n_add sends on; not before it has left. */
static bool may_receive(const struct ring *ring) {
    const int64_t m = ring->receive_posted;

    return m < ring->n_messages && m - ring->received < RING_WINDOW && m - ring->n_add < ring->sent;
}

/* What a round sends is what the round before received. */
static bool may_send(const struct ring *ring) {
    const int64_t m = ring->send_posted;

    return m < ring->n_messages && m - ring->sent < RING_WINDOW &&
           m - ring->n_chunks < ring->received;
}

static void finish_receive(struct ring *ring) {
    const int64_t m = ring->received++;

    if (m < ring->n_add) {
        const struct ring_chunk c = chunk_of(ring, m, left_of(ring->comm));
        add(c.data, slot_of(ring, m), c.len);
    }
}

bool ring_progress(struct ring *ring) {
    bool moved = true;

    if (ring->packs)
        return wire_sum_progress(&ring->packed);
    while (moved) {
        moved = false;
        while (may_receive(ring))
            post_receive(ring);
        while (may_send(ring))
            post_send(ring);
        if (ring->received < ring->receive_posted &&
            comm_test(ring->comm, &ring->receive[ring->received % RING_WINDOW])) {
            finish_receive(ring);
            moved = true;
        }
        if (ring->sent < ring->send_posted &&
            comm_test(ring->comm, &ring->send[ring->sent % RING_WINDOW])) {
            ring->sent++;
            moved = true;
        }
    }
    return ring->sent == ring->n_messages && ring->received == ring->n_messages;
}

void ring_start(struct ring *ring) {
    if (ring->packs) {
        wire_sum_start(&ring->packed);
        return;
    }
    ring->send_posted = ring->sent = ring->receive_posted = ring->received = 0;
    ring_progress(ring);
}

int ring_init(struct ring *ring, const struct ring_args *args, const struct applied *wire,
              struct comm *comm, real *v, int64_t len, struct err *err) {
    if (wire && wire_format(wire)) {
        *ring = (struct ring){.packs = true};
        return wire_sum_init(&ring->packed, wire, args->chunk, comm, v, len, err);
    }
    const int64_t size = comm_size(comm), chunk = args->chunk / (int64_t)sizeof(real);
    const int64_t longest = (len + size - 1) / size; /* segment */
    /* two ranks pass nothing on: chunks pay only when the segment leaves the cache (measured) */
    const int64_t most = INT_MAX / (int64_t)sizeof(real); /* of a message */
    const int64_t leaves = RING_WINDOW * chunk < most ? RING_WINDOW * chunk : most;
    const int64_t whole = size == 2 ? leaves : chunk;
    const int64_t n_chunks = longest <= whole ? longest > 0 : (longest + chunk - 1) / chunk;
    const int64_t n_add = (size - 1) * n_chunks;
    const int64_t slots = n_add < RING_WINDOW ? n_add : RING_WINDOW;

    *ring = (struct ring){.comm = comm,
                          .v = v,
                          .len = len,
                          .n_chunks = n_chunks,
                          .n_add = n_add,
                          .n_messages = 2 * n_add,
                          .slot_len = n_chunks ? (longest + n_chunks - 1) / n_chunks : 0};
    if (comm_take_tags(comm, 1, &ring->tag, err))
        return -1;
    if (slots > 0) {
        ring->scratch = calloc((size_t)(slots * ring->slot_len), sizeof(real));
        if (!ring->scratch)
            return err_set(err, ERR_IO, "out of memory: the sum over ranks needs %lld bytes",
                           (long long)(slots * ring->slot_len) * (long long)sizeof(real));
    }
    return 0;
}

void ring_forget(struct ring *ring) {
    if (ring->packs)
        wire_sum_forget(&ring->packed);
}

void ring_release(struct ring *ring) {
    wire_sum_release(&ring->packed);
    free(ring->scratch);
    *ring = (struct ring){0};
}

/* --- the algorithm: a ring of all ranks for each vector --- */

struct rings {
    struct allreduce base;
    struct ring *ring; /* [base.n] */
};

static void start(struct allreduce *a, int i) {
    ring_start(&((struct rings *)a)->ring[i]);
}

static bool progress(struct allreduce *a, int i) {
    return ring_progress(&((struct rings *)a)->ring[i]);
}

static void forget(struct allreduce *a) {
    for (int i = 0; i < a->n; i++)
        ring_forget(&((struct rings *)a)->ring[i]);
}

static void free_rings(struct allreduce *a) {
    struct rings *rings = (struct rings *)a;

    for (int i = 0; rings->ring && i < a->n; i++)
        ring_release(&rings->ring[i]);
    free(rings->ring);
    free(rings);
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct rings *rings = calloc(1, sizeof *rings);
    int rc = 0;

    if (!rings || !(rings->ring = calloc((size_t)n + 1, sizeof *rings->ring)))
        rc = err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);
    for (int i = 0; !rc && i < n; i++)
        rc =
            ring_init(&rings->ring[i], args, vector[i].wire, comm, vector[i].v, vector[i].len, err);
    if (rings)
        rings->base.n = n;
    if (agree(comm, rc, err)) {
        if (rings)
            free_rings(&rings->base);
        return -1;
    }
    *out = &rings->base;
    return 0;
}

const struct arg_spec ring_specs[] = {
    {.name = "chunk",
     .kind = ARG_BYTES,
     .offset = offsetof(struct ring_args, chunk),
     .fallback = RING_CHUNK,
     .min = 1024,
     .max = 1 << 30,
     .help = "of a message where vectors are long, bytes"},
    {0},
};

const struct allreduce_algorithm allreduce_ring = {
    .word = {"ring", "each rank sends to its right neighbour; least traffic, for long vectors",
             sizeof(struct ring_args), ring_specs},
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = free_rings,
    .forget = forget,
    .packs = true,
};
