/* The sum along the tree of dist/fold.h, whatever the number of ranks: each brings the pieces that
 * its leaves make up, and each owns a slice of the vector, 1/P of it.
 *   1. every rank sends to each other that one's slice of its pieces
 *   2. who has them all folds its slice, pieces in order of their leaves
 *   3. and sends it to all the others
 * A rank goes on from one stage to the next by itself. Between two ranks messages arrive in the
 * order sent: pieces, then the sum, then the pieces of the next step.
 *
 * Cost: 2(P-1)/P * len reals sent per rank where it has one piece, and (P-1)/P * len for each more;
 * P-1 messages in each direction for each piece and for the sum.
 * Memory: the slices that arrive: (P-1)/P * len reals where ranks have one piece each. */
#include "dist/fold.h"
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1024 }; /* of reals, that all pieces are folded of at a time */

/* Pieces of one rank among those of all, and its slice of the vector. */
struct fold_rank {
    int first, n;
    int64_t begin, len;
};

/* Piece `right` is added to piece `left`. */
struct fold_merge {
    int left, right;
};

/* Messages under way with one other rank. */
struct fold_peer {
    struct comm_request *sent; /* [pieces of this rank + 1], the last of the sum */
    struct comm_request *come; /* [pieces of that rank + 1] */
};

enum fold_stage { FOLD_GATHERS, FOLD_SPREADS, FOLD_DONE };

struct fold_sum {
    const struct allreduce_vector *vector;
    struct fold_rank *rank; /* [size] */
    struct fold_peer *peer; /* [size] */
    real **piece;           /* [n_pieces] this rank's slice of each piece, where it is */
    struct fold_merge *merge;
    int n_pieces; /* of all ranks; one merge less */
    real *arrived;
    struct comm_request *requests;
    int tag;
    enum fold_stage stage;
};

struct fold_sums {
    struct allreduce base;
    struct fold_sum *sum; /* [base.n] */
};

/* Piece number k of this rank, from `begin` on. */
static real *own_piece(const struct allreduce_vector *v, int k, int n, int64_t begin) {
    return (k + 1 < n ? v->partial + k * v->partial_stride : v->v) + begin;
}

static void start(struct allreduce *a, int i) {
    struct fold_sum *s = &((struct fold_sums *)a)->sum[i];
    const struct fold_rank *mine = &s->rank[comm_rank(a->comm)];

    s->stage = FOLD_GATHERS;
    for (int d = 1; d < comm_size(a->comm); d++) { /* each rank begins with its neighbour */
        const int other = (comm_rank(a->comm) + d) % comm_size(a->comm);
        const struct fold_rank *r = &s->rank[other];
        for (int k = 0; k < r->n; k++)
            comm_irecv(a->comm, s->piece[r->first + k], (size_t)mine->len * sizeof(real), other,
                       s->tag, &s->peer[other].come[k]);
        for (int k = 0; k < mine->n; k++)
            comm_isend(a->comm, own_piece(s->vector, k, mine->n, r->begin),
                       (size_t)r->len * sizeof(real), other, s->tag, &s->peer[other].sent[k]);
    }
}

/* Have n messages with each other rank been passed on? */
static bool all_there(struct comm *comm, const struct fold_sum *s, bool sums) {
    const int own = s->rank[comm_rank(comm)].n;
    bool there = true;

    for (int r = 0; r < comm_size(comm); r++) {
        const int theirs = s->rank[r].n;
        if (r == comm_rank(comm))
            continue;
        for (int k = 0; k < own + sums; k++)
            there = comm_test(comm, &s->peer[r].sent[k]) && there;
        for (int k = 0; k < theirs + sums; k++)
            there = comm_test(comm, &s->peer[r].come[k]) && there;
    }
    return there;
}

/* This rank's slice becomes the sum, in v. Its own pieces are used up. */
static void fold_slice(struct fold_sum *s, const struct fold_rank *mine) {
    for (int64_t at = 0; at < mine->len; at += BLOCK) {
        const int64_t here = mine->len - at < BLOCK ? mine->len - at : BLOCK;
        for (int m = 0; m + 1 < s->n_pieces; m++) {
            real *left = s->piece[s->merge[m].left] + at;
            fold_into(s->piece[s->merge[m].right] + at, left, 0, 1, here, left);
        }
        memmove(s->vector->v + mine->begin + at, s->piece[0] + at, (size_t)here * sizeof(real));
    }
}

/* What is received here has left before: everything has. */
static void spread(struct comm *comm, struct fold_sum *s) {
    const struct fold_rank *mine = &s->rank[comm_rank(comm)];

    fold_slice(s, mine);
    for (int d = 1; d < comm_size(comm); d++) {
        const int other = (comm_rank(comm) + d) % comm_size(comm);
        const struct fold_rank *r = &s->rank[other];
        comm_irecv(comm, s->vector->v + r->begin, (size_t)r->len * sizeof(real), other, s->tag,
                   &s->peer[other].come[r->n]);
        comm_isend(comm, s->vector->v + mine->begin, (size_t)mine->len * sizeof(real), other,
                   s->tag, &s->peer[other].sent[mine->n]);
    }
}

static bool progress(struct allreduce *a, int i) {
    struct fold_sum *s = &((struct fold_sums *)a)->sum[i];

    if (s->stage == FOLD_GATHERS && all_there(a->comm, s, false)) {
        spread(a->comm, s);
        s->stage = FOLD_SPREADS;
    }
    if (s->stage == FOLD_SPREADS && all_there(a->comm, s, true))
        s->stage = FOLD_DONE;
    return s->stage == FOLD_DONE;
}

