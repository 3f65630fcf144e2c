/* Batch norm over one value is refused before the first step, whatever ranks and parts leave it. */
#include "train/job_text.h"
#include "train/replica_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NET "[net n(image)]\n"

/* A job of that network, cut that way. */
struct setting {
    const char *net; /* behind what else the step says */
    int64_t samples;
    int ranks, accumulate, on_host; /* on_host: ranks of each host */
};

struct pretended {
    struct ranks all, host;
};

static const struct ranks *host_of(const struct ranks *all, struct ranks_group group) {
    (void)group;
    return &((struct pretended *)all->context)->host;
}

/* What rank `rank` of them says; "" where it says nothing. */
static void ask(const struct setting *s, int rank, struct err *err) {
    const struct field fields[] = {{.name = "image", .sample = {3, {1, 2, 4}}}};
    struct pretended p = {.all = {.rank = rank, .size = s->ranks, .group = host_of, .context = &p},
                          .host = {.rank = rank % s->on_host, .size = s->on_host}};
    char text[1024];
    struct replica replica = {0};
    struct job job = {0};

    snprintf(text, sizeof text,
             "[data]\nbatch = %d\naccumulate = %d\n[step]\nloss = mse(n(image), 1)\ntrain = n\n"
             "optimizer = sgd(lr=0.1)\n%s\n",
             (int)s->samples, s->accumulate, s->net);
    if (job_of_text(&job, text, err))
        fail_msg("%s", err->msg);
    const int64_t share = (s->samples + s->ranks - 1) / s->ranks;
    const struct replica_config config = {.job = &job,
                                          .fields = fields,
                                          .n_fields = 1,
                                          .step_samples = s->samples,
                                          .batch = (share + job.accumulate - 1) / job.accumulate,
                                          .training = true,
                                          .threads = 1,
                                          .ranks = &p.all};
    if (replica_init(&replica, &config, err))
        fail_msg("%s", err->msg);
    (void)replica_check_values(&replica.step[0], &config, err);
    replica_release(&replica);
    job_release(&job);
}

/* Ranks for which it is refused, as a mask. */
static unsigned refusals(struct setting s) {
    unsigned mask = 0;

    for (int rank = 0; rank < s.ranks; rank++) {
        struct err err = {0};
        ask(&s, rank, &err);
        mask |= (err.msg[0] ? 1u : 0) << rank;
    }
    return mask;
}

static const char alone[] = NET "y = image | flatten | linear(2) | bn";
static const char chain[] = NET "h = image | flatten | linear(4) | bn | relu\ny = h | linear(2)";
static const char all[] = NET "y = image | flatten | linear(2) | bn(sync=all)";
static const char host[] = NET "y = image | flatten | linear(2) | bn(sync=host)";
static const char pairs[] = NET "y = image | flatten | linear(2) | bn(sync=2)";

static void one_sample_at_a_time_is_refused(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){alone, 1, 1, 1, 1}), 1);
    assert_int_equal(refusals((struct setting){chain, 1, 1, 1, 1}), 1);
    assert_int_equal(refusals((struct setting){alone, 2, 1, 1, 1}), 0);
    assert_int_equal(refusals((struct setting){alone, 20, 1, 20, 1}), 1);
    assert_int_equal(refusals((struct setting){alone, 20, 1, 10, 1}), 0);
}

/* 7 in 3 parts are 3, 3 and 1. */
static void the_last_part_of_a_step_counts(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){alone, 7, 1, 3, 1}), 1);
    assert_int_equal(refusals((struct setting){alone, 8, 1, 3, 1}), 0);
}

static void every_rank_sees_that_one_has_a_single_sample(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){alone, 2, 2, 1, 2}), 3);
    assert_int_equal(refusals((struct setting){alone, 3, 2, 1, 2}), 3);
    assert_int_equal(refusals((struct setting){alone, 4, 2, 1, 2}), 0);
    assert_int_equal(refusals((struct setting){alone, 7, 4, 1, 4}), 15);
    assert_int_equal(refusals((struct setting){alone, 8, 4, 1, 4}), 0);
}

/* 13 samples on two ranks are 6 and 7, in parts of 3: 3 and 3, 3 and 3, none and 1. */
static void samples_of_ranks_that_talk_are_counted_together(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){all, 2, 2, 1, 2}), 0);
    assert_int_equal(refusals((struct setting){all, 1, 2, 1, 2}), 3);
    assert_int_equal(refusals((struct setting){all, 4, 4, 1, 4}), 0);
    assert_int_equal(refusals((struct setting){all, 13, 2, 3, 2}), 3);
    assert_int_equal(refusals((struct setting){all, 14, 2, 2, 2}), 0);
    assert_int_equal(refusals((struct setting){pairs, 4, 4, 1, 4}), 0);
    assert_int_equal(refusals((struct setting){pairs, 3, 4, 1, 4}), 15);
}

/* Of 4 ranks with 3 samples the first has none. */
static void ranks_of_a_host_know_their_own(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){host, 4, 4, 1, 2}), 0);
    assert_int_equal(refusals((struct setting){host, 4, 4, 1, 1}), 15);
    assert_int_equal(refusals((struct setting){host, 3, 4, 1, 2}), 3);
    assert_int_equal(refusals((struct setting){host, 2, 2, 1, 2}), 0);
}

static void pixels_count_and_frozen_parts_do_not(void **state) {
    (void)state;
    assert_int_equal(refusals((struct setting){
                         NET "h = image | conv(2) | bn\ny = h | flatten | linear(2)", 1, 1, 1, 1}),
                     0);
    assert_int_equal(refusals((struct setting){NET "unused = image | flatten | linear(2) | bn\n"
                                                   "y = image | flatten | linear(2)",
                                               1, 1, 1, 1}),
                     0);
    assert_int_equal(
        refusals((struct setting){"freeze = n.bn1\n" NET
                                  "bn = image | flatten | linear(2) | bn\ny = bn | linear(2)",
                                  1, 1, 1, 1}),
        0);
}

static void the_message_names_the_place_and_the_numbers(void **state) {
    struct err err = {0};

    (void)state;
    ask(&(struct setting){chain, 7, 2, 2, 2}, 0, &err);
    assert_non_null(strstr(
        err.msg, ":9:35: batch norm would be over 1 value a channel, which normalised is always 0; "
                 "expected at least 2: a step of 7 samples over 2 ranks is computed at most 2 at a "
                 "time, and at some time 1; a larger batch, a smaller accumulate, sync=all or "
                 "group_norm mends that"));
    assert_int_equal(err.kind, ERR_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sample_at_a_time_is_refused),
        cmocka_unit_test(the_last_part_of_a_step_counts),
        cmocka_unit_test(every_rank_sees_that_one_has_a_single_sample),
        cmocka_unit_test(samples_of_ranks_that_talk_are_counted_together),
        cmocka_unit_test(ranks_of_a_host_know_their_own),
        cmocka_unit_test(pixels_count_and_frozen_parts_do_not),
        cmocka_unit_test(the_message_names_the_place_and_the_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
