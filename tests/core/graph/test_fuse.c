#include "core/graph/graph_case.h"
#include "core/graph/nets.h"

enum { BATCH = 4, IMAGE = BATCH * 8 * 8 * 3, ROOM = 40000 };

static act image[IMAGE];
static const int32_t label[BATCH] = {0, 3, 1, 4};

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, IMAGE, 1);
    return 0;
}

/* The body of a net, and how many chains it has in training and in validation. */
struct body {
    const char *text;
    int chains;
};

#define END "fc = a | global_avgpool | linear(5)\n"

static const struct body bodies[] = {
    {"a = image | conv(4) | bn | relu\n" END, 1},
    {"a = image | conv(4) | bn | leaky_relu(0.1)\n" END, 1},
    {"a = image | conv(4) | bn | relu6\n" END, 1},
    {"a = image | conv(4) | bn\n" END, 1},
    {"a = image | conv(4, bias=true) | bn | relu\n" END, 1},
    {"a = image | conv(4) | relu\n" END, 1},
    {"a = image | conv(4, bias=false) | leaky_relu(0.3)\n" END, 1},
    {"a = image | conv_transpose(4, stride=2) | relu6\n" END, 1},
    {"a = image | conv_transpose(4, 4, stride=2, pad=1) | bn | relu\n" END, 1},
    {"a = image | conv(6, 1) | conv_transpose(4, groups=2) | bn | relu\n" END, 1},
    {"a = image | bn | relu\n" END, 1},
    {"a = image | bn | conv(4)\n" END, 0},
    {"a = image | maxpool(2) | bn | leaky_relu | conv(4) | relu\n" END, 2},
    {"a = image | flatten | linear(6) | relu | reshape([1, 1, 6])\n" END, 1},
    {"a = image | flatten | linear(6) | bn | relu | reshape([1, 1, 6])\n" END, 1},
    {"a = image | conv(6, 3, groups=3) | bn | relu | conv(6, 3, groups=6, stride=2) | bn | "
     "relu6\n" END,
     2},
    {"a = image | reshape([64, 3]) | conv(4) | bn | relu | conv(2) | relu | reshape([64, 1, "
     "2])\n" END,
     2},
    {"a = image | reshape([4, 4, 4, 3]) | conv(4) | bn | relu | conv_transpose(2) | bn | relu\n"
     "fc = a | flatten | linear(5)\n",
     2},
    /* residuals: a sum of either order, of an input that is read twice, of two sums by bn */
    {"z = image | conv(4)\na = (z | conv(4) | bn) + z | relu\n" END, 1},
    {"z = image | conv(4)\na = z + (z | conv(4) | bn) | relu6\n" END, 1},
    {"z = image | conv(4) | bn | relu\na = z + (z | maxpool(3, stride=1, pad=1) | bn) | relu\n" END,
     2},
    {"z = image | conv(4) | bn | relu\na = (z | conv(4) | bn) + (z | conv(4, 1) | bn) | relu\n" END,
     3},
    {"z = image | conv(4) | bn | relu6\na = (z | conv(4) | bn) + z | conv(3)\n" END, 2},
    {"z = image | conv(4)\na = z + (z | bn) | leaky_relu\n" END, 1},
    /* what is no chain */
    {"z = image | conv(4, spectral=true)\na = z | bn | relu\n" END, 1},
    {"a = image | conv(4, spectral=true) | relu\n" END, 0},
    {"z = image | conv(4)\na = concat(z, z | bn | relu)\n" END, 1},
    {"z = image | conv(4) | bn\na = concat(z, z | relu)\n" END, 1},
    {"z = image | conv(4)\na = z + (z | relu)\n" END, 0},
    {"z = image | conv(4) | bn\na = z + z | relu\n" END, 1},
    {"z = image | conv(4) | bn\na = z + (z | global_avgpool) | relu\n" END, 1},
    {"a = (image | conv(4) | bn) + (image | conv(4) | global_avgpool) | relu\n" END, 1},
    {"a = image | conv(4) | dropout(0.3) | bn | relu | dropout(0.2)\n" END, 1},
};

enum { N_BODIES = sizeof bodies / sizeof *bodies };

static void body_text(const struct body *body, char *text, size_t size) {
    snprintf(text, size,
             "[net m(image)]\n%s[step]\ny = m(image)\nloss = cross_entropy(y, label) + "
             "mse(y, 0.3)\ntrain = m\n",
             body->text);
}

/* Loss, gradients, states of one run. */
struct result {
    double loss;
    real dw[ROOM], state[ROOM];
    int64_t n_dw, n_state;
};

