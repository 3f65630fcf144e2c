/* Updates that follow the sums as they arrive, some of them in the next forward, change no bit:
 * against steps that wait for all of them, for whatever reads weights in between. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* Many buckets, the first of a net no smaller than the others. */
#define BUCKETS "--set dist.bucket=0.004 "

/* On 1 to 4 ranks, in a ring or in shared memory, of one host or of two. */
static void same_bits(const char *job) {
    for (int ranks = 1; ranks <= 4; ranks++) {
        for (int on = 0; on < 2; on++)
            program_expect(0, NULL,
                           "DLTRAIN_HOSTS=%d $MPIRUN -np %d $DLTRAIN %s " BUCKETS
                           "--set threads=1 --set dist.allreduce=%s --set dist.overlap=%s "
                           "--set name=%s",
                           ranks > 2 ? 2 : 1, ranks, job, ranks % 2 ? "ring" : "host",
                           on ? "on" : "off", on ? "on" : "off");
        program_expect(0, NULL, "$SAME runs/on/last.h5 runs/off/last.h5");
    }
}

/* Batches of 25 and 15 are shared unevenly; running statistics; an average; validations, pages of
 * the log and audits in between. */
static void a_net_trains_alike(void **state) {
    (void)state;
    program_write(
        "plain.ini",
        "[job]\ninclude = %s/classify.ini\nmodel = m\nsteps = 14\n"
        "[let]\nlr = 0.05\n"
        "[net m(image)]\n"
        "a = image | conv(8, 3, stride=2) | bn | relu | conv(16, 3, stride=2) | bn | relu\n"
        "fc = a | maxpool(2) | flatten | dropout(0.3) | linear(10)\n"
        "[step]\nema = 0.9\n"
        "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 25\n"
        "[validate]\nevery = 5 steps\n[dist]\naudit = 4\n",
        DLTRAIN_CONFIGS);
    same_bits("plain.ini");
}

static void batches_in_parts_and_ranks_without_samples_train_alike(void **state) {
    (void)state;
    program_write_job("parts.ini", 10, "[step]\nclip_value = 0.01\n");
    same_bits("parts.ini --set data.accumulate=3");
    same_bits("parts.ini --set data.batch=3");
}

static void updates_that_need_all_gradients_train_alike(void **state) {
    (void)state;
    program_write_job("clip.ini", 8, "[step]\nclip_norm = 0.1\n");
    same_bits("clip.ini");
    program_write_job("lars.ini", 8, "[step]\noptimizer = lars(lr=0.5)\n");
    same_bits("lars.ini");
}

static const char gan[] =
    "[job]\nsteps = 8\n"
    "[net generator(z)]\n"
    "g = z | linear(128) | bn | relu | linear(3072) | tanh | reshape([32, 32, 3])\n"
    "[net discriminator(image)]\n"
    "d = image | flatten | linear(32, spectral=true) | leaky_relu(0.2) | linear(1)\n"
    "[data]\ntrain = shapes.h5:train\naugment = image | normalize\nbatch = 25\n";

/* One of them reads what the other has just updated, or rests. */
static void nets_that_read_each_other_train_alike(void **state) {
    (void)state;
    program_write("gan.ini",
                  "%s[step discriminator]\n"
                  "fake = generator(noise(100))\n"
                  "loss = bce(discriminator(image), 0.9) + bce(discriminator(detach(fake)), 0)\n"
                  "train = discriminator\noptimizer = adam(lr=2e-3, beta1=0.5)\n"
                  "[step generator]\nevery = 2\n"
                  "loss = bce(discriminator(generator(noise(100))), 1)\n"
                  "train = generator\noptimizer = adam(lr=2e-3, beta1=0.5)\n",
                  gan);
    same_bits("gan.ini");
}

/* Their gradients are one span, which is summed twice a step. */
static void steps_that_train_one_net_train_alike(void **state) {
    (void)state;
    program_write("both.ini",
                  "%s[step first]\n"
                  "loss = bce(discriminator(image), 1) + 0.5 * bce(discriminator(-image), 0)\n"
                  "train = discriminator\noptimizer = sgd(lr=0.01, momentum=0.9)\n"
                  "[step second]\n"
                  "loss = bce(discriminator(generator(noise(100))), 1)\n"
                  "train = generator, discriminator\noptimizer = adam(lr=1e-3)\n",
                  gan);
    same_bits("both.ini");
}

/* It moves messages between hosts while operators compute. */
static void a_thread_of_its_own_changes_no_bit(void **state) {
    static const char *const ways[] = {"ring", "host"};

    (void)state;
    program_write("thread.ini",
                  "%s[step discriminator]\n"
                  "loss = bce(discriminator(image), 0.9) +\n"
                  "       bce(discriminator(detach(generator(noise(100)))), 0)\n"
                  "train = discriminator\noptimizer = adam(lr=2e-3, beta1=0.5)\n"
                  "[step generator]\n"
                  "loss = bce(discriminator(generator(noise(100))), 1)\n"
                  "train = generator\noptimizer = adam(lr=2e-3, beta1=0.5)\nclip_norm = 1\n",
                  gan);
    for (int i = 0; i < 2; i++) {
        static const char *const movers[] = {"operators", "thread"};
        for (int m = 0; m < 2; m++)
            program_expect(0, NULL,
                           "DLTRAIN_HOSTS=2 $MPIRUN -np 3 $DLTRAIN thread.ini " BUCKETS
                           "--set threads=1 --set dist.allreduce=%s --set dist.progress=%s "
                           "--set name=%s",
                           ways[i], movers[m], movers[m]);
        program_expect(0, NULL, "$SAME runs/operators/last.h5 runs/thread/last.h5");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_trains_alike),
        cmocka_unit_test(batches_in_parts_and_ranks_without_samples_train_alike),
        cmocka_unit_test(updates_that_need_all_gradients_train_alike),
        cmocka_unit_test(nets_that_read_each_other_train_alike),
        cmocka_unit_test(steps_that_train_one_net_train_alike),
        cmocka_unit_test(a_thread_of_its_own_changes_no_bit),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
