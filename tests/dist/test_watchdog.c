/* Whose fault it is that nothing goes on; and how ranks tell each other where they are. */
#define _GNU_SOURCE /* MSG_NOSIGNAL */
#include "core/base/clock.h"
#include "dist/watchdog_parts.h"
#include "support/mpi_main.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RANKS = 4 };

/* --- the judge --- */

struct scene {
    struct watchdog_judge judge;
    struct watchdog_rank rank[RANKS];
};

static void begin(struct scene *s, double timeout_s) {
    struct err err = {0};

    *s = (struct scene){0};
    assert_int_equal(watchdog_judge_init(&s->judge, 0, RANKS, timeout_s, 0, &err), 0);
    for (int i = 0; i < RANKS; i++) {
        s->rank[i] = (struct watchdog_rank){.answers = true, .rank = i, .host = "node1"};
        for (int k = 0; k < PULSE_THREADS; k++)
            s->rank[i].beat[k] = (struct pulse_beat){.which = -1, .node = -1, .bucket = -1};
    }
}

static void at(struct scene *s, int rank, enum pulse_phase phase, int64_t step) {
    s->rank[rank].beat[PULSE_MAIN].phase = (int32_t)phase;
    s->rank[rank].beat[PULSE_MAIN].step = step;
}

static bool hear(struct scene *s, int rank, double now) {
    return watchdog_judge_hear(&s->judge, rank, &s->rank[rank], watchdog_rank_bytes(&s->rank[rank]),
                               now);
}

static void hear_all(struct scene *s, double now) {
    for (int i = 0; i < RANKS; i++)
        assert_true(hear(s, i, now));
}

/* But for the ranks from `silent` to `to`. */
static void hear_others(struct scene *s, int silent, int to, double now) {
    for (int i = 0; i < RANKS; i++)
        assert_true((i >= silent && i <= to) || hear(s, i, now));
}

static bool find(const struct scene *s, double now, struct watchdog_verdict *v) {
    return watchdog_judge_find(&s->judge, now, -1, v);
}

static void who_does_not_go_on_while_others_wait_is_named(void **state) {
    char why[WATCHDOG_TEXT];
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, i == 2 ? PULSE_BACKWARD : PULSE_WAIT, 811);
    for (double now = 0; now <= 10; now++) {
        hear_all(&s, now);
        assert_false(find(&s, now, &v));
    }
    hear_all(&s, 11);
    assert_true(find(&s, 11, &v));
    assert_int_equal(v.guilty, 2);
    assert_int_equal(v.cause, WATCHDOG_STILL);
    watchdog_judge_say(&s.judge, &v, "layer3.0.conv2", why);
    assert_string_equal(why, "in backward of layer3.0.conv2 since 11 s, in step 812, while 3 ranks "
                             "wait");
    watchdog_judge_release(&s.judge);
}

static void who_goes_on_slowly_is_not_named(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, i ? PULSE_WAIT : PULSE_FORWARD, 5);
    for (double now = 0; now < 200; now++) {
        s.rank[0].beat[PULSE_MAIN].node = (int)now / 9;
        hear_all(&s, now);
        assert_false(find(&s, now, &v));
    }
    watchdog_judge_release(&s.judge);
}

static void who_is_not_heard_comes_before_who_is_slow(void **state) {
    char why[WATCHDOG_TEXT];
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, i == 3 ? PULSE_SUM : PULSE_BACKWARD, 7);
    for (double now = 0; now <= 12; now++)
        hear_others(&s, 3, 3, now);
    assert_true(find(&s, 12, &v));
    assert_int_equal(v.guilty, 3);
    assert_int_equal(v.cause, WATCHDOG_SILENT);
    watchdog_judge_say(&s.judge, &v, "", why);
    assert_non_null(strstr(why, "silent since 12 s"));
    assert_int_equal(watchdog_judge_heard(&s.judge, 12), 3);
    watchdog_judge_release(&s.judge);
}

