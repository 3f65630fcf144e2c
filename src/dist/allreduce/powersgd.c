/* Matrices of gradients travel as two thin factors. For each vector, once `warmup` steps are over:
 *   1. m += what the last step lost; p = m q, of every matrix; what else is in the vector beside
 * them
 *                                                                            -> summed over ranks
 *   2. p is made orthonormal, by every rank alike; q = m^T p                 -> summed over ranks
 *   3. the sum of m is p q^T; this rank's share of what that lacks is kept for the next step
 * q is where the next step begins (warm start), which makes the steps those of a power iteration.
 * The additions of both sums and all that follows are the same on all ranks, hence the same bits.
 *
 * Cost: 2(P-1)/P * (rows + cols) * rank reals sent for a matrix in place of rows * cols; 6 * rank
 * operations for each of its numbers.
 * Memory: what is lost, one real for each number; the factors twice.
 * Source: Vogels et al. 2019, arXiv:1905.13727; the names of PyTorch's powerSGD_hook */
#include "core/base/rng.h"
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/lowrank.h"

#include <stdlib.h>
#include <string.h>

struct powersgd_args {
    int rank, warmup, by;
};

/* A matrix of a vector. */
struct power_matrix {
    struct lowrank size;
    int64_t at;   /* in the vector */
    int64_t p, q; /* of its factors, in the vectors that are summed */
};

enum power_stage { POWER_WHOLE, POWER_FIRST, POWER_SECOND, POWER_DONE };

/* The sum of one vector. */
struct power_sum {
    struct power_matrix *matrix; /* [n] */
    int n;
    real *p, *q; /* [p_len] factors, then what is in no matrix; [q_len] */
    int64_t rest, p_len, q_len;
    real *lost; /* [len of the vector], read where matrices are */
    int64_t step;
    enum power_stage stage;
};

/* What is summed by another algorithm for vector i: itself, p and q of it. */
enum { OF_WHOLE, OF_P, OF_Q, N_OF };

struct power_sums {
    struct allreduce base;
    const struct powersgd_args *args; /* borrowed */
    struct power_sum *sum;            /* [base.n] */
    struct allreduce_vector *inner;   /* [N_OF * base.n] */
    struct applied by;
    void *by_args;
    struct allreduce *sums; /* of inner */
};

static real *matrix_of(const struct power_sums *s, int i, int k) {
    return s->base.vector[i].v + s->sum[i].matrix[k].at;
}

/* What is in no matrix, from the vector to p or back. */
static void move_rest(const struct power_sums *s, int i, bool back) {
    const struct power_sum *sum = &s->sum[i];
    const struct allreduce_vector *v = &s->base.vector[i];
    real *rest = sum->p + sum->rest;
    int64_t from = 0;

    for (int k = 0; k <= sum->n; k++) {
        const struct power_matrix *m = &sum->matrix[k];
        const int64_t end = k < sum->n ? m->at : v->len;
        const size_t bytes = (size_t)(end - from) * sizeof(real);
        memcpy(back ? v->v + from : rest, back ? rest : v->v + from, bytes);
        rest += end - from;
        if (k < sum->n)
            from = m->at + m->size.rows * m->size.cols;
    }
}

static void project(const struct power_sums *s, int i) {
    const struct power_sum *sum = &s->sum[i];

    for (int k = 0; k < sum->n; k++) {
        const struct power_matrix *m = &sum->matrix[k];
        real *v = matrix_of(s, i, k);
        const real *lost = sum->lost + m->at;
        for (int64_t e = 0; e < m->size.rows * m->size.cols; e++)
            v[e] += lost[e];
        lowrank_project(&m->size, v, sum->q + m->q, sum->p + m->p);
    }
    move_rest(s, i, false);
}

static void project_back(const struct power_sums *s, int i) {
    const struct power_sum *sum = &s->sum[i];

    for (int k = 0; k < sum->n; k++) {
        const struct power_matrix *m = &sum->matrix[k];
        lowrank_orthonormalise(sum->p + m->p, m->size.rank, m->size.rows);
        lowrank_back(&m->size, matrix_of(s, i, k), sum->p + m->p, sum->q + m->q);
    }
    move_rest(s, i, true);
}

