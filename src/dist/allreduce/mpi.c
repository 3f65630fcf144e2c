/* The all-reduce of the MPI library. Each vector has a comm of its own: on one, all ranks would
 * have to start the sums in the same order. */
#include "dist/allreduce/allreduce.h"
#include "dist/agree.h"

#include <limits.h>
#include <stdlib.h>

/* The sum of one vector. */
struct mpi_sum {
    struct comm *comm; /* its own */
    struct comm_request request;
};

struct mpi_sums {
    struct allreduce base;
    struct mpi_sum *sum; /* [base.n] */
};

static void start(struct allreduce *a, int i) {
    struct mpi_sum *sum = &((struct mpi_sums *)a)->sum[i];

    comm_isum(sum->comm, a->vector[i].v, a->vector[i].len, &sum->request);
}

static bool progress(struct allreduce *a, int i) {
    struct mpi_sum *sum = &((struct mpi_sums *)a)->sum[i];

    return comm_test(sum->comm, &sum->request);
}

static void free_sums(struct allreduce *a) {
    struct mpi_sums *sums = (struct mpi_sums *)a;

    for (int i = 0; i < a->n; i++)
        comm_free(sums->sum[i].comm);
    free(sums->sum);
    free(sums);
}

/* MPI counts in int. */
static int check(const struct allreduce_vector *vector, int n, struct err *err) {
    for (int i = 0; i < n; i++)
        if (vector[i].len > INT_MAX)
            return err_set(err, ERR_CONFIG, "mpi: a vector of %lld numbers, expected at most %d",
                           (long long)vector[i].len, INT_MAX);
    return 0;
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct mpi_sums *sums = calloc(1, sizeof *sums);

    (void)args;
    if (sums)
        sums->sum = calloc((size_t)n + 1, sizeof *sums->sum);
    const int rc = sums && sums->sum ? check(vector, n, err)
                                     : err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);
    if (agree(comm, rc, err)) {
        if (sums)
            free(sums->sum);
        free(sums);
        return -1;
    }
    sums->base.n = n;
    for (int i = 0; i < n; i++)
        sums->sum[i].comm = comm_split(comm, 0);
    *out = &sums->base;
    return 0;
}

const struct allreduce_algorithm allreduce_mpi = {
    .word = {"mpi", "as the MPI library does it; it is free to give ranks different bits", 0, NULL},
    .plan = plan,
    .start = start,
    .progress = progress,
    .free = free_sums,
};
