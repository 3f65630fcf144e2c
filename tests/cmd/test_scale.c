/* `dltrain scale`: what a job would do on more hosts. */
#include "cmd/scale.h"
#include "cmd/printed_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_number(double found, double wanted) {
    if (!(fabs(found - wanted) <= 1e-6 * fabs(wanted) + 1e-12))
        fail_msg("found %.9g, expected %.9g", found, wanted);
}

/* --- the model, beside numbers worked by hand --- */

static void lines_are_those_through_exact_points(void **state) {
    const double n[] = {1, 4, 16}, exact[] = {5, 11, 35};
    const double falling[] = {4, 3, 2}, steep[] = {1, 5, 21};
    struct scale_line line = scale_fit(n, exact, 3);

    (void)state;
    expect_number(line.fixed, 3);
    expect_number(line.per_sample, 2);
    line = scale_fit(n, exact, 1);
    expect_number(line.fixed, 0);
    expect_number(line.per_sample, 5);
    line = scale_fit(n, falling, 3); /* nothing is faster with more samples */
    assert_true(line.per_sample == 0 && line.fixed > 2 && line.fixed < 4);
    line = scale_fit(n, steep, 3); /* nor takes less than no time */
    assert_true(line.fixed == 0 && line.per_sample > 1 && line.per_sample < 1.4);
}

/* Two operators, 10 ms forward and 20 ms backward for a sample each and 1 ms fixed in forward; a
 * bucket of 12.5 MB of each; the update takes 2 ms. */
static struct scale_operator operators[2] = {
    {"first", {1e-3, 10e-3}, {0, 20e-3}, {0, 0}, {0, 0}},
    {"second", {1e-3, 10e-3}, {0, 20e-3}, {0, 0}, {0, 0}},
};
static struct scale_bucket buckets[2] = {{12.5e6, 1}, {12.5e6, 0}};

static struct scale_profile profile_of_two(void) {
    return (struct scale_profile){.model = "two",
                                  .step = {{"", 1, false, operators, 2, buckets, 2}},
                                  .n_steps = 1,
                                  .optimizer = {2e-3, 0},
                                  .rank_bytes = {100e6, 50e6},
                                  .threads = 1,
                                  .sharing = 1,
                                  .slowdown = 1,
                                  .memory_bytes_per_s = 1e30};
}

/* Hosts of one rank, 1 Gbit/s without latency: a bucket of 12.5 MB takes 0.1 s on two of them. */
static struct scale_setting setting_of(const struct scale_profile *p) {
    return (struct scale_setting){
        .profile = p,
        .cluster = {.per_host = 1, .bytes_per_s = 125e6, .memory_bytes_per_s = 1e30, .wire = 1},
        .batch = 4,
        .weak = true,
        .parts = 1,
        .thread_scale = 1,
        .threads = 1};
}

/* 4 samples: forward 2 * (1 + 40) = 82 ms, backward 160 ms; the second operator's bucket is ready
 * at 80 ms and there at 180; the first's at 160, on the link from 180 to 280: 120 ms behind
 * backward, of which half the update, 1 ms, hides one. */
static void a_row_is_as_worked_by_hand(void **state) {
    const struct scale_profile p = profile_of_two();
    struct scale_setting s = setting_of(&p);
    struct scale_row row = scale_row(&s, 2, cost_find("ring"));

    (void)state;
    expect_number(row.forward_s, 82e-3);
    expect_number(row.backward_s, 160e-3);
    expect_number(row.update_s, 2e-3);
    expect_number(row.exposed_s, 119e-3);
    expect_number(row.step_s, 363e-3);
    expect_number(row.samples_per_s, 8 / 363e-3);
    expect_number(row.efficiency, 244.0 / 363);
    expect_number(row.host_bytes, 300e6);
    assert_int_equal(row.limit, SCALE_BANDWIDTH);
    s.early = true; /* the last overtakes nobody; the second is needed after 41 ms of forward */
    row = scale_row(&s, 2, cost_find("ring"));
    expect_number(row.exposed_s, 120e-3);
    s.early = false, s.cluster.bytes_per_s *= 10;
    assert_int_equal(scale_row(&s, 2, cost_find("ring")).limit, SCALE_COMPUTING);
    s.cluster.latency_s = 10;
    assert_int_equal(scale_row(&s, 2, cost_find("ring")).limit, SCALE_LATENCY);
}

