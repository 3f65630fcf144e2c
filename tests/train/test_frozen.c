/* What no step trains takes no gradients, moments or messages, and is saved by name. */
#include "train/job_text.h"
#include "train/replica_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Both nets have 16-number rooms: 5 parameters of m, 2 of n. */
#define NETS                                                                                       \
    "[net m(image)]\na = image | linear(4)\nb = a | linear(4)\nc = b | linear(4, bias=false)\n"    \
    "[net n(x)]\nfc = x | linear(2)\n"
#define STEP "loss = mse(n(m(image)), 1)\noptimizer = adam(lr=0.1)\n"

struct fixture {
    struct job job;
    struct replica replica;
};

static void make(struct fixture *f, const char *text) {
    const struct field fields[] = {{.name = "image", .sample = {1, {4}}}};
    struct err err = {0};

    *f = (struct fixture){0};
    const int rc = job_of_text(&f->job, text, &err);
    const struct replica_config config = {.job = &f->job,
                                          .fields = fields,
                                          .n_fields = 1,
                                          .batch = 2,
                                          .training = true,
                                          .threads = 1};
    if (rc || replica_init(&f->replica, &config, &err) ||
        replica_allocate(&f->replica, &config, &err))
        fail_msg("%s", err.msg);
}

static void end(struct fixture *f) {
    replica_release(&f->replica);
    job_release(&f->job);
}

static int n_frozen(const struct replica *r, const char *net) {
    const struct net *n = model_find(&r->model, net);
    int frozen = 0;

    for (int i = 0; i < n->weights.n; i++)
        frozen += n->weights.items[i].frozen;
    return frozen;
}

static void only_what_some_step_trains_has_gradients(void **state) {
    static const struct {
        const char *text;
        int m, n; /* parameters that are frozen */
    } cases[] = {
        {NETS "[step]\n" STEP "train = m, n\n", 0, 0},
        {NETS "[step]\n" STEP "train = m, n\nfreeze = m.a\n", 2, 0},
        {NETS "[step]\n" STEP "train = m, n\nfreeze = m.a, m.b.bias, n.fc.weight\n", 3, 1},
        {NETS "[step x]\n" STEP "train = m, n\nfreeze = m.a\n[step y]\n" STEP
              "train = m\nfreeze = m.b\n",
         0, 0},
        {NETS "[step x]\n" STEP "train = m, n\nfreeze = m.a\n[step y]\n" STEP
              "train = m\nfreeze = m.a.bias, m.b\n",
         1, 0},
        {NETS "[step x]\n" STEP "train = m, n\nfreeze = m.a\n[step y]\n" STEP "train = n\n", 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        make(&f, cases[i].text);
        assert_int_equal(n_frozen(&f.replica, "m"), cases[i].m);
        assert_int_equal(n_frozen(&f.replica, "n"), cases[i].n);
        end(&f);
    }
}

/* Of m's weights [16], biases [4] in rooms of 16 floats, a is frozen: b and c are left. */
static void moments_are_those_of_what_is_trained(void **state) {
    static const char *const pieces[] = {"b.weight", "b.bias", "c.weight"};
    struct fixture all, some;

    (void)state;
    make(&all, NETS "[step]\n" STEP "train = m, n\n");
    make(&some, NETS "[step]\n" STEP "train = m, n\nfreeze = m.a\n");
    assert_int_equal(model_bytes(&all.replica.model) - model_bytes(&some.replica.model), 2 * 64);
    assert_int_equal(replica_moment_bytes(&all.replica) - replica_moment_bytes(&some.replica),
                     2 * 2 * 64);
    for (int i = 0; i < some.replica.n_spans; i++) {
        const struct span *span = &some.replica.spans[i];
        if (span->kind != SPAN_MOMENT)
            continue;
        const bool of_m = !strcmp(span->net->name, "m");
        assert_int_equal(span_n_pieces(span), of_m ? 3 : 2);
        assert_int_equal(span->flat, !of_m); /* whole as ever, or by name */
        assert_int_equal(span->bytes, of_m ? 3 * 64 : 2 * 64);
        for (int k = 0; of_m && k < 3; k++) {
            const struct span_piece piece = span_piece(span, k);
            assert_string_equal(piece.name, pieces[k]);
            assert_ptr_equal(piece.data, (char *)span->data + (size_t)k * 64);
        }
    }
    end(&all), end(&some);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_some_step_trains_has_gradients),
        cmocka_unit_test(moments_are_those_of_what_is_trained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
