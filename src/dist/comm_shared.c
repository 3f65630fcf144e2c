/* Windows of memory that the ranks of a host share. A system that promises more of it than it has
 * ends a process at its first touch (SIGBUS): all of it is asked for before anybody writes. */
#define _DEFAULT_SOURCE /* madvise */
#include "dist/comm_mpi.h"
#include "dist/shm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

struct comm_shared {
    const struct comm *host; /* borrowed */
    MPI_Win window;
    int n;
    void *of[]; /* [n] */
};

/* MPI begins where it likes, in all ranks at the same place of a line. */
static void *first_line(void *at) {
    return (char *)at + (COMM_LINE - (uintptr_t)at % COMM_LINE) % COMM_LINE;
}

/* `mine` bytes of each rank, at a line of its own. Collective over host; NULL on all or none. */
static struct comm_shared *shared_new(struct comm *host, size_t mine, struct err *err) {
    const int n = comm_size(host);
    struct comm_shared *shared = malloc(sizeof *shared + (size_t)n * sizeof shared->of[0]);
    MPI_Aint size;
    MPI_Info info;
    void *memory;
    int unit;

    if (comm_max_double(host, !shared) > 0) {
        free(shared);
        err_set(err, ERR_IO, "out of memory");
        return NULL;
    }
    comm_enter(host);
    MPI_Info_create(&info); /* each rank's memory near it */
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    const int rc = MPI_Win_allocate_shared((MPI_Aint)(mine ? mine + COMM_LINE : 0), 1, info,
                                           comm_mpi(host), &memory, &shared->window);
    MPI_Info_free(&info);
    comm_leave(host);
    if (comm_max_double(host, rc != MPI_SUCCESS) > 0) {
        free(shared);
        err_set(err, ERR_IO,
                "no %zu bytes of memory that ranks of a host share; /dev/shm may be too small",
                mine);
        return NULL;
    }
    comm_enter(host);
    comm_check(host, MPI_Win_lock_all(MPI_MODE_NOCHECK, shared->window), "MPI_Win_lock_all");
    shared->host = host;
    shared->n = n;
    for (int r = 0; r < n; r++) {
        comm_check(host, MPI_Win_shared_query(shared->window, r, &size, &unit, &memory),
                   "MPI_Win_shared_query");
        shared->of[r] = first_line(memory);
    }
    comm_leave(host);
    return shared;
}

/* MPI may wait forever for what /dev/shm has not. In all, of all ranks of the host. */
static int check_room(struct comm *host, double bytes, struct err *err) {
    const double left = comm_rank(host) ? -1 : shm_left();
    const bool full = left >= 0 && left < (double)shm_needed((size_t)bytes);

    if (comm_max_double(host, full) > 0)
        return err_set(err, ERR_IO, "/dev/shm has no room for %.0f bytes", bytes);
    return 0;
}

/* Does the system give the pages now? One that does not know the question is taken at its word. */
static bool touch(void *at, size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (size_t)(uintptr_t)at % page;

    if (!bytes)
        return true;
    if (!madvise((char *)at - skip, bytes + skip, MADV_POPULATE_WRITE))
        return true;
    return errno == EINVAL;
}

struct comm_shared *comm_shared_new(struct comm *host, size_t bytes, struct err *err) {
    if (check_room(host, (double)bytes * comm_size(host), err))
        return NULL;
    struct comm_shared *shared = shared_new(host, bytes, err);

    if (!shared)
        return NULL;
    if (comm_max_double(host, !touch(shared->of[comm_rank(host)], bytes)) > 0) {
        comm_shared_free(shared);
        err_set(err, ERR_IO, "/dev/shm has no room for %zu bytes of each of %d ranks", bytes,
                comm_size(host));
        return NULL;
    }
    memset(shared->of[comm_rank(host)], 0, bytes);
    comm_barrier(host);
    return shared;
}

struct comm_shared *comm_shared_reserve(struct comm *host, size_t bytes, struct err *err) {
    if (check_room(host, (double)bytes, err))
        return NULL;
    return shared_new(host, comm_rank(host) ? 0 : bytes, err);
}

void *comm_shared_of(const struct comm_shared *shared, int rank) {
    return shared->of[rank];
}

void comm_shared_free(struct comm_shared *shared) {
    if (!shared)
        return;
    comm_enter(shared->host);
    MPI_Win_unlock_all(shared->window);
    MPI_Win_free(&shared->window);
    comm_leave(shared->host);
    free(shared);
}
