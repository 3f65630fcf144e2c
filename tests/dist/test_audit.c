#include "support/mpi_main.h"

#include "dist/audit.h"

#include <string.h>

enum { LEN = 1000, N = 4 };
static float a[LEN], b[LEN];
static int64_t count;
static const struct audit_item items[N] = {
    {"weights of gen", "conv.weight", a, sizeof a},
    {"weights of empty", NULL, NULL, 0},
    {"weights of disc", "fc.bias", b, sizeof b},
    {"number of updates of the step", NULL, &count, sizeof count},
};

static void fill(void) {
    for (int i = 0; i < LEN; i++) {
        a[i] = (float)i * 3;
        b[i] = (float)i * 7;
    }
    count = 12;
}

static const struct audit_item *differs;

/* The error of an audit of all items, or "". */
static const char *audit_all(void) {
    static struct err err;
    uint64_t *scratch = malloc((size_t)(N + comm_size(comm)) * sizeof *scratch);

    assert_non_null(scratch);
    err = (struct err){0};
    const int rc = audit(comm, items, N, scratch, &differs, &err);
    free(scratch);
    assert_int_equal(rc, err.msg[0] ? -1 : 0);
    if (rc)
        assert_int_equal(err.kind, ERR_DATA);
    if (rc) /* the message names it */
        assert_non_null(strstr(err.msg, differs->span));
    else
        assert_null(differs);
    return err.msg;
}

/* Every rank has been told that this rank is the one, and what of. */
static void expect(int rank, const char *item, const char *end) {
    char expected[512], host[256] = "";
    const char *found = audit_all();

    strncpy(host, comm_host(comm), sizeof host - 1);
    comm_bcast(comm, host, sizeof host, rank);
    snprintf(expected, sizeof expected, "rank %d on %s: the replicas differ: %s has hash ", rank,
             host, item);
    if (strncmp(found, expected, strlen(expected)) || !strstr(found, end))
        fail_msg("found '%s', expected '%s... %s'", found, expected, end);
}

static void identical_replicas_pass(void **state) {
    (void)state;
    fill();
    assert_string_equal(audit_all(), "");
}

/* With two ranks nobody knows which, and rank 0 is taken at its word. */
static void the_odd_one_out_is_named_wherever_it_is(void **state) {
    const int size = comm_size(comm);
    char end[64];

    (void)state;
    snprintf(end, sizeof end, " on %d of %d ranks", size - 1, size);
    for (int odd = 0; odd < size && size > 2; odd++) {
        fill();
        if (comm_rank(comm) == odd)
            b[LEN - 1] = -b[LEN - 1];
        expect(odd, "weights of disc, fc.bias", end);
    }
    fill();
    a[0] += (float)comm_rank(comm);
    if (size == 2)
        expect(1, "weights of gen, conv.weight", "no more than half of 2 ranks agree");
}

static void without_a_majority_rank_0_is_compared_with(void **state) {
    const int size = comm_size(comm);

    (void)state;
    fill();
    count += size == 4 ? comm_rank(comm) / 2 : comm_rank(comm);
    if (size > 2)
        expect(size / 2, "number of updates of the step", "which is right cannot be told");
}

static void the_first_item_that_differs_is_named(void **state) {
    (void)state;
    fill();
    if (comm_rank(comm) == comm_size(comm) - 1)
        a[5] = -1, b[7] = -1;
    if (comm_size(comm) > 1)
        expect(comm_size(comm) - 1, "weights of gen, conv.weight", "");
}

static void the_sign_of_zero_is_a_difference(void **state) {
    (void)state;
    fill();
    a[0] = comm_rank(comm) == comm_size(comm) - 1 ? -0.0f : 0.0f;
    assert_int_equal(audit_all()[0] != 0, comm_size(comm) > 1);
}

/* Ranks that do not even have as many items do not wait for each other. */
static void another_number_of_items_is_a_difference(void **state) {
    const int n = comm_rank(comm) ? N - 1 : N;
    uint64_t scratch[N + 16];
    struct err err = {0};

    (void)state;
    fill();
    assert_int_equal(audit(comm, items, n, scratch, &differs, &err), comm_size(comm) > 1 ? -1 : 0);
    assert_string_equal(err.msg, comm_size(comm) > 1
                                     ? "the replicas differ: they do not have the same tensors"
                                     : "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(identical_replicas_pass),
    cmocka_unit_test(the_odd_one_out_is_named_wherever_it_is),
    cmocka_unit_test(without_a_majority_rank_0_is_compared_with),
    cmocka_unit_test(the_first_item_that_differs_is_named),
    cmocka_unit_test(another_number_of_items_is_a_difference),
    cmocka_unit_test(the_sign_of_zero_is_a_difference),
};

MPI_MAIN(tests)
