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
#include "dist/ring.h"

#include <stdlib.h>

enum {
    CHUNK = 128 * 1024, /* reals; 512 KiB stay in cache until they are added */
    WINDOW = 4,         /* messages under way in each direction */
};

struct ring {
    struct allreduce base;
    real *v;       /* [len], borrowed while under way */
    real *scratch; /* [WINDOW][slot_len] at most: arrived, not yet added */
    int64_t slot_len;
    int64_t n_chunks;          /* of a segment */
    int64_t n_add, n_messages; /* messages of the rounds that add; of all */
    int64_t send_posted, sent; /* messages */
    int64_t receive_posted, received;
    struct comm_request send[WINDOW], receive[WINDOW];
};

struct ring_chunk {
    real *data;
    int64_t len;
};

/* The chunk of v that message m sends from rank r. */
static struct ring_chunk chunk_of(const struct ring *ring, int64_t m, int r) {
    const int64_t size = comm_size(ring->base.comm), len = ring->base.len;
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
    return ring->scratch + m % WINDOW * ring->slot_len;
}

static void add(real *restrict v, const real *restrict more, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        v[i] += more[i];
}

static void post_send(struct ring *ring) {
    struct comm *comm = ring->base.comm;
    const int64_t m = ring->send_posted++;
    const struct ring_chunk c = chunk_of(ring, m, comm_rank(comm));

    comm_isend(comm, c.data, (size_t)c.len * sizeof(real), (comm_rank(comm) + 1) % comm_size(comm),
               ring->base.tag, &ring->send[m % WINDOW]);
}

static void post_receive(struct ring *ring) {
    struct comm *comm = ring->base.comm;
    const int64_t m = ring->receive_posted++;
    const struct ring_chunk c = chunk_of(ring, m, left_of(comm));

    comm_irecv(comm, m < ring->n_add ? slot_of(ring, m) : c.data, (size_t)c.len * sizeof(real),
               left_of(comm), ring->base.tag, &ring->receive[m % WINDOW]);
}

/* A sum is copied over the partial one that message m - n_add sends on; not before it has left. */
static bool may_receive(const struct ring *ring) {
    const int64_t m = ring->receive_posted;

    return m < ring->n_messages && m - ring->received < WINDOW && m - ring->n_add < ring->sent;
}

/* What a round sends is what the round before received. */
static bool may_send(const struct ring *ring) {
    const int64_t m = ring->send_posted;

    return m < ring->n_messages && m - ring->sent < WINDOW && m - ring->n_chunks < ring->received;
}

static void finish_receive(struct ring *ring) {
    const int64_t m = ring->received++;

    if (m < ring->n_add) {
        const struct ring_chunk c = chunk_of(ring, m, left_of(ring->base.comm));
        add(c.data, slot_of(ring, m), c.len);
    }
}

static bool progress(struct allreduce *a) {
    struct ring *ring = (struct ring *)a;
    bool moved = true;

    while (moved) {
        moved = false;
        while (may_receive(ring))
            post_receive(ring);
        while (may_send(ring))
            post_send(ring);
        if (ring->received < ring->receive_posted &&
            comm_test(a->comm, &ring->receive[ring->received % WINDOW])) {
            finish_receive(ring);
            moved = true;
        }
        if (ring->sent < ring->send_posted &&
            comm_test(a->comm, &ring->send[ring->sent % WINDOW])) {
            ring->sent++;
            moved = true;
        }
    }
    return ring->sent == ring->n_messages && ring->received == ring->n_messages;
}

static void start(struct allreduce *a, real *v) {
    struct ring *ring = (struct ring *)a;

    ring->v = v;
    ring->send_posted = ring->sent = ring->receive_posted = ring->received = 0;
    progress(a);
}

static int plan(struct allreduce **out, const struct comm *comm, int64_t len, struct err *err) {
    const int64_t size = comm_size(comm);
    const int64_t longest = (len + size - 1) / size; /* segment */
    /* two ranks pass nothing on: chunks pay only when the segment leaves the cache (measured) */
    const int64_t whole = size == 2 ? WINDOW * CHUNK : CHUNK;
    const int64_t n_chunks = longest <= whole ? longest > 0 : (longest + CHUNK - 1) / CHUNK;
    const int64_t n_add = (size - 1) * n_chunks;
    const int64_t slots = n_add < WINDOW ? n_add : WINDOW;
    struct ring *ring = calloc(1, sizeof *ring);

    if (!ring)
        return err_set(err, ERR_IO, "out of memory");
    ring->n_chunks = n_chunks;
    ring->n_add = n_add;
    ring->n_messages = 2 * n_add;
    ring->slot_len = n_chunks ? (longest + n_chunks - 1) / n_chunks : 0;
    if (slots > 0) {
        ring->scratch = calloc((size_t)(slots * ring->slot_len), sizeof(real));
        if (!ring->scratch) {
            err_set(err, ERR_IO, "out of memory: the sum over ranks needs %lld bytes",
                    (long long)(slots * ring->slot_len) * (long long)sizeof(real));
            free(ring);
            return -1;
        }
    }
    *out = &ring->base;
    return 0;
}

static void ring_free(struct allreduce *a) {
    struct ring *ring = (struct ring *)a;

    free(ring->scratch);
    free(ring);
}

const struct allreduce_algorithm allreduce_ring = {
    .name = "ring",
    .help = "each rank sends to its right neighbour; least traffic, for long vectors",
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = ring_free,
};
