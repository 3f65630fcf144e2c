#include "core/ops/parts/norm_ranks.h"

#include <math.h>

void norm_share_statistics(const struct norm *n, const struct op_call *c, double *message) {
    const int64_t channels = n->n_groups;
    real *mean = c->saved, *inverse = mean + channels, *variance = inverse + channels;
    double *rows = norm_rows_saved(n, c), *sums = message + 1, *squares = sums + channels;

    message[0] = *rows;
    for (int64_t ch = 0; ch < channels; ch++) {
        const double shift = (double)c->state[0][ch];
        const double d = *rows > 0 ? (double)mean[ch] - shift : 0;

        sums[ch] = *rows * d;
        squares[ch] = *rows > 0 ? *rows * ((double)variance[ch] + d * d) : 0;
    }
    c->ranks->sum(c->ranks, message, 1 + 2 * channels);
    *rows = message[0];
    for (int64_t ch = 0; ch < channels; ch++) {
        const double d = *rows > 0 ? sums[ch] / *rows : 0;
        const double var = *rows > 0 ? squares[ch] / *rows - d * d : 0;

        mean[ch] = (real)((double)c->state[0][ch] + d);
        variance[ch] = (real)(var > 0 ? var : 0);
        inverse[ch] = (real)(1 / sqrt((var > 0 ? var : 0) + n->eps));
    }
}
