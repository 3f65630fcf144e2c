/* A host whose ranks cannot share memory: each keeps a copy, and that is said. Skipped where nobody
 * may mount a small /dev/shm. */
#include "printed.h"

#include <stdio.h>
#include <stdlib.h>

#define IN_SMALL_SHM "unshare -rm sh -c 'mount -t tmpfs -o size=1m none /dev/shm "

#define IN_4M_SHM "unshare -rm sh -c 'mount -t tmpfs -o size=4m none /dev/shm "

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

/* Gradients have no room there: 3 ranks of 1.2 MB each. */
static void gradients_that_have_no_room_there_are_summed_in_a_ring(void **state) {
    static const char job[] = "[job]\ninclude = %s\nmodel = small(classes=10)\nsteps = 3\n"
                              "[net small(image, classes)]\n"
                              "fc = image | flatten | linear(100) | relu | linear(classes)\n"
                              "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                              "batch = 24\ncache = 0\n";

    (void)state;
    program_write("wide.ini", job, DLTRAIN_CONFIGS "/classify.ini");
    program_write("wide.sh", IN_SMALL_SHM "&& $MPIRUN -np 3 $DLTRAIN wide.ini' > wide.log 2>&1\n");
    program_expect(0, NULL, "sh wide.sh");
    expect_text("grep -c \"allreduce: ring takes the place of host: rank . on .*: /dev/shm has no "
                "room for\" wide.log",
                "1\n");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN wide.ini --set dist.allreduce=ring --set "
                   "name=ring && $SAME runs/wide/last.h5 runs/ring/last.h5");
}

/* Gradients have room, 3 ranks of 0.8 MB; weights and moments once more have not. */
static void averages_that_have_no_room_there_go_by_a_ring(void **state) {
    (void)state;
    program_write("mean.ini",
                  "[job]\ninclude = %s\nmodel = small(classes=10)\nsteps = 5\n"
                  "[net small(image, classes)]\n"
                  "fc = image | flatten | linear(64) | relu | linear(classes)\n"
                  "[data]\ntrain = shapes.h5:train\nbatch = 24\ncache = 0\n"
                  "validate = shapes.h5:test\n"
                  "[dist]\nsync = local_sgd(every=2)\n",
                  DLTRAIN_CONFIGS "/classify.ini");
    program_write("mean.sh", IN_4M_SHM "&& $MPIRUN -np 3 $DLTRAIN mean.ini' > mean.log 2>&1\n");
    program_expect(0, NULL, "sh mean.sh");
    expect_text("grep -c \"ring takes the place\" mean.log; "
                "grep -c \"averages go by ring in place of host: rank . on .*: allreduce = host "
                "needs memory that ranks of a host share, ring none: /dev/shm has no room for\" "
                "mean.log",
                "0\n1\n");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN mean.ini --set dist.allreduce=ring --set "
                   "name=meanring && $SAME runs/mean/last.h5 runs/meanring/last.h5");
    program_write("thin.sh", IN_SMALL_SHM "&& $MPIRUN -np 3 $DLTRAIN wide.ini --set name=thin "
                                          "--set \"dist.allreduce=powersgd(by=host)\"'\n");
    program_expect(74, "allreduce = host needs memory that ranks of a host share, ring none",
                   "sh thin.sh");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_shared_memory_is_warned_of_once),
        cmocka_unit_test(gradients_that_have_no_room_there_are_summed_in_a_ring),
        cmocka_unit_test(averages_that_have_no_room_there_go_by_a_ring),
    };

    if (system(IN_SMALL_SHM "' 2> /dev/null")) {
        printf("skipped: a small /dev/shm cannot be mounted\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
