/* The number of ranks changes how fast a job is, not what it computes. */
#include "support/program.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 50 };

/* The losses of runs/NAME, in order of steps. Returns how many. */
static int read_losses(const char *name, double *losses, double *top1) {
    char path[128], line[1024];
    int n = 0;

    snprintf(path, sizeof path, "runs/%s/metrics.jsonl", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        const json_t *validate = json_object_get(object, "validate");
        if (validate)
            *top1 = json_number_value(json_object_get(validate, "top1"));
        else if (n < STEPS)
            losses[n++] = json_number_value(json_object_get(object, "loss"));
        json_decref(object);
    }
    fclose(file);
    return n;
}

/* 240 samples in batches of 25 leave tails of 15; at 4 ranks the shares are uneven everywhere. */
static void one_to_four_ranks_give_the_same_losses(void **state) {
    double expected[STEPS], losses[STEPS], expected_top1 = -1, top1 = -2;

    (void)state;
    program_write_job("ranks.ini", STEPS, "");
    program_expect(0, NULL, "$DLTRAIN ranks.ini --set name=np1 --set threads=1");
    assert_int_equal(read_losses("np1", expected, &expected_top1), STEPS);
    assert_true(expected[STEPS - 1] < expected[0]);
    for (int ranks = 2; ranks <= 4; ranks++) {
        char name[8];
        snprintf(name, sizeof name, "np%d", ranks);
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN ranks.ini --set name=%s", ranks, name);
        assert_int_equal(read_losses(name, losses, &top1), STEPS);
        for (int i = 0; i < STEPS; i++)
            if (!(fabs(losses[i] - expected[i]) <= 1e-5 * fabs(expected[i])))
                fail_msg("%d ranks: loss of step %d is %.9g, on one rank %.9g", ranks, i + 1,
                         losses[i], expected[i]);
        assert_true(fabs(top1 - expected_top1) < 1e-6);
    }
}

static void threads_give_the_same_bits(void **state) {
    (void)state;
    program_write_job("threads.ini", 12, "");
    program_expect(0, NULL, "$DLTRAIN threads.ini --set name=t1 --set threads=1");
    program_expect(0, NULL, "$DLTRAIN threads.ini --set name=t3 --set threads=3");
    program_expect(0, NULL, "$SAME runs/t1/last.h5 runs/t3/last.h5");
}

static void a_batch_smaller_than_the_ranks_works(void **state) {
    double one[STEPS], four[STEPS], top1;

    (void)state;
    program_write_job("tiny.ini", 10, "");
    program_expect(0, NULL, "$DLTRAIN tiny.ini --set data.batch=3 --set name=tiny1");
    program_expect(0, NULL, "$MPIRUN -np 4 $DLTRAIN tiny.ini --set data.batch=3 --set name=tiny4");
    assert_int_equal(read_losses("tiny1", one, &top1), 10);
    assert_int_equal(read_losses("tiny4", four, &top1), 10);
    for (int i = 0; i < 10; i++)
        assert_true(fabs(one[i] - four[i]) <= 1e-5 * fabs(one[i]));
}

static void validation_on_rank_0_gives_the_same_measures(void **state) {
    double losses[STEPS], all, alone = -1;

    (void)state;
    program_write_job("who.ini", 10, "");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN who.ini --set name=all");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN who.ini --set name=rank0 --set validate.on=rank0");
    assert_int_equal(read_losses("all", losses, &all), 10);
    assert_int_equal(read_losses("rank0", losses, &alone), 10);
    assert_true(fabs(all - alone) < 1e-6);
}

/* With batch norm the statistics are those of each rank, but the replicas stay identical: the
 * job audits them when it starts from a checkpoint. */
static void batch_norm_trains_on_several_ranks(void **state) {
    (void)state;
    program_write("bn.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = b\nsteps = 20\n"
                  "[net b(image)]\n"
                  "a = image | conv(8, 3, stride=4) | bn | relu\n"
                  "fc = a | global_avgpool | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 25\n",
                  DLTRAIN_CONFIGS);
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN bn.ini");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN bn.ini --resume --set steps=30");
}

