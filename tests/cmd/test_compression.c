/* Fewer bytes between ranks: training goes on as it should, ranks stay the same, runs resume. */
#include "cmd/results.h"

#include <unistd.h>

/* A job with matrices of gradients, 10 steps an epoch.
 *   norm  what follows the convolution
 *   dist  keys of [dist] */
static void write_job_with(const char *norm, const char *dist) {
    program_write("small.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = m\nname = a\nsteps = 150\n"
                  "[net m(image)]\n"
                  "a  = image | conv(16, 3, stride=2) | %s | relu\n"
                  "fc = a | maxpool(2) | flatten | linear(64) | relu | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | normalize\nbatch = 24\n"
                  "[step]\noptimizer = sgd(lr=0.05, momentum=0.9)\n"
                  "[validate]\nevery = 5 epochs\n"
                  "[checkpoint]\nlast = 20 steps\n[log]\nevery = 1\n[dist]\n%s\n",
                  DLTRAIN_CONFIGS, norm, dist);
}

static void write_job(const char *dist) {
    write_job_with("bn", dist);
}

enum { MOST = 200 };

/* The mean loss of ten steps up to that one. */
static double loss_at(const char *name, int step) {
    double loss[MOST], sum = 0;
    const int n = results_numbers(name, "loss", loss, NULL, MOST);

    assert_true(n >= step);
    for (int i = step - 10; i < step; i++)
        sum += loss[i] / 10;
    return sum;
}

static const struct {
    const char *keys, *ranks;
} ways[] = {
    {"wire = bf16", "2"},
    {"wire = bf16\nallreduce = host", "4"},
    {"wire = int8\nbucket = 0.01", "3"},
    {"wire = int8(block=32)\nallreduce = host\nbucket = 0.02", "4"},
    {"allreduce = powersgd(rank=2, warmup=5)", "2"},
    {"allreduce = powersgd(rank=2, warmup=0, by=host)\nbucket = 0.02", "3"},
    {"sync = local_sgd(every=4)", "2"},
    {"sync = local_sgd(every=7, after=9)\nallreduce = host", "3"},
};

/* Ranks are compared after every step where they are the same then, and before all that is saved.
 */
static void losses_fall_and_ranks_stay_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int audit = 0; audit < 2; audit++) {
            write_job(ways[i].keys);
            program_expect(0, NULL,
                           "rm -rf runs; DLTRAIN_HOSTS=2 $MPIRUN -x DLTRAIN_HOSTS -np %s $DLTRAIN "
                           "small.ini --set dist.audit=%d",
                           ways[i].ranks, audit);
            const double first = loss_at("a", 10), last = loss_at("a", 150);
            if (!(last < 0.75 * first))
                fail_msg("%s: the loss goes from %g to %g", ways[i].keys, first, last);
        }
}

/* Apart for one step is no different from a summed gradient: means of updates are updates by means,
 * of momentum too. */
static void averages_of_every_step_are_those_of_gradients(void **state) {
    (void)state;
    double loss[2][MOST];

    for (int way = 0; way < 2; way++) {
        write_job(way ? "sync = local_sgd(every=1)" : "");
        program_expect(0, NULL,
                       "rm -rf runs; $MPIRUN -np 3 $DLTRAIN small.ini --set steps=20 "
                       "--set data.accumulate=2");
        assert_int_equal(results_numbers("a", "loss", loss[way], NULL, MOST), 20);
    }
    for (int i = 0; i < 10; i++)
        if (!(fabs(loss[0][i] - loss[1][i]) < 2e-3))
            fail_msg("step %d: the loss is %g, not %g", i + 1, loss[1][i], loss[0][i]);
}

/* Steps that rest compute nothing in which sums of the step before would be taken up: ranks meet
 * with these, and not with whatever has arrived. Of two, the mean of what is the same is the same.
 */
static void what_is_under_way_arrives_before_ranks_meet(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        write_job(way ? "bucket = 0.01\nsync = local_sgd(every=2, after=1)" : "bucket = 0.01");
        program_expect(0, NULL,
                       "DLTRAIN_HOSTS=2 $MPIRUN -x DLTRAIN_HOSTS -np 2 $DLTRAIN small.ini --set "
                       "steps=4 --set step.every=4 --set name=%s",
                       way ? "apart" : "together");
    }
    program_expect(0, NULL, "$SAME runs/apart/last.h5 runs/together/last.h5");
}

/* A rank without samples waits for the others' averages. */
static void ranks_without_samples_take_part(void **state) {
    (void)state;
    write_job("sync = local_sgd(every=3)\naudit = 5");
    program_expect(0, NULL,
                   "rm -rf runs; $MPIRUN -np 3 $DLTRAIN small.ini --set data.batch=2 --set "
                   "steps=7");
}

/* Whoever saved in between and goes on ends with the same bits; factors are not saved. */
static void runs_go_on_as_if_they_had_not_ended(void **state) {
    static const char *const exact[] = {"wire = bf16", "wire = int8", "sync = local_sgd(every=8)"};

    (void)state;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        write_job(exact[i]);
        program_expect(0, NULL,
                       "rm -rf runs; $MPIRUN -np 3 $DLTRAIN small.ini --set name=whole --set "
                       "steps=40");
        program_expect(0, NULL,
                       "$MPIRUN -np 3 $DLTRAIN small.ini --set name=cut --set steps=20 && $MPIRUN "
                       "-np 3 $DLTRAIN small.ini --set name=cut --set steps=40 --resume");
        program_expect(0, NULL, "$SAME runs/whole/last.h5 runs/cut/last.h5");
    }
    write_job("allreduce = powersgd(rank=2, warmup=5)");
    program_expect(0, NULL,
                   "rm -rf runs; $MPIRUN -np 2 $DLTRAIN small.ini --set steps=20 && $MPIRUN -np 2 "
                   "$DLTRAIN small.ini --resume");
    assert_true(loss_at("a", 150) < 0.75 * loss_at("a", 10));
}

static void what_cannot_go_together_is_refused(void **state) {
    (void)state;
    write_job_with("bn(sync=all)", "sync = local_sgd(every=4)");
    program_expect(78,
                   "small.ini:7:38: what is computed here needs other ranks in every step, and "
                   "[dist] sync = local_sgd leaves them apart; expected sync=none",
                   "$MPIRUN -np 2 $DLTRAIN small.ini");
    write_job("sync = local_sgd(every=4)\nreduction = reproducible");
    program_expect(78,
                   "sync: local_sgd depends on the number of ranks, and reduction is reproducible; "
                   "expected step",
                   "$MPIRUN -np 2 $DLTRAIN small.ini");
    write_job("allreduce = powersgd(rank=2)\nwire = bf16");
    program_expect(78,
                   "wire: allreduce = powersgd sends numbers as it does; expected one that packs "
                   "them as bf16, as ring and host do",
                   "$DLTRAIN small.ini");
    write_job("allreduce = powersgd(rank=0)");
    program_expect(78, "powersgd: rank is 0, expected 1 to 1024", "$DLTRAIN small.ini");
    write_job("sync = local_sgd(every=0)");
    program_expect(78, "local_sgd: every is 0, expected 1 to 1073741824", "$DLTRAIN small.ini");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(losses_fall_and_ranks_stay_the_same),
    cmocka_unit_test(averages_of_every_step_are_those_of_gradients),
    cmocka_unit_test(what_is_under_way_arrives_before_ranks_meet),
    cmocka_unit_test(ranks_without_samples_take_part),
    cmocka_unit_test(runs_go_on_as_if_they_had_not_ended),
    cmocka_unit_test(what_cannot_go_together_is_refused),
};

int main(void) {
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
