/* trace.json: what every thread of every rank did in some steps. */
#include "cmd/printed.h"
#include "cmd/results.h"

#include <unistd.h>

enum { STEPS = 12, FIRST = 5, LAST = 10, MAX_RANKS = 4 };

static void write_job(void) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = d\nsteps = %d\n"
                  "[net d(image)]\n"
                  "a = image | conv(16, 3, stride=2) | bn | relu | dropout(0.2)\n"
                  "fc = a | global_avgpool | linear(10)\n"
                  "[step]\noptimizer = adam(lr=1e-3)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 24\n"
                  "[checkpoint]\nlast = 8 steps\n",
                  DLTRAIN_CONFIGS, STEPS);
}

static json_t *read_trace(const char *name) {
    char path[64];
    json_error_t error;

    snprintf(path, sizeof path, "runs/%s/trace.json", name);
    char *text = program_read(path);
    json_t *trace = json_loads(text, 0, &error);
    if (!trace)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    free(text);
    return trace;
}

static double number(const json_t *event, const char *key) {
    const json_t *v = json_object_get(event, key);

    assert_true(json_is_number(v));
    return json_number_value(v);
}

static bool is(const json_t *event, const char *key, const char *text) {
    const char *found = json_string_value(json_object_get(event, key));

    return found && !strcmp(found, text);
}

/* The step `step` of a rank. */
static const json_t *step_of(const json_t *trace, int rank, int step) {
    const json_t *e;
    size_t i;

    json_array_foreach(json_object_get(trace, "traceEvents"), i,
                       e) if (is(e, "name", "step") && (int)number(e, "pid") == rank &&
                              (int)number(json_object_get(e, "args"), "step") == step) return e;
    return NULL;
}

/* Events of a rank with that name and category, all within their step. */
static int count(const json_t *trace, int rank, const char *name, const char *category) {
    const double rounding = 0.002; /* of times in the file */
    const json_t *e;
    size_t i;
    int n = 0;

    json_array_foreach(json_object_get(trace, "traceEvents"), i, e) {
        if (!is(e, "name", name) || !is(e, "cat", category) || (int)number(e, "pid") != rank)
            continue;
        const double begin = number(e, "ts"), end = begin + number(e, "dur");
        bool inside = false;
        for (int step = FIRST; step <= LAST && !inside; step++) {
            const json_t *s = step_of(trace, rank, step);
            inside = s && begin >= number(s, "ts") - rounding &&
                     end <= number(s, "ts") + number(s, "dur") + rounding;
        }
        assert_true(inside && number(e, "dur") >= 0);
        n++;
    }
    return n;
}

/* Ranks wait for each other in every step: by one clock, none ends a step before another begins it.
 */
static void expect_one_clock(const json_t *trace, int ranks) {
    const json_t *errors = json_object_get(json_object_get(trace, "otherData"), "clock_error_us");

    assert_int_equal(json_array_size(errors), ranks);
    for (int step = FIRST; step <= LAST; step++)
        for (int a = 0; a < ranks; a++)
            for (int b = 0; b < ranks; b++) {
                const json_t *x = step_of(trace, a, step), *y = step_of(trace, b, step);
                assert_true(x && y);
                assert_true(number(x, "ts") < number(y, "ts") + number(y, "dur") +
                                                  json_number_value(json_array_get(errors, 0)) + 1);
            }
}

/* Each bucket that begins ends, later. */
static int count_buckets(const json_t *trace) {
    const json_t *events = json_object_get(trace, "traceEvents"), *e;
    size_t i;
    int n = 0;

    json_array_foreach(events, i, e) {
        if (!is(e, "cat", "gradients") || !is(e, "ph", "b"))
            continue;
        const json_t *end = json_array_get(events, i + 1);
        assert_true(is(end, "ph", "e") &&
                    json_equal(json_object_get(e, "id"), json_object_get(end, "id")));
        assert_true(number(end, "ts") >= number(e, "ts"));
        n++;
    }
    return n;
}

static void a_trace_that_never_begins_is_told(void **state) {
    (void)state;
    write_job();
    expect_said(0, "[log] trace = 1000..1009 begins after the last step, ",
                "$MPIRUN -np 2 $DLTRAIN job.ini --set name=late --set log.trace=1000..1009");
    program_expect(0, NULL, "! test -e runs/late/trace.json");
}

