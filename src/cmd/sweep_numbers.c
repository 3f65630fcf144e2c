/* sweep_numbers.c - means of trials, and which settings matter. */
#include "cmd/sweep.h"

#include <math.h>

struct sweep_spread sweep_spread_of(const double *v, int n) {
    struct sweep_spread s = {.least = HUGE_VAL, .most = -HUGE_VAL};
    double squares = 0;

    for (int i = 0; i < n; i++)
        if (isfinite(v[i])) {
            s.mean += v[i];
            s.least = fmin(s.least, v[i]);
            s.most = fmax(s.most, v[i]);
            s.n++;
        }
    s.mean = s.n ? s.mean / s.n : (double)NAN;
    for (int i = 0; i < n; i++)
        squares += isfinite(v[i]) ? (v[i] - s.mean) * (v[i] - s.mean) : 0;
    s.deviation = s.n > 1 ? sqrt(squares / (s.n - 1)) : (double)NAN;
    s.error = s.deviation / sqrt(s.n);
    return s;
}

/* The rank of v[i] among v[n], of several alike the mean of theirs. */
static double rank_of(const double *v, int n, int i) {
    double below = 0, alike = 0;

    for (int k = 0; k < n; k++) {
        below += v[k] < v[i];
        alike += v[k] == v[i];
    }
    return below + (alike + 1) / 2;
}

double sweep_rank_correlation(const double *x, const double *y, int n) {
    const double mean = (n + 1) / 2.0;
    double xx = 0, yy = 0, xy = 0;

    if (n < 3)
        return (double)NAN;
    for (int i = 0; i < n; i++) {
        const double a = rank_of(x, n, i) - mean, b = rank_of(y, n, i) - mean;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}
