#include "core/graph/graph_case.h"
#include "core/graph/nets.h"

enum { BATCH = 6, SAMPLE = 8 * 8 * 3, ROOM = 20000 };

static act image[BATCH * SAMPLE];
static const int32_t label[BATCH] = {0, 3, 1, 4, 2, 3};

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, BATCH * SAMPLE, 2);
    return 0;
}

/* A job's step with room for BATCH samples. */
static void prepare(struct job_case *job, struct step_case *step, const char *text,
                    const char *name) {
    job_init(job, text);
    job->batch = BATCH;
    step_init(step, job, name);
    job_allocate(job, step, 1);
    step_place(step);
}

static double loss_of(struct step_case *step, int64_t n) {
    step_forward(step, n, &(struct run_context){.seed = 3, .step = 5});
    run_tail(step->plan, step->sums, step->totals, 0);
    return run_value(step->plan, step->plan->loss);
}

/* Central differences in n_tries weights of each parameter, on n samples. */
static void check_gradients(const char *text, const char *name, int64_t n, int n_tries) {
    struct job_case job;
    struct step_case step;
    uint64_t s = 88172645463325252u;

    prepare(&job, &step, text, name);
    step_run(&step, image, label, n, 0, NULL);
    for (int t = 0; t < step.n_train; t++) {
        struct net *net = step.train[t];
        for (int w = 0; w < net->weights.n; w++)
            for (int k = 0; k < n_tries; k++) {
                const struct param *param = &net->weights.items[w];
                s ^= s << 13, s ^= s >> 7, s ^= s << 17;
                const int64_t at = param->offset + (int64_t)(s % (uint64_t)param->len);
                const real kept = net->w[at], step_len = 1e-5;
                net->w[at] = kept + step_len;
                const double above = loss_of(&step, n);
                net->w[at] = kept - step_len;
                const double below = loss_of(&step, n);
                net->w[at] = kept;
                const double slope = (above - below) / (2 * step_len);
                if (fabs(slope - net->dw[at]) > 1e-7 * (1 + fabs(slope)))
                    fail_msg("%s[%lld]: %.12g, differences say %.12g", param->name,
                             (long long)(at - param->offset), net->dw[at], slope);
            }
    }
    release_one(&job, &step);
}

static void gradients_of_a_residual_net_with_two_losses(void **state) {
    (void)state;
    check_gradients(residual, "", BATCH, 6);
    check_gradients(residual, "", 4, 6);
}

static void gradients_of_values_read_by_all_that_follow(void **state) {
    (void)state;
    check_gradients(dense, "", 5, 8);
}

static void gradients_of_shared_parameters(void **state) {
    (void)state;
    check_gradients(shared, "", 4, 10);
}

static void gradients_through_operators_in_place(void **state) {
    (void)state;
    check_gradients(in_place, "", 5, 10);
}

static void gradients_of_arithmetic(void **state) {
    (void)state;
    check_gradients(arithmetic, "", 3, 10);
}

static void gradients_of_both_steps_of_a_gan(void **state) {
    (void)state;
    check_gradients(gan, "discriminator", 4, 10);
    check_gradients(gan, "generator", 4, 10);
}

static const char no_batch_norm[] =
    "[net m(image)]\n"
    "a  = image | conv(4) | relu | maxpool(2) | dropout(0.2)\n"
    "b  = a + (a | conv(4) | relu)\n"
    "fc = concat(b, a) | global_avgpool | linear(5)\n"
    "[step]\n"
    "y     = m(image)\n"
    "loss  = cross_entropy(y, label, weights=[1, 2, 3, 4, 5]) + 0.3 * mse(y.b, noise([4, 4, 4]))\n"
    "train = m\n";

