/* With reduction = reproducible the number of ranks changes nothing, not a bit. */
#include "cmd/results.h"

enum { STEPS = 14, LOSSES = 64 };

/* Convolutions, batch norm, a residual sum, dropout and noise, Adam with decay, clipped by norm,
 * and averaged; batches of 25 leave shards of 3 and 4, and in the last step of an epoch, of 15, of
 * 1 and 2. */
static void write_residual(const char *file, int shards, const char *norm) {
    program_write(file,
                  "[job]\ninclude = %s/classify.ini\nmodel = r\nsteps = %d\n"
                  "[let]\nlr = 0.01\n"
                  "[net r(image)]\n"
                  "a  = image + 0.1 * noise([32, 32, 3]) | conv(8, 3, stride=4) | %s | relu\n"
                  "b  = a | conv(8, 3) | %s | relu | dropout(0.2) | conv(8, 3)\n"
                  "c  = a + b | relu | conv(12, 3, stride=2) | bn | relu\n"
                  "fc = c | global_avgpool | dropout(0.1) | linear(10)\n"
                  "[step]\noptimizer = adam(lr=lr, weight_decay=1e-3)\nclip_norm = 1\nema = 0.9\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_crop(32, pad=2) | random_flip | normalize\n"
                  "batch = 25\n[log]\nevery = 1\n[validate]\nbatch = 14\nevery = 5 steps\n"
                  "[dist]\nreduction = reproducible\nshards = %d\nbucket = 0.004\n",
                  DLTRAIN_CONFIGS, STEPS, norm, norm, shards);
}

static int numbers_of(const char *name, const char *key, double *out) {
    return results_numbers(name, key, out, NULL, LOSSES);
}

static void same_losses(const char *a, const char *b, const char *key) {
    double losses[LOSSES], others[LOSSES];
    const int n = numbers_of(a, key, losses);

    assert_true(n > 0);
    assert_int_equal(numbers_of(b, key, others), n);
    assert_memory_equal(losses, others, (size_t)n * sizeof *losses);
}

/* Two runs have the same measures and checkpoints, to the bit. */
static void same_runs(const char *a, const char *b) {
    json_t *measures = results_validation(a), *other = results_validation(b);

    assert_true(json_equal(measures, other));
    program_expect(0, NULL, "$SAME runs/%s/last.h5 runs/%s/last.h5", a, b);
    json_decref(measures);
    json_decref(other);
}

static void same_best(const char *a, const char *b) {
    program_expect(0, NULL, "$SAME runs/%s/best.h5 runs/%s/best.h5", a, b);
}

/* The run `one` of a job, against the same on so many ranks. */
static void expect_same_on(const char *file, const char *loss, const int *ranks, int n) {
    for (int i = 0; i < n; i++) {
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN %s --set name=many --set threads=1",
                       ranks[i], file);
        same_runs("one", "many");
        same_losses("one", "many", loss);
    }
}

static void a_residual_network_is_the_same_on_1_to_8_ranks(void **state) {
    static const int ranks[] = {2, 3, 4, 8};
    double losses[LOSSES];

    (void)state;
    write_residual("eight.ini", 8, "bn");
    program_expect(0, NULL, "$DLTRAIN eight.ini --set name=one --set threads=1");
    assert_int_equal(numbers_of("one", "loss", losses), STEPS);
    assert_true(losses[STEPS - 1] < losses[0]);
    expect_same_on("eight.ini", "loss", ranks, 4);
    same_best("one", "many");
    program_expect(0, NULL, "$DLTRAIN eight.ini --set name=threads --set threads=2");
    same_runs("one", "threads");
    program_expect(0, NULL, "DLTRAIN_HOSTS=2 $MPIRUN -np 4 $DLTRAIN eight.ini --set name=hosts");
    same_runs("one", "hosts");
    program_expect(0, NULL, "$DLTRAIN eight.ini --set name=buckets --set dist.bucket=1");
    same_runs("one", "buckets");
    program_expect(0, NULL, "$DLTRAIN eight.ini --set name=fast --set dist.reduction=fast");
    program_expect(1, NULL, "$SAME runs/one/last.h5 runs/fast/last.h5");
}

/* Six are no whole tree, and 4 ranks have one or two each. Five of seven shards of 3 samples have
 * none. */
