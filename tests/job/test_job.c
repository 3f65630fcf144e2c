/* A job as checked numbers: what a text means, and what it cannot mean. */
#include "io/scratch.h"
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "dist/allreduce/ring.h"
#include "dist/sync.h"
#include "dist/shuffle.h"
#include "job/job.h"
#include "job/key.h"
#include "job/signals.h"

#include <math.h>

static const char *write_text(const char *text) {
    const char *path = in_scratch("some.job.ini");

    write_bytes(path, text, strlen(text));
    return path;
}

static void read_text(struct job *job, const char *text) {
    struct err err = {0};

    if (job_read(job, write_text(text), NULL, 0, &err))
        fail_msg("%s", err.msg);
}

static void refused(const char *text, const char *message) {
    struct err err = {0};
    struct job job;

    if (!job_read(&job, write_text(text), NULL, 0, &err))
        fail_msg("expected '%s' for\n%s", message, text);
    assert_contains(err.msg, message);
    assert_contains(err.msg, "some.job.ini:"); /* with its line */
    assert_int_equal(err.kind, ERR_CONFIG);
    job_release(&job);
}

static void equal(double found, double expected) {
    if (!(fabs(found - expected) <= 1e-12 * fabs(expected)))
        fail_msg("found %g, expected %g", found, expected);
}

static void has_defaults(const char *text) {
    struct job job;

    read_text(&job, text);
    assert_string_equal(job.name, "some.job"); /* the file's, without .ini */
    assert_string_equal(job.output, "runs");
    assert_true(job.steps == 0 && !(job.epochs > 0));
    assert_true(job.seed == 1 && job.threads == 0 && job.batch == 128);
    assert_true(job.cache_bytes == (int64_t)1 << 30);
    assert_true(job.workers == 0 && !job.decodes_reduced);
    assert_null(job.model);
    assert_null(job.train_data);
    assert_null(job.validate_data);
    assert_true(job.n_augment == 0 && job.image.n == 0 && job.n_steps == 0);
    assert_null(job.best);
    assert_true(job.patience == 0 && !job.validate_on_rank0);
    equal(job.validate_every.epochs, 1);
    equal(job.save_last.epochs, 1);
    assert_true(job.save_every.steps == 0 && !(job.save_every.epochs > 0));
    assert_true(job.save_best);
    assert_string_equal(job.allreduce.word->name, "host");
    equal((double)((const struct ring_args *)job.allreduce.args)->chunk, 512 * 1024);
    assert_string_equal(job.wire.word->name, "fp32");
    assert_null(sync_local_sgd(&job.sync));
    assert_true(job.bucket_bytes == 4 << 20 && job.log_every == 10 && job.worst == -1);
    assert_true(job.audit_every == 100 && job.overlap && !job.progress_thread);
    assert_true(job.binds && job.tests_links);
    assert_true(job.mode.fusion && job.mode.winograd);
    assert_int_equal(job.validate_batch, 128);
    job_release(&job);
}

static void an_empty_job_has_the_defaults_of_the_key_table(void **state) {
    struct job job;

    (void)state;
    has_defaults("[job]\n");
    read_text(&job, "[job]\n");
    assert_null(job.validate);
    job_release(&job);
}

static void expect_signals(unsigned found, const char *expected) {
    char text[64] = "";

    for (int i = 0; job_signal_at(i); i++)
        if (found & 1U << i)
            strcat(strcat(text, *text ? " " : ""), job_signal_at(i)->name);
    assert_string_equal(text, expected);
}

