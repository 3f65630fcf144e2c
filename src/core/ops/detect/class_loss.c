/* class_loss(logits, target, kind=softmax, background=auto, per=positives, alpha=0.25, gamma=2):
 * what the classes of regions cost that do not count as ignored. Logits are [n, r, C].
 *   softmax  -log p of the class, p = softmax(logits); channel 0 is background, class c channel
 *            c + 1. Without background (background=none) only rows that find a box have a term
 *   sigmoid  of every channel -log p or -log(1 - p), p = sigmoid(logit); class c is channel c
 *   focal    the same times alpha (1 - p)^gamma or (1 - alpha) p^gamma
 * One channel beside the background is of any class: whether there is something. A class that the
 * network has no channel for makes the loss no number. per: terms.h.
 * Source: Lin et al. 2017, doi:10.1109/ICCV.2017.324 */
#include "core/ops/detect/class_loss.h"
#include "core/ops/parts/rows.h"

struct class_loss {
    int kind, background, per;
    double alpha, gamma;
};

const char *const class_kinds[] = {"softmax", "focal", "sigmoid", NULL};
const char *const class_backgrounds[] = {"auto", "first", "none", NULL};

static const struct arg_spec specs[] = {
    {.name = "kind",
     .kind = ARG_WORD,
     .offset = offsetof(struct class_loss, kind),
     .words = class_kinds,
     .help = "how logits become shares"},
    {.name = "background",
     .kind = ARG_WORD,
     .offset = offsetof(struct class_loss, background),
     .words = class_backgrounds,
     .help = "which channel; auto: the first of softmax, none of others"},
    TERMS_PER(struct class_loss),
    {.name = "alpha",
     .kind = ARG_REAL,
     .offset = offsetof(struct class_loss, alpha),
     .fallback = 0.25,
     .min = 0,
     .max = 1,
     .help = "of focal: weight of what is there"},
    {.name = "gamma",
     .kind = ARG_REAL,
     .offset = offsetof(struct class_loss, gamma),
     .fallback = 2,
     .min = 0,
     .max = -1,
     .help = "of focal: how much less counts what is right already"},
    {0},
};

static bool has_background(const struct class_loss *a) {
    return a->background == BACKGROUND_FIRST ||
           (a->background == BACKGROUND_AUTO && a->kind == CLASS_SOFTMAX);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct class_loss *a = args;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x[0].rank != 3)
        return err_set(err, ERR_CONFIG, "class_loss: logits are %s, expected a list",
                       shape_text(&x[0], text));
    if (list_check("class_loss", "targets", &x[1], TRUTH, err) ||
        list_rows_check("class_loss", "logits", &x[0], "targets", &x[1], err))
        return -1;
    if (a->background == BACKGROUND_FIRST && a->kind != CLASS_SOFTMAX)
        return err_set(err, ERR_CONFIG, "class_loss: kind=%s has no background",
                       class_kinds[a->kind]);
    if (has_background(a) && x[0].dim[2] < 2)
        return err_set(err, ERR_CONFIG, "class_loss: %s has no class beside the background",
                       shape_text(&x[0], text));
    op_plan_mean(plan);
    plan->saved_bytes = (size_t)x[0].dim[0] * sizeof(real);
    plan->flops = 8 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return terms_count(&c->x[1], ((const struct class_loss *)c->args)->per);
}

/* saved: [n] what the terms of a sample are multiplied by. */
static void scale_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct class_loss *a = c->args;

    for (int64_t i = begin; i < end; i++)
        ((real *)c->saved)[i] = (real)terms_scale(&c->x[1], a->per, i);
}

static double softmax_term(const act *x, int64_t n, int64_t channel) {
    const act max = row_max(x, n);

    return log((double)row_sum_exp(x, n, max)) - (double)(x[channel] - max);
}

/* Of z = -logit where the channel is right and logit where it is wrong: sigmoid(z)^gamma
 * softplus(z). */
