#include "cmd/bench.h"
#include "core/base/clock.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"

#include <stdlib.h>

enum {
    PEAK_ROUNDS = 1000000,         /* some milliseconds */
    PEAK_TRIES = 20,               /* the best is taken: others may use the processors, too */
    STREAM_LEN = 32 * 1024 * 1024, /* of either array: 128 MiB */
    STREAM_TRIES = 10
};

struct stream {
    float *x, *y; /* [STREAM_LEN] */
};

struct peak {
    double flops; /* of one thread */
};

static void peak(void *context, int64_t begin, int64_t end) {
    struct peak *p = context;

    for (int64_t i = begin; i < end; i++) {
        const double flops = isa_get()->peak(PEAK_ROUNDS);
        if (i == 0)
            p->flops = flops;
    }
}

static void fill(void *context, int64_t begin, int64_t end) {
    const struct stream *s = context;

    for (int64_t i = begin; i < end; i++)
        s->x[i] = 1, s->y[i] = 2;
}

/* Reads two numbers and writes one. */
static void stream(void *context, int64_t begin, int64_t end) {
    const struct stream *s = context;
    const float *restrict x = s->x;
    float *restrict y = s->y;

    for (int64_t i = begin; i < end; i++)
        y[i] = 0.5f * y[i] + x[i];
}

static double best_rate(struct team *team, int64_t n, int tries,
                        void (*task)(void *, int64_t, int64_t), void *context) {
    double best = 0;

    for (int i = 0; i < tries; i++) {
        const double start = clock_now();
        team_run(team, n, task, context);
        const double rate = 1 / (clock_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

int bench_machine_measure(struct comm *comm, struct team *team, struct bench_machine *m,
                          struct err *err) {
    const size_t bytes = STREAM_LEN * sizeof(float);
    struct stream s = {malloc(bytes), malloc(bytes)};
    struct peak p = {0};
    int rc = 0;

    if (!s.x || !s.y)
        rc = err_set(err, ERR_IO, "no memory for two arrays of %d MiB", (int)(bytes >> 20));
    rc = agree(comm, rc, err);
    if (!rc) {
        team_run(team, STREAM_LEN, fill, &s); /* pages stand near the thread that uses them */
        comm_barrier(comm);
        const double peaks = best_rate(team, team_size(team), PEAK_TRIES, peak, &p);
        comm_barrier(comm);
        const double streams = best_rate(team, STREAM_LEN, STREAM_TRIES, stream, &s);
        const double gflops = peaks * p.flops * team_size(team) / 1e9;
        const double gb = streams * 3 * (double)bytes / 1e9;
        m->gflops = gflops > m->gflops ? gflops : m->gflops;
        m->gb_per_s = gb > m->gb_per_s ? gb : m->gb_per_s;
    }
    free(s.x);
    free(s.y);
    return rc;
}
