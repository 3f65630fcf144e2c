#include "report/curve.h"

#include <math.h>
#include <stdlib.h>

/* Dots of the drawing: cells of so many dots each. */
struct dots {
    unsigned char *cell; /* [rows][columns] bits: across + dots_across * down */
    int columns, rows;
    int across, down; /* dots of a cell */
};

static void set_dot(struct dots *k, int x, int y) {
    const int bit = x % k->across + k->across * (y % k->down);

    k->cell[y / k->down * k->columns + x / k->across] |= (unsigned char)(1 << bit);
}

static void set_column(struct dots *k, int x, int from, int to) {
    for (int y = from < to ? from : to; y <= (from < to ? to : from); y++)
        set_dot(k, x, y);
}

/* The mean of the values at each column of dots; nan: there are none. */
static void means(const struct curve *c, double *mean, int n) {
    int i = 0;

    for (int k = 0; k < n; k++)
        mean[k] = (double)NAN;
    while (i < c->n) {
        const double share = c->to > c->from ? (c->x[i] - c->from) / (c->to - c->from) : 1;
        const int at = (int)fmin(n - 1, fmax(0, share * n));
        double sum = 0;
        int count = 0;
        for (; i < c->n; i++) {
            const double next = c->to > c->from ? (c->x[i] - c->from) / (c->to - c->from) : 1;
            if ((int)fmin(n - 1, fmax(0, next * n)) != at)
                break;
            if (isfinite(c->y[i])) {
                sum += c->y[i];
                count++;
            }
        }
        if (count)
            mean[at] = sum / count;
    }
}

static int row_of(double v, double min, double max, int n) {
    return max > min ? (int)lround((max - v) / (max - min) * (n - 1)) : n / 2;
}

/* From the place before to this one: a straight line. */
static void join(struct dots *k, int x0, int y0, int x1, int y1) {
    int before = y0;

    for (int x = x0; x <= x1; x++) {
        const int y = x1 > x0 ? y0 + (int)lround((double)(y1 - y0) * (x - x0) / (x1 - x0)) : y1;
        set_column(k, x, before == y ? y : before + (before < y ? 1 : -1), y);
        before = y;
    }
}

static void draw(struct dots *k, const double *mean, double min, double max) {
    const int n = k->columns * k->across, height = k->rows * k->down;
    int x0 = -1, y0 = 0;

    for (int x = 0; x < n; x++) {
        if (isnan(mean[x]))
            continue;
        const int y = row_of(mean[x], min, max, height);
        join(k, x0 < 0 ? x : x0, x0 < 0 ? y : y0, x, y);
        x0 = x;
        y0 = y;
    }
}

/* Source: Unicode, Braille patterns: dots 1, 2, 3, 7 at the left, 4, 5, 6, 8 at the right. */
static void print_braille(FILE *out, int bits) {
    static const int of_bit[] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    int dots = 0;

    for (int i = 0; i < 8; i++)
        dots |= bits >> i & 1 ? of_bit[i] : 0;
    fprintf(out, "\xE2%c%c", 0xA0 | dots >> 6, 0x80 | (dots & 0x3F));
}

static void print_cell(FILE *out, const struct dots *k, int at) {
    const int bits = k->cell[at];

    if (k->across == 2 && bits)
        print_braille(out, bits);
    else
        fputc(k->across == 2 ? ' ' : " '.:"[bits], out);
}

static void print_rows(FILE *out, const struct dots *k, double min, double max) {
    const char *axis = k->across == 2 ? "│" : "|";

    for (int row = 0; row < k->rows; row++) {
        if (row == 0 || row == k->rows - 1)
            fprintf(out, "%*.4g %s", CURVE_LABEL - 2, row ? min : max, axis);
        else
            fprintf(out, "%*s %s", CURVE_LABEL - 2, "", axis);
        for (int i = 0; i < k->columns; i++)
            print_cell(out, k, row * k->columns + i);
        fputc('\n', out);
    }
}

void curve_print(FILE *out, const struct curve *c, int columns, int rows, bool utf8) {
    struct dots k = {.columns = columns - CURVE_LABEL,
                     .rows = rows,
                     .across = utf8 ? 2 : 1,
                     .down = utf8 ? 4 : 2};
    double min = INFINITY, max = -INFINITY;

    if (k.columns < 1 || rows < 1)
        return;
    const int n = k.columns * k.across;
    double *mean = malloc((size_t)n * sizeof *mean);
    k.cell = calloc((size_t)(k.columns * rows), 1);
    if (mean && k.cell) {
        means(c, mean, n);
        for (int i = 0; i < n; i++) {
            min = fmin(min, mean[i]);
            max = fmax(max, mean[i]);
        }
        if (min <= max) {
            draw(&k, mean, min, max);
            print_rows(out, &k, min, max);
        }
    }
    free(mean);
    free(k.cell);
}
