#include "report/table.h"
#include "report/columns.h"

#include <inttypes.h>
#include <math.h>

enum {
    MOST_NAMES = 20,    /* more classes than that are numbers: names would make lines too long */
    MOST_COLUMNS = 30,  /* wider matrices are left to pages and programs */
    LABEL_COLUMNS = 16, /* longer ones are cut */
    NUMBER_TEXT = 32,
};

/* What a cell shows of t. */
struct cells {
    const struct tensor *t;
    const struct table_labels *labels;
    int64_t rows, columns;
    double factor; /* of every number; 0: its share of the row */
    int precision; /* digits behind the point */
};

static const char *label_of(const struct cells *c, int64_t i, int64_t n, char text[NUMBER_TEXT]) {
    if (c->labels->name && n <= MOST_NAMES && i < c->labels->n)
        return c->labels->name(c->labels->context, i);
    snprintf(text, NUMBER_TEXT, "%" PRId64, i);
    return text;
}

static double cell(const struct cells *c, int64_t row, int64_t column) {
    const real *v = c->t->reals + row * c->columns;
    double sum = 0;

    if (c->factor != 0)
        return c->factor * (double)v[column];
    for (int64_t k = 0; k < c->columns; k++)
        sum += (double)v[k];
    return sum > 0 ? (double)v[column] / sum : (double)NAN;
}

/* A row without a single label has no shares. */
static void cell_text(const struct cells *c, int64_t row, int64_t column, char text[NUMBER_TEXT]) {
    const double v = cell(c, row, column);

    if (isnan(v) && c->factor == 0)
        snprintf(text, NUMBER_TEXT, "-");
    else
        snprintf(text, NUMBER_TEXT, "%.*f", c->precision, v);
}

/* Columns are the same as the rows, or numbers. */
static const char *column_label(const struct cells *c, int64_t k, char text[NUMBER_TEXT]) {
    if (c->columns == c->rows)
        return label_of(c, k, c->columns, text);
    snprintf(text, NUMBER_TEXT, "%" PRId64, k);
    return text;
}

static int label_width(const struct cells *c, int64_t n) {
    char text[NUMBER_TEXT];
    int width = 0;

    for (int64_t i = 0; i < n; i++) {
        const int columns = columns_of(label_of(c, i, n, text));
        width = columns > width ? columns : width;
    }
    return width < LABEL_COLUMNS ? width : LABEL_COLUMNS;
}

static int cell_width(const struct cells *c) {
    int width = c->columns == c->rows && c->columns > 1 ? label_width(c, c->columns) : 2;
    char text[NUMBER_TEXT];

    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t k = 0; k < c->columns; k++) {
            cell_text(c, i, k, text);
            width = columns_of(text) > width ? columns_of(text) : width;
        }
    return width;
}

static void print_cells(FILE *out, const struct cells *c) {
    const int left = label_width(c, c->rows), width = cell_width(c);
    char text[NUMBER_TEXT];

    if (c->columns > 1) {
        fprintf(out, "  %*s", left, "");
        for (int64_t k = 0; k < c->columns; k++) {
            fputs("  ", out);
            columns_print(out, column_label(c, k, text), width, 0);
        }
        fputc('\n', out);
    }
    for (int64_t i = 0; i < c->rows; i++) {
        fputs("  ", out);
        columns_print(out, label_of(c, i, c->rows, text), left, 1);
        for (int64_t k = 0; k < c->columns; k++) {
            cell_text(c, i, k, text);
            fputs("  ", out);
            columns_print(out, text, width, 0);
        }
        fputc('\n', out);
    }
}

void table_print(FILE *out, const char *name, const struct tensor *t, double terms,
                 const struct table_labels *labels) {
    const int64_t rows = t->shape.dim[1], columns = shape_len(&t->shape) / rows;
    struct cells cells = {
        .t = t, .labels = labels, .rows = rows, .columns = columns, .factor = 1, .precision = 4};

    if (columns > MOST_COLUMNS) {
        fprintf(out, "%s: %" PRId64 " rows of %" PRId64 " columns, too wide for a terminal\n", name,
                rows, columns);
        return;
    }
    if (terms <= 0) {
        fprintf(out, "%s\n", name);
        print_cells(out, &cells);
        return;
    }
    fprintf(out, "%s, how often (rows: the label; columns: what it was taken for)\n", name);
    cells.factor = terms, cells.precision = 0;
    print_cells(out, &cells);
    fprintf(out, "%s, share of the row\n", name);
    cells.factor = 0, cells.precision = 4;
    print_cells(out, &cells);
}