static void every_limit_has_its_reason(void **state) {
    struct scale_profile p = profile_of_two();
    struct scale_setting s = setting_of(&p);

    (void)state;
    assert_int_equal(scale_row(&s, 1, NULL).limit, SCALE_COMPUTING);
    s.host_bytes = 299e6;
    assert_int_equal(scale_row(&s, 1, NULL).limit, SCALE_ROOM);
    s.host_bytes = 301e6;
    assert_int_equal(scale_row(&s, 1, NULL).limit, SCALE_COMPUTING);
    p.sample_bytes = 1e6;
    s.storage_bytes_per_s = 1e6;
    assert_int_equal(scale_row(&s, 1, NULL).limit, SCALE_READING);
    expect_number(scale_row(&s, 1, NULL).step_s, 4);
    s.storage_bytes_per_s = 0;
    p.decode_s = 1;
    assert_int_equal(scale_row(&s, 1, NULL).limit, SCALE_DECODING);
    p.decode_s = 0;
    s.weak = false; /* 4 samples among 8 ranks */
    assert_int_equal(scale_row(&s, 8, NULL).limit, SCALE_SMALL);
}

/* 8 ranks of a host each move 10 GB for a sample, through 100 GB/s. */
static void ranks_that_share_memory_slow_each_other(void **state) {
    struct scale_operator memory[1] = {{"copy", {0, 0.1}, {0, 0}, {0, 10e9}, {0, 0}}};
    struct scale_profile p = profile_of_two();
    struct scale_setting s = setting_of(&p);

    (void)state;
    p.step[0].operators = memory, p.step[0].n_operators = 1, p.step[0].n_buckets = 0;
    p.memory_bytes_per_s = 100e9;
    s.batch = 1, s.cluster.per_host = 8;
    s.cluster.memory_bytes_per_s = 100e9;
    expect_number(scale_row(&s, 1, NULL).forward_s, 0.1);
    expect_number(scale_row(&s, 8, NULL).forward_s, 0.8);
    assert_int_equal(scale_row(&s, 8, NULL).limit, SCALE_MEMORY);
    p.cache_bytes = 11e9; /* which stay in the cache of each */
    expect_number(scale_row(&s, 8, NULL).forward_s, 0.1);
    p.sharing = 4, p.slowdown = 1.6; /* as measured: 1, 1.2, 1.4, 1.6, and not beyond */
    expect_number(scale_row(&s, 2, NULL).forward_s, 0.12);
    expect_number(scale_row(&s, 8, NULL).forward_s, 0.16);
}

static void answers_are_the_least_and_the_most(void **state) {
    const struct scale_profile p = profile_of_two();
    struct scale_setting s = setting_of(&p);
    struct scale_row row, less;

    (void)state;
    s.samples = 1000;
    assert_true(scale_least(&s, 64, 20, &row));
    assert_true(row.epoch_s <= 20);
    less = scale_row(&s, row.ranks - 1, NULL);
    assert_true(less.epoch_s > 20);
    assert_false(scale_least(&s, 4, 1, &row));
    assert_true(scale_most(&s, 64, 0.6, &row));
    assert_true(row.efficiency >= 0.6);
    less = scale_row(&s, row.ranks + 1, NULL);
    assert_true(row.ranks == 64 || less.efficiency < 0.6);
    assert_true(scale_most(&s, 64, 1, &row));
    assert_int_equal(row.ranks, 1);
}

/* --- the program --- */

static const char base[] = "$DLTRAIN scale small.ini --measure 1s --link 10Gbit,5us --per-host 4 ";

static void write_job(void) {
    program_write("small.ini", "[job]\nmodel = m\nepochs = 3\n"
                               "[net m(image)]\nbody = image | conv(4, 3) | bn | relu\n"
                               "fc = body | flatten | linear(10)\n"
                               "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n"
                               "optimizer = sgd(lr=0.1)\n"
                               "[data]\ntrain = shapes.h5:train\naugment = image | normalize\n"
                               "batch = 16\n");
}

