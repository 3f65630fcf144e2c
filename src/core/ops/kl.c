/* kl(logits, target, temperature=1): the mean over samples, or over pixels, of
 *   T^2 sum over j of p[j] (log p[j] - log q[j]), p = softmax(target / T), q = softmax(logits / T),
 * T = temperature: the loss of knowledge distillation. Both inputs get a gradient; put detach
 * around a teacher that is trained too. Source: Hinton et al. 2015, arXiv:1503.02531 */
#include "core/ops/parts/rows.h"
#include "core/ops/parts/share.h"

struct kl {
    double temperature;
};

static const struct arg_spec specs[] = {
    {.name = "temperature",
     .kind = ARG_REAL,
     .offset = offsetof(struct kl, temperature),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "by which both are divided"},
    {0},
};

/* Of one row; log p[j] = (target[j] - target_max) / T - target_log_sum, and log q as well. */
struct kl_row {
    double x_max, x_log_sum, target_max, target_log_sum, divergence;
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct kl *a = args;
    char text[2][SHAPE_TEXT];

    (void)n_x;
    if (!(a->temperature > 0))
        return err_set(err, ERR_CONFIG, "kl: temperature is %g, expected more than 0",
                       a->temperature);
    if (!shape_equal(&x[0], &x[1]))
        return err_set(err, ERR_CONFIG, "kl: logits are %s and target %s",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    if (x->rank < 2 || shape_channels(x) < 2)
        return err_set(err, ERR_CONFIG,
                       "kl: logits are %s, expected samples with a number per class",
                       shape_text(x, text[0]));
    op_plan_mean(plan);
    plan->saved_bytes = (size_t)(shape_len(x) / shape_channels(x)) * sizeof(struct kl_row);
    plan->flops = 12 * (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)(shape_len(&c->x->shape) / shape_channels(&c->x->shape));
}

static double log_sum_exp(const act *x, int64_t n, double max, double temperature) {
    double sum = 0;

    for (int64_t j = 0; j < n; j++)
        sum += (double)act_exp((act)(((double)x[j] - max) / temperature));
    return log(sum);
}

static double log_p(double x, double max, double log_sum, double temperature) {
    return (x - max) / temperature - log_sum;
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const double t = ((const struct kl *)c->args)->temperature;
    const int64_t n = shape_channels(&c->x->shape);
    double sum = 0;

    for (int64_t i = begin; i < end; i++) {
        const act *x = c->x[0].data + i * n, *target = c->x[1].data + i * n;
        struct kl_row *r = (struct kl_row *)c->saved + i;

        *r = (struct kl_row){.x_max = (double)row_max(x, n),
                             .target_max = (double)row_max(target, n)};
        r->x_log_sum = log_sum_exp(x, n, r->x_max, t);
        r->target_log_sum = log_sum_exp(target, n, r->target_max, t);
        for (int64_t j = 0; j < n; j++) {
            const double p = log_p((double)target[j], r->target_max, r->target_log_sum, t);
            r->divergence +=
                (double)act_exp((act)p) * (p - log_p((double)x[j], r->x_max, r->x_log_sum, t));
        }
        sum += r->divergence;
    }
    return t * t * sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, (int64_t)count(c), sum_rows);
}

static double log_q_at(const struct op_call *c, const struct kl_row *r, int64_t k, double t) {
    return log_p((double)c->x[0].data[k], r->x_max, r->x_log_sum, t);
}

static double log_p_at(const struct op_call *c, const struct kl_row *r, int64_t k, double t) {
    return log_p((double)c->x[1].data[k], r->target_max, r->target_log_sum, t);
}

/* The slope is T (q - p). */
static void backward_logits(const struct op_call *c, int64_t begin, int64_t end) {
    const double t = ((const struct kl *)c->args)->temperature;
    const double scale = t * (double)c->dy.reals[0];
    const int64_t n = shape_channels(&c->x->shape);

    for (int64_t k = begin * n; k < end * n; k++) {
        const struct kl_row *r = (const struct kl_row *)c->saved + k / n;
        const act q = act_exp((act)log_q_at(c, r, k, t)), p = act_exp((act)log_p_at(c, r, k, t));
        c->dx[0].data[k] += (act)scale * (q - p);
    }
}

/* The slope is T p (log p - log q - divergence). */
static void backward_target(const struct op_call *c, int64_t begin, int64_t end) {
    const double t = ((const struct kl *)c->args)->temperature;
    const double scale = t * (double)c->dy.reals[0];
    const int64_t n = shape_channels(&c->x->shape);

    for (int64_t k = begin * n; k < end * n; k++) {
        const struct kl_row *r = (const struct kl_row *)c->saved + k / n;
        const double log_q = log_q_at(c, r, k, t), log_t = log_p_at(c, r, k, t);
        c->dx[1].data[k] +=
            (act)(scale * (double)act_exp((act)log_t) * (log_t - log_q - r->divergence));
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, (int64_t)count(c), backward_logits);
    if (c->dx[1].data)
        share(c, (int64_t)count(c), backward_target);
}

const struct op op_kl = {
    .word = {"kl", "mean divergence of softmax(logits) from softmax(target)", sizeof(struct kl),
             specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
