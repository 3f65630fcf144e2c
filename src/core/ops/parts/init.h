/* init.h - initialisers: how a weight tensor gets its first values. */
#pragma once
#include "core/base/tensor.h"
#include "core/base/word.h"

struct init {
    struct word word;
    /* Fill w[len] for the given fans; randomness is a function of key and element. */
    void (*fill)(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                 int64_t len);
};

/* The word (first member of its struct init) of that name, or NULL. */
const struct word *init_find(const char *name);

/* The word of the i-th, NULL past the end. For arg_spec.at. */
const struct word *init_word(int i);

/* All initialisers; *n is their number. */
const struct init *const *init_table(int *n);

/* Fill w[len] as `init` says; zeros where init.word is NULL. */
void init_fill(const struct applied *init, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
               int64_t len);

/* The initialisers and their arguments, for operators that name a default. */
extern const struct init init_zeros;    /* no arguments */
extern const struct init init_constant; /* struct constant_args */
extern const struct init init_normal;   /* struct normal_args */
extern const struct init init_uniform;  /* struct uniform_args */
extern const struct init init_xavier;   /* struct xavier_args */
extern const struct init init_kaiming;  /* struct kaiming_args */

enum { INIT_NORMAL, INIT_UNIFORM }; /* distribution */
enum { INIT_FAN_IN, INIT_FAN_OUT }; /* fan */

struct constant_args {
    double value;
};

struct normal_args {
    double std; /* mean 0 */
};

struct uniform_args {
    double limit; /* in [-limit, limit) */
};

/* Variance 2 / (fan_in + fan_out). Source: Glorot & Bengio 2010. */
struct xavier_args {
    int distribution;
};

/* Variance 2 / ((1 + slope^2) fan). Source: He et al. 2015, doi:10.1109/ICCV.2015.123 */
struct kaiming_args {
    int distribution;
    int fan;
    double slope; /* of the leaky ReLU that follows */
};

/* What convolutions and linear layers begin with unless the job says otherwise: uniform within
 * 1 / sqrt(fan_in), as torch.nn.Conv2d and torch.nn.Linear. */
extern const struct applied init_default;