/* It is known where it was, not that it still is there. */
static void who_is_stopped_is_not_said_to_be_slow(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        begin(&s, 10);
        for (int i = 0; i < RANKS; i++)
            at(&s, i, waits || i != 2 ? PULSE_SUM : PULSE_BACKWARD, i == 1 ? 6 : 7);
        hear_all(&s, 0);
        hear_all(&s, 1);
        for (double now = 1.5; now <= 11; now += 0.5) {
            hear_others(&s, 2, 2, now);
            assert_false(find(&s, now, &v));
        }
        assert_true(find(&s, 11.5, &v));
        assert_int_equal(v.guilty, 2);
        assert_int_equal(v.cause, WATCHDOG_SILENT);
        watchdog_judge_release(&s.judge);
    }
}

/* However short the timeout is, a thread may get no processor for a moment. */
static void who_is_silent_for_a_moment_is_not_named(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 1);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, i ? PULSE_SUM : PULSE_FORWARD, 3);
    hear_all(&s, 0);
    for (double now = 0.5; now <= 5; now += 0.5) {
        hear_others(&s, 0, 0, now);
        assert_false(find(&s, now, &v));
    }
    assert_true(find(&s, 5.5, &v));
    assert_int_equal(v.guilty, 0);
    assert_int_equal(v.cause, WATCHDOG_SILENT);
    watchdog_judge_release(&s.judge);
}

/* It may come back, and whoever starts the ranks may end them all. */
static void who_is_silent_is_not_said_to_wait(void **state) {
    char why[WATCHDOG_TEXT];
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, PULSE_WAIT, 7);
    hear_all(&s, 0);
    for (double now = 1; now <= 12; now++)
        hear_others(&s, 2, 3, now);
    s.judge.rank[2].answers = s.judge.rank[3].answers = false; /* they were asked */
    assert_true(find(&s, 12, &v));
    watchdog_judge_say(&s.judge, &v, "", why);
    assert_non_null(strstr(why, ", while 2 ranks wait"));
    watchdog_judge_release(&s.judge);
}

static void who_has_ended_is_named_after_some_seconds(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 0);
    hear_all(&s, 1);
    s.judge.seen[1].lost = 1;
    assert_false(find(&s, 5, &v));
    assert_true(find(&s, 7, &v));
    assert_int_equal(v.guilty, 1);
    assert_int_equal(v.cause, WATCHDOG_LOST);
    assert_true(hear(&s, 1, 7));
    assert_false(find(&s, 7, &v));
    s.judge.seen[1].lost = 1;
    s.judge.seen[1].left = true;
    assert_false(find(&s, 7, &v));
    watchdog_judge_release(&s.judge);
}

static void where_all_wait_who_is_behind_is_named(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, PULSE_SUM, i == 2 ? 40 : 41);
    for (double now = 0; now <= 11; now++)
        hear_all(&s, now);
    assert_true(find(&s, 11, &v));
    assert_int_equal(v.guilty, 2);
    assert_int_equal(v.cause, WATCHDOG_NOBODY);
    assert_false(watchdog_judge_find(&s.judge, 11, 2, &v)); /* alone it waits for others */
    watchdog_judge_release(&s.judge);
}

static void a_timeout_is_learnt_from_the_longest_of_a_phase(void **state) {
    struct watchdog_verdict v;
    struct scene s;
    double now = 0;

    (void)state;
    begin(&s, 0);
    assert_true(watchdog_judge_limit(&s.judge, PULSE_FORWARD) > 1000);
    for (int i = 0; i < RANKS; i++)
        at(&s, i, i ? PULSE_SUM : PULSE_FORWARD, 0);
    for (; now < 30; now += 2)
        hear_all(&s, now);
    at(&s, 0, PULSE_BACKWARD, 0);
    hear_all(&s, now);
    at(&s, 0, PULSE_FORWARD, 1);
    hear_all(&s, now += 2);
    assert_true(watchdog_judge_limit(&s.judge, PULSE_FORWARD) == 300);
    assert_true(watchdog_judge_limit(&s.judge, PULSE_BACKWARD) == 60); /* at least */
    for (double begin_s = now; now <= begin_s + 300; now += 2) {
        hear_all(&s, now);
        assert_false(find(&s, now, &v));
    }
    hear_all(&s, now += 2);
    assert_true(find(&s, now, &v));
    assert_int_equal(v.guilty, 0);
    watchdog_judge_release(&s.judge);
}

