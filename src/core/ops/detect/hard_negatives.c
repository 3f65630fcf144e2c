/* hard_negatives(logits, target, ratio=3, kind=softmax, least=0): the target with most of its
 * background ignored: of each sample those `ratio` times as many rows of background as there are
 * rows that find a box (`least` at least) remain whose class costs most: in softmax that of channel
 * 0, in sigmoid those of all channels. No gradient.
 * Source: Liu et al. 2016, doi:10.1007/978-3-319-46448-0_2, section 2.2 */
#include "core/ops/detect/class_loss.h"
#include "core/ops/detect/ranked.h"
#include "core/ops/parts/rows.h"

#include <string.h>

struct hard_negatives {
    double ratio;
    int kind, least;
};

static const char *const kinds[] = {"softmax", "sigmoid", NULL};

static const struct arg_spec specs[] = {
    {.name = "ratio",
     .kind = ARG_REAL,
     .offset = offsetof(struct hard_negatives, ratio),
     .fallback = 3,
     .min = 0,
     .max = -1,
     .help = "rows of background for each that finds a box"},
    {.name = "kind",
     .kind = ARG_WORD,
     .offset = offsetof(struct hard_negatives, kind),
     .words = kinds,
     .help = "of class_loss: how logits become shares"},
    {.name = "least",
     .kind = ARG_INT,
     .offset = offsetof(struct hard_negatives, least),
     .fallback = 0,
     .min = 0,
     .max = 1 << 30,
     .help = "rows of background of a sample, also of one without boxes"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x[0].rank != 3)
        return err_set(err, ERR_CONFIG, "hard_negatives: logits are %s, expected a list",
                       shape_text(&x[0], text));
    if (list_check("hard_negatives", "targets", &x[1], TRUTH, err) ||
        list_rows_check("hard_negatives", "logits", &x[0], "targets", &x[1], err))
        return -1;
    plan->y = x[1];
    plan->scratch_bytes = (size_t)(x[0].dim[0] * x[0].dim[1]) * sizeof(struct ranked);
    plan->flops = 5 * (double)shape_len(&x[0]);
    return 0;
}

/* What a row of background costs; what is no number costs most. */
static act cost(const struct hard_negatives *a, const act *x, int64_t n) {
    double sum = 0;

    if (!a->kind) {
        const act max = row_max(x, n);

        sum = log((double)row_sum_exp(x, n, max)) - (double)(x[0] - max);
    }
    for (int64_t j = 0; a->kind && j < n; j++) {
        const act size = x[j] < 0 ? -x[j] : x[j];

        sum += (double)((x[j] > 0 ? x[j] : 0) + act_log1p_unit(act_exp(-size)));
    }
    return isnan(sum) ? (act)INFINITY : (act)sum;
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct hard_negatives *a = c->args;
    const int64_t rows = c->x[1].shape.dim[1], n = shape_channels(&c->x[0].shape);

    for (int64_t sample = begin; sample < end; sample++) {
        const act *logits = c->x[0].data + sample * rows * n;
        const act *target = c->x[1].data + sample * rows * TRUTH;
        act *y = c->y.data + sample * rows * TRUTH;
        struct ranked *heap = (struct ranked *)c->scratch + sample * rows;
        int64_t positives = 0, kept = 0;

        memcpy(y, target, (size_t)(rows * TRUTH) * sizeof *y);
        for (int64_t i = 0; i < rows; i++)
            positives += terms_positive(target + i * TRUTH);
        const double wanted = floor(a->ratio * (double)positives);
        const double most = wanted > a->least ? wanted : a->least;
        for (int64_t i = 0; i < rows; i++)
            if (target[i * TRUTH + 4] == TARGET_BACKGROUND) {
                y[i * TRUTH + 4] = TARGET_IGNORED;
                if (most >= 1)
                    ranked_offer(heap, &kept, most < (double)rows ? (int64_t)most : rows,
                                 (struct ranked){cost(a, logits + i * n, n), (int32_t)i});
            }
        for (int64_t i = 0; i < kept; i++)
            y[(int64_t)heap[i].at * TRUTH + 4] = TARGET_BACKGROUND;
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_hard_negatives = {
    .word = {"hard_negatives", "the target with all background ignored but what costs most",
             sizeof(struct hard_negatives), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
};
