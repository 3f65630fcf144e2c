/* csv.h - a table of texts: RFC 4180, with commas, semicolons or tabs between cells; cells in
 * quotes may hold them, and line ends. UTF-8 with or without a byte order mark, lines that end in
 * LF or CRLF, packed by gzip or not. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdbool.h>
#include <stdint.h>

/* {0} is releasable. */
struct csv {
    const char *path; /* borrowed */
    char *text;       /* the file; cells are in it */
    char separator;
    int n_columns;
    char **name;   /* [n_columns] in text or, without a header, owned */
    bool no_names; /* they are c1, c2 ... */
    int64_t n;     /* rows */
    char **cell;   /* [n, n_columns] */
    int64_t *line; /* [n] where each begins, from 1 */
};

/* Read a table. What was found other than commas is noted.
 * Errors: ERR_DATA naming file and line: rows of other lengths, a quote that does not end, bytes
 * that are no UTF-8, no header, a name that occurs twice; ERR_IO. */
int csv_init(struct csv *csv, const char *path, bool no_header, struct import_result *result,
             struct err *err);
void csv_release(struct csv *csv);

static inline const char *csv_cell(const struct csv *csv, int64_t row, int column) {
    return csv->cell[row * csv->n_columns + column];
}

/* The number of the column of that name, or -1 with err: ERR_USAGE naming the nearest. */
int csv_find(const struct csv *csv, const char *name, struct err *err);

/* Does it say that there is no value: "", NA, N/A, NaN, null, None, ?, in capitals or not? */
bool csv_is_missing(const char *cell);

/* A number in whole, with a decimal point, that float32 can hold; returns false where it is none.
 */
bool csv_number(const char *cell, double *value);
