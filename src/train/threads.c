#define _GNU_SOURCE /* sched_getaffinity */
#include "train/threads.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a rank may run. */
struct thread_place {
    char host[64];
    cpu_set_t set;
};

int threads_of_rank(int wanted, struct comm *comm) {
    const int size = comm_size(comm);
    struct thread_place *all = calloc((size_t)size, sizeof *all);
    struct thread_place mine;
    int sharing = 0;

    if (!all)
        comm_abort(comm, ERR_IO, "no memory to compare the places of the ranks");
    memset(&mine, 0, sizeof mine);
    snprintf(mine.host, sizeof mine.host, "%s", comm_host(comm));
    const bool known = sched_getaffinity(0, sizeof mine.set, &mine.set) == 0;
    comm_all_gather(comm, &mine, all, sizeof mine);
    for (int i = 0; i < size; i++)
        sharing += !memcmp(&all[i], &mine, sizeof mine);
    free(all);
    if (wanted)
        return wanted;
    const int threads = known ? CPU_COUNT(&mine.set) / sharing : 1;
    return threads < 1 ? 1 : threads;
}
