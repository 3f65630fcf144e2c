/* memory.h - lack of memory. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Would the system give so many bytes now? They are asked for and given back. For libraries that
 * hang or crash where they get none, before they are called.
 *   what  needs them, for the message
 * Errors: ERR_IO. */
int memory_probe(size_t bytes, const char *what, struct err *err);

/* The end of the program, with the exit code ERR_IO and one line on standard error, where there is
 * no memory for a small object and nobody to be told; what is unfinished (unfinished.h) is removed.
 * dist/ has one that ends all ranks; this is the one of programs without it. */
_Noreturn void memory_end(size_t bytes);
