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
 * Everything belongs to *memory. Errors: ERR_CONFIG at the place; ERR_IO for reading errors. */
int reader_read(void **memory, FILE *stream, struct file *out, struct err *err);

/* A section of that kind and name, or NULL. */
struct section *sections_find(struct section *sections, int n, const char *kind, const char *name);

/* Add an entry without value at the end. NULL when there is no memory. */
struct entry *section_add(void **memory, struct section *section, const char *key, struct err *err);

/* Set the entry's raw value, and value: its lines without blanks at both ends, joined by a space.
 */
int entry_set(void **memory, struct entry *entry, const char *raw, struct err *err);

/* The next line of a raw value that is not blank, without blanks at both ends; *at moves behind it.
 * NULL at the end. */
const char *raw_line(const char **at, size_t *len);