static void every_key_is_read(void **state) {
    struct job job;

    (void)state;
    read_text(&job,
              "[job]\nname = mine\noutput = /scratch/runs\nepochs = 2.5\nseed = 7\nthreads = 3\n"
              "model = net(classes=4)\n"
              "[let]\nhalf = 32\n"
              "[data]\ntrain = a.h5:x\nvalidate = b.h5\nbatch = 2*half\ncache = 0.5\n"
              "shuffle = block(half, window=9)\n"
              "workers = 3\ndecode = reduced\n"
              "augment = image | random_flip | cutout(8)\nimage = [half, 24, 1]\n"
              "[step]\nloss = mse(image, 0)\ntrain = a\noptimizer = adam(lr=0.5)\nevery = 3\n"
              "clip_norm = 1\nclip_value = 0.25\n"
              "[validate]\nevery = 0.5 epochs\ntop1 = accuracy(a, label)\nbest = top1\n"
              "patience = 4\nbatch = 10\non = rank0\n"
              "[checkpoint]\nlast = 100 steps\nevery = 2 epochs\nbest = false\n"
              "signals = TERM, SIGXCPU\nsave_on = HUP\n"
              "keep = 5\non_error = stop\npartner = 50 steps\n"
              "[dist]\nallreduce = host(chunk=256KiB)\nwire = int8(block=64)\n"
              "sync = local_sgd(every=4, after=9)\nbucket = 0.25\noverlap = off\n"
              "progress = thread\naudit = 20\ntimeout = 90\nbind = off\nselftest = "
              "off\n[log]\nevery = 5\n"
              "histograms = 2 epochs\ntensorboard = on\nmlperf = on\ntrace = 100..119\nworst = 7\n"
              "ranks = every\nphases = on\n"
              "[run]\nfusion = off\nwinograd = off\n");
    assert_string_equal(job.name, "mine");
    assert_string_equal(job.output, "/scratch/runs");
    equal(job.epochs, 2.5);
    assert_true(job.seed == 7 && job.threads == 3 && job.batch == 64);
    assert_string_equal(job.model->value, "net(classes=4)");
    assert_string_equal(job.train_data, "a.h5:x");
    assert_string_equal(job.validate_data, "b.h5");
    assert_true(job.cache_bytes == 1 << 19);
    struct shard order = {0};
    shuffle_plan(&job.shuffle, &order);
    assert_true(order.shuffle == SHARD_BLOCKS && order.block == 32 && order.window == 9);
    assert_true(job.workers == 3 && job.decodes_reduced);
    assert_int_equal(job.n_augment, 2);
    assert_string_equal(job.augment[1].word->name, "cutout");
    assert_true(job.image.n == 3 && job.image.v[0] == 32 && job.image.v[1] == 24);
    assert_true(job.n_steps == 1 && job.step[0].every == 3);
    assert_string_equal(job.step[0].optimizer.word->name, "adam");
    equal(job.step[0].clip_norm, 1);
    equal(job.step[0].clip_value, 0.25);
    equal(job.validate_every.epochs, 0.5);
    assert_string_equal(job.best, "top1");
    assert_true(job.patience == 4 && job.validate_batch == 10 && job.validate_on_rank0);
    assert_true(job.save_last.steps == 100 && !(job.save_last.epochs > 0));
    equal(job.save_every.epochs, 2);
    assert_false(job.save_best);
    expect_signals(job.stop_signals, "TERM XCPU");
    expect_signals(job.save_signals, "HUP");
    assert_true(job.keep_last == 5 && job.stops_on_unsaved && job.partner.steps == 50);
    assert_string_equal(job.allreduce.word->name, "host");
    equal((double)((const struct ring_args *)job.allreduce.args)->chunk, 256 * 1024);
    assert_string_equal(job.wire.word->name, "int8");
    assert_int_equal(sync_local_sgd(&job.sync)->every, 4);
    assert_int_equal(sync_local_sgd(&job.sync)->after, 9);
    assert_int_equal(*(const int *)job.wire.args, 64);
    equal(job.timeout_s, 90);
    assert_true(job.bucket_bytes == 1 << 18 && job.log_every == 5 && job.worst == 7);
    equal(job.histograms.epochs, 2);
    assert_true(job.tensorboard && job.mlperf && job.every_rank && job.prints_phases);
    assert_true(job.trace.first == 100 && job.trace.last == 119);
    assert_true(job.audit_every == 20 && !job.overlap && job.progress_thread);
    assert_true(!job.binds && !job.tests_links);
    assert_true(!job.mode.fusion && !job.mode.winograd);
    job_release(&job);
}

