#include "support/mpi_main.h"

#include "dist/audit.h"

#include <string.h>

enum { LEN = 1000 };
static real a[LEN], b[LEN];
static const real *const spans[] = {a, NULL, b};
static const int64_t len[] = {LEN, 0, LEN};
static const char *const names[] = {"weights of gen", "weights of empty", "weights of disc"};

static void fill(void) {
    for (int i = 0; i < LEN; i++) {
        a[i] = (real)(i * 3);
        b[i] = (real)(i * 7);
    }
}

static void identical_replicas_pass(void **state) {
    (void)state;
    struct err err = {0};

    fill();
    if (audit_spans(comm, spans, len, names, 3, &err))
        fail_msg("%s", err.msg);
}

static void the_lowest_rank_that_differs_is_named(void **state) {
    (void)state;
    for (int from = 1; from < comm_size(comm); from++) {
        struct err err = {0};
        char expected[512], host[256] = "";
        fill();
        if (comm_rank(comm) >= from)
            b[LEN - 1] = -b[LEN - 1];
        assert_int_equal(audit_spans(comm, spans, len, names, 3, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        strncpy(host, comm_host(comm), sizeof host - 1);
        comm_bcast(comm, host, sizeof host, from);
        snprintf(expected, sizeof expected,
                 "rank %d on %s: the replicas differ: weights of disc has hash ", from, host);
        assert_memory_equal(err.msg, expected, strlen(expected));
    }
}

static void the_sign_of_zero_is_a_difference(void **state) {
    (void)state;
    struct err err = {0};

    fill();
    a[0] = comm_rank(comm) == comm_size(comm) - 1 ? -(real)0 : 0;
    assert_int_equal(audit_spans(comm, spans, len, names, 3, &err), comm_size(comm) > 1 ? -1 : 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(identical_replicas_pass),
    cmocka_unit_test(the_lowest_rank_that_differs_is_named),
    cmocka_unit_test(the_sign_of_zero_is_a_difference),
};

MPI_MAIN(tests)
