/* place.h - where the ranks of a job are: hosts, cores, threads, and who shares what. */
#pragma once
#include "core/base/pool.h"
#include "dist/comm.h"
#include "dist/topology.h"

enum { PLACE_NAME = 64, PLACE_KERNELS = 16 };

/* What a rank wants. */
struct place_wish {
    int threads;         /* 0: one for each of its cores */
    bool binds;          /* to cores of its own, where nobody has bound it */
    const char *kernels; /* the instruction set that it computes with */
};

/* A rank. */
struct rank_place {
    char host[PLACE_NAME], kernels[PLACE_KERNELS];
    uint64_t machine;        /* equal where ranks run on the same processors, whatever their hosts
                                are called */
    int leader;              /* the first rank of its host */
    int wish, threads;       /* that it wants, or 0; that it computes with */
    bool binds;              /* as the wish says */
    bool known;              /* the system says where it may run: */
    struct core_set allowed; /* processors */
    struct core_set cores;   /* of these; its own ones, once they are dealt out */
    bool own;                /* they were dealt out: no other rank is bound to them */
    bool alone;              /* no other rank may use the very same ones */
    int n_processors;        /* hardware threads of its cores, its part of them where ranks share */
    /* of its machine */
    int n_cores, n_host_processors, n_nodes, n_sockets;
    double load; /* other processes that run there; below 0: not told */
    bool shares; /* there is /dev/shm */
};

/* {0} is none. */
struct places {
    struct rank_place *rank; /* [size] of all ranks, in the pool */
    int size, mine;
    struct core_set *core; /* [n_cores] processors of each core of this rank, in the pool */
    int n_cores;           /* 0: there are none that its threads should be kept to */
    struct pool pool;
};

/* Look where everyone is, say how many threads each has, and bind this process to cores of its own.
 * Threads are the cores that a rank may use, shared with those that may use the same ones. Where
 * several may, each is given a block of them, unless a rank does not wish so or they have more
 * threads than cores: then none of these is bound. Never beyond what a rank is allowed.
 *   out  to be released
 * Collective. Cost: the first rank of each host reads its topology; some 400 bytes from each rank.
 */
void places_init(struct places *out, struct comm *comm, const struct place_wish *wish);

/* {0} is fine. Processes stay bound. */
void places_release(struct places *p);

/* That of this rank. Local. */
const struct rank_place *places_mine(const struct places *p);

/* Deal out cores and count threads: places as gathered, complete but for threads, n_processors,
 * own and alone, and with all allowed cores in `cores`. Pure. */
void places_deal(struct rank_place *rank, int size);
