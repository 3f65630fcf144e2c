/* values.c - whether training normalises by statistics that are some: of one value alone the
 * variance is 0, its running mean ends there, and nothing behind it learns. */
#include "train/replica_parts.h"

/* Ranks [first, end) that take their statistics together. */
struct together {
    int first, end;
};

/* How a step's samples are cut. */
struct cut {
    int64_t samples; /* of all ranks */
    int64_t most;    /* of one rank at a time */
    int rank, size;  /* or of shards, where each of these is computed by itself */
};

/* Of ranks of a host it is known how many there are, and taken that they follow each other. */
static struct together group_of(const struct cut *cut, struct ranks_group group, int rank,
                                const struct ranks *all) {
    if (group.kind == RANKS_ALL && all)
        return (struct together){0, cut->size};
    if (group.kind == RANKS_EVERY && all)
        return (struct together){rank / group.n * group.n, rank / group.n * group.n + group.n};
    if (group.kind == RANKS_HOST && cut->size > 1) {
        const struct ranks *host = all->group(all, group);
        const int first = cut->rank - host->rank;
        return (struct together){first, first + host->size};
    }
    return (struct together){rank, rank + 1};
}

/* Samples in a part of a rank's share. */
static int64_t part_samples(const struct cut *cut, int rank, int64_t part) {
    const int64_t begin = cut->samples * rank / cut->size;
    const int64_t left = cut->samples * (rank + 1) / cut->size - begin - part * cut->most;

    return left < 0 ? 0 : left < cut->most ? left : cut->most;
}

/* Does some part of a step leave these ranks with one sample? */
static bool has_single(const struct cut *cut, struct together ranks) {
    int64_t n = 1;

    for (int64_t part = 0; n > 0; part++) {
        n = 0;
        for (int rank = ranks.first; rank < ranks.end; rank++)
            n += part_samples(cut, rank, part);
        if (n == 1)
            return true;
    }
    return false;
}

static bool is_single(const struct cut *cut, const struct node *node, const struct ranks *all) {
    const struct ranks_group group = node->plan.ranks;
    struct together ranks = {0};

    if (group.kind == RANKS_HOST) /* each rank knows of its own */
        return has_single(cut, group_of(cut, group, cut->rank, all));
    for (int rank = 0; rank < cut->size; rank = ranks.end) {
        ranks = group_of(cut, group, rank, all);
        if (has_single(cut, ranks))
            return true;
    }
    return false;
}

int replica_check_values(const struct replica_step *s, const struct replica_config *c,
                         struct err *err) {
    const int shards = c->job->shards;
    const struct cut cut = {.samples = c->step_samples,
                            .most = s->graph->batch,
                            .rank = c->ranks ? c->ranks->rank : 0,
                            .size = shards     ? shards
                                    : c->ranks ? c->ranks->size
                                               : 1};

    for (int i = 0; i < s->graph->n_nodes; i++) {
        const struct node *node = &s->graph->nodes[i];

        if (!s->plan->nodes[i].live || node->frozen || node->plan.normalised != 1 ||
            !is_single(&cut, node, c->ranks))
            continue;
        return pos_error(err, node->pos,
                         "batch norm would be over 1 value a channel, which normalised is always "
                         "0; expected at least 2: a step of %lld sample%s over %d %s%s is "
                         "computed at most %lld at a time, and at some time 1; a larger batch, a "
                         "smaller accumulate%s or group_norm mends that",
                         (long long)cut.samples, cut.samples == 1 ? "" : "s", cut.size,
                         shards ? "shard" : "rank", cut.size == 1 ? "" : "s", (long long)cut.most,
                         cut.size == 1 ? "" : ", sync=all");
    }
    return 0;
}
