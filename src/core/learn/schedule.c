#include "core/learn/schedule.h"

#include <math.h>
#include <string.h>

#define NO_LIMIT INFINITY

static const double pi = 3.14159265358979323846;
static const double tiny = 1e-9; /* epochs: 0.3 / 0.1 is a little less than 3 */

/* How far from the end of the warm-up to the end of the job: 0 to 1. */
static double progress(const struct schedule_common *c, const struct schedule_time *t) {
    if (t->epoch <= c->warmup)
        return 0;
    return t->epoch < t->epochs ? (t->epoch - c->warmup) / (t->epochs - c->warmup) : 1;
}

static double at_constant(const void *args, const struct schedule_time *t) {
    (void)t;
    return ((const struct schedule_common *)args)->lr;
}

struct step {
    struct schedule_common common;
    double every, gamma;
};

static double at_step(const void *args, const struct schedule_time *t) {
    const struct step *a = args;

    return a->common.lr * pow(a->gamma, floor(t->epoch / a->every + tiny));
}

struct multistep {
    struct schedule_common common;
    struct reals at;
    double gamma;
};

static double at_multistep(const void *args, const struct schedule_time *t) {
    const struct multistep *a = args;
    double lr = a->common.lr;

    for (int i = 0; i < a->at.n; i++)
        if (t->epoch + tiny >= a->at.v[i])
            lr *= a->gamma;
    return lr;
}

struct exponential {
    struct schedule_common common;
    double gamma;
};

static double at_exponential(const void *args, const struct schedule_time *t) {
    const struct exponential *a = args;

    return a->common.lr * pow(a->gamma, fmax(0, t->epoch - a->common.warmup));
}

struct poly {
    struct schedule_common common;
    double power, min;
};

static double at_poly(const void *args, const struct schedule_time *t) {
    const struct poly *a = args;

    return a->min + (a->common.lr - a->min) * pow(1 - progress(&a->common, t), a->power);
}

struct cosine {
    struct schedule_common common;
    double min;
};

/* From one value to another along half a cosine; x from 0 to 1. */
static double swing(double from, double to, double x) {
    return to + (from - to) * (1 + cos(pi * x)) / 2;
}

/* Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts. */
static double at_cosine(const void *args, const struct schedule_time *t) {
    const struct cosine *a = args;

    return swing(a->common.lr, a->min, progress(&a->common, t));
}

struct one_cycle {
    struct schedule_common common;
    double up, start_div, end_div;
};

/* Smith & Topin 2019, arXiv:1708.07120; as torch.optim.lr_scheduler.OneCycleLR: the highest rate
 * is that of the last update of the rise, the lowest that of the last update of the job. */
static double at_one_cycle(const void *args, const struct schedule_time *t) {
    const struct one_cycle *a = args;
    const double start = a->common.lr / a->start_div, end = start / a->end_div;
    const double top = a->up * t->epochs - t->step, last = t->epochs - t->step;

    if (top > 0 && t->epoch <= top)
        return swing(start, a->common.lr, t->epoch / top);
    return swing(a->common.lr, end, last > top ? fmin(1, (t->epoch - top) / (last - top)) : 1);
}

struct plateau {
    struct schedule_common common;
    double factor, min, threshold;
    int patience;
};

/* As torch.optim.lr_scheduler.ReduceLROnPlateau: a measure is better that betters the best one by
 * more than `threshold` of it; more than `patience` in a row that are not cut the rate. */
static double at_plateau(const void *args, const struct schedule_time *t) {
    const struct plateau *a = args;
    const double margin = t->maximise ? 1 + a->threshold : 1 - a->threshold;
    double lr = a->common.lr, best = t->maximise ? -INFINITY : INFINITY;
    int idle = 0;

    for (int i = 0; i < t->n_measures; i++) {
        const double v = t->measure[i];

        if (t->maximise ? v > best * margin : v < best * margin)
            best = v, idle = 0;
        else if (++idle > a->patience)
            lr = fmax(lr * a->factor, a->min), idle = 0;
    }
    return lr;
}

#define REAL(type, field, value, least, most, text)                                                \
    {                                                                                              \
        .name = #field, .kind = ARG_REAL, .offset = offsetof(struct type, field),                  \
        .fallback = value, .min = least, .max = most, .help = text                                 \
    }
#define LR                                                                                         \
    {                                                                                              \
        .name = "lr", .kind = ARG_REAL, .offset = offsetof(struct schedule_common, lr),            \
        .max = NO_LIMIT, .required = true, .help = "the highest rate"                              \
    }
#define WARMUP                                                                                     \
    REAL(schedule_common, warmup, 0, 0, NO_LIMIT, "epochs in which the rate rises from 0")