static void off_names_nobody(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, -1);
    assert_false(find(&s, 1e6, &v));
    watchdog_judge_release(&s.judge);
}

static void what_this_process_slept_through_is_nobodys_fault(void **state) {
    struct watchdog_verdict v;
    struct scene s;

    (void)state;
    begin(&s, 10);
    hear_all(&s, 1);
    watchdog_judge_forgive(&s.judge, 100);
    assert_false(find(&s, 101, &v));
    assert_true(find(&s, 112, &v));
    watchdog_judge_release(&s.judge);
}

static void what_is_no_message_is_not_heard(void **state) {
    struct scene s;

    (void)state;
    begin(&s, 10);
    s.rank[1].beat[PULSE_READER].phase = PULSE_PHASES;
    assert_false(hear(&s, 1, 1));
    s.rank[1].beat[PULSE_READER].phase = -1;
    assert_false(hear(&s, 1, 1));
    s.rank[1].beat[PULSE_READER].phase = PULSE_IDLE;
    s.rank[1].n_events = 1;
    assert_false(watchdog_judge_hear(&s.judge, 1, &s.rank[1], sizeof s.rank[1], 1));
    s.rank[1].n_events = PULSE_EVENTS + 1;
    assert_false(hear(&s, 1, 1));
    s.rank[1].n_events = 0;
    assert_false(watchdog_judge_hear(&s.judge, 1, &s.rank[1], 3, 1));
    assert_false(watchdog_judge_hear(&s.judge, 2, &s.rank[1], watchdog_rank_bytes(&s.rank[1]), 1));
    memset(s.rank[1].host, 'x', sizeof s.rank[1].host);
    assert_false(hear(&s, 1, 1));
    watchdog_judge_release(&s.judge);
}

/* --- a hub --- */

enum { CROWD = 300 };

/* Of a limit of files that does not suffice for them all, and of no more time than ranks have to
 * meet. */
static void a_hub_takes_all_ranks_that_come_at_once(void **state) {
    static struct watchdog_line line[CROWD];
    struct watchdog w = {
        .size = CROWD, .wake = {-1, -1}, .way = {{.line.fd = -1}, {.line.fd = -1}}};
    struct watchdog_hello hello = {0};
    struct watchdog_place place;
    struct watchdog_message m;
    struct rlimit limit;
    struct err err = {0};
    const double began = clock_now();
    int n = 0;

    (void)state;
    if (comm_rank(comm) > 0)
        return;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 200 + CROWD; /* for their own ends */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(watchdog_judge_init(&w.judge, 0, CROWD, 30, began, &err), 0);
    w.listener = watchdog_listen(CROWD, &place);
    for (; hello.rank < CROWD; hello.rank++) {
        watchdog_line_open(&line[hello.rank], watchdog_connect(&place.address[0]), 1000);
        watchdog_line_say(&line[hello.rank], WATCHDOG_HELLO, &hello, sizeof hello, NULL, 0);
    }
    while (n < CROWD && clock_now() - began < 20) {
        watchdog_talk(&w, 0.01);
        for (int i = 0; i < CROWD; i++) {
            assert_true(line[i].fd >= 0);
            watchdog_line_push(&line[i]);
            watchdog_line_pull(&line[i]);
            n += watchdog_line_next(&line[i], &m) && m.kind == WATCHDOG_WELCOME;
        }
    }
    assert_int_equal(n, CROWD);
    for (int i = 0; i < CROWD; i++)
        watchdog_line_close(&line[i]);
    watchdog_hang_up(&w);
    watchdog_judge_release(&w.judge);
}

