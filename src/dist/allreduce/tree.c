/* Ranks exchange with partners at distances that double, so that there are log2 P rounds and not
 * P - 1. Short vectors go whole (recursive doubling). Of long ones partners send each other the
 * half that the other goes on with, until each rank has the sum of one part (recursive halving);
 * then the rounds run backwards and parts become whole again. For four ranks and a long vector:
 *
 *   round 0     0 and 2, 1 and 3: 0 and 1 keep the first half, 2 and 3 the second      add
 *   round 1     0 and 1, 2 and 3: each keeps a quarter, which is now summed            add
 *   round 2     as round 1: each has a half                                            copy
 *   round 3     as round 0: each has everything                                        copy
 *
 * Where P is no power of two, some ranks first send all that they have to a neighbour, which goes
 * on for both and sends the sum back. A sum is made by one rank and copied, or by two partners of
 * the same two numbers: hence the same bits everywhere. Cost: up to 2 log2 P + 2 latencies;
 * 2(P-1)/P * len reals sent per rank, of short vectors log2 P * len. Memory: scratch as long as the
 * vector at most. Source: Rabenseifner 2004, doi:10.1007/978-3-540-24685-5_1; Thakur, Rabenseifner
 * & Gropp 2005, doi:10.1177/1094342005051521 */
#include "dist/agree.h"
#include "dist/allreduce/add.h"
#include "dist/allreduce/allreduce.h"

#include <limits.h>
#include <stdlib.h>

enum { MAX_ROUNDS = 2 * 31 + 2, WHOLE_BYTES = 8 << 10 };

struct tree_args {
    int64_t whole; /* bytes of the longest vector that goes whole */
};

/* Messages to and from one partner. */
struct tree_round {
    int peer;
    int64_t send_at, send_len; /* of the vector, reals; send_len < 0: nothing is sent */
    int64_t receive_at, receive_len;
    bool adds; /* what arrives is added; else it is the sum */
};

/* The sum of one vector. */
struct tree_sum {
    struct tree_round *round; /* [n_rounds] */
    int n_rounds, at;         /* at: of the round under way */
    int tag;
    real *scratch; /* what arrives to be added */
    struct comm_request send, receive;
};

struct trees {
    struct allreduce base;
    struct tree_sum *tree; /* [base.n] */
};

/* --- planning --- */

static void add_round(struct tree_sum *t, struct tree_round round) {
    t->round[t->n_rounds++] = round;
}

/* Whole vectors, between partners. */
static void plan_doubling(struct tree_sum *t, int me, int n, int n_folded, int64_t len) {
    for (int mask = 1; mask < n; mask *= 2) {
        const int partner = me ^ mask;
        const int peer = partner < n_folded ? 2 * partner + 1 : partner + n_folded;
        add_round(t, (struct tree_round){peer, 0, len, 0, len, true});
    }
}

/* Halves until a part is left, and back. */
static void plan_halving(struct tree_sum *t, int me, int n, int n_folded, int64_t len) {
    const int first = t->n_rounds;
    int64_t begin = 0, end = len;

    for (int mask = n / 2; mask > 0; mask /= 2) {
        const int partner = me ^ mask;
        const int peer = partner < n_folded ? 2 * partner + 1 : partner + n_folded;
        const int64_t middle = begin + (end - begin) / 2;
        if (me & mask) {
            add_round(t,
                      (struct tree_round){peer, begin, middle - begin, middle, end - middle, true});
            begin = middle;
        } else {
            add_round(t,
                      (struct tree_round){peer, middle, end - middle, begin, middle - begin, true});
            end = middle;
        }
    }
    for (int k = t->n_rounds - 1; k >= first; k--) {
        const struct tree_round *there = &t->round[k];
        add_round(t, (struct tree_round){there->peer, there->receive_at, there->receive_len,
                                         there->send_at, there->send_len, false});
    }
}

/* The first 2 * n_folded ranks are pairs, whose odd one goes on for both. */
static void plan_rounds(struct tree_sum *t, int rank, int size, int64_t len, bool whole) {
    int n = 1;

    while (2 * n <= size)
        n *= 2;
    const int n_folded = size - n;
    const bool folded = rank < 2 * n_folded, rests = folded && rank % 2 == 0;
    const int me = folded ? rank / 2 : rank - n_folded;
    if (rests) {
        add_round(t, (struct tree_round){rank + 1, 0, len, 0, -1, false});
        add_round(t, (struct tree_round){rank + 1, 0, -1, 0, len, false});
        return;
    }
    if (folded)
        add_round(t, (struct tree_round){rank - 1, 0, -1, 0, len, true});
    if (whole)
        plan_doubling(t, me, n, n_folded, len);
    else
        plan_halving(t, me, n, n_folded, len);
    if (folded)
        add_round(t, (struct tree_round){rank - 1, 0, len, 0, -1, false});
}

