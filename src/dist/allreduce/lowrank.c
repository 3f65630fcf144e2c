#include "dist/allreduce/lowrank.h"
#include "core/base/rng.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { LANES = 16 }; /* partial sums side by side, which the compiler turns into vector code */

static real dot(const real *restrict a, const real *restrict b, int64_t len) {
    real lane[LANES] = {0}, sum = 0;
    int64_t i = 0;

    for (; i + LANES <= len; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += a[i + k] * b[i + k];
    for (; i < len; i++)
        sum += a[i] * b[i];
    for (int k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

static double dot_double(const real *a, const real *b, int64_t len) {
    double sum = 0;

    for (int64_t i = 0; i < len; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* y += factor * x */
static void add_multiple(real *restrict y, real factor, const real *restrict x, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        y[i] += factor * x[i];
}

void lowrank_project(const struct lowrank *l, const real *m, const real *q, real *p) {
    for (int64_t i = 0; i < l->rows; i++)
        for (int k = 0; k < l->rank; k++)
            p[k * l->rows + i] = dot(m + i * l->cols, q + k * l->cols, l->cols);
}

/* Make v a unit vector, or 0 where less is left than rounding of what was `before` leaves. */
static void normalise(real *v, int64_t len, double before) {
    const double rounding = 1e-6, norm = sqrt(dot_double(v, v, len));
    const real factor = norm <= rounding * before || norm <= 0 ? 0 : (real)(1 / norm);

    for (int64_t i = 0; i < len; i++)
        v[i] *= factor;
}

void lowrank_orthonormalise(real *v, int n, int64_t len) {
    for (int k = 0; k < n; k++) {
        real *column = v + k * len;
        const double before = sqrt(dot_double(column, column, len));
        for (int j = 0; j < k; j++)
            add_multiple(column, (real)-dot_double(column, v + j * len, len), v + j * len, len);
        normalise(column, len, before);
    }
}

void lowrank_back(const struct lowrank *l, const real *m, const real *p, real *q) {
    memset(q, 0, (size_t)(l->rank * l->cols) * sizeof *q);
    for (int64_t i = 0; i < l->rows; i++)
        for (int k = 0; k < l->rank; k++)
            add_multiple(q + k * l->cols, p[k * l->rows + i], m + i * l->cols, l->cols);
}

static void zero_not_finite(real *row, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        row[i] = fabsf((float)row[i]) <= FLT_MAX ? row[i] : 0;
}

void lowrank_approximate(const struct lowrank *l, const real *p, const real *q, int n_ranks,
                         real *m, real *error) {
    const real share = 1 / (real)n_ranks;

    for (int64_t i = 0; i < l->rows; i++) {
        real *row = m + i * l->cols, *left = error + i * l->cols;
        memcpy(left, row, (size_t)l->cols * sizeof *row);
        memset(row, 0, (size_t)l->cols * sizeof *row);
        for (int k = 0; k < l->rank; k++)
            add_multiple(row, p[k * l->rows + i], q + k * l->cols, l->cols);
        add_multiple(left, -share, row, l->cols);
        zero_not_finite(left, l->cols);
    }
}

/* Is there something in a column to go on from? */
static bool is_alive(const real *column, int64_t len) {
    const double squares = dot_double(column, column, len);

    return squares > 0 && isfinite(squares);
}

void lowrank_refill(const struct lowrank *l, uint64_t key, uint64_t draw, real *q) {
    const uint64_t len = (uint64_t)l->cols;

    for (int k = 0; k < l->rank; k++) {
        real *column = q + k * l->cols;
        if (is_alive(column, l->cols))
            continue;
        for (uint64_t i = 0; i < len; i++)
            column[i] = (real)rng_normal(key, (draw * (uint64_t)l->rank + (uint64_t)k) * len + i);
    }
}
