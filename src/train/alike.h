/* alike.h - all ranks hold the same replica: they begin with that of rank 0, and it is compared,
 * not assumed, that they still do. */
#pragma once
#include "dist/audit.h"
#include "io/dataset/dataset.h"
#include "train/replica.h"

struct alike {
    const struct replica *replica; /* borrowed */
    struct comm *comm;             /* borrowed */
    struct audit_item *item;       /* [n] every tensor of every span, labels */
    int n;
    uint64_t *hash;                   /* room for audit */
    const struct audit_item *differs; /* what was found last: of item, or NULL */
};

/* List what is to be compared of an allocated replica; the memory is the replica's. Local. */
void alike_init(struct alike *a, struct replica *r, struct comm *comm);

/* The labels of ds, of which each rank has its own, are to be compared, too; ds outlives the
 * audits. The replica is that of alike_init. Local. */
void alike_add_labels(struct alike *a, struct replica *r, const struct dataset *ds);

/* Give everyone what rank 0 has. Collective. */
void alike_broadcast(const struct alike *a);

/* Has every rank the same bits in all that is listed? Collective. Cost and errors: those of audit.
 */
int alike_check(struct alike *a, struct err *err);
