/* thread.h - threads beside the one that trains. */
#pragma once
#include <pthread.h>
#include <stddef.h>

/* Start one that is sent no requests, which are signals to the process; crashes are its own, and an
 * alarm reaches it, as it may be the only one that is not stuck.
 *   stack_bytes  0: as the system has it
 * Returns 0, or an error number. */
int thread_start(pthread_t *thread, size_t stack_bytes, void *(*run)(void *context), void *context);
