/* bucket.h - how spans of gradients are cut into buckets: from the end, each full, but for a small
 * one at the begin; or between tensors, where the span says which it has. */
#pragma once
#include "dist/allreduce/allreduce.h"

/* Where the bucket of a span begins that ends there, at > 0.
 *   cut  elements of a full one */
int64_t bucket_begin(const struct allreduce_vector *span, int64_t end, int64_t cut);

/* Those of the span's tensors that are in [begin, end), counted from there, to out; returns how
 * many.
 */
int bucket_tensors(const struct allreduce_vector *span, int64_t begin, int64_t end,
                   struct allreduce_tensor *out);
