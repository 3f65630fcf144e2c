/* augment_mix.h - words that mix two samples of a batch, once each is finished. What they say; who
 * mixes is io/loader. */
#pragma once
#include "core/base/word.h"

#include <stdbool.h>

/* How samples are mixed: by shares of every pixel (mixup; Zhang et al. 2018, arXiv:1710.09412), or
 * by a rectangle of the other one (cutmix; Yun et al. 2019, arXiv:1905.04899). */
struct augment_mixing {
    double mixup, cutmix; /* alpha of Beta(alpha, alpha), which the share is drawn from; 0: never */
    double p;             /* that a sample is mixed at all */
    double cuts;          /* probability of cutmix where both may be */
    int classes;          /* that a target has shares of; 0: those of the data */
};

/* Does the word mix? If so, say how. */
bool augment_mixes(const struct applied *applied, struct augment_mixing *out);
