/* Models beside numbers worked by hand. */
#include "dist/cost.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* 1 Gbit/s and 50 us between hosts; 50 GB/s of memory and 1 us within. */
static struct cost_cluster cluster(int64_t ranks, int64_t per_host) {
    return (struct cost_cluster){.ranks = ranks,
                                 .per_host = per_host,
                                 .latency_s = 50e-6,
                                 .bytes_per_s = 125e6,
                                 .memory_latency_s = 1e-6,
                                 .memory_bytes_per_s = 50e9,
                                 .wire = 1};
}

static void expect(double found, double wanted) {
    if (!(fabs(found - wanted) <= 1e-9 * fabs(wanted) + 1e-15))
        fail_msg("found %.12g, expected %.12g", found, wanted);
}

/* Each of 4 hosts sends 6 quarters of 100 MB, and adds 3 of them, of 3 bytes of traffic for each.
 */
static void a_ring_of_four_hosts_is_as_worked_by_hand(void **state) {
    const struct cost_cluster c = cluster(4, 1);
    const struct cost cost = cost_allreduce(cost_find("ring"), &c, 100e6);

    (void)state;
    expect(cost.link_s, 2 * 3 / 4.0 * 100e6 / 125e6); /* 1.2 s */
    expect(cost.latency_s, 6 * 50e-6);
    expect(cost.memory_s, 3 * 25e6 * 3 / 50e9);
    assert_int_equal(cost.rounds, 6);
}

/* 8 ranks on 2 hosts: 14 rounds of an eighth; of the 8 messages of a round two are between hosts.
 * In a host three ranks receive from a neighbour there. */
static void a_ring_crosses_the_border_of_a_host_once_a_round(void **state) {
    const struct cost_cluster c = cluster(8, 4);
    const struct cost cost = cost_allreduce(cost_find("ring"), &c, 80e6);

    (void)state;
    expect(cost.link_s, 14 * 10e6 / 125e6);
    expect(cost.latency_s, 14 * (2 / 8.0 * 50e-6 + 6 / 8.0 * 1e-6));
    expect(cost.memory_s, (14 * 10e6 * 4 * 3 + 7 * 10e6 * 3 * 4) / 50e9);
}

/* 4 ranks of a host read 4 vectors and write one; 2 leaders send 2 halves and add one. */
static void hosts_share_memory_and_their_leaders_a_ring(void **state) {
    struct cost_cluster c = cluster(8, 4);
    struct cost cost = cost_allreduce(cost_find("host"), &c, 80e6);

    (void)state;
    expect(cost.link_s, 2 * 40e6 / 125e6);
    expect(cost.latency_s, 2 * 50e-6 + 2 * 1e-6);
    expect(cost.memory_s, (5 * 80e6 + 40e6 * 3) / 50e9);
    c.per_host = 8;
    cost = cost_allreduce(cost_find("host"), &c, 80e6);
    expect(cost.link_s, 0);
    expect(cost.latency_s, 2 * 1e-6);
    expect(cost.memory_s, 9 * 80e6 / 50e9);
    assert_int_equal(cost.rounds, 0);
}

/* 4 hosts of 2 exchange, of 10 MB, halves and quarters with other hosts, both ranks at once, an
 * eighth within, and all that again; a vector of 1 kB goes whole, three times. */
static void a_tree_halves_what_it_sends(void **state) {
    const struct cost_cluster c = cluster(8, 2);
    struct cost cost = cost_allreduce(cost_find("tree"), &c, 10e6);

    (void)state;
    expect(cost.link_s, 2 * 2 * (5e6 + 2.5e6) / 125e6);
    expect(cost.latency_s, 2 * (2 * 50e-6 + 1e-6));
    expect(cost.memory_s, 2 * (2 * 1.25e6 * 4 + (5e6 + 2.5e6 + 1.25e6) * 3) / 50e9);
    assert_int_equal(cost.rounds, 6);
    cost = cost_allreduce(cost_find("tree"), &c, 1e3);
    expect(cost.link_s, 2 * 2 * 1e3 / 125e6);
    expect(cost.latency_s, 2 * 50e-6 + 1e-6);
    expect(cost.memory_s, 2 * (1e3 * 4 + 3 * 1e3 * 3) / 50e9);
    expect(cost_total(&cost), cost.link_s + cost.latency_s + cost.memory_s);
    expect(cost_small(&c), 2 * 50e-6 + 2 * 1e-6);
}

