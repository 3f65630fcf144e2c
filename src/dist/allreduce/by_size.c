/* Short vectors are summed by one algorithm, long ones by another. */
#include "dist/allreduce/by_size.h"
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"

#include <stdlib.h>

/* Where a vector went. */
struct by_size_place {
    int part, i;
};

struct by_size {
    struct allreduce base;
    struct by_size_place *place;        /* [base.n] */
    struct allreduce_vector *vector[2]; /* of small, of large */
    struct allreduce *part[2];          /* NULL: it has no vectors */
};

static struct by_size *of(const struct allreduce *a) {
    return (struct by_size *)(uintptr_t)a;
}

static void start(struct allreduce *a, int i) {
    const struct by_size_place p = of(a)->place[i];

    allreduce_start(of(a)->part[p.part], p.i);
}

static bool progress(struct allreduce *a, int i) {
    const struct by_size_place p = of(a)->place[i];

    return allreduce_progress(of(a)->part[p.part], p.i);
}

static const real *sum(const struct allreduce *a, int i) {
    const struct by_size_place p = of(a)->place[i];

    return allreduce_sum(of(a)->part[p.part], p.i);
}

static void used(struct allreduce *a, int i) {
    const struct by_size_place p = of(a)->place[i];

    allreduce_used(of(a)->part[p.part], p.i);
}

static bool writable(struct allreduce *a, int i) {
    const struct by_size_place p = of(a)->place[i];

    return allreduce_writable(of(a)->part[p.part], p.i);
}

static void forget(struct allreduce *a) {
    for (int k = 0; k < 2; k++)
        if (of(a)->part[k])
            allreduce_forget(of(a)->part[k]);
}

static void free_parts(struct allreduce *a) {
    struct by_size *b = of(a);

    for (int k = 0; k < 2; k++) {
        allreduce_free(b->part[k]);
        free(b->vector[k]);
    }
    free(b->place);
    free(b);
}

static struct by_size *allocate(int n) {
    struct by_size *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->place = calloc((size_t)n + 1, sizeof *b->place);
    for (int k = 0; k < 2; k++)
        b->vector[k] = calloc((size_t)n + 1, sizeof *b->vector[k]);
    if (b->place && b->vector[0] && b->vector[1])
        return b;
    free_parts(&b->base);
    return NULL;
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    const struct by_size_args *wanted = args;
    const struct applied *algorithm[2] = {&wanted->small, &wanted->large};
    struct by_size *b = allocate(n);
    int n_in[2] = {0};

    if (agree(comm, b ? 0 : err_set(err, ERR_IO, "out of memory: %d sums over ranks", n), err)) {
        if (b)
            free_parts(&b->base);
        return -1;
    }
    for (int i = 0; i < n; i++) {
        const int k = vector[i].len * (int64_t)sizeof(real) > wanted->limit;
        b->place[i] = (struct by_size_place){k, n_in[k]};
        b->vector[k][n_in[k]++] = vector[i];
    }
    for (int k = 0; k < 2; k++)
        if (n_in[k] && allreduce_new(&b->part[k], comm, algorithm[k], b->vector[k], n_in[k], err)) {
            free_parts(&b->base);
            return -1;
        }
    *out = &b->base;
    return 0;
}

static const struct arg_spec specs[] = {
    {.name = "small",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct by_size_args, small),
     .required = true,
     .find = allreduce_find,
     .at = allreduce_word,
     .help = "how vectors up to limit are summed"},
    {.name = "large",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct by_size_args, large),
     .required = true,
     .find = allreduce_find,
     .at = allreduce_word,
     .help = "how longer ones are"},
    {.name = "limit",
     .kind = ARG_BYTES,
     .offset = offsetof(struct by_size_args, limit),
     .required = true,
     .min = 0,
     .max = 0x1p52,
     .help = "of the longest vector that is small, bytes"},
    {0},
};

const struct allreduce_algorithm allreduce_by_size = {
    .word = {"by_size", "one algorithm for short vectors, another for long ones",
             sizeof(struct by_size_args), specs},
    .plan = plan,
    .start = start,
    .progress = progress,
    .sum = sum,
    .used = used,
    .writable = writable,
    .forget = forget,
    .free = free_parts,
};
