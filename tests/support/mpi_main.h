/* mpi_main.h - the main of a test that runs on several ranks. A failure on one rank ends all of
 * them at once: the others would wait for it in the next collective. */
#pragma once
#include "dist/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

static struct comm *comm; /* that of all tests of the program */

/* main(argc, argv) of a test program. */
static int mpi_main(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests) {
    struct err err = {0};

    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (comm_new(&comm, &argc, &argv, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return (int)err.kind;
    }
    if (comm_rank(comm) > 0 && !freopen("/dev/null", "w", stdout)) /* one report is enough */
        comm_abort(comm, ERR_IO, "/dev/null does not open");
    const int rc = _cmocka_run_group_tests(argv[0], tests, n_tests, NULL, NULL);
#ifdef __SANITIZE_ADDRESS__
    __lsan_do_leak_check(); /* while MPI's plugins are loaded, so that suppressions find them */
#endif
    comm_free(comm);
    return rc;
}

#define MPI_MAIN(tests)                                                                            \
    int main(int argc, char **argv) {                                                              \
        return mpi_main(argc, argv, tests, sizeof(tests) / sizeof *(tests));                       \
    }