static void keys_of_parts_and_pictures_are_read(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[data]\naccumulate = 4\nsampling = balanced\n"
                    "fields = mask 256x128, a 64x32x3,\n  age 1 , kind\n"
                    "[step]\nloss = mse(image, 0)\ntrain = a, b\noptimizer = sgd(lr=0.5)\n"
                    "freeze = a.stem\nlr_scale = b 0.1\nema = 0.99\nclip_weights = 0.01\n"
                    "[validate]\nloss = mse(image, 0)\n"
                    "[picture all]\nshow = image\n"
                    "[picture few]\nshow = image\ncount = 9\ncolumns = 3\nrange = [-1, 0.5]\nscore = 0.25\n");
    assert_true(job.accumulate == 4 && job.balanced);
    assert_int_equal(job.n_fields, 4);
    assert_string_equal(job.field[0].name, "mask");
    assert_true(job.field[0].shape.n == 2 && job.field[0].shape.v[0] == 256);
    assert_true(job.field[1].shape.n == 3 && job.field[1].shape.v[1] == 32);
    assert_string_equal(job.field[2].name, "age");
    assert_true(job.field[2].shape.n == 1 && job.field[2].shape.v[0] == 1);
    assert_string_equal(job.field[3].name, "kind");
    assert_int_equal(job.field[3].shape.n, 0);
    assert_string_equal(job.step[0].freeze->value, "a.stem");
    assert_string_equal(job.step[0].lr_scale->value, "b 0.1");
    equal(job.step[0].ema, 0.99);
    equal(job.step[0].clip_weights, 0.01);
    assert_int_equal(job.n_pictures, 2);
    assert_true(job.picture[0].count == 64 && job.picture[0].columns == 0);
    assert_true(!(job.picture[0].range[0] < 0) && !(job.picture[0].range[1] > 0));
    assert_string_equal(job.picture[1].name, "few");
    assert_true(job.picture[1].count == 9 && job.picture[1].columns == 3);
    equal(job.picture[1].range[0], -1);
    equal(job.picture[1].range[1], 0.5);
    equal(job.picture[0].score, 0.3);
    equal(job.picture[1].score, 0.25);
    job_release(&job);
}

static void fields_without_a_size_that_can_be_are_refused(void **state) {
    static const char *const sizes[] = {"0", "ax2", "3x", "x3", "2x3y", "1x2x3x4x5", "3 4"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(text, sizeof text, "[data]\nfields = age, mask %s\n", sizes[i]);
        refused(text, ":2:10: fields: found '");
        refused(text, "expected a size as in mask 256x256");
    }
    refused("[data]\nfields = a, b, c, d, e, f, g, h, i\n", "fields: more than 8");
}

static void several_steps_stay_in_the_order_of_the_file(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[step late]\nloss = a\ntrain = a\noptimizer = sgd(lr=1)\n"
                    "[step early]\nloss = b\ntrain = b\noptimizer = adam(lr=1)\n");
    assert_int_equal(job.n_steps, 2);
    assert_string_equal(job.step[0].name, "late");
    assert_string_equal(job.step[1].name, "early");
    assert_string_equal(job.step[1].optimizer.word->name, "adam");
    job_release(&job);
}

static void the_cache_may_be_as_large_as_the_host(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[data]\ncache = host\n");
    assert_true(job.cache_bytes == INT64_MAX);
    job_release(&job);
    read_text(&job, "[data]\ncache = 512KiB\n");
    assert_true(job.cache_bytes == 1 << 19);
    job_release(&job);
}

