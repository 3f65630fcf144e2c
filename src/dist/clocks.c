#include "dist/clocks.h"
#include "core/base/clock.h"
#include "dist/spin.h"

#include <math.h>

enum { ROUNDS = 32 };

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

static struct clock_offset compare(struct comm *comm, int rank, int tag) {
    struct clock_offset best = {0, HUGE_VAL};

    for (int i = 0; i < ROUNDS; i++) {
        const double asked = clock_now();
        double theirs;
        send(comm, &asked, sizeof asked, rank, tag);
        receive(comm, &theirs, sizeof theirs, rank, tag);
        const double answered = clock_now();
        if ((answered - asked) / 2 < best.error_s)
            best = (struct clock_offset){theirs - (asked + answered) / 2, (answered - asked) / 2};
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

int clocks_compare(struct comm *comm, struct clock_offset *offset, struct err *err) {
    int tag;

    if (comm_take_tags(comm, 1, &tag, err))
        return -1;
    if (comm_rank(comm)) {
        answer(comm, tag);
        return 0;
    }
    offset[0] = (struct clock_offset){0};
    for (int r = 1; r < comm_size(comm); r++)
        offset[r] = compare(comm, r, tag);
    return 0;
}