/* Two levels between hosts and one within, up and down, of whole vectors. */
static void mpi_is_modelled_as_a_binomial_tree(void **state) {
    const struct cost_cluster c = cluster(8, 2);
    const struct cost cost = cost_allreduce(cost_find("mpi"), &c, 10e6);

    (void)state;
    expect(cost.link_s, 2 * 2 * 10e6 / 125e6);
    expect(cost.latency_s, 2 * (2 * 50e-6 + 1e-6));
    expect(cost.memory_s, ((2 * 4 + 3) + 2 * 3) * 10e6 / 50e9);
    assert_string_equal(cost_find("mpi")->as, "a binomial tree");
    assert_null(cost_find("star"));
    for (int i = 0; cost_at(i); i++)
        assert_null(cost_at(i)->as);
}

static void half_the_bytes_take_half_the_time_of_the_link(void **state) {
    struct cost_cluster c = cluster(4, 1);

    (void)state;
    c.wire = 0.5;
    for (int i = 0; cost_at(i); i++) {
        const struct cost_cluster full = cluster(4, 1);
        expect(cost_allreduce(cost_at(i), &c, 1e6).link_s,
               cost_allreduce(cost_at(i), &full, 1e6).link_s / 2);
    }
}

static void one_rank_has_nothing_to_sum(void **state) {
    const struct cost_cluster c = cluster(1, 8);

    (void)state;
    for (int i = 0; cost_at(i); i++) {
        const struct cost cost = cost_allreduce(cost_at(i), &c, 1e9);
        expect(cost_total(&cost), 0);
    }
    expect(cost_small(&c), 0);
}

/* Never faster by more bytes, more hosts, more latency or less bandwidth. */
static void costs_are_monotonic(void **state) {
    (void)state;
    for (int i = 0; cost_at(i); i++)
        for (int64_t hosts = 1; hosts <= 4096; hosts *= 2)
            for (double bytes = 1; bytes < 1e9; bytes *= 10) {
                const struct cost_cluster c = cluster(4 * hosts, 4);
                const struct cost_cluster more = cluster(8 * hosts, 4);
                struct cost_cluster slow = c, late = c;
                const struct cost cost = cost_allreduce(cost_at(i), &c, bytes);
                slow.bytes_per_s /= 2, late.latency_s *= 2;
                const struct cost others[] = {cost_allreduce(cost_at(i), &more, bytes),
                                              cost_allreduce(cost_at(i), &slow, bytes),
                                              cost_allreduce(cost_at(i), &late, bytes),
                                              cost_allreduce(cost_at(i), &c, 2 * bytes)};
                for (int k = 0; k < 4; k++) {
                    assert_true(cost_total(&others[k]) >= cost_total(&cost));
                    assert_true(others[k].link_s >= cost.link_s);
                }
            }
}

/* Two hosts, the ring: 2 rounds of half the bytes, no memory or latency. 125 MB take 1 s. */
static struct cost_cluster plain(void) {
    struct cost_cluster c = cluster(2, 1);

    c.latency_s = c.memory_latency_s = 0;
    c.memory_bytes_per_s = INFINITY;
    return c;
}

/*   backward  |-----------------|  4 s
 *   ready         1  2   3     4
 *   link          |--1--|--2--|--3--|--4--|   2 s each: ends at 9 s */
static void buckets_follow_each_other_on_the_link(void **state) {
    const struct cost_cluster c = plain();
    const struct cost_bucket bucket[] = {
        {1, 250e6, 0}, {2, 250e6, 0}, {3, 250e6, 0}, {4, 250e6, 0}};
    const struct cost_exposed e =
        cost_replay(cost_find("ring"), &c, bucket, 4, &(struct cost_backward){.seconds = 4});

    (void)state;
    expect(e.seconds, 5);
    expect(e.link_s, 8);
    expect(e.latency_s, 0);
    expect(e.memory_s, 0);
}

/*   backward  |---------|  4 s
 *   link       |1|  |2| |3|   0.5 s each at 1, 2.5 and 4: only the last one is seen */
