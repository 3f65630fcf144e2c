/* What a run of several ranks says of slow ones, and at its end of where the time went. */
#include "cmd/results.h"

#include <math.h>
#include <unistd.h>

static void write_job(int steps, const char *log) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = d\nsteps = %d\nthreads = 1\n"
                  "[net d(image)]\n"
                  "a = image | conv(24, 3) | bn | relu | conv(24, 3, stride=2) | bn | relu\n"
                  "fc = a | global_avgpool | linear(10)\n"
                  "[step]\noptimizer = adam(lr=1e-3)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 32\n"
                  "[checkpoint]\nlast = 5 steps\n[log]\nevery = 2\n%s",
                  DLTRAIN_CONFIGS, steps, log);
}

/* Rank `rank` of n takes `ms` longer for each call: the only one that is named, for why. */
static void expect_named(int rank, int n, const char *call, int ms, const char *why) {
    char name[64];

    struct program_run run =
        program_run("LD_PRELOAD=" STALL_LIBRARY " STALL_CALL=%s STALL_PATH=shapes.h5 STALL_RANK=%d "
                    "STALL_MS=%d "
                    "$MPIRUN -np %d $DLTRAIN job.ini --set name=%s%d --set data.cache=0 "
                    "--set validate.every=\"20 epochs\" --set checkpoint.last=never",
                    call, rank, ms, n, call, n);
    assert_int_equal(run.code, 0);
    snprintf(name, sizeof name, "warning: rank %d on ", rank);
    const char *line = strstr(run.out, name);
    if (!line || !strstr(line, " over steps ") || !strstr(line, why))
        fail_msg("rank %d is not named in: %s", rank, run.out);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "warning: rank %d on ", i);
        assert_true(i == rank || !strstr(run.out, name));
    }
    program_release(&run);
}

static void a_slow_rank_is_named_for_what_it_is_slow_in(void **state) {
    (void)state;
    write_job(100, "");
    expect_named(1, 2, "gemm", 25, "slower than the other over steps 50 to 100");
    expect_named(2, 3, "gemm", 25, "it computes slowly, and others wait for it");
    expect_named(0, 2, "read", 8, "its data comes late, and others wait for it");
}

/* The seconds of a row of runs/NAME/phases.txt: the mean, which stands before its share. */
static double mean_of(const char *text, const char *row) {
    const char *line = strstr(text, row), *end = line ? strchr(line + 1, '\n') : NULL;
    const char *at = end;

    if (!end)
        fail_msg("no row '%s' in: %s", row, text);
    for (int words = 0; words < 3; words++) { /* "12.345", "6.7", "%" */
        while (at[-1] == ' ')
            at--;
        while (at[-1] != ' ')
            at--;
    }
    return strtod(at, NULL);
}

static void expect_parts_of_a_whole(const char *text) {
    static const char *const rows[] = {"\nbefore the first step",
                                       "\nwaiting for data",
                                       "\nforward",
                                       "\nbackward",
                                       "\noptimiser",
                                       "\nexposed communication",
                                       "\nvalidation",
                                       "\nsaving",
                                       "\ncomparing replicas",
                                       "\nother"};
    double sum = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(mean_of(text, rows[i]) >= 0);
        sum += mean_of(text, rows[i]);
    }
    const double total = mean_of(text, "\ntotal");
    assert_true(total > 0 && fabs(sum - total) < 0.01); /* each is rounded to 1 ms */
    assert_true(mean_of(text, "\nforward") > 0 && mean_of(text, "\nvalidation") > 0);
    assert_true(mean_of(text, "\nsaving") > 0);
}

/* What is printed is the file, and only where somebody asks for it. */
static void phases_add_up_to_the_time_that_went_by(void **state) {
    (void)state;
    write_job(20, "");
    for (int n = 1; n <= 3; n++) {
        char path[64];
        struct program_run run =
            program_run("$MPIRUN -np %d $DLTRAIN job.ini --set name=p%d --set log.phases=%s", n, n,
                        n == 2 ? "off" : "on");
        assert_int_equal(run.code, 0);
        snprintf(path, sizeof path, "runs/p%d/phases.txt", n);
        char *text = program_read(path);
        assert_memory_equal(text, "s of 20 steps ", 14);
        assert_int_equal(strstr(run.out, text) != NULL, n != 2);
        assert_int_equal(strstr(text, "max/min") != NULL, n > 1);
        expect_parts_of_a_whole(text);
        free(text);
        program_release(&run);
    }
}

static void a_run_that_is_stopped_has_its_phases_too(void **state) {
    (void)state;
    write_job(100000, "");
    program_expect(75, NULL,
                   "$DLTRAIN job.ini --set name=stops & pid=$!; "
                   "while ! test -s runs/stops/last.h5; do sleep 0.1; done; "
                   "kill -TERM $pid; wait $pid");
    assert_int_equal(access("runs/stops/phases.txt", F_OK), 0);
}

static void all_logged_steps_of_ranks_are_there_on_request(void **state) {
    (void)state;
    write_job(4100, "");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=some --set log.every=1 --until 4");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=all --set log.every=1 --until 4 "
                   "--set log.ranks=every");
    json_t *some = results_lines("some", "ranks"), *all = results_lines("all", "ranks");
    assert_int_equal(json_array_size(all), 32); /* 4 epochs of 240 / 32 steps */
    assert_int_equal(json_array_size(some), 10);
    json_decref(some);
    json_decref(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_rank_is_named_for_what_it_is_slow_in),
        cmocka_unit_test(phases_add_up_to_the_time_that_went_by),
        cmocka_unit_test(a_run_that_is_stopped_has_its_phases_too),
        cmocka_unit_test(all_logged_steps_of_ranks_are_there_on_request),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
