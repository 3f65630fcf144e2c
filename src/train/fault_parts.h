/* fault_parts.h - the pages of a fault: private to fault*.c. */
#pragma once
#include "core/base/pool.h"
#include "train/fault.h"

#include <jansson.h>

/* The page, in pool; the object, for the caller to free, or NULL for lack of memory. */
const char *fault_text(const struct fault *f, struct pool *pool);
json_t *fault_json(const struct fault *f);

/* "stall": as fault.json says it. */
const char *fault_kind_name(enum fault_kind kind);

/* Make `path`, which is not there, of the file `beside`, which is removed. Returns 0, 1 where it is
 * there, -1 with errno set. Any handler. */
int fault_place(const char *beside, const char *path);
