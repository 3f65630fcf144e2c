/* parallel.h - a team of threads that share loops. The calling thread is one of them. */
#pragma once
#include "core/base/core_set.h"
#include "core/base/err.h"

struct team;

/* A team of n_threads >= 1, the caller included.
 * *out is NULL for one thread, which every function accepts.
 * Errors: ERR_IO when the system gives no thread. */
int team_new(struct team **out, int n_threads, struct err *err);

/* Keep every thread but the caller on a core of its own, where there are as many cores as threads;
 * with more, other processes may use them, and would keep to the same ones. The caller is left
 * alone: threads that it starts later would inherit its core, which is what remains for it.
 *   core  [n] the processors of each
 * A refusal of the system only costs speed. Local; NULL is fine. */
void team_pin(struct team *team, const struct core_set *core, int n);

/* Ends the threads. NULL is fine. */
void team_free(struct team *team);

/* Threads in the team; 1 for NULL. */
int team_size(const struct team *team);

/* Run task over [0, n), cut into ranges that threads take as they get free; returns when all are
 * done. A task must give the same numbers wherever the cuts are and whoever takes them, so that
 * results do not depend on the number of threads. Inside a task it runs the whole loop on that
 * thread. */
void team_run(struct team *team, int64_t n, void (*task)(void *context, int64_t begin, int64_t end),
              void *context);

/* The same by at most n_slots threads, for tasks with scratch memory of their own: no two that run
 * at a time have the same slot, 0 .. n_slots - 1. */
void team_run_slots(struct team *team, int64_t n, int n_slots,
                    void (*task)(void *context, int slot, int64_t begin, int64_t end),
                    void *context);