static void so_it_is_with_shards_that_are_no_power_of_two(void **state) {
    static const int ranks[] = {2, 4, 5, 6};

    (void)state;
    write_residual("six.ini", 6, "bn");
    program_expect(0, NULL, "$DLTRAIN six.ini --set name=one");
    expect_same_on("six.ini", "loss", ranks, 4);
    program_expect(0, NULL,
                   "$DLTRAIN six.ini --set name=few --set data.batch=3 --set steps=5 "
                   "--set dist.shards=7");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN six.ini --set name=few3 --set data.batch=3 "
                   "--set steps=5 --set dist.shards=7");
    program_expect(0, NULL, "$SAME runs/few/last.h5 runs/few3/last.h5");
}

static void a_run_goes_on_with_another_number_of_ranks(void **state) {
    (void)state;
    write_residual("on.ini", 8, "bn");
    program_expect(0, NULL, "$DLTRAIN on.ini --set name=whole");
    program_expect(0, NULL, "$MPIRUN -np 4 $DLTRAIN on.ini --set name=cut --set steps=4");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN on.ini --resume --set name=cut --set steps=9");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN on.ini --resume --set name=cut");
    program_expect(0, NULL, "$SAME runs/whole/last.h5 runs/cut/last.h5");
}

static void so_are_two_networks_that_play(void **state) {
    static const int ranks[] = {2, 3, 6};

    (void)state;
    program_write("gan.ini",
                  "[job]\ninclude = %s/dcgan.ini\nsteps = 5\n"
                  "[let]\nsize = 32\nwidth = 4\ncode = 8\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_flip | normalize(mean=0.5, std=0.5)\nbatch = 26\n"
                  "[log]\nevery = 1\n"
                  "[dist]\nreduction = reproducible\nshards = 6\nbucket = 0.02\n",
                  DLTRAIN_CONFIGS);
    program_expect(0, NULL, "$DLTRAIN gan.ini --set name=one");
    expect_same_on("gan.ini", "generator.loss", ranks, 3);
}

static void each_optimiser_that_needs_all_gradients_is_the_same(void **state) {
    static const char *const ways[] = {"--set \"step.optimizer=lars(lr=lr)\"",
                                       "--set \"step.optimizer=lamb(lr=lr)\"",
                                       "--set step.clip_value=0.01"};

    (void)state;
    write_residual("whole.ini", 4, "bn");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        program_expect(0, NULL, "$DLTRAIN whole.ini --set steps=6 --set name=w1 %s", ways[i]);
        program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN whole.ini --set steps=6 --set name=w3 %s",
                       ways[i]);
        same_runs("w1", "w3");
    }
}

/* One process computes what three do; sums of its shares are those of three ranks, in another
 * order. */
static void ranks_are_emulated_in_one_process(void **state) {
    double emulated[LOSSES], ranks[LOSSES];

    (void)state;
    write_residual("bits.ini", 8, "bn");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN bits.ini --set name=three");
    program_expect(0, NULL, "$DLTRAIN bits.ini --emulate-ranks 3 --set name=emulated");
    same_runs("three", "emulated");
    const char *fast = "bits.ini --set dist.reduction=fast --set steps=5";
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN %s --set name=ranks", fast);
    program_expect(0, NULL, "$DLTRAIN %s --set name=alone", fast);
    program_expect(0, NULL, "$DLTRAIN %s --emulate-ranks 3 --set name=emulated", fast);
    program_expect(78, "found [dist] wire = bf16, expected --set dist.wire=fp32",
                   "$DLTRAIN %s --emulate-ranks 3 --set dist.wire=bf16 --set name=packed", fast);
    program_expect(78, "found [dist] sync = local_sgd, expected --set dist.sync=step",
                   "$DLTRAIN %s --emulate-ranks 3 --set dist.sync=local_sgd --set name=apart",
                   fast);
    assert_int_equal(numbers_of("ranks", "loss", ranks), 5);
    assert_int_equal(numbers_of("emulated", "loss", emulated), 5);
    for (int i = 0; i < 5; i++)
        if (!(fabs(ranks[i] - emulated[i]) <= 1e-4 * fabs(ranks[i])))
            fail_msg("loss of step %d is %.9g on 3 ranks, %.9g emulated", i + 1, ranks[i],
                     emulated[i]);
    assert_int_equal(numbers_of("alone", "loss", emulated), 5);
    assert_true(fabs(ranks[0] - emulated[0]) > 1e-4 * fabs(ranks[0])); /* other batches to norm */
    program_expect(0, NULL, "$DLTRAIN bench bits.ini --emulate-ranks 2 --steps 2 >/dev/null");
    program_expect(64,
                   "--emulate-ranks computes in one process what 3 ranks compute; found 2 ranks",
                   "$MPIRUN -np 2 $DLTRAIN bits.ini --emulate-ranks 3");
    program_expect(78, "9 ranks for 8 shards", "$DLTRAIN bits.ini --emulate-ranks 9");
}

