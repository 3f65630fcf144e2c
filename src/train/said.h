/* said.h - what [data] image and fields say of a sample: believed where there is no data, compared
 * where there is. */
#pragma once
#include "io/loader/loader.h"
#include "job/job.h"

/* Does the job say anything? */
bool said_any(const struct job *job);

/* What it says: image, with it a label, which is taken to exist, and fields. Names are the job's.
 * Errors: ERR_CONFIG where they are too many. */
int said_fields(const struct job *job, struct loader_field fields[LOADER_MAX_FIELDS], int *n,
                struct err *err);

/* Compare it with what the loader of `data`, a name for messages, gives to networks; the label of
 * image need not be there.
 * Errors: ERR_CONFIG with the place in the job, naming both. */
int said_check(const struct job *job, const struct loader *loader, const char *data,
               struct err *err);
