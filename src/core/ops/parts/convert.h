/* convert.h - an operator that is no word of the language: a graph puts it where class indices
 * stand and numbers are read. No gradient passes. The other way round there is none: what is no
 * class must not become one by its value. */
#pragma once
#include "core/ops/op.h"

extern const struct op op_acts_of_indices; /* the same numbers; exact below 2^24 */
