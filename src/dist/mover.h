/* mover.h - a thread of a rank that moves messages while its operators compute. It sleeps while
 * nothing is under way, and wants a processor while something is. */
#pragma once
#include "core/base/trace.h"
#include "dist/comm.h"

struct mover;

/* Start the thread; from now on it calls MPI, too.
 *   out   owned by the caller, ended by mover_free
 *   comm  borrowed until then
 * Local. Errors: ERR_CONFIG where MPI does not let a second thread call; ERR_IO. */
int mover_new(struct mover **out, struct comm *comm, struct err *err);

/* End it. NULL is fine. While nothing is under way; before the comm is freed. Local. */
void mover_free(struct mover *m);

/* Let it call move(context) while that says true: something is under way. From mover_wake on; not
 * again once it said false. Before the first mover_wake. Local. Errors: ERR_IO. */
int mover_add(struct mover *m, bool (*move)(void *context), void *context, struct err *err);

/* Keep when it is at work in a trace, borrowed until mover_free. Before the first mover_wake.
 * Local.
 */
void mover_trace(struct mover *m, struct trace *trace);

/* Something is under way. Local; not within `move`. */
void mover_wake(struct mover *m);
