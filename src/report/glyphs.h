/* glyphs.h - numbers as letters in a line of text: bars and sparklines, from Unicode's blocks where
 * the locale has them, from ASCII elsewhere. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SPARK_MOST = 64 };

/* The course of a number over any length of time, in means of equally many values. {0}: none yet.
 */
struct spark {
    double v[SPARK_MOST]; /* [n] */
    int n;
    int64_t each;   /* values in each mean, 0 before the first */
    int64_t inside; /* of the next one, so far, and their sum */
    double sum;
};

/* A value that is not finite is passed over. */
void spark_add(struct spark *s, double value);

/* v[n] in so many columns, from its least to its greatest value; n > 0. */
void spark_print(FILE *out, const double *v, int n, int columns, bool utf8);

/* A bar of so many columns, at least 3, that is full by `share`, 0 to 1. */
void bar_print(FILE *out, double share, int columns, bool utf8);