static void rows_are_those_that_were_asked_for(void **state) {
    static const int ranks[] = {1, 2, 4, 8, 12};
    char command[512];

    (void)state;
    write_job();
    snprintf(command, sizeof command, "%s --ranks 1..12 --json --save-profile kept.json", base);
    json_t *json = printed_json(command);
    const json_t *rows = json_object_get(json, "rows");
    assert_int_equal(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_int_equal((int)number(row, "ranks"), ranks[i]);
        assert_int_equal((int)number(row, "hosts"), (ranks[i] + 3) / 4);
        assert_int_equal((int)number(row, "batch"), 16);
        assert_int_equal((int)number(row, "batch_per_rank"), (16 + ranks[i] - 1) / ranks[i]);
        assert_true(number(row, "step_s") > 0 && number(row, "host_bytes") > 0);
        expect_number(number(row, "images_per_s"), 16 / number(row, "step_s"));
        expect_number(number(row, "epoch_s"), 240 / number(row, "images_per_s"));
        expect_number(number(row, "host_hours"),
                      3 * number(row, "epoch_s") * number(row, "hosts") / 3600);
        expect_number(number(row, "step_s"), number(row, "forward_s") + number(row, "backward_s") +
                                                 number(row, "update_s") + number(row, "data_s") +
                                                 number(row, "exposed_s"));
    }
    assert_true(number(json_array_get(rows, 0), "exposed_s") == 0);
    assert_true(number(json_array_get(rows, 4), "exposed_s") > 0);
    json_decref(json);
}

static void a_profile_answers_as_what_it_was_made_of(void **state) {
    (void)state;
    write_job();
    char command[512];
    snprintf(command, sizeof command, "%s --ranks 2 --json --save-profile again.json", base);
    json_t *first = printed_json(command);
    json_t *second =
        printed_json("$DLTRAIN scale small.ini --link 10Gbit,5us --per-host 4 --ranks 2 "
                     "--json --profile again.json");
    const json_t *a = json_array_get(json_object_get(first, "rows"), 0);
    const json_t *b = json_array_get(json_object_get(second, "rows"), 0);
    expect_number(number(b, "step_s"), number(a, "step_s"));
    expect_number(number(b, "exposed_s"), number(a, "exposed_s"));
    expect_number(number(b, "host_bytes"), number(a, "host_bytes"));
    json_decref(first);
    json_decref(second);
}

/* What was measured of another network says nothing of this one; batch and [dist] are of the rows.
 */
static void a_profile_is_of_its_job(void **state) {
    static const char answer[] = "$DLTRAIN scale small.ini --ranks 2 --per-host 1 --link 1Gbit,5us "
                                 "--profile of_small.json";
    char command[512];

    (void)state;
    write_job();
    snprintf(command, sizeof command, "%s --ranks 2 --save-profile of_small.json", base);
    free(printed(command));
    snprintf(command, sizeof command, "%s --set data.batch=32 --set dist.allreduce=ring", answer);
    free(printed(command));
    program_expect(65,
                   "of_small.json: is of another job: found [net m(image)] body = image | conv(4, "
                   "3) | bn | relu, expected [net m(image)] body = image | conv(8, 3), as in "
                   "small.ini; measure it anew",
                   "sed -i \"s/| conv.*/| conv(8, 3)/\" small.ini; %s", answer);
    write_job();
    program_expect(65, "found no [dist] bucket, expected [dist] bucket = 1, as in",
                   "%s --set dist.bucket=1", answer);
}

static void the_table_says_what_was_measured_and_assumed(void **state) {
    char command[512];

    (void)state;
    write_job();
    snprintf(command, sizeof command,
             "%s --ranks 1..64 --batch-per-rank 4 --memory-bandwidth 100GB/s --target 1h "
             "--target-efficiency 0.01 --host-price 2",
             base);
    char *table = printed(command);
    static const char *const wanted[] = {
        "m: 160.8 KiB of gradients in 2 buckets; measured with 1 thread",
        "links of 10 Gbit/s and 5 us, given; memory of a host 100 GB/s, given",
        "more than 1 rank a host:",
        "data: ",
        "\nranks  hosts ",
        "\n   64     16       4    256  ",
        "an epoch in 1 h 00 min: 1 rank on 1 host, batch 4",
        "efficiency of 1 %: 64 ranks on 16 hosts, batch 256",
        " host hours for 3 epochs ("};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(table, wanted[i]))
            fail_msg("no '%s' in\n%s", wanted[i], table);
    free(table);
}

