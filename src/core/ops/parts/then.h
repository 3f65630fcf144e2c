/* then.h - the activation that follows a convolution or a normalisation, computed in the same pass
 * over its output. Inline, with the kind a constant where it is called, so that the compiler makes
 * one vector loop of each. */
#pragma once
#include "core/base/tensor.h"

enum then_kind { THEN_NOTHING, THEN_RELU, THEN_LEAKY_RELU, THEN_RELU6, THEN_KINDS };

struct then {
    enum then_kind kind;
    act slope; /* of leaky_relu, below zero */
};

#define THEN_INLINE static inline __attribute__((always_inline))

/* Before a loop: its rounds may be computed in any order, though pointers may be equal (a value is
 * read before it is overwritten in the same round). */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* sanitizers keep loops from being vectorised */
#define THEN_ANY_ORDER _Pragma("clang loop vectorize(assume_safety)")
#else
#define THEN_ANY_ORDER _Pragma("GCC ivdep")
#endif

/* f(v); NaN stays NaN. */
THEN_INLINE act then_value(enum then_kind kind, act slope, act v) {
    if (kind == THEN_RELU)
        return v < 0 ? 0 : v;
    if (kind == THEN_RELU6)
        return v < 0 ? 0 : v > 6 ? 6 : v;
    if (kind == THEN_LEAKY_RELU)
        return (v < 0 ? 0 : v) + slope * (v < 0 ? v : 0);
    return v;
}

/* dy f'(v), where v may as well be f(v): the slope is the same. */
THEN_INLINE act then_pull(enum then_kind kind, act slope, act dy, act v) {
    if (kind == THEN_RELU)
        return v > 0 ? dy : 0;
    if (kind == THEN_RELU6)
        return ((v > 0) & (v < 6)) ? dy : 0;
    if (kind == THEN_LEAKY_RELU)
        return (v > 0 ? dy : 0) + slope * (v > 0 ? 0 : dy);
    return dy;
}

/* Calls CASE(kind) with a constant for each kind. */
#define THEN_SWITCH(kind, CASE)                                                                    \
    switch (kind) {                                                                                \
    case THEN_RELU:                                                                                \
        CASE(THEN_RELU);                                                                           \
        break;                                                                                     \
    case THEN_LEAKY_RELU:                                                                          \
        CASE(THEN_LEAKY_RELU);                                                                     \
        break;                                                                                     \
    case THEN_RELU6:                                                                               \
        CASE(THEN_RELU6);                                                                          \
        break;                                                                                     \
    default:                                                                                       \
        CASE(THEN_NOTHING);                                                                        \
        break;                                                                                     \
    }
