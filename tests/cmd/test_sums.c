/* How gradients are summed over ranks changes how fast a job is, not what it computes; and
 * `dltrain bench --comm`, which says how fast. */
#include "support/program.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* All; jobs are likeliest to have the first. */
static const char *const algorithms[] = {"ring",
                                         "host",
                                         "\"host(chunk=1KiB, leaders=2)\"",
                                         "mpi",
                                         "tree",
                                         "\"by_size(tree, host, limit=4KiB)\"",
                                         "\"auto(seconds=0.02)\""};

enum { N_ALGORITHMS = sizeof algorithms / sizeof *algorithms, N_LIKELY = 2 };

/* Two numbers have one sum, in whatever order: two ranks, where `at` says that they are, by the
 * first n algorithms. */
static void expect_same_bits(const char *job, const char *at, int n) {
    for (int i = 0; i < n; i++) {
        program_expect(0, NULL,
                       "%s $MPIRUN -np 2 $DLTRAIN %s.ini --set name=%s%d --set dist.bucket=0.01 "
                       "--set dist.allreduce=%s",
                       at, job, job, i, algorithms[i]);
        program_expect(0, NULL, "$SAME runs/%s0/last.h5 runs/%s%d/last.h5", job, job, i);
        program_expect(0, NULL, "test %d = 0 || rm -r runs/%s%d", i, job, i);
    }
    program_expect(0, NULL, "rm -r runs/%s0", job);
}

static void two_ranks_get_the_same_bits_by_every_algorithm(void **state) {
    (void)state;
    program_write_job("plain.ini", 8, "");
    expect_same_bits("plain", "", N_ALGORITHMS);
    expect_same_bits("plain", "DLTRAIN_HOSTS=2", N_LIKELY + 1);
}

static void gradients_that_are_clipped_are_summed_alike(void **state) {
    (void)state;
    program_write_job("norm.ini", 8, "[step]\nclip_norm = 0.5\n");
    expect_same_bits("norm", "", N_LIKELY);
    program_write_job("value.ini", 8, "[step]\nclip_value = 0.001\n");
    expect_same_bits("value", "", N_LIKELY);
}

/* The gradients of one net go through two sums in turn. */
static void steps_that_train_one_net_do_not_mix_their_gradients(void **state) {
    (void)state;
    program_write("twice.ini",
                  "[job]\nsteps = 8\n"
                  "[net small(image)]\n"
                  "c = image | conv(8, 3, stride=2) | bn | relu | global_avgpool\n"
                  "fc = c | linear(10)\n"
                  "[step first]\nloss = cross_entropy(small(image), label)\ntrain = small\n"
                  "optimizer = sgd(lr=0.05)\n"
                  "[step second]\nloss = focal(small(image), label)\ntrain = small\n"
                  "optimizer = sgd(lr=0.02)\n"
                  "[data]\ntrain = shapes.h5:train\naccumulate = 2\n"
                  "augment = image | normalize\nbatch = 24\n");
    expect_same_bits("twice", "", N_LIKELY);
}

static void five_ranks_on_three_hosts_give_the_same_bits_each_time(void **state) {
    (void)state;
    program_write_job("hosts.ini", 8, "");
    for (int i = 0; i < 2; i++)
        program_expect(0, NULL,
                       "DLTRAIN_HOSTS=3 $MPIRUN -np 5 $DLTRAIN hosts.ini --set name=hosts%d --set "
                       "dist.bucket=0.01",
                       i);
    program_expect(0, NULL, "$SAME runs/hosts0/last.h5 runs/hosts1/last.h5");
}

/* What was measured to be best is said in words that a job may have in place of it. */
static void a_measured_choice_can_be_kept(void **state) {
    static const char begins[] = "[dist] allreduce = ", ends[] = " is fastest here";

    (void)state;
    program_write_job("auto.ini", 2, "[dist]\nallreduce = auto(seconds=0.02)\nbucket = 0.01\n");
    struct program_run run = program_run("$MPIRUN -np 2 $DLTRAIN auto.ini --set name=auto");
    assert_int_equal(run.code, 0);
    char *choice = strstr(run.out, begins);
    assert_non_null(choice);
    choice += strlen(begins);
    char *end = strstr(choice, ends);
    assert_non_null(end);
    *end = 0;
    assert_null(strstr(choice, "auto"));
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN auto.ini --set name=kept --set dist.allreduce=\"%s\"",
                   choice);
    program_expect(0, NULL, "$SAME runs/auto/last.h5 runs/kept/last.h5");
    program_release(&run);
}

