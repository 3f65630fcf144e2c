#define _GNU_SOURCE /* sched_getaffinity */
#include "dist/place.h"
#include "dist/shm.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* --- where this rank is --- */

/* Hosts may be names for parts of one machine; its kernel runs once. */
static uint64_t machine_id(const char *host) {
    char text[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file && !fgets(text, sizeof text, file))
        text[0] = 0;
    if (file)
        fclose(file);
    if (!text[0])
        snprintf(text, sizeof text, "%s", host);
    return XXH3_64bits(text, strlen(text));
}

static bool read_allowed(struct core_set *set) {
    cpu_set_t processors;

    *set = (struct core_set){{0}};
    if (sched_getaffinity(0, sizeof processors, &processors))
        return false;
    for (int p = 0; p < CORE_SET_MOST && p < CPU_SETSIZE; p++)
        if (CPU_ISSET((size_t)p, &processors))
            core_set_add(set, p);
    return true;
}

/* What the first rank of a host finds for all of them. */
struct host_facts {
    struct topology topology;
    uint64_t machine;
    int leader;
    double load;
    bool shares;
};

/* Processes that run besides so many ranks, now and in the last minute: either alone is of the past
 * or of a moment. Below 0: the system does not tell. */
static double load_beside(int ranks) {
    FILE *file = fopen("/proc/loadavg", "re");
    double minute;
    int now;
    const bool known = file && fscanf(file, "%lf %*f %*f %d/", &minute, &now) == 2;

    if (file)
        fclose(file);
    if (!known)
        return -1;
    now = now > ranks ? now - ranks : 0;
    return minute < now ? minute : now;
}

static void look_at_host(struct host_facts *f, const struct core_set *allowed, struct comm *comm) {
    topology_read(&f->topology, allowed);
    f->machine = machine_id(comm_host(comm));
    f->leader = comm_rank(comm);
    f->shares = shm_left() >= 0;
    f->load = load_beside(comm_local_size(comm));
}

static struct rank_place place_of(const struct host_facts *f, const struct core_set *allowed,
                                  bool known, struct comm *comm, const struct place_wish *wish) {
    struct rank_place p;

    memset(&p, 0, sizeof p); /* the bytes between members, which are sent, too */
    snprintf(p.host, sizeof p.host, "%s", comm_host(comm));
    snprintf(p.kernels, sizeof p.kernels, "%s", wish->kernels);
    p.machine = f->machine;
    p.leader = f->leader;
    p.wish = wish->threads;
    p.binds = wish->binds;
    p.known = known;
    p.allowed = *allowed;
    p.cores = topology_cores(&f->topology, allowed);
    p.n_processors = core_set_count(allowed);
    p.n_cores = f->topology.n_cores;
    p.n_host_processors = f->topology.n_processors;
    p.n_nodes = f->topology.n_nodes;
    p.n_sockets = f->topology.n_sockets;
    p.load = f->load;
    p.shares = f->shares;
    return p;
}

/* --- binding --- */

/* A refusal only costs speed. */
static void bind_process(const struct core_set *processors) {
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int p = 0; p < CORE_SET_MOST && p < CPU_SETSIZE; p++)
        if (core_set_has(processors, p))
            CPU_SET((size_t)p, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* The processors of each of this rank's cores, for its threads; none where they are not its own. */
static void list_cores(struct places *out, const struct topology *t) {
    const struct rank_place *mine = places_mine(out);

    out->core = pool_take(&out->pool, CORE_SET_MOST * sizeof *out->core);
    for (int c = 0; c < CORE_SET_MOST; c++) {
        if (!core_set_has(&mine->cores, c))
            continue;
        struct core_set one = {{0}};
        core_set_add(&one, c);
        out->core[out->n_cores++] = topology_processors(t, &mine->allowed, &one);
    }
}

void places_init(struct places *out, struct comm *comm, const struct place_wish *wish) {
    struct comm *host = comm_on_host(comm);
    struct host_facts facts;
    struct core_set allowed;

    *out = (struct places){.size = comm_size(comm), .mine = comm_rank(comm)};
    const bool known = read_allowed(&allowed);
    memset(&facts, 0, sizeof facts);
    if (comm_rank(host) == 0)
        look_at_host(&facts, &allowed, comm);
    comm_bcast(host, &facts, sizeof facts, 0);
    comm_free(host);
    const struct rank_place mine = place_of(&facts, &allowed, known, comm, wish);
    out->rank = pool_take(&out->pool, (size_t)out->size * sizeof mine);
    comm_all_gather(comm, &mine, out->rank, sizeof mine);
    places_deal(out->rank, out->size);
    const struct rank_place *dealt = places_mine(out);
    if (dealt->own) {
        const struct core_set processors =
            topology_processors(&facts.topology, &allowed, &dealt->cores);
        bind_process(&processors);
    }
    if (dealt->binds && (dealt->own || dealt->alone))
        list_cores(out, &facts.topology);
}

void places_release(struct places *p) {
    pool_release(&p->pool);
    *p = (struct places){0};
}

const struct rank_place *places_mine(const struct places *p) {
    return &p->rank[p->mine];
}

/* --- who gets what --- */

/* May the two run on the same cores, and on no others? */
static bool same_cores(const struct rank_place *a, const struct rank_place *b) {
    return a->machine == b->machine && core_set_equal(&a->allowed, &b->allowed);
}

/* Those that may use the same cores as one. */
struct sharers {
    int n, before; /* how many; of these, with lower numbers */
    bool bind;     /* all of them wish to be bound */
    int most;      /* threads of one that says how many */
};

static struct sharers sharers_of(const struct rank_place *rank, int size, int i) {
    struct sharers s = {.bind = true};

    for (int k = 0; k < size; k++) {
        if (!same_cores(&rank[i], &rank[k]))
            continue;
        s.n++;
        s.before += k < i;
        s.bind = s.bind && rank[k].binds;
        s.most = rank[k].wish > s.most ? rank[k].wish : s.most;
    }
    return s;
}

static void deal_to(struct rank_place *p, const struct sharers *s) {
    const int cores = core_set_count(&p->cores), each = cores / s->n;

    p->threads = p->wish ? p->wish : each > 1 ? each : 1;
    p->alone = s->n == 1;
    p->own = p->known && s->n > 1 && s->bind && each > 0 && s->most <= each;
    if (p->own)
        p->cores = core_set_part(&p->cores, (int)((int64_t)cores * s->before / s->n),
                                 (int)((int64_t)cores * (s->before + 1) / s->n));
    p->n_processors = p->n_processors > s->n ? p->n_processors / s->n : 1;
}

void places_deal(struct rank_place *rank, int size) {
    for (int i = 0; i < size; i++) {
        const struct sharers s = sharers_of(rank, size, i);
        deal_to(&rank[i], &s);
    }
}