/* However few steps are measured, each [step] is among them. */
static void a_step_that_is_seldom_is_measured(void **state) {
    static const char rest[] = "loss = cross_entropy(m(image), label)\ntrain = m\n"
                               "optimizer = sgd(lr=0.1)\n";
    json_error_t error;

    (void)state;
    program_write("seldom.ini",
                  "[job]\nmodel = m\nepochs = 1\n[net m(image)]\nbody = image | conv(4, 3)\n"
                  "fc = body | flatten | linear(10)\n[step often]\n%s[step seldom]\n%severy = 5\n"
                  "[data]\nimage = [8, 8, 3]\nbatch = 4\n",
                  rest, rest);
    free(printed("$DLTRAIN scale seldom.ini --ranks 1 --per-host 1 --link 1Gbit,5us --steps 1 "
                 "--save-profile seldom.json"));
    json_t *json = json_load_file("seldom.json", 0, &error);
    const json_t *step = json_array_get(json_object_get(json, "steps"), 1);
    const json_t *conv = json_array_get(json_object_get(step, "operators"), 0);
    const json_t *line = json_object_get(conv, "forward");
    assert_true(json_number_value(json_array_get(line, 0)) +
                    json_number_value(json_array_get(line, 1)) >
                0);
    json_decref(json);
    program_expect(78, "seldom.ini: `every` of its [step]s: found none of the first 30 steps",
                   "$DLTRAIN scale seldom.ini --ranks 1 --per-host 1 --link 1Gbit,5us --set "
                   "step.seldom.every=31");
}

/* Rows that leave out what [dist] asks for are not passed off as that job's. */
static void the_table_says_what_it_does_not_know(void **state) {
    static const char *const cases[][2] = {
        {"not in the model: reduction = reproducible", "dist.reduction=reproducible"},
        {"not in the model: sync = local_sgd", "dist.sync=local_sgd"},
        {"not in the model: allreduce = powersgd", "dist.allreduce=powersgd"},
        {NULL, "dist.allreduce=ring"}};
    char command[512];

    (void)state;
    write_job();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "%s --ranks 2 --set %s", base, cases[i][1]);
        char *table = printed(command);
        const char *found = strstr(table, "not in the model: ");
        if (cases[i][0] ? !found || strncmp(found, cases[i][0], strlen(cases[i][0])) != 0 : !!found)
            fail_msg("%s: no '%s' in\n%s", cases[i][1], cases[i][0] ? cases[i][0] : "", table);
        free(table);
    }
}

