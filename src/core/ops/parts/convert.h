/* convert.h - operators that are no words of the language: a graph puts them where one kind of
 * numbers stands and another is read. No gradient passes. */
#pragma once
#include "core/ops/op.h"

extern const struct op op_acts_of_indices; /* the same numbers; exact below 2^24 */

/* Whole numbers, exactly; what is none (0.5, nan, too large) becomes -1, which is no class. */
extern const struct op op_indices_of_acts;

/* The one that gives numbers of that kind from those of the other. */
static inline const struct op *convert_to(enum tensor_kind kind) {
    return kind == TENSOR_INDICES ? &op_indices_of_acts : &op_acts_of_indices;
}