static void a_signal_has_one_meaning(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=1)\n");
    expect_signals(job.stop_signals, "USR1 TERM INT HUP");
    expect_signals(job.save_signals, "USR2");
    job_release(&job);
    read_text(&job, "[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=1)\n"
                    "[checkpoint]\nsignals = USR2\nsave_on = none\n");
    expect_signals(job.stop_signals, "USR2");
    expect_signals(job.save_signals, "");
    job_release(&job);
    refused("[checkpoint]\nsignals = TERM KILL\n",
            ":2:11: signals: found 'KILL', expected some of USR1 USR2 TERM INT HUP XCPU, or none");
    refused("[checkpoint]\nsignals = TERM none\n", "found 'none'");
    refused("[checkpoint]\nsave_on = HUP\n",
            ":2:11: HUP is among signals (as by default) and in save_on (HUP)");
    refused("[checkpoint]\nsignals = USR1 USR2\n",
            ":2:11: USR2 is among signals (USR1 USR2) and in save_on (as by default)");
}

static void never_is_an_interval(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[checkpoint]\nlast = never\n[validate]\nevery = never\n");
    assert_true(job.save_last.steps == 0 && !(job.save_last.epochs > 0));
    assert_true(job.validate_every.steps == 0 && !(job.validate_every.epochs > 0));
    job_release(&job);
}

static void numbers_out_of_range_are_refused(void **state) {
    (void)state;
    refused("[data]\nbatch = 0\n", ":2:9: batch is 0, expected a whole number from 1");
    refused("[data]\nbatch = 2.5\n", ":2:9: batch is 2.5, expected a whole number");
    refused("[data]\nbatch = \"many\"\n", ":2:9: batch: found a string, expected a number");
    refused("[data]\nworkers = 0\n", "workers is 0, expected a whole number from 1 to 1024");
    refused("[data]\nworkers = many\n", "many");
    refused("[data]\ndecode = fast\n", "decode: found 'fast', expected exact or reduced");
    refused("[data]\ncache = -1\n", "cache is -1, expected a number from 0");
    refused("[data]\ncache = hosts\n", ":2:9: found 'hosts', expected a number");
    refused("[job]\nepochs = -1\n",
            "epochs is -1, expected a number above 0 and at most 1000000000");
    refused("[job]\nepochs = 0\n", "epochs is 0, expected a number above 0");
    refused("[step]\nloss = a\ntrain = a\noptimizer = lars(lr=1, trust=0)\n",
            "lars: trust is 0, expected above 0");
    refused("[step]\nloss = a\ntrain = a\noptimizer = adam(lr=1, beta1=1)\n",
            "adam: beta1 is 1, expected at least 0 and below 1");
    refused("[job]\nsteps = 0\n", "steps is 0, expected a whole number from 1");
    refused("[job]\nseed = -1\n", "seed is -1, expected a whole number from 0");
    refused("[job]\nthreads = 2000\n", "threads is 2000, expected a whole number from 1 to 1024");
    refused("[dist]\nbucket = 0\n", "bucket is 0, expected a number from 0.001");
    refused("[log]\nevery = 0\n", "every is 0, expected a whole number from 1");
    refused("[job]\nepochs = 1/0\n", "division by zero");
}

static void orders_of_samples_are_checked(void **state) {
    struct job job;
    struct shard order = {0};

    (void)state;
    read_text(&job, "[data]\nbatch = 2\n");
    shuffle_plan(&job.shuffle, &order);
    assert_int_equal(order.shuffle, SHARD_FULL);
    job_release(&job);
    read_text(&job, "[data]\nshuffle = none\n");
    shuffle_plan(&job.shuffle, &order);
    assert_int_equal(order.shuffle, SHARD_STORED);
    job_release(&job);
    refused("[data]\nshuffle = blocks(4)\n", "did you mean 'block'?");
    refused("[data]\nshuffle = block\n", ":2:11: ");
    refused("[data]\nshuffle = block(0)\n", "size is 0, expected 1 to");
    refused("[data]\nsampling = balanced\nshuffle = block(4)\n",
            ":3:11: shuffle: sampling = balanced draws the samples of each class from the whole "
            "dataset, which is not the order block; expected full");
}

