/* dltrain report without a browser: what it takes, what it refuses, what is in the file; and
 * show --json. What can be done with a page is tested in tests/pages. */
#include "cmd/results.h"

#include <jansson.h>

/* A run's folder of some lines of text; NULL: without that file. */
static void write_run(const char *name, const char *job, const char *metrics) {
    char path[128];
    struct program_run made = program_run("mkdir -p runs/%s", name);

    program_release(&made);
    snprintf(path, sizeof path, "runs/%s/job.ini", name);
    if (job)
        program_write(path, "%s", job);
    snprintf(path, sizeof path, "runs/%s/metrics.jsonl", name);
    if (metrics)
        program_write(path, "%s", metrics);
}

/* The data in a page, to be released. */
static json_t *page_data(const char *path) {
    char *page = program_read(path);
    char *begin = strstr(page, "id=\"data\">"), *end = begin ? strstr(begin, "</script>") : NULL;

    assert_non_null(end);
    *end = 0;
    json_t *data = json_loads(begin + strlen("id=\"data\">"), 0, NULL);
    assert_non_null(data);
    free(page);
    return data;
}

static const json_t *first_run(const json_t *data) {
    return json_array_get(json_object_get(data, "runs"), 0);
}

static const char *state_of(const json_t *run) {
    return json_string_value(json_object_get(json_object_get(run, "state"), "is"));
}

/* A program that was built without uPlot has no pages to test. */
static int has_pages(void) {
    write_run("try", NULL, "{\"step\":1,\"epoch\":1}\n");
    struct program_run run = program_run("$DLTRAIN report runs/try");
    const int code = run.code;

    if (code == 78)
        assert_non_null(strstr(run.err, "-DDLTRAIN_UPLOT=uplot-1.6.32.tgz"));
    program_release(&run);
    return code != 78;
}

static void what_is_no_run_is_refused(void **state) {
    (void)state;
    write_run("broken", NULL, "{\"step\":1}\n{\"step\":\n{\"step\":3}\n");
    program_expect(64, "found no run, expected the folders of some", "$DLTRAIN report");
    program_expect(64, "shapes.h5: is a file, expected the folder of a run",
                   "$DLTRAIN report shapes.h5");
    program_expect(64, "did you mean --title?", "$DLTRAIN report runs/try --titel x");
    program_expect(64, "-o needs a value", "$DLTRAIN report runs/try -o");
    program_expect(64, "found 'runs/try/metrics.jsonl', expected a name that ends in .html",
                   "$DLTRAIN report runs/try -o runs/try/metrics.jsonl");
    program_expect(64, "a.html: is a folder, expected the name of a file",
                   "mkdir a.html && $DLTRAIN report runs/try -o a.html");
    program_expect(74, "nowhere: cannot be read", "$DLTRAIN report nowhere");
    program_expect(65, "empty: is no run's folder: found neither job.ini nor metrics.jsonl",
                   "mkdir empty empty/inner && $DLTRAIN report empty");
    program_expect(65, "runs/broken/metrics.jsonl:2: is no JSON",
                   "$DLTRAIN report runs/try runs/broken -o x.html");
    program_expect(0, NULL, "test ! -e x.html");
}

/* Whatever a job says, its text ends no script, and is there as it is. */
static void text_ends_no_script(void **state) {
    static const char job[] = "; </script><!-- \"quote\" & 'x' \xe5\x9b\xbe\n[job]\nepochs = 1\n";

    (void)state;
    write_run("odd", job, "{\"step\":1,\"epoch\":0.5,\"</script>\":2,\"loss\":null}\n{\"st");
    program_expect(0, NULL, "$DLTRAIN report runs/odd/ --title \"<i>&\" -o odd.html");
    json_t *data = page_data("odd.html");
    char *page = program_read("odd.html");
    assert_string_equal(json_string_value(json_object_get(first_run(data), "job")), job);
    assert_string_equal(json_string_value(json_object_get(first_run(data), "name")), "odd");
    assert_string_equal(json_string_value(json_object_get(data, "title")), "<i>&");
    assert_non_null(strstr(page, "<title>&lt;i&gt;&amp;</title>"));
    assert_int_equal(json_array_size(json_object_get(first_run(data), "curves")), 2);
    /* This job cannot be trained: why is told, and the rest is shown. */
    assert_int_equal(json_array_size(json_object_get(first_run(data), "notes")), 1);
    free(page);
    json_decref(data);
}

