/* memory.h - whether a job fits before it is begun: a system that promises more memory than it has
 * ends the job later without a word. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Bytes that the host, or the control group that the job runs in, has left; -1 where the system
 * does not say. */
double memory_left(void);

/* Compare what each of the ranks of this host will take with what the host, or the control group
 * that the job runs in, has left. Errors: ERR_IO, naming both. Local. */
int memory_check(size_t bytes, int ranks_on_host, struct err *err);
