/* Expected weights are PyTorch's: golden_optim.h, or worked by hand where so said. */
#include "core/learn/optim.h"
#include "core/learn/golden_optim.h"
#include "core/learn/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N_CASES = sizeof golden_optims / sizeof *golden_optims };

/* Rounding, in parts of 1 and of the larger number: some additions in all updates. */
static double tolerance(void) {
    return sizeof(real) == sizeof(double) ? 1e-12 : 2e-5;
}

static void near(const char *what, double found, double expected) {
    if (!(fabs(found - expected) <= tolerance() * fmax(1, fabs(expected))))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}

/* An optimiser with arguments: defaults, and then what the test sets by name. */
struct made {
    const struct optimizer *optimizer;
    double args[32];
};

static void make(struct made *m, const char *name) {
    const struct word *word = optim_find(name);

    assert_non_null(word);
    assert_true(word->args_size <= sizeof m->args);
    m->optimizer = (const struct optimizer *)(const void *)word;
    assert_true(m->optimizer->n_moments <= OPTIM_MAX_MOMENTS);
    word_defaults(word, m->args);
}

/* The argument of that name. */
static void *spot(struct made *m, const char *name, enum arg_kind kind) {
    const struct arg_spec *a = m->optimizer->word.args;

    while (a->name && strcmp(a->name, name))
        a++;
    if (!a->name || a->kind != kind)
        fail_msg("%s has no %s of that kind", m->optimizer->word.name, name);
    return (char *)m->args + a->offset;
}

static void set(struct made *m, const char *name, double value) {
    if (!strcmp(name, "nesterov"))
        *(int *)spot(m, name, ARG_WORD) = (int)value;
    else if (!strcmp(name, "exclude"))
        *(int *)spot(m, name, ARG_WORDS) = (int)value;
    else
        *(double *)spot(m, name, ARG_REAL) = value;
}

static void set_all(struct made *m, const struct golden_optim *g) {
    make(m, g->name);
    for (int i = 0; i < GOLDEN_ARGS && g->args[i].name; i++)
        set(m, g->args[i].name, g->args[i].value);
}

static void numbers_are_those_of_pytorch(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        const struct golden_optim *g = &golden_optims[k];
        real w[GOLDEN_LEN], dw[GOLDEN_LEN], m0[GOLDEN_LEN] = {0}, m1[GOLDEN_LEN] = {0};
        struct made m;

        set_all(&m, g);
        real *last = m.optimizer->n_moments == OPTIM_MAX_MOMENTS ? m1 : NULL;
        for (int i = 0; i < GOLDEN_LEN; i++)
            w[i] = (real)golden_w[i];
        for (int t = 0; t < GOLDEN_UPDATES; t++) {
            char what[64];
            for (int i = 0; i < GOLDEN_LEN; i++)
                dw[i] = (real)golden_dw[t][i];
            const struct optim_call c = {w,        dw,    {m0, last}, GOLDEN_LEN, golden_lr[t],
                                         g->scale, t + 1, g->decay,   g->norm};
            optim_update(m.optimizer, m.args, &c, NULL);
            snprintf(what, sizeof what, "case %d, %s, update %d", k, g->name, t + 1);
            for (int i = 0; i < GOLDEN_LEN; i++)
                near(what, (double)w[i], g->w[t][i]);
        }
    }
}

static void every_optimizer_has_numbers_from_elsewhere(void **state) {
    (void)state;
    int n;
    const struct optimizer *const *table = optim_table(&n);

    for (int k = 0; k < n; k++) {
        bool with = false, without = false;
        for (int i = 0; i < N_CASES; i++)
            if (!strcmp(golden_optims[i].name, table[k]->word.name)) {
                with = with || golden_optims[i].decay;
                without = without || !golden_optims[i].decay;
            }
        if (!with || !without)
            fail_msg("golden_optim.h has no %s with and without decay", table[k]->word.name);
    }
}

/* Weights, gradient and two moments in one piece of memory. */
struct spans {
    int64_t len;
    real *w, *dw, *moment[OPTIM_MAX_MOMENTS];
};

static struct spans spans_new(int64_t len) {
    real *w = malloc(4 * (size_t)len * sizeof *w);

    assert_non_null(w);
    for (int64_t i = 0; i < len; i++) {
        w[i] = (real)(i % 101 - 50) / 7;
        w[len + i] = (real)(i % 11 - 5) / 3;
        w[2 * len + i] = w[3 * len + i] = (real)(i % 97) / 9;
    }
    return (struct spans){len, w, w + len, {w + 2 * len, w + 3 * len}};
}

