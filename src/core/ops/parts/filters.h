/* filters.h - what conv and conv_transpose have in common: arguments, weights, and how inputs of
 * one, two and three dimensions become the volumes of conv3d.h. Weights are
 * [kernel..., c / groups, k] of the convolution; of a transposed one c are the channels of y. */
#pragma once
#include "core/math/conv3d.h"
#include "core/ops/parts/axes.h"
#include "core/ops/parts/init.h"
#include "core/ops/parts/spectral.h"

struct filters {
    int channels;
    struct ints kernel, stride, pad, dilation; /* one number, or one for each dimension */
    int groups, bias;
    struct applied init;
    int spectral;
    struct ints output_pad; /* of transposed ones */
    struct applied bias_init;
    int each; /* x is lists of images: [n, r, h, w, c] */
};

enum { FILTERS_SAME, FILTERS_VALID }; /* pad */

extern const char *const filters_pads[];
extern const char *const filters_biases[];
extern const char *const filters_truths[];

#define FILTERS_SPECS_FIRST                                                                        \
    {.name = "channels",                                                                           \
     .kind = ARG_INT,                                                                              \
     .offset = offsetof(struct filters, channels),                                                 \
     .min = 1,                                                                                     \
     .required = true,                                                                             \
     .help = "of the output"},                                                                     \
        {.name = "kernel",                                                                         \
         .kind = ARG_INTS,                                                                         \
         .offset = offsetof(struct filters, kernel),                                               \
         .fallback = 3,                                                                            \
         .min = 1,                                                                                 \
         .help = "pixels: one number or one for each dimension"},                                  \
    {                                                                                              \
        .name = "stride", .kind = ARG_INTS, .offset = offsetof(struct filters, stride),            \
        .fallback = 1, .min = 1, .help = "pixels"                                                  \
    }

#define FILTERS_SPEC_PAD(otherwise, what)                                                          \
    {                                                                                              \
        .name = "pad", .kind = ARG_INTS_OR_WORD, .offset = offsetof(struct filters, pad),          \
        .fallback = otherwise, .min = 0, .max = -1, .words = filters_pads, .help = what            \
    }

#define FILTERS_SPECS_LAST                                                                         \
    {.name = "dilation",                                                                           \
     .kind = ARG_INTS,                                                                             \
     .offset = offsetof(struct filters, dilation),                                                 \
     .fallback = 1,                                                                                \
     .min = 1,                                                                                     \
     .help = "pixels from one tap to the next"},                                                   \
        {.name = "groups",                                                                         \
         .kind = ARG_INT,                                                                          \
         .offset = offsetof(struct filters, groups),                                               \
         .fallback = 1,                                                                            \
         .min = 1,                                                                                 \
         .help = "of channels that do not see each other"},                                        \
        {.name = "bias",                                                                           \
         .kind = ARG_WORD,                                                                         \
         .offset = offsetof(struct filters, bias),                                                 \
         .words = filters_biases,                                                                  \
         .help = "auto: unless bn or instance_norm follows"},                                      \
        {.name = "init",                                                                           \
         .kind = ARG_APPLIED,                                                                      \
         .offset = offsetof(struct filters, init),                                                 \
         .find = init_find,                                                                        \
         .at = init_word,                                                                          \
         .help = "of the weights; uniform within 1 / sqrt(fan_in) when not given"},                \
        SPECTRAL_SPEC(struct filters),                                                             \
        {.name = "bias_init",                                                                      \
         .kind = ARG_APPLIED,                                                                      \
         .offset = offsetof(struct filters, bias_init),                                            \
         .find = init_find,                                                                        \
         .at = init_word,                                                                          \
         .help = "of the bias; zeros when not given"},                                             \
        {.name = "each",                                                                           \
         .kind = ARG_WORD,                                                                         \
         .offset = offsetof(struct filters, each),                                                 \
         .words = filters_truths,                                                                  \
         .help = "x is lists of images, [n, r, h, w, c], and each is one of its own"},             \
    {                                                                                              \
        0                                                                                          \
    }

/* The whole plan. transposed: x is the output of the convolution, y its input.
 * Errors: ERR_CONFIG, beginning with name. */
int filters_plan(const char *name, bool transposed, const struct filters *a, const struct shape *x,
                 struct op_plan *plan, struct err *err);

/* The convolution between x and y of a call. */
struct conv3d filters_conv3d(const struct op_call *c, bool transposed);

/* How the weights between x and y are normalised. */
struct spectral filters_spectral(const struct filters *a, bool transposed, const struct shape *x,
                                 const struct shape *y);

/* Groups of channels, by the arguments alone. */
int filters_groups(const void *args);

/* Pixels of all samples. */
int64_t filters_pixels(const struct shape *s);