/* The numbers of rng.h for a matrix of vector i. */
static void refill(const struct power_sum *sum, int i, int k) {
    const struct power_matrix *m = &sum->matrix[k];
    const uint64_t key = rng_key(0, RNG_POWERSGD, (uint64_t)i, (uint64_t)m->at);

    lowrank_refill(&m->size, key, (uint64_t)sum->step, sum->q + m->q);
}

static void approximate(const struct power_sums *s, int i) {
    const struct power_sum *sum = &s->sum[i];

    for (int k = 0; k < sum->n; k++) {
        const struct power_matrix *m = &sum->matrix[k];
        lowrank_approximate(&m->size, sum->p + m->p, sum->q + m->q, comm_size(s->base.comm),
                            matrix_of(s, i, k), sum->lost + m->at);
        refill(sum, i, k);
    }
}

/* One of the sums of vector i that are made elsewhere is there. */
static bool arrived(struct power_sums *s, int i, int of) {
    if (!allreduce_progress(s->sums, N_OF * i + of))
        return false;
    allreduce_used(s->sums, N_OF * i + of);
    return true;
}

static bool progress(struct allreduce *a, int i) {
    struct power_sums *s = (struct power_sums *)a;
    struct power_sum *sum = &s->sum[i];

    if (sum->stage == POWER_WHOLE && arrived(s, i, OF_WHOLE))
        sum->stage = POWER_DONE;
    if (sum->stage == POWER_FIRST && arrived(s, i, OF_P)) {
        project_back(s, i);
        allreduce_start(s->sums, N_OF * i + OF_Q);
        sum->stage = POWER_SECOND;
    }
    if (sum->stage == POWER_SECOND && arrived(s, i, OF_Q)) {
        approximate(s, i);
        sum->stage = POWER_DONE;
    }
    return sum->stage == POWER_DONE;
}

static void start(struct allreduce *a, int i) {
    struct power_sums *s = (struct power_sums *)a;
    struct power_sum *sum = &s->sum[i];
    const bool whole = !sum->n || sum->step < s->args->warmup;

    sum->step++;
    sum->stage = whole ? POWER_WHOLE : POWER_FIRST;
    if (!whole)
        project(s, i);
    allreduce_start(s->sums, N_OF * i + (whole ? OF_WHOLE : OF_P));
}

/* Factors are this rank's own, but others may read the vector where it is summed whole. */
static bool writable(struct allreduce *a, int i) {
    return allreduce_writable(((struct power_sums *)a)->sums, N_OF * i + OF_WHOLE);
}

static void free_sums(struct allreduce *a) {
    struct power_sums *s = (struct power_sums *)a;

    allreduce_free(s->sums);
    for (int i = 0; s->sum && i < a->n; i++) {
        free(s->sum[i].matrix);
        free(s->sum[i].p);
        free(s->sum[i].q);
        free(s->sum[i].lost);
    }
    free(s->sum);
    free(s->inner);
    free(s->by_args);
    free(s);
}

/* Is a matrix sent as its factors? Not where they are no fewer numbers, nor by a rank alone. */
static bool is_factored(const struct power_sums *s, const struct allreduce_tensor *t) {
    return comm_size(s->base.comm) > 1 && t->rows * t->cols > (t->rows + t->cols) * s->args->rank;
}

/* Place the matrices of a vector in its factors. */
static void place(const struct power_sums *s, int i) {
    struct power_sum *sum = &s->sum[i];
    const struct allreduce_vector *v = &s->base.vector[i];
    int64_t in_matrices = 0;

    for (int k = 0; k < v->n_tensors; k++) {
        const struct allreduce_tensor *t = &v->tensor[k];
        if (!is_factored(s, t))
            continue;
        sum->matrix[sum->n++] = (struct power_matrix){
            {t->rows, t->cols, s->args->rank}, t->begin, sum->p_len, sum->q_len};
        sum->p_len += t->rows * s->args->rank;
        sum->q_len += t->cols * s->args->rank;
        in_matrices += t->rows * t->cols;
    }
    if (!sum->n)
        return;
    sum->rest = sum->p_len;
    sum->p_len += v->len - in_matrices;
}