/* The identity of data-parallel training: the gradients of the parts add up to the whole. */
static void parts_of_a_batch_add_up_to_the_whole(void **state) {
    (void)state;
    static const int64_t cuts[] = {1, 2, 5};
    static real whole[ROOM], sum[ROOM];
    struct job_case job;
    struct step_case step;
    double totals[2], leaves[2];

    prepare(&job, &step, no_batch_norm, "");
    const struct net *net = step.train[0];
    step_run(&step, image, label, BATCH, 0, NULL);
    memcpy(totals, step.totals, sizeof totals);
    memcpy(whole, net->dw, (size_t)net->weights.len * sizeof(real));
    memcpy(leaves, step.sums, sizeof leaves);
    const double loss = run_value(step.plan, step.plan->loss);
    for (int c = 0; c < 3; c++) {
        double sums[2] = {0}, counts[2] = {0};
        memset(sum, 0, sizeof sum);
        for (int half = 0; half < 2; half++) {
            const int64_t first = half ? cuts[c] : 0, n = half ? BATCH - cuts[c] : cuts[c];
            step_run(&step, image + first * SAMPLE, label + first, n, first, totals);
            for (int64_t i = 0; i < net->weights.len; i++)
                sum[i] += net->dw[i];
            sums[0] += step.sums[0], sums[1] += step.sums[1];
            counts[0] += step.totals[0], counts[1] += step.totals[1];
        }
        for (int64_t i = 0; i < net->weights.len; i++)
            assert_true(fabs(sum[i] - whole[i]) < 1e-13);
        assert_true(fabs(sums[0] - leaves[0]) < 1e-11 && fabs(sums[1] - leaves[1]) < 1e-11);
        assert_true(counts[0] == totals[0] && counts[1] == totals[1]);
        run_tail(step.plan, sums, totals, 0);
        assert_true(fabs(run_value(step.plan, step.plan->loss) - loss) < 1e-13);
    }
    release_one(&job, &step);
}

static void counts_before_forward_are_those_after_it(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    double counts[2];

    prepare(&job, &step, no_batch_norm, "");
    assert_int_equal(step.plan->n_leaves, 2);
    run_input(step.plan, "image", image);
    run_indices(step.plan, "label", label);
    run_resize(step.plan, 3);
    run_counts(step.plan, counts);
    assert_true(counts[0] == 1 + 4 + 2); /* weights of the labels 0, 3, 1 */
    assert_true(counts[1] == 3 * 4 * 4 * 4);
    step_forward(&step, 3, &(struct run_context){.seed = 3, .step = 5});
    assert_memory_equal(step.totals, counts, sizeof counts);
    release_one(&job, &step);
}

/* The value of net m's last statement for each sample, cut at `cut`. */
static void outputs(const char *text, int64_t cut, act *out) {
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, text, "");
    const int node = graph_find(step.graph, "y");
    for (int64_t first = 0; first < BATCH;) {
        const int64_t n = first ? BATCH - first : cut;
        step_run(&step, image + first * SAMPLE, label + first, n, first, NULL);
        const struct tensor *y = &step.plan->nodes[node].call.y;
        assert_int_equal(y->shape.dim[0], n);
        const int64_t len = shape_sample_len(&y->shape);
        memcpy(out + first * len, y->data, (size_t)(n * len) * sizeof(act));
        first += n;
    }
    release_one(&job, &step);
}

static void randomness_does_not_depend_on_how_the_batch_is_cut(void **state) {
    (void)state;
    static const char text[] = "[step]\n"
                               "y    = dropout(image, 0.5) + noise([8, 8, 3])\n"
                               "out  = mse(y, 0)\n";
    static act whole[BATCH * SAMPLE], parts[BATCH * SAMPLE];
    int dropped = 0;

    outputs(text, BATCH, whole);
    for (int64_t cut = 1; cut < BATCH; cut += 2) {
        outputs(text, cut, parts);
        assert_memory_equal(whole, parts, sizeof whole);
    }
    outputs("[step]\ny = dropout(image, 0.5)\nout = mse(y, 0)\n", BATCH, whole);
    for (int i = 0; i < BATCH * SAMPLE; i++)
        dropped += whole[i] == 0;
    assert_in_range(dropped, BATCH * SAMPLE * 2 / 5, BATCH * SAMPLE * 3 / 5);
}

static void steps_and_seeds_draw_anew(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    double losses[3];

    prepare(&job, &step, "[step]\nout = mse(noise(10), 0)\n", "");
    for (unsigned i = 0; i < 3; i++) {
        step_forward(&step, BATCH, &(struct run_context){.seed = i / 2, .step = i % 2});
        losses[i] = step.sums[0];
    }
    assert_true(losses[0] != losses[1] && losses[0] != losses[2] && losses[1] != losses[2]);
    release_one(&job, &step);
}

/* What a callback was told, and the gradients as they were then. */
struct told {
    const struct plan *p;
    real seen[ROOM];
    int64_t n_elements;
    int n_ready, n_progress;
};

