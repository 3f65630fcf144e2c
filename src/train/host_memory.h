/* host_memory.h - memory for data that all ranks of a host read: one copy of it, where they can
 * share it. */
#pragma once
#include "dist/comm.h"
#include "train/event.h"

struct host_piece;

/* {0} is releasable. */
struct host_memory {
    struct comm *comm;         /* borrowed */
    struct comm *host;         /* of the ranks of this host; NULL before anything is shared */
    struct comm *leaders;      /* of the first ranks of all hosts; NULL on the others */
    const struct sinks *sinks; /* told where ranks cannot share; NULL: nobody is */
    struct host_piece *first;
    struct host_piece *last;
    struct host_piece *next; /* that host_memory_next gives */
    bool warned;             /* they have been told */
};

/* Take memory on every host, once, or once a rank where its ranks cannot share it. Collective;
 * bytes > 0 and equal on all ranks. Errors, the same on all ranks: ERR_IO where a host has not so
 * much, with figures. */
int host_memory_take(struct host_memory *m, size_t bytes, struct err *err);

/* Likewise for this rank alone. Local. Errors: ERR_IO. */
int host_memory_take_alone(struct host_memory *m, size_t bytes, struct err *err);

/* What was taken, one after another, at multiples of 64 bytes, valid until host_memory_release.
 *   filled  whether another rank writes what is to be in it
 * Local. Errors, where NULL is returned: ERR_IO, less was taken. */
void *host_memory_next(struct host_memory *m, size_t bytes, bool *filled, struct err *err);

/* What was taken last, without regard to that. Local. */
void *host_memory_last(const struct host_memory *m);

/* Go on with what is taken from now on. Local. */
void host_memory_skip(struct host_memory *m);

/* Copy `bytes` that rank 0 has in what was taken last to that of all hosts. Collective. */
void host_memory_bcast(struct host_memory *m, size_t bytes);

/* Is all that was taken behind `since`, NULL: from the first on, shared by the ranks of a host?
 * Local. */
bool host_memory_shared(const struct host_memory *m, const struct host_piece *since);

/* Bytes that this host holds of it, copies too. Local. */
double host_memory_bytes(const struct host_memory *m);

/* Collective. {0} is fine. */
void host_memory_release(struct host_memory *m);
