/* Expected weights: tests/golden/optimizers.py, which follows the PyTorch documentation. */
#include "core/learn/optim.h"
#include "core/learn/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { LEN = 3, STEPS = 3 };

static const real first_w[LEN] = {1, -2, 0.5};
static const real gradients[STEPS][LEN] = {{0.1, -0.2, 0.3}, {-0.4, 0.5, 0.25}, {0.7, 0.05, -0.6}};
static const double rates[STEPS] = {0.1, 0.1, 0.05};

static const struct optimizer *find(const char *name) {
    const struct word *word = optim_find(name);

    assert_non_null(word);
    return (const struct optimizer *)(const void *)word;
}

/* Three updates; then w[LEN]. */
static void run(const char *name, const void *args, double scale, bool decay, real *w) {
    const struct optimizer *optimizer = find(name);
    real m0[LEN] = {0}, m1[LEN] = {0};

    memcpy(w, first_w, sizeof first_w);
    for (int t = 1; t <= STEPS; t++)
        optimizer->step(args,
                        &(struct optim_call){
                            w, gradients[t - 1], {m0, m1}, LEN, rates[t - 1], scale, t, decay});
}

static void check(const char *name, const void *args, const double *expected) {
    real w[LEN];

    run(name, args, 1, true, w);
    for (int i = 0; i < LEN; i++)
        assert_true(fabs(w[i] - expected[i]) < 1e-12);
}

static void sgd_follows_pytorch(void **state) {
    (void)state;
    struct optim_sgd args;

    word_defaults(optim_find("sgd"), &args);
    check("sgd", &args, (const double[]){0.995, -2.0325, 0.475});
    args.momentum = 0.9;
    check("sgd", &args, (const double[]){0.99995, -2.0289, 0.4246});
    args.nesterov = 1;
    args.weight_decay = 0.01;
    check("sgd", &args, (const double[]){0.9886315612755, -2.045917272551, 0.40423326990025});
}

static void gradient_is_scaled_before_penalties_are_added(void **state) {
    (void)state;
    const struct optim_sgd args = {.weight_decay = 0.1, .l1 = 0.02};
    const double expected[] = {0.96771415, -1.9617134, 0.4704264};
    real w[LEN];

    run("sgd", &args, 0.5, true, w);
    for (int i = 0; i < LEN; i++)
        assert_true(fabs(w[i] - expected[i]) < 1e-12);
}

static void adagrad_follows_pytorch(void **state) {
    (void)state;
    struct optim_adagrad args;

    word_defaults(optim_find("adagrad"), &args);
    args.weight_decay = 0.01;
    check("adagrad", &args,
          (const double[]){0.952863724341129, -1.99377919306368, 0.377636070732454});
}

static void rmsprop_follows_pytorch(void **state) {
    (void)state;
    struct optim_rmsprop args;

    word_defaults(optim_find("rmsprop"), &args);
    check("rmsprop", &args,
          (const double[]){0.539020202630826, -1.97560568022855, -0.722031997418576});
    args =
        (struct optim_rmsprop){.alpha = 0.9, .eps = 0.001, .momentum = 0.5, .weight_decay = 0.01};
    check("rmsprop", &args,
          (const double[]){0.741278119750222, -1.86409957281253, -0.131316999630583});
}

static void adam_follows_pytorch(void **state) {
    (void)state;
    struct optim_adam args;

    word_defaults(optim_find("adam"), &args);
    check("adam", &args, (const double[]){0.939395955266052, -1.96419451650067, 0.306773514024587});
    args = (struct optim_adam){.beta1 = 0.5, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.1};
    check("adam", &args, (const double[]){0.915156168476112, -1.9125015699532, 0.326877811794339});
}

static void adamw_decays_weights_apart_from_the_gradient(void **state) {
    (void)state;
    const struct optim_adam args = {.beta1 = 0.5, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.1};

    check("adamw", &args,
          (const double[]){0.925059091276367, -1.94457312131444, 0.321148099214776});
}