static void note_ready(void *context, int net, int64_t offset, int64_t len) {
    struct told *told = context;

    assert_int_equal(net, 0);
    memcpy(told->seen + offset, told->p->train[0]->dw + offset, (size_t)len * sizeof(real));
    told->n_elements += len;
    told->n_ready++;
}

static void note_progress(void *context) {
    ((struct told *)context)->n_progress++;
}

static void what_is_ready_is_final(void **state) {
    (void)state;
    static struct told told;

    for (int i = 0; i < N_NETS; i++) {
        struct job_case job;
        struct step_case step;
        int n_backward = 0;

        prepare(&job, &step, all_nets[i].text, all_nets[i].step);
        const struct plan *p = step.plan;
        told = (struct told){.p = p};
        memset(told.seen, 0xff, sizeof told.seen);
        step_run(&step, image, label, BATCH, 0, NULL);
        run_backward(step.plan, &(struct run_context){.seed = 3,
                                                      .step = 5,
                                                      .totals = step.totals,
                                                      .ready = note_ready,
                                                      .progress = note_progress,
                                                      .context = &told});
        assert_int_equal(told.n_elements, p->train[0]->weights.len);
        assert_memory_equal(told.seen, p->train[0]->dw,
                            (size_t)p->train[0]->weights.len * sizeof(real));
        for (int k = 0; k < step.graph->n_nodes; k++)
            n_backward += p->nodes[k].backward;
        assert_int_equal(told.n_progress, n_backward);
        release_one(&job, &step);
    }
}

static void a_rank_without_samples_gives_zeros(void **state) {
    (void)state;
    static struct told told;
    struct job_case job;
    struct step_case step;
    const double totals[2] = {1, 2};

    prepare(&job, &step, residual, "");
    const struct net *net = step.train[0];
    for (int64_t i = 0; i < net->weights.len; i++)
        net->dw[i] = 9;
    told = (struct told){.p = step.plan};
    const struct run_context context = {.totals = totals, .ready = note_ready, .context = &told};
    step_forward(&step, 0, &context);
    run_backward(step.plan, &context);
    for (int64_t i = 0; i < net->weights.len; i++)
        assert_true(net->dw[i] == 0 && told.seen[i] == 0);
    assert_int_equal(told.n_elements, net->weights.len);
    assert_int_equal(told.n_ready, step.plan->n_ready);
    assert_true(step.sums[0] == 0 && step.sums[1] == 0);
    assert_true(step.totals[0] == 0 && step.totals[1] == 0);
    run_tail(step.plan, (double[]){2, 20}, totals, 0); /* what came from others */
    assert_true(fabs(run_value(step.plan, step.plan->loss) - 5) < 1e-12);
    release_one(&job, &step);
}

/* mean of (x - 0)^2, 0.3 of it and 1 more; by hand for images of ones and twos. */
static void values_are_those_worked_by_hand(void **state) {
    (void)state;
    static act ones[2 * SAMPLE];
    static const int32_t classes[] = {0, 1}; /* of equal logits the first ranks first */
    struct job_case job;
    struct step_case step;

    for (int i = 0; i < 2 * SAMPLE; i++)
        ones[i] = i < SAMPLE ? 1 : 2;
    prepare(&job, &step,
            "[step]\ny = image * 3\nout_a = mse(y, 0)\nout_b = accuracy(image | global_avgpool, "
            "label)\nout = 1 + 0.3 * out_a - out_b / 2\n",
            "");
    step_run(&step, ones, classes, 2, 0, NULL);
    assert_true(fabs(run_value(step.plan, graph_find(step.graph, "out_a")) - 22.5) < 1e-12);
    assert_true(fabs(run_value(step.plan, graph_find(step.graph, "out_b")) - 0.5) < 1e-12);
    assert_true(fabs(run_value(step.plan, graph_find(step.graph, "out")) - 7.5) < 1e-12);
    run_tail(step.plan, (double[]){20, 4}, (double[]){2, 4}, 0);
    assert_true(fabs(run_value(step.plan, graph_find(step.graph, "out")) - 3.5) < 1e-12);
    release_one(&job, &step);
}

/* Guesses 0, 1, 1, 2 of labels 0, 1, 2, 2: by hand, hits / (labels + guesses - hits) is 1, 1/2 and
 * 1/2. Each leaf has its place among the values, a matrix nine of them. */