/* --- ranks --- */

static struct pulse *pulse; /* that of this rank */
static atomic_int named, left;

static void nap(double seconds) {
    nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static void name_conv(void *context, const struct pulse_beat *beat, char text[WATCHDOG_TEXT]) {
    (void)context;
    snprintf(text, WATCHDOG_TEXT, "conv%d", (int)beat->node);
}

static void nobody_is(void *context, const struct watchdog_stall *stall) {
    (void)context;
    fprintf(stderr, "rank %d is named: %s\n", stall->guilty, stall->why);
    _exit(1);
}

static struct watchdog *start(const struct watchdog_config *config) {
    struct watchdog *w = NULL;
    struct err err = {0};

    assert_int_equal(watchdog_new(&w, comm, config, &err), 0);
    assert_null(watchdog_trouble(w));
    return w;
}

static void every_rank_can_ask_all_where_they_are(void **state) {
    struct watchdog *w;
    struct watchdog_rank all[RANKS];
    const int rank = comm_rank(comm), size = comm_size(comm);

    (void)state;
    pulse = pulse_new();
    pulse_enter(pulse, PULSE_MAIN, PULSE_FORWARD, 100 + rank, 0);
    pulse_node(pulse, rank);
    w = start(&(struct watchdog_config){.timeout_s = 30, .pulse = pulse, .stalled = nobody_is});
    for (int asks = 0; asks < size; asks++) {
        comm_barrier(comm);
        if (asks == rank) {
            assert_int_equal(watchdog_collect(w, 10, all), size);
            for (int i = 0; i < size; i++) {
                assert_true(all[i].answers);
                assert_int_equal(all[i].rank, i);
                assert_int_equal(all[i].beat[PULSE_MAIN].phase, PULSE_FORWARD);
                assert_int_equal(all[i].beat[PULSE_MAIN].step, 100 + i);
                assert_int_equal(all[i].beat[PULSE_MAIN].node, i);
                assert_int_equal(all[i].n_events, 1);
                assert_string_equal(all[i].host, comm_host(comm));
                assert_true(all[i].rss_bytes > 0 && all[i].free_bytes > 0);
                assert_true(i == rank ? all[i].pid == getpid() : all[i].pid != getpid());
            }
        }
        comm_barrier(comm);
    }
    watchdog_free(w);
    pulse_free(pulse);
}

/* Between two beats. */
static void a_rank_is_known_from_the_first_moment_on(void **state) {
    struct watchdog *w;

    (void)state;
    pulse = pulse_new();
    pulse_enter(pulse, PULSE_MAIN, PULSE_START, 0, -1);
    w = start(&(struct watchdog_config){.timeout_s = 0, .pulse = pulse, .stalled = nobody_is});
    nap(0.6);
    for (int i = 0; i < w->judge.n; i++) {
        assert_string_equal(w->judge.rank[i].host, comm_host(comm));
        assert_int_equal(w->judge.rank[i].beat[PULSE_MAIN].phase, PULSE_START);
        assert_true(w->judge.rank[i].pid > 0);
    }
    watchdog_free(w);
    pulse_free(pulse);
}

/* Longer than the timeout, but never without a sign of life for so long. */
static void ranks_that_go_on_are_left_alone(void **state) {
    struct watchdog *w;

    (void)state;
    pulse = pulse_new();
    w = start(&(struct watchdog_config){.timeout_s = 2, .pulse = pulse, .stalled = nobody_is});
    for (int i = 0; i < 8; i++) {
        pulse_enter(pulse, PULSE_MAIN, comm_rank(comm) ? PULSE_SUM : PULSE_FORWARD, i, 0);
        nap(0.4);
    }
    watchdog_free(w);
    pulse_free(pulse);
}

static void who_does_not_know_the_token_is_not_heard(void **state) {
    struct watchdog_hello hello = {.rank = 0};
    struct watchdog_message m;
    struct watchdog_line line;
    struct watchdog *w;
    const double began = clock_now();

    (void)state;
    pulse = pulse_new();
    w = start(&(struct watchdog_config){.timeout_s = 30, .pulse = pulse, .stalled = nobody_is});
    if (comm_size(comm) > 1) {
        watchdog_line_open(&line, watchdog_connect(&w->hub[0].place.address[0]), 1000);
        assert_true(line.fd >= 0);
        watchdog_line_say(&line, WATCHDOG_HELLO, &hello, sizeof hello, NULL, 0);
        while (line.fd >= 0 && clock_now() - began < 20) {
            watchdog_line_push(&line);
            watchdog_line_pull(&line);
            assert_false(watchdog_line_next(&line, &m));
            nap(0.01);
        }
        assert_int_equal(line.fd, -1);
        watchdog_line_close(&line);
    }
    watchdog_free(w);
    pulse_free(pulse);
}

static void note(void *context, const struct watchdog_stall *stall) {
    (void)context;
    if (stall->n != comm_size(comm) || !stall->rank[stall->guilty].answers ||
        !strstr(stall->why, "in backward of conv7 since"))
        nobody_is(context, stall);
    atomic_store(&named, 1 + stall->guilty);
}

/* In the place of the end of this process. */
static void stay(void *context) {
    (void)context;
    atomic_store(&left, 1);
    for (;;)
        pause();
}

/* The last test: the watchdog never returns. */
static void the_rank_that_stands_still_is_named_and_all_end(void **state) {
    const int rank = comm_rank(comm), last = comm_size(comm) - 1;
    const double began = clock_now();

    (void)state;
    pulse = pulse_new();
    pulse_enter(pulse, PULSE_MAIN, rank == last ? PULSE_BACKWARD : PULSE_WAIT, 3, 0);
    if (rank == last)
        pulse_node(pulse, 7);
    start(&(struct watchdog_config){
        .timeout_s = 1, .pulse = pulse, .name = name_conv, .stalled = note, .leave = stay});
    while (!atomic_load(&left) && clock_now() - began < 20)
        nap(0.05);
    assert_int_equal(atomic_load(&left), 1);
    assert_int_equal(atomic_load(&named), rank ? 0 : 1 + last);
    alarm(0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(who_does_not_go_on_while_others_wait_is_named),
    cmocka_unit_test(who_goes_on_slowly_is_not_named),
    cmocka_unit_test(who_is_not_heard_comes_before_who_is_slow),
    cmocka_unit_test(who_is_stopped_is_not_said_to_be_slow),
    cmocka_unit_test(who_is_silent_for_a_moment_is_not_named),
    cmocka_unit_test(who_is_silent_is_not_said_to_wait),
    cmocka_unit_test(who_has_ended_is_named_after_some_seconds),
    cmocka_unit_test(where_all_wait_who_is_behind_is_named),
    cmocka_unit_test(a_timeout_is_learnt_from_the_longest_of_a_phase),
    cmocka_unit_test(off_names_nobody),
    cmocka_unit_test(what_this_process_slept_through_is_nobodys_fault),
    cmocka_unit_test(what_is_no_message_is_not_heard),
    cmocka_unit_test(a_hub_takes_all_ranks_that_come_at_once),
    cmocka_unit_test(every_rank_can_ask_all_where_they_are),
    cmocka_unit_test(a_rank_is_known_from_the_first_moment_on),
    cmocka_unit_test(ranks_that_go_on_are_left_alone),
    cmocka_unit_test(who_does_not_know_the_token_is_not_heard),
    cmocka_unit_test(the_rank_that_stands_still_is_named_and_all_end),
};

MPI_MAIN(tests)
