#include "dist/place_text.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    MOST_KINDS = 8,   /* of hosts that are drawn */
    MOST_NAMES = 4,   /* of hosts of a kind */
    MOST_PLACES = 16, /* of ranks of a host; of more, the first three and the last one */
    FEW_PLACES = 3
};

static const char *plural(int n) {
    return n == 1 ? "" : "s";
}

const char *core_set_text(struct pool *pool, const struct core_set *set) {
    const char *text = "";

    for (int i = 0; i < CORE_SET_MOST; i++) {
        int last = i;
        if (!core_set_has(set, i))
            continue;
        while (last + 1 < CORE_SET_MOST && core_set_has(set, last + 1))
            last++;
        text = last > i ? pool_print(pool, "%s%s%d-%d", text, *text ? "," : "", i, last)
                        : pool_print(pool, "%s%s%d", text, *text ? "," : "", i);
        i = last;
    }
    return text;
}

/* --- one host --- */

/* Ranks of a host that follow each other on the same cores. */
struct place_group {
    const struct core_set *cores;
    int n;
};

/* Those of the host of that leader, [n] in the pool. */
static int groups_of(struct places *p, int leader, struct place_group **out) {
    int n = 0;

    *out = NULL;
    for (int r = leader; r < p->size; r++) {
        if (p->rank[r].leader != leader)
            continue;
        if (n && core_set_equal((*out)[n - 1].cores, &p->rank[r].cores)) {
            (*out)[n - 1].n++;
            continue;
        }
        *out = pool_grow(&p->pool, *out, n, sizeof **out);
        (*out)[n++] = (struct place_group){&p->rank[r].cores, 1};
    }
    return n;
}

/* "0-1 | 2-3 | 4-7 (2 ranks)" */
static const char *places_of_host(struct places *p, int leader) {
    struct place_group *group;
    const int n = groups_of(p, leader, &group);
    const char *text = "";

    for (int i = 0; i < n; i++) {
        const char *set = core_set_text(&p->pool, group[i].cores);
        if (n > MOST_PLACES && i == FEW_PLACES) {
            text = pool_print(&p->pool, "%s | ..", text);
            i = n - 2;
            continue;
        }
        text = pool_print(&p->pool, "%s%s%s", text, i ? " | " : "", set);
        if (group[i].n > 1)
            text = pool_print(&p->pool, "%s (%d ranks)", text, group[i].n);
    }
    return text;
}

/* "1-2" where ranks of a host have different numbers of threads. */
static const char *threads_of_host(struct places *p, int leader, int *n_ranks) {
    int least = 0, most = 0;

    *n_ranks = 0;
    for (int r = leader; r < p->size; r++) {
        const int threads = p->rank[r].threads;
        if (p->rank[r].leader != leader)
            continue;
        least = !*n_ranks || threads < least ? threads : least;
        most = threads > most ? threads : most;
        ++*n_ranks;
    }
    return least == most ? pool_print(&p->pool, "%d thread%s", most, plural(most))
                         : pool_print(&p->pool, "%d-%d threads", least, most);
}

/* "8 of 16 cores of 2 sockets, 4 NUMA nodes, 32 hardware threads (avx2)" */
static const char *machine_of_host(struct places *p, int leader) {
    const struct rank_place *first = &p->rank[leader];
    struct core_set used = {{0}};
    const char *text = "";

    for (int r = leader; r < p->size; r++)
        if (p->rank[r].leader == leader)
            core_set_join(&used, &p->rank[r].cores);
    const int n = core_set_count(&used);
    if (n < first->n_cores)
        text = pool_print(&p->pool, "%d of ", n);
    text = pool_print(&p->pool, "%s%d core%s", text, first->n_cores, plural(first->n_cores));
    if (first->n_sockets > 1)
        text = pool_print(&p->pool, "%s of %d sockets", text, first->n_sockets);
    if (first->n_nodes > first->n_sockets)
        text = pool_print(&p->pool, "%s, %d NUMA nodes", text, first->n_nodes);
    if (first->n_host_processors > first->n_cores)
        text = pool_print(&p->pool, "%s, %d hardware threads", text, first->n_host_processors);
    return pool_print(&p->pool, "%s (%s)", text, first->kernels);
}

