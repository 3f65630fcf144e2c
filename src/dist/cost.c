#include "dist/cost.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Bytes of memory traffic for each byte: y += x reads two and writes one; a message between ranks
 * of a host is copied in and out of memory that they share. */
static const double ADD = 3, MESSAGE = 4;

enum { WHOLE_BYTES = 8 << 10 };

int64_t cost_hosts(const struct cost_cluster *c) {
    return (c->ranks + c->per_host - 1) / c->per_host;
}

/* Ranks of a host that is full. */
static double local(const struct cost_cluster *c) {
    return (double)(c->ranks < c->per_host ? c->ranks : c->per_host);
}

static double levels(double n) {
    return ceil(log2(n));
}

/* All ranks in a ring, neighbours on one host: of the messages of a round one leaves each host, and
 * what goes round crosses H of P borders. */
static struct cost ring(const struct cost_cluster *c, double bytes) {
    const double ranks = (double)c->ranks, hosts = (double)cost_hosts(c), turns = 2 * (ranks - 1);
    const double cross = hosts > 1 ? hosts / ranks : 0;
    const double inside = local(c) - (hosts > 1), part = bytes / ranks;

    return (struct cost){
        .link_s = hosts > 1 ? turns * part * c->wire / c->bytes_per_s : 0,
        .latency_s = turns * (cross * c->latency_s + (1 - cross) * c->memory_latency_s),
        .memory_s =
            (turns * part * c->wire * MESSAGE * inside + (ranks - 1) * part * ADD * local(c)) /
            c->memory_bytes_per_s,
        .rounds = hosts > 1 ? (int64_t)turns : 0};
}

/* Each rank of a host adds up its slice of all their gradients in memory that they share; one of
 * them sums the result with other hosts in a ring. */
static struct cost host(const struct cost_cluster *c, double bytes) {
    const double hosts = (double)cost_hosts(c), turns = 2 * (hosts - 1), part = bytes / hosts;

    return (struct cost){
        .link_s = turns * part * c->wire / c->bytes_per_s,
        .latency_s = turns * c->latency_s + (local(c) > 1 ? 2 * c->memory_latency_s : 0),
        .memory_s = ((local(c) > 1 ? local(c) + 1 : 0) * bytes + (hosts - 1) * part * ADD) /
                    c->memory_bytes_per_s,
        .rounds = (int64_t)turns};
}

/* Partners at distances that double exchange vectors of up to 8 KiB whole, of longer ones halves,
 * quarters .. of what they are to sum, and back. All ranks of a host talk to others at once. */
static struct cost tree(const struct cost_cluster *c, double bytes) {
    const double hosts = (double)cost_hosts(c), far = levels(hosts), near = levels(local(c));
    const double ranks = (double)c->ranks, both = bytes > WHOLE_BYTES ? 2 : 1;
    const double sent = both > 1 ? 2 * bytes * (1 - 1 / hosts) : far * bytes;
    const double inside = both > 1 ? 2 * bytes / hosts * (1 - 1 / local(c)) : near * bytes;
    const double added = both > 1 ? bytes * (1 - 1 / ranks) : (far + near) * bytes;

    return (struct cost){.link_s = local(c) * sent * c->wire / c->bytes_per_s,
                         .latency_s = both * (far * c->latency_s + near * c->memory_latency_s),
                         .memory_s = local(c) * (inside * c->wire * MESSAGE + added * ADD) /
                                     c->memory_bytes_per_s,
                         .rounds = hosts > 1 ? (int64_t)(both * (far + near)) : 0};
}

/* Whole vectors up a binomial tree and down again; where ranks stand in blocks, one of each host
 * talks to others. */
static struct cost binomial(const struct cost_cluster *c, double bytes) {
    const double hosts = (double)cost_hosts(c), far = levels(hosts), near = levels(local(c));
    const double pairs = local(c) - 1;

    return (struct cost){.link_s = 2 * far * bytes * c->wire / c->bytes_per_s,
                         .latency_s = 2 * (far * c->latency_s + near * c->memory_latency_s),
                         .memory_s = ((2 * MESSAGE * c->wire + ADD) * pairs + ADD * far) * bytes /
                                     c->memory_bytes_per_s,
                         .rounds = hosts > 1 ? (int64_t)(2 * (far + near)) : 0};
}

