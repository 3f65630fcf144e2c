#include "core/graph/graph_case.h"
#include "core/graph/nets.h"

enum { BATCH = 4, IMAGE = BATCH * 8 * 8 * 3 };

static act image[IMAGE];
static const int32_t label[BATCH] = {0, 3, 1, 4};

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, IMAGE, 1);
    return 0;
}

/* For a job's step: built and planned, with memory. */
static void prepare(struct job_case *job, struct step_case *step, const struct job_text *net) {
    job_init(job, net->text);
    step_init(step, job, net->step);
    job_allocate(job, step, 1);
    step_place(step);
}

/* Gradients of the trained nets after a run on n samples, in memory of the caller's. */
static void gradients(struct step_case *step, int64_t n, real *out, int64_t len) {
    step_run(step, image, label, n, 0, NULL);
    for (int t = 0; t < step->n_train; t++) {
        assert_true(step->train[t]->weights.len <= len);
        memcpy(out, step->train[t]->dw, (size_t)step->train[t]->weights.len * sizeof(real));
    }
}

/* The node of a net's statement, through [step] y = m(image). */
static int node_of_op(const struct graph *g, const char *op, int count) {
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op && !strcmp(g->nodes[i].op->word.name, op) && !count--)
            return i;
    fail_msg("no such %s", op);
    return -1;
}

/* Counts nodes of a net, and those of them with backward. */
static void count_nodes(const struct step_case *step, const char *net, int *n, int *n_backward) {
    *n = *n_backward = 0;
    for (int i = 0; i < step->graph->n_nodes; i++) {
        const struct node *node = &step->graph->nodes[i];
        if (!node->net || strcmp(node->net->name, net))
            continue;
        ++*n;
        *n_backward += step->plan->nodes[i].backward;
    }
}

static void gan_steps_do_only_what_their_net_needs(void **state) {
    (void)state;
    struct job_case job;
    struct step_case steps[2];
    int n, n_backward;

    job_init(&job, gan);
    step_init(&steps[0], &job, "discriminator");
    step_init(&steps[1], &job, "generator");
    job_allocate(&job, steps, 2);
    for (int i = 0; i < 2; i++)
        step_place(&steps[i]);

    count_nodes(&steps[0], "generator", &n, &n_backward);
    assert_int_equal(n, 3); /* linear, bn, linear */
    assert_int_equal(n_backward, 0);
    count_nodes(&steps[0], "discriminator", &n, &n_backward);
    assert_int_equal(n, 4); /* twice conv, linear */
    assert_int_equal(n_backward, 4);
    const int detach = node_of_op(steps[0].graph, "detach", 0);
    assert_false(steps[0].plan->nodes[detach].backward);
    for (int i = 0; i < steps[0].graph->n_nodes; i++)
        if (steps[0].graph->nodes[i].home &&
            !strcmp(steps[0].graph->nodes[i].home->name, "generator"))
            assert_false(steps[0].plan->nodes[i].backward);
    for (int k = 0; k < 2; k++) /* neither the images nor the generator want a gradient */
        assert_null(steps[0].plan->nodes[node_of_op(steps[0].graph, "conv", k)].dx[0].data);

    count_nodes(&steps[1], "generator", &n, &n_backward);
    assert_int_equal(n, 3);
    assert_int_equal(n_backward, 3);
    count_nodes(&steps[1], "discriminator", &n, &n_backward);
    assert_int_equal(n, 2);
    assert_int_equal(n_backward, 2); /* for the gradient of the fake images only */
    const struct plan_node *conv = &steps[1].plan->nodes[node_of_op(steps[1].graph, "conv", 0)];
    assert_non_null(conv->dx[0].data);
    for (int i = 0; i < steps[1].graph->n_nodes; i++)
        for (int k = 0; k < OP_MAX_WEIGHTS && steps[1].graph->nodes[i].net; k++)
            if (!strcmp(steps[1].graph->nodes[i].net->name, "discriminator"))
                assert_null(steps[1].plan->nodes[i].call.dw[k]);
            else if (steps[1].graph->nodes[i].plan.w[k].shape.rank)
                assert_non_null(steps[1].plan->nodes[i].call.dw[k]);
    for (int i = 0; i < 2; i++)
        step_release(&steps[i]);
    job_release(&job);
}

