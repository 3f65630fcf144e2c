/* dataset_spec.h - how a job names a dataset: one part, or several that count as one. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"

#include <stdbool.h>

struct dataset_spec {
    struct pool pool;
    const char **part; /* [n] "path:group" or "path" */
    int n;
};

/* Read "a.h5:x + b.h5:y", "a.h5, b.h5" and "shards/?.h5:train"; {0} before. What is the name of a
 * file is one part, whatever its characters; a + has blanks around it. Patterns of files stand for
 * all files that match, in the order of their names.
 * Errors: ERR_CONFIG where nothing stands between two signs, or a part is named twice; ERR_IO where
 * a pattern matches no file. */
int dataset_spec_read(struct dataset_spec *out, const char *text, struct err *err);

/* Is some file of it not there? False of what cannot be read. */
bool dataset_spec_absent(const char *text);

/* {0} is fine. */
void dataset_spec_release(struct dataset_spec *spec);
