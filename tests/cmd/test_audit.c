/* One bit on one rank that is not what it is on the others: found, named, and nothing saved. */
#include "cmd/results.h"

#include <unistd.h>

/*   more  sections; steps of an epoch: 10 */
static void write_job(const char *more) {
    program_write("audit.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = m\nsteps = 4\n"
                  "[net m(image)]\n"
                  "a  = image | conv(8, 3, stride=2, bias=false)\n"
                  "n  = a | bn\n"
                  "fc = n | relu | maxpool(2) | flatten | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_flip | normalize\nbatch = 25\n"
                  "[step]\noptimizer = sgd(lr=0.1, momentum=0.9)\nema = 0.9\n%s\n",
                  DLTRAIN_CONFIGS, more);
}

/* A run of 3 ranks, of which one has another bit after step 2, ends after step `found`. All updates
 * are done then: one under way would write over the bit, or carry it on into another tensor. */
static void breaks(int rank, int bit, const char *what, int found, const char *options) {
    char message[256];

    snprintf(message, sizeof message, "after step %d: rank %d on ", found, rank);
    struct program_run run =
        program_run("rm -rf runs; FLIP=\"%d 2 %d %s\" $MPIRUN -x FLIP -np 3 %s "
                    "audit.ini --set name=broken --set dist.overlap=off %s",
                    rank, bit, what, FLIP_BIT, options);
    const char *line = strstr(run.err, message);
    snprintf(message, sizeof message, ": the replicas differ: %s has hash ", what);
    if (run.code != 65 || !line || !strstr(line, message) || !strstr(line, " on 2 of 3 ranks"))
        fail_msg("exit code %d; expected after step %d of rank %d '%s'\n%s%s", run.code, found,
                 rank, message, run.out, run.err);
    assert_int_equal(access("runs/broken/job.ini", F_OK), 0);
    assert_int_equal(access("runs/broken/last.h5", F_OK), -1);
    assert_int_equal(access("runs/broken/best.h5", F_OK), -1);
    program_expect(0, NULL,
                   "grep -qE \"^rank +%d of 3, host \" runs/broken/fault.txt && "
                   "grep -qE \"^tensor +%s$\" runs/broken/fault.txt",
                   rank, what);
    program_release(&run);
}

static void every_kind_of_state_is_compared_every_so_many_steps(void **state) {
    (void)state;
    write_job("[dist]\naudit = 1");
    breaks(2, 0, "weights of m, a.weight", 2, "");
    breaks(1, 0, "moment 0 of the step for m, fc.bias", 2, "");
    breaks(0, 0, "running statistics of m, n.running_mean", 2, "");
    breaks(2, 0, "averaged weights of m, n.weight", 2, "");
    breaks(1, 0, "number of updates of the step", 2, "");
}

/* The step of the damage need not be one of them. */
static void ranks_are_compared_every_so_many_steps(void **state) {
    (void)state;
    write_job("[validate]\nevery = never\n[dist]\naudit = 3");
    breaks(1, 22, "weights of m, a.weight", 3, "--set steps=9");
}

/* Ranks that are apart are not compared, and not brought together for it. A weight would become
 * part of the mean. */
static void what_is_trained_depends_on_no_audit(void **state) {
    (void)state;
    write_job("[validate]\nevery = never\n[dist]\nsync = local_sgd(every=3)");
    program_expect(0, NULL,
                   "rm -rf runs; $MPIRUN -np 3 $DLTRAIN audit.ini --set steps=8 --set name=never "
                   "--set dist.audit=0");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN audit.ini --set steps=8 --set name=always --set "
                   "dist.audit=1");
    program_expect(0, NULL, "$SAME runs/never/last.h5 runs/always/last.h5");
    breaks(2, 0, "number of updates of the step", 3, "--set steps=8 --set dist.audit=1");
}

/* What is wrong by much stays so until something is to be saved or measured. */
static void nothing_that_differs_is_validated_or_saved(void **state) {
    (void)state;
    write_job("[validate]\nevery = never");
    breaks(1, 22, "weights of m, a.weight", 4, "");
    breaks(2, 22, "running statistics of m, n.running_mean", 4, "");
    breaks(0, 22, "averaged weights of m, fc.weight", 3, "--set \"checkpoint.every=3 steps\"");
    breaks(2, 22, "weights of m, fc.weight", 3, "--set \"validate.every=3 steps\"");
}

static void the_memory_of_a_whole_run_stays_alike(void **state) {
    static const struct {
        const char *sections, *options;
    } jobs[] = {
        {"[validate]\nevery = 2 steps\n[dist]\naudit = 1", ""},
        {"clip_norm = 0.5\n[dist]\naudit = 1\nbucket = 0.002", ""},
        {"every = 2\nfreeze = m.n\n[dist]\naudit = 1", "--set data.batch=2"}, /* a rank has none */
    };

    (void)state;
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        write_job(jobs[i].sections);
        program_expect(0, NULL, "rm -rf runs; $MPIRUN -np 3 $DLTRAIN audit.ini %s",
                       jobs[i].options);
        program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN audit.ini --set steps=7 --resume %s",
                       jobs[i].options);
        program_expect(0, NULL,
                       "$MPIRUN -np 4 $DLTRAIN audit.ini --set steps=13 --set name=more "
                       "--set \"step.optimizer=adam(lr=0.01)\" %s",
                       jobs[i].options);
    }
}

/* Two networks, two steps, spectral norms: all that has a state of its own. */
static void adversaries_stay_alike(void **state) {
    (void)state;
    program_write(
        "gan.ini",
        "[job]\ninclude = %s/sngan.ini\nsteps = 4\n[let]\nwidth = 4\nsize = 32\ncode = 8\n"
        "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 8\n"
        "augment = image | normalize(mean=0.5, std=0.5)\n[dist]\naudit = 1\n",
        DLTRAIN_CONFIGS);
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN gan.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_state_is_compared_every_so_many_steps),
        cmocka_unit_test(ranks_are_compared_every_so_many_steps),
        cmocka_unit_test(what_is_trained_depends_on_no_audit),
        cmocka_unit_test(nothing_that_differs_is_validated_or_saved),
        cmocka_unit_test(the_memory_of_a_whole_run_stays_alike),
        cmocka_unit_test(adversaries_stay_alike),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