static int init(struct tree_sum *t, const struct tree_args *args, struct comm *comm, int64_t len,
                struct err *err) {
    const int64_t bytes = len * (int64_t)sizeof(real);
    int64_t longest = 0;

    if (bytes > INT_MAX)
        return err_set(err, ERR_CONFIG, "tree: a vector of %lld bytes, expected at most %d",
                       (long long)bytes, INT_MAX);
    if (comm_take_tags(comm, 1, &t->tag, err))
        return -1;
    t->round = calloc(MAX_ROUNDS, sizeof *t->round);
    if (t->round && len > 0)
        plan_rounds(t, comm_rank(comm), comm_size(comm), len, bytes <= args->whole);
    for (int k = 0; k < t->n_rounds; k++)
        if (t->round[k].adds && t->round[k].receive_len > longest)
            longest = t->round[k].receive_len;
    t->scratch = calloc((size_t)longest + 1, sizeof(real));
    if (!t->round || !t->scratch)
        return err_set(err, ERR_IO, "out of memory: the sum over ranks needs %lld bytes",
                       (long long)longest * (long long)sizeof(real));
    return 0;
}

/* --- the sum --- */

static void post(struct allreduce *a, int i) {
    struct tree_sum *t = &((struct trees *)a)->tree[i];
    const struct tree_round *round = &t->round[t->at];
    real *v = a->vector[i].v;

    if (round->receive_len >= 0)
        comm_irecv(a->comm, round->adds ? t->scratch : v + round->receive_at,
                   (size_t)round->receive_len * sizeof(real), round->peer, t->tag, &t->receive);
    if (round->send_len >= 0)
        comm_isend(a->comm, v + round->send_at, (size_t)round->send_len * sizeof(real), round->peer,
                   t->tag, &t->send);
}

static bool progress(struct allreduce *a, int i) {
    struct tree_sum *t = &((struct trees *)a)->tree[i];

    while (t->at < t->n_rounds) {
        const struct tree_round *round = &t->round[t->at];
        if (!comm_test(a->comm, &t->receive) || !comm_test(a->comm, &t->send))
            return false;
        if (round->adds)
            add(a->vector[i].v + round->receive_at, t->scratch, round->receive_len);
        if (++t->at < t->n_rounds)
            post(a, i);
    }
    return true;
}

static void start(struct allreduce *a, int i) {
    struct tree_sum *t = &((struct trees *)a)->tree[i];

    t->at = 0;
    if (t->n_rounds > 0)
        post(a, i);
}

static void free_trees(struct allreduce *a) {
    struct trees *trees = (struct trees *)a;

    for (int i = 0; trees->tree && i < a->n; i++) {
        free(trees->tree[i].round);
        free(trees->tree[i].scratch);
    }
    free(trees->tree);
    free(trees);
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct trees *trees = calloc(1, sizeof *trees);
    int rc = 0;

    if (!trees || !(trees->tree = calloc((size_t)n + 1, sizeof *trees->tree)))
        rc = err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);
    for (int i = 0; !rc && i < n; i++)
        rc = init(&trees->tree[i], args, comm, vector[i].len, err);
    if (trees)
        trees->base.n = n;
    if (agree(comm, rc, err)) {
        if (trees)
            free_trees(&trees->base);
        return -1;
    }
    *out = &trees->base;
    return 0;
}

static const struct arg_spec specs[] = {
    {.name = "whole",
     .kind = ARG_BYTES,
     .offset = offsetof(struct tree_args, whole),
     .fallback = WHOLE_BYTES,
     .min = 0,
     .max = 1 << 30,
     .help = "of the longest vector that goes whole, in half as many rounds, bytes"},
    {0},
};

const struct allreduce_algorithm allreduce_tree = {
    .word = {"tree", "partners at distances that double; fewest messages, for short vectors",
             sizeof(struct tree_args), specs},
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = free_trees,
};
