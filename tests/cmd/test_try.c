/* Commands that learn something about a job and leave nothing behind, and train --until. */
#include "printed.h"

#include <jansson.h>
#include <math.h>

#define LISTED "ls -A | sort | md5sum"

/* Run a command that must leave the folder as it was. */
static char *leaves_nothing(const char *command) {
    char *before = printed(LISTED);
    char *out = printed(command), *after = printed(LISTED);

    assert_string_equal(before, after);
    free(before);
    free(after);
    return out;
}

static void says(char *out, const char *text) {
    if (!strstr(out, text))
        fail_msg("no '%s' in\n%s", text, out);
    free(out);
}

static void a_dry_run_tries_everything_and_removes_it(void **state) {
    (void)state;
    program_write_job("job.ini", 1000, "[picture look]\nshow = image\n");
    char *out = leaves_nothing("$DLTRAIN job.ini --dry-run 2");
    assert_non_null(strstr(out, "dry run: 2 steps and a validation of one batch are done"));
    assert_non_null(strstr(out, "  last.h5 "));
    assert_non_null(strstr(out, "  best.h5 "));
    assert_non_null(strstr(out, "  metrics.jsonl "));
    assert_non_null(strstr(out, "  worst/ (16 files) "));
    says(out, "  pictures/look_00000002.png ");
    says(leaves_nothing("$MPIRUN -np 2 $DLTRAIN job.ini --dry-run 1"), "dry run: 1 step and");
    program_expect(65, "the loss is", "$DLTRAIN job.ini --dry-run 3 --set lr=1e30");
    program_expect(0, NULL, "test ! -e runs");
    program_expect(64, "without --resume, --until and --end",
                   "$DLTRAIN job.ini --dry-run 1 --resume");
    program_expect(64, "expected one of them", "$DLTRAIN job.ini --dry-run 1 --overfit 1");
}

/* A validation of 60 samples by batches of 20 has one of them. */
static void a_dry_run_validates_one_batch(void **state) {
    char *all, *one;

    (void)state;
    program_write_job("job.ini", 1, "[validate]\nbatch = 20\n");
    all = printed("$DLTRAIN job.ini | grep result: | cut -d= -f2-3");
    one = leaves_nothing("$DLTRAIN job.ini --dry-run 1 | grep result: | cut -d= -f2-3");
    assert_string_not_equal(all, one);
    free(all);
    free(one);
}

static void a_few_batches_are_learnt_or_it_is_said_that_they_are_not(void **state) {
    (void)state;
    program_write_job("job.ini", 600, "");
    says(leaves_nothing("$DLTRAIN job.ini --overfit 1"), "overfit: learnt 1 batch in ");
    says(leaves_nothing("$MPIRUN -np 2 $DLTRAIN job.ini --overfit 2 --set steps=4"),
         "warning: overfit: 2 batches are not learnt in 4 steps");
    program_expect(64, "--overfit 11: shapes.h5:train has 10 batches of 25 samples",
                   "$DLTRAIN job.ini --overfit 11");
}

/* The learning rate falls by the whole length, and the weights end as those of a run at a stretch.
 */
static void a_run_until_an_epoch_goes_on_to_the_same_bits(void **state) {
    static const char optimizer[] = "[step]\noptimizer = sgd(lr=cosine(0.05), momentum=0.9)\n";

    (void)state;
    program_write_job("job.ini", 30, optimizer);
    expect_text("$DLTRAIN job.ini --until 1.2 --set name=parts",
                "ended after step 12 of 30, as --until asks; --resume goes on");
    expect_text("$DLTRAIN job.ini --until 1.2 --resume --set name=parts",
                "ended after step 12 of 30");
    expect_text("$MPIRUN -np 2 $DLTRAIN job.ini --until 2 --resume --set name=parts",
                "ended after step 20 of 30");
    free(printed("$DLTRAIN job.ini --set name=parts1 --until 1.2 && $DLTRAIN job.ini --set "
                 "name=parts1 --until 2 --resume && $DLTRAIN job.ini --resume --set name=parts1"));
    free(printed("$DLTRAIN job.ini --set name=whole --set validate.every=10steps"));
    program_expect(0, NULL, "$SAME runs/parts1/last.h5 runs/whole/last.h5");
    program_expect(64, "--until: found 'x', expected epochs above 0", "$DLTRAIN job.ini --until x");
}