static int plan_sum(struct power_sums *s, int i, struct err *err) {
    struct power_sum *sum = &s->sum[i];
    const struct allreduce_vector *v = &s->base.vector[i];
    struct allreduce_vector *inner = &s->inner[N_OF * i];
    bool whole = true;

    sum->matrix = calloc((size_t)v->n_tensors + 1, sizeof *sum->matrix);
    if (sum->matrix)
        place(s, i);
    if (sum->n) {
        sum->p = calloc((size_t)sum->p_len, sizeof(real));
        sum->q = calloc((size_t)sum->q_len, sizeof(real));
        sum->lost = calloc((size_t)v->len, sizeof(real));
        whole = sum->p && sum->q && sum->lost;
    }
    if (!sum->matrix || !whole)
        return err_set(err, ERR_IO, "out of memory: factors of %lld gradients", (long long)v->len);
    for (int k = 0; k < sum->n; k++)
        refill(sum, i, k);
    inner[OF_WHOLE] = *v;
    if (sum->n && !s->args->warmup)
        inner[OF_WHOLE].len = 0;
    inner[OF_WHOLE].own = true;
    inner[OF_WHOLE].n_tensors = 0;
    inner[OF_P] = (struct allreduce_vector){.v = sum->p, .len = sum->p_len, .own = true};
    inner[OF_Q] = (struct allreduce_vector){.v = sum->q, .len = sum->q_len, .own = true};
    return 0;
}

static const char *const algorithms[] = {"ring", "host", NULL};

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    struct power_sums *s = calloc(1, sizeof *s);
    int rc = s ? 0 : err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);

    if (s) {
        s->args = args;
        s->base = (struct allreduce){.comm = comm, .vector = vector, .n = n};
        s->by.word = allreduce_find(algorithms[s->args->by]);
        s->by.args = s->by_args = malloc(s->by.word->args_size);
        s->sum = calloc((size_t)n + 1, sizeof *s->sum);
        s->inner = calloc((size_t)n * N_OF + 1, sizeof *s->inner);
        if (!s->by_args || !s->sum || !s->inner)
            rc = err_set(err, ERR_IO, "out of memory: %d sums over ranks", n);
        else
            word_defaults(s->by.word, s->by_args);
    }
    for (int i = 0; !rc && i < n; i++)
        rc = plan_sum(s, i, err);
    if (agree(comm, rc, err) || allreduce_new(&s->sums, comm, &s->by, s->inner, N_OF * n, err)) {
        if (s)
            free_sums(&s->base);
        return -1;
    }
    *out = &s->base;
    return 0;
}

#define AT(member) offsetof(struct powersgd_args, member)

static const struct arg_spec specs[] = {
    {.name = "rank",
     .kind = ARG_INT,
     .offset = AT(rank),
     .fallback = 4,
     .min = 1,
     .max = 1024,
     .help = "columns of the factors; matrices that are no larger than these travel whole"},
    {.name = "warmup",
     .kind = ARG_INT,
     .offset = AT(warmup),
     .fallback = 1000,
     .min = 0,
     .max = 1 << 30,
     .help = "steps in which everything travels whole, counted from where the run goes on"},
    {.name = "by",
     .kind = ARG_WORD,
     .offset = AT(by),
     .words = algorithms,
     .help = "how factors are summed"},
    {0},
};

const struct allreduce_algorithm allreduce_powersgd = {
    .word = {"powersgd", "matrices as two thin factors; what they lack goes with the next step's",
             sizeof(struct powersgd_args), specs},
    .plan = plan,
    .start = start,
    .progress = progress,
    .writable = writable,
    .free = free_sums,
    .wants_tensors = true,
};
