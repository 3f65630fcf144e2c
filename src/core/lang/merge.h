/* merge.h - what later text does to the job so far. Internal to lang. */
#pragma once
#include "core/lang/reader.h"

/* Add a file to the job: its keys replace the same keys in their place, its nets and blocks replace
 * those of the same name whole. Its [job] include is not kept. */
int merge_file(struct source *s, const struct file *file, struct err *err);

/* Add what the command line sets, as described for source_read.
 *   number  of the set, from 1; the line of its place */
int merge_set(struct source *s, const char *set, int number, const char *const *job_keys,
              struct err *err);
