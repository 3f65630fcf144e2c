/* vec.h - vectors of VEC_BYTES, which a file of this folder defines before it includes this. */
#pragma once
#include "core/math/isa/isa.h"

#define INLINE static inline __attribute__((always_inline))

enum { VEC_LEN = VEC_BYTES / sizeof(real), TILE_COLS = 2 * VEC_LEN };

typedef real vec __attribute__((vector_size(VEC_BYTES)));

/* Anywhere in an array of real, aligned to no more than its numbers. */
typedef real vec_in_array __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real)), may_alias));

INLINE vec load(const real *p) {
    return *(const vec_in_array *)p;
}

INLINE void store(real *p, vec v) {
    *(vec_in_array *)p = v;
}

/* Left alone, GCC reads v from memory again at every use, and then runs out of registers. */
#if defined(__x86_64__) && !defined(__clang__) && (VEC_BYTES < 64 || defined(__AVX512F__))
#define KEEP(v) __asm__("" : "+v"(v))
#else
#define KEEP(v) (void)0
#endif

/* Before the loop around a tile's multiply-adds. What steers the loop takes slots from them, most
 * where two threads share a core. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 8")
#else
#define UNROLL
#endif
