#include "core/ops/parts/share.h"

enum { SUM_RANGES = 64 }; /* enough for every thread of a node to have several */

struct shared {
    const struct op_call *c;
    void (*part)(const struct op_call *c, int64_t begin, int64_t end);
};

struct shared_sum {
    const struct op_call *c;
    double (*part)(const struct op_call *c, int64_t begin, int64_t end);
    int64_t n, n_ranges;
    double sums[SUM_RANGES];
};

static void run(void *context, int64_t begin, int64_t end) {
    const struct shared *s = context;

    if (begin < end)
        s->part(s->c, begin, end);
}

void share(const struct op_call *c, int64_t n,
           void (*part)(const struct op_call *c, int64_t begin, int64_t end)) {
    struct shared s = {c, part};

    team_run(c->team, n, run, &s);
}

static void run_sum(void *context, int64_t begin, int64_t end) {
    struct shared_sum *s = context;

    for (int64_t i = begin; i < end; i++)
        s->sums[i] = s->part(s->c, i * s->n / s->n_ranges, (i + 1) * s->n / s->n_ranges);
}

double share_sum(const struct op_call *c, int64_t n,
                 double (*part)(const struct op_call *c, int64_t begin, int64_t end)) {
    struct shared_sum s = {.c = c, .part = part, .n = n};
    double sum = 0;

    s.n_ranges = n < SUM_RANGES ? n : SUM_RANGES;
    team_run(c->team, s.n_ranges, run_sum, &s);
    for (int64_t i = 0; i < s.n_ranges; i++)
        sum += s.sums[i];
    return sum;
}
