/* A host whose ranks cannot share memory: each keeps a copy, and that is said. Skipped where nobody
 * may mount a small /dev/shm. */
#include "printed.h"

#include <stdio.h>
#include <stdlib.h>

#define IN_SMALL_SHM "unshare -rm sh -c 'mount -t tmpfs -o size=1m none /dev/shm "

/* However much there is no room for. */
static void a_host_without_shared_memory_is_warned_of_once(void **state) {
    (void)state;
    program_write_job("full.ini", 4, "");
    program_write("full.sh", IN_SMALL_SHM "&& $MPIRUN -np 3 $DLTRAIN full.ini' > full.log 2>&1\n");
    program_expect(0, NULL, "sh full.sh");
    expect_text("grep -c \"share too little memory\" full.log; "
                "grep -c \"kept in memory, by each of the 3 ranks of a host\" full.log",
                "1\n2\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_shared_memory_is_warned_of_once),
    };

    if (system(IN_SMALL_SHM "' 2> /dev/null")) {
        printf("skipped: a small /dev/shm cannot be mounted\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
