#include "dist/allreduce/allreduce.h"
#include "dist/agree.h"

#include <sched.h>
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

bool allreduce_packs(const struct applied *algorithm) {
    return algorithm_of(algorithm)->packs;
}

bool allreduce_wants_tensors(const struct applied *algorithm) {
    return algorithm_of(algorithm)->wants_tensors;
}

/* What ranks must have in common. */
struct fingerprint {
    uint64_t algorithm, n, lengths, wires;
};

/* Of a word and its arguments. */
static uint64_t hash_of(const struct applied *applied) {
    const struct word *word = applied ? applied->word : NULL;

    return word ? XXH3_64bits_withSeed(applied->args, word->args_size,
                                       XXH3_64bits(word->name, strlen(word->name)))
                : 0;
}

static struct fingerprint fingerprint_of(const struct applied *algorithm,
                                         const struct allreduce_vector *vector, int n) {
    struct fingerprint f = {.algorithm = hash_of(algorithm), .n = (uint64_t)n};

    for (int i = 0; i < n; i++) {
        const uint64_t wire = hash_of(vector[i].wire);
        f.lengths = XXH3_64bits_withSeed(&vector[i].len, sizeof vector[i].len, f.lengths);
        f.lengths = XXH3_64bits_withSeed(
            vector[i].tensor, (size_t)vector[i].n_tensors * sizeof *vector[i].tensor, f.lengths);
        f.wires = XXH3_64bits_withSeed(&wire, sizeof wire, f.wires);
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
    a->algorithm = found;
    a->comm = comm;
    a->vector = vector;
    a->n = n;
    *out = a;
    return 0;
}

void allreduce_free(struct allreduce *a) {
    if (a)
        a->algorithm->free(a);
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

void allreduce_run(struct allreduce *a, int i) {
    allreduce_start(a, i);
    while (!allreduce_progress(a, i))
        sched_yield(); /* there may be more ranks than processors */
    allreduce_used(a, i);
}
