#include "core/ops/detect/terms.h"

const char *const terms_per[] = {"positives", "samples", "rows", NULL};

static int64_t positives(const struct tensor *target, int64_t first_row, int64_t n) {
    const act *row = target->data + first_row * TRUTH;
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++, row += TRUTH)
        sum += terms_positive(row);
    return sum;
}

double terms_count(const struct tensor *target, int per) {
    const int64_t n = target->shape.dim[0], rows = n * target->shape.dim[1];
    int64_t sum = 0;

    if (per == PER_SAMPLES)
        return (double)n;
    if (per == PER_POSITIVES)
        return (double)positives(target, 0, rows);
    for (int64_t i = 0; i < rows; i++)
        sum += terms_counts(target->data + i * TRUTH);
    return (double)sum;
}

double terms_scale(const struct tensor *target, int per, int64_t sample) {
    const int64_t rows = target->shape.dim[1];

    if (per != PER_SAMPLES)
        return 1;
    const int64_t n = positives(target, sample * rows, rows);
    return n ? 1 / (double)n : 1;
}