static double sigmoid_term(const struct class_loss *a, const act *x, int64_t n, int64_t channel) {
    const bool focal = a->kind == CLASS_FOCAL;
    const act gamma = focal ? (act)a->gamma : 0;
    const real alpha = focal ? (real)a->alpha : (real)0.5, rest = 1 - alpha;
    real sum = 0;

    for (int64_t j = 0; j < n; j++) {
        const act z = j == channel ? -x[j] : x[j], size = z < 0 ? -z : z;
        const act softplus = (z > 0 ? z : 0) + act_log1p_unit(act_exp(-size));
        const act term = act_exp(gamma * (z - softplus)) * softplus;

        sum += (real)term * (j == channel ? alpha : rest);
    }
    return (double)sum * (focal ? 1 : 2);
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct class_loss *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = c->x[0].shape.dim[1];
    const bool background = has_background(a);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *target = c->x[1].data + row * TRUTH, *x = c->x[0].data + row * n;

        if (!terms_counts(target))
            continue;
        const int64_t channel = class_channel(target[4], n, background);
        if (channel == -2)
            return NAN;
        if (a->kind != CLASS_SOFTMAX)
            sum += (double)((const real *)c->saved)[row / rows] * sigmoid_term(a, x, n, channel);
        else if (channel >= 0)
            sum += (double)((const real *)c->saved)[row / rows] * softmax_term(x, n, channel);
    }
    return sum;
}

static void forward(const struct op_call *c) {
    share(c, c->x[0].shape.dim[0], scale_samples);
    c->y.reals[0] = (real)share_sum(c, c->x[0].shape.dim[0] * c->x[0].shape.dim[1], sum_rows);
}

static void softmax_slopes(const act *restrict x, int64_t n, int64_t channel, double scale,
                           act *restrict dx) {
    const act max = row_max(x, n);
    const real each = (real)(scale / (double)row_sum_exp(x, n, max));

    for (int64_t j = 0; j < n; j++)
        dx[j] += (act)(each * act_exp(x[j] - max));
    dx[channel] -= (act)scale;
}

/* The slope along z is s^gamma (gamma (1 - s) softplus(z) + s), s = sigmoid(z). */
static void sigmoid_slopes(const struct class_loss *a, const act *restrict x, int64_t n,
                           int64_t channel, double scale, act *restrict dx) {
    const bool focal = a->kind == CLASS_FOCAL;
    const act gamma = focal ? (act)a->gamma : 0;
    const act alpha = (act)(focal ? scale * a->alpha : scale),
              rest = (act)(focal ? scale * (1 - a->alpha) : scale);

    for (int64_t j = 0; j < n; j++) {
        const act z = j == channel ? -x[j] : x[j], size = z < 0 ? -z : z;
        const act softplus = (z > 0 ? z : 0) + act_log1p_unit(act_exp(-size));
        const act s = act_exp(z - softplus);
        const act slope = act_exp(gamma * (z - softplus)) * (gamma * (1 - s) * softplus + s);

        dx[j] += j == channel ? -alpha * slope : rest * slope;
    }
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct class_loss *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = c->x[0].shape.dim[1];
    const bool background = has_background(a);

    for (int64_t row = begin; row < end; row++) {
        const act *target = c->x[1].data + row * TRUTH, *x = c->x[0].data + row * n;
        const double scale = (double)c->dy.reals[0] * (double)((const real *)c->saved)[row / rows];
        act *dx = c->dx[0].data + row * n;

        if (!terms_counts(target))
            continue;
        const int64_t channel = class_channel(target[4], n, background);
        if (channel == -2)
            dx[0] = (act)NAN;
        else if (a->kind != CLASS_SOFTMAX)
            sigmoid_slopes(a, x, n, channel, scale, dx);
        else if (channel >= 0)
            softmax_slopes(x, n, channel, scale, dx);
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, c->x[0].shape.dim[0] * c->x[0].shape.dim[1], backward_rows);
}

const struct op op_class_loss = {
    .word = {"class_loss", "what the classes of regions cost", sizeof(struct class_loss), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
