/* same.h - do all ranks begin with the same? What each of them has is a list of keys and texts;
 * where the lists differ, the first key in which they do is named with both texts. */
#pragma once
#include "core/base/pool.h"
#include "dist/comm.h"

struct same_item {
    const char *key, *text; /* text "": there is no more to say than the key */
};

/* {0} is an empty list. */
struct same {
    struct pool pool; /* owner of all */
    struct same_item *item;
    int n;
};

/* Add one item: a key that the list does not have yet ("[step] loss"), and what this rank has under
 * it. Both are copied. Local. */
void same_add(struct same *list, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* {0} is fine. */
void same_release(struct same *list);

/* Compare the lists of all ranks, which may be of any length and in any order.
 *   kind    of the error, where they are not the same
 *   advice  what the user can do about it; equal on all ranks
 * Collective. Cost: a hash of 8 bytes from each rank; where something differs, the list of rank 0.
 * Errors, the same on all ranks: "rank R on HOST has KEY = TEXT, rank 0 on HOST has KEY = TEXT;
 * ADVICE" for the lowest rank R that is unlike rank 0, and the first key of rank 0 that it has not
 * or has otherwise. Of a long text the part is shown where the two part. */
int same_check(struct comm *comm, const struct same *list, enum err_kind kind, const char *advice,
               struct err *err);
