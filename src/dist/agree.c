#include "dist/agree.h"

int agree(struct comm *comm, int rc, struct err *err) {
    const int rank = comm_rank(comm), size = comm_size(comm);

    if (size == 1)
        return rc ? -1 : 0;
    /* -rank of the lowest failing rank, below every rank when none fails */
    const int failing = -(int)comm_max_double(comm, rc ? -rank : -size);
    if (failing == size)
        return 0;
    struct err worst = {0};
    if (rank == failing) {
        worst = *err;
        worst.of_rank = 1 + rank;
        err_wrap(&worst, "rank %d on %s", rank, comm_host(comm));
    }
    comm_bcast(comm, &worst, sizeof worst, failing);
    *err = worst;
    return -1;
}
