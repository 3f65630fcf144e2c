/* What becomes of a job for which there is not enough memory: it ends with 74 and says so. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* The address sanitizer itself needs terabytes of addresses. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_HOLD false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_HOLD false
#endif
#endif
#ifndef LIMITS_HOLD
#define LIMITS_HOLD true
#endif

static void check_ends(struct program_run *run, int kib) {
    if (run->code != 74 && run->code != 0)
        fail_msg("with %d KiB it ends with %d: %s", kib, run->code, run->err);
    if (run->code == 74 && !strstr(run->err, "dltrain: "))
        fail_msg("with %d KiB it says nothing of its own: %s", kib, run->err);
}

static void little_memory_ends_with_74(void **state) {
    int n_refused = 0, n_trained = 0;

    (void)state;
    program_write_job("job.ini", 2, "");
    for (int kib = 150000; kib <= 1250000; kib += 100000) {
        struct program_run run =
            program_run("ulimit -v %d; $DLTRAIN job.ini --set threads=2 --set name=r%d", kib, kib);
        check_ends(&run, kib);
        n_refused += run.code == 74;
        n_trained += run.code == 0;
        program_release(&run);
    }
    assert_true(n_refused > 2);
    assert_true(n_trained > 2);
}

/* MPI would end it with 1 and words about its own parts. */
static void what_mpi_needs_to_start_is_said(void **state) {
    (void)state;
    program_write_job("job.ini", 2, "");
    program_expect(74, "this process may have 20 files open at a time (ulimit -n), expected",
                   "ulimit -n 20; $DLTRAIN job.ini");
    program_expect(74, "the stack of this process may have 64 KiB (ulimit -s), expected",
                   "ulimit -s 64; $DLTRAIN job.ini");
    program_expect(74, "may have 20 files open",
                   "$MPIRUN -np 2 sh -c \"ulimit -n 20; exec \\$DLTRAIN job.ini\"");
    program_expect(0, NULL, "env -u PATH $DLTRAIN job.ini");
}

static void a_rank_without_memory_ends_all(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 3; ranks++) {
        char message[128];

        snprintf(message, sizeof message,
                 "rank %d: not enough memory: 4611686018427387903 bytes are needed", ranks - 1);
        program_expect(74, message, "$MPIRUN -np %d %s", ranks, STARVE);
    }
}

/* ulimit -f, and quotas that are kept by it. */
static void a_file_that_may_not_grow_ends_with_74(void **state) {
    (void)state;
    program_expect(74, "grown.h5.import/data: cannot be written: File too large",
                   "ulimit -f 1000; $DLTRAIN data synth grown.h5 --like imagenet --samples 40");
    program_expect(0, NULL, "$DLTRAIN data synth grown.h5 --like imagenet --samples 40");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_memory_ends_with_74),
        cmocka_unit_test(a_rank_without_memory_ends_all),
        cmocka_unit_test(what_mpi_needs_to_start_is_said),
        cmocka_unit_test(a_file_that_may_not_grow_ends_with_74),
    };
    const int first = LIMITS_HOLD ? 0 : 1;

    return _cmocka_run_group_tests("limits", tests + first,
                                   sizeof tests / sizeof *tests - (size_t)first, program_setup,
                                   program_teardown);
}
