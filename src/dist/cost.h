/* cost.h - what sums of gradients over ranks take, by a model in place of a measurement: latencies,
 * bytes on the links, bytes in memory (alpha, beta and gamma of the literature). Pure.
 * S bytes of gradients, P ranks in blocks of p on H hosts; each host has one link, full duplex,
 * that its ranks share. Source: Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521;
 * links that are busy for less than a message takes: Alexandrov et al. 1995 (LogGP),
 * doi:10.1145/215399.215427 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Where the ranks are and what is between them. */
struct cost_cluster {
    int64_t ranks, per_host;   /* at least 1 each; the last host may have fewer */
    double latency_s;          /* one way, of a message between hosts */
    double bytes_per_s;        /* of a host's link, each way */
    double memory_latency_s;   /* of a message between ranks of a host */
    double memory_bytes_per_s; /* all ranks of a host together, reads and writes */
    double wire;               /* bytes sent for one of gradients: 1, in bfloat16 0.5 */
};

/* Of one sum. */
struct cost {
    double link_s;    /* the busiest link carries bytes */
    double latency_s; /* messages that wait for each other */
    double memory_s;  /* additions, and copies between ranks of a host: work of their processors */
    int64_t rounds;   /* messages that wait for each other; 0: nothing is sent between hosts */
};

struct cost_model {
    const char *name; /* of [dist] allreduce */
    const char *as;   /* what it is modelled as, where the name does not say it; or NULL */
    struct cost (*of)(const struct cost_cluster *c, double bytes);
};

/* The model of that algorithm, or NULL; the i-th of those that are algorithms of their own, NULL
 * past the end. */
const struct cost_model *cost_find(const char *name);
const struct cost_model *cost_at(int i);

/* The sum of so many bytes. Nothing where there is one rank. */
struct cost cost_allreduce(const struct cost_model *m, const struct cost_cluster *c, double bytes);

/* All of it, one after another: of a sum that nothing overlaps. */
static inline double cost_total(const struct cost *c) {
    return c->link_s + c->latency_s + c->memory_s;
}

/* Seconds of a small sum that all ranks wait for, such as that of a loss: in memory of the hosts,
 * between them by recursive doubling. */
double cost_small(const struct cost_cluster *c);

int64_t cost_hosts(const struct cost_cluster *c);

/* One bucket of gradients; buckets stand in the order in which they start. */
struct cost_bucket {
    double ready_s; /* after backward began */
    double bytes;
    double needed_s; /* its sum, after backward ended: what may go on without it */
};

/* The backward pass that sums run beside. */
struct cost_backward {
    double seconds;
    const double *progress_s; /* [n_progress] rising: when messages move, since backward began;
                               * behind it always. NULL: always */
    int n_progress;
    bool overtakes; /* the last bucket goes before those that are ready and not yet on the link */
};

/* What all buckets of a step take. */
struct cost_exposed {
    double seconds;   /* that sums are later than needed, and memory_s */
    double latency_s; /* of it that would be gone if messages took no time beside the link's, and
                       * moved always */
    double memory_s;  /* of it: work of the ranks' own processors, which nothing hides */
    double link_s;    /* that the busiest link carries bytes, hidden or not */
};

/* Replay a backward pass: buckets start when they are ready, and the link serves one after another;
 * while the last message of one travels, the next follows. Where messages do not move always, each
 * round of a bucket waits until they do. */
struct cost_exposed cost_replay(const struct cost_model *m, const struct cost_cluster *c,
                                const struct cost_bucket *bucket, int n,
                                const struct cost_backward *backward);
