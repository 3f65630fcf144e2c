/* axes.h - the one to three dimensions of x between samples and channels: time; height, width;
 * depth, height, width. */
#pragma once
#include "core/ops/op.h"

enum { AXES_MAX = 3 };

static inline int axes_of(const struct shape *x) {
    return x->rank - 2;
}

/* x has one to three. Errors: ERR_CONFIG, beginning with name. */
int axes_check(const char *name, const struct shape *x, struct err *err);

/* The argument `what` holds one number, or one for each of n_axes. Errors: as above. */
int axes_check_list(const char *name, const char *what, const struct ints *v, int n_axes,
                    struct err *err);

/* "3x5" of v[n_axes] into text[SHAPE_TEXT]; returns text. */
const char *axes_text(const int64_t *v, int n_axes, char *text);

/* The last two of v[n_axes], as struct op_plan wants them: h, w. */
struct ints axes_h_w(const int64_t *v, int n_axes);
