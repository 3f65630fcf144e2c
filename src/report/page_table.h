/* page_table.h - tables of a validation as a page keeps them: those of the best validation and of
 * the last, and not more numbers than a page can hold. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* Put the table `name` of a line into tables[], in place of what was the last, or the best, of that
 * name: {"name", "step", "epoch", "best", "last", "table"}; borrowed arguments. */
void page_table_keep(json_t *tables, const char *name, const json_t *table, const json_t *line,
                     bool best);

/* A table of numbers, of six digits each: as it is, or, of a large matrix of zeros mostly,
 * {"shape": [rows, columns], "at": [row * columns + column], "value": []}; null: it is too large.
 */
json_t *page_table_pack(const json_t *table);
