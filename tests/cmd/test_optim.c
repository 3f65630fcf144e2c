/* Optimisers that look at whole parameters: however ranks, threads and buckets cut the gradients,
 * a job computes the same. */
#include "cmd/results.h"

enum { STEPS = 100 };

static const char *const whole[] = {
    "lars(lr=0.1, momentum=0.9, weight_decay=1e-3, trust=0.1)",
    "lamb(lr=0.02)",
};
enum { N_WHOLE = sizeof whole / sizeof *whole };

/* Parameters of all kinds: kernels, matrices, biases, scales of norms that do not look at batches.
 */
static void write_job(int which) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = g\nsteps = %d\n"
                  "[net g(image)]\n"
                  "a = image | conv(8, 3, stride=2) | group_norm(4) | relu\n"
                  "b = a | conv(16, 3, stride=2) | group_norm(4) | relu\n"
                  "fc = b | maxpool(2) | flatten | linear(10)\n"
                  "[step]\noptimizer = %s\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | normalize\nbatch = 25\n[log]\nevery = 1\n",
                  DLTRAIN_CONFIGS, STEPS, whole[which]);
}

/* What ranks round differently grows from step to step; a wrong norm shows in the second one. */
enum { ALIKE = 30 };

static void losses_fall_alike_on_one_to_three_ranks(void **state) {
    (void)state;
    for (int k = 0; k < N_WHOLE; k++) {
        double expected[STEPS], losses[STEPS], first = 0, last = 0;
        char name[16];

        write_job(k);
        snprintf(name, sizeof name, "w%d", k);
        program_expect(0, NULL, "$DLTRAIN job.ini --set name=%s --set threads=1", name);
        assert_int_equal(results_numbers(name, "loss", expected, NULL, STEPS), STEPS);
        for (int i = 0; i < 5; i++)
            first += expected[i] / 5, last += expected[STEPS - 1 - i] / 5;
        if (!(last < 0.5 * first))
            fail_msg("%s: the loss goes from %g to %g", whole[k], first, last);
        for (int ranks = 2; ranks <= 3; ranks++) {
            snprintf(name, sizeof name, "w%d_np%d", k, ranks);
            program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN job.ini --set name=%s", ranks, name);
            assert_int_equal(results_numbers(name, "loss", losses, NULL, STEPS), STEPS);
            for (int i = 0; i < ALIKE; i++)
                if (!(fabs(losses[i] - expected[i]) <= 2e-5 * fabs(expected[i])))
                    fail_msg("%s, %d ranks: loss of step %d is %.9g, on one rank %.9g", whole[k],
                             ranks, i + 1, losses[i], expected[i]);
        }
    }
}

/* Weights and moments; the meta text differs, since the halted job was validated where it halted.
 */
static void a_resumed_job_ends_with_the_same_bits(void **state) {
    (void)state;
    for (int k = 0; k < N_WHOLE; k++) {
        int n;

        write_job(k);
        program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=through --set steps=30");
        program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=halted --set steps=17");
        program_expect(0, NULL,
                       "$MPIRUN -np 2 $DLTRAIN job.ini --set name=halted --set steps=30 --resume");
        struct checkpoint *through = results_open("through", "last.h5");
        struct checkpoint *halted = results_open("halted", "last.h5");
        const struct checkpoint_tensor *t = checkpoint_tensors(through, &n);
        assert_non_null(strstr(t[n - 1].path, "/optimizer/"));
        for (int i = 0; i < n; i++)
            if (results_moved(through, halted, t[i].path))
                fail_msg("%s: %s differs", whole[k], t[i].path);
        checkpoint_close(through);
        checkpoint_close(halted);
        program_expect(0, NULL, "rm -r runs/through runs/halted");
    }
}

/* A bucket of 1 KiB is a part of a parameter and parts of two. */
static void threads_and_buckets_do_not_change_the_bits(void **state) {
    static const char *const optimizers[] = {
        "lars(lr=0.1, momentum=0.9, weight_decay=1e-3, trust=0.1)",
        "lamb(lr=0.02)",
        "sgd(lr=0.05, momentum=0.9, nesterov=true, weight_decay=1e-3)",
        "adamw(lr=1e-3)",
    };

    (void)state;
    program_write_job("cut.ini", 10, "");
    for (size_t k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
        const char *o = optimizers[k];
        program_expect(0, NULL,
                       "$DLTRAIN cut.ini --set name=one%zu --set threads=1 "
                       "--set \"step.optimizer=%s\"",
                       k, o);
        program_expect(0, NULL,
                       "$DLTRAIN cut.ini --set name=cut%zu --set threads=3 "
                       "--set dist.bucket=0.001 --set \"step.optimizer=%s\"",
                       k, o);
        program_expect(0, NULL, "$SAME runs/one%zu/last.h5 runs/cut%zu/last.h5", k, k);
    }
}

