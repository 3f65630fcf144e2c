/* threads.h - how many threads a rank computes with. */
#pragma once
#include "dist/comm.h"

/* `wanted`, or for 0 the processors that this rank may use, shared with those ranks of its host
 * that may use the same ones: one where mpirun binds ranks to cores, a part of the socket where
 * it binds them to sockets, a part of the host where nothing is bound. Collective. */
int threads_of_rank(int wanted, struct comm *comm);

/* Threads that must share processors. */
struct threads_sharing {
    char crowded_host[64]; /* "": there are none; else, of one host: */
    int threads, processors;
};

/* Are there processors that more threads are bound to than they can run at a time?
 *   threads  of this rank
 * Collective; the same on all ranks. */
struct threads_sharing threads_sharing(int threads, struct comm *comm);
