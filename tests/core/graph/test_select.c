/* Parts of nets by name, and what it means for a part to be frozen. */
#include "core/graph/graph_case.h"

enum { BATCH = 4, IMAGE = BATCH * 8 * 8 * 3 };

static act image[IMAGE];
static const int32_t label[BATCH] = {0, 3, 1, 4};

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, IMAGE, 4);
    return 0;
}

/* A net that calls another one: stem.weight, layer1.0.conv1.weight ..., layer10.conv1.weight, ...
 */
#define NETS                                                                                       \
    "[job]\nmodel = m(classes=5)\n"                                                                \
    "[block unit(x, width)]\n"                                                                     \
    "out = x | conv(width) | bn | relu | dropout(0.5)\n"                                           \
    "[net tail(x, classes)]\n"                                                                     \
    "fc = x | linear(classes)\n"                                                                   \
    "[net m(image, classes=5)]\n"                                                                  \
    "stem    = image | conv(3)\n"                                                                  \
    "layer1  = stem | unit(4) | unit(3)\n"                                                         \
    "layer10 = layer1 | unit(2)\n"                                                                 \
    "fc      = layer10 | global_avgpool | tail(classes)\n"                                         \
    "[step]\n"                                                                                     \
    "y     = model(image)\n"                                                                       \
    "loss  = cross_entropy(y, label)\n"

/* What a value of freeze, or with numbers of lr_scale, selects in NETS. */
static int select_in(struct job_case *job, const char *value, bool numbers, struct selection **list,
                     int *n, struct err *err) {
    struct graph_config config;
    struct graph *graph;
    const struct entry entry = {.key = numbers ? "lr_scale" : "freeze",
                                .value = value,
                                .pos = {.file = "job.ini", .line = 9, .column = 10}};

    job_init(job, NETS);
    config = job_config(job, "");
    assert_int_equal(graph_new(&graph, &config, err), 0);
    return graph_select(&config, &entry, numbers, list, n, err);
}

static void check_selection(const struct selection *s, const char *net, const char *path,
                            double number) {
    assert_string_equal(s->net->name, net);
    assert_string_equal(s->path, path);
    assert_true(s->number == number);
}

static void nets_and_parts_are_selected(void **state) {
    (void)state;
    struct selection *list;
    struct job_case job;
    struct err err = {0};
    int n;

    assert_int_equal(
        select_in(&job, "tail, model.layer1.0 ,m.stem.bias,model", false, &list, &n, &err), 0);
    assert_int_equal(n, 4);
    check_selection(&list[0], "tail", "", 1);
    check_selection(&list[1], "m", "layer1.0", 1);
    check_selection(&list[2], "m", "stem.bias", 1);
    check_selection(&list[3], "m", "", 1);
    job_release(&job);
}

static void numbers_stand_behind_the_names(void **state) {
    (void)state;
    struct selection *list;
    struct job_case job;
    struct err err = {0};
    int n;

    assert_int_equal(
        select_in(&job, "model 0.1, m.layer1   1e-2,\n tail.fc 0", true, &list, &n, &err), 0);
    assert_int_equal(n, 3);
    check_selection(&list[0], "m", "", 0.1);
    check_selection(&list[1], "m", "layer1", 0.01);
    check_selection(&list[2], "tail", "fc", 0);
    job_release(&job);
}

/* layer1 is neither layer10 nor a part of it, and what is said last holds. */
static void the_last_path_that_a_parameter_stands_in_holds(void **state) {
    (void)state;
    struct selection *list;
    struct job_case job;
    struct err err = {0};
    int n;

    assert_int_equal(select_in(&job, "m.layer1 2, m.layer1.1 3, m.layer1.1.bn1 4, m.layer1.1 5",
                               true, &list, &n, &err),
                     0);
    const struct net *m = list[0].net, *tail = model_find(&job.model, "tail");
    assert_ptr_equal(selection_of(list, n, m, "layer1.0.conv1.weight"), &list[0]);
    assert_ptr_equal(selection_of(list, n, m, "layer1.1.bn1.weight"), &list[3]);
    assert_ptr_equal(selection_of(list, 3, m, "layer1.1.bn1.weight"), &list[2]);
    assert_ptr_equal(selection_of(list, 3, m, "layer1.1.conv1.bias"), &list[1]);
    assert_null(selection_of(list, n, m, "layer10.conv1.weight"));
    assert_null(selection_of(list, n, m, "stem.weight"));
    assert_null(selection_of(list, n, tail, "layer1.0.conv1.weight"));
    job_release(&job);
}

