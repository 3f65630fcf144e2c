/* sweep_next.c - which trial is next. Successive halving: all are trained for some epochs, the best
 * of them for some more, and so on; each rung waits for the one before. Source: Jamieson &
 * Talwalkar 2016, arXiv:1502.07943, algorithm 1, with a factor eta as in Li et al. 2018,
 * arXiv:1603.06560. */
#include "cmd/sweep.h"

#include <math.h>

bool sweep_better(const struct sweep *s, double a, double b) {
    if (isnan(a) || isnan(b))
        return isnan(b) && !isnan(a);
    return s->maximise ? a > b : a < b;
}

bool sweep_reached(const struct sweep_trial *t, int rung) {
    const struct sweep_result *r = &t->result;

    return r->rung > rung || (r->rung == rung && r->state == SWEEP_COMPLETE);
}

double sweep_config_value(const struct sweep *s, int config, int rung) {
    double sum = 0;
    int n = 0;

    for (int i = 0; i < s->n; i++)
        if (s->trial[i].config == config) {
            sum += s->trial[i].result.at_rung[rung];
            n++;
        }
    return n ? sum / n : (double)NAN;
}

/* Of those alive in the rung before only the best stay so; the first of several alike.
 *   value  [n_configs] after that rung
 *   was    [n_configs] room */
static void halve(const struct sweep *s, const double *value, bool *alive, bool *was) {
    int n = 0;

    for (int i = 0; i < s->n_configs; i++)
        n += alive[i];
    const int stay = n / s->eta >= 1 ? (int)(n / s->eta) : 1;
    for (int i = 0; i < s->n_configs; i++)
        was[i] = alive[i] && !isnan(value[i]);
    for (int i = 0; i < s->n_configs; i++) {
        int ahead = 0;
        for (int k = 0; was[i] && k < s->n_configs; k++)
            ahead += was[k] && (sweep_better(s, value[k], value[i]) ||
                                (k < i && !sweep_better(s, value[i], value[k])));
        alive[i] = was[i] && ahead < stay;
    }
}

void sweep_contenders(const struct sweep *s, int rung, bool *alive) {
    struct pool pool = {0};
    const size_t n = (size_t)s->n_configs;
    bool *was = pool_take(&pool, n * sizeof *was);
    double *value = pool_take(&pool, n * sizeof *value);

    for (size_t i = 0; i < n; i++)
        alive[i] = true;
    for (int r = 1; r <= rung; r++) {
        for (int i = 0; i < s->n_configs; i++)
            value[i] = sweep_config_value(s, i, r - 1);
        halve(s, value, alive, was);
    }
    pool_release(&pool);
}

/* The first trial that has not reached a rung yet; -1: all that take part have, or have failed; -2:
 * others run the rest. */
static int next_of_rung(const struct sweep *s, int rung, const bool *alive, const bool *busy) {
    int next = -1;

    for (int i = 0; i < s->n; i++) {
        const struct sweep_trial *t = &s->trial[i];

        if (!alive[t->config] || t->result.state == SWEEP_FAILED || sweep_reached(t, rung))
            continue;
        if (!busy[i] && !t->skipped)
            return i;
        next = -2;
    }
    return next;
}

int sweep_next(const struct sweep *s, const bool *busy, int *rung) {
    struct pool pool = {0};
    bool *alive = pool_take(&pool, (size_t)s->n_configs * sizeof *alive);
    int next = -1;

    for (*rung = 0; *rung < s->n_rungs; ++*rung) {
        sweep_contenders(s, *rung, alive);
        next = next_of_rung(s, *rung, alive, busy);
        if (next != -1)
            break;
    }
    pool_release(&pool);
    return next < 0 ? -1 : next;
}