static void take(const struct job_case *job, const struct step_case *step, struct result *r) {
    memset(r, 0, sizeof *r);
    r->loss = step->plan->loss < 0 ? 0 : run_value(step->plan, step->plan->loss);
    for (int t = 0; t < step->n_train; t++) {
        const struct net *net = step->train[t];

        assert_true(r->n_dw + net->weights.len <= ROOM);
        memcpy(r->dw + r->n_dw, net->dw, (size_t)net->weights.len * sizeof(real));
        r->n_dw += net->weights.len;
    }
    for (int n = 0; n < job->model.n_nets; n++) {
        const struct net *net = job->model.nets[n];

        assert_true(r->n_state + net->states.len <= ROOM);
        memcpy(r->state + r->n_state, net->state, (size_t)net->states.len * sizeof(real));
        r->n_state += net->states.len;
    }
}

static void close_to(const char *what, const real *a, const real *b, int64_t n, const char *text) {
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-10 * (1 + fabs(b[i]))))
            fail_msg("%s[%lld] is %.12g fused and %.12g not, of\n%s", what, (long long)i, a[i],
                     b[i], text);
}

static void same(const struct result *a, const struct result *b, const char *text) {
    close_to("loss", &(real){a->loss}, &(real){b->loss}, 1, text);
    assert_int_equal(a->n_dw, b->n_dw);
    assert_int_equal(a->n_state, b->n_state);
    close_to("dw", a->dw, b->dw, a->n_dw, text);
    close_to("state", a->state, b->state, a->n_state, text);
}

/* A step, fused or not, ready to run. Returns the number of chains. */
static int prepare(struct job_case *job, struct step_case *step, const char *text, const char *name,
                   bool fuse, struct team *team) {
    struct err err = {0};

    job_init(job, text);
    job->fuse = fuse;
    if (step_try(step, job, name, &err))
        fail_msg("%s in\n%s", err.msg, text);
    step->team = team;
    job_allocate(job, step, 1);
    step_place(step);
    return step->n_fused;
}

/* A batch, a smaller one, and a full one again. */
static int compute(const char *text, const char *name, bool fuse, struct team *team,
                   struct result *r) {
    static const int64_t sizes[] = {BATCH, 3, BATCH};
    struct job_case job;
    struct step_case step;
    const int chains = prepare(&job, &step, text, name, fuse, team);

    for (int i = 0; i < 3; i++) {
        step_run(&step, image, label, sizes[i], 0, NULL);
        take(&job, &step, &r[i]);
    }
    release_one(&job, &step);
    return chains;
}

static struct result fused[3], plain[3];

static void results_are_those_without_fusion(void **state) {
    char text[2048];

    (void)state;
    for (int i = 0; i < N_BODIES; i++) {
        body_text(&bodies[i], text, sizeof text);
        assert_int_equal(compute(text, "", false, NULL, plain), 0);
        const int chains = compute(text, "", true, NULL, fused);
        if (chains != bodies[i].chains)
            fail_msg("%d chains, not %d, in\n%s", chains, bodies[i].chains, text);
        for (int k = 0; k < 3; k++)
            same(&fused[k], &plain[k], text);
    }
}

static void a_mode_without_fusion_leaves_the_graph(void **state) {
    static const struct compute_mode mode = {.fusion = false, .winograd = true};
    struct job_case job;
    struct step_case step;
    char text[2048];

    (void)state;
    body_text(&bodies[0], text, sizeof text);
    assert_int_equal(prepare(&job, &step, text, "", false, NULL), 0);
    step.graph->mode = &mode;
    assert_int_equal(graph_fuse(step.graph, NULL, 0, true), 0);
    release_one(&job, &step);
}

static void nets_of_all_kinds_give_the_same(void **state) {
    static const int chains[] = {7, 3, 3, 1, 0, 1, 3, 2};

    (void)state;
    for (int i = 0; i < N_NETS; i++) {
        compute(all_nets[i].text, all_nets[i].step, false, NULL, plain);
        const int n = compute(all_nets[i].text, all_nets[i].step, true, NULL, fused);
        if (n != chains[i])
            fail_msg("%d chains, not %d, in\n%s", n, chains[i], all_nets[i].text);
        for (int k = 0; k < 3; k++)
            same(&fused[k], &plain[k], all_nets[i].text);
    }
}

