/* Looking at what a field holds, where name, type and shape leave open what it is. */
#include "io/dataset/dataset_kind.h"

#include <math.h>
#include <stdlib.h>

enum { LOOK_BYTES = 1 << 20 };

/* Is values[len], one row, of the kind that is looked for? *at is the first number that is not. */
static bool is_whole(const float *values, int64_t len, int64_t *at) {
    for (*at = 0; *at < len; ++*at)
        if (values[*at] != floorf(values[*at]) || isinf(values[*at]))
            return false;
    return true;
}

static bool is_small(const float *values, int64_t len, int64_t *at) {
    for (*at = 0; *at < len; ++*at)
        if (values[*at] > LOOK_SMALL)
            return false;
    return true;
}

static bool is_one_hot(const float *values, int64_t len, int64_t *at) {
    int ones = 0;

    for (*at = 0; *at < len; ++*at) {
        if (values[*at] != 0 && values[*at] != 1)
            return false;
        ones += values[*at] == 1;
    }
    *at = 0;
    return len > 1 && ones == 1;
}

int dataset_look(struct h5_data *data, enum look_for what, struct look *out, struct err *err) {
    static bool (*const tests[])(const float *, int64_t, int64_t *) = {
        [LOOK_WHOLE] = is_whole, [LOOK_FEW] = is_small, [LOOK_ONE_HOT] = is_one_hot};
    const struct h5_info *info = h5_data_info(data);
    const int64_t len = h5_row_len(info), most = LOOK_BYTES / (len * (int64_t)sizeof(float));
    const int64_t step = most > 0 ? most : 1;
    float *values = malloc((size_t)(step * len) * sizeof *values);
    int status = values ? 0 : err_set(err, ERR_IO, "not enough memory to look at rows");

    *out = (struct look){.all = true};
    for (int64_t first = 0; !status && out->all && first < info->dim[0]; first += step) {
        const int64_t n = info->dim[0] - first < step ? info->dim[0] - first : step;

        status = h5_data_read(data, first, n, H5_TYPE_F32, values, err);
        for (int64_t k = 0, at; !status && out->all && k < n; k++)
            if (!tests[what](values + k * len, len, &at))
                *out = (struct look){false, first + k, values[k * len + at]};
    }
    free(values);
    return status;
}