static void every_rank_is_there_by_one_clock(void **state) {
    (void)state;
    write_job();
    for (int n = 1; n <= MAX_RANKS; n++) {
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN job.ini --set name=t --set log.trace=5..10", n);
        json_t *trace = read_trace("t");
        expect_one_clock(trace, n);
        for (int r = 0; r < n; r++) {
            assert_null(step_of(trace, r, FIRST - 1));
            assert_null(step_of(trace, r, LAST + 1));
            assert_int_equal(count(trace, r, "d.conv1", "forward"), LAST - FIRST + 1);
            assert_int_equal(count(trace, r, "d.fc", "forward"), LAST - FIRST + 1);
            assert_int_equal(count(trace, r, "d.fc", "backward"), LAST - FIRST + 1);
            assert_int_equal(count(trace, r, "wait for a batch", "wait"), LAST - FIRST + 1);
        }
        assert_true(n == 1 || count_buckets(trace) >= n * (LAST - FIRST + 1));
        json_decref(trace);
    }
}

static void a_trace_changes_no_bit(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=plain");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=traced --set log.trace=2..9 --set "
                   "log.histograms=\"3 steps\"");
    program_expect(0, NULL, "$SAME runs/plain/last.h5 runs/traced/last.h5");
}

/* The job has 12 steps; it is resumed after 8. */
static void a_trace_ends_with_its_process(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=e --set steps=8 --set log.trace=7..100");
    json_t *trace = read_trace("e");
    assert_non_null(step_of(trace, 0, 7));
    assert_non_null(step_of(trace, 0, 8));
    json_decref(trace);
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=e --set log.trace=7..100 --resume");
    trace = read_trace("e");
    assert_null(step_of(trace, 0, 8));
    assert_non_null(step_of(trace, 0, 9));
    assert_non_null(step_of(trace, 0, STEPS));
    json_decref(trace);
}

static void threads_of_the_loader_and_of_messages_are_there(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL,
                   "DLTRAIN_HOSTS=2 $MPIRUN -np 2 $DLTRAIN job.ini --set name=m --set "
                   "log.trace=3..12 --set dist.progress=thread");
    char *text = program_read("runs/m/trace.json");
    assert_non_null(strstr(text, "\"move messages\""));
    assert_non_null(strstr(text, "\"read a batch\""));
    assert_non_null(strstr(text, "\"prepare samples\""));
    assert_non_null(strstr(text, "{\"name\":\"worker 0\"}"));
    free(text);
}

static void a_run_that_dies_leaves_none(void **state) {
    (void)state;
    write_job();
    program_expect(137, NULL,
                   "$DLTRAIN job.ini --set name=dies --set steps=100000 --set validate.every=never "
                   "--set log.trace=1..90000 & pid=$!;"
                   "until [ -s runs/dies/metrics.jsonl ]; do kill -0 $pid || exit 3; sleep 0.05; "
                   "done; kill -9 $pid; wait $pid");
    assert_int_equal(access("runs/dies/trace.json", F_OK), -1);
}

static void what_is_no_span_of_steps_is_refused(void **state) {
    static const char *const bad[] = {"20", "5..4", "0..9", "5..x", "5..9x", "on"};

    (void)state;
    write_job();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        program_expect(78, "expected the first and the last step, as in 100..119, or never",
                       "$DLTRAIN job.ini --set log.trace=%s", bad[i]);
}

static void other_values_of_log_are_refused(void **state) {
    (void)state;
    write_job();
    program_expect(78, "histograms: found", "$DLTRAIN job.ini --set log.histograms=often");
    program_expect(78, "tensorboard: found 'yes', expected off or on",
                   "$DLTRAIN job.ini --set log.tensorboard=yes");
    program_expect(78, "mlperf: found '1', expected off or on",
                   "$DLTRAIN job.ini --set log.mlperf=1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_that_never_begins_is_told),
        cmocka_unit_test(every_rank_is_there_by_one_clock),
        cmocka_unit_test(a_trace_changes_no_bit),
        cmocka_unit_test(a_trace_ends_with_its_process),
        cmocka_unit_test(threads_of_the_loader_and_of_messages_are_there),
        cmocka_unit_test(a_run_that_dies_leaves_none),
        cmocka_unit_test(what_is_no_span_of_steps_is_refused),
        cmocka_unit_test(other_values_of_log_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
