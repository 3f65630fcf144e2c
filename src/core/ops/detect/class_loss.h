/* class_loss.h - what the classes of rows cost, as class_loss and hard_negatives see it. */
#pragma once
#include "core/ops/detect/terms.h"

enum class_kind { CLASS_SOFTMAX, CLASS_FOCAL, CLASS_SIGMOID };
enum { BACKGROUND_AUTO, BACKGROUND_FIRST, BACKGROUND_NONE };

extern const char *const class_kinds[], *const class_backgrounds[];

/* The channel of a row's class: of background 0, or -1 where it has none. One channel is whether
 * there is anything; -2: the network has no such class. */
static inline int64_t class_channel(act class, int64_t channels, bool background) {
    const int64_t k = class < 0 ? -1 : (channels == 1 + background ? 0 : (int64_t) class);

    return k >= channels - background ? -2 : k + background;
}
