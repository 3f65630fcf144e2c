/* lists.h - what operators of detection expect of their lists [n, r, ...], in the user's words. */
#pragma once
#include "core/ops/detect/box.h"
#include "core/ops/op.h"

/* x is a list of `numbers` per row. Errors: ERR_CONFIG, beginning with the operator's name. */
static inline int list_check(const char *op, const char *what, const struct shape *x, int numbers,
                             struct err *err) {
    char text[SHAPE_TEXT];

    return x->rank == 3 && x->dim[2] == numbers
               ? 0
               : err_set(err, ERR_CONFIG, "%s: %s are %s, expected a list with %d numbers a row",
                         op, what, shape_text(x, text), numbers);
}

/* Two lists have as many rows. */
static inline int list_rows_check(const char *op, const char *what_a, const struct shape *a,
                                  const char *what_b, const struct shape *b, struct err *err) {
    return a->dim[0] == b->dim[0] && a->dim[1] == b->dim[1]
               ? 0
               : err_set(err, ERR_CONFIG, "%s: %lld %s for %lld %s", op, (long long)a->dim[1],
                         what_a, (long long)b->dim[1], what_b);
}
