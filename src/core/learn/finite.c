#include "core/learn/finite.h"

#include <math.h>

enum { PIECES = 64 };

struct finite_search {
    const real *v;
    int64_t len, piece_len;
    int bad[PIECES];
};

/* x - x is nan where x is not finite; without a branch, so that it is done by vectors. */
static void look(void *context, int64_t begin, int64_t end) {
    struct finite_search *s = context;

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t from = piece * s->piece_len, to = from + s->piece_len;
        const int64_t last = to < s->len ? to : s->len;
        int bad = 0;

        for (int64_t i = from; i < last; i++)
            bad |= !(s->v[i] - s->v[i] == 0);
        s->bad[piece] = bad;
    }
}

int64_t finite_first(const real *v, int64_t len, struct team *team) {
    struct finite_search s = {v, len, (len + PIECES - 1) / PIECES, {0}};
    int piece = 0;

    if (len <= 0)
        return -1;
    team_run(team, PIECES, look, &s);
    while (piece < PIECES && !s.bad[piece])
        piece++;
    for (int64_t i = piece * s.piece_len; piece < PIECES && i < len; i++)
        if (!isfinite(v[i]))
            return i;
    return -1;
}
