#include "train/fault_states.h"

#include <inttypes.h>
#include <string.h>

/* Ranks [n] by what they are at; done: it has been said. */
struct states {
    const struct watchdog_rank *rank;
    const char **state;
    bool *done;
    int n;
};

/* What a rank is at, without for how long. */
static const char *state_of(const struct watchdog_rank *r, const struct fault_names *names,
                            struct pool *pool) {
    const struct pulse_beat *beat = &r->beat[PULSE_MAIN], *reader = &r->beat[PULSE_READER];
    const char *text = pulse_name((enum pulse_phase)beat->phase);
    const char *node = fault_node(names, beat->which, beat->node);

    if (node)
        text = pool_print(pool, "%s of %s", text, node);
    if (beat->bucket >= 0)
        text = pool_print(pool, "%s, bucket %d", text, beat->bucket + 1);
    if (beat->phase == PULSE_DATA && reader->phase == PULSE_READ)
        text = pool_print(pool, "%s, read from sample %" PRId64 " on", text, reader->sample);
    if (beat->step >= 0)
        text = pool_print(pool, "%s, step %" PRId64, text, beat->step + 1);
    if (r->answers)
        return text;
    return r->host[0] ? pool_print(pool, "silent; at last %s", text) : "never heard";
}

/* "ranks 0-2, 4-7": those of the same state as `first`, which are then done. */
static const char *ranks_of(struct states *s, int first, struct pool *pool) {
    const struct watchdog_rank *rank = s->rank;
    const char *text = "";
    int count = 0;

    for (int i = first, end; i < s->n; i = end + 1) {
        for (end = i; end < s->n && !strcmp(s->state[end], s->state[first]); end++)
            s->done[end] = true, count++;
        if (end == i)
            continue;
        const char *comma = text[0] ? ", " : "";
        text = end - i > 1
                   ? pool_print(pool, "%s%s%d-%d", text, comma, rank[i].rank, rank[end - 1].rank)
                   : pool_print(pool, "%s%s%d", text, comma, rank[i].rank);
    }
    if (count > 1)
        return pool_print(pool, "ranks %s", text);
    return pool_print(pool, "rank %s%s%s", text, rank[first].host[0] ? " on " : "",
                      rank[first].host);
}

static const char *line_of(struct states *s, int first, struct pool *pool) {
    const char *ranks = ranks_of(s, first, pool);

    return pool_print(pool, "%-20s %s, since %.0f s", ranks, s->state[first],
                      s->rank[first].still_s);
}

/* The first rank of the guilty one's state. */
static int first_of(const struct states *s, int guilty) {
    int own = 0, first = 0;

    while (own < s->n - 1 && s->rank[own].rank != guilty)
        own++;
    while (strcmp(s->state[first], s->state[own]) != 0)
        first++;
    return first;
}

int fault_states(const struct watchdog_rank *rank, int n, int guilty,
                 const struct fault_names *names, const char **line, struct pool *pool) {
    struct states s = {rank, pool_take(pool, (size_t)n * sizeof *s.state),
                       pool_take(pool, (size_t)n * sizeof *s.done), n};
    int n_lines = 0, left = 0;

    for (int i = 0; i < n; i++) {
        s.state[i] = state_of(&rank[i], names, pool);
        s.done[i] = false;
    }
    for (int i = 0; i < n && n_lines < FAULT_STATES - 2; i++)
        if (!s.done[i])
            line[n_lines++] = line_of(&s, i, pool);
    const int first = first_of(&s, guilty);
    if (!s.done[first])
        line[n_lines++] = line_of(&s, first, pool);
    for (int i = 0; i < n; i++)
        left += !s.done[i];
    if (left)
        line[n_lines++] =
            pool_print(pool, "and %d rank%s more: see fault.json", left, left > 1 ? "s" : "");
    return n_lines;
}
