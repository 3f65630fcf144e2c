#include "train/host_memory.h"
#include "dist/agree.h"
#include "dist/shm.h"
#include "train/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { ALIGN = 64 };

/* What was taken at a time. */
struct host_piece {
    struct comm_shared *shared; /* that it is the first of; NULL: it lies behind another, or */
    void *own;                  /* is this rank's */
    unsigned char *at;
    size_t bytes, room; /* room behind it that it shares a window with */
    struct host_piece *next;
};

/* May this host keep so many bytes? Asked by its first rank. */
static int check_room(const struct comm *comm, double bytes, int copies, struct err *err) {
    const double left = memory_left(), mib = 1 << 20;

    if (left < 0 || bytes * copies <= left)
        return 0;
    return err_set(err, ERR_IO,
                   "not enough memory on %s: %.0f MiB of data are to be kept in it%s, and %.0f MiB "
                   "are left; with a smaller [data] cache they are read from the file",
                   comm_host(comm), bytes / mib, copies > 1 ? " by each of its ranks" : "",
                   left / mib);
}

static int add_piece(struct host_memory *m, size_t bytes, struct err *err) {
    struct host_piece *piece = calloc(1, sizeof *piece);

    if (!piece)
        return err_set(err, ERR_IO, "out of memory");
    piece->bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (m->last)
        m->last->next = piece;
    else
        m->first = piece;
    m->last = piece;
    m->next = m->next ? m->next : piece;
    return 0;
}

static int allocate_own(struct host_piece *piece, struct err *err) {
    piece->own = aligned_alloc(ALIGN, piece->bytes);
    piece->at = piece->own;
    return piece->own ? 0 : err_set(err, ERR_IO, "no memory for %zu bytes of data", piece->bytes);
}

/* In what a window has left. */
static bool take_rest(const struct host_piece *before, struct host_piece *piece) {
    if (!before || before->room < piece->bytes)
        return false;
    piece->at = before->at + before->bytes;
    piece->room = before->room - piece->bytes;
    return true;
}

/* Windows double, so that a thousand parts have ten of them: what is not written to takes no
 * memory, but all hosts must have room for it. Returns NULL with err where this one has none. */
static struct comm_shared *take_window(struct host_memory *m, size_t before,
                                       struct host_piece *piece, struct err *err) {
    const double left = shm_left(), most = left < 0 ? HUGE_VAL : left / 2;
    const bool doubles = -comm_max_double(m->comm, -most) >= (double)shm_needed(2 * before);
    const size_t least = piece->bytes + ALIGN; /* MPI begins them where it likes */
    const size_t bytes = doubles && least < 2 * before ? 2 * before : least;

    piece->shared = comm_shared_reserve(m->host, bytes, err);
    if (!piece->shared)
        return NULL;
    piece->at = comm_shared_of(piece->shared, 0);
    piece->at += (ALIGN - (uintptr_t)piece->at % ALIGN) % ALIGN;
    piece->room = bytes - least;
    return piece->shared;
}

/* As long as there is room for as many copies. */
static int take_copies(struct host_memory *m, struct err *err) {
    const bool asks = comm_local_rank(m->comm) == 0;
    const double bytes = (double)m->last->bytes;
    const int rc = asks ? check_room(m->comm, bytes, comm_local_size(m->comm), err) : 0;

    if (agree(m->comm, rc, err))
        return -1;
    return agree(m->comm, allocate_own(m->last, err), err);
}

/* Once: what else there is no room for is not news. */
static void warn(struct host_memory *m, const struct err *why) {
    if (m->sinks && !m->warned)
        sinks_warn(m->sinks,
                   "the ranks of a host share too little memory, each keeps a copy of data%s%s",
                   why ? ": " : "", why ? why->msg : "");
    m->warned = true;
}

int host_memory_take(struct host_memory *m, size_t bytes, struct err *err) {
    const struct host_piece *before = m->last;
    struct err why = {0};
    int rc = add_piece(m, bytes, err);

    if (!rc && comm_local_rank(m->comm) == 0)
        rc = check_room(m->comm, (double)bytes, 1, err);
    if (agree(m->comm, rc, err))
        return -1;
    if (comm_size(m->comm) == 1)
        return allocate_own(m->last, err);
    if (take_rest(before, m->last))
        return 0;
    if (!m->host) {
        m->host = comm_on_host(m->comm);
        m->leaders = comm_leaders(m->comm);
    }
    const bool none = !take_window(m, before && !before->own ? before->bytes : 0, m->last, &why);
    if (comm_max_double(m->comm, none) == 0)
        return 0;
    warn(m, none ? &why : NULL);
    comm_shared_free(m->last->shared);
    m->last->shared = NULL;
    m->last->room = 0;
    return take_copies(m, err);
}

int host_memory_take_alone(struct host_memory *m, size_t bytes, struct err *err) {
    return check_room(m->comm, (double)bytes, 1, err) || add_piece(m, bytes, err) ||
                   allocate_own(m->last, err)
               ? -1
               : 0;
}

void *host_memory_next(struct host_memory *m, size_t bytes, bool *filled, struct err *err) {
    struct host_piece *piece = m->next;

    if (!piece || !piece->at || piece->bytes < bytes) {
        err_set(err, ERR_IO, "no memory was taken for %zu bytes of data", bytes);
        return NULL;
    }
    m->next = piece->next;
    *filled = !piece->own && comm_local_rank(m->comm) > 0;
    return piece->at;
}

void *host_memory_last(const struct host_memory *m) {
    return m->last->at;
}

void host_memory_bcast(struct host_memory *m, size_t bytes) {
    struct comm *among = m->last->own ? m->comm : m->leaders;

    if (among)
        comm_bcast(among, m->last->at, bytes, 0);
    comm_barrier(m->comm); /* others may read it now */
}

void host_memory_skip(struct host_memory *m) {
    m->next = NULL;
}

bool host_memory_shared(const struct host_memory *m, const struct host_piece *since) {
    for (const struct host_piece *piece = since ? since->next : m->first; piece;
         piece = piece->next)
        if (piece->own)
            return false;
    return m->first != NULL;
}

double host_memory_bytes(const struct host_memory *m) {
    double bytes = 0;

    for (const struct host_piece *piece = m->first; piece; piece = piece->next)
        bytes += (double)piece->bytes * (piece->own ? comm_local_size(m->comm) : 1);
    return bytes;
}

void host_memory_release(struct host_memory *m) {
    struct host_piece *next;

    for (struct host_piece *piece = m->first; piece; piece = next) {
        next = piece->next;
        comm_shared_free(piece->shared);
        free(piece->own);
        free(piece);
    }
    comm_free(m->leaders);
    comm_free(m->host);
    *m = (struct host_memory){0};
}
