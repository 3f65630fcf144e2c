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

static bool overlap(size_t a, size_t a_end, size_t b, size_t b_end) {
    return a < b_end && b < a_end;
}

/* For a job's step: built and planned, with memory. */
static void prepare(struct job_case *job, struct step_case *step, const struct job_text *net) {
    job_init(job, net->text);
    step_init(step, job, net->step);
    job_allocate(job, step, 1);
    step_place(step);
}

static void values_alive_at_once_share_no_memory(void **state) {
    (void)state;
    for (int net = 0; net < N_NETS; net++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &all_nets[net]);
        const struct plan *p = step.plan;
        for (int i = 0; i < p->n_slots; i++)
            for (int k = 0; k < i; k++) {
                const struct plan_slot *a = &p->slots[i], *b = &p->slots[k];
                if (a->first <= b->last && b->first <= a->last)
                    assert_false(
                        overlap(a->offset, a->offset + a->bytes, b->offset, b->offset + b->bytes));
            }
        for (int i = 0; i < p->n_slots; i++) {
            assert_int_equal(p->slots[i].offset % ARENA_ALIGN, 0);
            assert_true(p->slots[i].offset + p->slots[i].bytes <= p->slot_bytes);
        }
        release_one(&job, &step);
    }
}

static void slots_hold_their_values(void **state) {
    (void)state;
    for (int net = 0; net < N_NETS; net++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &all_nets[net]);
        for (int i = 0; i < step.graph->n_nodes; i++) {
            const struct plan_node *pn = &step.plan->nodes[i];
            const struct node *node = &step.graph->nodes[i];
            const size_t bytes = (size_t)shape_len(&node->plan.y) * sizeof(act);

            if (pn->y_slot >= 0)
                assert_true(step.plan->slots[pn->y_slot].bytes >= bytes);
            if (pn->dy_slot >= 0)
                assert_true(step.plan->slots[pn->dy_slot].bytes >= bytes);
            if (pn->saved_slot >= 0)
                assert_true(step.plan->slots[pn->saved_slot].bytes >= node->plan.saved_bytes);
            if (pn->live)
                assert_true(step.plan->scratch_bytes >= node->plan.scratch_bytes);
            assert_int_equal(pn->y_slot >= 0, pn->live && !node->field);
            assert_int_equal(pn->dy_slot >= 0, pn->backward);
        }
        release_one(&job, &step);
    }
}

/* Gradients of the trained nets after a run on n samples, in memory of the caller's. */
static void gradients(struct step_case *step, int64_t n, real *out, int64_t len) {
    step_run(step, image, label, n, 0, NULL);
    for (int t = 0; t < step->n_train; t++) {
        assert_true(step->train[t]->weights.len <= len);
        memcpy(out, step->train[t]->dw, (size_t)step->train[t]->weights.len * sizeof(real));
    }
}

/* If a life ended too early in the plan, what took its memory would change the result. */
static void results_are_those_of_memory_that_is_not_shared(void **state) {
    (void)state;
    enum { ROOM = 20000 };
    static real with[ROOM], without[ROOM];

    for (int net = 0; net < N_NETS; net++) {
        struct job_case job;
        struct step_case step;

        prepare(&job, &step, &all_nets[net]);
        struct plan *p = step.plan;
        const size_t together = p->slot_bytes;
        gradients(&step, BATCH, with, ROOM);
        const double loss = run_value(p, p->loss);
        assert_true(isfinite(loss));
        p->slot_bytes = 0;
        for (int i = 0; i < p->n_slots; i++) {
            p->slots[i].offset = p->slot_bytes;
            p->slot_bytes += p->slots[i].bytes;
        }
        assert_true(together < p->slot_bytes);
        step_release(&step);
        step_place(&step);
        gradients(&step, BATCH, without, ROOM);
        assert_true(loss == run_value(p, p->loss));
        assert_memory_equal(with, without, (size_t)step.train[0]->weights.len * sizeof(real));
        release_one(&job, &step);
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

static void relu_after_conv_takes_no_memory(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, &(struct job_text){in_place, ""});
    const struct plan_node *nodes = step.plan->nodes;
    const int conv = node_of_op(step.graph, "conv", 0), relu = node_of_op(step.graph, "relu", 0);
    const int dropout = node_of_op(step.graph, "dropout", 0);
    const int flatten = node_of_op(step.graph, "flatten", 0);
    assert_int_equal(nodes[relu].y_slot, nodes[conv].y_slot);
    assert_int_equal(nodes[relu].dy_slot, nodes[conv].dy_slot);
    assert_int_not_equal(nodes[dropout].y_slot, nodes[relu].y_slot); /* relu's backward reads it */
    assert_int_equal(nodes[dropout].dy_slot, nodes[relu].dy_slot);
    assert_int_not_equal(nodes[flatten].y_slot, nodes[dropout].y_slot); /* pixels change places */
    assert_int_not_equal(nodes[flatten].dy_slot, nodes[dropout].dy_slot);
    release_one(&job, &step);
}

/* Inputs belong to the caller; a value that is read again keeps its memory. */
static void what_is_needed_later_is_not_overwritten(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step,
            &(struct job_text){"[net m(image)]\n"
                               "a = image | relu\n"
                               "b = a | conv(3)\n"
                               "c = b | relu\n"
                               "d = b + c | flatten | linear(5)\n"
                               "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n",
                               ""});
    const int conv = node_of_op(step.graph, "conv", 0), relu = node_of_op(step.graph, "relu", 1);
    assert_true(step.plan->nodes[node_of_op(step.graph, "relu", 0)].y_slot >= 0);
    assert_int_not_equal(step.plan->nodes[relu].y_slot, step.plan->nodes[conv].y_slot);
    assert_int_not_equal(step.plan->nodes[relu].dy_slot, step.plan->nodes[conv].dy_slot);
    release_one(&job, &step);
}

