/* norm_rows.h - the innermost loops of norm.c: a stretch of numbers with what belongs to their
 * channels beside them. */
#pragma once
#include "core/ops/parts/then.h"

/* [len] each. Pointers may be equal: y to x, dx to dy. */
struct norm_row {
    const act *x, *dy, *other; /* other: added before `then`; or NULL */
    act *y, *dx, *dother;      /* dx, dother: NULL where not wanted */
    const real *mean, *scale, *bias, *offset, *slope;
    real *s, *q;
    struct then then;
    bool put, put_other; /* dx, dother are overwritten */
    int64_t len;
};

/* y = then((x - mean) scale + bias + other) */
void norm_row_value(const struct norm_row *r);

/* With g the gradient before `then`, whose slope follows from y where there is an other, and from x
 * once more where there is none: s += g, q += g (x - mean). */
void norm_row_products(const struct norm_row *r);

/* dother += g, dx += g scale - offset - (x - mean) slope, or put there. */
void norm_row_gradient(const struct norm_row *r);