static void bench_sums_what_it_says(void **state) {
    (void)state;
    struct program_run run =
        program_run("DLTRAIN_HOSTS=2 $MPIRUN -np 3 $DLTRAIN bench --comm --json --sizes "
                    "4,1KiB,100000B --algorithms \"ring(chunk=2KiB),host(leaders=2),mpi\"");
    assert_int_equal(run.code, 0);
    json_t *json = json_loads(run.out, 0, NULL), *sum;
    size_t i;
    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "ranks")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "hosts")), 2);
    assert_true(json_is_true(json_object_get(json, "shared")));
    assert_int_equal(json_array_size(json_object_get(json, "sums")), 9);
    json_array_foreach(json_object_get(json, "sums"), i, sum) {
        static const int bytes[] = {4, 1024, 100000};
        static const char *const names[] = {"ring(chunk=2KiB)", "host(leaders=2)", "mpi"};
        const double us = json_number_value(json_object_get(sum, "median_us"));
        const double bus = json_number_value(json_object_get(sum, "bus_gb_per_s"));
        const double expected = 4.0 / 3 * bytes[i / 3] / (1e3 * us);
        assert_int_equal(json_integer_value(json_object_get(sum, "bytes")), bytes[i / 3]);
        assert_string_equal(json_string_value(json_object_get(sum, "algorithm")), names[i % 3]);
        assert_int_equal(json_integer_value(json_object_get(sum, "wrong")), 0);
        assert_true(us > 0 && us >= json_number_value(json_object_get(sum, "min_us")));
        assert_true(bus > 0.999 * expected && bus < 1.001 * expected);
    }
    json_decref(json);
    program_release(&run);
}

/* Also where they begin with the first of those that it sums unasked. */
static void bench_sums_no_other_sizes(void **state) {
    (void)state;
    struct program_run run =
        program_run("$DLTRAIN bench --comm --json --sizes 16,64 --algorithms host");
    assert_int_equal(run.code, 0);
    json_t *json = json_loads(run.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "sums")), 2);
    json_decref(json);
    program_release(&run);
}

static void bench_refuses_what_it_cannot_sum(void **state) {
    (void)state;
    program_expect(64, "--sizes: found '3', expected a size from 4 B to 2047 MiB, as in 64KiB",
                   "$MPIRUN -np 2 $DLTRAIN bench --comm --sizes 1KiB,3");
    program_expect(64, "--sizes: found '5', expected whole numbers of 4 bytes",
                   "$DLTRAIN bench --comm --sizes 5");
    program_expect(64, "--sizes: found '1KB'", "$DLTRAIN bench --comm --sizes 1KB");
    program_expect(64, "--sizes: found ''", "$DLTRAIN bench --comm --sizes ,");
    program_expect(78, "found 'rign', expected the name of a known allreduce",
                   "$DLTRAIN bench --comm --algorithms host,rign");
    program_expect(64, "bench --comm takes no job, found job.ini", "$DLTRAIN bench --comm job.ini");
    program_expect(78, "by_size: large is a number, expected one of its words",
                   "$DLTRAIN bench --comm --algorithms \"by_size(ring, 3, limit=1KiB)\"");
    program_expect(78, "by_size: small is 'rng', expected one of its words; did you mean 'ring'?",
                   "$DLTRAIN bench --comm --algorithms \"by_size(rng, host, limit=1KiB)\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ranks_get_the_same_bits_by_every_algorithm),
        cmocka_unit_test(gradients_that_are_clipped_are_summed_alike),
        cmocka_unit_test(steps_that_train_one_net_do_not_mix_their_gradients),
        cmocka_unit_test(five_ranks_on_three_hosts_give_the_same_bits_each_time),
        cmocka_unit_test(a_measured_choice_can_be_kept),
        cmocka_unit_test(bench_sums_what_it_says),
        cmocka_unit_test(bench_sums_no_other_sizes),
        cmocka_unit_test(bench_refuses_what_it_cannot_sum),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
