/* tensor.h - shapes, and views of numbers that somebody else owns. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef CORE_DOUBLE /* gradient checks run in double, where 1e-7 means something */
#define REAL_IS_DOUBLE
typedef double real;     /* weights, sums */
typedef double act;      /* activations, as stored */
#elif defined CORE_MIXED /* where one is taken for the other, it does not compile */
#define REAL_IS_DOUBLE
typedef double real;
typedef float act;
#else
typedef float real;
typedef float act;
#endif

enum { SHAPE_MAX_RANK = 5, SHAPE_TEXT = 96 };

/* Row-major, channels last: image batches are [n, h, w, c]. A scalar is {1, {1}}. */
struct shape {
    int rank;
    int64_t dim[SHAPE_MAX_RANK]; /* zero beyond rank, so that memcmp compares shapes */
};

/* What the numbers of a tensor are. */
enum tensor_kind {
    TENSOR_ACTS,   /* activations */
    TENSOR_REALS,  /* losses, metrics and what is computed from them */
    TENSOR_INDICES /* labels, ids, class maps; negative: none */
};

/* Borrowed numbers, 64-byte aligned, to be read as what they are. */
struct tensor {
    struct shape shape;
    enum tensor_kind kind;
    union {
        act *data;
        real *reals;
        int32_t *indices;
        void *memory;
    };
};

static inline size_t tensor_item_bytes(enum tensor_kind kind) {
    return kind == TENSOR_ACTS    ? sizeof(act)
           : kind == TENSOR_REALS ? sizeof(real)
                                  : sizeof(int32_t);
}

/* No computer holds a tensor of more elements, and no sum of a hundred thousand of them overflows.
 * A dimension is an int, which is what BLAS counts with. */
#define TENSOR_MAX_LEN ((int64_t)1 << 46)

/* Is each dimension at least 0 and an int, and the product of those that are not 0 at most
 * TENSOR_MAX_LEN? Whoever computes a shape from what a user wrote asks this before anything else.
 */
bool shape_fits(const struct shape *s);

/* Number of elements; 0 for rank 0. Of a shape that does not fit some number: a plan may ask before
 * its shape is refused. */
static inline int64_t shape_len(const struct shape *s) {
    uint64_t len = 1;

    for (int i = 0; i < s->rank; i++)
        len *= (uint64_t)s->dim[i];
    return s->rank ? (int64_t)len : 0;
}

/* Elements of one sample: the product of all dimensions but the first. */
static inline int64_t shape_sample_len(const struct shape *s) {
    uint64_t len = 1;

    for (int i = 1; i < s->rank; i++)
        len *= (uint64_t)s->dim[i];
    return (int64_t)len;
}

/* The last dimension. */
static inline int64_t shape_channels(const struct shape *s) {
    return s->rank ? s->dim[s->rank - 1] : 0;
}

bool shape_equal(const struct shape *a, const struct shape *b);

/* "16x32x32x3" into text[SHAPE_TEXT]; returns text. */
const char *shape_text(const struct shape *s, char *text);
