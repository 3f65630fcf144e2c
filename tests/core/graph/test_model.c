#include "core/graph/graph_case.h"

static const char small[] = "[net m(image)]\n"
                            "a  = image | conv(5) | bn | relu\n"
                            "b  = a | conv(5) | relu\n"
                            "c  = a + b | conv(5) | global_avgpool\n"
                            "fc = c | linear(7)\n"
                            "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n";

static void prepare(struct job_case *job, struct step_case *step, const char *text, uint64_t seed) {
    struct err err = {0};

    job_init(job, text);
    step_init(step, job, "");
    step->train[0]->trained = true;
    assert_int_equal(model_allocate(&job->model, seed, &err), 0);
}

/* The first values of a weight, whose net is found by name. */
static const real *weight(const struct job_case *job, const char *net, const char *name) {
    const struct net *n = model_find(&job->model, net);

    assert_non_null(n);
    return n->w + find_param(n, name)->offset;
}

static void spans_and_parameters_are_aligned(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, small, 1);
    const struct net *net = job.model.nets[0];
    const real *const spans[] = {net->w, net->dw, net->state};
    for (int i = 0; i < 3; i++)
        assert_int_equal((uintptr_t)spans[i] % 64, 0);
    const struct params *const kinds[] = {&net->weights, &net->states};
    for (int k = 0; k < 2; k++) {
        int64_t end = 0;
        assert_true(kinds[k]->n > 0);
        for (int i = 0; i < kinds[k]->n; i++) {
            const struct param *p = &kinds[k]->items[i];
            assert_int_equal((size_t)p->offset * sizeof(real) % 64, 0);
            assert_in_range(p->offset - end, 0, 64 / sizeof(real) - 1);
            assert_int_equal(p->len, shape_len(&p->shape));
            end = p->offset + p->len;
        }
        assert_in_range(kinds[k]->len - end, 0, 64 / sizeof(real) - 1);
        assert_int_equal((size_t)kinds[k]->len * sizeof(real) % 64, 0);
    }
    assert_true(job.model.arena.used <= model_bytes(&job.model));
    job_release(&job);
}

static void gaps_between_parameters_are_zero(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, small, 1);
    const struct net *net = job.model.nets[0];
    for (int i = 0; i < net->weights.n; i++) {
        const struct param *p = &net->weights.items[i];
        const int64_t next = i + 1 < net->weights.n ? p[1].offset : net->weights.len;
        for (int64_t k = p->offset + p->len; k < next; k++)
            assert_true(net->w[k] == 0 && net->dw[k] == 0);
    }
    for (int64_t k = 0; k < net->weights.len; k++)
        assert_true(net->dw[k] == 0);
    job_release(&job);
}

/* Those that are frozen stand behind the others; names and order of the list stay. */
static void frozen_parameters_come_last_and_have_no_gradients(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, small);
    step_init(&step, &job, "");
    struct net *net = step.train[0];
    net->trained = true;
    const size_t all = model_bytes(&job.model);
    for (int i = 0; i < net->weights.n; i++)
        net->weights.items[i].frozen = i % 3 == 0;
    params_arrange(&net->weights);
    int64_t end[2] = {0, net->weights.trained_len};
    for (int i = 0; i < net->weights.n; i++) {
        const struct param *p = &net->weights.items[i];
        assert_int_equal(p->offset, end[p->frozen]);
        end[p->frozen] += param_room(p);
    }
    assert_int_equal(end[0], net->weights.trained_len);
    assert_int_equal(end[1], net->weights.len);
    assert_true(end[0] > 0 && end[0] < end[1]);
    assert_true(all - model_bytes(&job.model) == arena_round((size_t)end[1] * sizeof(real)) -
                                                     arena_round((size_t)end[0] * sizeof(real)));
    assert_int_equal(model_allocate(&job.model, 3, &err), 0);
    assert_true(job.model.arena.used <= model_bytes(&job.model));
    job_release(&job);
}

/* 3*3*3*5 + 3*3*5*5 twice, 5 biases of b and c each, 2*5 of bn, 5*7 + 7; without gaps. */
static void weights_are_counted_without_gaps(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step, small, 1);
    assert_int_equal(net_n_weights(job.model.nets[0]), 135 + 2 * 225 + 10 + 10 + 42);
    job_release(&job);
}

static void first_weights_follow_from_seed_and_names_only(void **state) {
    (void)state;
    static const char larger[] =
        "[net other(image)]\n"
        "a = image | conv(3) | bn\n"
        "[net m(image)]\n"
        "z  = image | conv(3) | relu\n"
        "a  = z | conv(5) | bn | relu\n"
        "b  = a | conv(5) | relu\n"
        "fc = b | global_avgpool | linear(7)\n"
        "[step]\nloss = cross_entropy(m(other(image)), label)\ntrain = m\n";
    struct job_case job[2];
    struct step_case step[2];

    prepare(&job[0], &step[0], small, 11), prepare(&job[1], &step[1], larger, 11);
    assert_int_not_equal(find_param(step[0].train[0], "b.weight")->offset,
                         find_param(step[1].train[0], "b.weight")->offset);
    assert_memory_equal(weight(&job[0], "m", "b.weight"), weight(&job[1], "m", "b.weight"),
                        225 * sizeof(real));
    assert_memory_equal(weight(&job[0], "m", "fc.weight"), weight(&job[1], "m", "fc.weight"),
                        35 * sizeof(real));
    job_release(&job[0]), job_release(&job[1]);
}