static void free_sums(struct allreduce *a) {
    struct fold_sums *sums = (struct fold_sums *)a;

    for (int i = 0; sums->sum && i < a->n; i++) {
        free(sums->sum[i].rank);
        free(sums->sum[i].peer);
        free(sums->sum[i].piece);
        free(sums->sum[i].merge);
        free(sums->sum[i].arrived);
        free(sums->sum[i].requests);
    }
    free(sums->sum);
    free(sums);
}

/* The pieces of all ranks from left to right into piece[], where there is room for them; how many
 * each has. Returns their number. */
static int list_pieces(const struct comm *comm, const struct allreduce_vector *v,
                       struct fold_rank *rank, struct fold_piece *piece) {
    const int size = comm_size(comm), leaves = v->shards ? v->shards : size;
    struct fold_piece own[FOLD_MAX_PIECES];
    int n = 0;

    for (int r = 0; r < size; r++) {
        const int64_t begin = v->len * r / size, end = v->len * (r + 1) / size;
        const int more =
            fold_pieces(leaves, fold_first(leaves, r, size), fold_first(leaves, r + 1, size), own);
        rank[r] = (struct fold_rank){n, more, begin, end - begin};
        if (piece)
            memcpy(piece + n, own, (size_t)more * sizeof *piece);
        n += more;
    }
    return n;
}

/* Which pieces are added to which, until all are in the first. */
static void list_merges(struct fold_sum *s, struct fold_piece *piece, int *stack) {
    int depth = 0, m = 0;

    for (int k = 0; k < s->n_pieces; k++) {
        stack[depth++] = k;
        for (; depth > 1 && fold_fit(&piece[stack[depth - 2]], &piece[stack[depth - 1]]); depth--) {
            s->merge[m++] = (struct fold_merge){stack[depth - 2], stack[depth - 1]};
            piece[stack[depth - 2]].width *= 2;
        }
    }
}

/* Where slices are and what announces them, once there is memory. */
static void place(const struct comm *comm, struct fold_sum *s) {
    const int rank = comm_rank(comm);
    const struct fold_rank *mine = &s->rank[rank];
    struct comm_request *next = s->requests;
    real *arrived = s->arrived;

    for (int r = 0; r < comm_size(comm); r++) {
        const struct fold_rank *theirs = &s->rank[r];
        s->peer[r] = (struct fold_peer){next, next + mine->n + 1};
        next += mine->n + 1 + theirs->n + 1;
        for (int k = 0; k < theirs->n; k++) {
            s->piece[theirs->first + k] =
                r == rank ? own_piece(s->vector, k, mine->n, mine->begin) : arrived;
            arrived += r == rank ? 0 : mine->len;
        }
    }
}

static int plan_sum(struct fold_sum *s, struct comm *comm, const struct allreduce_vector *v,
                    struct err *err) {
    const size_t size = (size_t)comm_size(comm);
    struct fold_piece *piece = NULL;
    int *stack = NULL;

    if (size > 1 && v->len / (int64_t)size >= INT_MAX / (int64_t)sizeof(real))
        return err_set(
            err, ERR_CONFIG,
            "a bucket of %lld numbers is too long for %zu ranks to fold: slices of 2 GiB "
            "are no messages; expected a smaller [dist] bucket",
            (long long)v->len, size);
    *s = (struct fold_sum){.vector = v, .rank = calloc(size, sizeof *s->rank)};
    if (s->rank) {
        s->n_pieces = list_pieces(comm, v, s->rank, NULL);
        const struct fold_rank *mine = &s->rank[comm_rank(comm)];
        const size_t n = (size_t)s->n_pieces, others = n - (size_t)mine->n;
        s->peer = calloc(size, sizeof *s->peer);
        s->piece = calloc(n, sizeof *s->piece);
        s->merge = calloc(n, sizeof *s->merge);
        s->arrived = calloc(others * (size_t)mine->len + 1, sizeof *s->arrived);
        s->requests = calloc(size * ((size_t)mine->n + 2) + n, sizeof *s->requests);
        piece = calloc(n, sizeof *piece);
        stack = calloc(n, sizeof *stack);
    }
    const bool fits =
        s->rank && s->peer && s->piece && s->merge && s->arrived && s->requests && piece && stack;
    if (fits) {
        list_pieces(comm, v, s->rank, piece);
        list_merges(s, piece, stack);
        place(comm, s);
    }
    free(piece);
    free(stack);
    if (!fits)
        return err_set(err, ERR_IO, "out of memory: the sum of %lld numbers over ranks",
                       (long long)v->len);
    return comm_take_tags(comm, 1, &s->tag, err);
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct fold_sums *sums = calloc(1, sizeof *sums);
    int rc = 0;

    (void)args;
    if (!sums || !(sums->sum = calloc((size_t)n + 1, sizeof *sums->sum)))
        rc = err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);
    for (int i = 0; !rc && i < n; i++)
        rc = plan_sum(&sums->sum[i], comm, &vector[i], err);
    if (sums)
        sums->base.n = n;
    if (agree(comm, rc, err)) {
        if (sums)
            free_sums(&sums->base);
        return -1;
    }
    *out = &sums->base;
    return 0;
}

const struct allreduce_algorithm allreduce_fold = {
    .word = {"fold", "along one tree: the same bits on whatever hosts; see reduction", 0, NULL},
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = free_sums,
};
