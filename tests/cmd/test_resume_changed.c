/* A job that is not what it was: --resume says every change, refuses what must not change, and
 * compares measures with measures of the same thing only. */
#include "cmd/printed.h"
#include "cmd/results.h"

#define RUN "$DLTRAIN job.ini --set name="

static void write_job(const char *sections) {
    program_write("job.ini",
                  "[job]\nmodel = m(classes=10)\nsteps = 8\n[let]\nwidth = 8\n"
                  "[net m(image, classes)]\n"
                  "a  = image | conv(width, 3, stride=4) | bn | relu\n"
                  "fc = a | global_avgpool | linear(classes)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | normalize\nbatch = 60\n"
                  "[step]\nloss = cross_entropy(model(image), label)\ntrain = model\n"
                  "optimizer = sgd(lr=0.05, momentum=0.9)\n"
                  "[validate]\nloss = cross_entropy(model(image), label)\n"
                  "top1 = accuracy(model(image), label)\nevery = 2 steps\nbest = top1\n%s",
                  sections);
}

/* A run of 4 steps of the job under that name. */
static void begin(const char *name) {
    write_job("");
    program_expect(0, NULL, RUN "%s --set steps=4", name);
}

/* Going on with it, as said; on two ranks where it is refused. */
static void says(const char *name, const char *options, const char *text) {
    char command[512];

    snprintf(command, sizeof command, RUN "%s --resume %s", name, options);
    expect_said(0, text, command);
}

static void refuses(const char *name, const char *options, const char *text) {
    program_expect(78, text, "$MPIRUN -np 2 " RUN "%s --resume %s", name, options);
}

static void every_change_is_said(void **state) {
    (void)state;
    begin("said");
    says("said", "--set \"step.loss=2 * cross_entropy(model(image), label)\" --set steps=5",
         "resuming: [step] loss was cross_entropy(model(image), label), is 2 * "
         "cross_entropy(model(image), label)\n");
    says("said", "--set steps=6", "resuming: [job] steps was 5, is 6\n");
    says("said", "--set steps=7 --set step.clip_norm=1",
         "resuming: [step] clip_norm was none, is 1\n");
    says("said", "--set steps=8", "resuming: [step] clip_norm was 1, is none\n");
    says("said", "--set steps=9 --set let.unused=3",
         "resuming: [let] unused was not there, is 3\n");
    write_job("[net other(image)]\na = image | relu\n");
    says("said", "--set steps=10", "resuming: [net other] was not there\n");
    write_job("");
    says("said", "--set steps=11", "resuming: [net other] is not there any more\n");
}

static void steps_whose_checkpoints_are_gone_are_told(void **state) {
    (void)state;
    begin("gone");
    program_expect(0, NULL, "rm runs/gone/*.h5");
    says("gone", "",
         "warning: runs/gone/last.h5 is not there, nor another checkpoint to go on from: beginning "
         "with step 1; what was done up to step 4 is done again");
}

/* It may be the later one. */
static void what_cannot_be_read_is_told_where_another_is_chosen(void **state) {
    (void)state;
    begin("unread");
    program_expect(0, NULL,
                   "cd runs/unread; mv last.h5 step_00000004.h5; rm last.*; mkdir last.1.h5");
    says("unread", "--set steps=5",
         "from runs/unread/step_00000004.h5: what was done after it is done again; cannot be read: "
         "runs/unread/last.1.h5");
}

static void what_is_the_same_is_not_said(void **state) {
    (void)state;
    begin("same");
    char *out = printed(RUN "same --resume --set steps=4 --set validate.patience=none "
                            "--set data.accumulate=1 --set checkpoint.last=\"1 epoch\"");
    assert_null(strstr(out, "resuming: "));
    free(out);
}

static void what_must_not_change_is_refused(void **state) {
    (void)state;
    begin("kept");
    refuses("kept", "--set data.batch=50", "was saved with [data] batch = 60, the job has 50");
    refuses("kept", "--set data.accumulate=2",
            "was saved with [data] accumulate = 1, the job has 2");
    refuses("kept", "--set seed=7", "was saved with [job] seed = 1, the job has 7");
    refuses("kept", "--set \"step.optimizer=adam(lr=0.001)\"",
            "was saved with [step] optimizer = sgd, the job has adam");
    refuses("kept", "--set step.ema=0.9", "was saved with [step] ema = none, the job has 0.9");
    refuses("kept", "--set data.train=shapes.h5:test",
            "was saved while training on [data] train = shapes.h5:train of 240 samples");
    refuses("kept", "--set step.freeze=model.conv1",
            "what the job trains is not what it was; [step] freeze was not there, is model.conv1");
    refuses("kept", "--set let.width=12",
            "tensor /nets/m/conv1.weight is 3x3x3x8, expected 3x3x3x12: what the job trains is "
            "not what it was; [let] width was 8, is 12");
    write_job("[step second]\nloss = mse(model(image), model(image))\ntrain = model\n"
              "optimizer = sgd(lr=0.1)\n");
    refuses("kept", "", "was saved by a job of 1 [step], this one has 2");
    write_job("");
    program_expect(0, NULL, RUN "averaged --set step.ema=0.9 --set steps=4");
    refuses("averaged", "", "was saved with [step] ema = 0.9, the job has none");
    says("averaged", "--set step.ema=0.5", "resuming: [step] ema was 0.9, is 0.5\n");
}

