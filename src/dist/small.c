#include "dist/small.h"
#include "dist/spin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_LEN = 1024 }; /* doubles that are summed at a time */

/* Numbers that a rank shows to the others of its host. */
struct small_slot {
    _Alignas(64) atomic_ullong turn; /* that they are of */
    _Alignas(64) double v[SLOT_LEN];
};

/* What a rank shares. There are two of each, for even and for odd turns: whoever is a turn ahead
 * knows that nobody reads those of the turn before the last. */
struct small_area {
    struct small_slot mine[2];
    struct small_slot result[2]; /* of rank 0 of a host, where there are several hosts */
};

struct small {
    struct comm *host; /* ranks that share memory; NULL: every one for itself */
    struct comm *talk; /* those that talk: one of each host, or all; NULL: others do */
    struct comm_shared *shared;
    uint64_t turn; /* sums begun */
    bool alone;    /* there is one host */
    double other[SLOT_LEN];
};

/* Does every host have memory to share, and some host several ranks? Collective. */
static bool share(struct small *s, struct comm *comm) {
    struct err err = {0};

    if (comm_max_double(comm, comm_size(s->host)) < 2)
        return false;
    s->shared = comm_shared_new(s->host, sizeof(struct small_area), &err);
    return comm_max_double(comm, !s->shared) <= 0;
}

struct small *small_new(struct comm *comm, int host) {
    struct small *s = calloc(1, sizeof *s);

    if (!s)
        comm_abort(comm, ERR_IO, "out of memory");
    s->host = comm_split(comm, host);
    if (share(s, comm)) {
        s->alone = comm_max_double(comm, -comm_size(s->host)) <= -comm_size(comm);
        s->talk = s->alone ? NULL : comm_split(comm, comm_rank(s->host) ? -1 : 0);
        return s;
    }
    comm_shared_free(s->shared);
    comm_free(s->host);
    s->shared = NULL, s->host = NULL;
    s->talk = comm_split(comm, 0);
    return s;
}

void small_free(struct small *s) {
    if (!s)
        return;
    comm_shared_free(s->shared);
    comm_free(s->talk);
    comm_free(s->host);
    free(s);
}

/* All but the last n_max are sums. */
static void combine(double *v, const double *more, int n, int n_max) {
    for (int i = 0; i < n - n_max; i++)
        v[i] += more[i];
    for (int i = n - n_max; i < n; i++)
        v[i] = more[i] > v[i] ? more[i] : v[i];
}

/* --- between those that talk --- */

static void wait_for(struct comm *comm, struct comm_request *request) {
    int spins = 0;

    while (!comm_test(comm, request))
        spin(&spins);
}

static void send(struct small *s, const double *v, int n, int to) {
    struct comm_request request;

    comm_isend(s->talk, v, (size_t)n * sizeof *v, to, 0, &request);
    wait_for(s->talk, &request);
}

static void receive(struct small *s, double *v, int n, int from) {
    struct comm_request request;

    comm_irecv(s->talk, v, (size_t)n * sizeof *v, from, 0, &request);
    wait_for(s->talk, &request);
}

/* Both have then the same: addition commutes. */
static void exchange(struct small *s, double *v, int n, int n_max, int with) {
    struct comm_request in, out;

    comm_irecv(s->talk, s->other, (size_t)n * sizeof *v, with, 0, &in);
    comm_isend(s->talk, v, (size_t)n * sizeof *v, with, 0, &out);
    wait_for(s->talk, &in);
    wait_for(s->talk, &out);
    combine(v, s->other, n, n_max);
}

/* Recursive doubling among as many as are a power of two. Of the first 2 * spare ranks the odd ones
 * give theirs to their left neighbours before, and get the sum after.
 * Source: Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521, section 4.5. */
static void talk(struct small *s, double *v, int n, int n_max) {
    const int rank = comm_rank(s->talk), size = comm_size(s->talk);
    int power = 1;

    while (2 * power <= size)
        power *= 2;
    const int spare = size - power;
    const bool paired = rank < 2 * spare;
    if (paired && rank % 2) {
        send(s, v, n, rank - 1);
        receive(s, v, n, rank - 1);
        return;
    }
    if (paired) {
        receive(s, s->other, n, rank + 1);
        combine(v, s->other, n, n_max);
    }
    const int number = paired ? rank / 2 : rank - spare;
    for (int bit = 1; bit < power; bit *= 2) {
        const int with = number ^ bit;
        exchange(s, v, n, n_max, with < spare ? 2 * with : with + spare);
    }
    if (paired)
        send(s, v, n, rank + 1);
}

/* --- within a host --- */

static struct small_area *area_of(const struct small *s, int rank) {
    return comm_shared_of(s->shared, rank);
}

static void show(struct small *s, struct small_slot *slot, const double *v, int n) {
    memcpy(slot->v, v, (size_t)n * sizeof *v);
    atomic_store_explicit(&slot->turn, s->turn, memory_order_release);
}

static const double *see(const struct small *s, struct small_slot *slot) {
    int spins = 0;

    while (atomic_load_explicit(&slot->turn, memory_order_acquire) < s->turn)
        spin(&spins);
    return slot->v;
}

/* The sum over the host, from the numbers of all, in order of rank. */
static void gather(struct small *s, double *v, int n, int n_max) {
    const uint64_t odd = s->turn % 2;

    memcpy(v, see(s, &area_of(s, 0)->mine[odd]), (size_t)n * sizeof *v);
    for (int r = 1; r < comm_size(s->host); r++)
        combine(v, see(s, &area_of(s, r)->mine[odd]), n, n_max);
}

static void sum_slot(struct small *s, double *v, int n, int n_max) {
    if (!s->host) {
        talk(s, v, n, n_max);
        return;
    }
    s->turn++;
    show(s, &area_of(s, comm_rank(s->host))->mine[s->turn % 2], v, n);
    struct small_slot *result = &area_of(s, 0)->result[s->turn % 2];
    if (s->alone || s->talk)
        gather(s, v, n, n_max);
    if (s->talk) {
        talk(s, v, n, n_max);
        show(s, result, v, n);
    } else if (!s->alone) {
        memcpy(v, see(s, result), (size_t)n * sizeof *v);
    }
}

void small_sum(struct small *s, double *v, int n, int n_max) {
    for (int at = 0; at < n; at += SLOT_LEN) {
        const int len = n - at < SLOT_LEN ? n - at : SLOT_LEN;
        const int sums = n - n_max - at; /* left, from here on */

        sum_slot(s, v + at, len, sums >= len ? 0 : len - (sums > 0 ? sums : 0));
    }
}
