/* What is said of hosts and of the links between them. */
#include "train/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* Every line that was told, with line ends. */
struct listener {
    struct sink sink;
    char text[2048];
};

static void listen(struct sink *sink, const struct event *e) {
    struct listener *l = (struct listener *)sink;
    const size_t used = strlen(l->text);

    snprintf(l->text + used, sizeof l->text - used, "%s%s\n",
             e->kind == EVENT_WARNING ? "warning: " : "", e->text);
}

static const struct sink_kind kind = {.take = listen};

/* Of n hosts a, b, ...: memory and links as given, in units of 1e9 and 1e6 bytes a second. */
static void assert_told(int n, const double *memory, const double *link, const char *expected) {
    struct link_host host[12] = {{{0}, 0, 0, 0, 0, 0}};
    struct listener listener = {.sink = {&kind}};
    struct sink *const list[] = {&listener.sink};
    const struct sinks sinks = {list, 1};

    for (int h = 0; h < n; h++)
        host[h] = (struct link_host){.name = {(char)('a' + h)},
                                     .latency_s = link[h] > 0 ? 2.5e-5 : 0,
                                     .bytes_per_s = 1e6 * link[h],
                                     .memory_bytes_per_s = 1e9 * memory[h]};
    hosts_tell_links(&(struct link_survey){host, n}, &sinks);
    assert_string_equal(listener.text, expected);
}

static void two_hosts_have_a_pair_that_is_not_compared(void **state) {
    const double memory[] = {50, 40}, link[] = {117, 0};

    (void)state;
    assert_told(2, memory, link,
                "2 hosts: the slowest pair a - b sends 0.117 GB/s while it receives as much; a "
                "message takes up to 25 us; memory of a host 40 GB/s\n");
}

static void below_half_of_the_median_is_slow(void **state) {
    const double memory[] = {50, 50, 24, 50}, link[] = {1000, 1000, 499, 501};

    (void)state;
    assert_told(4, memory, link,
                "4 hosts: the slowest pair c - d sends 0.499 GB/s while it receives as much; a "
                "message takes up to 25 us; memory of a host 24 GB/s\n"
                "warning: the link c - d is slow: 0.499 GB/s, usual here are 1\n"
                "warning: the memory of c is slow: 24 GB/s, usual here are 50\n");
}

/* A slow host is in two pairs of three. */
static void of_three_hosts_one_is_slow(void **state) {
    const double memory[] = {50, 50, 50}, link[] = {1000, 100, 110};

    (void)state;
    assert_told(3, memory, link,
                "3 hosts: the slowest pair b - c sends 0.1 GB/s while it receives as much; a "
                "message takes up to 25 us; memory of a host 50 GB/s\n"
                "warning: the link b - c is slow: 0.1 GB/s, usual here are 1\n"
                "warning: the link c - a is slow: 0.11 GB/s, usual here are 1\n");
}

static void many_are_counted(void **state) {
    double memory[12], link[12];
    char expected[2048] = "";

    (void)state;
    for (int h = 0; h < 12; h++) {
        memory[h] = 50;
        link[h] = h < 5 ? 10 : 100;
    }
    size_t used = (size_t)snprintf(expected, sizeof expected,
                                   "12 hosts: the slowest pair a - b sends 0.01 GB/s while it "
                                   "receives as much; a message takes up to 25 us; memory of a "
                                   "host 50 GB/s\n");
    for (int h = 0; h < 4; h++)
        used += (size_t)snprintf(
            expected + used, sizeof expected - used,
            "warning: the link %c - %c is slow: 0.01 GB/s, usual here are 0.1\n", 'a' + h, 'b' + h);
    snprintf(expected + used, sizeof expected - used, "warning: 1 more is slow\n");
    assert_told(12, memory, link, expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hosts_have_a_pair_that_is_not_compared),
        cmocka_unit_test(below_half_of_the_median_is_slow),
        cmocka_unit_test(of_three_hosts_one_is_slow),
        cmocka_unit_test(many_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
