/* Losses are sums whose terms are counted in forward; backward begins when those of all are known.
 */
#include "core/graph/graph_case.h"

enum { BATCH = 6, SAMPLE = 8 * 8 * 3, CLASSES = 5, ROOM = 4000 };

static act image[BATCH * SAMPLE];
static const int32_t label[BATCH] = {0, 3, 1, 4, 2, 3};

/* The teacher knows two classes more than its student. */
#define STUDENT                                                                                    \
    "[net m(image)]\nfc = image | flatten | linear(5)\n"                                           \
    "[net t(image)]\nfc = image | flatten | linear(7)\n"                                           \
    "[step]\n"

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, BATCH * SAMPLE, 2);
    return 0;
}

static void prepare(struct job_case *job, struct step_case *step, const char *text) {
    job_init(job, text);
    job->batch = BATCH;
    step_init(step, job, "");
    job_allocate(job, step, 1);
    step_place(step);
}

/* What the teacher says, of which two kinds of answers are not among the student's classes. */
static void find_labels(int32_t *labels) {
    struct job_case job;
    struct step_case step;

    job_init(&job, STUDENT "y = m(image)\nout = argmax(t(image))\n");
    job.batch = BATCH;
    job.evaluate = true;
    step_init(&step, &job, "");
    job_allocate(&job, &step, 1);
    step_place(&step);
    step_run(&step, image, label, BATCH, 0, NULL);
    const struct tensor *y = &step.plan->nodes[graph_find(step.graph, "out")].call.y;
    memcpy(labels, y->indices, BATCH * sizeof *labels);
    release_one(&job, &step);
}

static void labels_may_be_computed(void **state) {
    (void)state;
    static real given[ROOM];
    int32_t labels[BATCH];
    struct job_case job;
    struct step_case step;
    int known = 0;

    find_labels(labels);
    for (int i = 0; i < BATCH; i++)
        known += labels[i] < CLASSES;
    assert_in_range(known, 1, BATCH - 1);
    prepare(&job, &step, STUDENT "loss = cross_entropy(m(image), label)\ntrain = m\n");
    step_run(&step, image, labels, BATCH, 0, NULL);
    const size_t bytes = (size_t)step.train[0]->weights.len * sizeof(real);
    assert_true(bytes <= sizeof given);
    memcpy(given, step.train[0]->dw, bytes);
    const double loss = run_value(step.plan, step.plan->loss);
    release_one(&job, &step);

    prepare(&job, &step, STUDENT "loss = cross_entropy(m(image), argmax(t(image)))\ntrain = m\n");
    step_run(&step, image, label, BATCH, 0, NULL);
    assert_true(step.totals[0] == known);
    assert_true(run_value(step.plan, step.plan->loss) == loss);
    assert_memory_equal(step.train[0]->dw, given, bytes);
    release_one(&job, &step);
}

/* A field of numbers as labels, and labels as numbers: what is no whole number does not count. */
static void numbers_and_class_indices_are_converted(void **state) {
    (void)state;
    static const act numbers[BATCH] = {0, 3, 1.5, 4, (act)NAN, 3};
    static const int32_t labels[BATCH] = {0, 3, -1, 4, -1, 3};
    double sums[2][2], counts[2];
    struct job_case job;
    struct step_case step;

    for (int given = 0; given < 2; given++) {
        job_init(&job, STUDENT "y = m(image)\nout = cross_entropy(y, label)\n"
                               "out_a = accuracy(y, label)\n");
        job.batch = BATCH, job.in_parts = true;
        if (!given)
            job.fields[1].kind = TENSOR_ACTS;
        step_init(&step, &job, "");
        assert_int_equal(step.graph->n_nodes, given ? 6 : 7); /* converted once */
        job_allocate(&job, &step, 1);
        step_place(&step);
        run_input(step.plan, "image", image);
        if (given)
            run_indices(step.plan, "label", labels);
        else
            run_input(step.plan, "label", numbers);
        run_resize(step.plan, BATCH);
        run_counts(step.plan, counts);
        assert_true(counts[0] == 4);
        step_forward(&step, BATCH, &(struct run_context){0});
        assert_true(step.totals[0] == 4 && step.totals[1] == 4);
        memcpy(sums[given], step.sums, sizeof sums[given]);
        release_one(&job, &step);
    }
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    prepare(&job, &step, "[step]\nout = mse(label + 0.5, 0)\nout_b = mse(label, detach(label))\n");
    step_run(&step, image, label, BATCH, 0, NULL);
    assert_true(step.sums[0] == 0.25 + 12.25 + 2.25 + 20.25 + 6.25 + 12.25);
    assert_true(step.sums[1] == 0);
    release_one(&job, &step);
}

static void no_gradient_passes_labels(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\nfc = image | flatten | linear(5)\n"
                       "[net t(image)]\nfc = image | flatten | linear(5)\n"
                       "[step]\nloss = cross_entropy(m(image), argmax(t(image)))\ntrain = m, t\n",
                       "job.ini:6:8: the loss does not depend on net t, which is to be trained");
}

/* label + 0.5 is no class; whether it counted would depend on its value. */
static void numbers_are_no_labels(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, STUDENT "loss = cross_entropy(m(image), label + 0.5)\ntrain = m\n");
    assert_int_equal(step_try(&step, &job, "", &err), -1);
    check_error(&err, "job.ini:6:8: cross_entropy: found numbers that are computed, expected class "
                      "indices: labels of the dataset, or argmax(...)");
    job_release(&job);
}

