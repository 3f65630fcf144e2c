/* The page of a fault: the first one stays, says all that is known, and is put aside by who goes
 * on. */
#include "train/fault.h"
#include "train/fault_states.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

static char folder[] = "/tmp/test_fault_XXXXXX";

static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) && !chdir(folder) && !setenv("TMPDIR", folder, 1) && !mkdir("run", 0777)
               ? 0
               : -1;
}

static int teardown(void **state) {
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") || system(command);
}

static const char *const samples[] = {"sample 17 (cat/003.jpg) of a.h5:train"};
static const char *const lines[] = {"The data are the cause."};
static const double losses[] = {2.5, 0.25, HUGE_VAL};

static struct fault fault_of(const char *message) {
    return (struct fault){.kind = FAULT_NOT_FINITE,
                          .message = message,
                          .rank = 3,
                          .size = 8,
                          .host = "node2",
                          .step = 12,
                          .which = "generator",
                          .phase = "backward",
                          .node = "layer1.\"conv\"",
                          .tensor = "gradient of conv",
                          .bucket = 2,
                          .sample = samples,
                          .n_samples = 1,
                          .line = lines,
                          .n_lines = 1,
                          .loss = losses,
                          .n_losses = 3,
                          .advice = "Mend it."};
}

static char *read_file(const char *path) {
    static char text[16384];
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void all_that_is_known_is_on_the_page(void **state) {
    static const char *const rows[] = {"step 12: the loss is nan\n\nkind       not finite\n",
                                       "\nrank       3 of 8, host node2\n",
                                       "\nstep       12, [step generator]\n",
                                       "\nphase      backward\n",
                                       "\noperator   layer1.\"conv\"\n",
                                       "\nbucket     2\n",
                                       "\nsamples    sample 17 (cat/003.jpg) of a.h5:train\n",
                                       "\nlosses     2.5  0.25  inf\n",
                                       "\n\nThe data are the cause.\n",
                                       "\nWhat to do: Mend it.\n"};
    const struct fault f = fault_of("step 12: the loss is nan");
    char where[FAULT_PATH];

    (void)state;
    assert_int_equal(fault_write("run", &f, where), 0);
    assert_string_equal(where, "run/fault.txt");
    const char *text = read_file(where);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strstr(text, rows[i]))
            fail_msg("no '%s' in\n%s", rows[i], text);
    json_t *json = json_loads(read_file("run/fault.json"), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "rank")), 3);
    assert_string_equal(json_string_value(json_object_get(json, "operator")), "layer1.\"conv\"");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "losses"), 2)),
                        "inf");
    json_decref(json);
}

static void the_first_one_stays(void **state) {
    const struct fault f = fault_of("a second one");
    char where[FAULT_PATH];

    (void)state;
    assert_int_equal(fault_write("run", &f, where), 1);
    assert_string_equal(where, "run/fault.txt");
    assert_null(strstr(read_file("run/fault.txt"), "a second one"));
    assert_null(strstr(read_file("run/fault.json"), "a second one"));
}

static void who_goes_on_puts_it_aside(void **state) {
    const struct fault f = fault_of("a second one");

    (void)state;
    fault_put_aside("run");
    assert_int_equal(access("run/fault.txt", F_OK), -1);
    assert_int_equal(access("run/fault.1.json", F_OK), 0);
    assert_int_equal(fault_write("run", &f, (char[FAULT_PATH]){0}), 0);
    fault_put_aside("run");
    assert_non_null(strstr(read_file("run/fault.1.txt"), "step 12: the loss"));
    assert_non_null(strstr(read_file("run/fault.2.txt"), "a second one"));
}

/* As of a host that does not see the folder. */
static void without_the_folder_it_is_where_temporary_files_are(void **state) {
    const struct fault f = fault_of("far away");
    char where[FAULT_PATH];

    (void)state;
    assert_int_equal(fault_write("nowhere/far", &f, where), 0);
    assert_int_equal(strncmp(where, folder, strlen(folder)), 0);
    assert_non_null(strstr(where, "/dltrain-far-"));
    assert_non_null(strstr(read_file(where), "far away"));
}

enum { MANY = 100 };

/* Ranks that are all at something else, of which one does not answer. */
static void make_ranks(struct watchdog_rank rank[MANY], int silent) {
    memset(rank, 0, MANY * sizeof *rank);
    for (int i = 0; i < MANY; i++) {
        rank[i].answers = i != silent;
        rank[i].rank = i;
        rank[i].pid = 1000 + i;
        snprintf(rank[i].host, sizeof rank[i].host, "node%d", i);
        rank[i].beat[PULSE_MAIN] =
            (struct pulse_beat){PULSE_FORWARD, 0, -1, -1, .step = i, .sample = -1};
        if (i != silent)
            rank[i].rss_bytes = rank[i].free_bytes = 3 << 28, rank[i].load = 2.5,
            rank[i].clock_utc = 1e9;
    }
}

static void of_many_ranks_the_guilty_one_is_on_the_page(void **state) {
    static struct watchdog_rank rank[MANY];
    struct fault f = fault_of("rank 90 on node90: silent");
    char where[FAULT_PATH];

    (void)state;
    make_ranks(rank, 90);
    f.rank = 90;
    f.ranks = rank;
    f.n_ranks = MANY;
    assert_int_equal(mkdir("many", 0777), 0);
    assert_int_equal(fault_write("many", &f, where), 0);
    const char *text = read_file(where);
    assert_non_null(
        strstr(text, "\n   0 node0                    1000      0.75      0.75    2.5"));
    /* of a rank that does not answer no figures are made up */
    assert_non_null(strstr(text,
                           "\n  90 node90                   1090         ?         ?      ?   "
                           "     ?  silent\n     and 35 ranks more: see fault.json\n"));
    json_t *json = json_load_file("many/fault.json", 0, NULL), *states;
    states = json_object_get(json, "states");
    assert_int_equal(json_array_size(states), MANY);
    assert_non_null(json_object_get(json_array_get(states, 89), "rss_bytes"));
    assert_null(json_object_get(json_array_get(states, 90), "rss_bytes"));
    json_decref(json);
}

static void of_many_states_that_of_the_guilty_one_is_said(void **state) {
    static struct watchdog_rank rank[MANY];
    const char *line[FAULT_STATES];
    struct pool pool = {0};

    (void)state;
    make_ranks(rank, 90);
    int n = fault_states(rank, MANY, 90, NULL, line, &pool);
    assert_int_equal(n, FAULT_STATES);
    assert_string_equal(line[0], "rank 0 on node0      forward, step 1, since 0 s");
    assert_string_equal(line[n - 2],
                        "rank 90 on node90    silent; at last forward, step 91, since 0 s");
    assert_string_equal(line[n - 1], "and 61 ranks more: see fault.json");
    for (int i = 0; i < MANY; i++)
        rank[i].beat[PULSE_MAIN].step = 7;
    n = fault_states(rank, MANY, 90, NULL, line, &pool);
    assert_int_equal(n, 2);
    assert_string_equal(line[0], "ranks 0-89, 91-99    forward, step 8, since 0 s");
    pool_release(&pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_known_is_on_the_page),
        cmocka_unit_test(the_first_one_stays),
        cmocka_unit_test(who_goes_on_puts_it_aside),
        cmocka_unit_test(without_the_folder_it_is_where_temporary_files_are),
        cmocka_unit_test(of_many_ranks_the_guilty_one_is_on_the_page),
        cmocka_unit_test(of_many_states_that_of_the_guilty_one_is_said),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
