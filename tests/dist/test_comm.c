#include "support/mpi_main.h"

#include "core/base/clock.h"

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

/* Hosts as DLTRAIN_HOSTS pretends them. */
static int n_hosts(void) {
    const char *text = getenv("DLTRAIN_HOSTS");
    const int n = text ? atoi(text) : 1;

    return n < comm_size(comm) ? n : comm_size(comm);
}

static int host_of(int rank) {
    const char *text = getenv("DLTRAIN_HOSTS");

    return text ? rank * atoi(text) / comm_size(comm) : 0;
}

static void ranks_of_a_host_are_local(void **state) {
    (void)state;
    int size = 0, rank = 0;

    for (int r = 0; r < comm_size(comm); r++) {
        size += host_of(r) == host_of(comm_rank(comm));
        rank += host_of(r) == host_of(comm_rank(comm)) && r < comm_rank(comm);
    }
    assert_int_equal(comm_local_size(comm), size);
    assert_int_equal(comm_local_rank(comm), rank);
    assert_true(strlen(comm_host(comm)) > 0);
}

static double sum_of_ranks(struct comm *part) {
    double v = comm_rank(comm) + 1;

    comm_sum_doubles(part, &v, 1);
    return v;
}

static void parts_are_comms_of_their_own(void **state) {
    (void)state;
    double expected = 0;
    struct comm *part = comm_split(comm, comm_rank(comm) % 2);

    for (int r = comm_rank(comm) % 2; r < comm_size(comm); r += 2)
        expected += r + 1;
    assert_int_equal(comm_rank(part), comm_rank(comm) / 2);
    assert_true(sum_of_ranks(part) == expected);
    comm_free(part);
    part = comm_split(comm, comm_rank(comm) == 0 ? 3 : -1);
    assert_true(!part == (comm_rank(comm) > 0));
    comm_free(part);
    comm_barrier(comm); /* the whole goes on */
}

static void hosts_have_leaders(void **state) {
    (void)state;
    struct comm *host = comm_on_host(comm), *leaders = comm_leaders(comm);

    assert_int_equal(comm_size(host), comm_local_size(comm));
    assert_int_equal(comm_rank(host), comm_local_rank(comm));
    assert_true(!leaders == (comm_rank(host) > 0));
    if (leaders)
        assert_int_equal(comm_size(leaders), n_hosts());
    comm_free(leaders);
    comm_free(host);
}

/* Each writes what the others read, in memory that begins as zeros. */
static void ranks_of_a_host_share_memory(void **state) {
    (void)state;
    enum { LEN = 1000 };
    struct comm *host = comm_on_host(comm);
    struct err err = {0};
    struct comm_shared *shared = comm_shared_new(host, LEN * sizeof(int), &err);

    assert_non_null(shared);
    int *mine = comm_shared_of(shared, comm_rank(host));
    for (int i = 0; i < LEN; i++) {
        assert_int_equal(mine[i], 0);
        mine[i] = 1000 * comm_rank(host) + i;
    }
    comm_barrier(host);
    for (int r = 0; r < comm_size(host); r++) {
        const int *other = comm_shared_of(shared, r);
        assert_int_equal((uintptr_t)other % COMM_LINE, 0);
        for (int i = 0; i < LEN; i++)
            assert_int_equal(other[i], 1000 * r + i);
    }
    comm_shared_free(shared);
    comm_free(host);
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

static void sums_and_largest_travel_together(void **state) {
    (void)state;
    const int p = comm_size(comm);
    double v[3] = {1, -1.0 - comm_rank(comm), comm_rank(comm)};

    comm_sum_and_max(comm, v, 1, 2);
    assert_true(v[0] == p && v[1] == -1 && v[2] == p - 1);
}

/* Of all comms together: what waits in a part waits. */
static void waits_are_counted(void **state) {
    (void)state;
    struct comm *part = comm_split(comm, 0);
    double last = comm_waited(comm), v = 1;
    unsigned char data[100] = {0}, all[6400];

    for (int i = 0; i < 5; i++) {
        if (i == 0)
            comm_barrier(comm);
        else if (i == 1)
            comm_bcast(part, data, sizeof data, 0);
        else if (i == 2)
            comm_all_gather(part, data, all, sizeof data);
        else if (i == 3)
            comm_sum_doubles(part, &v, 1);
        else
            comm_max_double(part, 1);
        assert_true(comm_size(comm) == 1 ? comm_waited(comm) >= last : comm_waited(comm) > last);
        assert_true(comm_waited(part) == comm_waited(comm));
        last = comm_waited(comm);
    }
    comm_free(part);
}

static void count_up(void *context) {
    ++*(int *)context;
}

/* The last one to come has nobody to wait for. */
static void who_waits_for_a_sum_may_do_something(void **state) {
    (void)state;
    int n_idle = 0;
    double v = 1, all[64];

    comm_sum_doubles(comm, &v, 1); /* that makes ready */
    comm_while_waiting(comm, count_up, &n_idle);
    if (comm_rank(comm) == comm_size(comm) - 1)
        for (double until = clock_now() + 0.05; clock_now() < until;)
            ;
    comm_sum_doubles(comm, &v, 1);
    comm_while_waiting(comm, NULL, NULL);
    const int seen = n_idle;
    comm_sum_doubles(comm, &v, 1);
    assert_int_equal(n_idle, seen);
    v = n_idle;
    comm_all_gather(comm, &v, all, sizeof v);
    if (comm_size(comm) > 1)
        assert_true(all[0] > 0);
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
    cmocka_unit_test(ranks_of_a_host_are_local),
    cmocka_unit_test(parts_are_comms_of_their_own),
    cmocka_unit_test(hosts_have_leaders),
    cmocka_unit_test(ranks_of_a_host_share_memory),
    cmocka_unit_test(broadcast_copies_from_any_root),
    cmocka_unit_test(sums_of_doubles_are_those_of_all_ranks),
    cmocka_unit_test(sums_and_largest_travel_together),
    cmocka_unit_test(waits_are_counted),
    cmocka_unit_test(who_waits_for_a_sum_may_do_something),
    cmocka_unit_test(sums_of_doubles_have_the_same_bits_everywhere),
    cmocka_unit_test(the_largest_double_may_be_negative),
    cmocka_unit_test(messages_of_a_tag_arrive_in_order),
    cmocka_unit_test(a_request_that_never_was_has_arrived),
    cmocka_unit_test(tags_are_handed_out_once),
};

MPI_MAIN(tests)