static void check_refusal(const char *value, bool numbers, const char *expected) {
    struct selection *list;
    struct job_case job;
    struct err err = {0};
    int n;

    if (!select_in(&job, value, numbers, &list, &n, &err))
        fail_msg("%s is accepted, expected: %s", value, expected);
    check_error(&err, expected);
    job_release(&job);
}

static void what_selects_nothing_is_refused(void **state) {
    (void)state;
    check_refusal("m, tial", false,
                  "job.ini:9:10: freeze: 'tial' is no net that is used; did you mean 'tail'?");
    check_refusal("unit", false, "job.ini:9:10: freeze: 'unit' is no net that is used");
    check_refusal("m,", false, "job.ini:9:10: freeze: expected nets or parts, as in model.layer1");
    check_refusal("", false, "job.ini:9:10: freeze: expected nets or parts, as in model.layer1");
    check_refusal("m.layer2", false, "job.ini:9:10: freeze: net m has no parameter layer2");
    check_refusal("model.layer", false, "job.ini:9:10: freeze: net m has no parameter layer");
    check_refusal("m.fc", false, "job.ini:9:10: freeze: net m has no parameter fc");
    check_refusal("m 2", false, "job.ini:9:10: freeze: found '2' behind m, expected a comma");
}

static void factors_that_are_no_numbers_are_refused(void **state) {
    static const char *const found[] = {"", "-1", "10x", "nan", "1e10", "2 3"};

    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        char value[32], message[160];
        snprintf(value, sizeof value, "m.stem %s", found[i]);
        snprintf(message, sizeof message,
                 "job.ini:9:10: lr_scale: found '%s', expected a number of at least 0 behind the "
                 "name, as in lr_scale = model.fc 10",
                 found[i]);
        check_refusal(value, true, message);
    }
}

/* --- frozen parts --- */

static const char *const train_tail = NETS "train = tail\n";
static const char *const freeze_net = NETS "train = tail\nfreeze = m\n";
static const char *const freeze_layer1 = NETS "train = m, tail\nfreeze = model.layer1\n";

/* Running statistic number i of m: not what it is initialised with. */
static real begins_with(int64_t i) {
    return (real)0.05 + (real)(i % 7) / 40;
}

/* The loss, beginning with those statistics. */
static double loss_of(struct job_case *job, struct step_case *step, bool training) {
    struct net *m = model_find(&job->model, "m");

    for (int i = 0; i < step->graph->n_nodes; i++)
        step->plan->nodes[i].call.training = step->plan->nodes[i].call.training && training;
    for (int64_t i = 0; i < m->states.len; i++)
        m->state[i] = begins_with(i);
    step_run(step, image, label, BATCH, 0, NULL);
    return run_value(step->plan, step->plan->loss);
}

/* Batch norm takes its running statistics and leaves them; dropout drops nothing. */
static void a_frozen_net_computes_as_in_validation(void **state) {
    (void)state;
    double loss[3];

    for (int i = 0; i < 3; i++) {
        struct job_case job;
        struct step_case step;
        one_step(&job, &step, i ? train_tail : freeze_net);
        loss[i] = loss_of(&job, &step, i < 2);
        const struct net *m = model_find(&job.model, "m");
        int moved = 0;
        for (int64_t k = 0; k < m->states.len; k++)
            moved += m->state[k] != begins_with(k);
        assert_true(i == 1 ? moved > 0 : moved == 0);
        release_one(&job, &step);
    }
    assert_true(loss[0] == loss[2]);
    assert_true(fabs(loss[0] - loss[1]) > 1e-6);
}

