#include "io/import/csv_column.h"

#include <ctype.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a look at all cells finds. */
struct csv_seen {
    int64_t n_numbers, n_texts, first_text, first_number; /* the rows */
};

/* "1,5", "1.234,5": what is a number where people write commas. */
static bool has_decimal_comma(const char *cell) {
    const char *comma = strchr(cell, ',');

    return comma && comma > cell && isdigit((unsigned char)comma[-1]) &&
           isdigit((unsigned char)comma[1]) && !cell[strspn(cell, "0123456789+-., ")];
}

/* "2024-01-31", "31/01/24", with a time of day or without. */
static bool is_date(const char *cell) {
    int a, b, c, used = 0;
    char first, second;

    return sscanf(cell, "%4d%c%2d%c%4d%n", &a, &first, &b, &second, &c, &used) == 5 && used &&
           first == second && strchr("-/.", first) && (!cell[used] || strchr(" T", cell[used]));
}

/* "1e39", "inf": what C reads as a number, and float32 does not hold. */
static bool is_out_of_range(const char *cell) {
    char *end;
    const double value = strtod(cell, &end);

    return end > cell && !*end && fabs(value) > FLT_MAX;
}

static int refuse_text(const struct csv *csv, int at, const struct csv_seen *found,
                       struct err *err) {
    const char *cell = csv_cell(csv, found->first_text, at);
    const int64_t line = csv->line[found->first_text];

    if (has_decimal_comma(cell))
        return err_set(err, ERR_DATA,
                       "%s:%" PRId64 ": column '%s' holds '%.40s', expected numbers with a decimal "
                       "point and nothing between thousands",
                       csv->path, line, csv->name[at], cell);
    if (is_date(cell))
        return err_set(err, ERR_DATA,
                       "%s:%" PRId64 ": column '%s' holds dates ('%.40s'), which are no features; "
                       "leave it out by --features, or write days as a number",
                       csv->path, line, csv->name[at], cell);
    if (is_out_of_range(cell))
        return err_set(err, ERR_DATA,
                       "%s:%" PRId64
                       ": column '%s' holds '%.40s', expected numbers from -3.4e38 to "
                       "3.4e38, which float32 has",
                       csv->path, line, csv->name[at], cell);
    if (found->n_numbers)
        return err_set(err, ERR_DATA,
                       "%s:%" PRId64 ": column '%s' holds '%.40s', but %" PRId64
                       " numbers in other lines; what is missing is written as an empty cell or NA",
                       csv->path, line, csv->name[at], cell, found->n_numbers);
    return 0;
}

static void look(struct csv_column *c, const struct csv *csv, struct csv_seen *found) {
    c->whole = true;
    for (int64_t i = 0; i < csv->n; i++) {
        const char *cell = csv_cell(csv, i, c->at);
        double value;

        if (csv_is_missing(cell)) {
            c->first_missing = c->n_missing++ ? c->first_missing : i;
        } else if (csv_number(cell, &value)) {
            c->least = !found->n_numbers || value < c->least ? value : c->least;
            c->most = !found->n_numbers++ || value > c->most ? value : c->most;
            c->whole = c->whole && value == floor(value);
        } else {
            found->first_text = found->n_texts++ ? found->first_text : i;
        }
    }
}

/* Numbers first, by value, then texts by their bytes: one order for all, where both occur. */
static int by_name(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    double p = 0, q = 0;
    const bool is_p = csv_number(x, &p), is_q = csv_number(y, &q);

    if (is_p != is_q)
        return is_p ? -1 : 1;
    return p < q ? -1 : p > q ? 1 : strcmp(x, y);
}

static int take_classes(struct csv_column *c, const struct csv *csv, struct err *err) {
    int64_t n = 0;

    c->class_name = malloc((size_t)csv->n * sizeof *c->class_name);
    if (!c->class_name)
        return err_set(err, ERR_IO, "%s: out of memory", csv->path);
    for (int64_t i = 0; i < csv->n; i++)
        if (!csv_is_missing(csv_cell(csv, i, c->at)))
            c->class_name[n++] = csv_cell(csv, i, c->at);
    qsort(c->class_name, (size_t)n, sizeof *c->class_name, by_name);
    for (int64_t i = 0; i < n; i++)
        if (!c->n_classes || strcmp(c->class_name[c->n_classes - 1], c->class_name[i]))
            c->class_name[c->n_classes++] = c->class_name[i];
    return 0;
}

int csv_column_init(struct csv_column *c, const struct csv *csv, int at, bool texts,
                    struct err *err) {
    struct csv_seen found = {0};

    *c = (struct csv_column){.at = at};
    look(c, csv, &found);
    if (c->n_missing == csv->n)
        return err_set(err, ERR_DATA, "%s: column '%s' holds nothing at all", csv->path,
                       csv->name[at]);
    if (!texts && found.n_texts && refuse_text(csv, at, &found, err))
        return -1;
    c->number = !texts && !found.n_texts;
    return c->number ? 0 : take_classes(c, csv, err);
}

void csv_column_release(struct csv_column *c) {
    free(c->class_name);
    c->class_name = NULL;
}

int csv_column_class(const struct csv_column *c, const char *cell) {
    const char *const *found =
        bsearch(&cell, c->class_name, (size_t)c->n_classes, sizeof *c->class_name, by_name);

    return found ? (int)(found - (const char *const *)c->class_name) : -1;
}
