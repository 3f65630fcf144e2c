/* find_numbers.c - what a curve of losses, and a list of rates, say. */
#include "cmd/find.h"

#include <math.h>
#include <stdlib.h>

static const double SMOOTHING = 0.9; /* of the moving average of losses */
static const double EXPLODED = 4;    /* times the best loss */
static const double FALLS = 1e-3;    /* of the loss, that are more than noise */
enum {
    WINDOWS = 8 /* that part of all points is looked at for a slope */
};

int find_read_number(const char *option, const char *value, double *out, struct err *err) {
    char *end;

    *out = strtod(value, &end);
    if (end == value || *end || !(*out > 0) || !isfinite(*out))
        return err_set(err, ERR_USAGE, "--%s: found '%s', expected a number above 0", option,
                       value);
    return 0;
}

int find_curve_init(struct find_curve *c, int room, struct err *err) {
    double *memory = calloc(3 * (size_t)room + 1, sizeof *memory);

    *c = (struct find_curve){memory,           memory + room,  memory + 2 * room, .room = room,
                             .best = HUGE_VAL, .steepest = -1, .least = -1};
    return memory ? 0 : err_set(err, ERR_IO, "no memory for %d losses", room);
}

bool find_curve_add(struct find_curve *c, double lr, double loss) {
    if (c->n == c->room)
        return true;
    c->average = SMOOTHING * c->average + (1 - SMOOTHING) * loss;
    c->lr[c->n] = lr;
    c->loss[c->n] = loss;
    c->smooth[c->n] = c->average / (1 - pow(SMOOTHING, c->n + 1)); /* as Adam's: no bias to 0 */
    c->best = fmin(c->best, c->smooth[c->n]);
    c->n++;
    c->risen = c->n > FIND_SETTLES && c->best > 0 && c->smooth[c->n - 1] > EXPLODED * c->best;
    c->diverged = c->risen;
    return c->risen;
}

/* Least-squares slope of smoothed losses by the logarithm of their rates, over points
 * [first, first + n). */
static double slope(const struct find_curve *c, int first, int n) {
    double x = 0, y = 0, xx = 0, xy = 0;

    for (int i = first; i < first + n; i++) {
        x += log(c->lr[i]) / n;
        y += c->smooth[i] / n;
    }
    for (int i = first; i < first + n; i++) {
        const double away = log(c->lr[i]) - x;
        xx += away * away;
        xy += away * (c->smooth[i] - y);
    }
    return xx > 0 ? xy / xx : 0;
}

void find_curve_judge(struct find_curve *c) {
    const int width = c->n / WINDOWS > FIND_SETTLES ? c->n / WINDOWS : FIND_SETTLES;
    double steepest = 0;

    for (int i = FIND_SETTLES; i < c->n; i++)
        if (c->least < 0 || c->smooth[i] < c->smooth[c->least])
            c->least = i;
    if (c->least < 0 ||
        c->smooth[FIND_SETTLES] - c->smooth[c->least] < FALLS * fabs(c->smooth[FIND_SETTLES]))
        return;
    for (int i = FIND_SETTLES; i + width - 1 <= c->least; i++) {
        const double falls = slope(c, i, width);
        if (falls < steepest)
            steepest = falls, c->steepest = i + width / 2;
    }
}

void find_curve_release(struct find_curve *c) {
    free(c->lr);
    *c = (struct find_curve){0};
}

int find_rate_enough(const struct find_rate *rates, int n) {
    double best = 0;

    for (int i = 0; i < n; i++)
        best = fmax(best, rates[i].rate);
    for (int i = 0; i < n; i++)
        if (best > 0 && rates[i].rate >= 0.95 * best)
            return i;
    return -1;
}
