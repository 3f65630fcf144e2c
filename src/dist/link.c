/* Each pair of neighbours is a line of a ring of hosts. Lines that share no host are measured at a
 * time: those of even number, those of odd number, and in a ring of odd length the last one alone.
 * In a line the host of its number leads: it says how many messages follow, and takes the time. */
#include "dist/link.h"
#include "core/base/clock.h"
#include "dist/agree.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PHASES = 3,
    SMALL = 8,               /* bytes of the messages whose latency is measured */
    MOST_TRIPS = 2000,       /* there and back */
    PROBE_BYTES = 64 * 1024, /* of a first message, by which the others are chosen */
    MOST_BYTES = 1 << 20,    /* of a message of many; two are on their way */
    DEPTH = 2,
    LEAST = 4, /* messages */
    MOST = 10000,
    HOST_MEMORY = 256 << 20, /* bytes that all ranks of a host read and write: beyond caches */
    LEAST_MEMORY = 8 << 20,  /* of a rank */
    TAG = 0,
    SPINS = 1000 /* before a rank lets others have its processor */
};

/* Of the time: for memory, for latencies, the rest for bandwidth. */
static const double MEMORY_SHARE = 0.25, LATENCY_SHARE = 0.25;

/* What the leader of a line says before messages follow. */
struct link_plan {
    int64_t bytes, n;
};

/* One end of a line. */
struct link_end {
    struct comm *leaders;
    int other;      /* leader at the other end */
    char *out, *in; /* [DEPTH * MOST_BYTES] */
};

static void wait(struct comm *comm, struct comm_request *request) {
    for (int spins = 0; !comm_test(comm, request); spins++)
        if (spins > SPINS)
            sched_yield();
}

static void send(struct link_end *end, const void *data, size_t bytes) {
    struct comm_request request;

    comm_isend(end->leaders, data, bytes, end->other, TAG, &request);
    wait(end->leaders, &request);
}

static void receive(struct link_end *end, void *data, size_t bytes) {
    struct comm_request request;

    comm_irecv(end->leaders, data, bytes, end->other, TAG, &request);
    wait(end->leaders, &request);
}

/* --- latency --- */

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Half of the median trip: a few wait for a process of somebody else. */
static double lead_trips(struct link_end *end, double seconds) {
    double trip[MOST_TRIPS];
    const double begin = clock_now();
    char go = 1;
    int n = 0;

    for (; go; n++) {
        const double start = clock_now();
        go = n < LEAST || (n < MOST_TRIPS - 1 && start - begin < seconds);
        memset(end->out, go, SMALL);
        send(end, end->out, SMALL);
        receive(end, end->in, SMALL);
        trip[n] = clock_now() - start;
    }
    qsort(trip, (size_t)n, sizeof *trip, by_size);
    return trip[n / 2] / 2;
}

static void answer_trips(struct link_end *end) {
    char go[SMALL];

    do {
        receive(end, go, SMALL);
        send(end, go, SMALL);
    } while (go[0]);
}

/* --- bandwidth --- */

/* Send n messages and receive as many, DEPTH at a time. Returns seconds. */
static double exchange(struct link_end *end, struct link_plan plan) {
    struct comm_request out[DEPTH] = {{false}}, in[DEPTH] = {{false}};
    const double start = clock_now();

    for (int64_t i = 0; i < plan.n + DEPTH; i++) {
        const int64_t slot = i % DEPTH;
        wait(end->leaders, &in[slot]);
        wait(end->leaders, &out[slot]);
        if (i >= plan.n)
            continue;
        comm_irecv(end->leaders, end->in + slot * MOST_BYTES, (size_t)plan.bytes, end->other, TAG,
                   &in[slot]);
        comm_isend(end->leaders, end->out + slot * MOST_BYTES, (size_t)plan.bytes, end->other, TAG,
                   &out[slot]);
    }
    return clock_now() - start;
}

/* Messages that take so many seconds at the speed of the probe, of which the link need not wait for
 * many of the least number. */
static struct link_plan plan_for(double probe_s, double seconds) {
    const double rate = PROBE_BYTES / (probe_s > 0 ? probe_s : 1e-9);
    struct link_plan plan = {.bytes = MOST_BYTES};

    while (plan.bytes > PROBE_BYTES && (double)plan.bytes * 2 * LEAST > rate * seconds)
        plan.bytes /= 2;
    const double n = rate * seconds / (double)plan.bytes;
    plan.n = n < LEAST ? LEAST : n > MOST ? MOST : (int64_t)n;
    return plan;
}

static double lead_exchange(struct link_end *end, double seconds) {
    const struct link_plan probe = {PROBE_BYTES, 1};

    exchange(end, probe); /* the first one opens connections */
    const struct link_plan plan = plan_for(exchange(end, probe), seconds);
    send(end, &plan, sizeof plan);
    return (double)(plan.bytes * plan.n) / exchange(end, plan);
}

static void answer_exchange(struct link_end *end) {
    const struct link_plan probe = {PROBE_BYTES, 1};
    struct link_plan plan;

    exchange(end, probe);
    exchange(end, probe);
    receive(end, &plan, sizeof plan);
    exchange(end, plan);
}

/* --- lines --- */

static int phase_of(int line, int n_hosts) {
    return n_hosts % 2 && line == n_hosts - 1 ? 2 : line % 2;
}

/* The two ends of a ring of two hosts are one line, which is measured once. */
static bool is_line(int line, int n_hosts) {
    return n_hosts > 2 || line == 0;
}

