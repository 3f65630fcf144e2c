/* memory.h - whether a job fits before it is begun: a system that promises more memory than it has
 * ends the job later without a word. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Bytes that the host, or the control groups that the job runs in, have left; -1 where the system
 * does not say. What files are cached in counts as left. */
double memory_left(void);

/* Bytes that this process holds, of memory that several share its part; -1 where the system does
 * not say. */
double memory_held(void);

/* Compare what each of the ranks of this host will take with what the host, or the control group
 * that the job runs in, has left. Errors: ERR_IO, naming both. Local. */
int memory_check(size_t bytes, int ranks_on_host, struct err *err);
