/* A host whose ranks cannot share memory: a /dev/shm of a container that is too small. */
#include "printed.h"

#include <stdio.h>
#include <stdlib.h>

/* Once, however much there is no room for. */
static void a_host_without_shared_memory_is_warned_of_once(void **state) {
    (void)state;
    program_write("small.sh", "mount -t tmpfs -o size=1m none /dev/shm || exit 3\n"
                              "$MPIRUN -np 3 $DLTRAIN small.ini > full.log 2>&1\n");
    program_write_job("small.ini", 4, "");
    program_expect(0, NULL, "unshare -rm sh small.sh");
    expect_text("grep -c \"share too little memory\" full.log; "
                "grep -c \"kept in memory, by each of the 3 ranks of a host\" full.log",
                "1\n2\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_shared_memory_is_warned_of_once),
    };

    if (system("unshare -rm mount -t tmpfs none /dev/shm")) {
        printf("skipped: nobody may mount a /dev/shm of another size here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