/* Two seeds of a run, without their checkpoints and their data, as somebody has copied them. */
static void a_copied_run_keeps_all_but_what_its_checkpoint_knew(void **state) {
    (void)state;
    program_write_job("a.ini", 12, "[validate]\nc = confusion(logits, label)\n");
    program_expect(0, NULL,
                   "$DLTRAIN a.ini && mkdir copies && cp -r runs/a copies/b && "
                   "cp -r runs/a copies/c && rm copies/c/*.h5 && cd copies && "
                   "$DLTRAIN report b c -o ../copies.html");
    json_t *data = page_data("copies.html");
    const json_t *runs = json_object_get(data, "runs");
    for (size_t i = 0; i < 2; i++) {
        const json_t *run = json_array_get(runs, i);
        assert_string_equal(json_string_value(json_object_get(run, "name")), i ? "c" : "b");
        assert_string_equal(state_of(run), "complete");
        assert_int_equal(json_array_size(json_object_get(run, "history")) > 1, 1);
        assert_int_equal(!json_object_get(run, "network"), i);
        assert_int_equal(!json_object_get(run, "classes"), i);
        assert_in_range(json_array_size(json_object_get(run, "tables")), 1, 2);
        assert_int_equal(json_array_size(json_object_get(run, "notes")), i);
    }
    json_decref(data);
}

/* What the end of events.jsonl says goes before how far the log is; a fault before both. */
static void state_is_what_the_run_has_said(void **state) {
    static const char log[] = "{\"step\":5,\"epoch\":0.5}\n";
    static const char *const cases[][3] = {
        {NULL, NULL, "unknown"},
        {"{\"event\":\"end\",\"state\":\"stopped\",\"text\":\"asked\"}\n", NULL, "stopped"},
        {"{\"event\":\"end\",\"state\":\"complete\",\"text\":\"\"}\n", "rank 3: no memory\n",
         "failed"},
    };

    (void)state;
    write_run("state", NULL, log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i][0])
            program_write("runs/state/events.jsonl", "%s", cases[i][0]);
        if (cases[i][1])
            program_write("runs/state/fault.txt", "%s", cases[i][1]);
        program_expect(0, NULL, "$DLTRAIN report runs/state");
        json_t *data = page_data("report.html");
        assert_string_equal(state_of(first_run(data)), cases[i][2]);
        json_decref(data);
    }
}

static void expect_title(const char *title, const char *runs) {
    program_expect(0, NULL, "$DLTRAIN report %s", runs);
    json_t *data = page_data("report.html");
    assert_string_equal(json_string_value(json_object_get(data, "title")), title);
    json_decref(data);
}

static void runs_of_a_folder_are_called_as_it_is(void **state) {
    (void)state;
    program_expect(0, NULL, "mkdir -p hunt && cp -r runs/try hunt/one && cp -r runs/try hunt/two");
    expect_title("hunt", "hunt/");
    expect_title("hunt", "./hunt");
    expect_title("one and two", "hunt/one hunt/two");
    expect_title("two", "hunt/two");
}

/* 10 s, then a night without it, 5 s until it was killed, and 20 s: not from line to line of the
 * log. */
static void time_is_that_of_processes(void **state) {
    (void)state;
    write_run("timed", NULL,
              "{\"step\":10,\"epoch\":1,\"time\":1009.5}\n"
              "{\"step\":30,\"epoch\":3,\"time\":9019.5}\n");
    program_write("runs/timed/events.jsonl",
                  "{\"time\":1000,\"event\":\"start\",\"ranks\":1}\n"
                  "{\"time\":1010,\"event\":\"end\",\"state\":\"stopped\",\"text\":\"\"}\n"
                  "{\"time\":5000,\"event\":\"start\",\"ranks\":1}\n"
                  "{\"time\":5005,\"event\":\"warning\",\"text\":\"late\"}\n"
                  "{\"time\":9000,\"event\":\"start\",\"ranks\":1}\n"
                  "{\"time\":9020,\"event\":\"end\",\"state\":\"complete\",\"text\":\"\"}\n");
    program_expect(0, NULL, "$DLTRAIN report runs/timed");
    json_t *data = page_data("report.html");
    const json_t *run = first_run(data);
    assert_true(json_number_value(json_object_get(run, "began")) == 1000);
    assert_true(json_number_value(json_object_get(run, "seconds")) == 35);
    json_decref(data);
}

/* Asked to stop in its course, then resumed: two starts, and each end. */
static void events_tell_of_stops_and_resumes(void **state) {
    (void)state;
    program_write_job("s.ini", 100000, "");
    program_expect(0, NULL,
                   "$DLTRAIN s.ini & until grep -q loss runs/s/metrics.jsonl 2> /dev/null; do "
                   "sleep 0.05; done; kill -USR1 $!; wait $!; test $? = 75 && "
                   "grep end runs/s/events.jsonl | grep -q stopped");
    program_expect(0, NULL,
                   "$DLTRAIN s.ini --resume --set steps=500 && "
                   "test $(grep -c start runs/s/events.jsonl) = 2 && "
                   "grep end runs/s/events.jsonl | tail -n 1 | grep -q complete");
}

