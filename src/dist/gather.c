#include "dist/gather.h"
#include "dist/agree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t MOST = (int64_t)1 << 30;

int gather_init(struct gather *g, struct comm *comm, struct err *err) {
    *g = (struct gather){.comm = comm};
    g->lens = malloc((size_t)comm_size(comm) * sizeof *g->lens);
    const int rc = g->lens ? 0 : err_set(err, ERR_IO, "no memory for numbers of all ranks");
    return agree(comm, rc, err) || comm_take_tags(comm, 1, &g->tag, err) ? -1 : 0;
}

/* Ranks that wait for a message leave their processor to those that compute. */
static void finish(struct comm *comm, struct comm_request *request) {
    static const struct timespec nap = {.tv_nsec = 50000};
    const struct pulse_beat was = pulse_pause(comm_pulse(comm), PULSE_SUM);

    for (int spin = 0; !comm_test(comm, request); spin++)
        if (spin > 100)
            nanosleep(&nap, NULL);
    pulse_resume(comm_pulse(comm), &was);
}

static int reserve(struct gather *g, size_t len, struct err *err) {
    for (int i = 0; i < comm_size(g->comm); i++)
        if (g->lens[i] > MOST)
            return err_set(err, ERR_IO, "rank %d has %lld bytes at a time, expected at most %lld",
                           i, (long long)g->lens[i], (long long)MOST);
    if (len <= g->room)
        return 0;
    unsigned char *more = realloc(g->bytes, len);
    if (!more)
        return err_set(err, ERR_IO, "no memory for %zu bytes of all ranks", len);
    g->bytes = more;
    g->room = len;
    return 0;
}

int gather_bytes(struct gather *g, const void *mine, size_t len, struct err *err) {
    const int rank = comm_rank(g->comm), size = comm_size(g->comm);
    const int64_t own = (int64_t)len;
    struct comm_request request = {0};
    size_t total = 0, at = 0;

    comm_all_gather(g->comm, &own, g->lens, sizeof own);
    for (int i = 0; i < size; i++)
        total += (size_t)g->lens[i];
    if (agree(g->comm, reserve(g, rank ? 0 : total, err), err))
        return -1;
    g->len = rank ? 0 : total;
    if (rank && len) {
        comm_isend(g->comm, mine, len, 0, g->tag, &request);
        finish(g->comm, &request);
    }
    if (!rank && len)
        memcpy(g->bytes, mine, len);
    for (int i = 0; !rank && i < size; at += (size_t)g->lens[i++])
        if (i && g->lens[i]) {
            comm_irecv(g->comm, g->bytes + at, (size_t)g->lens[i], i, g->tag, &request);
            finish(g->comm, &request);
        }
    return 0;
}

void gather_release(struct gather *g) {
    free(g->bytes);
    free(g->lens);
    *g = (struct gather){0};
}