/* All that is drawn of a host but its name. */
static const char *draw_host(struct places *p, int leader) {
    int n;
    const char *threads = threads_of_host(p, leader, &n);

    if (!p->rank[leader].known)
        return pool_print(&p->pool, "%d rank%s x %s (%s); the system does not tell on which cores",
                          n, plural(n), threads, p->rank[leader].kernels);
    return pool_print(&p->pool, "%d rank%s x %s on %s: cores %s", n, plural(n), threads,
                      machine_of_host(p, leader), places_of_host(p, leader));
}

/* --- all hosts --- */

/* Hosts of which the same is drawn. */
struct host_kind {
    const char *text;
    const char *first[MOST_NAMES], *last; /* names */
    int n;
};

static struct host_kind *kind_of(struct host_kind *kind, int n, const char *text) {
    for (int i = 0; i < n; i++)
        if (!strcmp(kind[i].text, text))
            return &kind[i];
    return NULL;
}

/* [n] in the pool, and in *n_hosts of how many hosts. */
static int kinds_of(struct places *p, struct host_kind **out, int *n_hosts) {
    int n = 0;

    *out = NULL;
    *n_hosts = 0;
    for (int r = 0; r < p->size; r++) {
        if (p->rank[r].leader != r)
            continue;
        const char *text = draw_host(p, r);
        struct host_kind *kind = kind_of(*out, n, text);
        if (!kind) {
            *out = pool_grow(&p->pool, *out, n, sizeof **out);
            kind = &(*out)[n++];
            *kind = (struct host_kind){.text = text};
        }
        if (kind->n < MOST_NAMES)
            kind->first[kind->n] = p->rank[r].host;
        kind->last = p->rank[r].host;
        kind->n++;
        ++*n_hosts;
    }
    return n;
}

static const char *names_of(struct pool *pool, const struct host_kind *kind) {
    const char *text = "";

    if (kind->n > MOST_NAMES)
        return pool_print(pool, "%s %s .. %s", kind->first[0], kind->first[1], kind->last);
    for (int i = 0; i < kind->n; i++)
        text = pool_print(pool, "%s%s%s", text, i ? " " : "", kind->first[i]);
    return text;
}

static void add_line(struct places *p, struct place_line **lines, int *n, const char *text) {
    *lines = pool_grow(&p->pool, *lines, *n, sizeof **lines);
    (*lines)[(*n)++] = (struct place_line){.text = text};
}

int places_draw(struct places *p, struct place_line **out) {
    struct host_kind *kind;
    int n_hosts, n = 0;
    const int n_kinds = kinds_of(p, &kind, &n_hosts);

    *out = NULL;
    if (n_hosts == 1) {
        add_line(p, out, &n, pool_print(&p->pool, "%s: %s", kind->last, kind->text));
    } else if (n_kinds == 1) {
        add_line(p, out, &n,
                 pool_print(&p->pool, "%d hosts, %s, each: %s", n_hosts, names_of(&p->pool, kind),
                            kind->text));
    } else {
        add_line(p, out, &n, pool_print(&p->pool, "%d hosts, %d ranks:", n_hosts, p->size));
        for (int i = 0; i < n_kinds && i < MOST_KINDS; i++)
            add_line(p, out, &n,
                     pool_print(&p->pool, "  %d: %s: %s", kind[i].n, names_of(&p->pool, &kind[i]),
                                kind[i].text));
        if (n_kinds > MOST_KINDS)
            add_line(p, out, &n,
                     pool_print(&p->pool, "  and hosts of %d other kinds", n_kinds - MOST_KINDS));
    }
    return n;
}
