#include "support/mpi_main.h"

#include <math.h>
#include <string.h>

static void ranks_are_numbered_from_zero(void **state) {
    (void)state;
    int mine = comm_rank(comm), all[64];

    assert_in_range(comm_size(comm), 1, 64);
    comm_all_gather(comm, &mine, all, sizeof mine);
    for (int r = 0; r < comm_size(comm); r++)
        assert_int_equal(all[r], r);
}

static void all_ranks_of_one_machine_are_local(void **state) {
    (void)state;
    assert_int_equal(comm_local_size(comm), comm_size(comm));
    assert_int_equal(comm_local_rank(comm), comm_rank(comm));
    assert_true(strlen(comm_host(comm)) > 0);
}

static void broadcast_copies_from_any_root(void **state) {
    (void)state;
    for (int root = 0; root < comm_size(comm); root++) {
        unsigned char data[5000];
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (unsigned char)(i * 7 + (size_t)comm_rank(comm));
        comm_bcast(comm, data, sizeof data, root);
        for (size_t i = 0; i < sizeof data; i++)
            assert_int_equal(data[i], (unsigned char)(i * 7 + (size_t)root));
        comm_bcast(comm, NULL, 0, root);
    }
}

static void sums_of_doubles_are_those_of_all_ranks(void **state) {
    (void)state;
    const int p = comm_size(comm);
    double v[3] = {comm_rank(comm), 100.5 * (comm_rank(comm) + 1), 1e-3};

    comm_sum_doubles(comm, v, 3);
    assert_true(v[0] == p * (p - 1) / 2.0); /* 0 + 1 + ... + p-1 */
    assert_true(v[1] == 100.5 * p * (p + 1) / 2.0);
    assert_true(fabs(v[2] - 1e-3 * p) < 1e-15);
}

static void sums_of_doubles_have_the_same_bits_everywhere(void **state) {
    (void)state;
    double all[64], v = 0.1 / (1 + comm_rank(comm) * comm_rank(comm));

    comm_sum_doubles(comm, &v, 1);
    comm_all_gather(comm, &v, all, sizeof v);
    for (int r = 1; r < comm_size(comm); r++)
        assert_memory_equal(&all[r], &all[0], sizeof v);
}

static void the_largest_double_may_be_negative(void **state) {
    (void)state;
    assert_true(comm_max_double(comm, -2.5 - comm_rank(comm)) == -2.5);
    assert_true(comm_max_double(comm, comm_rank(comm)) == comm_size(comm) - 1);
}

static void messages_of_a_tag_arrive_in_order(void **state) {
    (void)state;
    enum { N = 20 };
    const int right = (comm_rank(comm) + 1) % comm_size(comm);
    const int left = (comm_rank(comm) + comm_size(comm) - 1) % comm_size(comm);
    int out[2][N], in[2][N];
    struct comm_request sent[2][N], received[2][N];

    for (int tag = 0; tag < 2; tag++)
        for (int i = 0; i < N; i++) {
            out[tag][i] = comm_rank(comm) * 1000 + tag * 100 + i;
            comm_isend(comm, &out[tag][i], sizeof(int), right, tag, &sent[tag][i]);
        }
    for (int tag = 1; tag >= 0; tag--)
        for (int i = 0; i < N; i++)
            comm_irecv(comm, &in[tag][i], sizeof(int), left, tag, &received[tag][i]);
    for (int tag = 0; tag < 2; tag++)
        for (int i = 0; i < N; i++) {
            while (!comm_test(comm, &sent[tag][i]) || !comm_test(comm, &received[tag][i]))
                ;
            assert_int_equal(in[tag][i], left * 1000 + tag * 100 + i);
        }
}

static void a_request_that_never_was_has_arrived(void **state) {
    (void)state;
    struct comm_request none = {0};

    assert_true(comm_test(comm, &none));
}

static void tags_are_handed_out_once(void **state) {
    (void)state;
    struct err err = {0};
    int a, b;

    assert_int_equal(comm_take_tags(comm, 3, &a, &err), 0);
    assert_int_equal(comm_take_tags(comm, 1, &b, &err), 0);
    assert_int_equal(b, a + 3);
    assert_int_equal(comm_take_tags(comm, 2147483647, &a, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ranks_are_numbered_from_zero),
    cmocka_unit_test(all_ranks_of_one_machine_are_local),
    cmocka_unit_test(broadcast_copies_from_any_root),
    cmocka_unit_test(sums_of_doubles_are_those_of_all_ranks),
    cmocka_unit_test(sums_of_doubles_have_the_same_bits_everywhere),
    cmocka_unit_test(the_largest_double_may_be_negative),
    cmocka_unit_test(messages_of_a_tag_arrive_in_order),
    cmocka_unit_test(a_request_that_never_was_has_arrived),
    cmocka_unit_test(tags_are_handed_out_once),
};

MPI_MAIN(tests)
