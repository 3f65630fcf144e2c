#include "core/ops/parts/after.h"

#include <string.h>

/* Numbers in the innermost loop, at least; numbers of a chunk, as in norm.c. */
enum { MIN_WIDTH = 256, CHUNK_LEN = 65536, MIN_CHUNK_ROWS = 64 };

struct after_task {
    const struct after *a;
    int64_t len, width, chunk, n_chunks;
    const act *other, *y;
    act *into, *dother; /* into: y or dy, which is overwritten */
    real *sums;         /* [n_chunks, width], or NULL */
    real *scale;        /* [width], or NULL */
    real *dbias;
    bool put; /* dother is overwritten */
};

static struct after_task job_of(int64_t rows, int64_t channels) {
    struct after_task k = {.len = rows * channels};
    const int64_t repeats = channels < MIN_WIDTH ? MIN_WIDTH / channels : 1;

    k.width = channels * repeats;
    const int64_t wide_rows = CHUNK_LEN / k.width;
    k.chunk = k.width * (wide_rows < MIN_CHUNK_ROWS ? MIN_CHUNK_ROWS : wide_rows);
    k.n_chunks = (k.len + k.chunk - 1) / k.chunk;
    return k;
}

size_t after_scratch_bytes(int64_t rows, int64_t channels) {
    const struct after_task k = job_of(rows, channels);

    return (size_t)((k.n_chunks + 1) * k.width) * sizeof(real);
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

THEN_INLINE void value(enum then_kind kind, act slope, const act *other, int64_t len, act *y) {
    THEN_ANY_ORDER
    for (int64_t i = 0; i < len; i++)
        y[i] = then_value(kind, slope, other ? y[i] + other[i] : y[i]);
}

static void forward_part(void *context, int64_t begin, int64_t end) {
    const struct after_task *k = context;
    const struct then then = k->a->then;
    act *y = k->into + begin;

#define CASE(kind)                                                                                 \
    if (k->other)                                                                                  \
        value(kind, then.slope, k->other + begin, end - begin, y);                                 \
    else                                                                                           \
        value(kind, then.slope, NULL, end - begin, y)
    THEN_SWITCH(then.kind, CASE)
#undef CASE
}

void after_forward(const struct after *a, const act *other, act *y) {
    struct after_task k = {.a = a, .other = other, .into = y};

    if (other || a->then.kind != THEN_NOTHING)
        team_run(a->team, a->rows * a->channels, forward_part, &k);
}

/* A stretch of the gradient, with what belongs to its channels. */
struct after_row {
    const act *y;
    act *dy, *dother;
    const real *scale;
    real *sums;
    act slope;
    bool put;
    int64_t len;
};

THEN_INLINE void pull(const struct after_row *row, enum then_kind kind, bool sums, bool scale) {
    const struct after_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act g = then_pull(kind, r.slope, r.dy[i], kind == THEN_NOTHING ? 0 : r.y[i]);

        if (sums)
            r.sums[i] += g;
        r.dy[i] = scale ? (act)(g * r.scale[i]) : g;
    }
}

THEN_INLINE void pull_other(const struct after_row *row, enum then_kind kind, bool put) {
    const struct after_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act g = then_pull(kind, r.slope, r.dy[i], kind == THEN_NOTHING ? 0 : r.y[i]);

        r.dother[i] = put ? g : r.dother[i] + g;
    }
}

static void pull_row(const struct after_row *r, enum then_kind kind) {
#define CASE(kind)                                                                                 \
    if (r->dother && r->put)                                                                       \
        pull_other(r, kind, true);                                                                 \
    else if (r->dother)                                                                            \
        pull_other(r, kind, false);                                                                \
    if (r->sums && r->scale)                                                                       \
        pull(r, kind, true, true);                                                                 \
    else if (r->sums)                                                                              \
        pull(r, kind, true, false);                                                                \
    else if (r->scale)                                                                             \
        pull(r, kind, false, true);                                                                \
    else                                                                                           \
        pull(r, kind, false, false)
    THEN_SWITCH(kind, CASE)
#undef CASE
}

static void backward_chunks(void *context, int64_t begin, int64_t end) {
    const struct after_task *k = context;

    for (int64_t chunk = begin; chunk < end; chunk++) {
        real *sums = k->sums ? k->sums + chunk * k->width : NULL;
        const int64_t last = least((chunk + 1) * k->chunk, k->len);

        if (sums)
            memset(sums, 0, (size_t)k->width * sizeof *sums);
        for (int64_t at = chunk * k->chunk; at < last; at += k->width) {
            const struct after_row r = {.y = k->y + at,
                                        .dy = k->into + at,
                                        .dother = k->dother ? k->dother + at : NULL,
                                        .scale = k->scale,
                                        .sums = sums,
                                        .slope = k->a->then.slope,
                                        .put = k->put,
                                        .len = least(last - at, k->width)};
            pull_row(&r, k->a->then.kind);
        }
    }
}

static void add_sums(void *context, int64_t begin, int64_t end) {
    const struct after_task *k = context;

    for (int64_t ch = begin; ch < end; ch++) {
        double sum = 0;

        for (int64_t i = 0; i < k->n_chunks; i++)
            for (int64_t at = ch; at < k->width; at += k->a->channels)
                sum += (double)k->sums[i * k->width + at];
        k->dbias[ch] += (real)sum;
    }
}

void after_backward(const struct after *a, const act *y, const real *scale, act *dy, bool put,
                    act *dother, real *dbias) {
    struct after_task k = job_of(a->rows, a->channels);

    k.a = a, k.y = y, k.into = dy, k.put = put, k.dother = dother, k.dbias = dbias;
    if (dbias)
        k.sums = a->scratch;
    if (scale)
        k.scale = (real *)a->scratch + k.n_chunks * k.width;
    for (int64_t i = 0; scale && i < k.width; i++)
        k.scale[i] = scale[i % a->channels];
    team_run(a->team, k.n_chunks, backward_chunks, &k);
    if (dbias)
        team_run(a->team, a->channels, add_sums, &k);
}
