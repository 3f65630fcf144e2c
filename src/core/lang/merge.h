/* merge.h - what later text does to the job so far. Internal to lang. */
#pragma once
#include "core/lang/reader.h"

/* Add a file to the job: its keys replace the same keys in their place, its nets and blocks replace
 * those of the same name whole. Its [job] include is not kept. */
void merge_file(struct source *s, const struct file *file);

/* Add a section at the end; the pointer is good until the next is added. */
struct section *merge_section(struct source *s, struct section section);

/* Replace the entry of the same key in its place, or add it. */
void merge_entry(struct source *s, struct section *into, const struct entry *entry);

/* Add what the command line sets, as described for source_read.
 *   number  of the set, from 1; the line of its place */
int merge_set(struct source *s, const char *set, int number, const char *const *keys,
              struct err *err);
