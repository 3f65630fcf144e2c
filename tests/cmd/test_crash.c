/* A process that crashes leaves a page that says where, and ends by the signal itself, so that
 * whoever started it sees that. */
#include "cmd/printed.h"

#include <stdio.h>

static void expect_in(const char *file, const char *text) {
    struct program_run run = program_run("cat runs/crash/%s", file);

    if (run.code || !strstr(run.out, text))
        fail_msg("runs/crash/%s: expected '%s'\n%s", file, text, run.out);
    program_release(&run);
}

static void a_crash_leaves_a_page(void **state) {
    (void)state;
    program_write_job("job.ini", 9, "[checkpoint]\nlast = 1 steps\n");
    program_expect(139, "crashed (SIGSEGV) in ",
                   "$DLTRAIN job.ini --set name=crash --set steps=1000000 > log & pid=$!; "
                   "while [ ! -e runs/crash/last.h5 ]; do sleep 0.05; done; "
                   "kill -SEGV $pid; wait $pid");
    expect_in("fault.txt", "kind       crash\n");
    expect_in("fault.txt", "rank       0 of 1, host ");
    expect_in("fault.txt", "(train+0x");
    expect_in("fault.txt", "\nWhat to do: ");
    expect_in("fault.json", "\"signal\": \"SIGSEGV\"");
}

static void a_run_goes_on_after_it(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=crash --resume --set steps=1 > log; "
                   "test -e runs/crash/fault.1.txt && ! test -e runs/crash/fault.txt");
}

/* The others end with it, and it is the one that crashed that is named. */
static void one_of_several_ranks_is_named(void **state) {
    (void)state;
    struct program_run run = program_run(
        "rm -rf runs; $MPIRUN -np 2 $DLTRAIN job.ini --set name=crash --set steps=1000000 > log & "
        "while [ ! -e runs/crash/last.h5 ]; do sleep 0.05; done; "
        "for p in $(pgrep -P $!); do pid=$p; done; kill -ABRT $pid; wait $!");
    assert_int_not_equal(run.code, 0);
    assert_non_null(strstr(run.err, ": crashed (SIGABRT) in "));
    program_release(&run);
    expect_in("fault.txt", ": crashed (SIGABRT) in ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_leaves_a_page),
        cmocka_unit_test(a_run_goes_on_after_it),
        cmocka_unit_test(one_of_several_ranks_is_named),
    };

#ifdef __SANITIZE_ADDRESS__
    printf("skipped: a sanitizer says more of a crash\n");
    return 77;
#endif
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
