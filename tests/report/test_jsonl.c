/* Which events are lines of the log, and what becomes of lines that cannot be written. */
#include "io/scratch.h"
#include "report/jsonl.h"

#include <math.h>

static struct job job = {.n_steps = 2};
static const struct progress progress = {.step = 15, .steps_per_epoch = 10};

/* A sink that remembers the last warning. */
static char warning[512];

static void hear(struct sink *sink, const struct event *e) {
    (void)sink;
    if (e->kind == EVENT_WARNING)
        snprintf(warning, sizeof warning, "%s", e->text);
}

static const struct sink_kind hears = {.take = hear};
static struct sink listener = {&hears};
static struct jsonl jsonl;
static struct sink *const list[] = {&jsonl.sink, &listener};
static const struct sinks sinks = {list, 2};

static void start(int64_t step) {
    const struct progress begin = {.step = step};
    const struct event e = {.kind = EVENT_START, .folder = scratch, .progress = &begin};
    struct err err = {0};

    warning[0] = 0;
    jsonl_init(&jsonl, &sinks);
    if (sinks_start(&sinks, &e, &err))
        fail_msg("%s", err.msg);
}

/* The critic ran, the generator did not. */
static void tell_step(bool logged) {
    static const double loss[] = {0.5, 2}, lr[] = {0.125, 0.25};
    static const bool ran[] = {true, false};

    job.step[0].name = "critic", job.step[1].name = "generator";
    sinks_tell(&sinks, &(struct event){.kind = EVENT_STEP,
                                       .job = &job,
                                       .progress = &progress,
                                       .step = {.time = 1764356000.125,
                                                .loss = loss,
                                                .ran = ran,
                                                .lr = lr,
                                                .logged = logged,
                                                .img_per_s = 8}});
}

static void holds(const char *expected) {
    size_t n;
    unsigned char *text = read_bytes(in_scratch("metrics.jsonl"), &n);

    text[n] = 0;
    assert_string_equal((char *)text, expected);
    free(text);
}

#define LINE                                                                                       \
    "{\"step\":15,\"epoch\":1.5,\"time\":1764356000.125,\"critic.loss\":0.5,\"critic.lr\":0.125,"  \
    "\"img_per_s\":8.0}\n"

static void steps_are_lines_where_the_job_wants_them(void **state) {
    (void)state;
    start(0);
    tell_step(false);
    tell_step(true);
    sinks_note(&sinks, "nothing for a log");
    holds(LINE);
    jsonl_release(&jsonl);
}

static void lines_of_several_ranks_say_what_they_wait(void **state) {
    static const double loss[] = {0.5}, lr[] = {0.125};
    static const bool ran[] = {true};
    static const struct event_shares shares = {0.0625, 0.25, 0.5, 0.125, 0.03125};
    static const struct event_comm comm = {
        .share = 0.5, .control = 0.25, .buckets = 0.125, .sync = 0.0625, .max = 0.75, .min = 0.375};

    (void)state;
    start(0);
    job.n_steps = 1;
    job.step[0].name = "";
    sinks_tell(&sinks, &(struct event){.kind = EVENT_STEP,
                                       .job = &job,
                                       .progress = &progress,
                                       .step = {.time = 1764356000.125,
                                                .loss = loss,
                                                .ran = ran,
                                                .lr = lr,
                                                .logged = true,
                                                .img_per_s = 8,
                                                .comm = &comm,
                                                .shares = &shares}});
    job.n_steps = 2;
    holds("{\"step\":15,\"epoch\":1.5,\"time\":1764356000.125,\"loss\":0.5,\"lr\":0.125,\"img_per_"
          "s\":8.0,"
          "\"data_share\":0.0625,\"forward_share\":0.25,\"backward_share\":0.5,"
          "\"optimizer_share\":0.125,\"other_share\":0.03125,"
          "\"comm_share\":0.5,\"comm_share_max\":0.75,\"comm_share_min\":0.375,"
          "\"control_share\":0.25,\"bucket_share\":0.125,\"sync_share\":0.0625}\n");
    jsonl_release(&jsonl);
}

static void a_run_that_goes_on_appends(void **state) {
    (void)state;
    start(15);
    tell_step(true);
    holds(LINE LINE);
    jsonl_release(&jsonl);
    start(14);
    holds("");
    jsonl_release(&jsonl);
}

static void a_line_that_waits_is_a_warning_to_all(void **state) {
    (void)state;
    unlink(in_scratch("metrics.jsonl"));
    assert_int_equal(symlink("/dev/full", in_scratch("metrics.jsonl")), 0);
    start(0);
    tell_step(true);
    assert_contains(warning, "No space left on device; lines wait in memory, training goes on");
    warning[0] = 0;
    tell_step(true); /* told once */
    assert_string_equal(warning, "");
    jsonl_release(&jsonl);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_lines_where_the_job_wants_them),
        cmocka_unit_test(a_run_that_goes_on_appends),
        cmocka_unit_test(lines_of_several_ranks_say_what_they_wait),
        cmocka_unit_test(a_line_that_waits_is_a_warning_to_all),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
