/* predictor_turn.c - samples seen in a mirror or turned by quarters, and predictions turned back.
 * Quarter turns are of the last two dimensions before the channels, which are of one length. */
#include "train/predictor_parts.h"

/* Up to three dimensions of pixels, and numbers of each. */
struct grid {
    int64_t d, h, w, c;
};

static struct grid grid_of(const struct shape *s, bool maps) {
    const int rank = s->rank + maps;
    struct grid g = {1, 1, 1, maps ? 1 : s->dim[s->rank - 1]};

    if (rank >= 2)
        g.w = s->dim[rank - 2];
    if (rank >= 3)
        g.h = s->dim[rank - 3];
    if (rank >= 4)
        g.d = s->dim[rank - 4];
    return g;
}

int predictor_n_turns(enum predictor_turns turns, const struct shape *shape, bool maps) {
    switch (turns) {
    case PREDICT_FLIP:
        return 2;
    case PREDICT_FLIPS:
        return shape->rank + maps > 3 ? 8 : 4;
    case PREDICT_ROT90:
        return 4;
    case PREDICT_PLAIN:
        break;
    }
    return 1;
}

/* Where pixel (z, y, x) of the turned sample comes from. */
static int64_t source(enum predictor_turns turns, int turn, const struct grid *g, int64_t z,
                      int64_t y, int64_t x) {
    int64_t from_y = y, from_x = x;

    if (turns == PREDICT_ROT90) {
        from_y = turn == 1 ? x : turn == 2 ? g->h - 1 - y : turn == 3 ? g->h - 1 - x : y;
        from_x = turn == 1 ? g->w - 1 - y : turn == 2 ? g->w - 1 - x : turn == 3 ? y : x;
    } else {
        from_x = turn & 1 ? g->w - 1 - x : x;
        from_y = turn & 2 ? g->h - 1 - y : y;
        z = turn & 4 ? g->d - 1 - z : z;
    }
    return (z * g->h + from_y) * g->w + from_x;
}

/* Copy every pixel to its place in the turned samples, or add it back to where it came from. */
static void turn_all(enum predictor_turns turns, int turn, const struct grid *g, int64_t n,
                     const float *in, float *out, bool back) {
    const int64_t pixels = g->d * g->h * g->w;

    for (int64_t i = 0; i < n * g->d * g->h; i++)
        for (int64_t x = 0; x < g->w; x++) {
            const int64_t sample = i / (g->d * g->h), z = i / g->h % g->d, y = i % g->h;
            const int64_t there = (sample * pixels + source(turns, turn, g, z, y, x)) * g->c;
            const int64_t here = (i * g->w + x) * g->c;

            for (int64_t k = 0; k < g->c; k++)
                if (back)
                    out[there + k] += in[here + k];
                else
                    out[here + k] = in[there + k];
        }
}

void predictor_turn(enum predictor_turns turns, int turn, const struct shape *shape, bool maps,
                    int64_t n, const float *in, float *out) {
    const struct grid g = grid_of(shape, maps);

    turn_all(turns, turn, &g, n, in, out, false);
}

void predictor_turn_back(enum predictor_turns turns, int turn, const struct shape *shape, bool maps,
                         int64_t n, const float *in, float *sum) {
    const struct grid g = grid_of(shape, maps);

    turn_all(turns, turn, &g, n, in, sum, true);
}