/* Gradients pass the net behind the trained one, and end before the one in front of it. */
static void nets_that_are_not_trained_do_not_go_backward_for_themselves(void **state) {
    (void)state;
    static const char text[] = "[net front(image)]\nout = image | conv(3) | bn | relu\n"
                               "[net m(x)]\nout = x | conv(4) | relu\n"
                               "[net behind(x)]\nout = x | conv(2) | relu\n"
                               "[step]\n"
                               "loss  = mse(behind(m(front(image))), 1) + mse(front(image), 0)\n"
                               "train = m\n";
    struct job_case job;
    struct step_case step;
    int n, n_backward;

    prepare(&job, &step, &(struct job_text){text, ""});
    count_nodes(&step, "front", &n, &n_backward);
    assert_int_equal(n, 4);
    assert_int_equal(n_backward, 0);
    count_nodes(&step, "m", &n, &n_backward);
    assert_int_equal(n_backward, 1);
    count_nodes(&step, "behind", &n, &n_backward);
    assert_int_equal(n_backward, 1);
    const struct plan_node *own = &step.plan->nodes[node_of_op(step.graph, "conv", 1)];
    const struct plan_node *behind = &step.plan->nodes[node_of_op(step.graph, "conv", 2)];
    assert_null(own->dx[0].data);
    assert_non_null(own->call.dw[0]);
    assert_non_null(behind->dx[0].data);
    assert_null(behind->call.dw[0]);
    release_one(&job, &step);
}

/* The input of a product is read for the gradient of its weights only. */
static void inputs_of_products_that_are_not_trained_are_not_kept(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[net m(x)]\nout = x | conv(8)\n"
        "[net behind(x)]\nout = x | conv(8) | conv(8) | conv(8) | conv(8) | conv(8)\n"
        "[step]\nloss = mse(behind(m(image)), 1)\ntrain = m\n",
        "[net m(x)]\nout = x | conv(8)\n"
        "[net behind(x)]\nout = x | conv(8) | conv(8) | conv(8) | conv(8) | conv(8)\n"
        "[step]\nloss = mse(behind(m(image)), 1)\ntrain = m, behind\n"};
    size_t bytes[2];

    for (int i = 0; i < 2; i++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &(struct job_text){texts[i], ""});
        bytes[i] = step.plan->slot_bytes;
        release_one(&job, &step);
    }
    assert_in_range(bytes[0], 1, bytes[1] / 2);
}

static void a_step_leaves_other_nets_gradients_alone(void **state) {
    (void)state;
    struct job_case job;
    struct step_case steps[2];

    job_init(&job, gan);
    step_init(&steps[0], &job, "discriminator");
    step_init(&steps[1], &job, "generator");
    job_allocate(&job, steps, 2);
    step_place(&steps[0]);
    struct net *g = model_find(&job.model, "generator");
    struct net *d = model_find(&job.model, "discriminator");
    for (int64_t i = 0; i < g->weights.len; i++)
        g->dw[i] = 5;
    step_run(&steps[0], image, label, BATCH, 0, NULL);
    for (int64_t i = 0; i < g->weights.len; i++)
        assert_true(g->dw[i] == 5);
    const struct param *weight = find_param(d, "body.weight");
    double sum = 0;
    for (int64_t i = 0; i < weight->len; i++)
        sum += fabs(d->dw[weight->offset + i]);
    assert_true(sum > 0);
    step_release(&steps[0]);
    job_release(&job);
}

/* mse(y y, 1) with and without the gradient of the second factor: twice as large. */
static void detach_stops_gradients(void **state) {
    (void)state;
    static const char *const factors[] = {"y", "detach(y)"};
    real dw[2][64];

    for (int i = 0; i < 2; i++) {
        struct job_case job;
        struct step_case step;
        char text[512];

        snprintf(text, sizeof text,
                 "[net m(image)]\nfc = image | global_avgpool | linear(4)\n"
                 "[step]\ny = m(image)\nloss = mse(y * %s, 1)\ntrain = m\n",
                 factors[i]);
        one_step(&job, &step, text);
        gradients(&step, BATCH, dw[i], 64);
        release_one(&job, &step);
    }
    for (int i = 0; i < 12; i++) {
        assert_true(fabs(dw[1][i]) > 1e-6);
        assert_true(fabs(dw[0][i] - 2 * dw[1][i]) < 1e-12);
    }
}

#define TWO_NETS                                                                                   \
    "[net a(image)]\nfc = image | flatten | linear(5)\n"                                           \
    "[net b(x)]\nfc = x | linear(5)\n[step]\n"