/* The best measure of the last best.h5 of a run, by its name. */
static void expect_best(const char *name, const char *file, const char *measure) {
    struct checkpoint *ck = results_open(name, file);
    json_t *meta = json_loads(checkpoint_meta(ck), 0, NULL);

    assert_string_equal(
        json_string_value(json_object_get(json_object_get(meta, "measures"), "name")), measure);
    json_decref(meta);
    checkpoint_close(ck);
}

/* A loss near 2.3 is never above an accuracy below 1: what was the best must not stay it for ever.
 */
static void another_best_begins_a_history_anew(void **state) {
    (void)state;
    begin("measure");
    expect_best("measure", "best.h5", "top1");
    says("measure", "--set steps=8 --set validate.best=loss --set validate.patience=1",
         "resuming: [validate] best was top1, is loss: the history of the best begins anew; the "
         "earlier best.h5 is now runs/measure/best.1.h5\n");
    expect_best("measure", "best.h5", "loss");
    expect_best("measure", "best.1.h5", "top1");
    assert_true(results_measure("measure", "loss") > 0);
    says("measure", "--set steps=10 --set validate.best=top1",
         "the earlier best.h5 is now runs/measure/best.2.h5\n");
}

static void another_statement_of_the_same_name_is_another_measure(void **state) {
    (void)state;
    begin("statement");
    says("statement", "--set \"validate.top1=accuracy(model(image), label, k=5)\"",
         "resuming: [validate] top1 = accuracy(model(image), label, k=5), was top1 = "
         "accuracy(model(image), label): the history of the best begins anew");
    write_job("[let]\n");
    begin("constant");
    program_expect(0, NULL,
                   "sed -i \"s/label)$/label, k=n)/; s/width = 8/width = 8\\nn = 1/; "
                   "s/^loss = .*/loss = cross_entropy(model(image), label)/\" job.ini");
    says("constant", "--set steps=6",
         "[validate] top1 = accuracy(model(image), label, k=n); n = 1");
    says("constant", "--set steps=8 --set n=2", "label, k=n); n = 2, was top1 = ");
}

static void other_validation_data_begins_a_history_anew(void **state) {
    (void)state;
    begin("data");
    says(
        "data", "--set data.validate=shapes.h5:train",
        "resuming: [data] validate was shapes.h5:test of 60 samples, is other data: the history of "
        "the best begins anew");
}

/* The history is rank 0's, whoever resumes. */
static void the_history_of_the_same_measure_goes_on(void **state) {
    (void)state;
    write_job("patience = 3\n");
    program_expect(0, NULL, "sed -i \"s/lr=0.05/lr=0/; s/| bn //\" job.ini");
    program_expect(0, NULL, "$MPIRUN -np 2 " RUN "whole --set steps=12");
    program_expect(0, NULL, "$MPIRUN -np 2 " RUN "parts --set steps=4");
    expect_said(0, "ended after step 8: patience: 3 validations without a better top1\nbest: top1=",
                "$MPIRUN -np 2 " RUN "parts --set steps=12 --resume");
    program_expect(0, NULL, "$SAME runs/whole/last.h5 runs/parts/last.h5");
    expect_said(0, "nothing is left to do; a larger patience = goes on\nbest: top1=",
                RUN "parts --set steps=12 --resume");
}

static void a_rate_that_follows_the_measure_begins_anew(void **state) {
    (void)state;
    begin("rate");
    says("rate",
         "--set \"step.optimizer=sgd(lr=plateau(0.05), momentum=0.9)\" --set validate.best=loss",
         "the history of the best begins anew, and the learning rate that follows it; the earlier");
}

static void a_finished_run_is_left_as_it_is(void **state) {
    (void)state;
    begin("finished");
    program_expect(0, NULL, "cp -r runs/finished kept");
    says("finished", "--set steps=4",
         "runs/finished is finished (all 4 steps are done): nothing is left to do; a larger epochs "
         "= or steps = goes on\nbest: top1=");
    expect_said(0, "nothing is left to do", "$MPIRUN -np 3 " RUN "finished --set steps=4 --resume");
    says("finished", "--set steps=3", "4 steps are done, more than the 3 of the job");
    program_expect(0, NULL, "diff -r runs/finished kept");
    program_expect(0, NULL, "rm runs/finished/best.h5");
    says("finished", "--set steps=4", ", but best.h5 is not there\n");
}

static void the_end_says_why_and_which_was_the_best(void **state) {
    (void)state;
    write_job("");
    expect_said(0, "ended after step 8: all 8 steps are done\nbest: top1=0.", RUN "end");
    expect_said(0, ", in best.h5\n", RUN "end");
    program_expect(0, NULL, "sed -i \"s/^steps = 8/epochs = 2/\" job.ini");
    expect_said(0, "ended after step 8: all 2 epochs are done\n", RUN "end");
    expect_said(0, ", not kept: [checkpoint] best = false\n",
                RUN "end --set checkpoint.best=false");
}

