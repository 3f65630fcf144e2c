#include "support/mpi_main.h"

#include "dist/agree.h"

#include <string.h>

static void success_everywhere_is_success(void **state) {
    (void)state;
    struct err err = {.kind = ERR_DATA, .msg = "old"};

    assert_int_equal(agree(comm, 0, &err), 0);
    assert_int_equal(err.kind, ERR_DATA);
    assert_string_equal(err.msg, "old");
}

/* Ranks in [from, size) fail, each with words of its own. */
static void fails_from(int from) {
    struct err err = {0};
    char expected[1024], host[256] = "";
    int rc = 0;

    if (comm_rank(comm) >= from)
        rc = err_set(&err, comm_rank(comm) == from ? ERR_DATA : ERR_IO, "file%d.h5: bad magic",
                     comm_rank(comm));
    assert_int_equal(agree(comm, rc, &err), -1);
    strncpy(host, comm_host(comm), sizeof host - 1);
    comm_bcast(comm, host, sizeof host, from);
    if (comm_size(comm) == 1)
        strcpy(expected, "file0.h5: bad magic");
    else
        snprintf(expected, sizeof expected, "rank %d on %s: file%d.h5: bad magic", from, host,
                 from);
    assert_string_equal(err.msg, expected);
    assert_int_equal(err.kind, ERR_DATA);
    assert_int_equal(err.of_rank, comm_size(comm) == 1 ? 0 : from + 1);
}

static void the_lowest_failing_rank_words_the_error(void **state) {
    (void)state;
    for (int from = 0; from < comm_size(comm); from++)
        fails_from(from);
}

static void the_longest_message_survives(void **state) {
    (void)state;
    struct err err = {.kind = ERR_CONFIG}, all[64];

    memset(err.msg, 'x', sizeof err.msg - 1);
    assert_int_equal(agree(comm, -1, &err), -1);
    comm_all_gather(comm, &err, all, sizeof err);
    for (int r = 0; r < comm_size(comm); r++)
        assert_memory_equal(&all[r], &err, sizeof err);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(success_everywhere_is_success),
    cmocka_unit_test(the_lowest_failing_rank_words_the_error),
    cmocka_unit_test(the_longest_message_survives),
};

MPI_MAIN(tests)
