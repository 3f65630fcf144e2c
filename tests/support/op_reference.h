/* op_reference.h - gradients that the build of a test in double found, for its build in float: that
 * cannot take differences, but asks the same questions in the same order. */
#pragma once
#include "core/base/tensor.h"

#include <stdbool.h>

/* Is this program, in double, asked for its gradients and for nothing else? */
bool reference_asked(void);

#ifdef CORE_DOUBLE
/* Hand over dv - dv0, [len] each. */
void reference_give(const real *dv, const real *dv0, int64_t len);

#else

/* The next len gradients: of the program whose path is this one's without _float, which is run
 * when the first are asked for. Borrowed until the next call. */
const double *reference_next(int64_t len);

#endif
