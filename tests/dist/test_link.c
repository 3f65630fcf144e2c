#include "support/mpi_main.h"

#include "dist/link.h"

#include <stdint.h>
#include <string.h>

static const double SECONDS = 0.04;

/* Hosts of this run, pretended or not. */
static int n_hosts(void) {
    double n = comm_local_rank(comm) == 0;

    comm_sum_doubles(comm, &n, 1);
    return (int)n;
}

/* All ranks have what rank 0 has. */
static void assert_everywhere(const void *mine, size_t bytes) {
    unsigned char *first = malloc(bytes);

    assert_non_null(first);
    memcpy(first, mine, bytes);
    comm_bcast(comm, first, bytes, 0);
    assert_memory_equal(mine, first, bytes);
    free(first);
}

static struct link_survey measure(void) {
    struct link_survey survey;
    struct err err = {0};

    if (link_survey(comm, SECONDS, &survey, &err))
        fail_msg("%s", err.msg);
    return survey;
}

static void every_host_is_measured_with_its_ranks(void **state) {
    (void)state;
    struct link_survey survey = measure();
    int ranks = 0;

    assert_int_equal(survey.n_hosts, n_hosts());
    for (int h = 0; h < survey.n_hosts; h++) {
        assert_string_equal(survey.host[h].name, comm_host(comm));
        assert_int_equal(survey.host[h].leader, ranks);
        ranks += survey.host[h].n_ranks;
        assert_true(survey.host[h].memory_bytes_per_s > 0);
    }
    assert_int_equal(ranks, comm_size(comm));
    assert_everywhere(survey.host, (size_t)survey.n_hosts * sizeof *survey.host);
    link_survey_release(&survey);
    link_survey_release(&survey);
}

/* Of two hosts the line from the first to the second is the one that there is. */
static void every_line_of_the_ring_is_measured_once(void **state) {
    (void)state;
    struct link_survey survey = measure();
    const int n = survey.n_hosts;

    for (int h = 0; h < n; h++) {
        const bool line = n > 2 || (n == 2 && h == 0);
        assert_int_equal(survey.host[h].latency_s > 0, line);
        assert_int_equal(survey.host[h].bytes_per_s > 0, line);
    }
    link_survey_release(&survey);
}

static void figures_are_the_same_on_all_ranks(void **state) {
    (void)state;
    struct link_figures f;
    struct err err = {0};

    memset(&f, 0, sizeof f);
    assert_int_equal(link_measure(comm, SECONDS, &f, &err), 0);
    assert_int_equal(f.n_hosts, n_hosts());
    assert_int_equal(f.latency_s > 0, f.n_hosts > 1);
    assert_int_equal(f.bytes_per_s > 0, f.n_hosts > 1);
    assert_true(f.memory_bytes_per_s > 0);
    assert_true(f.slowest >= 0 && f.slowest < f.n_hosts);
    const double numbers[] = {f.latency_s, f.bytes_per_s, f.slowest, f.memory_bytes_per_s};
    assert_everywhere(numbers, sizeof numbers);
}

static void the_slowest_of_each_kind_is_taken(void **state) {
    (void)state;
    struct link_host host[] = {{.latency_s = 1, .bytes_per_s = 9, .memory_bytes_per_s = 7},
                               {.latency_s = 3, .bytes_per_s = 8, .memory_bytes_per_s = 5},
                               {.latency_s = 2, .bytes_per_s = 4, .memory_bytes_per_s = 6}};
    const struct link_survey survey = {host, 3};
    const struct link_figures f = link_slowest(&survey);

    assert_true(f.latency_s == 3 && f.bytes_per_s == 4 && f.memory_bytes_per_s == 5);
    assert_int_equal(f.slowest, 2);
}

/* The second host of two has no line of its own. */
static void two_hosts_have_one_line(void **state) {
    (void)state;
    struct link_host host[] = {{.latency_s = 1, .bytes_per_s = 9, .memory_bytes_per_s = 7},
                               {.memory_bytes_per_s = 5}};
    const struct link_survey two = {host, 2}, one = {host, 1};
    struct link_figures f = link_slowest(&two);

    assert_true(f.latency_s == 1 && f.bytes_per_s == 9 && f.memory_bytes_per_s == 5);
    assert_int_equal(f.slowest, 0);
    f = link_slowest(&one);
    assert_true(f.latency_s == 0 && f.bytes_per_s == 0 && f.memory_bytes_per_s == 7);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_host_is_measured_with_its_ranks),
    cmocka_unit_test(every_line_of_the_ring_is_measured_once),
    cmocka_unit_test(figures_are_the_same_on_all_ranks),
    cmocka_unit_test(the_slowest_of_each_kind_is_taken),
    cmocka_unit_test(two_hosts_have_one_line),
};

MPI_MAIN(tests)
