/* table.h - tables of a validation as text: a number for each class, or for each pair of them. */
#pragma once
#include "core/base/tensor.h"

#include <stdio.h>

/* What rows and columns are called. */
struct table_labels {
    const char *(*name)(const void *context, int64_t i); /* NULL: by numbers */
    const void *context;
    int64_t n; /* names that there are; others are numbers */
};

/* Print [1, rows] as one number a line, [1, rows, columns] as a matrix: of more than
 * 30 columns only its size.
 *   terms  where the numbers are shares of so many terms: how often each occurs is printed, and
 *          what share of its row that is; 0: the numbers as they are */
void table_print(FILE *out, const char *name, const struct tensor *t, double terms,
                 const struct table_labels *labels);