static void another_seed_net_or_name_gives_other_weights(void **state) {
    (void)state;
    char renamed[sizeof small];
    struct job_case job[3];
    struct step_case step[3];

    strcpy(renamed, small);
    *strchr(renamed, 'm') = 'n';
    *strstr(renamed, "m(image)") = 'n';
    *(strstr(renamed, "train = m") + 8) = 'n';
    prepare(&job[0], &step[0], small, 11), prepare(&job[1], &step[1], small, 12);
    prepare(&job[2], &step[2], renamed, 11);
    const real *w = weight(&job[0], "m", "b.weight");
    const real *const others[] = {weight(&job[0], "m", "c.weight"),
                                  weight(&job[1], "m", "b.weight"),
                                  weight(&job[2], "n", "b.weight")};
    for (int k = 0; k < 3; k++) {
        int equal = 0;
        for (int i = 0; i < 225; i++)
            equal += w[i] == others[k][i];
        assert_in_range(equal, 0, 2);
    }
    for (int i = 0; i < 3; i++)
        job_release(&job[i]);
}

/* Of 225 kaiming weights with 45 inputs each: deviation sqrt(2/45), give or take 15 %. */
static void initialisers_fill_the_spans(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    double squares = 0;

    prepare(&job, &step, small, 11);
    const struct net *net = job.model.nets[0];
    const real *w = weight(&job, "m", "b.weight");
    for (int i = 0; i < 225; i++)
        squares += (double)w[i] * (double)w[i];
    assert_true(fabs(sqrt(squares / 225) / sqrt(1.0 / 3 / 45) - 1) < 0.15);
    for (int i = 0; i < 5; i++) {
        assert_true(weight(&job, "m", "bn1.weight")[i] == 1);
        assert_true(weight(&job, "m", "bn1.bias")[i] == 0);
    }
    assert_int_equal(net->states.n, 2);
    assert_string_equal(net->states.items[1].name, "bn1.running_var");
    for (int i = 0; i < 5; i++) {
        assert_true(net->state[net->states.items[0].offset + i] == 0);
        assert_true(net->state[net->states.items[1].offset + i] == 1);
    }
    job_release(&job);
}

static void nets_that_no_step_trains_have_no_gradients(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    prepare(&job, &step,
            "[net fixed(image)]\nout = image | conv(3)\n"
            "[net m(image)]\nout = image | global_avgpool | linear(4)\n"
            "[step]\nloss = mse(m(fixed(image)), 0)\ntrain = m\n",
            1);
    assert_null(model_find(&job.model, "fixed")->dw);
    assert_non_null(model_find(&job.model, "fixed")->w);
    assert_non_null(model_find(&job.model, "m")->dw);
    assert_null(model_find(&job.model, "nobody"));
    job_release(&job);
}

static void a_parameter_of_two_shapes_is_refused(void **state) {
    (void)state;
    struct model model = {0};
    struct params params = {0};
    struct op_param spec = {.name = "weight", .shape = {2, {3, 5}}};
    struct err err = {0};
    int index = -1;

    assert_int_equal(params_find_or_add(&params, &model.pool, "a.weight", &spec, &index, &err), 0);
    assert_int_equal(index, 0);
    assert_int_equal(params_find_or_add(&params, &model.pool, "b.weight", &spec, &index, &err), 0);
    assert_int_equal(index, 1);
    assert_int_equal(params_find_or_add(&params, &model.pool, "a.weight", &spec, &index, &err), 0);
    assert_int_equal(index, 0);
    assert_int_equal(params.n, 2);
    spec.shape.dim[1] = 4;
    assert_int_equal(params_find_or_add(&params, &model.pool, "b.weight", &spec, &index, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, "parameter b.weight would have the shapes 3x5 and 3x4 in two uses "
                                 "of its net");
    model_release(&model);
    model_release(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_and_parameters_are_aligned),
        cmocka_unit_test(gaps_between_parameters_are_zero),
        cmocka_unit_test(frozen_parameters_come_last_and_have_no_gradients),
        cmocka_unit_test(weights_are_counted_without_gaps),
        cmocka_unit_test(first_weights_follow_from_seed_and_names_only),
        cmocka_unit_test(another_seed_net_or_name_gives_other_weights),
        cmocka_unit_test(initialisers_fill_the_spans),
        cmocka_unit_test(nets_that_no_step_trains_have_no_gradients),
        cmocka_unit_test(a_parameter_of_two_shapes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
