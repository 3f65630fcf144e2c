/* curve.h - a curve in the letters of a terminal: Braille dots, 2 x 4 in each, where the locale has
 * them; else one or two dots of ASCII, one above the other. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* Values over x, which does not fall; both borrowed. */
struct curve {
    const double *x, *y; /* [n]; what is not finite is passed over */
    int n;
    double from, to; /* of x, at the left and at the right edge */
};

enum { CURVE_LABEL = 10 }; /* columns of the labels at the left */

/* Draw it in so many columns, labels among them, and rows: the mean of the values at each place,
 * joined by lines, between the least and the largest, which the labels say. Nothing where there is
 * no value. */
void curve_print(FILE *out, const struct curve *c, int columns, int rows, bool utf8);