/* Measures that choose the best are those of shards, too, whoever computes them. */
static void measures_are_the_same_wherever_they_are_made(void **state) {
    (void)state;
    write_residual("eval.ini", 6, "bn");
    program_expect(0, NULL, "$DLTRAIN eval.ini --set name=all");
    program_expect(0, NULL,
                   "$MPIRUN -np 3 $DLTRAIN eval.ini --set name=rank0 --set validate.on=rank0");
    same_runs("all", "rank0");
    struct program_run one = program_run("$DLTRAIN eval runs/all/last.h5");
    struct program_run four = program_run("$MPIRUN -np 4 $DLTRAIN eval runs/all/last.h5");
    assert_int_equal(one.code, 0);
    assert_string_equal(one.out, four.out);
    program_release(&one);
    program_release(&four);
}

static void synchronised_batch_norm_needs_a_rank_for_each_shard(void **state) {
    (void)state;
    write_residual("sync.ini", 4, "bn(sync=all)");
    program_expect(0, NULL, "$MPIRUN -np 4 $DLTRAIN sync.ini --set name=sync");
    program_expect(0, NULL, "DLTRAIN_HOSTS=2 $MPIRUN -np 4 $DLTRAIN sync.ini --set name=hosts");
    same_runs("sync", "hosts");
    program_expect(78,
                   "bn: sync needs all shards at a time, and reduction = reproducible has 4 of "
                   "them for 2 ranks; expected as many ranks as shards",
                   "$MPIRUN -np 2 $DLTRAIN sync.ini");
    write_residual("host.ini", 2, "bn(sync=host)");
    program_expect(78, "bn: sync is host, and with reduction = reproducible nothing depends on who",
                   "$MPIRUN -np 2 $DLTRAIN host.ini");
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    write_residual("no.ini", 2, "bn");
    program_expect(78, "3 ranks for 2 shards: with reduction = reproducible each rank computes one",
                   "$MPIRUN -np 3 $DLTRAIN no.ini");
    program_expect(78, "accumulate is 2, and reduction = reproducible cuts a batch into shards",
                   "$DLTRAIN no.ini --set data.accumulate=2");
    program_expect(78, "allreduce: ring adds in an order that depends on the ranks",
                   "$DLTRAIN no.ini --set dist.allreduce=ring");
    program_expect(78, "wire: what int8 loses depends on the number of ranks",
                   "$DLTRAIN no.ini --set dist.wire=int8");
    program_expect(0, NULL, "$DLTRAIN no.ini --set name=run --set steps=2");
    program_write("ones.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = r\nsteps = 2\n"
                  "[net r(image)]\nfc = image | flatten | linear(10) | bn | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 12\n"
                  "[dist]\nreduction = reproducible\n",
                  DLTRAIN_CONFIGS);
    program_expect(78, "a step of 12 samples over 8 shards is computed at most 2 at a time",
                   "$DLTRAIN ones.ini");
    struct program_run run = program_run("$DLTRAIN no.ini --set name=run --set steps=4 "
                                         "--set dist.shards=4 --resume");
    assert_int_equal(run.code, 0); /* as with any key of how a job is carried out */
    assert_non_null(strstr(run.out, "resuming: [dist] shards was 2, is 4"));
    program_release(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_network_is_the_same_on_1_to_8_ranks),
        cmocka_unit_test(so_it_is_with_shards_that_are_no_power_of_two),
        cmocka_unit_test(a_run_goes_on_with_another_number_of_ranks),
        cmocka_unit_test(so_are_two_networks_that_play),
        cmocka_unit_test(each_optimiser_that_needs_all_gradients_is_the_same),
        cmocka_unit_test(ranks_are_emulated_in_one_process),
        cmocka_unit_test(measures_are_the_same_wherever_they_are_made),
        cmocka_unit_test(synchronised_batch_norm_needs_a_rank_for_each_shard),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