static bool within(const char *name, const char *part) {
    return !strncmp(name, part, strlen(part)) && name[strlen(part)] == '.';
}

/* Exactly the parameters of layer1 have no gradient, and only its statistics stay. */
static void a_frozen_part_has_no_gradients_and_moves_no_statistics(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    one_step(&job, &step, freeze_layer1);
    loss_of(&job, &step, true);
    const struct net *m = model_find(&job.model, "m");
    for (int i = 0; i < m->weights.n; i++) {
        const struct param *p = &m->weights.items[i];
        double sum = 0;
        for (int64_t k = 0; k < p->len; k++)
            sum += fabs(m->dw[p->offset + k]);
        if (within(p->name, "layer1") ? sum != 0 : sum == 0)
            fail_msg("the gradient of %s adds up to %g", p->name, sum);
    }
    for (int i = 0; i < m->states.n; i++) {
        const struct param *p = &m->states.items[i];
        int moved = 0;
        for (int64_t k = p->offset; k < p->offset + p->len; k++)
            moved += m->state[k] != begins_with(k);
        if (within(p->name, "layer1") ? moved != 0 : moved == 0)
            fail_msg("%d numbers of %s have moved", moved, p->name);
    }
    for (int i = 0; i < step.graph->n_nodes; i++) {
        const struct node *node = &step.graph->nodes[i];
        const struct op_call *call = &step.plan->nodes[i].call;
        if (node->net && node->plan.w[0].shape.rank)
            assert_true(node->frozen ? !call->dw[0] : call->dw[0] != NULL);
        assert_true(call->training != node->frozen || !step.plan->nodes[i].live);
    }
    release_one(&job, &step);
}

/* The gradients of the others are the same to the bit, in a span of their own. */
static void what_no_step_trains_has_no_place_for_gradients(void **state) {
    (void)state;
    static const char text[] = NETS "train = m, tail\nfreeze = model.layer1, m.stem.bias\n";
    static real expected[4096];
    struct job_case job;
    struct step_case step;

    for (int compact = 0; compact < 2; compact++) {
        job_init(&job, text);
        job.batch = BATCH, job.compact = compact, job.fuse = true;
        step_init(&step, &job, "");
        job_allocate(&job, &step, 1);
        step_place(&step);
        loss_of(&job, &step, true);
        const struct net *m = model_find(&job.model, "m");
        real *at = expected;
        int64_t trained = 0;
        for (int i = 0; i < m->weights.n; i++) {
            const struct param *p = &m->weights.items[i];
            const bool frozen = within(p->name, "layer1") || !strcmp(p->name, "stem.bias");
            assert_int_equal(p->frozen, frozen && compact);
            if (frozen)
                continue;
            if (compact)
                assert_memory_equal(at, m->dw + p->offset, (size_t)p->len * sizeof(real));
            else
                memcpy(at, m->dw + p->offset, (size_t)p->len * sizeof(real));
            at += p->len, trained += param_room(p);
        }
        assert_int_equal(m->weights.trained_len, compact ? trained : m->weights.len);
        assert_true(trained < m->weights.len);
        for (int i = 0; i < step.plan->n_ready; i++)
            if (step.train[step.plan->ready[i].net] == m)
                trained -= compact ? step.plan->ready[i].len : 0;
        assert_true(trained == 0 || !compact);
        release_one(&job, &step);
    }
}

/* What stands before a frozen part is trained through it: central differences. */
static void gradients_pass_a_frozen_part(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    one_step(&job, &step, freeze_layer1);
    loss_of(&job, &step, true);
    const struct net *m = model_find(&job.model, "m");
    const struct param *stem = find_param(m, "stem.weight");
    for (int64_t k = 0; k < stem->len; k += 5) {
        real *w = &m->w[stem->offset + k];
        const double got = m->dw[stem->offset + k];
        const real kept = *w;
        *w = kept + (real)1e-5;
        const double above = loss_of(&job, &step, true);
        *w = kept - (real)1e-5;
        const double below = loss_of(&job, &step, true);
        *w = kept;
        assert_true(got != 0 && fabs((above - below) / 2e-5 - got) < 1e-7);
        loss_of(&job, &step, true);
    }
    release_one(&job, &step);
}

