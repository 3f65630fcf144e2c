/* terms_errors.c - the standard errors of means, and of what is computed from them. */
#include "dist/agree.h"
#include "dist/fold.h"
#include "train/terms.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST_SAMPLES = 2 };

/* A sum over all samples: of each shard by itself, where the order of additions is to be that of
 * any number of ranks. */
struct error_sums {
    double *row; /* [rows][len] */
    int rows;
    int64_t len;
};

static int sums_init(struct error_sums *a, const struct terms_totals *totals, int64_t len,
                     struct comm *comm, struct err *err) {
    a->rows = totals->shards ? totals->shards : 1;
    a->len = len;
    a->row = calloc((size_t)(a->rows * len) + 1, sizeof *a->row);
    return agree(comm, a->row ? 0 : err_set(err, ERR_IO, "no memory for errors of measures"), err);
}

/* The first row becomes the sum of all, of all ranks. */
static void sums_finish(struct error_sums *a, const struct terms_totals *totals,
                        struct comm *comm) {
    comm_sum_doubles(comm, a->row, (int)(a->rows * a->len));
    if (totals->shards)
        fold_rows(a->row, a->rows, a->len);
}

/* Sums over samples of what the error of each number of each leaf follows from. */
struct error_squares {
    struct error_sums table;
    int64_t n_values;
    const double *s2, *sw; /* [n_values] of s^2, of s w */
    const double *w2, *n;  /* [n_leaves] of w^2; of samples that count */
};

static void add_sample(const struct terms *t, int leaf, int64_t i, double *row, int64_t n_values) {
    const struct terms_leaf *l = &t->leaf[leaf];
    const int64_t at = t->plan->leaf_at[leaf];
    const double w = l->count[i];

    for (int64_t k = i ? l->end[i - 1] : 0; k < l->end[i]; k++) {
        const double s = (double)l->value[k];
        row[at + l->at[k]] += s * s;
        row[n_values + at + l->at[k]] += s * w;
    }
    row[2 * n_values + leaf] += w * w;
    row[2 * n_values + t->plan->n_leaves + leaf] += w > 0;
}

/* Collective. */
static int sum_squares(const struct terms *t, const struct terms_totals *totals, struct comm *comm,
                       struct error_squares *q, struct err *err) {
    const int n_leaves = t->plan->n_leaves;
    const int64_t n = plan_n_values(t->plan);

    if (sums_init(&q->table, totals, 2 * (n + n_leaves), comm, err))
        return -1;
    for (int leaf = 0; leaf < n_leaves; leaf++)
        for (int64_t i = 0; t->leaf[leaf].kept && i < t->n; i++)
            add_sample(t, leaf, i, q->table.row + t->shard[i] * q->table.len, n);
    sums_finish(&q->table, totals, comm);
    q->n_values = n;
    q->s2 = q->table.row, q->sw = q->s2 + n;
    q->w2 = q->sw + n, q->n = q->w2 + n_leaves;
    return 0;
}

/* Of number k of a leaf. */
static double error_of_mean(const struct terms *t, const struct terms_totals *totals,
                            const struct error_squares *q, int leaf, int64_t k) {
    const int64_t at = t->plan->leaf_at[leaf] + k;
    const double w = totals->terms[leaf], mean = totals->sums[at] / w;
    const double square = q->s2[at] - 2 * mean * q->sw[at] + mean * mean * q->w2[leaf];

    return square > 0 ? sqrt(square) / w : square <= 0 ? 0 : (double)NAN;
}

/* How a measure follows the means: slopes[n_values], and for each leaf their sum with its means. */
struct error_slopes {
    double *slope, *with_means;
};

/* A tenth of the error of what is moved, which is where the slope is asked for; no larger than a
 * tenth of it, as a rare class would look otherwise, and no smaller than numbers are told apart. */
static double step_along(double mean, double error) {
    const double least = 1e-4 * fabs(mean), most = 0.1 * fabs(mean);
    const double step = 0.1 * error > least ? 0.1 * error : least;

    return step > most && most > 0 ? most : step;
}

