/* Whichever read or write fails, on whichever rank: one message that says where, no rank left
 * behind, and the last good checkpoint is there. */
#include "support/program.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void write_job(void) {
    program_write_job("job.ini", 9,
                      "[validate]\nevery = 4 steps\n[checkpoint]\nlast = 3 steps\n"
                      "[picture p]\nshow = image\ncount = 4\n");
}

/* How many lines of the text begin with "dltrain: ", and whether one of them has the words. */
static int n_messages(const char *text, const char *words, bool *found) {
    int n = 0;

    *found = false;
    for (const char *at = text; (at = strstr(at, "dltrain: ")); at++) {
        const char *end = at + strcspn(at, "\n"), *word = strstr(at, words);
        n += at == text || at[-1] == '\n';
        *found = *found || (word && word < end);
    }
    return n;
}

/* Call number n on such paths fails. Returns whether the run noticed. */
static bool run_with(const char *call, const char *path, int code, int n, const char *ranks,
                     const char *words) {
    bool found;

    struct program_run run =
        program_run("rm -rf runs; OMPI_MCA_odls_base_sigkill_timeout=0 FAULT_CALL=%s FAULT_PATH=%s "
                    "FAULT_ERRNO=%d FAULT_N=%d %s env LD_PRELOAD=%s $DLTRAIN job.ini",
                    call, path, code, n, ranks, FAULT_LIBRARY);
    const int messages = n_messages(run.err, words, &found);
    const bool fine = run.code == 0 && !messages;
    if (!fine && !((run.code == 74 || run.code == 65) && messages == 1 && found))
        fail_msg("%s number %d of %s: exit code %d\n%s", call, n, path, run.code, run.err);
    assert_int_equal(access("runs/job/lock", F_OK), -1);
    program_release(&run);
    return !fine;
}

/* Every stride-th call up to number `most`; the run notices some of them. */
static void each(const char *call, const char *path, int code, int stride, int most,
                 const char *ranks, const char *words) {
    int n_noticed = 0;

    for (int n = 1; n <= most; n += stride)
        n_noticed += run_with(call, path, code, n, ranks, words);
    assert_true(n_noticed > 0);
}

static void data_that_cannot_be_read_are_said(void **state) {
    (void)state;
    write_job();
    each("read", "shapes.h5", EIO, 1, 55, "", "shapes.h5");
    each("open", "shapes.h5", EIO, 1, 6, "", "shapes.h5");
}

static void the_rank_is_named_and_none_is_left(void **state) {
    (void)state;
    write_job();
    each("read", "shapes.h5", EIO, 5, 40, "FAULT_RANK=1 $MPIRUN -np 2", "rank 1 on ");
    each("open", "shapes.h5", EIO, 1, 4, "FAULT_RANK=0 $MPIRUN -np 2", "rank 0 on ");
    program_expect(0, NULL, "sed -i \"s/^batch/cache = 0\\nbatch/\" job.ini");
    each("read", "shapes.h5", EIO, 8, 60, "FAULT_RANK=1 $MPIRUN -np 2", "rank 1 on ");
}

/* What has been saved before is whole, and the run goes on from there. */
static void a_full_disk_leaves_the_last_checkpoint(void **state) {
    static const char *const calls[] = {"write", "fsync", "open"};

    (void)state;
    write_job();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int n = 1; n <= 25; n += 4) {
            run_with(calls[i], "runs/", ENOSPC, n, "", "runs/job");
            program_expect(0, NULL, "$DLTRAIN job.ini --resume > resumed.log");
        }
}

/* It may be somebody's only copy: what cannot be read is not said to be something else. */
static void a_target_that_cannot_be_read_is_told_so(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "rm -rf runs; $DLTRAIN job.ini");
    for (int i = 0; i < 2; i++) {
        const char *command = i ? "predict runs/job shapes.h5:test -o" : "convert runs/job";

        program_expect(0, NULL, "$DLTRAIN %s out%d.h5", command, i);
        program_expect(74, "Input/output error",
                       "FAULT_CALL=read FAULT_PATH=out%d.h5 FAULT_ERRNO=%d FAULT_N=1 LD_PRELOAD=%s "
                       "$DLTRAIN %s out%d.h5",
                       i, EIO, FAULT_LIBRARY, command, i);
    }
}

/* What HDF5 holds back is written when a dataset is closed. */
static void no_write_of_a_split_fails_unnoticed(void **state) {
    const int most = 13;

    (void)state;
    for (int n = 1; n <= most; n++) {
        struct program_run run = program_run(
            "FAULT_CALL=write FAULT_PATH=folds.h5 FAULT_ERRNO=%d FAULT_N=%d env LD_PRELOAD=%s "
            "$DLTRAIN data split shapes.h5:train folds.h5 --folds 3",
            ENOSPC, n, FAULT_LIBRARY);
        if (run.code != 74 || !access("folds.h5", F_OK) || !access("folds.h5.tmp", F_OK))
            fail_msg("write number %d: exit code %d\n%s", n, run.code, run.err);
        program_release(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_that_cannot_be_read_are_said),
        cmocka_unit_test(the_rank_is_named_and_none_is_left),
        cmocka_unit_test(a_full_disk_leaves_the_last_checkpoint),
        cmocka_unit_test(a_target_that_cannot_be_read_is_told_so),
        cmocka_unit_test(no_write_of_a_split_fails_unnoticed),
    };

#ifdef __SANITIZE_ADDRESS__
    printf("skipped: the address sanitizer wants to be the first library\n");
    return 77;
#endif
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
