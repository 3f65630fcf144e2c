#include "dist/bucket.h"

enum { FIRST_BYTES = 1 << 20 }; /* of the bucket at the begin of a span, at most */

/* Elements of the bucket at the begin of a span; the others are cut from its end. */
static int64_t first_len(int64_t len, int64_t cut) {
    const int64_t small = FIRST_BYTES / (int64_t)sizeof(real);

    if (len <= small || cut <= small)
        return len <= cut ? len : (len - 1) % cut + 1;
    return small;
}

int64_t bucket_begin(const struct allreduce_vector *span, int64_t end, int64_t cut) {
    const int64_t first = first_len(span->len, cut), most = end - cut > first ? end - cut : first;
    const int64_t begin = end <= first ? 0 : most;
    int64_t whole = 0;

    for (int t = 0; t < span->n_tensors && span->tensor[t].begin <= begin; t++)
        whole = span->tensor[t].begin;
    return span->n_tensors ? whole : begin;
}

int bucket_tensors(const struct allreduce_vector *span, int64_t begin, int64_t end,
                   struct allreduce_tensor *out) {
    int n = 0;

    for (int t = 0; t < span->n_tensors; t++) {
        const struct allreduce_tensor *tensor = &span->tensor[t];
        if (tensor->begin >= begin && tensor->begin < end)
            out[n++] = (struct allreduce_tensor){tensor->begin - begin, tensor->rows, tensor->cols};
    }
    return n;
}
