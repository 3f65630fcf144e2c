#include "core/learn/clip.h"

#include <math.h>

enum { PIECES = 256, LANES = 16 };

struct squares {
    const real *v;
    int64_t len, piece_len;
    double sum[PIECES];
};

static void add_squares(void *context, int64_t begin, int64_t end) {
    struct squares *s = context;

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t from = piece * s->piece_len, to = from + s->piece_len;
        const int64_t last = to < s->len ? to : s->len;
        double lane[LANES] = {0}, sum = 0;
        int64_t i = from;

        for (; i + LANES <= last; i += LANES)
            for (int j = 0; j < LANES; j++)
                lane[j] += (double)s->v[i + j] * (double)s->v[i + j];
        for (; i < last; i++)
            sum += (double)s->v[i] * (double)s->v[i];
        for (int j = 0; j < LANES; j++)
            sum += lane[j];
        s->sum[piece] = sum;
    }
}

double clip_sum_squares(const real *v, int64_t len, struct team *team) {
    struct squares s = {v, len, (len + PIECES - 1) / PIECES, {0}};
    double sum = 0;

    team_run(team, PIECES, add_squares, &s);
    for (int i = 0; i < PIECES; i++)
        sum += s.sum[i];
    return sum;
}

double clip_scale(double norm, double max_norm) {
    const double scale = max_norm / (norm + 1e-6);

    return scale > 1 ? 1 : scale; /* nan stays nan */
}

struct values {
    real *v;
    real scale, limit;
};

static void bound(void *context, int64_t begin, int64_t end) {
    const struct values *a = context;
    const real scale = a->scale, high = a->limit, low = -a->limit;
    real *v = a->v;

    for (int64_t i = begin; i < end; i++) {
        const real x = scale * v[i];

        v[i] = x > high ? high : x < low ? low : x;
    }
}

void clip_values(real *v, int64_t len, double scale, double limit, struct team *team) {
    struct values a = {v, (real)scale, (real)limit};

    team_run(team, len, bound, &a);
}
