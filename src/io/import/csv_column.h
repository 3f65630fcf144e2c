/* csv_column.h - what a column of a table holds: numbers, or texts that stand for classes. */
#pragma once
#include "io/import/csv.h"

enum { CSV_MOST_TEXTS = 64 }; /* of a feature, each of which becomes a column of 0 and 1 */

/* {0} is releasable. */
struct csv_column {
    int at;
    bool number;
    int n_classes;                    /* of texts, missing ones left out */
    const char **class_name;          /* [n_classes] sorted, of the table's text */
    int64_t n_missing, first_missing; /* the row of the first */
    bool whole;                       /* numbers: without fractions */
    double least, most;               /* of numbers */
    double mean;                      /* of numbers, in the place of missing ones */
};

/* Look through a column.
 *   texts  take numbers for the names of classes, too
 * Errors: ERR_DATA naming line and column: a column of numbers with a few texts, decimal commas,
 * dates; one that is missing everywhere. */
int csv_column_init(struct csv_column *c, const struct csv *csv, int at, bool texts,
                    struct err *err);
void csv_column_release(struct csv_column *c);

/* The class of a cell that is not missing. */
int csv_column_class(const struct csv_column *c, const char *cell);