static void intervals_without_a_unit_are_refused(void **state) {
    (void)state;
    refused("[checkpoint]\nlast = 5\n", "last: found '5', expected epochs or whole steps");
    refused("[checkpoint]\nlast = often\n", "last: found 'often', expected an interval");
    refused("[checkpoint]\nlast = 0 steps\n", "last: found '0 steps', expected an interval");
    refused("[checkpoint]\nlast = 1.5 steps\n", "expected epochs or whole steps");
    refused("[validate]\nevery = 2 hours\n", "every: found '2 hours', expected epochs");
    refused("[checkpoint]\nbest = maybe\n", "best: found 'maybe', expected false or true");
    refused("[validate]\non = rank1\n", "on: found 'rank1', expected all or rank0");
}

static void sections_and_keys_must_be_known(void **state) {
    (void)state;
    refused("[jbo]\n", ":1:1: unknown section [jbo]; did you mean [job]?");
    refused("[job]\nepoch = 3\n", ":2:1: [job] has no key 'epoch'; did you mean 'epochs'?");
    refused("[job]\nfrobnicate = 3\n", ":2:1: [job] has no key 'frobnicate'");
    refused("[job mine]\n", "[job] takes no name");
    refused("[validate]\npatince = 3\n",
            "[validate] has no key 'patince'; did you mean 'patience'");
    refused("[step]\nevrey = 2\n", "[step] has no key 'evrey'; did you mean 'every'?");
    refused("[job]\nname = a/b\n", "name: found 'a/b', expected a folder's name");
    refused("[job]\nname = ..\n", "name: found '..', expected a folder's name");
}

/* A default is what somebody could have written; written out, it changes nothing. */
static void defaults_can_be_written_out(void **state) {
    const struct job_section *s;
    char text[8192] = "";
    size_t used = 0;
    int n = 0;

    (void)state;
    for (int i = 0; (s = job_section_at(i)); i++) {
        if (!s->keys || s->named != JOB_NO_NAME)
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "[%s]\n", s->kind);
        for (const struct key *k = s->keys; k->name; k++)
            if (k->fallback) {
                used += (size_t)snprintf(text + used, sizeof text - used, "%s = %s\n", k->name,
                                         k->fallback);
                n++;
            }
    }
    assert_true(n > 10 && used < sizeof text);
    has_defaults(text);
}

/* A key of a section that may stand often is its struct's own. */
static void defaults_of_sections_do_not_mix(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[step a]\nloss = 0\ntrain = a\noptimizer = sgd(lr=1)\nevery = 2\nema = 0.5\n"
                    "[step b]\nloss = 0\ntrain = b\noptimizer = sgd(lr=1)\n");
    assert_true(job.step[0].every == 2 && job.step[1].every == 1);
    equal(job.step[0].ema, 0.5);
    equal(job.step[1].ema, 0);
    assert_string_equal(job.step_keys[0], "train"); /* loss is a statement */
    job_release(&job);
}

/* A statement may be called as it likes, as long as it is no number. */
static void statements_with_names_like_keys_are_fine(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[validate]\ntest = mse(image, 0)\nbests = 10 * test\nbest = bests\n");
    assert_string_equal(job.best, "bests");
    job_release(&job);
}

