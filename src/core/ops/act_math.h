/* act_math.h - functions of math.h in the precision of activations. */
#pragma once
#include "core/base/tensor.h"

#include <math.h>

#ifdef CORE_DOUBLE
static inline act act_exp(act x) {
    return exp(x);
}
static inline act act_expm1(act x) {
    return expm1(x);
}
static inline act act_tanh(act x) {
    return tanh(x);
}
#else
static inline act act_exp(act x) {
    return expf(x);
}
static inline act act_expm1(act x) {
    return expm1f(x);
}
static inline act act_tanh(act x) {
    return tanhf(x);
}
#endif
