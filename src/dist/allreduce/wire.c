#include "dist/allreduce/wire.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(real) == sizeof(float), "numbers are packed from float32");

/* What is lost by packing x into what comes out as `back`; nothing of what is not finite. */
static inline float lost(float x, float back) {
    const float rest = x - back;

    return fabsf(rest) <= FLT_MAX ? rest : 0;
}

static inline uint32_t bits_of(float x) {
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

enum { MAGNITUDE = 0x7fffffff, INFINITE = 0x7f800000 }; /* of the bits of a float */

/* --- bfloat16: the upper half of a float32, to nearest even --- */

static size_t bf16_bytes(const void *args, int64_t len) {
    (void)args;
    return (size_t)len * sizeof(uint16_t);
}

/* A NaN keeps its upper bits and is made quiet: rounding could turn it into an infinity. */
static inline uint16_t bf16_of(float x) {
    const uint32_t bits = bits_of(x), upper = bits >> 16;

    return (uint16_t)((bits & MAGNITUDE) > INFINITE ? upper | 0x40
                                                    : (bits + 0x7fff + (upper & 1)) >> 16);
}

static void bf16_pack(const void *args, const real *v, real *residual, int64_t len, void *out) {
    uint16_t *code = out;

    (void)args;
    for (int64_t i = 0; i < len; i++) {
        const float x = v[i] + residual[i];
        code[i] = bf16_of(x);
        residual[i] = lost(x, float_of((uint32_t)code[i] << 16));
    }
}

static void bf16_unpack(const void *args, const void *in, int64_t len, real *v) {
    const uint16_t *code = in;

    (void)args;
    for (int64_t i = 0; i < len; i++)
        v[i] = float_of((uint32_t)code[i] << 16);
}

/* --- int8: a float32 scale for each block, then codes of -127 to 127 times that --- */

struct int8_args {
    int block; /* numbers */
};

/* Codes of a block that holds infinities or NaNs, which a negative scale marks: finite numbers have
 * those between. */
enum { INT8_LEVELS = 127, INT8_MARKED_LEVELS = 126, INT8_INFINITE = 127, INT8_NAN = -128 };

static int64_t n_blocks(const struct int8_args *a, int64_t len) {
    return (len + a->block - 1) / a->block;
}

static size_t int8_bytes(const void *args, int64_t len) {
    return (size_t)n_blocks(args, len) * sizeof(float) + (size_t)len;
}

/* The scale of a block whose largest magnitude is that. Blocks of which it would be subnormal are
 * sent as 0; what is times levels stays finite. */
static float scale_of(float largest, int levels) {
    const float scale = largest / (float)levels;

    if (scale < FLT_MIN)
        return 0;
    return isinf(scale * (float)levels) ? nextafterf(scale, 0) : scale;
}

static inline int8_t level_of(float x, float scale, float levels) {
    const float level = rintf(x / scale); /* to nearest even */

    return (int8_t)(level > levels ? levels : level < -levels ? -levels : level);
}

static void pack_finite(float scale, real *x, int64_t len, int8_t *code) {
    if (scale <= 0) {
        memset(code, 0, (size_t)len);
        return;
    }
    for (int64_t i = 0; i < len; i++) {
        code[i] = level_of(x[i], scale, INT8_LEVELS);
        x[i] = lost(x[i], scale * (float)code[i]);
    }
}

static void pack_marked(float scale, real *x, int64_t len, int8_t *code) {
    for (int64_t i = 0; i < len; i++) {
        if (isfinite(x[i])) {
            code[i] = scale > 0 ? level_of(x[i], scale, INT8_MARKED_LEVELS) : 0;
            x[i] = lost(x[i], scale * (float)code[i]);
        } else {
            code[i] = (int8_t)(isnan(x[i]) ? INT8_NAN : x[i] > 0 ? INT8_INFINITE : -INT8_INFINITE);
            x[i] = 0;
        }
    }
}

/* Magnitudes are compared by their bits, which grow with them: infinities and NaNs are above. */
static uint32_t largest_bits(const real *x, int64_t len) {
    uint32_t largest = 0;

    for (int64_t i = 0; i < len; i++) {
        const uint32_t bits = bits_of(x[i]) & MAGNITUDE;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

static float largest_finite(const real *x, int64_t len) {
    float largest = 0;

    for (int64_t i = 0; i < len; i++)
        if (isfinite(x[i]) && fabsf(x[i]) > largest)
            largest = fabsf(x[i]);
    return largest;
}

/* One block, of which x holds what is to be sent and then what is lost; returns its scale. */
static float pack_block(real *x, int64_t len, int8_t *code) {
    const uint32_t largest = largest_bits(x, len);

    if (largest < INFINITE) {
        const float scale = scale_of(float_of(largest), INT8_LEVELS);
        pack_finite(scale, x, len, code);
        return scale;
    }
    const float scale = scale_of(largest_finite(x, len), INT8_MARKED_LEVELS);
    pack_marked(scale, x, len, code);
    return -scale;
}

static void int8_pack(const void *args, const real *v, real *residual, int64_t len, void *out) {
    const struct int8_args *a = args;
    float *scale = out;
    int8_t *code = (int8_t *)(scale + n_blocks(a, len));

    for (int64_t begin = 0, b = 0; begin < len; begin += a->block, b++) {
        const int64_t n = len - begin < a->block ? len - begin : a->block;
        for (int64_t i = begin; i < begin + n; i++)
            residual[i] += v[i];
        scale[b] = pack_block(residual + begin, n, code + begin);
    }
}

static float unpack_marked(float scale, int8_t code) {
    return code == INT8_NAN                 ? NAN
           : code == INT8_INFINITE          ? INFINITY
           : code == (int8_t)-INT8_INFINITE ? -INFINITY
                                            : scale * (float)code;
}

static void int8_unpack(const void *args, const void *in, int64_t len, real *v) {
    const struct int8_args *a = args;
    const float *scale = in;
    const int8_t *code = (const int8_t *)(scale + n_blocks(a, len));

    for (int64_t begin = 0, b = 0; begin < len; begin += a->block, b++) {
        const int64_t end = len - begin < a->block ? len : begin + a->block;
        if (signbit(scale[b]))
            for (int64_t i = begin; i < end; i++)
                v[i] = unpack_marked(-scale[b], code[i]);
        else
            for (int64_t i = begin; i < end; i++)
                v[i] = scale[b] * (float)code[i];
    }
}

static int int8_check(const void *args, struct err *err) {
    const struct int8_args *a = args;

    return a->block & (a->block - 1)
               ? err_set(err, ERR_CONFIG,
                         "int8: block is %d, expected a power of two, as in int8(block=256)",
                         a->block)
               : 0;
}

static const struct arg_spec int8_specs[] = {
    {.name = "block",
     .kind = ARG_INT,
     .offset = offsetof(struct int8_args, block),
     .fallback = 256,
     .min = 16,
     .max = 65536,
     .help = "numbers of one scale, a power of two"},
    {0},
};

static const struct wire_format formats[] = {
    {.word = {"fp32", "numbers as they are, 4 bytes each", 0, NULL}},
    {.word = {"bf16", "rounded to bfloat16, 2 bytes each; what is lost goes with the next step's",
              0, NULL},
     .bytes = bf16_bytes,
     .pack = bf16_pack,
     .unpack = bf16_unpack},
    {.word = {"int8",
              "whole numbers times one scale a block, 1 byte each; what is lost goes with the next "
              "step's",
              sizeof(struct int8_args), int8_specs},
     .bytes = int8_bytes,
     .pack = int8_pack,
     .unpack = int8_unpack,
     .check = int8_check},
};

const struct word *wire_word(int i) {
    return i >= 0 && (size_t)i < sizeof formats / sizeof *formats ? &formats[i].word : NULL;
}

const struct word *wire_find(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(formats[i].word.name, name))
            return &formats[i].word;
    return NULL;
}

const struct wire_format *wire_format(const struct applied *wire) {
    const struct wire_format *format = (const struct wire_format *)(const void *)wire->word;

    return format && format->pack ? format : NULL;
}

int wire_check(const struct applied *wire, struct err *err) {
    const struct wire_format *format = wire_format(wire);

    return format && format->check ? format->check(wire->args, err) : 0;
}
