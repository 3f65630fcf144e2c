/* reader.h - one INI file as sections, before anything is included or merged. Internal to lang. */
#pragma once
#include "core/lang/syntax.h"

#include <stdio.h>

/* The sections of one file. */
struct file {
    const char *path; /* as messages name it; as long as the file */
    struct section *sections;
    int n_sections;
    struct names names; /* numbers of the sections */
};

/* What is known of an entry once it was needed. */
struct memo {
    struct expr *tree;         /* NULL: not parsed yet */
    const struct value *value; /* of a constant; NULL: not computed yet */
    bool running;              /* it is being computed: who asks for it now goes in circles */
};

/* Read stream to its end into *out, whose path is set and whose sections are none.
 * Everything belongs to the pool. Errors: ERR_CONFIG at the place; ERR_IO for reading errors. */
int reader_read(struct pool *pool, FILE *stream, struct file *out, struct err *err);

/* A section of that kind and name, or NULL. names holds their numbers. */
struct section *sections_find(struct section *sections, const struct names *names, const char *kind,
                              const char *name);

/* Add an entry without value at the end. */
struct entry *section_add(struct pool *pool, struct section *section, const char *key);

/* Set the entry's raw value, and value: its lines without blanks at both ends, joined by a space.
 */
void entry_set(struct pool *pool, struct entry *entry, const char *raw);

/* The next line of a raw value that is not blank, without blanks at both ends; *at moves behind it.
 * NULL at the end. */
const char *raw_line(const char **at, size_t *len);

/* The length of the longest beginning of line[len] that has at most `most` bytes and can be a line
 * of its own: the rest, behind a blank, does not begin as a comment does. 0: none. */
size_t line_piece(const char *line, size_t len, size_t most);
