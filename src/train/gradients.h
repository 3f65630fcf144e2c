/* gradients.h - where gradients lie: in memory that the ranks of a host share, where the all-reduce
 * adds them up without moving them, or in that of this rank alone. */
#pragma once
#include "train/event.h"

struct gradients {
    struct comm *host;
    struct comm_shared *shared; /* NULL: of this rank alone */
};

/* Reserve the memory, between replica_init and replica_allocate, which places them there: for an
 * algorithm that wants it so, and where this host has several ranks. Where some host has no room,
 * the job's algorithm becomes one that needs none on all of them, which is said.
 *   g  to be released after the stepper and the replica
 * Collective. */
void gradients_reserve(struct gradients *g, struct replica *r, struct job *job, struct comm *comm,
                       const struct sinks *sinks);

/* {0} is fine. Collective. */
void gradients_release(struct gradients *g);
