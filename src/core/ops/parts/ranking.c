#include "core/ops/parts/ranking.h"

#include <math.h>
#include <stdlib.h>

struct ranking_score {
    double score;
    bool of_class;
};

const struct arg_spec ranking_args[] = {
    RANKING_CLASS,
    LABELS_IGNORE(struct ranking),
    {0},
};

/* scratch: struct ranking_score[rows], then of each row the log of its sum of exp(logits). */
int ranking_plan(const char *name, const struct ranking *a, const struct shape *x,
                 struct op_plan *plan, struct err *err) {
    const int64_t channels = shape_channels(&x[0]), rows = shape_len(&x[0]) / channels;

    if (labels_check(name, &x[0], &x[1], err))
        return -1;
    if (a->index >= labels_classes(channels))
        return err_set(err, ERR_CONFIG, "%s: class is %d, but there are only %lld classes", name,
                       a->index, (long long)labels_classes(channels));
    op_plan_mean(plan);
    plan->scratch_bytes = (size_t)rows * (sizeof(struct ranking_score) + sizeof(double));
    plan->flops = (double)shape_len(&x[0]);
    return 0;
}

double ranking_count(const struct op_call *c) {
    (void)c;
    return 1;
}

static double *log_sums(const struct op_call *c) {
    return (double *)(void *)((struct ranking_score *)c->scratch + labels_rows(c));
}

void ranking_find_log_sums(const struct op_call *c) {
    const int64_t n = shape_channels(&c->x[0].shape), rows = labels_rows(c);
    double *out = log_sums(c);

    for (int64_t row = 0; row < rows && n > 2; row++) {
        const act *x = c->x[0].data + row * n;
        double max = (double)x[0], sum = 0;

        for (int64_t j = 1; j < n; j++)
            max = (double)x[j] > max ? (double)x[j] : max;
        for (int64_t j = 0; j < n; j++)
            sum += exp((double)x[j] - max);
        out[row] = max + log(sum);
    }
}

/* What grows with the probability of the class, and has the ties that the logits have: of several
 * classes to some 1e-12, as the last bits of log_sum depend on their order. */
static double score_of(const act *x, int64_t n, int64_t index, double log_sum) {
    if (n == 1)
        return index ? (double)x[0] : -(double)x[0];
    if (n == 2)
        return (double)x[index] - (double)x[!index];
    return rint(((double)x[index] - log_sum) * 0x1p40);
}

static int best_first(const void *a, const void *b) {
    const double x = ((const struct ranking_score *)a)->score,
                 y = ((const struct ranking_score *)b)->score;

    return (x < y) - (x > y);
}

struct ranking_class ranking_sort(const struct op_call *c, int64_t index) {
    const struct ranking *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = labels_rows(c);
    struct ranking_score *to = c->scratch;
    struct ranking_class r = {.score = to, .finite = true};

    for (int64_t row = 0; row < rows; row++) {
        const int64_t label = labels_below(c, row, labels_classes(n), a->ignore);

        if (label < 0)
            continue;
        to[r.n].score = score_of(c->x[0].data + row * n, n, index, log_sums(c)[row]);
        to[r.n].of_class = label == index;
        r.finite = r.finite && !isnan(to[r.n].score);
        r.of_class += to[r.n++].of_class;
    }
    r.others = r.n - r.of_class;
    if (r.finite)
        qsort(to, (size_t)r.n, sizeof *to, best_first);
    return r;
}

bool ranking_next(const struct ranking_class *r, int64_t *at, struct ranking_group *group) {
    const int64_t begin = *at;

    if (begin == r->n)
        return false;
    if (begin == 0)
        *group = (struct ranking_group){0};
    group->of_class_above += group->of_class;
    group->others_above += group->others;
    group->of_class = 0;
    for (; *at < r->n && !(r->score[*at].score < r->score[begin].score); (*at)++)
        group->of_class += r->score[*at].of_class;
    group->others = *at - begin - group->of_class;
    return true;
}

void ranking_forward(const struct op_call *c, double (*measure)(const struct ranking_class *r)) {
    const int64_t classes = labels_classes(shape_channels(&c->x[0].shape));
    int64_t begin = ((const struct ranking *)c->args)->index, end = begin + 1;
    double sum = 0, n = 0;

    if (begin < 0)
        begin = classes == 2, end = classes;
    ranking_find_log_sums(c);
    for (int64_t k = begin; k < end; k++) {
        const struct ranking_class r = ranking_sort(c, k);

        if (!r.of_class || !r.others)
            continue;
        sum += r.finite ? measure(&r) : (double)NAN;
        n++;
    }
    c->y.reals[0] = (real)(n > 0 ? sum / n : (double)NAN);
}