static struct optim_call call_of(const struct spans *s, int64_t begin, int64_t end) {
    return (struct optim_call){.w = s->w + begin,
                               .dw = s->dw + begin,
                               .moment = {s->moment[0] + begin, s->moment[1] + begin},
                               .len = end - begin,
                               .lr = 0.1,
                               .scale = 0.7,
                               .t = 4,
                               .decay = true};
}

static void expect_equal(const char *name, const struct spans *a, const struct spans *b) {
    if (memcmp(a->w, b->w, 4 * (size_t)a->len * sizeof *a->w))
        fail_msg("%s: other bits", name);
}

/* With the arguments of all golden cases. */
static void cuts_do_not_change_the_bits(void **state) {
    (void)state;
    enum { N = 1013 };

    for (int k = 0; k < N_CASES; k++) {
        const int64_t cuts[] = {0, 13, 14, 14, 200, 999, N};
        struct made m;

        set_all(&m, &golden_optims[k]);
        if (optim_whole(m.optimizer))
            continue;
        struct spans whole = spans_new(N), pieces = spans_new(N);
        const struct optim_call all = call_of(&whole, 0, N);
        optim_update(m.optimizer, m.args, &all, NULL);
        for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; i++) {
            const struct optim_call c = call_of(&pieces, cuts[i], cuts[i + 1]);
            optim_update(m.optimizer, m.args, &c, NULL);
        }
        expect_equal(golden_optims[k].name, &whole, &pieces);
        free(whole.w);
        free(pieces.w);
    }
}

static void threads_do_not_change_the_bits(void **state) {
    (void)state;
    const int64_t lengths[] = {1, 4097, 65537, 100003, 1200007};
    int n;
    const struct optimizer *const *table = optim_table(&n);

    for (int threads = 2; threads <= 5; threads++) {
        struct err err = {0};
        struct team *team;
        assert_int_equal(team_new(&team, threads, &err), 0);
        for (int k = 0; k < n; k++)
            for (int i = 0; i < 5; i++) {
                struct made m;
                make(&m, table[k]->word.name);
                struct spans one = spans_new(lengths[i]), many = spans_new(lengths[i]);
                const struct optim_call a = call_of(&one, 0, lengths[i]);
                const struct optim_call b = call_of(&many, 0, lengths[i]);
                optim_update(m.optimizer, m.args, &a, NULL);
                optim_update(m.optimizer, m.args, &b, team);
                expect_equal(table[k]->word.name, &one, &many);
                free(one.w);
                free(many.w);
            }
        team_free(team);
    }
}

/* All weights are 2, so that |w| = 2 sqrt(n); only the last gradient is 1, so that |g| = 1. lars
 * moves the last weight by lr * |w| / |g|. lamb, without means, moves it by lr * |w| times its
 * sign. */
static void norms_are_those_of_all_elements(void **state) {
    (void)state;
    const int64_t lengths[] = {1, 15, 16, 17, 4096, 4097, 20011, 1048576, 1048577};

    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const int64_t n = lengths[k];
        for (int lamb = 0; lamb < 2; lamb++) {
            struct made m;
            struct spans s = spans_new(n);
            make(&m, lamb ? "lamb" : "lars");
            if (lamb)
                set(&m, "beta1", 0), set(&m, "beta2", 0), set(&m, "weight_decay", 0);
            else
                set(&m, "momentum", 0), set(&m, "trust", 1);
            for (int64_t i = 0; i < n; i++)
                s.w[i] = 2, s.dw[i] = i == n - 1, s.moment[0][i] = s.moment[1][i] = 0;
            const struct optim_call c = {s.w,  s.dw, {s.moment[0], s.moment[1]}, n, 0.5, 1, 1,
                                         true, false};
            optim_update(m.optimizer, m.args, &c, NULL);
            near("last", (double)s.w[n - 1], 2 - 0.5 * 2 * sqrt((double)n));
            assert_true(n == 1 || s.w[0] == 2);
            free(s.w);
        }
    }
}

/* The first update of a layer that begins with zeros: sgd's step and adam's. */
static void weights_of_zeros_are_moved(void **state) {
    (void)state;
    const real dw[] = {3, -4};

    for (int lamb = 0; lamb < 2; lamb++) {
        real w[2] = {0}, m0[2] = {0}, m1[2] = {0};
        struct made m;
        make(&m, lamb ? "lamb" : "lars");
        const struct optim_call c = {w, dw, {m0, m1}, 2, 0.1, 1, 1, true, false};
        optim_update(m.optimizer, m.args, &c, NULL);
        near("first", (double)w[0], lamb ? -0.1 * 3 / (3 + 1e-6) : -0.3);
        near("second", (double)w[1], lamb ? 0.1 * 4 / (4 + 1e-6) : 0.4);
    }
}

