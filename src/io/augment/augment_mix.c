/* mixup, cutmix, and either of them as it falls: words without a plan and a call of their own. */
#include "io/augment/augment_mix.h"
#include "io/augment/augment.h"

#include <limits.h>

enum { ALPHA_MAX = 1000000 };

struct mix_one {
    double alpha, p;
    int classes;
};

struct mix_both {
    double mixup, cutmix, p, cuts;
    int classes;
};

#define MIX_ALPHA(type, member, text, usual)                                                       \
    {                                                                                              \
        .name = text, .kind = ARG_REAL, .offset = offsetof(type, member), .fallback = usual,       \
        .min = ARG_ABOVE_0, .max = ALPHA_MAX,                                                      \
        .help = "of Beta(alpha, alpha), which the share of the other sample is drawn from"         \
    }

#define MIX_P(type)                                                                                \
    {                                                                                              \
        .name = "p", .kind = ARG_REAL, .offset = offsetof(type, p), .fallback = 1, .max = 1,       \
        .help = "probability that a sample is mixed"                                               \
    }

#define MIX_CLASSES(type)                                                                          \
    {                                                                                              \
        .name = "classes", .kind = ARG_INT, .offset = offsetof(type, classes), .max = INT_MAX,     \
        .help = "numbers of a target; 0: as many as the data has classes"                          \
    }

static const struct arg_spec one_args[] = {
    MIX_ALPHA(struct mix_one, alpha, "alpha", 1),
    MIX_P(struct mix_one),
    MIX_CLASSES(struct mix_one),
    {0},
};

static const struct arg_spec both_args[] = {
    MIX_ALPHA(struct mix_both, mixup, "mixup", 0.2),
    MIX_ALPHA(struct mix_both, cutmix, "cutmix", 1),
    MIX_P(struct mix_both),
    {.name = "switch",
     .kind = ARG_REAL,
     .offset = offsetof(struct mix_both, cuts),
     .fallback = 0.5,
     .max = 1,
     .help = "probability of cutmix in place of mixup"},
    MIX_CLASSES(struct mix_both),
    {0},
};

const struct augment augment_mixup = {
    .word = {"mixup", "each sample and the next one of the batch, in random shares",
             sizeof(struct mix_one), one_args},
    .training_only = true,
    .mixes = true,
};

const struct augment augment_cutmix = {
    .word = {"cutmix", "a random rectangle of each sample from the next one of the batch",
             sizeof(struct mix_one), one_args},
    .training_only = true,
    .mixes = true,
};

const struct augment augment_mix = {
    .word = {"mix", "mixup or cutmix, drawn for each sample", sizeof(struct mix_both), both_args},
    .training_only = true,
    .mixes = true,
};

bool augment_mixes(const struct applied *applied, struct augment_mixing *out) {
    const struct mix_one *one = applied->args;
    const struct mix_both *both = applied->args;

    if (applied->word == &augment_mixup.word)
        *out = (struct augment_mixing){.mixup = one->alpha, .p = one->p, .classes = one->classes};
    else if (applied->word == &augment_cutmix.word)
        *out = (struct augment_mixing){
            .cutmix = one->alpha, .p = one->p, .cuts = 1, .classes = one->classes};
    else if (applied->word == &augment_mix.word)
        *out =
            (struct augment_mixing){both->mixup, both->cutmix, both->p, both->cuts, both->classes};
    else
        return false;
    return true;
}
