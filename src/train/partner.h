/* partner.h - copies of a run's state in the memory of its hosts, more often than a file system
 * would take checkpoints. All ranks hold the same state, so that the first rank of each host keeps
 * it without a word between hosts: /dev/shm/dltrain-UID/PLACE-RUN.h5, a checkpoint like any other.
 * It outlives its process, and not its host; any other host of the run has the same. PLACE is a
 * hash of the path of the run's folder, RUN of the first line of its events.jsonl and its job.ini:
 * a run that begins anew in the same place has another, and one that went on with another job than
 * the copy's does not go back to it. */
#pragma once
#include "dist/comm.h"
#include "train/control.h"
#include "train/event.h"
#include "train/identity.h"

enum { PARTNER_HASH = 17 };

/* {0} is releasable. */
struct partner {
    struct comm *comm;         /* borrowed */
    const struct sinks *sinks; /* borrowed */
    char place[PARTNER_HASH], run[PARTNER_HASH];
    bool warned;
    struct pool pool;
};

/* Of a job on these ranks. Local. */
void partner_init(struct partner *p, struct comm *comm, const struct sinks *sinks);

/* Look on all hosts for a copy of the run in a folder, which rank 0 sees, that is whole and further
 * than its checkpoints.
 *   newest  on rank 0: the step of the latest of them; -1: there is none
 *   step    of the copy
 * Collective. Returns the rank whose host has it; -1: none has. */
int partner_find(struct partner *p, const char *folder, int64_t newest, int64_t *step);

/* Make the copy that was found on the host of a rank the file, on rank 0, which has the folder by
 * now; of those before `keep` stay, as of kept_replace. Collective. Errors, the same on all ranks:
 * ERR_IO. */
int partner_bring(struct partner *p, int owner, const char *file, int keep, struct err *err);

/* Once the run has begun: from now on its copies are kept. What earlier runs have left in its
 * place is removed; a host whose /dev/shm has no room for a copy and the next one is told of.
 *   bytes  of a checkpoint
 * Collective. */
void partner_begin(struct partner *p, const char *folder, double bytes);

/* Replace the copies on all hosts. Where one cannot be written, the one before stays, and a warning
 * says so, once. The history in progress is rank 0's. Collective. */
void partner_keep(struct partner *p, const struct identity *id, const struct replica *r,
                  const struct progress *progress);

/* The run needs its copies no longer. Collective only in that all ranks may call it. */
void partner_remove(struct partner *p);

void partner_release(struct partner *p);