/* lars, parameter by parameter: the first is frozen, the second has a factor of 0, the third moves.
 */
static void parts_are_frozen_and_slowed_down(void **state) {
    (void)state;
    program_write("parts.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = p\nsteps = 1\n"
                  "[net p(image)]\n"
                  "a = image | conv(8, 3, stride=4) | relu\n"
                  "b = a | conv(8, 3, stride=2) | relu\n"
                  "fc = b | flatten | linear(10)\n"
                  "[step]\noptimizer = %s\nfreeze = p.a\nlr_scale = p.b 0\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 25\n"
                  "augment = image | normalize\n",
                  DLTRAIN_CONFIGS, whole[0]);
    program_expect(0, NULL, "$DLTRAIN parts.ini --set name=once");
    program_expect(0, NULL, "$DLTRAIN parts.ini --set name=twice --set steps=2");
    struct checkpoint *once = results_open("once", "last.h5");
    struct checkpoint *twice = results_open("twice", "last.h5");
    assert_int_equal(results_moved(once, twice, "/nets/p/a.weight"), 0);
    assert_int_equal(results_moved(once, twice, "/nets/p/b.weight"), 0);
    assert_true(results_moved(once, twice, "/nets/p/fc.weight") > 0);
    checkpoint_close(once);
    checkpoint_close(twice);
}

/* By the first step; slopes count as biases, which begin with 0, where both steps are the same. */
static void biases_and_norms_are_excluded_by_name(void **state) {
    (void)state;
    static const char *const excluded[] = {"[bias, norm]", "bias", "norm", "none"};
    static const char *const names[] = {"/nets/n/group_norm1.weight", "/nets/n/prelu1.weight"};
    struct checkpoint *ck[4];

    program_write("excluded.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = n\nsteps = 1\n"
                  "[net n(image)]\n"
                  "a = image | conv(8, 3, stride=4) | group_norm(4) | prelu\n"
                  "fc = a | flatten | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 25\n"
                  "augment = image | normalize\n",
                  DLTRAIN_CONFIGS);
    for (int k = 0; k < 4; k++) {
        char name[16];
        snprintf(name, sizeof name, "ex%d", k);
        program_expect(0, NULL,
                       "$DLTRAIN excluded.ini --set name=%s --set "
                       "\"step.optimizer=lars(lr=0.1, exclude=%s)\"",
                       name, excluded[k]);
        ck[k] = results_open(name, "last.h5");
    }
    for (int p = 0; p < 2; p++) {
        const int alone = p ? 1 : 2, other = p ? 2 : 1; /* where only it is excluded, and not it */
        assert_true(results_moved(ck[0], ck[3], names[p]) > 0);
        assert_int_equal(results_moved(ck[0], ck[alone], names[p]), 0);
        assert_int_equal(results_moved(ck[3], ck[other], names[p]), 0);
    }
    for (int k = 0; k < 4; k++)
        checkpoint_close(ck[k]);
}

static void a_schedule_that_reads_the_best_measure_needs_one(void **state) {
    (void)state;
    program_write("no_best.ini", "[job]\nmodel = a\nsteps = 1\n"
                                 "[net a(image)]\nfc = image | flatten | linear(10)\n"
                                 "[step]\nloss = cross_entropy(model(image), label)\n"
                                 "train = model\noptimizer = lars(lr=plateau(0.1))\n"
                                 "[data]\ntrain = shapes.h5:train\nbatch = 8\n");
    program_expect(78, "plateau follows the best measure", "$DLTRAIN no_best.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_fall_alike_on_one_to_three_ranks),
        cmocka_unit_test(a_resumed_job_ends_with_the_same_bits),
        cmocka_unit_test(threads_and_buckets_do_not_change_the_bits),
        cmocka_unit_test(parts_are_frozen_and_slowed_down),
        cmocka_unit_test(biases_and_norms_are_excluded_by_name),
        cmocka_unit_test(a_schedule_that_reads_the_best_measure_needs_one),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
