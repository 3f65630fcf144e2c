/* A thousand ranks on shared storage: each opens its data once, and asks for nothing else of it. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Calls whose line matches the pattern, of rank `rank` of what rank.sh ran. */
static int calls_of(const char *pattern, int rank) {
    struct program_run run = program_run("grep -c \"%s\" calls.%d", pattern, rank);
    const int n = atoi(run.out);

    program_release(&run);
    return n;
}

/* Training and validation of one file: one open of it, and no other question to its server. */
static void ranks_open_a_file_once(void **state) {
    (void)state;
    program_write_job("once.ini", 6, "");
    for (int kept = 0; kept < 2; kept++) {
        program_write("rank.sh", "exec strace -f -o calls.$OMPI_COMM_WORLD_RANK -e trace=%%file "
                                 "$DLTRAIN \"$@\"\n");
        program_expect(0, NULL,
                       "rm -f calls.*; $MPIRUN -np 3 sh rank.sh once.ini --set name=calls%d "
                       "--set data.cache=%d",
                       kept, kept ? 1024 : 0);
        for (int rank = 1; rank < 3; rank++) {
            assert_int_equal(calls_of("openat.*shapes.h5", rank), 1);
            assert_int_equal(calls_of("shapes.h5", rank), 1);
        }
        assert_int_equal(calls_of("openat.*shapes.h5", 0), 1);
        assert_in_range(calls_of("shapes.h5", 0), 1, 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_open_a_file_once),
    };

    if (system("command -v strace > /dev/null")) {
        printf("skipped: there is no strace\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