static void threads_give_the_same_bits(void **state) {
    static struct result one[3], more[3];
    char text[2048];

    (void)state;
    for (int threads = 2; threads <= 3; threads++) {
        struct err err = {0};
        struct team *team;

        assert_int_equal(team_new(&team, threads, &err), 0);
        for (int i = 0; i < N_BODIES; i++) {
            body_text(&bodies[i], text, sizeof text);
            compute(text, "", true, NULL, one);
            compute(text, "", true, team, more);
            assert_memory_equal(one, more, sizeof one);
        }
        team_free(team);
    }
}

/* If a life ended too early in the plan, what took its memory would change the result. */
static void results_are_those_of_memory_that_is_not_shared(void **state) {
    char text[2048];

    (void)state;
    for (int i = 0; i < N_BODIES + N_NETS; i++) {
        const char *name = i < N_BODIES ? "" : all_nets[i - N_BODIES].step;
        struct job_case job;
        struct step_case step;

        if (i < N_BODIES)
            body_text(&bodies[i], text, sizeof text);
        else
            snprintf(text, sizeof text, "%s", all_nets[i - N_BODIES].text);
        compute(text, name, true, NULL, fused);
        prepare(&job, &step, text, name, true, NULL);
        struct plan *p = step.plan;
        p->slot_bytes = 0;
        for (int k = 0; k < p->n_slots; k++) {
            p->slots[k].offset = p->slot_bytes;
            p->slot_bytes += p->slots[k].bytes;
        }
        step_release(&step);
        step_place(&step);
        step_run(&step, image, label, BATCH, 0, NULL);
        take(&job, &step, plain);
        assert_memory_equal(plain, fused, sizeof *plain);
        release_one(&job, &step);
    }
}

/* Running statistics as after a long training. */
static void fill_states(struct job_case *job) {
    for (int n = 0; n < job->model.n_nets; n++) {
        const struct net *net = job->model.nets[n];

        for (int i = 0; i < net->states.n; i++) {
            const struct param *p = &net->states.items[i];
            real *v = net->state + p->offset;

            fill_numbers(v, p->len, (uint64_t)i + 3);
            for (int64_t k = 0; k < p->len && strstr(p->name, "running_var"); k++)
                v[k] = 0.5 + v[k] * v[k];
        }
    }
}

static void validation_gives_the_same_with_bn_in_the_weights(void **state) {
    static act y[2][BATCH * 5];
    char text[2048];

    (void)state;
    for (int i = 0; i < N_BODIES; i++) {
        snprintf(text, sizeof text, "[net m(image)]\n%s[step]\nout = m(image)\n", bodies[i].text);
        for (int fuse = 0; fuse < 2; fuse++) {
            struct job_case job;
            struct step_case step;
            struct err err = {0};

            job_init(&job, text);
            job.fuse = fuse, job.evaluate = true;
            if (step_try(&step, &job, "", &err))
                fail_msg("%s in\n%s", err.msg, text);
            assert_int_equal(step.n_fused, fuse ? bodies[i].chains : 0);
            job_allocate(&job, &step, 1);
            fill_states(&job);
            step_place(&step);
            step_run(&step, image, label, BATCH, 0, NULL);
            memcpy(y[fuse], step.plan->nodes[graph_find(step.graph, "out")].call.y.data,
                   sizeof y[fuse]);
            release_one(&job, &step);
        }
        close_to("y", y[1], y[0], BATCH * 5, text);
    }
}

static const char frozen_parts[] = "[net m(image)]\n"
                                   "stem = image | conv(4) | bn | relu\n"
                                   "body = stem + (stem | conv(4) | bn) | relu\n"
                                   "tail = body | conv_transpose(4) | bn | leaky_relu\n"
                                   "fc   = tail | global_avgpool | linear(5)\n"
                                   "[step]\n"
                                   "loss   = cross_entropy(m(image), label)\n"
                                   "train  = m\n"
                                   "freeze = %s\n";

static void frozen_parts_give_the_same(void **state) {
    static const struct {
        const char *freeze;
        int chains;
    } cases[] = {{"m.conv1, m.bn1", 3},
                 {"m.conv2, m.bn2", 3},
                 {"m.conv_transpose1, m.bn3", 3},
                 {"m.conv2, m.bn2, m.conv_transpose1, m.bn3", 3},
                 {"m.bn1", 3},
                 {"m.bn2", 3},
                 {"m.conv_transpose1", 3},
                 {"m.fc", 3}};
    char text[2048];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, frozen_parts, cases[i].freeze);
        for (int fuse = 0; fuse < 2; fuse++) {
            struct job_case job;
            struct step_case step;

            prepare(&job, &step, text, "", fuse, NULL);
            fill_states(&job);
            assert_int_equal(step.n_fused, fuse ? cases[i].chains : 0);
            step_run(&step, image, label, BATCH, 0, NULL);
            take(&job, &step, fuse ? fused : plain);
            release_one(&job, &step);
        }
        same(fused, plain, text);
    }
}

