/* crash.h - a process that is ended by a signal of its own making says where it was: one line on
 * standard error, and a page in the run's folder with the calls that led there. Then the signal
 * goes on its way, to MPI's handler or the system's, with its core dump. */
#pragma once
#include "core/base/pulse.h"
#include "train/fault.h"

/* Borrowed until crash_forget. */
struct crash_place {
    const char *folder; /* of the run; NULL: none is taken yet, and no page is written */
    int rank, size;
    const char *host;
    const struct pulse *pulse; /* of this rank; NULL: there is none */
    const struct fault_names *names;
};

/* From now on; a later call says more. The calling thread, which is that of the pulse, gets a stack
 * of its own for it, as its own may be what is exhausted. Nothing is done where a sanitizer is
 * built in, which says more. Local. */
void crash_watch(const struct crash_place *place);

/* As before. Local. */
void crash_forget(void);
