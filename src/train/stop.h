/* stop.h - requests to stop a job, or to save it, by signals. */
#pragma once
#include "dist/comm.h"

#include <stdbool.h>

/* From now on SIGUSR1, SIGTERM, SIGINT and SIGHUP ask this process to stop; SIGHUP does not where
 * it is ignored, as nohup has it. The second of them ends it at once, with the code ERR_STOPPED and
 * without saving, wherever it is stuck; those that come with the first, within a fifth of a second,
 * are the same request, passed on by several. SIGUSR2 asks to save. */
void stop_catch_signals(void);

/* In place of these, what a job says: signals that ask to stop, and others that ask to save. What
 * is in neither does what it does in any program. stops, saves  bits: job_signal_at */
void stop_use_signals(unsigned stops, unsigned saves);

/* Was this rank asked to stop? */
bool stop_requested(void);

/* Was it asked to save since this was asked last? */
bool stop_save_requested(void);

/* For the time before the first step, which may be long: was any rank asked to stop?
 * Collective. Errors, the same on all ranks: ERR_STOPPED. */
int stop_check(struct comm *comm, struct err *err);
