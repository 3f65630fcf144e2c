/* dltrain predict: classes and values, the same on any number of ranks as eval measures them. */
#include "cmd/predicted.h"

/* Predicts the synthetic shapes half right. */
static const char shapes[] =
    "[job]\nmodel = m(classes=10)\nepochs = 1\n[net m(image, classes)]\n"
    "a = image | conv(8, 3, stride=2) | bn | relu | maxpool(2)\n"
    "fc = a | flatten | linear(classes)\n"
    "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
    "augment = image | random_crop(28) | random_flip | normalize\nbatch = 16\n"
    "[step]\nloss = cross_entropy(model(image), label)\ntrain = model\noptimizer = sgd(lr=0.05)\n"
    "[validate]\nlogits = model(image)\ntop1 = accuracy(logits, label)\n";

static int setup(void **state) {
    if (predicted_setup(state))
        return -1;
    program_write("shape.ini", "%s", shapes);
    program_expect(0, NULL, "$DLTRAIN shape.ini");
    return 0;
}

static const char *first_class(const json_t *line) {
    const json_t *top = json_array_get(json_object_get(line, "top"), 0);

    return json_string_value(json_object_get(top, "class"));
}

/* How many of the predictions in a file are the labels beside them. */
static double accuracy_in(const char *path, size_t *n) {
    json_t *lines = predicted_lines(path), *line;
    size_t i, right = 0;

    json_array_foreach(lines, i, line) {
        right += !strcmp(json_string_value(json_object_get(line, "label")), first_class(line));
    }
    *n = json_array_size(lines);
    json_decref(lines);
    return (double)right / (double)*n;
}

static void accuracy_is_what_eval_measures_on_any_ranks_and_batch(void **state) {
    static const int batches[] = {60, 7, 16, 1};
    char *eval = printed("$DLTRAIN eval runs/shape"), expected[64];

    (void)state;
    for (int ranks = 1; ranks <= 4; ranks++) {
        size_t n;
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN predict runs/shape shapes.h5:test -o p%d.jsonl "
                       "--batch %d",
                       ranks, ranks, batches[ranks - 1]);
        snprintf(expected, sizeof expected, "top1=%.4f", accuracy_in("p1.jsonl", &n));
        assert_int_equal(n, 60);
        if (!strstr(eval, expected))
            fail_msg("found %s, eval says %s", expected, eval);
        program_expect(0, NULL, "cmp p1.jsonl p%d.jsonl", ranks);
    }
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/shape shapes.h5:test -o n.csv 2>&1 | grep -q '^n.csv: 60 "
                   "predictions, '");
    free(eval);
}

/* Each with its probabilities, in the order of names. */
static void files_are_predicted_as_the_dataset_made_of_them(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "for i in 1 2 3 4; do $MPIRUN -np $i $DLTRAIN predict runs/photo photos/test "
                   "-o f$i.jsonl --batch 3 && cmp f1.jsonl f$i.jsonl || exit 1; done");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos.h5:test -o d.jsonl && "
                   "sed \"s/.*top/top/\" f1.jsonl | sort > f && "
                   "sed \"s/.*top/top/\" d.jsonl | sort | cmp f -");
    program_expect(0, NULL,
                   "ls photos/test/*/*.png | $DLTRAIN predict runs/photo - -o l.jsonl; "
                   "sort l.jsonl > l; sort f1.jsonl | cmp l -; exit 0");
    json_t *lines = predicted_lines("f1.jsonl");
    const json_t *line = json_array_get(lines, 0);
    assert_int_equal(json_array_size(lines), 16);
    assert_string_equal(json_string_value(json_object_get(line, "file")),
                        "photos/test/bright/32.png");
    double sum = 0;
    for (size_t k = 0; k < 2; k++)
        sum += json_number_value(
            json_object_get(json_array_get(json_object_get(line, "top"), k), "p"));
    assert_true(fabs(sum - 1) < 1e-6);
    json_decref(lines);
}

static void a_picture_alone_is_one_line_and_says_what_it_is(void **state) {
    struct program_run run =
        program_run("$DLTRAIN predict runs/photo photos/test/dark/33.png --top 1");
    json_t *line = json_loads(run.out, 0, NULL);

    (void)state;
    assert_int_equal(run.code, 0);
    assert_non_null(line);
    assert_int_equal(json_array_size(json_object_get(line, "top")), 1);
    assert_non_null(strstr(run.err, "predicts softmax of logits in [validate]: probabilities"));
    json_decref(line);
    program_release(&run);
}

