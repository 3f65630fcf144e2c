#include "dist/audit.h"
#include "dist/agree.h"

#include <inttypes.h>
#include <xxhash.h>

/* What an item should hash to, and how many ranks say so. */
struct verdict {
    uint64_t hash;
    int votes;
};

/* The hash that more than half of all[size] are; where there is none, that of rank 0.
 * Source: Boyer & Moore 1991, MJRTY - a fast majority vote algorithm. */
static struct verdict vote(const uint64_t *all, int size) {
    struct verdict v = {0};
    int lead = 0;

    for (int i = 0; i < size; i++) {
        if (!lead)
            v.hash = all[i];
        lead += all[i] == v.hash ? 1 : -1;
    }
    for (int i = 0; i < size; i++)
        v.votes += all[i] == v.hash;
    if (2 * v.votes > size)
        return v;
    v = (struct verdict){.hash = all[0]};
    for (int i = 0; i < size; i++)
        v.votes += all[i] == v.hash;
    return v;
}

static int complain(const struct audit_item *item, uint64_t mine, const struct verdict *should,
                    int size, struct err *err) {
    const char *tensor = item->tensor ? item->tensor : "";

    if (2 * should->votes > size)
        return err_set(err, ERR_DATA,
                       "the replicas differ: %s%s%s has hash %016" PRIx64 " here, %016" PRIx64
                       " on %d of %d ranks",
                       item->span, tensor[0] ? ", " : "", tensor, mine, should->hash, should->votes,
                       size);
    return err_set(err, ERR_DATA,
                   "the replicas differ: %s%s%s has hash %016" PRIx64 " here, %016" PRIx64
                   " on rank 0; which is right cannot be told: no more than half of %d ranks agree",
                   item->span, tensor[0] ? ", " : "", tensor, mine, should->hash, size);
}

/* Some rank is unlike another: find in what. Every rank sees the same hashes, and stops at the same
 * item. */
static int explain(struct comm *comm, const struct audit_item *item, int n, const uint64_t *mine,
                   uint64_t *all, const struct audit_item **differs, struct err *err) {
    const int size = comm_size(comm);

    if (comm_max_double(comm, n) > -comm_max_double(comm, -n))
        return err_set(err, ERR_DATA, "the replicas differ: they do not have the same tensors");
    for (int i = 0; i < n; i++) {
        comm_all_gather(comm, &mine[i], all, sizeof *all);
        const struct verdict should = vote(all, size);
        if (should.votes == size)
            continue;
        *differs = &item[i];
        const int rc = mine[i] == should.hash ? 0 : complain(&item[i], mine[i], &should, size, err);
        return agree(comm, rc, err);
    }
    return err_set(err, ERR_DATA,
                   "the replicas differ, but no part of them does: some rank hashes wrongly");
}

int audit(struct comm *comm, const struct audit_item *item, int n, uint64_t *scratch,
          const struct audit_item **differs, struct err *err) {
    uint64_t *const mine = scratch, *const all = scratch + n;

    *differs = NULL;
    if (comm_size(comm) == 1)
        return 0;
    for (int i = 0; i < n; i++)
        mine[i] = XXH3_64bits(item[i].data, item[i].bytes);
    const uint64_t together = XXH3_64bits(mine, (size_t)n * sizeof *mine);
    comm_all_gather(comm, &together, all, sizeof *all);
    return vote(all, comm_size(comm)).votes == comm_size(comm)
               ? 0
               : explain(comm, item, n, mine, all, differs, err);
}