static void steps_without_their_parts_are_refused(void **state) {
    (void)state;
    refused("[step]\nloss = a\noptimizer = sgd(lr=1)\n", ":1:1: [step] has no key train");
    refused("[step one]\nloss = a\ntrain = a\n", ":1:1: [step one] has no optimizer");
    refused("[step]\ntrain = a\noptimizer = sgd(lr=1)\n", "[step] has no statement 'loss'");
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd\n",
            ":4:13: sgd: lr is missing: learning rate");
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=1) | adam(lr=1)\n",
            ":4:25: found adam behind a bar, expected one optimizer alone");
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd()\n", "sgd: lr is missing");
    refused("[step]\nloss = a\ntrain = a\noptimizer = 3\n", "optimizer: expected one as in sgd");
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=1)\nclip_norm = 0\n",
            "clip_norm is 0, expected a number above 0 and at most 1e+30");
}

static void pipelines_begin_with_the_image(void **state) {
    (void)state;
    refused("[data]\naugment = random_flip\n", "random_flip: expected `image` at the start");
    refused("[data]\naugment = random_flip(0.5) | normalize\n", "expected `image` at the start");
    refused("[data]\naugment = 3\n", "augment: expected a pipeline");
    refused("[data]\naugment = image | adam(lr=1)\n", "found 'adam', expected the name of a known "
                                                      "augmentation");
    refused("[data]\nimage = [32, 32]\n", "image: expected [height, width, channels]");
    refused("[data]\nimage = 32, 32\n", "image: expected [height, width, channels]");
    refused("[data]\nimage = 32x32x3\n", "image: expected [height, width, channels], as in [32");
    refused("[data]\nimage = [32, 32, 0]\n", "image: expected whole numbers of at least 1");
}

static void measures_that_nobody_makes_are_refused(void **state) {
    (void)state;
    refused("[validate]\ntop1 = accuracy(a, label)\nbest = top2\n",
            ":3:8: best: [validate] has no statement 'top2'; did you mean 'top1'?");
    refused("[validate]\ntop1 = accuracy(a, label)\npatience = 3\n",
            "patience needs a key best, which says what is to improve");
}

/* What help calls the default can be written, and undoes what an included file says. */
static void none_is_as_if_a_key_were_not_there(void **state) {
    static const char *const sets[] = {"step.ema=none", "step.clip_norm=none"};
    struct err err = {0};
    struct job job;

    (void)state;
    const char *path = write_text("[step]\nloss = l1(a, b)\ntrain = m\noptimizer = sgd(0.1)\n"
                                  "ema = 0.9\nclip_norm = 1\n");
    if (job_read(&job, path, sets, 2, &err))
        fail_msg("%s", err.msg);
    assert_true(job.step[0].ema <= 0 && job.step[0].clip_norm <= 0);
    job_release(&job);
}

static void bytes_are_taken_where_they_mean_something(void **state) {
    struct err err = {0};
    struct job job;

    (void)state;
    if (job_read(&job, write_text("[dist]\nbucket = 512KiB\n"), NULL, 0, &err))
        fail_msg("%s", err.msg);
    assert_true(job.bucket_bytes == 1 << 19);
    job_release(&job);
    refused("[data]\nbatch = 1KiB\n", "batch: found '1KiB', expected a number without a unit");
}

static void a_reproducible_reduction_has_shards(void **state) {
    struct job job;

    (void)state;
    read_text(&job, "[job]\n");
    assert_true(!job.reproducible && job.shards == 0);
    job_release(&job);
    read_text(&job, "[dist]\nreduction = reproducible\n");
    assert_true(job.reproducible && job.shards == 8);
    assert_string_equal(job.allreduce.word->name, "fold");
    job_release(&job);
    read_text(&job, "[dist]\nreduction = reproducible\nshards = 6\nallreduce = fold\n");
    assert_int_equal(job.shards, 6);
    job_release(&job);
    read_text(&job, "[dist]\nreduction = fast\nshards = 6\n"); /* as --set makes of the last */
    assert_true(!job.reproducible && job.shards == 0);
    assert_string_equal(job.allreduce.word->name, "host");
    job_release(&job);
    refused("[dist]\nshards = 6\n", "shards is 6, and reduction is not said, which is fast");
    refused("[dist]\nreduction = reproducible\nallreduce = ring\n",
            "allreduce: ring adds in an order that depends on the ranks");
    refused("[data]\naccumulate = 2\n[dist]\nreduction = reproducible\n",
            "accumulate is 2, and reduction = reproducible cuts a batch into shards");
    refused("[dist]\nreduction = exact\n", "expected fast or reproducible");
    refused("[dist]\nreduction = reproducible\nshards = 0\n",
            "shards is 0, expected a whole number from 1 to 4096");
}