static void find_slopes(const struct terms *t, const struct terms_totals *totals,
                        const struct error_squares *q, int node, struct error_slopes *s) {
    struct plan *p = t->plan;

    for (int leaf = 0; leaf < p->n_leaves; leaf++) {
        const bool used = run_depends(p, node, leaf);

        s->with_means[leaf] = 0;
        for (int64_t k = 0; k < t->leaf[leaf].len; k++) {
            const int64_t at = p->leaf_at[leaf] + k;
            const double error = used ? error_of_mean(t, totals, q, leaf, k) : 0;
            const double mean = totals->sums[at] / totals->terms[leaf];

            s->slope[at] = error > 0 ? run_slope(p, node, leaf, k, step_along(mean, error)) : 0;
            s->with_means[leaf] += used ? s->slope[at] * mean : 0;
        }
    }
}

/* What a sample moves the measure by. */
static double influence(const struct terms *t, const struct terms_totals *totals,
                        const struct error_slopes *s, int64_t i) {
    double sum = 0;

    for (int leaf = 0; leaf < t->plan->n_leaves; leaf++) {
        const struct terms_leaf *l = &t->leaf[leaf];
        double of_leaf = 0;

        if (!l->kept || !(totals->terms[leaf] > 0))
            continue;
        for (int64_t k = i ? l->end[i - 1] : 0; k < l->end[i]; k++)
            of_leaf += s->slope[t->plan->leaf_at[leaf] + l->at[k]] * (double)l->value[k];
        sum += (of_leaf - l->count[i] * s->with_means[leaf]) / totals->terms[leaf];
    }
    return sum;
}

/* Is all that a node is computed from kept, and of enough samples? */
static bool has_error(const struct terms *t, const struct terms_totals *totals,
                      const struct error_squares *q, int node) {
    bool all = true;

    for (int leaf = 0; leaf < t->plan->n_leaves; leaf++)
        if (run_depends(t->plan, node, leaf))
            all = all && t->leaf[leaf].kept && totals->terms[leaf] > 0 &&
                  q->n[leaf] >= FEWEST_SAMPLES;
    return all;
}

static int leaf_of(const struct plan *p, int node) {
    for (int leaf = 0; leaf < p->n_leaves; leaf++)
        if (p->leaves[leaf] == node)
            return leaf;
    return -1;
}

/* By the delta method: the root of the sum of squares of what each sample moves it by. Column
 * `column` of *squares. */
static void add_influences(const struct terms *t, const struct terms_totals *totals,
                           const struct error_slopes *s, struct error_sums *squares, int column) {
    for (int64_t i = 0; i < t->n; i++) {
        const double by = influence(t, totals, s, i);
        squares->row[t->shard[i] * squares->len + column] += by * by;
    }
}

/* Of those nodes that are no means themselves. Collective. */
static int errors_of_others(const struct terms *t, const struct terms_totals *totals,
                            const struct error_squares *q, struct comm *comm, const int *node,
                            int n, double *error, struct err *err) {
    const int64_t n_values = plan_n_values(t->plan);
    double *memory = calloc((size_t)(n_values + t->plan->n_leaves) + 1, sizeof *memory);
    struct error_slopes slopes = {memory, memory + n_values};
    struct error_sums squares = {0};
    int rc = memory ? 0 : err_set(err, ERR_IO, "no memory for errors of measures");

    rc = agree(comm, rc, err) || sums_init(&squares, totals, n, comm, err) ? -1 : 0;
    for (int m = 0; m < n && !rc; m++)
        if (leaf_of(t->plan, node[m]) < 0 && has_error(t, totals, q, node[m])) {
            find_slopes(t, totals, q, node[m], &slopes);
            add_influences(t, totals, &slopes, &squares, m);
        }
    if (!rc)
        sums_finish(&squares, totals, comm);
    for (int m = 0; m < n && !rc; m++)
        if (leaf_of(t->plan, node[m]) < 0 && has_error(t, totals, q, node[m]))
            error[m] = sqrt(squares.row[m]);
    free(squares.row);
    free(memory);
    return rc;
}

int terms_errors(struct terms *t, const struct terms_totals *totals, struct comm *comm,
                 const int *node, int n, double *error, struct err *err) {
    struct error_squares q = {0};
    int rc = sum_squares(t, totals, comm, &q, err);

    for (int m = 0; m < n && !rc; m++) {
        const int leaf = leaf_of(t->plan, node[m]);

        error[m] = leaf >= 0 && has_error(t, totals, &q, node[m])
                       ? error_of_mean(t, totals, &q, leaf, 0)
                       : (double)NAN;
    }
    if (!rc)
        rc = errors_of_others(t, totals, &q, comm, node, n, error, err);
    free(q.table.row);
    return rc;
}
