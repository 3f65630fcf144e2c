/* Where a batch holds what is no number: looked for when a loss is none. */
#include "io/loader/loader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The first of v[n] that is not finite, or -1. */
static int64_t find(const float *v, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        if (!isfinite(v[k]))
            return k;
    return -1;
}

bool loader_batch_not_finite(const struct loader_batch *batch, char *text, size_t len) {
    const int n_fields = batch->loader ? loader_n_fields(batch->loader) : 0;
    char where[DATASET_PLACE_TEXT];

    for (int i = 0; i < n_fields; i++) {
        const struct loader_field *f = loader_field(batch->loader, i);
        const int64_t row = f->sample.rank ? shape_len(&f->sample) : 1;
        const int64_t at = batch->field[i] ? find(batch->field[i], batch->n * row) : -1;

        if (at < 0)
            continue;
        snprintf(text, len, "field %s of sample %" PRId64 " of %s is %s%s", f->name,
                 loader_batch_row(batch, i, at / row), loader_name(batch->loader),
                 isnan(batch->field[i][at]) ? "nan" : "infinite",
                 dataset_place(&f->sample, at % row, where));
        return true;
    }
    return false;
}
