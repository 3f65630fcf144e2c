/* csv_import.h - between the parts of the importer csv: which columns are what, and what becomes of
 * rows. */
#pragma once
#include "io/import/csv_column.h"

enum csv_part { FEATURES, TARGET };

/* Columns that make a field. */
struct csv_field {
    int n, width;              /* numbers of a row */
    struct csv_column *column; /* [n] */
};

struct csv_import {
    struct csv csv;
    const struct import_table *how;
    struct csv_field part[2];
    int64_t n;              /* rows that are used */
    int64_t *row;           /* [n] which of the table's */
    int32_t *label, *group; /* [n] or NULL */
    struct import_result *result;
};

/* Find the columns of features and target by t->how, and check that they can be.
 * Errors: ERR_USAGE, ERR_DATA. */
int csv_choose(struct csv_import *t, struct err *err);
