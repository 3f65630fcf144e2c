#include "report/progress_line.h"
#include "report/columns.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>

/* Columns of what can grow: the least that says something, and the most that looks well. */
enum { BAR_LEAST = 8, BAR_MOST = 30, SPARK_LEAST = 8, SPARK_WIDE = 24, GAP = 2 };

/* Which pieces are shown, and how wide. */
struct layout {
    int width[LINE_PIECES]; /* 0: left out */
    int used;               /* columns, with gaps */
};

void progress_line_add(struct progress_line *l, enum worth worth, const char *fmt, ...) {
    va_list ap;

    if (l->n == LINE_PIECES)
        return;
    va_start(ap, fmt);
    vsnprintf(l->piece[l->n].text, LINE_PIECE, fmt, ap);
    va_end(ap);
    l->piece[l->n++].worth = worth;
}

static int least_width(const struct progress_line *l, int i) {
    switch (l->piece[i].worth) {
    case WORTH_BAR:
        return BAR_LEAST;
    case WORTH_SPARK:
        return l->spark && l->spark->n > 1 ? SPARK_LEAST : 0;
    default:
        return columns_of(l->piece[i].text);
    }
}

static void count_columns(struct layout *o, int n) {
    o->used = -GAP;
    for (int i = 0; i < n; i++)
        o->used += o->width[i] ? o->width[i] + GAP : 0;
}

/* The piece of least worth that is shown, the last of them; -1: what is left must stay. */
static int least_worth(const struct progress_line *l, const struct layout *o) {
    int found = -1;

    for (int i = 0; i < l->n; i++)
        if (o->width[i] && l->piece[i].worth != WORTH_ALWAYS &&
            (found < 0 || l->piece[i].worth <= l->piece[found].worth))
            found = i;
    return found;
}

static void grow(const struct progress_line *l, struct layout *o, enum worth worth, int most,
                 int columns) {
    for (int i = 0; i < l->n; i++)
        while (l->piece[i].worth == worth && o->width[i] && o->width[i] < most &&
               o->used < columns) {
            o->width[i]++;
            o->used++;
        }
}

static struct layout lay_out(const struct progress_line *l, int columns) {
    struct layout o = {{0}, 0};
    int drop;

    for (int i = 0; i < l->n; i++)
        o.width[i] = least_width(l, i);
    count_columns(&o, l->n);
    while (o.used > columns && (drop = least_worth(l, &o)) >= 0) {
        o.width[drop] = 0;
        count_columns(&o, l->n);
    }
    grow(l, &o, WORTH_BAR, BAR_MOST, columns);
    grow(l, &o, WORTH_SPARK, l->spark && l->spark->n < SPARK_WIDE ? l->spark->n : SPARK_WIDE,
         columns);
    return o;
}

/* Text that must stay may still be too long. */
static void print_text(FILE *out, const char *text, int columns) {
    if (columns > 0)
        fprintf(out, "%.*s", (int)columns_cut(text, columns), text);
}

void progress_line_print(FILE *out, const struct progress_line *l, int columns,
                         const struct screen *screen) {
    const struct layout o = lay_out(l, columns);
    int at = 0;

    for (int i = 0; i < l->n; i++) {
        if (!o.width[i])
            continue;
        const int gap = at ? GAP : 0;
        const bool drawn = l->piece[i].worth == WORTH_BAR || l->piece[i].worth == WORTH_SPARK;
        print_text(out, "  ", gap < columns - at ? gap : columns - at);
        at += gap;
        if (drawn)
            fputs(screen_ink(screen, INK_BAR), out);
        if (l->piece[i].worth == WORTH_BAR)
            bar_print(out, l->share, o.width[i], screen->utf8);
        else if (l->piece[i].worth == WORTH_SPARK)
            spark_print(out, l->spark->v, l->spark->n, o.width[i], screen->utf8);
        else
            print_text(out, l->piece[i].text, columns - at);
        if (drawn)
            fputs(screen_plain(screen), out);
        at += o.width[i];
    }
}

const char *progress_left(double left_s, char text[PROGRESS_LEFT]) {
    const int64_t s = isfinite(left_s) && left_s < 1e12 ? (int64_t)left_s : -1;

    text[0] = 0;
    if (s >= 0)
        snprintf(text, PROGRESS_LEFT, "%d:%02d:%02d left", (int)(s / 3600), (int)(s / 60 % 60),
                 (int)(s % 60));
    return text;
}
