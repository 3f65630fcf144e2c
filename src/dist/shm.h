/* shm.h - where the ranks of a host have memory in common: /dev/shm, which a system or a container
 * may give less than it has memory. */
#pragma once
#include <stddef.h>

/* Bytes that are left there; -1 where it is not told. Local. */
double shm_left(void);

/* Bytes that should be left where so many are asked for: MPI writes more beside them. */
size_t shm_needed(size_t bytes);
