/* fault_states.h - what ranks are at while one of them is stuck, in lines. */
#pragma once
#include "core/base/pool.h"
#include "dist/watchdog.h"
#include "train/fault.h"

enum { FAULT_STATES = 40 }; /* lines at most */

/* "ranks 0-2, 4-7       waiting for gradients, bucket 3, step 812, since 71 s": ranks of which the
 * same can be said are one line. Where there would be too many lines, that of the guilty one is
 * there, and the last says how many ranks more there are.
 *   rank    [n], of which number `guilty` is in one
 *   names   of operators; NULL: they have none yet
 *   line    [FAULT_STATES], in pool
 * Returns how many lines. */
int fault_states(const struct watchdog_rank *rank, int n, int guilty,
                 const struct fault_names *names, const char **line, struct pool *pool);