/* What the user writes, in the words of the job: probabilities, classes, features. */
static void the_output_may_be_any_expression(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test > a && $DLTRAIN predict runs/photo "
                   "photos/test --output \"softmax(model(image))\" | cmp a - && "
                   "$DLTRAIN predict runs/photo photos/test --output \"softmax(logits)\" | "
                   "cmp a -");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test --output \"argmax(logits)\" -o a.csv "
                   "&& $DLTRAIN predict runs/photo photos/test -o b.csv --top 1 && "
                   "cut -d, -f1,2 b.csv | sed \"s/class_1/class/\" > b && tr -d \"\\r\" < a.csv | "
                   "cmp - b");
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test/dark/33.png --output "
                   "\"model(image).pool\" > v.jsonl");
    json_t *lines = predicted_lines("v.jsonl");
    assert_int_equal(json_array_size(json_object_get(json_array_get(lines, 0), "values")), 4);
    json_decref(lines);
    program_expect(78, "--output:1:1: is a mean over samples",
                   "$DLTRAIN predict runs/photo photos/test --output \"accuracy(logits, label)\"");
    program_expect(78, "--output:1:9: found",
                   "$DLTRAIN predict runs/photo photos/test --output "
                   "\"softmax(logitz)\"");
}

/* Cut anywhere, also within a line, it goes on to the same bytes. */
static void what_is_left_of_a_file_is_gone_on_with(void **state) {
    static const int cuts[] = {0, 1, 24, 100, 333, 500};

    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test -o w.csv && "
                   "$DLTRAIN predict runs/photo photos/test -o w.jsonl");
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        program_expect(0, NULL,
                       "for e in csv jsonl; do head -c %d w.$e > c.$e && $MPIRUN -np %d $DLTRAIN "
                       "predict runs/photo photos/test -o c.$e --resume --batch 5 && "
                       "cmp w.$e c.$e || exit 1; done",
                       cuts[i], (int)i % 3 + 1);
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test -o w.csv --resume && "
                   "cmp w.csv c.csv");
    program_expect(65, "is not of input 16 of this command",
                   "$DLTRAIN predict runs/photo photos/train -o w.csv --resume");
    program_expect(65, "has other columns than this command writes",
                   "$DLTRAIN predict runs/photo photos/test -o w.csv --resume --top 1");
    program_expect(65, "has 16 predictions, and there are 8 inputs",
                   "$DLTRAIN predict runs/photo photos/test/dark -o w.jsonl --resume");
    program_expect(64, "--resume goes on with lines of text",
                   "$DLTRAIN predict runs/photo photos/test --resume");
}

/* Asked to stop in the middle, all ranks do, and what is there is whole. */
static void a_signal_stops_it_and_it_goes_on(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "for i in $(seq 200); do ls photos/test/dark/*.png; done > many && "
                   "$DLTRAIN predict runs/photo - -o all.csv < many");
    program_expect(75, "stopped on request after",
                   "$DLTRAIN predict runs/photo - -o part.csv --batch 1 < many & pid=$!; "
                   "until [ -s part.csv ] && [ $(wc -l < part.csv) -gt 5 ]; do sleep 0.01; done; "
                   "kill $pid; wait $pid");
    program_expect(1, NULL, "[ $(wc -l < part.csv) -eq $(wc -l < all.csv) ]");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN predict runs/photo - -o part.csv --resume < "
                   "many && cmp part.csv all.csv");
}

static void a_broken_picture_ends_it_or_is_named(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir mixed && cp photos/test/dark/*.png mixed && "
                   "echo text > mixed/34.png && head -c 700 photos/test/dark/33.png > "
                   "mixed/50.png && $DLTRAIN predict runs/photo photos/test/dark > good");
    for (int ranks = 1; ranks <= 3; ranks++) {
        program_expect(65, "mixed/34.png: is no JPEG",
                       "$MPIRUN -np %d $DLTRAIN predict runs/photo mixed --batch 4", ranks);
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN predict runs/photo mixed --batch 4 --skip-broken "
                       "> skipped 2> said && ! grep dltrain: said && grep error skipped > bad; "
                       "grep -v error skipped | "
                       "sed s=mixed=photos/test/dark= | cmp - good",
                       ranks);
        json_t *lines = predicted_lines("bad");
        assert_int_equal(json_array_size(lines), 2);
        for (size_t i = 0; i < 2; i++)
            assert_non_null(strstr(
                json_string_value(json_object_get(json_array_get(lines, i), "error")), "mixed/"));
        json_decref(lines);
    }
}

/* What is no prediction stays as it is; predictions are made anew. */
static void nothing_but_predictions_is_replaced(void **state) {
    static const char *const theirs[] = {"photos.h5", "runs/photo/last.h5",
                                         "runs/photo/metrics.jsonl", "table.csv"};

    (void)state;
    program_expect(0, NULL, "printf \"file,class\\na.png,dark\\n\" > table.csv");
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
        program_expect(0, NULL, "cp %s kept", theirs[i]);
        program_expect(64, "is there and holds no predictions of the same format",
                       "$MPIRUN -np 2 $DLTRAIN predict runs/photo photos/test -o %s", theirs[i]);
        program_expect(0, NULL, "cmp %s kept", theirs[i]);
    }
    program_expect(0, NULL,
                   "for e in h5 csv jsonl; do for i in 1 2; do "
                   "$DLTRAIN predict runs/photo photos/test -o twice.$e || exit 1; done; done");
    program_expect(0, NULL,
                   "for i in 1 2; do $DLTRAIN predict runs/photo photos.h5:test -o rows.csv && "
                   "head -n 1 rows.csv | grep -q ^index,label,class_1 || exit 1; done");
}

