/* columns.h - how wide text is on a terminal: letters of other alphabets take several bytes, and
 * some take two columns. */
#pragma once
#include <stddef.h>
#include <stdio.h>

/* Columns that text takes; a byte that is no UTF-8 takes one. */
int columns_of(const char *text);

/* How many bytes of text fit into so many columns, whole letters only. */
size_t columns_cut(const char *text, int columns);

/* Text in a field of `width` columns, cut with "..." where it is longer.
 *   left  it begins there, else it ends at the right */
void columns_print(FILE *out, const char *text, int width, int left);