static void lead(struct link_end *end, int next, double seconds, struct link_host *mine) {
    end->other = next;
    mine->latency_s = lead_trips(end, LATENCY_SHARE * seconds);
    mine->bytes_per_s = lead_exchange(end, (1 - MEMORY_SHARE - LATENCY_SHARE) * seconds);
}

static void answer(struct link_end *end, int before) {
    end->other = before;
    answer_trips(end);
    answer_exchange(end);
}

/* This host's line in its phase, and that of the host before it in that one's. */
static void measure_lines(struct comm *leaders, double seconds, char *buffer,
                          struct link_host *mine) {
    const int h = comm_rank(leaders), n = comm_size(leaders), before = (h + n - 1) % n;
    const int n_phases = n == 2 ? 1 : n % 2 ? PHASES : PHASES - 1;
    struct link_end end = {leaders, 0, buffer, buffer + DEPTH * MOST_BYTES};

    for (int phase = 0; n > 1 && phase < n_phases; phase++) {
        comm_barrier(leaders);
        if (is_line(h, n) && phase_of(h, n) == phase)
            lead(&end, (h + 1) % n, seconds / n_phases, mine);
        else if (is_line(before, n) && phase_of(before, n) == phase)
            answer(&end, before);
    }
}

/* --- memory --- */

static void add(float *restrict a, const float *restrict b, size_t n) {
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}

/* Bytes a second of this rank, while all others of the host do the same. */
static double measure_memory(struct comm *host, float *a, float *b, size_t n, double seconds) {
    int64_t passes = 0;

    for (size_t i = 0; i < n; i++)
        a[i] = 0, b[i] = 1;
    comm_barrier(host);
    const double start = clock_now();
    double now = start;
    while (!passes || now - start < seconds) {
        add(a, b, n);
        passes++;
        now = clock_now();
    }
    return (double)passes * 3 * (double)(n * sizeof *a) / (now - start);
}

/* --- all of it --- */

static size_t memory_of_rank(struct comm *host) {
    const size_t share = (size_t)HOST_MEMORY / (size_t)comm_size(host);
    const size_t bytes = share < LEAST_MEMORY ? LEAST_MEMORY : share;

    return bytes / 64 * 64;
}

/* Of each host what its leader knows, to all ranks. */
static void tell(struct comm *comm, struct comm *leaders, const struct link_host *mine,
                 struct link_survey *out) {
    if (leaders)
        comm_all_gather(leaders, mine, out->host, sizeof *mine);
    comm_bcast(comm, out->host, (size_t)out->n_hosts * sizeof *mine, 0);
}

static int survey(struct comm *comm, struct comm *host, struct comm *leaders, double seconds,
                  struct link_survey *out, struct err *err) {
    const size_t bytes = memory_of_rank(host);
    char *memory = malloc(bytes);
    struct link_host mine = {.leader = comm_rank(comm), .n_ranks = comm_size(host)};
    double n_hosts = leaders ? 1 : 0;

    comm_sum_doubles(comm, &n_hosts, 1);
    out->n_hosts = (int)n_hosts;
    out->host = calloc((size_t)out->n_hosts, sizeof *out->host);
    int rc = memory && out->host ? 0
                                 : err_set(err, ERR_IO, "no memory to measure links: %zu bytes",
                                           bytes + (size_t)out->n_hosts * sizeof *out->host);
    rc = agree(comm, rc, err);
    if (!rc) {
        const size_t n = bytes / 2 / sizeof(float);
        float *a = (float *)(void *)memory;
        snprintf(mine.name, sizeof mine.name, "%s", comm_host(comm));
        mine.memory_bytes_per_s = measure_memory(host, a, a + n, n, MEMORY_SHARE * seconds);
        comm_sum_doubles(host, &mine.memory_bytes_per_s, 1);
        comm_barrier(comm);
        if (leaders)
            measure_lines(leaders, seconds, memory, &mine);
        tell(comm, leaders, &mine, out);
    }
    free(memory);
    return rc;
}

int link_survey(struct comm *comm, double seconds, struct link_survey *out, struct err *err) {
    struct comm *host = comm_on_host(comm), *leaders = comm_leaders(comm);

    *out = (struct link_survey){0};
    const int rc = survey(comm, host, leaders, seconds, out, err);
    comm_free(leaders);
    comm_free(host);
    if (rc)
        link_survey_release(out);
    return rc;
}

void link_survey_release(struct link_survey *s) {
    free(s->host);
    *s = (struct link_survey){0};
}

struct link_figures link_slowest(const struct link_survey *s) {
    struct link_figures f = {.n_hosts = s->n_hosts};

    for (int h = 0; h < s->n_hosts; h++) {
        const struct link_host *host = &s->host[h];
        if (h == 0 || host->memory_bytes_per_s < f.memory_bytes_per_s)
            f.memory_bytes_per_s = host->memory_bytes_per_s;
        if (s->n_hosts < 2 || !is_line(h, s->n_hosts))
            continue;
        if (h == 0 || host->bytes_per_s < f.bytes_per_s)
            f.bytes_per_s = host->bytes_per_s, f.slowest = h;
        f.latency_s = host->latency_s > f.latency_s ? host->latency_s : f.latency_s;
    }
    return f;
}

int link_measure(struct comm *comm, double seconds, struct link_figures *out, struct err *err) {
    struct link_survey survey;

    if (link_survey(comm, seconds, &survey, err))
        return -1;
    *out = link_slowest(&survey);
    link_survey_release(&survey);
    return 0;
}