/* sgd's and adam's step, or one as long as the weights allow. */
static void only_what_is_excluded_keeps_the_plain_step(void **state) {
    (void)state;
    for (int k = 0; k < 16; k++) {
        const bool lamb = k & 1, norm = k & 2;
        const int exclude = k >> 2;
        const bool plain = exclude & (norm ? 2 : 1);
        const real dw[] = {3, -4};
        real w[2] = {6, 8}, m0[2] = {0}, m1[2] = {0};
        struct made m;
        make(&m, lamb ? "lamb" : "lars");
        set(&m, "exclude", exclude);
        set(&m, "weight_decay", 0);
        const struct optim_call c = {w, dw, {m0, m1}, 2, 0.1, 1, 1, false, norm};
        optim_update(m.optimizer, m.args, &c, NULL);
        const double lars_step = plain ? 0.3 : 0.1 * 0.001 * 10 / 5 * 3;
        const double lamb_step = 0.1 * (plain ? 1 : 10 / sqrt(2)); /* adam's is 1 each */
        if (fabs((double)w[0] - 6 + (lamb ? lamb_step : lars_step)) > 2e-5)
            fail_msg("%s, %s, exclude %d: found %g", lamb ? "lamb" : "lars", norm ? "norm" : "bias",
                     exclude, (double)w[0]);
    }
}

static void gradients_of_zeros_change_no_weight(void **state) {
    (void)state;
    static const char *const names[] = {"lars", "lamb"};

    for (int k = 0; k < 2; k++) {
        const real dw[2] = {0};
        real w[2] = {1, -2}, m0[2] = {0}, m1[2] = {0};
        struct made m;
        make(&m, names[k]);
        set(&m, "weight_decay", 0);
        const struct optim_call c = {w, dw, {m0, m1}, 2, 0.1, 1, 1, true, false};
        optim_update(m.optimizer, m.args, &c, NULL);
        assert_true(w[0] == 1 && w[1] == -2);
    }
}

static void the_schedule_of_the_rate_is_found_by_its_name(void **state) {
    (void)state;
    int n;
    const struct optimizer *const *table = optim_table(&n);

    for (int k = 0; k < n; k++) {
        const struct word *word = &table[k]->word;
        struct made m;
        make(&m, word->name);
        const struct applied optimizer = {word, m.args};
        struct applied *lr = spot(&m, "lr", ARG_APPLIED);
        lr->word = schedule_find("cosine");
        assert_ptr_equal(optim_schedule(&optimizer, "lr"), lr);
        assert_ptr_equal(optim_schedule(&optimizer, "lr")->word, schedule_find("cosine"));
        assert_null(optim_schedule(&optimizer, "weight_decay")); /* takes no schedule */
        assert_null(optim_schedule(&optimizer, "temperature"));
        assert_ptr_equal(optim_find(word->name), word);
    }
    assert_null(optim_find("lion"));
}

static void documented_defaults_are_set(void **state) {
    static const struct {
        const char *optimizer, *name;
        double value;
    } expected[] = {
        {"sgd", "momentum", 0},
        {"adagrad", "eps", 1e-10},
        {"rmsprop", "alpha", 0.99},
        {"rmsprop", "eps", 1e-8},
        {"rmsprop", "momentum", 0},
        {"adam", "beta1", 0.9},
        {"adam", "beta2", 0.999},
        {"adam", "eps", 1e-8},
        {"adam", "weight_decay", 0},
        {"adamw", "weight_decay", 0.01},
        {"adamw", "l1", 0},
        {"lars", "momentum", 0.9},
        {"lars", "trust", 0.001},
        {"lars", "eps", 0},
        {"lars", "weight_decay", 0},
        {"lamb", "eps", 1e-6},
        {"lamb", "weight_decay", 0.01},
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct made m;
        make(&m, expected[i].optimizer);
        assert_true(*(double *)spot(&m, expected[i].name, ARG_REAL) == expected[i].value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_pytorch),
        cmocka_unit_test(every_optimizer_has_numbers_from_elsewhere),
        cmocka_unit_test(cuts_do_not_change_the_bits),
        cmocka_unit_test(threads_do_not_change_the_bits),
        cmocka_unit_test(norms_are_those_of_all_elements),
        cmocka_unit_test(weights_of_zeros_are_moved),
        cmocka_unit_test(only_what_is_excluded_keeps_the_plain_step),
        cmocka_unit_test(gradients_of_zeros_change_no_weight),
        cmocka_unit_test(the_schedule_of_the_rate_is_found_by_its_name),
        cmocka_unit_test(documented_defaults_are_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