/* A net that is not trained gets no gradient, frozen or not; frozen, it moves no statistics. */
static void a_frozen_net_in_front_of_the_trained_one_stays_as_it_is(void **state) {
    (void)state;
    static const char text[] = "[net front(image)]\nout = image | conv(4) | bn | relu\n"
                               "[net behind(x)]\nfc = x | global_avgpool | linear(5)\n"
                               "[step]\n"
                               "loss   = cross_entropy(behind(front(image)), label)\n"
                               "train  = behind\n"
                               "freeze = front\n";
    struct job_case job;
    struct step_case step;

    one_step(&job, &step, text);
    step_run(&step, image, label, BATCH, 0, NULL);
    const struct net *front = model_find(&job.model, "front");
    assert_int_equal(front->states.n, 2);
    for (int i = 0; i < 4; i++) {
        assert_true(front->state[front->states.items[0].offset + i] == 0);
        assert_true(front->state[front->states.items[1].offset + i] == 1);
    }
    for (int i = 0; i < step.graph->n_nodes; i++)
        if (step.graph->nodes[i].home == front) {
            assert_true(step.graph->nodes[i].frozen);
            assert_false(step.plan->nodes[i].backward);
        }
    release_one(&job, &step);
}

/* Freezing is a matter of one step: another one may train the same net. */
static void a_net_is_frozen_in_one_step_and_trained_in_another(void **state) {
    (void)state;
    static const char text[] = "[net a(image)]\nout = image | conv(4) | bn | global_avgpool\n"
                               "[net b(x)]\nfc = x | linear(5)\n"
                               "[step head]\n"
                               "loss   = cross_entropy(b(a(image)), label)\n"
                               "train  = b\nfreeze = a\n"
                               "[step all]\n"
                               "loss   = cross_entropy(b(a(image)), label)\n"
                               "train  = a, b\n";
    struct job_case job;
    struct step_case steps[2];

    job_init(&job, text);
    step_init(&steps[0], &job, "head");
    step_init(&steps[1], &job, "all");
    job_allocate(&job, steps, 2);
    const struct net *a = model_find(&job.model, "a");
    for (int i = 0; i < 2; i++) {
        step_place(&steps[i]);
        step_run(&steps[i], image, label, BATCH, 0, NULL);
        assert_true((a->state[0] != 0) == (i == 1));
        assert_true((a->dw[0] != 0) == (i == 1));
        step_release(&steps[i]);
    }
    job_release(&job);
}

static void a_step_that_freezes_all_it_trains_is_refused(void **state) {
    (void)state;
    check_step_refused("[net a(image)]\nfc = image | flatten | linear(5)\n"
                       "[step]\nloss = mse(a(image), 0)\ntrain = a\nfreeze = a\n",
                       "job.ini:4:8: the loss does not depend on what is not frozen of net a, "
                       "which is to be trained");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_and_parts_are_selected),
        cmocka_unit_test(numbers_stand_behind_the_names),
        cmocka_unit_test(the_last_path_that_a_parameter_stands_in_holds),
        cmocka_unit_test(what_selects_nothing_is_refused),
        cmocka_unit_test(factors_that_are_no_numbers_are_refused),
        cmocka_unit_test(a_frozen_net_computes_as_in_validation),
        cmocka_unit_test(a_frozen_part_has_no_gradients_and_moves_no_statistics),
        cmocka_unit_test(what_no_step_trains_has_no_place_for_gradients),
        cmocka_unit_test(gradients_pass_a_frozen_part),
        cmocka_unit_test(a_frozen_net_in_front_of_the_trained_one_stays_as_it_is),
        cmocka_unit_test(a_net_is_frozen_in_one_step_and_trained_in_another),
        cmocka_unit_test(a_step_that_freezes_all_it_trains_is_refused),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