/* Open MPI 4.1's MPI_Iallreduce of a vector in place is a binomial tree, whatever its length
 * (ompi/mca/coll/libnbc/nbc_iallreduce.c). */
static const struct cost_model models[] = {{"ring", NULL, ring},
                                           {"host", NULL, host},
                                           {"tree", NULL, tree},
                                           {"mpi", "a binomial tree", binomial}};

enum { N_MODELS = sizeof models / sizeof *models };

const struct cost_model *cost_find(const char *name) {
    for (int i = 0; i < N_MODELS; i++)
        if (!strcmp(models[i].name, name))
            return &models[i];
    return NULL;
}

const struct cost_model *cost_at(int i) {
    return i < N_MODELS && !models[i].as ? &models[i] : NULL;
}

struct cost cost_allreduce(const struct cost_model *m, const struct cost_cluster *c, double bytes) {
    return c->ranks > 1 ? m->of(c, bytes) : (struct cost){0};
}

double cost_small(const struct cost_cluster *c) {
    return levels((double)cost_hosts(c)) * c->latency_s +
           (local(c) > 1 ? 2 * c->memory_latency_s : 0);
}

/* When messages may move next. */
static double next_progress(const struct cost_backward *b, double now, int *next) {
    while (*next < b->n_progress && b->progress_s[*next] < now)
        ++*next;
    if (*next < b->n_progress && b->progress_s[*next] < b->seconds)
        return b->progress_s[*next];
    return now > b->seconds ? now : b->seconds;
}

/* A bucket that has the link to itself: each round begins when somebody looks whether the one
 * before has arrived. */
static double arrival(const struct cost *cost, double ready, const struct cost_backward *b) {
    const double round = (cost->link_s + cost->latency_s) / (double)cost->rounds;
    int64_t left = cost->rounds;
    double now = ready;
    int next = 0;

    for (; b->progress_s && left > 0 && now < b->seconds; left--)
        now = (left < cost->rounds ? next_progress(b, now, &next) : now) + round;
    return now + (double)left * round;
}

/* The link serves this bucket: how much later than needed its sum is there.
 *   latency  messages take time beside the link's, and wait to be moved */
static double serve(const struct cost *cost, const struct cost_bucket *b,
                    const struct cost_backward *backward, bool latency, double *link_free) {
    double there = *link_free = fmax(*link_free, b->ready_s) + cost->link_s;

    if (latency)
        there += cost->latency_s;
    if (latency && cost->rounds > 0)
        there = fmax(there, arrival(cost, b->ready_s, backward));
    return there - backward->seconds - b->needed_s;
}

/* How much later than needed the latest sum is. */
static double lateness(const struct cost_model *m, const struct cost_cluster *c,
                       const struct cost_bucket *bucket, int n,
                       const struct cost_backward *backward, bool latency) {
    double link_free = 0, late = 0;
    bool overtook = !backward->overtakes;

    for (int i = 0; i < n; i++) {
        const struct cost_bucket *last = &bucket[n - 1];
        if (!overtook && fmax(link_free, bucket[i].ready_s) >= last->ready_s) {
            const struct cost cost = cost_allreduce(m, c, last->bytes);
            late = fmax(late, serve(&cost, last, backward, latency, &link_free));
            overtook = true;
        }
        if (i == n - 1 && backward->overtakes)
            break;
        const struct cost cost = cost_allreduce(m, c, bucket[i].bytes);
        late = fmax(late, serve(&cost, &bucket[i], backward, latency, &link_free));
    }
    return late;
}

struct cost_exposed cost_replay(const struct cost_model *m, const struct cost_cluster *c,
                                const struct cost_bucket *bucket, int n,
                                const struct cost_backward *backward) {
    const double all = lateness(m, c, bucket, n, backward, true);
    const double links = lateness(m, c, bucket, n, backward, false);
    struct cost_exposed out = {.latency_s = all - links};

    for (int i = 0; i < n; i++) {
        const struct cost cost = cost_allreduce(m, c, bucket[i].bytes);
        out.memory_s += cost.memory_s;
        out.link_s += cost.link_s;
    }
    out.seconds = all + out.memory_s;
    return out;
}
