#include "dist/gather.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/spin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 32 };

static const size_t most_bytes = (size_t)1 << 30; /* of a message */

static void finish(struct comm *comm, struct comm_request *request) {
    int spins = 0;

    while (!comm_test(comm, request))
        spin(&spins);
}

static void send(struct comm *comm, const void *data, size_t bytes, int to, int tag) {
    struct comm_request request = {0};

    comm_isend(comm, data, bytes, to, tag, &request);
    finish(comm, &request);
}

static void receive(struct comm *comm, void *data, size_t bytes, int from, int tag) {
    struct comm_request request = {0};

    comm_irecv(comm, data, bytes, from, tag, &request);
    finish(comm, &request);
}

/* In pieces that a message can be; those of one tag stay in their order. */
static void move(struct comm *comm, char *data, size_t bytes, int from, int tag) {
    for (size_t done = 0; done < bytes;) {
        const size_t n = bytes - done < most_bytes ? bytes - done : most_bytes;
        if (comm_rank(comm) == 0)
            receive(comm, data + done, n, from, tag);
        else
            send(comm, data + done, n, 0, tag);
        done += n;
    }
}

/* Where each rank's bytes go, on rank 0. */
static int make_room(const size_t *sizes, int n, size_t *at, char **all, struct err *err) {
    at[0] = 0;
    for (int r = 0; r < n; r++)
        at[r + 1] = at[r] + sizes[r];
    *all = malloc(at[n] + 1);
    return *all ? 0 : err_set(err, ERR_IO, "no memory for %zu bytes from all ranks", at[n]);
}

int gather_bytes(struct comm *comm, const void *mine, size_t bytes, size_t *at, char **all,
                 struct err *err) {
    const int rank = comm_rank(comm), n = comm_size(comm);
    size_t *sizes = calloc((size_t)n, sizeof *sizes);
    int tag, rc = sizes ? 0 : err_set(err, ERR_IO, "no memory for the sizes of all ranks");

    *all = NULL;
    if (comm_take_tags(comm, 1, &tag, err) || agree(comm, rc, err)) {
        free(sizes);
        return -1;
    }
    comm_all_gather(comm, &bytes, sizes, sizeof bytes);
    if (rank == 0)
        rc = make_room(sizes, n, at, all, err);
    rc = agree(comm, rc, err);
    if (!rc && rank == 0) {
        memcpy(*all, mine, bytes);
        for (int r = 1; r < n; r++)
            move(comm, *all + at[r], sizes[r], r, tag);
    } else if (!rc) {
        move(comm, (char *)(uintptr_t)mine, bytes, 0, tag);
    }
    free(sizes);
    return rc;
}

static struct gather_clock compare(struct comm *comm, int rank, int tag) {
    struct gather_clock best = {0, HUGE_VAL};

    for (int i = 0; i < ROUNDS; i++) {
        const double asked = clock_now();
        double theirs;
        send(comm, &asked, sizeof asked, rank, tag);
        receive(comm, &theirs, sizeof theirs, rank, tag);
        const double answered = clock_now();
        if ((answered - asked) / 2 < best.error_s)
            best = (struct gather_clock){theirs - (asked + answered) / 2, (answered - asked) / 2};
    }
    return best;
}

static void answer(struct comm *comm, int tag) {
    double asked, now;

    for (int i = 0; i < ROUNDS; i++) {
        receive(comm, &asked, sizeof asked, 0, tag);
        now = clock_now();
        send(comm, &now, sizeof now, 0, tag);
    }
}

int gather_clocks(struct comm *comm, struct gather_clock *clock, struct err *err) {
    int tag;

    if (comm_take_tags(comm, 1, &tag, err))
        return -1;
    if (comm_rank(comm)) {
        answer(comm, tag);
        return 0;
    }
    clock[0] = (struct gather_clock){0};
    for (int r = 1; r < comm_size(comm); r++)
        clock[r] = compare(comm, r, tag);
    return 0;
}
