/* plot.h - curves over a logarithmic axis, as a PNG. Nobody else knows libgd. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>

enum { PLOT_MAX_CURVES = 4 };

/* One curve; NAN: no point there. */
struct plot_curve {
    const char *name; /* for the legend */
    const double *y;  /* [n] of the plot */
    enum { PLOT_BLUE, PLOT_ORANGE, PLOT_GREEN, PLOT_GREY } colour;
    bool dashed, marked; /* marked: a dot at each point */
};

/* One pair of axes. */
struct plot_panel {
    const char *y_label;
    struct plot_curve curve[PLOT_MAX_CURVES];
    int n_curves;
    bool log; /* of base 2, from 1; else from 0 to max_y */
    double max_y;
    const char *unit; /* behind the numbers of the y axis: "%" */
};

/* Panels side by side over the same x. */
struct plot {
    const char *title, *subtitle, *x_label;
    const double *x; /* [n] rising, at least 1 */
    int n;
    bool tens; /* its axis is marked at powers of ten; else of two */
    struct plot_panel panel[2];
    int n_panels;
    int width; /* pixels; the height follows */
};

/* Draw it into a file, which is replaced. Errors: ERR_IO. */
int plot_write(const struct plot *p, const char *path, struct err *err);