static void weights_alone_are_not_resumed(void **state) {
    (void)state;
    begin("alone");
    program_expect(0, NULL,
                   "cp -r runs/alone runs/torch && mv runs/alone/last.h5 whole.h5 && "
                   "$DLTRAIN convert whole.h5 alone.safetensors && "
                   "$DLTRAIN convert alone.safetensors runs/alone/last.h5 --net m");
    program_expect(65, "runs/alone/last.h5: is no checkpoint of a run: it holds weights alone",
                   RUN "alone --resume");
    program_expect(0, NULL, "mv alone.safetensors runs/torch/last.h5");
    program_expect(65, "runs/torch/last.h5: is safetensors: weights alone", RUN "torch --resume");
}

/* Damaged are the last one, the one before it, the best and the first of those that are kept. */
static void the_latest_that_is_whole_is_gone_on_from(void **state) {
    (void)state;
    write_job("[checkpoint]\nevery = 3 steps\n");
    program_expect(0, NULL, RUN "hurt");
    program_expect(0, NULL, "printf x | dd of=runs/hurt/last.h5 bs=1 seek=9000 conv=notrunc");
    program_expect(0, NULL,
                   "cd runs/hurt && head -c 5000 step_00000003.h5 > x; mv x step_00000003.h5; "
                   "cp last.h5 best.h5; cp last.h5 last.1.h5");
    program_expect(0, NULL, "rm -rf runs/again && cp -r runs/hurt runs/again");
    program_expect(65,
                   "; whole is runs/again/step_00000006.h5 (epoch 1.5); to go on from there: cp "
                   "runs/again/step_00000006.h5 runs/again/last.h5, and --resume again",
                   "$MPIRUN -np 2 " RUN "again --resume"); /* they are of the run 'hurt' */
    program_expect(65, "; whole is runs/again/step_00000006.h5 (epoch 1.5)",
                   "$DLTRAIN eval runs/again/last.h5");
    program_expect(65, "; whole is runs/again/step_00000006.h5 (epoch 1.5)",
                   "$DLTRAIN convert runs/again/last.h5 again.safetensors");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 " RUN "hurt --resume > log && grep \"warning: "
                   "runs/hurt/last.h5: is damaged: .*; going on after step 6 from "
                   "runs/hurt/step_00000006.h5: .* done again; the damaged file is kept as "
                   "runs/hurt/last.damaged.h5; damaged, too: \" log && "
                   "cmp runs/hurt/last.damaged.h5 runs/again/last.h5");
    program_expect(0, NULL,
                   "rm runs/hurt/*_*.h5 runs/hurt/best.h5 runs/hurt/last.1.h5; "
                   ": > runs/hurt/last.h5");
    program_expect(65, "runs/hurt holds no other checkpoint to go on from", RUN "hurt --resume");
    program_expect(0, NULL, "rm runs/hurt/last.h5; : > runs/hurt/last.1.h5");
    program_expect(65,
                   "runs/hurt/last.h5 is not there; runs/hurt holds no other checkpoint to go on "
                   "from; damaged, too: runs/hurt/last.1.h5",
                   RUN "hurt --resume");
    program_expect(0, NULL, "mkdir runs/hurt/last.h5");
    program_expect(74, "runs/hurt/last.h5: cannot be read: Is a directory", RUN "hurt --resume");
}

static void without_a_last_checkpoint_the_best_one_is_gone_on_from(void **state) {
    (void)state;
    begin("lost");
    program_expect(0, NULL, "rm runs/lost/last*.h5");
    program_expect(0, NULL,
                   RUN "lost --resume --set steps=9 > log && grep \"warning: runs/lost/last.h5 is "
                       "not there; going on after step [0-9]* from runs/lost/best.h5: \" log && "
                       "[ ! -e runs/lost.1 ]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_said),
        cmocka_unit_test(what_cannot_be_read_is_told_where_another_is_chosen),
        cmocka_unit_test(steps_whose_checkpoints_are_gone_are_told),
        cmocka_unit_test(what_is_the_same_is_not_said),
        cmocka_unit_test(what_must_not_change_is_refused),
        cmocka_unit_test(another_best_begins_a_history_anew),
        cmocka_unit_test(another_statement_of_the_same_name_is_another_measure),
        cmocka_unit_test(other_validation_data_begins_a_history_anew),
        cmocka_unit_test(the_history_of_the_same_measure_goes_on),
        cmocka_unit_test(a_rate_that_follows_the_measure_begins_anew),
        cmocka_unit_test(a_finished_run_is_left_as_it_is),
        cmocka_unit_test(the_end_says_why_and_which_was_the_best),
        cmocka_unit_test(weights_alone_are_not_resumed),
        cmocka_unit_test(the_latest_that_is_whole_is_gone_on_from),
        cmocka_unit_test(without_a_last_checkpoint_the_best_one_is_gone_on_from),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
