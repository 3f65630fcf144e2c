#include "report/page_thin.h"

#include <math.h>

enum { OF_BUCKET = 4 };

/* Add what bucket [begin, end) keeps to at[], in order. */
static size_t thin_bucket(const double *v, size_t begin, size_t end, size_t *at) {
    size_t low = end, high = end, none = end, n = 0;

    for (size_t i = begin; i < end; i++) {
        if (!isfinite(v[i])) {
            none = none == end ? i : none;
            continue;
        }
        low = low == end || v[i] < v[low] ? i : low;
        high = high == end || v[i] > v[high] ? i : high;
    }
    for (size_t i = begin; i < end; i++)
        if (i == begin || i == low || i == high || i == none)
            at[n++] = i;
    return n;
}

size_t page_thin_curve(const double *v, size_t n, size_t max, size_t *at) {
    const size_t buckets = max / OF_BUCKET;
    size_t kept = 0;

    if (n <= max) {
        for (size_t i = 0; i < n; i++)
            at[i] = i;
        return n;
    }
    for (size_t b = 0; b < buckets; b++)
        kept += thin_bucket(v, b * n / buckets, (b + 1) * n / buckets, at + kept);
    if (at[kept - 1] != n - 1)
        at[kept++] = n - 1;
    return kept;
}

size_t page_thin_even(size_t i, size_t k, size_t n) {
    return (i + 1) * n / k - 1;
}
