/* setup.h - from open data to a replica that can train: what a run and its rehearsal begin with. */
#pragma once
#include "dist/groups.h"
#include "train/feeds.h"
#include "train/replica.h"

/* Everything borrowed. */
struct setup {
    struct job *job;
    struct comm *comm;
    struct groups *groups;
    const struct feeds *data;
    int threads;
    const struct sinks *sinks;
};

/* Before anything is made for them: are all ranks' data the same? Where rank 0 alone validates,
 * only it has read what for. Collective. Errors: those of facts_check_data. */
int setup_compare(const struct setup *s, struct err *err);

/* Plan the replica. Local. Errors: those of replica_init; ERR_IO where the host has not the memory
 * for those of all its ranks. */
int setup_plan(const struct setup *s, struct replica *r, struct err *err);

/* Give it its memory. Local. Errors: those of replica_allocate. */
int setup_allocate(const struct setup *s, struct replica *r, struct err *err);