/* Count the live nodes of an operator. */
static int n_of(const struct step_case *step, const char *word) {
    int n = 0;

    for (int i = 0; i < step->graph->n_nodes; i++)
        n += step->plan->nodes[i].live && step->graph->nodes[i].op &&
             !strcmp(step->graph->nodes[i].op->word.name, word);
    return n;
}

static void a_part_frozen_differently_stays_out(void **state) {
    struct job_case job;
    struct step_case step;
    char text[2048];

    (void)state;
    snprintf(text, sizeof text, frozen_parts, "m.bn1");
    prepare(&job, &step, text, "", true, NULL);
    assert_int_equal(n_of(&step, "conv"), 1);
    assert_int_equal(n_of(&step, "norm_act"), 1);
    assert_int_equal(n_of(&step, "relu"), 0);
    release_one(&job, &step);
}

static void a_residual_net_is_made_of_few_nodes(void **state) {
    struct job_case job;
    struct step_case step;

    (void)state;
    prepare(&job, &step, residual, "", true, NULL);
    assert_int_equal(n_of(&step, "bn") + n_of(&step, "relu") + n_of(&step, "conv"), 0);
    assert_int_equal(n_of(&step, "conv_norm_act"), 4); /* stem, two first, a projection */
    assert_int_equal(n_of(&step, "conv_norm_add_act"), 2);
    assert_int_equal(n_of(&step, "conv_act"), 1);
    release_one(&job, &step);
}

static void values_that_are_wanted_are_there(void **state) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    (void)state;
    job_init(&job, "[net m(image)]\na = image | conv(4)\nb = a | bn\nc = b | relu\n"
                   "[step]\nm1 = m(image)\nout1 = m1.a\nout2 = m1.b\nout3 = m1.c\n");
    job.fuse = job.evaluate = true;
    assert_int_equal(step_try(&step, &job, "", &err), 0);
    assert_int_equal(step.n_fused, 0);
    job_release(&job);
}

/* PolyNet's uses of one bn move its running statistics one after the other: their order stays. */
static void shared_statistics_move_in_the_same_order(void **state) {
    static const char text[] = "[block unit(x)]\n"
                               "y = x | conv(3) | bn\n"
                               "[net m(image)]\n"
                               "f = share(unit)\n"
                               "g = image | f\n"
                               "h = image * 3 | f\n"
                               "a = g + (h + image | relu) | relu\n"
                               "fc = a | global_avgpool | linear(5)\n"
                               "[step]\n"
                               "loss = cross_entropy(m(image), label)\n"
                               "train = m\n";

    (void)state;
    compute(text, "", false, NULL, plain);
    assert_int_equal(compute(text, "", true, NULL, fused), 2);
    for (int k = 0; k < 3; k++)
        same(&fused[k], &plain[k], text);
}

static void gradients_add_up_over_parts_of_a_batch(void **state) {
    struct job_case job;
    struct step_case step;

    (void)state;
    prepare(&job, &step, residual, "", true, NULL);
    step_run(&step, image, label, BATCH, 0, NULL);
    take(&job, &step, plain);
    const struct run_context context = {.seed = 3, .step = 5, .totals = step.totals, .adds = true};
    run_forward(step.plan, &context);
    run_backward(step.plan, &context);
    take(&job, &step, fused);
    for (int64_t i = 0; i < plain->n_dw; i++)
        assert_true(fabs(fused->dw[i] - 2 * plain->dw[i]) <= 1e-12 * (1 + fabs(plain->dw[i])));
    release_one(&job, &step);
}

/* What is announced does not change any more, and all of it is announced once. */
struct announced {
    const struct net *net;
    real dw[ROOM];
    int seen[ROOM];
};

static void announce(void *context, int net, int64_t offset, int64_t len) {
    struct announced *a = context;

    assert_int_equal(net, 0);
    for (int64_t i = offset; i < offset + len; i++) {
        a->dw[i] = a->net->dw[i];
        a->seen[i]++;
    }
}