/* Its sums are those that show prints. */
static void show_says_the_same_as_json(void **state) {
    (void)state;
    program_write_job("j.ini", 1, "");
    struct program_run run = program_run("$DLTRAIN show j.ini --json");
    assert_int_equal(run.code, 0);
    json_t *all = json_loads(run.out, 0, NULL);
    program_release(&run);
    assert_non_null(all);
    const json_t *net = json_array_get(json_object_get(all, "nets"), 0);
    const json_t *graph = json_array_get(json_object_get(all, "graphs"), 0);
    const json_t *nodes = json_object_get(graph, "nodes");
    json_int_t parameters = 0;
    double flops = 0;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        assert_int_equal(json_integer_value(json_object_get(node, "id")), i);
        parameters += json_integer_value(json_object_get(node, "parameters"));
        flops += json_number_value(json_object_get(node, "flops"));
    }
    /* conv(3 to 8) of 3x3, conv(8 to 16) of 3x3, linear of 4 x 4 x 16 to 10, and their biases */
    assert_int_equal(parameters, 216 + 8 + 1152 + 16 + 2560 + 10);
    assert_int_equal(json_integer_value(json_object_get(net, "parameters")), parameters);
    assert_float_equal(json_number_value(json_object_get(graph, "flops")), flops, 1);
    const json_t *first = json_array_get(nodes, 1);
    assert_string_equal(json_string_value(json_object_get(first, "operator")), "conv");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "output"), 2)), 8);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "inputs"), 0)), 0);
    json_decref(all);
}

static int pages;

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    pages = has_pages();
    return 0;
}

/* Its lock is held, its last line may be half there: that is no error. */
static void a_run_that_goes_on_is_shown(void **state) {
    (void)state;
    program_write_job("live.ini", 100000, "");
    program_expect(
        0, NULL,
        "$DLTRAIN live.ini & until grep -q loss runs/live/metrics.jsonl 2> /dev/null; "
        "do sleep 0.05; done; $DLTRAIN report runs/live -o live.html; rc=$?; "
        "kill -KILL $!; wait $!; test $rc = 0 && $DLTRAIN report runs/live -o dead.html");
    json_t *live = page_data("live.html"), *dead = page_data("dead.html");
    assert_string_equal(state_of(first_run(live)), "running");
    assert_string_equal(state_of(first_run(dead)), "stopped");
    json_decref(live);
    json_decref(dead);
}

/* Two folders of one name, of one network. */
static void what_runs_share_is_kept_once(void **state) {
    (void)state;
    program_write_job("twice.ini", 2, "");
    program_expect(
        0, NULL,
        "$DLTRAIN twice.ini && mkdir more && cp -r runs/twice more/twice && "
        "$DLTRAIN report runs/twice more -o twice.html"); /* a run, and a folder of one */
    json_t *data = page_data("twice.html");
    const json_t *runs = json_object_get(data, "runs");
    assert_true(json_is_object(json_object_get(json_array_get(runs, 0), "network")));
    assert_true(json_is_integer(json_object_get(json_array_get(runs, 1), "network")));
    json_decref(data);
}

int main(void) {
    const struct CMUnitTest always[] = {
        cmocka_unit_test(show_says_the_same_as_json),
        cmocka_unit_test(runs_of_a_folder_are_called_as_it_is),
        cmocka_unit_test(time_is_that_of_processes),
        cmocka_unit_test(events_tell_of_stops_and_resumes),
    };
    const struct CMUnitTest with_pages[] = {
        cmocka_unit_test(what_is_no_run_is_refused),
        cmocka_unit_test(text_ends_no_script),
        cmocka_unit_test(a_copied_run_keeps_all_but_what_its_checkpoint_knew),
        cmocka_unit_test(state_is_what_the_run_has_said),
        cmocka_unit_test(a_run_that_goes_on_is_shown),
        cmocka_unit_test(what_runs_share_is_kept_once),
    };
    int failed = cmocka_run_group_tests(always, setup, NULL);

    if (pages)
        failed += cmocka_run_group_tests(with_pages, NULL, NULL);
    else
        printf("skipped: this program was built without uPlot\n");
    program_teardown(NULL);
    return failed ? 1 : pages ? 0 : 77;
}
