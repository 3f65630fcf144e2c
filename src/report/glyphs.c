#include "report/glyphs.h"

#include <math.h>

void spark_add(struct spark *s, double value) {
    if (!isfinite(value))
        return;
    if (!s->each)
        s->each = 1;
    s->sum += value;
    if (++s->inside < s->each)
        return;
    if (s->n == SPARK_MOST) { /* means of twice as many from now on, this one among them */
        for (int i = 0; i < SPARK_MOST / 2; i++)
            s->v[i] = (s->v[2 * i] + s->v[2 * i + 1]) / 2;
        s->n = SPARK_MOST / 2;
        s->each *= 2;
        return;
    }
    s->v[s->n++] = s->sum / (double)s->inside;
    s->inside = 0;
    s->sum = 0;
}

/* The mean of the values that fall into column i of so many. */
static double mean_at(const double *v, int n, int i, int columns) {
    const int first = (int)((int64_t)i * n / columns);
    int end = (int)((int64_t)(i + 1) * n / columns);
    double sum = 0;

    if (end <= first)
        end = first + 1;
    for (int k = first; k < end; k++)
        sum += v[k];
    return sum / (end - first);
}

void spark_print(FILE *out, const double *v, int n, int columns, bool utf8) {
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    const int used = n < columns ? n : columns;
    double min = INFINITY, max = -INFINITY;

    for (int i = 0; i < used; i++) {
        min = fmin(min, mean_at(v, n, i, used));
        max = fmax(max, mean_at(v, n, i, used));
    }
    for (int i = 0; i < used; i++) {
        const double share = max > min ? (mean_at(v, n, i, used) - min) / (max - min) : 0;
        const int level = (int)fmin(7, share * 8);
        fputs(utf8 ? blocks[level] : ascii[level], out);
    }
    fprintf(out, "%*s", columns - used, "");
}

void bar_print(FILE *out, double share, int columns, bool utf8) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int inner = columns - 2, steps = utf8 ? 8 : 1;
    const double bounded = isfinite(share) ? fmin(1, fmax(0, share)) : 0;
    const int filled = (int)(bounded * inner * steps);

    fputc(utf8 ? '|' : '[', out);
    for (int i = 0; i < filled / steps; i++)
        fputs(utf8 ? "█" : "#", out);
    fputs(eighths[utf8 ? filled % 8 : 0], out);
    const int empty = inner - filled / steps - (utf8 && filled % 8 != 0);
    for (int i = 0; i < empty; i++)
        fputc(utf8 ? ' ' : '.', out);
    fputc(utf8 ? '|' : ']', out);
}
