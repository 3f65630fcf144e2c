/* link.h - how fast hosts are joined, and how fast memory of each is: measured, for models and for
 * warnings. Hosts are numbered in the order of their leaders, the first rank of each. */
#pragma once
#include "dist/comm.h"

/* The slowest of a job. */
struct link_figures {
    int n_hosts;               /* 1: the next three are 0 */
    double latency_s;          /* one way, of a small message between leaders of neighbouring
                                  hosts, of the slowest pair */
    double bytes_per_s;        /* that a leader sends while it receives as much, of the slowest
                                  pair */
    int slowest;               /* the host whose pair, with the next one, that is */
    double memory_bytes_per_s; /* all ranks of a host together, of the slowest host: reads and
                                  writes of a += b */
};

/* One host. */
struct link_host {
    char name[64];
    int leader, n_ranks;           /* its first rank; ranks on it */
    double latency_s, bytes_per_s; /* to the next host, the first one behind the last; of a job of
                                      one host 0 */
    double memory_bytes_per_s;
};

/* All hosts. {0} is none. */
struct link_survey {
    struct link_host *host; /* [n_hosts], owned */
    int n_hosts;
};

/* Measure each host and each pair of neighbours.
 *   seconds  that it may take, above 0, equal on all ranks: about, since a slow pair may need
 * longer for its least number of messages out      the same on all ranks; to be released
 * Collective; all ranks of a host read and write memory, 256 MiB together, then leaders talk, pairs
 * that share no host at a time. Errors: ERR_IO for lack of memory, the same on all ranks. */
int link_survey(struct comm *comm, double seconds, struct link_survey *out, struct err *err);

/* {0} is fine. */
void link_survey_release(struct link_survey *survey);

/* The slowest of a survey. Local. */
struct link_figures link_slowest(const struct link_survey *survey);

/* Both: the same figures on all ranks, in about so many seconds. Collective; costs and errors are
 * those of link_survey. */
int link_measure(struct comm *comm, double seconds, struct link_figures *out, struct err *err);