/* Every optimiser: without decay, penalties that are set change nothing. */
static void pieces_without_decay_have_no_penalty(void **state) {
    (void)state;
    const struct optim_sgd with = {.momentum = 0.5, .weight_decay = 0.3, .l1 = 0.2};
    const struct optim_sgd without = {.momentum = 0.5};
    const struct optim_adam adam_with = {
        .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.3, .l1 = 0.2};
    struct optim_adam adam_without = adam_with;
    real a[LEN], b[LEN];

    run("sgd", &with, 1, false, a);
    run("sgd", &without, 1, true, b);
    assert_memory_equal(a, b, sizeof a);
    adam_without.weight_decay = adam_without.l1 = 0;
    run("adam", &adam_with, 1, false, a);
    run("adam", &adam_without, 1, true, b);
    assert_memory_equal(a, b, sizeof a);
    run("adamw", &adam_with, 1, false, b);
    assert_memory_equal(a, b, sizeof a);
}

static void cuts_do_not_change_the_numbers(void **state) {
    (void)state;
    enum { N = 101 };
    int n;
    const struct optimizer *const *table = optim_table(&n);

    assert_int_equal(n, 5);
    for (int k = 0; k < n; k++) {
        unsigned char args[256];
        real whole[3][N], cut[3][N], dw[N];

        assert_true(table[k]->word.args_size <= sizeof args);
        assert_true(table[k]->n_moments <= OPTIM_MAX_MOMENTS);
        word_defaults(&table[k]->word, args);
        for (int i = 0; i < N; i++) {
            whole[0][i] = cut[0][i] = (real)(i - 50) / 7;
            whole[1][i] = cut[1][i] = whole[2][i] = cut[2][i] = (real)i / 9;
            dw[i] = (real)(i % 11 - 5) / 3;
        }
        table[k]->step(
            args, &(struct optim_call){whole[0], dw, {whole[1], whole[2]}, N, 0.1, 1, 4, true});
        for (int from = 0, to = 13; from < N; from = to, to = N)
            table[k]->step(args, &(struct optim_call){cut[0] + from,
                                                      dw + from,
                                                      {cut[1] + from, cut[2] + from},
                                                      to - from,
                                                      0.1,
                                                      1,
                                                      4,
                                                      true});
        assert_memory_equal(whole, cut, sizeof whole);
    }
}

/* The trainer finds the rate in the first bytes of any optimiser's arguments. */
static void the_rate_is_the_first_argument_of_all(void **state) {
    (void)state;
    int n;
    const struct optimizer *const *table = optim_table(&n);

    for (int k = 0; k < n; k++) {
        assert_string_equal(table[k]->word.args[0].name, "lr");
        assert_int_equal(table[k]->word.args[0].offset, 0);
        assert_int_equal(table[k]->word.args[0].kind, ARG_APPLIED);
        assert_ptr_equal(table[k]->word.args[0].find("cosine"), schedule_find("cosine"));
        assert_ptr_equal(optim_find(table[k]->word.name), &table[k]->word);
    }
    assert_null(optim_find("lion"));
}

static void documented_defaults_are_set(void **state) {
    (void)state;
    struct optim_adam adam, adamw;
    struct optim_rmsprop rmsprop;
    struct optim_adagrad adagrad;

    word_defaults(optim_find("adam"), &adam);
    word_defaults(optim_find("adamw"), &adamw);
    word_defaults(optim_find("rmsprop"), &rmsprop);
    word_defaults(optim_find("adagrad"), &adagrad);
    assert_true(adam.beta1 == 0.9 && adam.beta2 == 0.999 && adam.eps == 1e-8);
    assert_true(adam.weight_decay == 0 && adamw.weight_decay == 0.01 && adamw.l1 == 0);
    assert_true(rmsprop.alpha == 0.99 && rmsprop.eps == 1e-8 && rmsprop.momentum == 0);
    assert_true(adagrad.eps == 1e-10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_follows_pytorch),
        cmocka_unit_test(gradient_is_scaled_before_penalties_are_added),
        cmocka_unit_test(adagrad_follows_pytorch),
        cmocka_unit_test(rmsprop_follows_pytorch),
        cmocka_unit_test(adam_follows_pytorch),
        cmocka_unit_test(adamw_decays_weights_apart_from_the_gradient),
        cmocka_unit_test(pieces_without_decay_have_no_penalty),
        cmocka_unit_test(cuts_do_not_change_the_numbers),
        cmocka_unit_test(the_rate_is_the_first_argument_of_all),
        cmocka_unit_test(documented_defaults_are_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
