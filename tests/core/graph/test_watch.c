#include "core/graph/graph_case.h"
#include "core/graph/nets.h"

enum { BATCH = 4, SAMPLE = 8 * 8 * 3, MAX_CALLS = 512 };

static act image[BATCH * SAMPLE];
static const int32_t label[BATCH] = {0, 3, 1, 4};

/* What was told, in order. */
struct told {
    int n, node[MAX_CALLS];
    enum run_phase phase[MAX_CALLS];
};

static void watch(void *context, int node, enum run_phase phase) {
    struct told *t = context;

    assert_true(t->n < MAX_CALLS);
    t->node[t->n] = node;
    t->phase[t->n++] = phase;
}

static int n_told(const struct told *t, int node, enum run_phase phase) {
    int n = 0;

    for (int i = 0; i < t->n; i++)
        n += t->node[i] == node && t->phase[i] == phase;
    return n;
}

static void run_watched(struct step_case *step, struct told *told) {
    const struct run_context context = {
        .seed = 3, .step = 5, .totals = step->totals, .watch = watch, .context = told};

    run_forward(step->plan, &context);
    run_backward(step->plan, &context);
}

static void gradients_are_the_same_under_a_watch(void **state) {
    static const char *const texts[] = {residual, dense, shared, in_place, arithmetic};

    (void)state;
    fill_numbers(image, BATCH * SAMPLE, 2);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct job_case job;
        struct step_case step;
        struct told told = {0};

        one_step(&job, &step, texts[i]);
        step_run(&step, image, label, BATCH, 0, NULL);
        const struct net *net = step.train[0];
        const size_t bytes = (size_t)net->weights.len * sizeof(real);
        real *plain = malloc(bytes);
        assert_non_null(plain);
        memcpy(plain, net->dw, bytes);
        run_watched(&step, &told);
        assert_memory_equal(net->dw, plain, bytes);
        assert_true(told.n > 0);
        free(plain);
        release_one(&job, &step);
    }
}

/* The first convolution has no gradient of inputs to compute, the second has. */
static void every_phase_is_told_once(void **state) {
    struct job_case job;
    struct step_case step;
    struct told told = {0};

    (void)state;
    one_step(&job, &step,
             "[net m(image)]\n"
             "a  = image | conv(4) | bn | relu\n"
             "fc = a | conv(4) | global_avgpool | linear(5)\n"
             "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n");
    step_run(&step, image, label, BATCH, 0, NULL);
    run_watched(&step, &told);
    assert_int_equal(told.phase[0], RUN_OTHER); /* a clock begins before the first operator */
    for (int i = 0, n_conv = 0; i < step.graph->n_nodes; i++) {
        const struct op *op = step.graph->nodes[i].op;
        if (!op)
            continue;
        const char *word = op->word.name;
        const bool is_conv = !strcmp(word, "conv"), is_linear = !strcmp(word, "linear");
        n_conv += is_conv;
        assert_int_equal(n_told(&told, i, RUN_FORWARD), 1);
        assert_int_equal(n_told(&told, i, RUN_WEIGHTS), is_conv || is_linear);
        assert_int_equal(n_told(&told, i, RUN_DATA), !(is_conv && n_conv == 1));
    }
    release_one(&job, &step);
}

/* Which parameter a node was about to read, and what had been computed before. */
struct needed {
    struct told told;
    const struct net *net;
    int64_t offset[MAX_CALLS], len[MAX_CALLS];
    int n, told_before[MAX_CALLS];
};

static void watch_needed(void *context, int node, enum run_phase phase) {
    watch(&((struct needed *)context)->told, node, phase);
}

static void need(void *context, const struct net *net, int64_t offset, int64_t len) {
    struct needed *needed = context;

    needed->net = net;
    needed->offset[needed->n] = offset;
    needed->len[needed->n] = len;
    needed->told_before[needed->n++] = needed->told.n;
}

/* All of them, and only then the operator runs. */
static void weights_are_needed_before_they_are_read(void **state) {
    struct job_case job;
    struct step_case step;
    struct needed needed = {0};
    int n = 0;

    (void)state;
    one_step(&job, &step,
             "[net m(image)]\n"
             "a  = image | conv(4) | bn | relu\n"
             "fc = a | conv(4) | global_avgpool | linear(5)\n"
             "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n");
    step_run(&step, image, label, BATCH, 0, NULL);
    const struct run_context context = {
        .seed = 3, .step = 5, .need = need, .watch = watch_needed, .context = &needed};
    run_forward(step.plan, &context);
    assert_ptr_equal(needed.net, step.train[0]);
    for (int i = 0; i < step.graph->n_nodes; i++) {
        const struct node *node = &step.graph->nodes[i];
        for (int k = 0; node->net && k < OP_MAX_WEIGHTS; k++) {
            if (!node->plan.w[k].shape.rank)
                continue;
            const struct param *param = &node->net->weights.items[node->w[k]];
            assert_true(needed.offset[n] == param->offset && needed.len[n] == param->len);
            const int next = needed.told_before[n++];
            for (int t = 0; t < needed.told.n; t++)
                if (needed.told.node[t] == i)
                    assert_true(t >= next);
            for (int t = 0; t < next; t++)
                assert_true(needed.told.node[t] < i);
        }
    }
    assert_true(n > 3 && n == needed.n);
    release_one(&job, &step);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_same_under_a_watch),
        cmocka_unit_test(every_phase_is_told_once),
        cmocka_unit_test(weights_are_needed_before_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
