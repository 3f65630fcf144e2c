/* stop.h - requests to stop a job, by signals. */
#pragma once
#include "dist/comm.h"

#include <stdbool.h>

/* From now on SIGUSR1, SIGTERM, SIGINT and SIGHUP ask this process to stop. The second of them ends
 * it at once, with the code ERR_STOPPED and without saving, wherever it is stuck; those that come
 * with the first, within a fifth of a second, are the same request, passed on by several. */
void stop_catch_signals(void);

/* Was this rank asked to stop? */
bool stop_requested(void);

/* For the time before the first step, which may be long: was any rank asked to stop?
 * Collective. Errors, the same on all ranks: ERR_STOPPED. */
int stop_check(struct comm *comm, struct err *err);