static void tables_are_leaves_of_several_numbers(void **state) {
    (void)state;
    static const int32_t guesses[] = {0, 1, 1, 2}, classes[] = {0, 1, 2, 2};
    static const double expected[] = {1, 0, 0, 0, 1, 0, 0, 1, 1};
    static act images[4 * SAMPLE];
    struct job_case job;
    struct step_case step;
    double whole[11], sum[11] = {0};

    for (int i = 0; i < 4 * SAMPLE; i++)
        images[i] = i % 3 == guesses[i / SAMPLE];
    prepare(&job, &step,
            "[step]\ny = image | global_avgpool\nout_loss = mse(y, 0)\n"
            "out_c = confusion(y, label)\nout_top = accuracy(y, label)\n"
            "out_iou = mean_iou(out_c)\nout_hits = pixel_accuracy(out_c)\n"
            "out_each = class_accuracy(out_c)\n",
            "");
    struct plan *p = step.plan;
    assert_int_equal(p->n_leaves, 3);
    assert_int_equal(plan_n_values(p), 11);
    assert_int_equal(p->leaf_at[1], 1);
    assert_int_equal(p->leaf_at[2], 10);
    step_run(&step, images, classes, 4, 0, NULL);
    memcpy(whole, step.sums, sizeof whole);
    assert_true(fabs(whole[0] - 4) < 1e-12 && whole[10] == 3);
    for (int i = 0; i < 9; i++)
        assert_true(whole[1 + i] == expected[i]);
    for (int first = 0; first < 4; first += 3) { /* as two ranks of 3 and 1 samples */
        step_run(&step, images + first * SAMPLE, classes + first, first ? 1 : 3, first, NULL);
        for (int i = 0; i < 11; i++)
            sum[i] += step.sums[i];
    }
    for (int i = 0; i < 11; i++)
        assert_true(fabs(sum[i] - whole[i]) < 1e-12);
    run_tail(p, sum, (double[]){12, 4, 4}, 0);
    const act *each = p->nodes[graph_find(step.graph, "out_each")].call.y.data;
    assert_true(fabs(run_value(p, graph_find(step.graph, "out_iou")) - 2.0 / 3) < 1e-12);
    assert_true(fabs(run_value(p, graph_find(step.graph, "out_hits")) - 0.75) < 1e-12);
    assert_true(each[0] == 1 && each[1] == 1 && fabs(each[2] - 0.5) < 1e-12);
    release_one(&job, &step);
}

/* Runs leave nothing behind: the same numbers after others, of other sizes. */
static void runs_do_not_depend_on_former_runs(void **state) {
    (void)state;
    static const int64_t sizes[] = {BATCH, 1, 4, 2, BATCH};
    static real fresh[ROOM];

    for (int i = 0; i < N_NETS; i++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, all_nets[i].text, all_nets[i].step);
        const struct net *net = step.train[0];
        step_run(&step, image, label, 4, 0, NULL);
        memcpy(fresh, net->dw, (size_t)net->weights.len * sizeof(real));
        const double loss = run_value(step.plan, step.plan->loss);
        for (int k = 0; k < 5; k++)
            step_run(&step, image + (BATCH - sizes[k]) * SAMPLE, label, sizes[k], k, NULL);
        step_run(&step, image, label, 4, 0, NULL);
        assert_memory_equal(fresh, net->dw, (size_t)net->weights.len * sizeof(real));
        assert_true(loss == run_value(step.plan, step.plan->loss));
        release_one(&job, &step);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_a_residual_net_with_two_losses),
        cmocka_unit_test(gradients_of_values_read_by_all_that_follow),
        cmocka_unit_test(gradients_of_shared_parameters),
        cmocka_unit_test(gradients_through_operators_in_place),
        cmocka_unit_test(gradients_of_arithmetic),
        cmocka_unit_test(gradients_of_both_steps_of_a_gan),
        cmocka_unit_test(parts_of_a_batch_add_up_to_the_whole),
        cmocka_unit_test(counts_before_forward_are_those_after_it),
        cmocka_unit_test(randomness_does_not_depend_on_how_the_batch_is_cut),
        cmocka_unit_test(steps_and_seeds_draw_anew),
        cmocka_unit_test(what_is_ready_is_final),
        cmocka_unit_test(a_rank_without_samples_gives_zeros),
        cmocka_unit_test(values_are_those_worked_by_hand),
        cmocka_unit_test(tables_are_leaves_of_several_numbers),
        cmocka_unit_test(runs_do_not_depend_on_former_runs),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
