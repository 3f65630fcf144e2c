#include "core/ops/parts/init.h"

#include "core/base/rng.h"

#include <math.h>
#include <string.h>

static const char *const distributions[] = {"normal", "uniform", NULL};
static const char *const fans[] = {"in", "out", NULL};

static void fill_constant(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                          int64_t len) {
    const struct constant_args *a = args;

    (void)fan_in, (void)fan_out, (void)key;
    for (int64_t i = 0; i < len; i++)
        w[i] = (real)a->value;
}

static void fill_zeros(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                       int64_t len) {
    const struct constant_args zero = {0};

    (void)args;
    fill_constant(&zero, fan_in, fan_out, key, w, len);
}

/* Mean 0 and the given standard deviation. */
static void draw(int distribution, double std, uint64_t key, real *w, int64_t len) {
    const double limit = sqrt(3.0) * std;

    for (int64_t i = 0; i < len; i++)
        w[i] = (real)(distribution == INIT_NORMAL
                          ? std * (double)rng_normal(key, (uint64_t)i)
                          : limit * (2 * (double)rng_uniform(key, (uint64_t)i) - 1));
}

static void fill_normal(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                        int64_t len) {
    const struct normal_args *a = args;

    (void)fan_in, (void)fan_out;
    draw(INIT_NORMAL, a->std, key, w, len);
}

static void fill_uniform(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                         int64_t len) {
    const struct uniform_args *a = args;

    (void)fan_in, (void)fan_out;
    draw(INIT_UNIFORM, a->limit / sqrt(3.0), key, w, len);
}

static double at_least_one(int64_t fan) {
    return fan > 1 ? (double)fan : 1;
}

static void fill_xavier(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                        int64_t len) {
    const struct xavier_args *a = args;

    draw(a->distribution, sqrt(2 / at_least_one(fan_in + fan_out)), key, w, len);
}

static void fill_kaiming(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                         int64_t len) {
    const struct kaiming_args *a = args;
    const double fan = at_least_one(a->fan == INIT_FAN_IN ? fan_in : fan_out);

    draw(a->distribution, sqrt(2 / ((1 + a->slope * a->slope) * fan)), key, w, len);
}

static const struct arg_spec constant_specs[] = {
    {.name = "value",
     .kind = ARG_REAL,
     .offset = offsetof(struct constant_args, value),
     .required = true,
     .help = "of every weight"},
    {0},
};

static const struct arg_spec normal_specs[] = {
    {.name = "std",
     .kind = ARG_REAL,
     .offset = offsetof(struct normal_args, std),
     .fallback = 0.01,
     .min = 0,
     .max = -1,
     .help = "standard deviation"},
    {0},
};

static const struct arg_spec uniform_specs[] = {
    {.name = "limit",
     .kind = ARG_REAL,
     .offset = offsetof(struct uniform_args, limit),
     .fallback = 0.05,
     .min = 0,
     .max = -1,
     .help = "draws lie in [-limit, limit)"},
    {0},
};

static const struct arg_spec xavier_specs[] = {
    {.name = "distribution",
     .kind = ARG_WORD,
     .offset = offsetof(struct xavier_args, distribution),
     .fallback = INIT_UNIFORM,
     .words = distributions,
     .help = "of the draws"},
    {0},
};

static const struct arg_spec kaiming_specs[] = {
    {.name = "distribution",
     .kind = ARG_WORD,
     .offset = offsetof(struct kaiming_args, distribution),
     .fallback = INIT_NORMAL,
     .words = distributions,
     .help = "of the draws"},
    {.name = "fan",
     .kind = ARG_WORD,
     .offset = offsetof(struct kaiming_args, fan),
     .fallback = INIT_FAN_IN,
     .words = fans,
     .help = "keep the variance forward (in) or backward"},
    {.name = "slope",
     .kind = ARG_REAL,
     .offset = offsetof(struct kaiming_args, slope),
     .help = "of the leaky ReLU that follows"},
    {0},
};

const struct init init_zeros = {
    .word = {.name = "zeros", .help = "0 everywhere"},
    .fill = fill_zeros,
};

const struct init init_constant = {
    .word = {"constant", "the same value everywhere", sizeof(struct constant_args), constant_specs},
    .fill = fill_constant,
};

const struct init init_normal = {
    .word = {"normal", "normal draws of mean 0", sizeof(struct normal_args), normal_specs},
    .fill = fill_normal,
};

const struct init init_uniform = {
    .word = {"uniform", "uniform draws around 0", sizeof(struct uniform_args), uniform_specs},
    .fill = fill_uniform,
};

const struct init init_xavier = {
    .word = {"xavier", "draws of variance 2 / (fan_in + fan_out)", sizeof(struct xavier_args),
             xavier_specs},
    .fill = fill_xavier,
};

const struct init init_kaiming = {
    .word = {"kaiming", "draws of variance 2 / ((1 + slope^2) fan)", sizeof(struct kaiming_args),
             kaiming_specs},
    .fill = fill_kaiming,
};

static const struct init *const table[] = {&init_zeros,   &init_constant, &init_normal,
                                           &init_uniform, &init_xavier,   &init_kaiming};

const struct word *init_word(int i) {
    return i < (int)(sizeof table / sizeof *table) ? &table[i]->word : NULL;
}

const struct init *const *init_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}

const struct word *init_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return &table[i]->word;
    return NULL;
}

void init_fill(const struct applied *init, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
               int64_t len) {
    const struct init *how = init->word ? (const struct init *)init->word : &init_zeros;

    how->fill(init->args, fan_in, fan_out, key, w, len);
}

static const struct kaiming_args default_args = {INIT_UNIFORM, INIT_FAN_IN, 2.2360679774997896};
const struct applied init_default = {&init_kaiming.word, &default_args};
