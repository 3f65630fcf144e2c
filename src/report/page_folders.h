/* page_folders.h - the folders that a command line means. */
#pragma once
#include "core/base/pool.h"

#include <stdbool.h>

/* Is it the folder of a run: is a job or a log in it? */
bool page_is_run(const char *folder);

/* The folders of runs[n]: each itself, or, of one that is no run's, as that of a sweep, those of
 * runs in it, by name. *out [returned] is in pool. One with no run in it stays, to be refused by
 * whoever reads it. */
int page_folders(const char *const *runs, int n, struct pool *pool, const char ***out);
