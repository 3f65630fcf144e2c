/* ranked.h - the best of many by score. Of equal scores the one of the smaller place is better, so
 * that the order is the same however they come. */
#pragma once
#include "core/base/tensor.h"

struct ranked {
    act score;
    int32_t at; /* place in whatever is ranked */
};

static inline bool ranked_better(const struct ranked *a, const struct ranked *b) {
    return a->score > b->score || (a->score == b->score && a->at < b->at);
}

/* Keep one more of the best `most` in heap[most], of which *n are there: the worst of them is
 * heap[0]. */
void ranked_offer(struct ranked *heap, int64_t *n, int64_t most, struct ranked one);

/* Sort what was kept in heap[n]: best first. */
void ranked_sort(struct ranked *heap, int64_t n);
