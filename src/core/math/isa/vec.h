/* vec.h - vectors of VEC_BYTES, which a file of this folder defines before it includes this. */
#pragma once
#include "core/math/isa/isa.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { VEC_LEN = VEC_BYTES / sizeof(real), TILE_COLS = 2 * VEC_LEN };

typedef real vec __attribute__((vector_size(VEC_BYTES)));

/* memcpy, because operands are not aligned to a vector; it compiles to one instruction. */
INLINE vec load(const real *p) {
    vec v;

    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(real *p, vec v) {
    memcpy(p, &v, sizeof v);
}

/* Left alone, GCC reads v from memory again at every use, and then runs out of registers. */
#if defined(__x86_64__) && !defined(__clang__) && (VEC_BYTES < 64 || defined(__AVX512F__))
#define KEEP(v) __asm__("" : "+v"(v))
#else
#define KEEP(v) (void)0
#endif