/* Losses of weight 0 read every value again, at the end, so that none can be overwritten. */
static void results_are_those_without_aliasing(void **state) {
    (void)state;
    enum { ROOM = 20000 };
    static real with[ROOM], without[ROOM];
    struct job_case job[2];
    struct step_case step[2];
    char text[2048];

    snprintf(text, sizeof text, "%s", in_place);
    char *train = strstr(text, "\ntrain");
    strcpy(train, " + 0*mse(y.a, 0) + 0*mse(y.b, 0) + 0*mse(y.c, 0) + 0*mse(y.d, 0) + "
                  "0*mse(y.e, 0) + 0*mse(y.f, 0) + 0*mse(y.g, 0) + 0*mse(y.h, 0)\ntrain = m\n");
    job_init(&job[0], in_place), job_init(&job[1], text);
    for (int i = 0; i < 2; i++) {
        step_init(&step[i], &job[i], "");
        job_allocate(&job[i], &step[i], 1);
        step_place(&step[i]);
    }
    const int conv = node_of_op(step[1].graph, "conv", 0);
    const int relu = node_of_op(step[1].graph, "relu", 0);
    assert_int_not_equal(step[1].plan->nodes[relu].y_slot, step[1].plan->nodes[conv].y_slot);
    gradients(&step[0], BATCH, with, ROOM);
    gradients(&step[1], BATCH, without, ROOM);
    for (int64_t i = 0; i < step[0].train[0]->weights.len; i++)
        assert_true(fabs(with[i] - without[i]) <= 1e-14 * (1 + fabs(with[i])));
    for (int i = 0; i < 2; i++)
        release_one(&job[i], &step[i]);
}

static void without_a_loss_nothing_is_kept(void **state) {
    (void)state;
    struct job_case job;
    struct step_case train, only_forward;

    job_init(&job, "[net m(image)]\n"
                   "a = image | conv(8) | bn | relu | conv(8) | bn | relu | conv(8) | bn | relu\n"
                   "fc = a | global_avgpool | linear(5)\n"
                   "[step train]\nloss = cross_entropy(m(image), label)\ntrain = m\n"
                   "[step look]\nout = accuracy(m(image), label)\n");
    step_init(&train, &job, "train");
    step_init(&only_forward, &job, "look");
    for (int i = 0; i < only_forward.graph->n_nodes; i++) {
        assert_false(only_forward.plan->nodes[i].backward);
        assert_int_equal(only_forward.plan->nodes[i].dy_slot, -1);
    }
    assert_int_equal(only_forward.plan->n_ready, 0);
    assert_true(3 * only_forward.plan->slot_bytes < train.plan->slot_bytes);
    job_release(&job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_alive_at_once_share_no_memory),
        cmocka_unit_test(slots_hold_their_values),
        cmocka_unit_test(results_are_those_of_memory_that_is_not_shared),
        cmocka_unit_test(relu_after_conv_takes_no_memory),
        cmocka_unit_test(what_is_needed_later_is_not_overwritten),
        cmocka_unit_test(results_are_those_without_aliasing),
        cmocka_unit_test(without_a_loss_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
