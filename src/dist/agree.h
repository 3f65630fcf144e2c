/* agree.h - ranks fail together. */
#pragma once
#include "core/base/err.h"
#include "dist/comm.h"

/* End something that may have failed on some ranks only.
 *   rc   0 where it went well on this rank; anything else where *err says why not
 *   err  in: this rank's message, if rc; out: on failure the same message on all ranks, that of
 *        the lowest failing rank, with "rank R on HOST: " in front when there are several ranks
 * Returns 0 on all ranks when rc was 0 on all, else -1 on all. Collective. */
int agree(struct comm *comm, int rc, struct err *err);
