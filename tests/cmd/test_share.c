/* Data is kept once a host and looked through by one rank, whatever the ranks compute from it stays
 * the same to the bit, and `dltrain check` says what memory that takes. */
#include "printed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 12 };

static const char *const caches[] = {"0", "host", "1024", "0.5"};

/* A ring adds up in the same order on any hosts. */
static void write_job(void) {
    program_write_job("share.ini", STEPS,
                      "[checkpoint]\nlast = 5 steps\n[dist]\nallreduce = ring\n");
}

static void where_data_lies_changes_no_bit(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL,
                   "$MPIRUN -np 4 $DLTRAIN share.ini --set name=first "
                   "--set data.cache=0");
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++)
        for (int hosts = 1; hosts <= 2; hosts++) {
            program_expect(0, NULL,
                           "rm -rf runs/many; DLTRAIN_HOSTS=%d $MPIRUN -x DLTRAIN_HOSTS -np 4 "
                           "$DLTRAIN share.ini --set name=many --set data.cache=%s",
                           hosts, caches[i]);
            program_expect(0, NULL, "$SAME runs/first/last.h5 runs/many/last.h5");
        }
}

/* The set knows itself by its content_hash, kept or not. */
static void a_run_goes_on_with_another_cache(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN share.ini --set name=whole");
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        program_expect(0, NULL,
                       "rm -rf runs/part; $MPIRUN -np 3 $DLTRAIN share.ini --set name=part "
                       "--set steps=5 --set data.cache=%s",
                       caches[i]);
        program_expect(0, NULL,
                       "$MPIRUN -np 3 $DLTRAIN share.ini --set name=part --resume "
                       "--set data.cache=%s",
                       caches[(i + 1) % 4]);
        program_expect(0, NULL, "$SAME runs/whole/last.h5 runs/part/last.h5");
    }
}

static void the_first_lines_say_what_is_kept_where(void **state) {
    (void)state;
    write_job();
    expect_text("$MPIRUN -np 3 $DLTRAIN share.ini --set name=said 2>&1",
                "shapes.h5:train: 0.703 MiB are kept in memory, once for the 3 ranks of a host\n");
    expect_text("$DLTRAIN share.ini --set name=said1 2>&1",
                "shapes.h5:test: 0.176 MiB are kept in memory\n");
    expect_text("$DLTRAIN share.ini --set name=said2 --set data.cache=0 2>&1",
                "shapes.h5:train: 0.703 MiB are read from the file batch by batch\n");
}

/* The most memory that the ranks of a run hold at a time, in MiB, as seen from outside. */
static double peak_of(const char *job) {
    program_write("peak.sh",
                  "$MPIRUN -np 4 $DLTRAIN $1 --set name=peak > log 2>&1 & peak=0\n"
                  "while kill -0 $! 2> /dev/null; do\n"
                  "  sum=$(for p in $(pgrep -ax dltrain | grep \" $1 \" | cut -d' ' -f1); do\n"
                  "    cat /proc/$p/smaps_rollup 2> /dev/null; done |\n"
                  "    awk '/^Pss:/ {s += $2} END {print s + 0}')\n"
                  "  [ $sum -gt $peak ] && peak=$sum\n"
                  "  sleep 0.02\n"
                  "done\n"
                  "echo $peak\n");
    struct program_run run = program_run("sh peak.sh %s", job);
    const double peak = atof(run.out) / 1024;

    program_release(&run);
    return peak;
}

static void check_says_what_memory_a_host_needs(void **state) {
    char job[32], command[200];

    (void)state;
    snprintf(job, sizeof job, "memory%d.ini", (int)getpid());
    program_write_job(job, 40, "");
    program_expect(0, NULL, "$DLTRAIN data synth shapes60.h5 --train 20000 --test 100");
    snprintf(command, sizeof command,
             "sed -i s/shapes.h5/shapes60.h5/ %s; $MPIRUN -np 4 $DLTRAIN check %s --json --steps 2",
             job, job);
    char *text = printed(command);
    json_t *all = json_loads(text, 0, NULL);
    assert_non_null(all);
    const double said = json_number_value(json_object_get(all, "host_bytes")) / (1 << 20);
    const double data = json_number_value(json_object_get(all, "data_bytes")) / (1 << 20);
    const double peak = peak_of(job);
    if (!(said > 0.9 * peak && said < 1.1 * peak))
        fail_msg("check says %g MiB, training held %g MiB", said, peak);
    assert_true(data > 58 && data < 60); /* not four times as much */
    assert_true(json_number_value(json_object_get(all, "processor_rate")) > 0);
    json_decref(all);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_data_lies_changes_no_bit),
        cmocka_unit_test(a_run_goes_on_with_another_cache),
        cmocka_unit_test(the_first_lines_say_what_is_kept_where),
        cmocka_unit_test(check_says_what_memory_a_host_needs),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