static json_t *json_of(char *text) {
    json_t *json = json_loads(text, 0, NULL);

    if (!json)
        fail_msg("no JSON: %s", text);
    free(text);
    return json;
}

/* Rates grow by one factor from --from to --to, and the first loss is that of training. */
static void find_lr_walks_from_one_rate_to_the_other(void **state) {
    (void)state;
    program_write_job("job.ini", 100, "");
    json_t *all =
        json_of(leaves_nothing("$DLTRAIN find-lr job.ini --steps 11 --from 1e-5 --to 1 --json"));
    const json_t *points = json_object_get(all, "points");

    assert_int_equal(json_array_size(points), 11);
    for (size_t i = 0; i < 11; i++) {
        const double lr = json_number_value(json_object_get(json_array_get(points, i), "lr"));
        assert_true(fabs(log10(lr) + 5 - 0.5 * (double)i) < 1e-5);
    }
    const double first = json_number_value(json_object_get(json_array_get(points, 0), "loss"));
    json_decref(all);
    free(printed("$DLTRAIN job.ini --set steps=1 --set name=first"));
    char *log = program_read("runs/first/metrics.jsonl");
    json_t *line = json_loads(log, JSON_DISABLE_EOF_CHECK, NULL);
    assert_true(fabs(json_number_value(json_object_get(line, "loss")) - first) < 1e-5);
    json_decref(line);
    free(log);
}

static void find_lr_ends_where_the_loss_explodes_and_draws(void **state) {
    (void)state;
    program_write_job("job.ini", 100, "");
    expect_text("$MPIRUN -np 2 $DLTRAIN find-lr job.ini --steps 40 --to 1e6 --plot lr.png",
                "ended at lr ");
    expect_text("file lr.png || od -c lr.png | head -n 1", "P");
    expect_text("$DLTRAIN find-lr job.ini --steps 4", "4 losses are too few, expected 10");
    program_expect(64, "--plot: found 'job.ini', expected a name that ends in .png",
                   "$MPIRUN -np 2 $DLTRAIN find-lr job.ini --plot job.ini");
    program_expect(64, "is a folder",
                   "mkdir folder.png; $DLTRAIN find-lr job.ini --plot folder.png");
    program_expect(64, "--from 1 is not below --to 0.1",
                   "$DLTRAIN find-lr job.ini --from 1 --to 0.1");
    program_expect(64, "has no [step nonsense]", "$DLTRAIN find-lr job.ini --step nonsense");
    program_expect(64, "--from: found '0', expected a number above 0",
                   "$DLTRAIN find-lr job.ini --from 0");
}

/* No batch is larger than the data, or than is asked for; those of several ranks are theirs
 * together. */
static void find_batch_measures_up_to_the_largest(void **state) {
    (void)state;
    program_write_job("job.ini", 100, "");
    json_t *all = json_of(leaves_nothing("$DLTRAIN find-batch job.ini --most 12 --json"));
    const json_t *rows = json_object_get(all, "rows");

    assert_int_equal(json_integer_value(json_object_get(all, "largest")), 12);
    assert_true(json_number_value(json_object_get(all, "largest_s")) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, i), "batch")),
                         1 << i);
    assert_true(json_array_size(rows) <= 4);
    json_decref(all);
    all = json_of(leaves_nothing("$MPIRUN -np 2 $DLTRAIN find-batch job.ini --json"));
    assert_int_equal(json_integer_value(json_object_get(all, "largest")), 240);
    json_decref(all);
    expect_text("$DLTRAIN find-batch job.ini --most 2", "suggestion: data.batch=");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_tries_everything_and_removes_it),
        cmocka_unit_test(a_dry_run_validates_one_batch),
        cmocka_unit_test(a_few_batches_are_learnt_or_it_is_said_that_they_are_not),
        cmocka_unit_test(a_run_until_an_epoch_goes_on_to_the_same_bits),
        cmocka_unit_test(find_lr_walks_from_one_rate_to_the_other),
        cmocka_unit_test(find_lr_ends_where_the_loss_explodes_and_draws),
        cmocka_unit_test(find_batch_measures_up_to_the_largest),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