static void trained_nets_that_the_loss_does_not_reach_are_refused(void **state) {
    (void)state;
    check_step_refused(TWO_NETS "y = a(image)\nz = b(y)\nloss = mse(y, 0)\ntrain = a, b\n",
                       "job.ini:8:8: the loss does not depend on net b, which is to be trained");
    check_step_refused(TWO_NETS "loss = mse(b(detach(a(image))), 0)\ntrain = a, b\n",
                       "job.ini:6:8: the loss does not depend on net a, which is to be trained");
    check_step_refused(TWO_NETS "loss = accuracy(a(image), label)\ntrain = a\n",
                       "job.ini:6:8: the loss does not depend on net a, which is to be trained");
}

static void a_loss_that_trains_nothing_is_refused(void **state) {
    (void)state;
    check_step_refused("[step]\nloss = mse(image, 0)\n",
                       "job.ini:2:8: no gradient passes the loss: train names no net");
}

static void losses_that_are_not_linear_in_means_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *loss, *message;
    } cases[] = {
        {"mse(y, 0) * mse(y, 1)", "job.ini:7:18: mul"},
        {"mse(y, 0) / mse(y, 1)", "job.ini:7:18: div"},
        {"1 / mse(y, 0)", "job.ini:7:10: div"},
        {"mse(y, 0) | sqrt", "job.ini:7:20: sqrt"},
        {"0.5 * (mse(y, 0) | square) + mse(y, 1)", "job.ini:7:27: square"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], message[512];

        snprintf(text, sizeof text, TWO_NETS "y = a(image)\nloss = %s\ntrain = a\n", cases[i].loss);
        snprintf(message, sizeof message,
                 "%s of losses: a loss is a weighted sum of losses, as in cross_entropy(a, label) "
                 "+ 0.3 * mse(b, image)",
                 cases[i].message);
        check_step_refused(text, message);
    }
}

static void weighted_sums_of_means_are_losses(void **state) {
    (void)state;
    static const char *const losses[] = {
        "-mse(y, 0)",
        "mse(y, 0) / 4 - 0.5 * mse(y, 1) * 3 + 1",
        "2 - (mse(y, 0) + cross_entropy(y, label)) / 2",
        "mse(y, 0) + detach(mse(y, 1) * mse(y, 2))",
    };

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct job_case job;
        struct step_case step;
        char text[512];

        snprintf(text, sizeof text, TWO_NETS "y = a(image)\nloss = %s\ntrain = a\n", losses[i]);
        job_init(&job, text);
        step_init(&step, &job, "");
        job_release(&job);
    }
}

static void outputs_that_are_no_means_are_refused(void **state) {
    (void)state;
    check_step_refused(TWO_NETS "loss = a(image)\ntrain = a\n",
                       "job.ini:2:24: found a tensor, expected a loss or a metric");
    check_step_refused(TWO_NETS "loss = mse(a(image), 0)\nout = image * 2\ntrain = a\n",
                       "job.ini:7:13: found a tensor, expected a loss or a metric");
    check_step_refused(TWO_NETS "loss = mse(mse(a(image), 0), 1)\ntrain = a\n",
                       "job.ini:6:8: mse of a loss or metric");
}

/* Means are numbers of the whole job, tensors belong to one rank. */
static void tensors_do_not_mix_with_means(void **state) {
    (void)state;
    static const char *const losses[] = {"mse(y, 0) + y", "mse(y, 0) * label", "y - mse(y, 0)"};

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        char text[512], message[256];

        snprintf(text, sizeof text, TWO_NETS "y = a(image)\nloss = %s\ntrain = a\n", losses[i]);
        snprintf(message, sizeof message,
                 "job.ini:7:%d: %s of a loss or metric and a tensor, expected losses, metrics and "
                 "numbers only",
                 i == 2 ? 10 : 18,
                 i == 0   ? "add"
                 : i == 1 ? "mul"
                          : "sub");
        check_step_refused(text, message);
    }
}

static void what_computes_with_tensors_only_is_refused(void **state) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    (void)state;
    check_step_refused(TWO_NETS "y = a(image)\nloss = mse(y, 0)\nout = relu(loss)\ntrain = a\n",
                       "job.ini:8:7: relu of a loss or metric, expected arithmetic, sqrt, square, "
                       "abs, exp, log or detach");
    job_init(&job, "[step]\ny = noise([3, 3])\nout = mean_iou(y)\n");
    job.batch = 1; /* else its shape alone tells */
    assert_int_equal(step_try(&step, &job, "", &err), -1);
    check_error(&err, "job.ini:3:7: mean_iou of a tensor, expected that of a metric");
    job_release(&job);
}