static void gradients_are_final_when_announced(void **state) {
    static struct announced a;

    (void)state;
    for (int i = 0; i < N_NETS; i++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, all_nets[i].text, all_nets[i].step, true, NULL);
        a = (struct announced){.net = step.train[0]};
        step_run(&step, image, label, BATCH, 0, NULL);
        const struct run_context context = {
            .seed = 3, .step = 5, .totals = step.totals, .ready = announce, .context = &a};
        run_forward(step.plan, &context);
        run_backward(step.plan, &context);
        for (int64_t k = 0; k < a.net->weights.len; k++) {
            assert_int_equal(a.seen[k], 1);
            assert_true(a.dw[k] == a.net->dw[k]);
        }
        memset(a.seen, 0, sizeof a.seen);
        run_resize(step.plan, 0);
        run_forward(step.plan, &context);
        run_backward(step.plan, &context);
        for (int64_t k = 0; k < a.net->weights.len; k++)
            assert_true(a.seen[k] == 1 && a.dw[k] == 0);
        release_one(&job, &step);
    }
}

static size_t bytes_of(const char *text, const char *name, bool fuse, bool evaluate) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, text);
    job.batch = 64; /* so that values are large beside statistics */
    job.fuse = fuse, job.evaluate = evaluate;
    if (step_try(&step, &job, name, &err))
        fail_msg("%s in\n%s", err.msg, text);
    const size_t bytes = step.plan->slot_bytes;
    job_release(&job);
    return bytes;
}

/* conv | bn | relu is kept once, before bn: after it, it is computed again where the gradient of
 * the next convolution reads it. */
static void values_are_computed_again_for_backward(void **state) {
    static const char text[] = "[net m(image)]\n"
                               "a  = image | conv(8) | bn | relu\n"
                               "b  = a | conv(8) | bn | relu6\n"
                               "c  = concat(a, b) | bn | leaky_relu | conv(4)\n"
                               "fc = c | global_avgpool | linear(5)\n"
                               "[step]\n"
                               "loss = cross_entropy(m(image), label)\n"
                               "train = m\n";
    struct job_case job;
    struct step_case step;

    (void)state;
    prepare(&job, &step, text, "", true, NULL);
    const struct plan *p = step.plan;
    assert_int_equal(p->n_refills, 2); /* a, and the values behind concat: nobody reads b again */
    for (int i = 0; i < p->n_refills; i++) {
        const struct plan_refill *r = &p->refills[i];
        const struct plan_slot *y = &p->slots[p->nodes[r->node].y_slot];

        assert_true(r->before > r->node);
        assert_true(y->last < p->slots[r->slot].first);
        assert_true(y->last < step.graph->n_nodes);
        assert_true(p->slots[r->slot].first >= step.graph->n_nodes);
    }
    release_one(&job, &step);
    compute(text, "", false, NULL, plain);
    compute(text, "", true, NULL, fused);
    for (int k = 0; k < 3; k++)
        same(&fused[k], &plain[k], text);
    const size_t on = bytes_of(text, "", true, false), off = bytes_of(text, "", false, false);
    if (!(6 * on < 5 * off))
        fail_msg("%zu bytes, not a sixth less than %zu", on, off);
}

static void names_and_order_of_parameters_stay(void **state) {
    char names[2][2048];

    (void)state;
    for (int fuse = 0; fuse < 2; fuse++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, residual, "", fuse, NULL);
        net_names(&step.train[0]->weights, names[fuse], sizeof names[fuse]);
        release_one(&job, &step);
    }
    assert_string_equal(names[0], names[1]);
}

static void memory_does_not_grow(void **state) {
    (void)state;
    for (int i = 0; i < N_NETS; i++)
        for (int evaluate = 0; evaluate < 2; evaluate++) {
            const size_t on = bytes_of(all_nets[i].text, all_nets[i].step, true, evaluate);
            const size_t off = bytes_of(all_nets[i].text, all_nets[i].step, false, evaluate);

            if (on > off)
                fail_msg("%zu bytes, not %zu, in\n%s", on, off, all_nets[i].text);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_without_fusion),
        cmocka_unit_test(a_mode_without_fusion_leaves_the_graph),
        cmocka_unit_test(nets_of_all_kinds_give_the_same),
        cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(results_are_those_of_memory_that_is_not_shared),
        cmocka_unit_test(validation_gives_the_same_with_bn_in_the_weights),
        cmocka_unit_test(frozen_parts_give_the_same),
        cmocka_unit_test(a_part_frozen_differently_stays_out),
        cmocka_unit_test(a_residual_net_is_made_of_few_nodes),
        cmocka_unit_test(values_that_are_wanted_are_there),
        cmocka_unit_test(shared_statistics_move_in_the_same_order),
        cmocka_unit_test(gradients_add_up_over_parts_of_a_batch),
        cmocka_unit_test(gradients_are_final_when_announced),
        cmocka_unit_test(values_are_computed_again_for_backward),
        cmocka_unit_test(names_and_order_of_parameters_stay),
        cmocka_unit_test(memory_does_not_grow),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
