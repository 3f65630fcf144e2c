#include "dist/allreduce/allreduce.h"
#include "core/base/clock.h"
#include "dist/agree.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define ALLREDUCE(name) extern const struct allreduce_algorithm allreduce_##name;
#include "dist/allreduce/algorithms.def"
#undef ALLREDUCE

static const struct allreduce_algorithm *const table[] = {
#define ALLREDUCE(name) &allreduce_##name,
#include "dist/allreduce/algorithms.def"
#undef ALLREDUCE
};

const struct word *allreduce_word(int i) {
    return i >= 0 && (size_t)i < sizeof table / sizeof *table ? &table[i]->word : NULL;
}

const struct word *allreduce_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return &table[i]->word;
    return NULL;
}

static const struct allreduce_algorithm *algorithm_of(const struct applied *algorithm) {
    return (const struct allreduce_algorithm *)(const void *)algorithm->word;
}

static bool packs(const struct allreduce_algorithm *a) {
    return a->packs;
}

static bool wants_tensors(const struct allreduce_algorithm *a) {
    return a->wants_tensors;
}

static bool wants_home(const struct allreduce_algorithm *a) {
    return a->wants_home;
}

/* Does that hold of an algorithm, or of one that it is applied to? */
static bool holds(bool (*of)(const struct allreduce_algorithm *a),
                  const struct applied *algorithm) {
    const struct word *word = algorithm->word;
    bool yes = word && of(algorithm_of(algorithm));

    for (const struct arg_spec *a = word ? word->args : NULL; a && a->name && !yes; a++)
        if (a->kind == ARG_APPLIED && a->find == allreduce_find)
            yes = holds(of, (const struct applied *)(const void *)((const char *)algorithm->args +
                                                                   a->offset));
    return yes;
}

bool allreduce_packs(const struct applied *algorithm) {
    return holds(packs, algorithm);
}

bool allreduce_wants_tensors(const struct applied *algorithm) {
    return holds(wants_tensors, algorithm);
}

bool allreduce_wants_home(const struct applied *algorithm) {
    return holds(wants_home, algorithm);
}

struct applied allreduce_plain(struct pool *pool) {
    const struct word *word = allreduce_find("ring");
    void *args = pool_take(pool, word->args_size);

    word_defaults(word, args);
    return (struct applied){word, args};
}

static size_t bytes_of(enum arg_kind kind) {
    switch (kind) {
    case ARG_BYTES:
        return sizeof(int64_t);
    case ARG_REAL:
        return sizeof(double);
    case ARG_INTS:
    case ARG_INTS_OR_WORD:
        return sizeof(struct ints);
    default:
        return sizeof(int);
    }
}

/* Of a word and all its arguments: not of addresses, which ranks have of their own. */
static uint64_t hash(const struct applied *applied, uint64_t seed) {
    const struct word *word = applied->word;
    uint64_t h = word ? XXH3_64bits_withSeed(word->name, strlen(word->name), seed) : seed;

    for (const struct arg_spec *a = word ? word->args : NULL; a && a->name; a++) {
        const void *at = (const char *)applied->args + a->offset;
        const struct reals *reals = at;
        switch (a->kind) {
        case ARG_APPLIED:
            h = hash(at, h);
            break;
        case ARG_REALS:
            h = XXH3_64bits_withSeed(reals->v, (size_t)reals->n * sizeof *reals->v, h);
            break;
        default:
            h = XXH3_64bits_withSeed(at, bytes_of(a->kind), h);
        }
    }
    return h;
}

/* What ranks must have in common. */
struct fingerprint {
    uint64_t algorithm, n, lengths, wires;
};

static struct fingerprint fingerprint_of(const struct applied *algorithm,
                                         const struct allreduce_vector *vector, int n) {
    struct fingerprint f = {.algorithm = hash(algorithm, 0), .n = (uint64_t)n};

    for (int i = 0; i < n; i++) {
        f.wires = vector[i].wire ? hash(vector[i].wire, f.wires) : f.wires;
        f.lengths = XXH3_64bits_withSeed(&vector[i].len, sizeof vector[i].len, f.lengths);
        f.lengths = XXH3_64bits_withSeed(
            vector[i].tensor, (size_t)vector[i].n_tensors * sizeof *vector[i].tensor, f.lengths);
    }
    return f;
}

/* Sums of other vectors on some rank would wait for ever. */
static int compare(struct comm *comm, const struct fingerprint *mine, struct err *err) {
    struct fingerprint first = *mine;
    int rc = 0;

    comm_bcast(comm, &first, sizeof first, 0);
    if (memcmp(mine, &first, sizeof first))
        rc = err_set(err, ERR_CONFIG,
                     "the sum of gradients over ranks is planned otherwise than on rank 0: %s",
                     mine->algorithm != first.algorithm ? "by another algorithm"
                     : mine->n != first.n               ? "another number of vectors"
                     : mine->lengths != first.lengths   ? "vectors of other lengths"
                                                        : "packed otherwise on their way");
    return agree(comm, rc, err);
}

int allreduce_new(struct allreduce **out, struct comm *comm, const struct applied *algorithm,
                  const struct allreduce_vector *vector, int n, struct err *err) {
    const struct allreduce_algorithm *found = algorithm_of(algorithm);
    const struct fingerprint mine = fingerprint_of(algorithm, vector, n);
    struct allreduce *a;

    if (compare(comm, &mine, err) || found->plan(&a, algorithm->args, comm, vector, n, err))
        return -1;
    if (!found->measures) {
        a->algorithm = found;
        a->applied = *algorithm;
    }
    a->comm = comm;
    a->vector = vector;
    a->n = n;
    *out = a;
    return 0;
}

void allreduce_free(struct allreduce *a) {
    if (!a)
        return;
    void *kept = a->kept;
    a->algorithm->free(a);
    free(kept);
}

void allreduce_start(struct allreduce *a, int i) {
    a->algorithm->start(a, i);
}

bool allreduce_progress(struct allreduce *a, int i) {
    return a->algorithm->progress(a, i);
}

const real *allreduce_sum(const struct allreduce *a, int i) {
    return a->algorithm->sum ? a->algorithm->sum(a, i) : a->vector[i].v;
}

void allreduce_used(struct allreduce *a, int i) {
    if (a->algorithm->used)
        a->algorithm->used(a, i);
}

bool allreduce_writable(struct allreduce *a, int i) {
    return !a->algorithm->writable || a->algorithm->writable(a, i);
}

void allreduce_forget(struct allreduce *a) {
    if (a->algorithm->forget)
        a->algorithm->forget(a);
}

void allreduce_run(struct allreduce *a, int i) {
    allreduce_start(a, i);
    while (!allreduce_progress(a, i))
        sched_yield(); /* there may be more ranks than processors */
    allreduce_used(a, i);
}

double allreduce_time(struct allreduce *a, int i) {
    const double begin = clock_now();

    allreduce_run(a, i);
    while (!allreduce_writable(a, i))
        sched_yield();
    return clock_now() - begin;
}
