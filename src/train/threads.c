#define _GNU_SOURCE /* sched_getaffinity */
#include "train/threads.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a rank may run. */
struct thread_place {
    char host[64];
    cpu_set_t set;
    int threads;
};

/* This rank's in *mine, those of all ranks returned, for the caller to free. Whether the system
 * says where this rank may run in *known. */
static struct thread_place *gather_places(int threads, struct comm *comm, struct thread_place *mine,
                                          bool *known) {
    struct thread_place *all = calloc((size_t)comm_size(comm), sizeof *all);

    if (!all)
        comm_abort(comm, ERR_IO, "no memory to compare the places of the ranks");
    memset(mine, 0, sizeof *mine);
    snprintf(mine->host, sizeof mine->host, "%s", comm_host(comm));
    mine->threads = threads;
    *known = sched_getaffinity(0, sizeof mine->set, &mine->set) == 0;
    comm_all_gather(comm, mine, all, sizeof *mine);
    return all;
}

int threads_of_rank(int wanted, struct comm *comm) {
    struct thread_place mine;
    bool known;
    struct thread_place *all = gather_places(0, comm, &mine, &known);
    int sharing = 0;

    for (int i = 0; i < comm_size(comm); i++)
        sharing += !memcmp(&all[i], &mine, sizeof mine);
    free(all);
    if (wanted)
        return wanted;
    const int threads = known ? CPU_COUNT(&mine.set) / sharing : 1;
    return threads < 1 ? 1 : threads;
}

/* May the one run nowhere but where the other may? */
static bool is_within(const struct thread_place *a, const struct thread_place *b) {
    cpu_set_t both;

    CPU_AND(&both, &a->set, &b->set);
    return !strcmp(a->host, b->host) && CPU_EQUAL(&both, &a->set);
}

struct threads_sharing threads_sharing(int threads, struct comm *comm) {
    const int size = comm_size(comm);
    struct threads_sharing s = {{0}, 0, 0};
    struct thread_place mine;
    bool known;
    struct thread_place *all = gather_places(threads, comm, &mine, &known);

    for (int i = 0; i < size && !s.crowded_host[0]; i++) {
        s.threads = 0;
        s.processors = CPU_COUNT(&all[i].set);
        for (int k = 0; k < size; k++)
            s.threads += is_within(&all[k], &all[i]) ? all[k].threads : 0;
        if (s.processors && s.threads > s.processors)
            memcpy(s.crowded_host, all[i].host, sizeof s.crowded_host);
    }
    free(all);
    return s;
}
