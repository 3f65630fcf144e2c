#include "report/page_table.h"
#include "report/page_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 4096, MOST = 200000 };

/* Shares are multiples of one over the samples: six digits tell them apart, and take half the room.
 */
static json_t *rounded(const json_t *v) {
    char text[32];

    if (!json_is_real(v))
        return json_deep_copy(v);
    snprintf(text, sizeof text, "%.6g", json_real_value(v));
    return json_real(strtod(text, NULL));
}

static json_t *copy(const json_t *table) {
    json_t *out = json_array();

    for (size_t i = 0; i < json_array_size(table); i++) {
        const json_t *v = json_array_get(table, i);
        json_array_append_new(out, json_is_array(v) ? copy(v) : rounded(v));
    }
    return out;
}

/* How many numbers there are, and how many of them are not 0. */
static void count(const json_t *table, size_t *all, size_t *some) {
    for (size_t i = 0; i < json_array_size(table); i++) {
        const json_t *v = json_array_get(table, i);
        if (json_is_array(v)) {
            count(v, all, some);
            continue;
        }
        ++*all;
        *some += !json_is_number(v) || json_number_value(v) != 0;
    }
}

/* Rows of numbers, all as long as the first: its columns; 0: it is none. */
static size_t columns_of(const json_t *table) {
    const size_t columns = json_array_size(json_array_get(table, 0));

    for (size_t i = 0; i < json_array_size(table); i++)
        if (json_array_size(json_array_get(table, i)) != columns)
            return 0;
    return columns && json_is_array(json_array_get(json_array_get(table, 0), 0)) ? 0 : columns;
}

static json_t *sparse(const json_t *table, size_t columns) {
    const size_t rows = json_array_size(table);
    json_t *at = json_array(), *value = json_array();

    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++) {
            const json_t *v = json_array_get(json_array_get(table, i), k);
            if (json_is_number(v) && json_number_value(v) == 0)
                continue;
            json_array_append_new(at, json_integer((json_int_t)(i * columns + k)));
            json_array_append_new(value, rounded(v));
        }
    return json_pack("{s:[I, I], s:o, s:o}", "shape", (json_int_t)rows, (json_int_t)columns, "at",
                     at, "value", value);
}

json_t *page_table_pack(const json_t *table) {
    const size_t columns = columns_of(table);
    size_t all = 0, some = 0;

    count(table, &all, &some);
    if (all > SMALL && columns && some < all / 2)
        return some > MOST ? json_null() : sparse(table, columns);
    return all > MOST ? json_null() : copy(table);
}

void page_table_keep(json_t *tables, const char *name, const json_t *table, const json_t *line,
                     bool best) {
    size_t i = 0;

    while (i < json_array_size(tables)) {
        json_t *old = json_array_get(tables, i);
        const char *its = json_string_value(json_object_get(old, "name"));
        const bool same = its && !strcmp(its, name);
        if (same && (best || !json_is_true(json_object_get(old, "best")))) {
            json_array_remove(tables, i);
            continue;
        }
        if (same)
            json_object_set_new(old, "last", json_false());
        i++;
    }
    json_array_append_new(tables, json_pack("{s:o, s:O, s:O?, s:b, s:b, s:o}", "name",
                                            page_text(name), "step", json_object_get(line, "step"),
                                            "epoch", json_object_get(line, "epoch"), "best", best,
                                            "last", true, "table", page_table_pack(table)));
}
