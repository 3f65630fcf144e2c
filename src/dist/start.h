/* start.h - what a process must be allowed before MPI starts: without it MPI ends the process, in
 * words about its own parts. */
#pragma once
#include "core/base/err.h"

/* Local; before MPI starts. Sets PATH where there is none: Open MPI looks for its own programs.
 * Errors: ERR_IO naming the limit, what it is and what is expected; a TMPDIR that cannot be
 * written. */
int start_probe(struct err *err);
