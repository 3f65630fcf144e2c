/* Losses are sums whose terms are counted in forward; backward begins when those of all are known.
 */
#include "core/graph/graph_case.h"

enum { BATCH = 6, SAMPLE = 8 * 8 * 3, CLASSES = 5, ROOM = 4000 };

static act image[BATCH * SAMPLE];
static const int32_t label[BATCH] = {0, 3, 1, 4, 2, 3};

/* The teacher knows a class more than its student, which does not count. */
#define STUDENT                                                                                    \
    "[net m(image)]\nfc = image | flatten | linear(5)\n"                                           \
    "[net t(image)]\nfc = image | flatten | linear(6)\n"                                           \
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

/* What the teacher says, of which one kind of answer is not among the student's classes. */
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

    prepare(&job, &step,
            STUDENT "loss = cross_entropy(m(image), argmax(t(image)), ignore=5)\ntrain = m\n");
    step_run(&step, image, label, BATCH, 0, NULL);
    assert_true(step.totals[0] == known);
    assert_true(run_value(step.plan, step.plan->loss) == loss);
    assert_memory_equal(step.train[0]->dw, given, bytes);
    release_one(&job, &step);
}

/* Terms are known before forward; labels are numbers where numbers are read. */
static void labels_are_counted_and_read_as_numbers(void **state) {
    (void)state;
    static const int32_t labels[BATCH] = {0, 3, -1, 4, -1, 3};
    double counts[2];
    struct job_case job;
    struct step_case step;

    job_init(&job, STUDENT "y = m(image)\nout = cross_entropy(y, label)\n"
                           "out_a = accuracy(y, label)\n");
    job.batch = BATCH, job.in_parts = true;
    step_init(&step, &job, "");
    job_allocate(&job, &step, 1);
    step_place(&step);
    run_input(step.plan, "image", image);
    run_indices(step.plan, "label", labels);
    run_resize(step.plan, BATCH);
    run_counts(step.plan, counts);
    assert_true(counts[0] == 4);
    step_forward(&step, BATCH, &(struct run_context){0});
    assert_true(step.totals[0] == 4 && step.totals[1] == 4);
    release_one(&job, &step);
    prepare(&job, &step, "[step]\nout = mse(label + 0.5, 0)\nout_b = mse(label, detach(label))\n");
    assert_int_equal(step.graph->n_nodes, 8); /* converted once */
    step_run(&step, image, label, BATCH, 0, NULL);
    assert_true(step.sums[0] == 0.25 + 12.25 + 2.25 + 20.25 + 6.25 + 12.25);
    assert_true(step.sums[1] == 0);
    release_one(&job, &step);
}

/* Of shares of one class the loss is that of the label; -1 is no class, and does not count. */
static void shares_stand_where_labels_do(void **state) {
    (void)state;
    static const int32_t labels[BATCH] = {0, 3, -1, 4, -1, 3};
    struct job_case job;
    struct step_case step;

    prepare(&job, &step,
            STUDENT "y = m(image)\nout = cross_entropy(y, label, smoothing=0.1)\n"
                    "out_a = cross_entropy(y, one_hot(label, 5), smoothing=0.1)\n"
                    "out_b = cross_entropy(y, softmax(t(image) | slice(0, 5)))\n");
    step_run(&step, image, labels, BATCH, 0, NULL);
    assert_true(step.totals[0] == 4 && step.totals[1] == 4 && step.totals[2] == BATCH);
    assert_true(fabs((double)(step.sums[0] - step.sums[1])) < 1e-6 * (double)step.sums[0]);
    release_one(&job, &step);
    check_step_refused("[net m(image)]\nfc = image | flatten | linear(5)\n"
                       "[step]\nloss = cross_entropy(m(image), one_hot(label, 7))\ntrain = m\n",
                       "job.ini:4:8: cross_entropy: logits are 4x5 and targets 4x7, expected class "
                       "indices or a share for each class");
}

static void no_gradient_passes_labels(void **state) {
    (void)state;
    check_step_refused(
        "[net m(image)]\nfc = image | flatten | linear(5)\n"
        "[net t(image)]\nfc = image | flatten | linear(5)\n"
        "[step]\nloss = cross_entropy(m(image), argmax(t(image)), ignore=5)\ntrain = m, t\n",
        "job.ini:6:8: the loss does not depend on net t, which is to be trained");
}

/* A class that is none, or would count or not by its value, in words of the job. */
static void only_classes_are_labels(void **state) {
    static const char label_is[] =
        "cross_entropy: label holds real numbers, expected class indices: "
        "store them as integers, with the attribute kind = class where "
        "their shape does not tell";
    static const char image_is[] = "one_hot: image holds real numbers, expected class indices: "
                                   "store them as integers, with the attribute kind = class where "
                                   "their shape does not tell";
    static const char computed[] = "cross_entropy: found numbers that are computed, expected class "
                                   "indices: labels of the dataset, or argmax(...)";
    static const struct {
        const char *loss, *msg;
        bool reals;
    } cases[] = {
        {"cross_entropy(m(image), label + 0.5)", computed, false},
        {"cross_entropy(m(image), detach(label))", computed, false},
        {"cross_entropy(m(image), label)", label_is, true},
        {"mse(m(image), one_hot(image, 5))", image_is, false},
        {"mse(m(image), one_hot(5, 5))", "one_hot: found class 5, expected 0 to 4", false},
        {"mse(m(image), one_hot(0.5, 5))", "one_hot: found class 0.5, expected 0 to 4", false},
        {"mse(m(image), one_hot(-2, 5))", "one_hot: found class -2, expected 0 to 4", false},
        {"cross_entropy(m(image), argmax(image | flatten))",
         "cross_entropy: argmax gives 192 classes, but 5 are expected here", false},
        {"cross_entropy(m(image), argmax(t(image)))",
         "cross_entropy: argmax gives 6 classes, but 5 are expected here", false},
        {"mse(m(image), one_hot(argmax(m(image)), 4))",
         "one_hot: argmax gives 5 classes, but 4 are expected here", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job_case job;
        struct step_case step;
        struct err err = {0};
        char text[512];

        snprintf(text, sizeof text, STUDENT "loss = %s\ntrain = m\n", cases[i].loss);
        job_init(&job, text);
        if (cases[i].reals)
            job.fields[1].kind = TENSOR_ACTS;
        assert_int_equal(step_try(&step, &job, "", &err), -1);
        if (!strstr(err.msg, cases[i].msg) || err.kind != ERR_CONFIG)
            fail_msg("found '%s', expected '%s'", err.msg, cases[i].msg);
        job_release(&job);
    }
}

static void computed_labels_cannot_be_counted_before_all_parts_ran(void **state) {
    (void)state;
    static const char *const texts[] = {
        STUDENT "loss = cross_entropy(m(image), argmax(t(image)), ignore=5)\ntrain = m\n",
        STUDENT
        "loss = dice(m(image), argmax(t(image)), ignore=5)\ntrain = m\n", /* counts samples */
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
                              "several parts (accumulate, or shards of one rank) needs to know "
                              "beforehand how many count");
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
        cmocka_unit_test(labels_are_counted_and_read_as_numbers),
        cmocka_unit_test(shares_stand_where_labels_do),
        cmocka_unit_test(no_gradient_passes_labels),
        cmocka_unit_test(only_classes_are_labels),
        cmocka_unit_test(computed_labels_cannot_be_counted_before_all_parts_ran),
        cmocka_unit_test(gradients_are_divided_by_the_terms_of_all_ranks),
        cmocka_unit_test(collective_operators_run_without_samples),
        cmocka_unit_test(an_empty_part_adds_nothing),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