static void a_fast_link_shows_the_last_bucket_alone(void **state) {
    const struct cost_cluster c = plain();
    struct cost_bucket bucket[] = {{1, 62.5e6, 0}, {2.5, 62.5e6, 0}, {4, 62.5e6, 0}};
    const struct cost_backward backward = {.seconds = 4};

    (void)state;
    expect(cost_replay(cost_find("ring"), &c, bucket, 3, &backward).seconds, 0.5);
    bucket[2].needed_s = 0.2;
    expect(cost_replay(cost_find("ring"), &c, bucket, 3, &backward).seconds, 0.3);
    bucket[2].needed_s = 1;
    expect(cost_replay(cost_find("ring"), &c, bucket, 3, &backward).seconds, 0);
}

/*   backward  |-------|             4 s
 *   ready       1 2   4
 *   link        |---1---|3|--2--|   3.5, 1 and 2 s: the last overtakes, and is there at 5.5 s
 * It is needed at once, the second 2 s later, and is there at 7.5 s. In their order the second is
 * there at 6.5 s, the last at 7.5 s. */
static void the_bucket_that_is_needed_first_overtakes(void **state) {
    const struct cost_cluster c = plain();
    const struct cost_bucket bucket[] = {{1, 437.5e6, 3}, {2, 250e6, 2}, {4, 125e6, 0}};
    struct cost_backward backward = {.seconds = 4, .overtakes = true};

    (void)state;
    expect(cost_replay(cost_find("ring"), &c, bucket, 3, &backward).seconds, 1.5);
    backward.overtakes = false;
    expect(cost_replay(cost_find("ring"), &c, bucket, 3, &backward).seconds, 3.5);
}

/* 2 rounds of 0.1 s on the link and 1 s on the way; the next bucket takes the link meanwhile:
 * ready at 0 and 0, there at 2.2 and 2.4. */
static void latencies_leave_the_link_to_others(void **state) {
    struct cost_cluster c = plain();
    const struct cost_bucket bucket[] = {{0, 25e6, 0}, {0, 25e6, 0}};

    (void)state;
    c.latency_s = 1;
    const struct cost_exposed e =
        cost_replay(cost_find("ring"), &c, bucket, 2, &(struct cost_backward){.seconds = 0});
    expect(e.seconds, 2.4);
    expect(e.latency_s, 2);
}

/* Two rounds of 0.1 s; the first begins at once, the second when messages are moved, at 1.5 s; or,
 * where that is behind backward, at its end. */
static void rounds_wait_until_messages_are_moved(void **state) {
    const struct cost_cluster c = plain();
    const struct cost_bucket bucket[] = {{1, 25e6, 0}};
    const double moves[] = {0.5, 1.5, 3};
    struct cost_backward backward = {.seconds = 1.55, .progress_s = moves, .n_progress = 3};

    (void)state;
    expect(cost_replay(cost_find("ring"), &c, bucket, 1, &backward).seconds, 0.05);
    backward.seconds = 1.45;
    expect(cost_replay(cost_find("ring"), &c, bucket, 1, &backward).seconds, 0.1);
    backward.progress_s = NULL;
    expect(cost_replay(cost_find("ring"), &c, bucket, 1, &backward).seconds, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_of_four_hosts_is_as_worked_by_hand),
        cmocka_unit_test(a_ring_crosses_the_border_of_a_host_once_a_round),
        cmocka_unit_test(hosts_share_memory_and_their_leaders_a_ring),
        cmocka_unit_test(a_tree_halves_what_it_sends),
        cmocka_unit_test(mpi_is_modelled_as_a_binomial_tree),
        cmocka_unit_test(half_the_bytes_take_half_the_time_of_the_link),
        cmocka_unit_test(one_rank_has_nothing_to_sum),
        cmocka_unit_test(costs_are_monotonic),
        cmocka_unit_test(buckets_follow_each_other_on_the_link),
        cmocka_unit_test(a_fast_link_shows_the_last_bucket_alone),
        cmocka_unit_test(the_bucket_that_is_needed_first_overtakes),
        cmocka_unit_test(latencies_leave_the_link_to_others),
        cmocka_unit_test(rounds_wait_until_messages_are_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
