/* by_size.h - arguments of the all-reduce that leaves short vectors to one algorithm and long ones
 * to another. */
#pragma once
#include "core/base/word.h"

struct by_size_args {
    struct applied small, large;
    int64_t limit; /* bytes of the longest vector that is left to `small` */
};
