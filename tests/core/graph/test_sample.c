/* Means sample by sample, and their slopes. */
#include "core/graph/graph_case.h"

enum { SAMPLES = 4, NUMBERS = 64 };

/* What the samples of the last forward add up to, and the batch they were computed in. */
struct heard {
    struct plan *plan;
    double sums[NUMBERS], counts[16];
    int told;
};

static void hear(void *context, int leaf) {
    struct heard *h = context;
    real sums[NUMBERS];

    h->told++;
    for (int64_t k = 0; k < h->plan->n; k++) {
        h->counts[leaf] += run_sample(h->plan, leaf, k, sums);
        for (int64_t i = h->plan->leaf_at[leaf]; i < h->plan->leaf_at[leaf + 1]; i++)
            h->sums[i] += (double)sums[i - h->plan->leaf_at[leaf]];
    }
}

static void forward(struct step_case *step, struct heard *h, const int32_t *label, int64_t n) {
    static act image[SAMPLES * 8 * 8 * 3];
    const struct run_context context = {.leaf = hear, .context = h};

    fill_numbers(image, SAMPLES * 8 * 8 * 3, 5);
    *h = (struct heard){.plan = step->plan};
    run_input(step->plan, "image", image);
    run_indices(step->plan, "label", label);
    step_forward(step, n, &context);
}

static void near(double a, double b) {
    if (!(fabs(a - b) <= 1e-9 * (1 + fabs(b))))
        fail_msg("%.12f and %.12f", a, b);
}

#define NET                                                                                        \
    "[job]\nmodel = m\n[net m(image)]\nf = image | conv(3, 3)\n"                                   \
    "[step]\ny = image | flatten | slice(0, 3)\nz = model(image)\n"

/* As a validation. */
static void begin(struct job_case *job, struct step_case *step, const char *text) {
    job_init(job, text);
    job->evaluate = true;
    step_init(step, job, "");
    job_allocate(job, step, 1);
    step_place(step);
}

/* Losses and metrics of labels, of elements, with weights, numbers and labels that do not count. */
static void samples_add_up_to_their_batch(void **state) {
    static const int32_t label[SAMPLES] = {2, -1, 0, 1};
    struct job_case job;
    struct step_case step;
    struct heard h;

    (void)state;
    begin(&job, &step,
          NET "loss = cross_entropy(y, label, weights=[1, 3, 0.5], smoothing=0.1)\n"
              "loss2 = hinge(y, label)\nloss3 = focal(y, label)\nloss4 = mse(z, image)\n"
              "loss5 = bce(z, 1)\nloss6 = huber(z, image, delta=0.3)\nloss7 = cosine(z, "
              "image)\n"
              "loss8 = total_variation(z)\nout1 = accuracy(y, label, k=2)\n"
              "out2 = confusion(y, label)\nout3 = brier(y, label)\nout4 = psnr(z, image)\n");
    for (int64_t n = SAMPLES; n > 0; n -= SAMPLES - 1) {
        forward(&step, &h, label, n);
        assert_int_equal(h.told, step.plan->n_leaves);
        assert_int_equal(step.plan->n_leaves, 12);
        for (int i = 0; i < step.plan->n_leaves; i++) {
            assert_true(run_has_samples(step.plan, i));
            near(h.counts[i], step.totals[i]);
        }
        for (int64_t i = 0; i < plan_n_values(step.plan); i++)
            near(h.sums[i], step.sums[i]);
    }
    release_one(&job, &step);
}

/* d/da of a^2 + 3 b, of exp(b), and of what has nothing to do with a. */
static void slopes_are_those_of_the_tail(void **state) {
    static const int32_t label[SAMPLES] = {2, 1, 0, 1};
    struct job_case job;
    struct step_case step;
    struct heard h;

    (void)state;
    begin(&job, &step,
          NET "a = cross_entropy(y, label)\nb = mse(z, image)\n"
              "loss = a * a + 3 * b\nloss2 = exp(b)\nout = 2 * b\n");
    forward(&step, &h, label, SAMPLES);
    run_tail(step.plan, step.sums, step.totals, 0);
    const int loss = graph_find(step.graph, "loss"), exp_b = graph_find(step.graph, "loss2"),
              b2 = graph_find(step.graph, "out");
    const double a = step.sums[0] / step.totals[0], b = step.sums[1] / step.totals[1];
    const double before = run_value(step.plan, loss);

    near(run_slope(step.plan, loss, 0, 0, 1e-3), 2 * a);
    near(run_slope(step.plan, loss, 1, 0, 1e-3), 3);
    assert_true(fabs(run_slope(step.plan, exp_b, 1, 0, 1e-3) - exp(b)) < 1e-5);
    near(run_slope(step.plan, b2, 0, 0, 1e-3), 0);
    assert_true(run_value(step.plan, loss) == before);
    assert_true(run_depends(step.plan, loss, 0) && run_depends(step.plan, loss, 1));
    assert_true(!run_depends(step.plan, b2, 0) && run_depends(step.plan, exp_b, 1));
    release_one(&job, &step);
}

static void metrics_of_all_samples_are_made_of_sums(void **state) {
    static const int32_t label[SAMPLES] = {2, 1, 0, 1};
    struct job_case job;
    struct step_case step;
    struct heard h;
    double sum = 0;

    (void)state;
    begin(&job, &step,
          NET "loss = ece(y, label, bins=3)\nout = reliability(y, label, bins=3)\n"
              "out1 = auc(y, label)\n");
    forward(&step, &h, label, SAMPLES);
    run_tail(step.plan, step.sums, step.totals, 0);
    const real *y = step.plan->nodes[graph_find(step.graph, "out")].call.y.reals;
    for (int i = 0; i < 3; i++)
        sum += (double)y[3 * i] * fabs((double)(y[3 * i + 2] - y[3 * i + 1]));
    near(run_value(step.plan, graph_find(step.graph, "loss")), sum);
    near((double)(y[0] + y[3] + y[6]), 1);
    release_one(&job, &step);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_add_up_to_their_batch),
        cmocka_unit_test(slopes_are_those_of_the_tail),
        cmocka_unit_test(metrics_of_all_samples_are_made_of_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