static const struct arg_spec constant_args[] = {LR, WARMUP, {0}};

static const struct arg_spec step_args[] = {
    LR,
    {.name = "every",
     .kind = ARG_REAL,
     .offset = offsetof(struct step, every),
     .min = 1e-6,
     .required = true,
     .help = "epochs from one cut to the next"},
    REAL(step, gamma, 0.1, 0, NO_LIMIT, "factor of each cut"),
    WARMUP,
    {0},
};

static const struct arg_spec multistep_args[] = {
    LR,
    {.name = "at",
     .kind = ARG_REALS,
     .offset = offsetof(struct multistep, at),
     .max = NO_LIMIT,
     .required = true,
     .help = "epochs at which the rate is cut"},
    REAL(multistep, gamma, 0.1, 0, NO_LIMIT, "factor of each cut"),
    WARMUP,
    {0},
};

static const struct arg_spec exponential_args[] = {
    LR,
    {.name = "gamma",
     .kind = ARG_REAL,
     .offset = offsetof(struct exponential, gamma),
     .max = NO_LIMIT,
     .required = true,
     .help = "factor per epoch"},
    WARMUP,
    {0},
};

static const struct arg_spec poly_args[] = {
    LR,     REAL(poly, power, 0.9, 0, NO_LIMIT, "of what is left of the job"),
    WARMUP, REAL(poly, min, 0, 0, NO_LIMIT, "the rate at the end"),
    {0},
};

static const struct arg_spec cosine_args[] = {
    LR,
    REAL(cosine, min, 0, 0, NO_LIMIT, "the rate at the end"),
    WARMUP,
    {0},
};

static const struct arg_spec one_cycle_args[] = {
    LR,
    REAL(one_cycle, up, 0.3, 0, 1, "part of the job in which the rate rises"),
    REAL(one_cycle, start_div, 25, 1, NO_LIMIT, "the rate begins at lr / start_div"),
    REAL(one_cycle, end_div, 1e4, 1, NO_LIMIT, "and ends at lr / start_div / end_div"),
    WARMUP,
    {0},
};

static const struct arg_spec plateau_args[] = {
    LR,
    REAL(plateau, factor, 0.1, 0, 1, "of each cut"),
    {.name = "patience",
     .kind = ARG_INT,
     .offset = offsetof(struct plateau, patience),
     .fallback = 10,
     .help = "validations without a better measure that are borne"},
    REAL(plateau, min, 0, 0, NO_LIMIT, "the lowest rate"),
    REAL(plateau, threshold, 1e-4, 0, 0.999, "part of the best measure that counts as better"),
    WARMUP,
    {0},
};

static const struct schedule constant = {
    {"constant", "one rate", sizeof(struct schedule_common), constant_args}, .at = at_constant};
static const struct schedule step = {
    {"step", "cut by gamma after every so many epochs", sizeof(struct step), step_args},
    .at = at_step};
static const struct schedule multistep = {
    {"multistep", "cut by gamma at given epochs", sizeof(struct multistep), multistep_args},
    .at = at_multistep};
static const struct schedule exponential = {
    {"exponential", "lr * gamma^epoch", sizeof(struct exponential), exponential_args},
    .at = at_exponential};
static const struct schedule poly = {{"poly",
                                      "a power of what is left of the job, from lr down to min",
                                      sizeof(struct poly), poly_args},
                                     .at = at_poly};
static const struct schedule cosine = {
    {"cosine", "half a cosine from lr down to min", sizeof(struct cosine), cosine_args},
    .at = at_cosine};
static const struct schedule one_cycle = {
    {"one_cycle", "up to lr and down to almost nothing", sizeof(struct one_cycle), one_cycle_args},
    .at = at_one_cycle};
static const struct schedule plateau = {
    {"plateau", "cut by factor when the best measure stays", sizeof(struct plateau), plateau_args},
    .at = at_plateau,
    .reads_measure = true};

static const struct schedule *const table[] = {&constant, &step,   &multistep, &exponential,
                                               &poly,     &cosine, &one_cycle, &plateau};

double schedule_at(const struct applied *s, const struct schedule_time *t) {
    const struct schedule *schedule = (const struct schedule *)(const void *)s->word;
    const struct schedule_common *common = s->args;
    const double lr = schedule->at(s->args, t);

    return common->warmup > 0 ? lr * fmin(1, (t->epoch + t->step) / common->warmup) : lr;
}

const struct word *schedule_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return &table[i]->word;
    return NULL;
}

const struct word *schedule_word(int i) {
    return i < (int)(sizeof table / sizeof *table) ? &table[i]->word : NULL;
}

const struct schedule *const *schedule_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}
