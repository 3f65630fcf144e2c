/* reader.h - one INI file as sections, before anything is included or merged. Internal to lang. */
#pragma once
#include "core/lang/syntax.h"

#include <stdio.h>

/* The sections of one file. */
struct file {
    const char *path; /* as messages name it; as long as the file */
    struct section *sections;
    int n_sections;
};

/* Read stream to its end into *out, whose path is set and whose sections are none.
 * Everything belongs to the pool. Errors: ERR_CONFIG at the place; ERR_IO for reading errors. */
int reader_read(struct pool *pool, FILE *stream, struct file *out, struct err *err);

/* A section of that kind and name, or NULL. */
struct section *sections_find(struct section *sections, int n, const char *kind, const char *name);

/* Add an entry without value at the end. */
struct entry *section_add(struct pool *pool, struct section *section, const char *key);

/* Set the entry's raw value, and value: its lines without blanks at both ends, joined by a space.
 */
void entry_set(struct pool *pool, struct entry *entry, const char *raw);

/* The next line of a raw value that is not blank, without blanks at both ends; *at moves behind it.
 * NULL at the end. */
const char *raw_line(const char **at, size_t *len);
