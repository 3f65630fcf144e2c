/* The sums behind ece(logits, label) and reliability(logits, label). The confidence is the largest
 * number of softmax(logits), of one score the larger of sigmoid and 1 - sigmoid; a bin holds those
 * above its lower and up to its upper edge, edges being equally far apart from 0 to 1.
 * Source: Guo et al. 2017, arXiv:1706.04599, section 2 */
#include "core/ops/parts/calibration.h"
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

#include <string.h>

const struct arg_spec calibration_args[] = {
    {.name = "bins",
     .kind = ARG_INT,
     .offset = offsetof(struct calibration, bins),
     .fallback = 15,
     .min = 1,
     .max = 1000,
     .help = "of confidence, equally wide from 0 to 1"},
    LABELS_IGNORE(struct calibration),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct calibration *a = args;

    (void)n_x;
    if (labels_check("calibration", &x[0], &x[1], err))
        return -1;
    plan->y = (struct shape){3, {1, a->bins, CALIBRATION_SUMS}};
    plan->y_kind = TENSOR_REALS;
    plan->scratch_bytes = (size_t)(a->bins * CALIBRATION_SUMS) * sizeof(double);
    plan->flops = 5 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count_binary(c, ((const struct calibration *)c->args)->ignore);
}

/* The class that is chosen, of equal logits the first, and how sure that is. */
static int64_t choose(const act *x, int64_t n, double *confidence) {
    int64_t best = 0;
    real max, total;

    row_softmax_parts(x, n, &max, &total);
    *confidence = 1 / (double)total;
    if (n == 1)
        return x[0] > 0;
    while (best < n - 1 && !((real)x[best] == max))
        best++;
    return best;
}

static void forward(const struct op_call *c) {
    const struct calibration *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = labels_rows(c);
    double *sums = c->scratch;

    memset(sums, 0, (size_t)(a->bins * CALIBRATION_SUMS) * sizeof *sums);
    for (int64_t row = 0; row < rows; row++) {
        const int64_t label = labels_below(c, row, labels_classes(n), a->ignore);
        double p;

        if (label < 0)
            continue;
        const int64_t guess = choose(c->x[0].data + row * n, n, &p);
        const int64_t bin = p > 0 ? (int64_t)ceil(p * a->bins) - 1 : 0; /* nan: its sum says it */
        double *to = sums + (bin < a->bins ? bin : a->bins - 1) * CALIBRATION_SUMS;
        to[CALIBRATION_SHARE]++;
        to[CALIBRATION_CONFIDENCE] += p;
        to[CALIBRATION_HITS] += guess == label;
    }
    for (int64_t i = 0; i < a->bins * CALIBRATION_SUMS; i++)
        c->y.reals[i] = (real)sums[i];
}

int calibration_check(const char *name, const struct shape *x, struct err *err) {
    char text[SHAPE_TEXT];

    if (x->rank != 3 || x->dim[0] != 1 || x->dim[2] != CALIBRATION_SUMS)
        return err_set(err, ERR_CONFIG, "%s: x is %s, expected logits and labels", name,
                       shape_text(x, text));
    return 0;
}

const struct op op_calibration = {
    .word = {"calibration", "share, confidence and hits of labels by bins of confidence",
             sizeof(struct calibration), calibration_args},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .meaning.binary = true,
    .plan = plan,
    .count = count,
    .forward = forward,
};
