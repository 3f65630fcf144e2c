#include "dist/place_text.h"

/* What is said of hosts that are no better, behind the first one. */
static const char *more(struct pool *pool, int n) {
    return n > 1 ? pool_print(pool, " (and %d host%s more)", n - 1, n == 2 ? "" : "s") : "";
}

static void add(struct places *p, struct place_line **lines, int *n, const char *text) {
    *lines = pool_grow(&p->pool, *lines, *n, sizeof **lines);
    (*lines)[(*n)++] = (struct place_line){text, true};
}

/* --- cores that several threads must share --- */

/* Ranks that may run nowhere but where one of them may. */
struct crowd {
    int ranks, threads;
    int first, second; /* of the ranks */
};

static struct crowd crowd_at(const struct places *p, int i) {
    const struct rank_place *at = &p->rank[i];
    struct crowd c = {0};

    for (int r = 0; r < p->size; r++) {
        const struct rank_place *other = &p->rank[r];
        if (other->machine != at->machine || !core_set_within(&other->cores, &at->cores))
            continue;
        if (c.ranks < 2)
            *(c.ranks ? &c.second : &c.first) = r;
        c.ranks++;
        c.threads += other->threads;
    }
    return c;
}

static const char *crowd_text(struct places *p, int i, const struct crowd *c, int n_hosts) {
    const struct rank_place *at = &p->rank[i];
    const int cores = core_set_count(&at->cores);
    const char *set = core_set_text(&p->pool, &at->cores), *rest = more(&p->pool, n_hosts);

    if (c->ranks > 1 && cores == 1 && at->n_cores > 1)
        return pool_print(&p->pool,
                          "on %s, ranks %d and %d%s are bound to one core, %s%s: bind each to its "
                          "own (mpirun --bind-to core)",
                          at->host, c->first, c->second, c->ranks > 2 ? " and others" : "", set,
                          rest);
    return pool_print(
        &p->pool, "on %s, %d threads of %d rank%s share %d core%s, %s%s: %s or set [job] threads",
        at->host, c->threads, c->ranks, c->ranks == 1 ? "" : "s", cores, cores == 1 ? "" : "s", set,
        rest,
        cores < at->n_cores ? "bind ranks to different ones (mpirun --bind-to core)"
                            : "start fewer ranks");
}

/* The first crowd, and on how many hosts there is one. */
static void warn_of_crowds(struct places *p, struct place_line **lines, int *n) {
    bool *counted = pool_take(&p->pool, (size_t)p->size * sizeof *counted); /* by leader */
    struct crowd first = {0};
    int at = -1, hosts = 0;

    for (int i = 0; i < p->size; i++) {
        const int cores = core_set_count(&p->rank[i].cores);
        if (!cores || counted[p->rank[i].leader])
            continue;
        const struct crowd c = crowd_at(p, i);
        if (c.threads <= cores)
            continue;
        counted[p->rank[i].leader] = true;
        hosts++;
        if (at < 0)
            at = i, first = c;
    }
    if (at >= 0)
        add(p, lines, n, crowd_text(p, at, &first, hosts));
}

/* --- hosts --- */

static bool unlike(const struct rank_place *a, const struct rank_place *b) {
    return a->n_cores != b->n_cores || strcmp(a->kernels, b->kernels) != 0;
}

static void warn_of_unlike_hosts(struct places *p, struct place_line **lines, int *n) {
    const struct rank_place *first = &p->rank[0], *other = NULL;
    int hosts = 0;

    for (int r = 0; r < p->size; r++) {
        if (p->rank[r].leader != r || !unlike(&p->rank[r], first))
            continue;
        other = other ? other : &p->rank[r];
        hosts++;
    }
    if (other)
        add(p, lines, n,
            pool_print(
                &p->pool,
                "hosts are unlike: %s has %d cores and %s, %s %d and %s%s; in every step all "
                "wait for the slowest",
                first->host, first->n_cores, first->kernels, other->host, other->n_cores,
                other->kernels, more(&p->pool, hosts)));
}

/* Half of the cores are at work without this job. */
static bool busy(const struct rank_place *p) {
    return p->n_cores > 0 && p->load > 0.5 * p->n_cores;
}

/* One rank waits for nobody, and whoever shares a desk knows. */
static void warn_of_busy_hosts(struct places *p, struct place_line **lines, int *n) {
    const struct rank_place *first = NULL;
    int hosts = 0;

    for (int r = 0; r < p->size && p->size > 1; r++) {
        if (p->rank[r].leader != r || !busy(&p->rank[r]))
            continue;
        first = first ? first : &p->rank[r];
        hosts++;
    }
    if (first)
        add(p, lines, n,
            pool_print(
                &p->pool,
                "%s is busy: %.0f other processes run on its %d core%s%s; all ranks wait for "
                "those that must share",
                first->host, first->load, first->n_cores, first->n_cores == 1 ? "" : "s",
                more(&p->pool, hosts)));
}

static bool has_company(const struct places *p, int leader) {
    for (int r = leader + 1; r < p->size; r++)
        if (p->rank[r].leader == leader)
            return true;
    return false;
}

static void warn_of_unshared_memory(struct places *p, struct place_line **lines, int *n) {
    const struct rank_place *first = NULL;
    int hosts = 0;

    for (int r = 0; r < p->size; r++) {
        if (p->rank[r].leader != r || p->rank[r].shares || !has_company(p, r))
            continue;
        first = first ? first : &p->rank[r];
        hosts++;
    }
    if (first)
        add(p, lines, n,
            pool_print(&p->pool, "%s has no /dev/shm for its ranks to share memory in%s",
                       first->host, more(&p->pool, hosts)));
}

int places_warn(struct places *p, struct place_line **out) {
    int n = 0;

    *out = NULL;
    warn_of_crowds(p, out, &n);
    warn_of_unlike_hosts(p, out, &n);
    warn_of_busy_hosts(p, out, &n);
    warn_of_unshared_memory(p, out, &n);
    return n;
}
