#include "dist/audit.h"
#include "dist/agree.h"

#include <stdlib.h>
#include <xxhash.h>

/* Whether all of this rank's spans hash to what rank 0 found. */
static int compare(const uint64_t *mine, const uint64_t *first, const char *const *names, int n,
                   struct err *err) {
    for (int i = 0; i < n; i++)
        if (mine[i] != first[i])
            return err_set(err, ERR_DATA,
                           "the replicas differ: %s has hash %016llx here, %016llx on rank 0",
                           names[i], (unsigned long long)mine[i], (unsigned long long)first[i]);
    return 0;
}

int audit_spans(struct comm *comm, const real *const *span, const int64_t *len,
                const char *const *names, int n, struct err *err) {
    const size_t bytes = (size_t)n * sizeof(uint64_t);

    if (comm_size(comm) == 1)
        return 0;
    uint64_t *mine = malloc(bytes + 1), *first = malloc(bytes + 1);
    int rc = mine && first ? 0 : err_set(err, ERR_IO, "out of memory: %d hashes", n);
    rc = agree(comm, rc, err);
    if (!rc) {
        for (int i = 0; i < n; i++)
            first[i] = mine[i] = XXH3_64bits(span[i], (size_t)len[i] * sizeof(real));
        comm_bcast(comm, first, bytes, 0);
        rc = agree(comm, compare(mine, first, names, n, err), err);
    }
    free(mine);
    free(first);
    return rc;
}