static void write_synchronised(const char *file, const char *sync, int batch) {
    program_write(file,
                  "[job]\ninclude = %s/classify.ini\nmodel = b\nsteps = 24\n"
                  "[net b(image)]\n"
                  "a = image | conv(8, 3, stride=4) | bn(sync=%s) | relu\n"
                  "b = a | conv(8) | bn(sync=%s)\n"
                  "c = a + b | relu | bn(sync=%s)\n"
                  "fc = c | global_avgpool | linear(10)\n"
                  "[let]\nlr = 0.05\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = %d\n"
                  "[log]\nevery = 1\n",
                  DLTRAIN_CONFIGS, sync, sync, sync, batch);
}

/* Few and small steps, since rounding grows from one to the next. The losses and measures of job
 * file `file` on 2 to 4 ranks, against those of one. */
static void expect_one_rank(const char *file, const char *more) {
    double expected[STEPS], losses[STEPS], expected_top1 = -1, top1 = -2;

    program_expect(0, NULL,
                   "$DLTRAIN %s %s --set name=sync1 --set threads=1 --set steps=12 --set lr=0.01",
                   file, more);
    const int n = read_losses("sync1", expected, &expected_top1);
    assert_int_equal(n, 12);
    for (int ranks = 2; ranks <= 4; ranks++) {
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN %s %s --set name=sync --set steps=12 --set lr=0.01",
                       ranks, file, more);
        assert_int_equal(read_losses("sync", losses, &top1), n);
        for (int i = 0; i < n; i++)
            if (!(fabs(losses[i] - expected[i]) <= 1e-4 * fabs(expected[i])))
                fail_msg("%s %s, %d ranks: loss of step %d is %.9g, on one rank %.9g", file, more,
                         ranks, i + 1, losses[i], expected[i]);
        assert_true(fabs(top1 - expected_top1) < 1e-6); /* running statistics are the same, too */
    }
}

/* Batches of 25 are uneven on 2, 3 and 4 ranks, the last one of an epoch has 15; those of 3 leave
 * the fourth rank without samples. */
static void synchronised_batch_norm_is_that_of_one_rank(void **state) {
    (void)state;
    write_synchronised("sync.ini", "all", 25);
    expect_one_rank("sync.ini", "");
    expect_one_rank("sync.ini", "--set run.fusion=off");
    write_synchronised("host.ini", "host", 3);
    expect_one_rank("host.ini", "");
    expect_one_rank("host.ini", "--set run.fusion=off");
}

/* Shares of 3, 2, 2 and 2 in parts of ceil(9 / 8) = 2: in each second part rank 1 has no samples
 * beside rank 0, which has one, and the group of ranks 2 and 3 has none at all. */
static void so_it_is_in_parts(void **state) {
    double losses[STEPS], again[STEPS], top1;

    (void)state;
    write_synchronised("parts.ini", "2", 9);
    program_expect(0, NULL,
                   "$MPIRUN -np 4 $DLTRAIN parts.ini --set data.accumulate=2 --set name=parts");
    assert_int_equal(read_losses("parts", losses, &top1), 24);
    program_expect(0, NULL,
                   "$MPIRUN -np 4 $DLTRAIN parts.ini --set data.accumulate=2 --set name=parts");
    assert_int_equal(read_losses("parts", again, &top1), 24);
    assert_memory_equal(losses, again, 24 * sizeof *losses);
    assert_true(losses[23] < losses[0]);
}

static void groups_that_ranks_do_not_fill_are_refused(void **state) {
    (void)state;
    write_synchronised("groups.ini", "2", 25);
    program_expect(78, "bn: sync is 2, but 3 ranks are no whole number of such groups",
                   "$MPIRUN -np 3 $DLTRAIN groups.ini");
    program_expect(0, NULL, "$DLTRAIN groups.ini --set name=alone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synchronised_batch_norm_is_that_of_one_rank),
        cmocka_unit_test(so_it_is_in_parts),
        cmocka_unit_test(groups_that_ranks_do_not_fill_are_refused),
        cmocka_unit_test(one_to_four_ranks_give_the_same_losses),
        cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(a_batch_smaller_than_the_ranks_works),
        cmocka_unit_test(validation_on_rank_0_gives_the_same_measures),
        cmocka_unit_test(batch_norm_trains_on_several_ranks),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
