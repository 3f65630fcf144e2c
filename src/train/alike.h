/* alike.h - all ranks hold the same replica: they begin with that of rank 0, and it is compared,
 * not assumed, that they still do. */
#pragma once
#include "dist/audit.h"
#include "train/replica.h"

struct alike {
    const struct replica *replica; /* borrowed */
    struct comm *comm;             /* borrowed */
    struct audit_item *item;       /* [n] every tensor of every span */
    int n;
    uint64_t *hash; /* room for audit */
};

/* List what is to be compared of an allocated replica; the memory is the replica's. Local. */
void alike_init(struct alike *a, struct replica *r, struct comm *comm);

/* Give everyone what rank 0 has. Collective. */
void alike_broadcast(const struct alike *a);

/* Has every rank the same bits in every span? Collective. Cost and errors: those of audit. */
int alike_check(const struct alike *a, struct err *err);