static void computed_labels_cannot_be_counted_before_all_parts_ran(void **state) {
    (void)state;
    static const char *const texts[] = {
        STUDENT "loss = cross_entropy(m(image), argmax(t(image)))\ntrain = m\n",
        STUDENT "loss = dice(m(image), argmax(t(image)))\ntrain = m\n", /* counts samples */
        STUDENT "loss = cross_entropy(m(image), label)\ntrain = m\n"};

    for (int i = 0; i < 3; i++) {
        struct job_case job;
        struct step_case step;
        struct err err = {0};

        job_init(&job, texts[i]);
        job.in_parts = true;
        assert_int_equal(step_try(&step, &job, "", &err), i ? 0 : -1);
        if (!i)
            check_error(&err, "job.ini:6:8: cross_entropy: its labels are computed, and a batch in "
                              "several parts (accumulate) needs to know beforehand how many count");
        job_release(&job);
    }
}

/* With the terms of other ranks gradients are smaller; without any there are none. */
static void gradients_are_divided_by_the_terms_of_all_ranks(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    static real own[ROOM];

    prepare(&job, &step,
            STUDENT "y = m(image)\nloss = 2 - (mse(y, 0) - cross_entropy(y, label) / 4) * 3\n"
                    "train = m\n");
    const struct net *net = step.train[0];
    step_run(&step, image, label, BATCH, 0, NULL);
    assert_true(step.plan->coefficients[0] == -3 && step.plan->coefficients[1] == 0.75);
    assert_true(step.totals[0] == BATCH * CLASSES && step.totals[1] == BATCH);
    memcpy(own, net->dw, (size_t)net->weights.len * sizeof(real));
    step_run(&step, image, label, BATCH, 0, (double[]){4 * BATCH * CLASSES, 4 * BATCH});
    for (int64_t i = 0; i < net->weights.len; i++)
        assert_true(fabs(net->dw[i] - own[i] / 4) < 1e-14);
    step_run(&step, image, (const int32_t[BATCH]){-1, -1, -1, -1, -1, -1}, BATCH, 0,
             (double[]){INFINITY, 0});
    for (int64_t i = 0; i < net->weights.len; i++)
        assert_true(net->dw[i] == 0);
    assert_true(run_value(step.plan, step.plan->loss) == 2);
    release_one(&job, &step);
}

/* How often an operator was called with so many samples, forward and backward. */
static int forwards[BATCH + 1], backwards[BATCH + 1];
static struct op relu;

static void forward(const struct op_call *c) {
    assert_true(c->x->shape.dim[0] == c->y.shape.dim[0]);
    forwards[c->y.shape.dim[0]]++;
    op_find("relu")->forward(c);
}

static void backward(const struct op_call *c) {
    assert_true(c->dx->shape.dim[0] == c->dy.shape.dim[0]);
    backwards[c->dy.shape.dim[0]]++;
    op_find("relu")->backward(c);
}

static void note_ready(void *context, int net, int64_t offset, int64_t len) {
    (void)net, (void)offset;
    *(int64_t *)context += len;
}

/* They talk to other ranks, which wait. */
static void collective_operators_run_without_samples(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    int64_t ready = 0;
    const double totals[1] = {BATCH};
    const struct ranks two = {.size = 2};
    const struct run_context nothing = {.totals = totals, .ready = note_ready, .context = &ready};

    prepare(&job, &step,
            "[net m(image)]\nfc = image | conv(4) | relu | flatten | relu6 | linear(5)\n"
            "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n");
    relu = *op_find("relu");
    relu.forward = forward, relu.backward = backward;
    for (int i = 0; i < step.graph->n_nodes; i++)
        if (step.graph->nodes[i].op == op_find("relu"))
            step.graph->nodes[i].op = &relu, step.plan->nodes[i].call.ranks = &two;
    memset(forwards, 0, sizeof forwards), memset(backwards, 0, sizeof backwards);
    step_forward(&step, 0, &nothing); /* the first batch of a rank may be empty */
    run_backward(step.plan, &nothing);
    assert_true(step.sums[0] == 0 && step.totals[0] == 0);
    assert_int_equal(ready, step.train[0]->weights.len);
    step_run(&step, image, label, 4, 0, NULL);
    step_forward(&step, 0, &nothing);
    run_backward(step.plan, &nothing);
    step_run(&step, image, label, 4, 0, NULL);
    for (int n = 0; n <= BATCH; n++) {
        assert_int_equal(forwards[n], n == 0 || n == 4 ? 2 : 0);
        assert_int_equal(backwards[n], n == 0 || n == 4 ? 2 : 0);
    }
    release_one(&job, &step);
}

/* A rank that runs out of samples keeps what its earlier parts added. */
static void an_empty_part_adds_nothing(void **state) {
    (void)state;
    static real whole[ROOM];
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, STUDENT "loss = cross_entropy(m(image), label)\ntrain = m\n");
    const struct net *net = step.train[0];
    step_run(&step, image, label, 3, 0, NULL);
    memcpy(whole, net->dw, (size_t)net->weights.len * sizeof(real));
    const struct run_context more = {.totals = step.totals, .adds = true};
    run_resize(step.plan, 0);
    run_forward(step.plan, &more);
    run_backward(step.plan, &more);
    assert_memory_equal(whole, net->dw, (size_t)net->weights.len * sizeof(real));
    release_one(&job, &step);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_may_be_computed),
        cmocka_unit_test(numbers_and_class_indices_are_converted),
        cmocka_unit_test(no_gradient_passes_labels),
        cmocka_unit_test(numbers_are_no_labels),
        cmocka_unit_test(computed_labels_cannot_be_counted_before_all_parts_ran),
        cmocka_unit_test(gradients_are_divided_by_the_terms_of_all_ranks),
        cmocka_unit_test(collective_operators_run_without_samples),
        cmocka_unit_test(an_empty_part_adds_nothing),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