static void a_picture_is_drawn(void **state) {
    static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char head[24] = {0};
    char command[512];

    (void)state;
    write_job();
    snprintf(command, sizeof command, "%s --ranks 1..8 --plot pictures/scale.png --plot-width 640",
             base);
    free(printed(command));
    FILE *file = fopen("pictures/scale.png", "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    assert_memory_equal(head, png, sizeof png);
    assert_int_equal(head[18] << 8 | head[19], 640);
}

/* Two ranks on two hosts, and operators that wait. */
static void a_replay_compares_with_the_model(void **state) {
    char command[512];

    (void)state;
    write_job();
    snprintf(command, sizeof command, "%s --ranks 1,4 --save-profile replayed.json", base);
    free(printed(command));
    char *out = printed("DLTRAIN_HOSTS=2 $MPIRUN -np 2 $DLTRAIN scale small.ini --replay "
                        "--profile replayed.json --link 10Gbit,5us --steps 3");
    assert_non_null(strstr(out, "replay: model=m allreduce="));
    assert_non_null(strstr(out, " ranks=2 hosts=2 batch_per_rank=8 "));
    assert_non_null(strstr(out, " error_percent="));
    free(out);
    out = printed("DLTRAIN_HOSTS=2 $MPIRUN -np 2 $DLTRAIN scale small.ini --measure 1s "
                  "--ranks 1,2 --per-host 1 --link measure");
    assert_non_null(strstr(out, " us, measured; "));
    free(out);
}

static void wrong_arguments_are_refused(void **state) {
    static const struct {
        const char *message, *arguments;
    } cases[] = {
        {"--ranks: found '0', where a number is to stand; expected numbers from 1 to 1000000",
         "--ranks 0 --per-host 1 --link 1Gbit,5us"},
        {"--ranks: found '4..1', which ends before it begins", "--ranks 4..1"},
        {"--ranks: found '4,2', whose numbers do not rise", "--ranks 4,2"},
        {"--ranks: found '1..', where a number is to stand behind ..", "--ranks 1.."},
        {"--ranks: found '1:2', where a comma is to stand", "--ranks 1:2"},
        {"--ranks is missing", "--per-host 1 --link 1Gbit,5us"},
        {"--per-host is missing", "--ranks 1..4 --link 1Gbit,5us"},
        {"--link is missing", "--ranks 1..4 --per-host 2"},
        {"--link: found '10', expected bandwidth and latency between two hosts with their units",
         "--link 10"},
        {"--link: found '10Gbit', expected bandwidth", "--link 10Gbit"},
        {"--link: found '10Gbit,5', expected bandwidth", "--link 10Gbit,5"},
        {"--link: found '10us,5Gbit', expected bandwidth", "--link 10us,5Gbit"},
        {"--link: found '-1Gbit,5us', expected bandwidth", "--link -1Gbit,5us"},
        {"--memory-bandwidth: found '200', expected what all ranks", "--memory-bandwidth 200"},
        {"--target: found '10', expected the time of an epoch, as in 10min", "--target 10"},
        {"--target-efficiency: found '90', expected a share", "--target-efficiency 90"},
        {"--per-host: found '0', expected a whole number from 1", "--per-host 0"},
        {"--steps: found 31, expected at most 30",
         "--ranks 1 --per-host 1 --link 1Gbit,5us --steps 31"},
        {"--link: found '1e308Tbit,1us', expected bandwidth", "--link 1e308Tbit,1us"},
        {"--link: found '1e-300Kbit,1us', expected bandwidth", "--link 1e-300Kbit,1us"},
        {"--plot and --save-profile: found same.x for both, expected two names",
         "--ranks 1 --per-host 1 --link 1Gbit,5us --plot same.x --save-profile same.x"},
        {"--profile and --measure exclude each other",
         "--ranks 1 --per-host 1 --link 1Gbit,5us --profile p.json --measure 1s"},
        {"--plot-width is for --plot FILE.png, which is missing",
         "--ranks 1 --per-host 1 --link 1Gbit,5us --plot-width 500"},
        {"--target and --replay exclude each other",
         "--replay --profile p.json --link 1Gbit,5us --target-efficiency 0.5"},
        {"--replay needs --profile FILE", "--replay --link 1Gbit,5us"},
        {"--link measure: found one host,", "--ranks 1 --per-host 1 --link measure --measure 1s"},
    };
    char command[512];

    (void)state;
    write_job();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "$DLTRAIN scale small.ini %s", cases[i].arguments);
        program_expect(64, cases[i].message, "%s", command);
    }
    program_expect(64, NULL,
                   "$DLTRAIN scale small.ini --ranks 1 --per-host 1 --link 1Gbit,5us "
                   "--plot small.ini");
    program_write("bad.json", "{\"version\": 1}\n");
    program_expect(65, "bad.json: found no profile of version 2",
                   "$DLTRAIN scale small.ini --ranks 1 --per-host 1 --link 1Gbit,5us "
                   "--profile bad.json");
    program_expect(74, "none.json: cannot be read",
                   "$DLTRAIN scale small.ini --ranks 1 --per-host 1 --link 1Gbit,5us "
                   "--profile none.json");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_those_through_exact_points),
        cmocka_unit_test(a_row_is_as_worked_by_hand),
        cmocka_unit_test(every_limit_has_its_reason),
        cmocka_unit_test(ranks_that_share_memory_slow_each_other),
        cmocka_unit_test(answers_are_the_least_and_the_most),
        cmocka_unit_test(rows_are_those_that_were_asked_for),
        cmocka_unit_test(a_profile_answers_as_what_it_was_made_of),
        cmocka_unit_test(a_profile_is_of_its_job),
        cmocka_unit_test(the_table_says_what_was_measured_and_assumed),
        cmocka_unit_test(a_step_that_is_seldom_is_measured),
        cmocka_unit_test(the_table_says_what_it_does_not_know),
        cmocka_unit_test(a_picture_is_drawn),
        cmocka_unit_test(a_replay_compares_with_the_model),
        cmocka_unit_test(wrong_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
