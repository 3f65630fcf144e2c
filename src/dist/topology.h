/* topology.h - the cores of this machine, by hwloc, whose only includer topology.c is. */
#pragma once
#include "core/base/core_set.h"

/* Processors are hardware threads, as the system numbers them; cores are numbered from 0 in an
 * order in which neighbours share caches, memory and sockets. */
struct topology {
    int16_t core[CORE_SET_MOST];                   /* of each processor; -1: there is none */
    int n_processors, n_cores, n_nodes, n_sockets; /* nodes: NUMA nodes */
};

/* Ask the system. Where it does not say (a container without /sys), every processor that this
 * process may use is a core of its own.
 *   known  processors that exist, whatever hwloc says; empty: the system does not tell
 * Local. Cost: some milliseconds, and many files of /sys. */
void topology_read(struct topology *t, const struct core_set *known);

/* The cores of processors; one that the topology does not have is none. */
struct core_set topology_cores(const struct topology *t, const struct core_set *processors);

/* Those of `processors` that are on these cores. */
struct core_set topology_processors(const struct topology *t, const struct core_set *processors,
                                    const struct core_set *cores);
