#include "core/ops/detect/ranked.h"

/* Let the element at `at` sink until both below it are better. */
static void sink(struct ranked *heap, int64_t n, int64_t at) {
    const struct ranked one = heap[at];

    for (int64_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
        if (below + 1 < n && ranked_better(&heap[below], &heap[below + 1]))
            below++;
        if (!ranked_better(&one, &heap[below]))
            break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = one;
}

void ranked_offer(struct ranked *heap, int64_t *n, int64_t most, struct ranked one) {
    if (*n < most) {
        int64_t at = (*n)++;

        for (; at && ranked_better(&heap[(at - 1) / 2], &one); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = one;
    } else if (most && ranked_better(&one, &heap[0])) {
        heap[0] = one;
        sink(heap, *n, 0);
    }
}

void ranked_sort(struct ranked *heap, int64_t n) {
    for (int64_t left = n - 1; left > 0; left--) {
        const struct ranked worst = heap[0];

        heap[0] = heap[left];
        sink(heap, left, 0);
        heap[left] = worst;
    }
}