static void ready_covers_each_trained_element_once(void **state) {
    (void)state;
    enum { ROOM = 20000 };
    static unsigned char seen[ROOM];

    for (int net = 0; net < N_NETS; net++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &all_nets[net]);
        const struct plan *p = step.plan;
        assert_int_equal(p->n_train, 1);
        assert_true(p->train[0]->weights.len <= ROOM);
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < p->n_ready; i++) {
            assert_int_equal(p->ready[i].net, 0);
            for (int64_t k = 0; k < p->ready[i].len; k++)
                seen[p->ready[i].offset + k]++;
            if (i)
                assert_true(p->ready[i].node <= p->ready[i - 1].node);
        }
        for (int64_t k = 0; k < p->train[0]->weights.len; k++)
            assert_int_equal(seen[k], 1);
        release_one(&job, &step);
    }
}

/* Spans become final from their end to their beginning, but for shared parameters. */
static void ready_goes_from_the_last_layer_to_the_first(void **state) {
    (void)state;
    static const char *const chains[] = {residual, dense, in_place};

    for (int c = 0; c < 3; c++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &(struct job_text){chains[c], ""});
        const struct plan *p = step.plan;
        int64_t end = 0;
        for (int i = 0; i < p->n_ready; i++) {
            const struct node *node = &step.graph->nodes[p->ready[i].node];
            bool own = false;
            for (int k = 0; k < OP_MAX_WEIGHTS && node->plan.w[k].shape.rank; k++)
                own = own || node->net->weights.items[node->w[k]].offset == p->ready[i].offset;
            assert_true(own);
            if (i && c)
                assert_int_equal(p->ready[i].offset + p->ready[i].len, end);
            end = p->ready[i].offset;
        }
        release_one(&job, &step);
    }
}

static void what_the_loss_does_not_use_is_ready_at_once(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, &(struct job_text){unused_head, ""});
    const struct plan *p = step.plan;
    const struct param *weight = find_param(p->train[0], "aux.weight");
    for (int i = 0; i < p->n_ready; i++)
        if (p->ready[i].offset == weight->offset)
            assert_int_equal(p->ready[i].node, step.graph->n_nodes);
    assert_int_equal(p->ready[0].node, step.graph->n_nodes);
    assert_int_equal(p->ready[2].node, node_of_op(step.graph, "linear", 1));
    assert_false(p->nodes[node_of_op(step.graph, "linear", 0)].live);
    release_one(&job, &step);
}

static void shared_parameters_are_ready_after_their_first_use(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, &(struct job_text){shared, ""});
    const struct plan *p = step.plan;
    const struct param *weight = find_param(p->train[0], "f.conv1.weight");
    int found = 0;
    for (int i = 0; i < p->n_ready; i++)
        if (p->ready[i].offset == weight->offset) {
            assert_int_equal(p->ready[i].node, node_of_op(step.graph, "conv", 0));
            found++;
        }
    assert_int_equal(found, 1);
    release_one(&job, &step);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gan_steps_do_only_what_their_net_needs),
        cmocka_unit_test(nets_that_are_not_trained_do_not_go_backward_for_themselves),
        cmocka_unit_test(inputs_of_products_that_are_not_trained_are_not_kept),
        cmocka_unit_test(a_step_leaves_other_nets_gradients_alone),
        cmocka_unit_test(detach_stops_gradients),
        cmocka_unit_test(trained_nets_that_the_loss_does_not_reach_are_refused),
        cmocka_unit_test(a_loss_that_trains_nothing_is_refused),
        cmocka_unit_test(losses_that_are_not_linear_in_means_are_refused),
        cmocka_unit_test(weighted_sums_of_means_are_losses),
        cmocka_unit_test(outputs_that_are_no_means_are_refused),
        cmocka_unit_test(tensors_do_not_mix_with_means),
        cmocka_unit_test(what_computes_with_tensors_only_is_refused),
        cmocka_unit_test(ready_covers_each_trained_element_once),
        cmocka_unit_test(ready_goes_from_the_last_layer_to_the_first),
        cmocka_unit_test(what_the_loss_does_not_use_is_ready_at_once),
        cmocka_unit_test(shared_parameters_are_ready_after_their_first_use),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