static void sets_come_after_the_file(void **state) {
    static const char *const sets[] = {"data.batch=96", "epochs=4", "lr=0.5", "log.every=2"};
    struct err err = {0};
    struct job job;

    (void)state;
    const char *path = write_text("[job]\nepochs = 2\n[let]\nlr = 0.1\n[data]\nbatch = 32\n");
    if (job_read(&job, path, sets, 4, &err))
        fail_msg("%s", err.msg);
    equal(job.epochs, 4);
    assert_true(job.batch == 96 && job.log_every == 2);
    job_release(&job);
}

/* The rate of a job whose [data] has that line. */
static void has_rate(const char *data, const char *optimizer, double expected) {
    const struct schedule_time t = {.epoch = 0, .step = 0.1, .epochs = 10};
    char text[256];
    struct job job;

    snprintf(text, sizeof text, "[step]\nloss = a\ntrain = a\noptimizer = %s\n[data]\n%s",
             optimizer, data);
    read_text(&job, text);
    equal(schedule_at(optim_schedule(&job.step[0].optimizer, "lr"), &t), expected);
    job_release(&job);
}

static void rates_scale_with_the_batch_where_they_say_so(void **state) {
    (void)state;
    has_rate("batch = 1024", "sgd(lr=scaled(0.1))", 0.4);
    has_rate("batch = 1024", "sgd(scaled(0.1, per=128))", 0.8);
    has_rate("batch = 64", "adam(lr=constant(scaled(0.1, 32)))", 0.2);
    has_rate("", "sgd(lr=2 * scaled(0.1))", 0.1); /* batch 128 */
    has_rate("batch = 1024", "sgd(lr=0.1)", 0.1);
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=scaled())\n",
            "scaled: value is missing");
    refused("[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=scaled(1, per=0))\n",
            "scaled: per is 0, expected at least 1");
    refused("[step]\nloss = a\ntrain = a\noptimizer = scaled(1)\n",
            "optimizer: expected one as in");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_scale_with_the_batch_where_they_say_so),
        cmocka_unit_test(an_empty_job_has_the_defaults_of_the_key_table),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(a_reproducible_reduction_has_shards),
        cmocka_unit_test(none_is_as_if_a_key_were_not_there),
        cmocka_unit_test(bytes_are_taken_where_they_mean_something),
        cmocka_unit_test(keys_of_parts_and_pictures_are_read),
        cmocka_unit_test(fields_without_a_size_that_can_be_are_refused),
        cmocka_unit_test(several_steps_stay_in_the_order_of_the_file),
        cmocka_unit_test(the_cache_may_be_as_large_as_the_host),
        cmocka_unit_test(a_signal_has_one_meaning),
        cmocka_unit_test(never_is_an_interval),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(orders_of_samples_are_checked),
        cmocka_unit_test(intervals_without_a_unit_are_refused),
        cmocka_unit_test(sections_and_keys_must_be_known),
        cmocka_unit_test(defaults_can_be_written_out),
        cmocka_unit_test(defaults_of_sections_do_not_mix),
        cmocka_unit_test(statements_with_names_like_keys_are_fine),
        cmocka_unit_test(steps_without_their_parts_are_refused),
        cmocka_unit_test(pipelines_begin_with_the_image),
        cmocka_unit_test(measures_that_nobody_makes_are_refused),
        cmocka_unit_test(sets_come_after_the_file),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