static void other_things_are_refused(void **state) {
    static const struct {
        int code;
        const char *message, *arguments;
    } cases[] = {
        {64, "found no inputs", "runs/photo"},
        {74, "none: cannot be read: No such file", "runs/photo none"},
        {65, "empty: holds no pictures", "runs/photo empty"},
        {65, "photo.ini: is no JPEG", "runs/photo photo.ini"},
        {74, "gone.h5: No such file", "runs/photo gone.h5:test"},
        {64, "found the dataset photos.h5:test among other inputs",
         "runs/photo photos.h5:test photos/test"},
        {65, "gives image 16x16x1, expected 20x20x3",
         "runs/photo cells.h5:all "
         "--set \"data.augment=image\""},
        {64, "reads image; expected pictures", "runs/photo --count 3"},
        {64, "--count is of samples that networks make of noise", "runs/photo photos --count 3"},
        {64, "--class is of samples that networks make of noise",
         "runs/photo photos/test --class dark"},
        {64, "-o: found ''", "runs/photo photos/test -o \"\""},
        {65, "standard input has the byte 0 behind 'a.png'", "runs/photo - < zeros"},
        {64, "found 'out.txt', expected a name that ends", "runs/photo photos/test -o out.txt"},
        {64, "is the same file as photos/test/dark/33.png",
         "runs/photo photos/test/dark/33.png -o link.csv"},
        {64, "--window needs a prediction of each pixel", "runs/photo photos/test --window 0.5"},
        {64, "--window: found '1', expected the share", "runs/photo photos/test --window 1"},
        {64, "--tta: found 'spin', expected flip, flips or rot90",
         "runs/photo photos/test --tta spin"},
        {64, "--overlay is of masks in a folder", "runs/photo photos/test --overlay"},
        {64, "found no --weights FILE", "photo.ini photos/test"},
        {74, "away: cannot be read", "runs/photo photos/test --weights away"},
    };

    (void)state;
    program_expect(0, NULL,
                   "printf \"a.png\\0b.png\\0\" > zeros && mkdir empty && ln "
                   "photos/test/dark/33.png link.csv");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        program_expect(cases[i].code, cases[i].message, "$DLTRAIN predict %s", cases[i].arguments);
}

/* Weights alone, by a job whose data says what the networks read. */
static void safetensors_and_a_job_predict_the_same(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN convert runs/photo/best.h5 w.safetensors || $DLTRAIN convert "
                   "runs/photo/last.h5 w.safetensors");
    program_expect(0, NULL,
                   "$DLTRAIN predict photo.ini photos.h5:test --weights w.safetensors | "
                   "sed \"s/.*top/top/\" > j && $DLTRAIN predict runs/photo photos.h5:test | "
                   "sed \"s/.*top/top/; s/bright/0/; s/dark/1/\" > r && "
                   "sed \"s/bright/0/; s/dark/1/\" j | cmp - r");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy_is_what_eval_measures_on_any_ranks_and_batch),
        cmocka_unit_test(files_are_predicted_as_the_dataset_made_of_them),
        cmocka_unit_test(a_picture_alone_is_one_line_and_says_what_it_is),
        cmocka_unit_test(the_output_may_be_any_expression),
        cmocka_unit_test(what_is_left_of_a_file_is_gone_on_with),
        cmocka_unit_test(a_signal_stops_it_and_it_goes_on),
        cmocka_unit_test(a_broken_picture_ends_it_or_is_named),
        cmocka_unit_test(nothing_but_predictions_is_replaced),
        cmocka_unit_test(other_things_are_refused),
        cmocka_unit_test(safetensors_and_a_job_predict_the_same),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
