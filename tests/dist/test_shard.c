#include "dist/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct shard new_shard(int64_t n, int64_t batch, uint64_t seed, bool shuffle, bool drop) {
    const struct shard plan = {
        .n_samples = n, .batch = batch, .seed = seed, .shuffle = shuffle, .drop_last = drop};
    struct shard s;
    struct err err = {0};

    if (shard_init(&s, &plan, &err))
        fail_msg("%s", err.msg);
    return s;
}

/* The order of an epoch as `size` ranks go through it: all steps, all ranks; its length. */
static int64_t walk(struct shard *s, int64_t epoch, int size, int64_t *order) {
    int64_t total = 0;

    for (int64_t step = 0; step < shard_steps(s); step++) {
        int64_t in_step = 0;
        for (int rank = 0; rank < size; rank++) {
            const int64_t *samples;
            int64_t n, first;
            shard_part(s, epoch, step, rank, size, &samples, &n, &first);
            assert_int_equal(first, in_step);
            memcpy(order + total, samples, (size_t)n * sizeof *order);
            in_step += n;
            total += n;
        }
        assert_int_equal(in_step, shard_batch_len(s, step));
    }
    return total;
}

static void every_epoch_visits_every_sample_once(void **state) {
    (void)state;
    const int64_t sizes[][2] = {{1, 1}, {1, 8}, {10, 3}, {12, 4}, {1003, 64}, {64, 100}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int ranks = 1; ranks <= 9; ranks++)
            for (int64_t epoch = 0; epoch < 3; epoch++) {
                const int64_t n = sizes[i][0];
                struct shard s = new_shard(n, sizes[i][1], 5, true, false);
                int64_t order[1003];
                bool seen[1003] = {false};
                assert_int_equal(walk(&s, epoch, ranks, order), n);
                for (int64_t k = 0; k < n; k++) {
                    assert_in_range(order[k], 0, n - 1);
                    assert_false(seen[order[k]]);
                    seen[order[k]] = true;
                }
                shard_release(&s);
            }
}

static void the_order_does_not_depend_on_the_number_of_ranks(void **state) {
    (void)state;
    struct shard s = new_shard(1003, 64, 5, true, false);
    int64_t alone[1003], together[1003];

    for (int64_t epoch = 0; epoch < 3; epoch++)
        for (int ranks = 2; ranks <= 70; ranks++) { /* 70 > batch: some ranks are empty */
            walk(&s, epoch, 1, alone);
            walk(&s, epoch, ranks, together);
            assert_memory_equal(alone, together, sizeof alone);
        }
    shard_release(&s);
}

/* Shares are whole shards: a shard is on one rank, with the same samples whatever the number. */
static void shards_do_not_depend_on_the_number_of_ranks(void **state) {
    (void)state;
    struct shard s = new_shard(1003, 64, 5, true, false);

    for (s.shards = 1; s.shards <= 70; s.shards += 3) /* 70 > batch: some shards are empty */
        for (int64_t step = 0; step < shard_steps(&s); step += 15) {
            const int64_t len = shard_batch_len(&s, step);
            int64_t shard = 0, at = 0;
            for (int size = 1; size <= s.shards && size < 9; size++, shard = at = 0) {
                for (int rank = 0; rank < size; rank++) {
                    const struct shard_range own = shard_of_rank(s.shards, rank, size);
                    const int64_t *samples;
                    int64_t n, first, in_shards = 0;
                    shard_part(&s, 0, step, rank, size, &samples, &n, &first);
                    assert_int_equal(first, at);
                    assert_int_equal(own.first, shard);
                    for (int64_t k = 0; k < own.n; k++, shard++) {
                        const struct shard_range cut = shard_cut(len, s.shards, (int)shard);
                        assert_int_equal(cut.first, at + in_shards);
                        in_shards += cut.n;
                    }
                    assert_int_equal(n, in_shards);
                    at += n;
                }
                assert_int_equal(shard, s.shards);
                assert_int_equal(at, len);
            }
        }
    shard_release(&s);
}

static void epochs_and_seeds_differ_and_return(void **state) {
    (void)state;
    struct shard s = new_shard(100, 10, 1, true, false);
    struct shard other = new_shard(100, 10, 2, true, false);
    int64_t first[100], second[100], again[100], seed2[100];

    walk(&s, 0, 1, first);
    walk(&s, 1, 1, second);
    walk(&s, 0, 1, again);
    walk(&other, 0, 1, seed2);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, seed2, sizeof first);
    shard_release(&s);
    shard_release(&other);
}

/* Over many epochs each sample is first about equally often: 6000 / 6 = 1000, and the standard
 * deviation is sqrt(6000 * 1/6 * 5/6) = 28.9; the draws are fixed, so this cannot flicker. */
static void every_sample_may_be_anywhere(void **state) {
    (void)state;
    struct shard s = new_shard(6, 6, 9, true, false);
    int count[6][6] = {{0}};

    for (int64_t epoch = 0; epoch < 6000; epoch++) {
        int64_t order[6];
        walk(&s, epoch, 1, order);
        for (int i = 0; i < 6; i++)
            count[i][order[i]]++;
    }
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            assert_in_range(count[i][j], 1000 - 5 * 29, 1000 + 5 * 29);
    shard_release(&s);
}

static void without_shuffling_samples_come_as_stored(void **state) {
    (void)state;
    struct shard s = new_shard(10, 4, 5, false, false);
    const int64_t *samples;
    int64_t n, first;

    assert_int_equal(shard_steps(&s), 3);
    shard_part(&s, 7, 1, 1, 2, &samples, &n, &first); /* 4 5 | 6 7 */
    assert_int_equal(n, 2);
    assert_int_equal(first, 2);
    assert_int_equal(samples[0], 6);
    assert_int_equal(samples[1], 7);
    shard_part(&s, 7, 2, 2, 3, &samples, &n, &first); /* of 8 9: none | 8 | 9 */
    assert_int_equal(n, 1);
    assert_int_equal(first, 1);
    assert_int_equal(samples[0], 9);
    shard_part(&s, 7, 2, 0, 3, &samples, &n, &first);
    assert_int_equal(n, 0);
    shard_release(&s);
}

static void the_tail_is_kept_or_left_out(void **state) {
    (void)state;
    struct shard kept = new_shard(10, 4, 5, true, false), left = new_shard(10, 4, 5, true, true);
    struct shard even = new_shard(12, 4, 5, true, true);
    int64_t order[12];

    assert_int_equal(shard_steps(&kept), 3);
    assert_int_equal(shard_batch_len(&kept, 2), 2);
    assert_int_equal(shard_steps(&left), 2);
    assert_int_equal(walk(&left, 0, 3, order), 8);
    assert_int_equal(shard_steps(&even), 3);
    assert_int_equal(walk(&even, 0, 5, order), 12);
    shard_release(&kept);
    shard_release(&left);
    shard_release(&even);
}

static void parts_differ_by_one_sample_at_most(void **state) {
    (void)state;
    struct shard s = new_shard(1000, 130, 5, true, false);

    for (int ranks = 1; ranks <= 40; ranks++)
        for (int64_t step = 0; step < shard_steps(&s); step++)
            for (int rank = 0; rank < ranks; rank++) {
                const int64_t *samples, len = shard_batch_len(&s, step);
                int64_t n, first;
                shard_part(&s, 0, step, rank, ranks, &samples, &n, &first);
                assert_in_range(n, len / ranks, (len + ranks - 1) / ranks);
            }
    shard_release(&s);
}

static void refused(int64_t n, int64_t batch, bool drop_last, const char *msg) {
    const struct shard plan = {.n_samples = n, .batch = batch, .drop_last = drop_last};
    struct shard s = {0};
    struct err err = {0};

    assert_int_equal(shard_init(&s, &plan, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.msg, msg);
    shard_release(&s);
}

static void nothing_to_share_is_refused(void **state) {
    (void)state;
    refused(0, 10, false, "there are no samples to share out");
    refused(10, 0, false, "a batch has at least 1 sample, not 0");
    refused(10, 11, true,
            "a batch of 11 is never full with 10 samples, and the last batch is to be left out "
            "when it is not full");
}

static struct shard new_blocks(int64_t n, int64_t batch, int64_t block, int64_t window) {
    const struct shard plan = {.n_samples = n,
                               .batch = batch,
                               .seed = 5,
                               .shuffle = SHARD_BLOCKS,
                               .block = block,
                               .window = window};
    struct shard s;
    struct err err = {0};

    if (shard_init(&s, &plan, &err))
        fail_msg("%s", err.msg);
    return s;
}

/* Samples, batch, block, window: blocks and windows that end in the middle, in one sample, or hold
 * everything; batches that end where no window does. */
static const int64_t cuts[][4] = {{1003, 64, 10, 7},   {1003, 64, 1, 5},    {1003, 64, 1003, 0},
                                  {1003, 64, 5000, 2}, {1003, 200, 501, 1}, {1003, 7, 334, 2},
                                  {1003, 64, 100, 0},  {8, 3, 4, 1},        {1, 1, 1, 1}};

static void blocks_visit_every_sample_once_for_any_number_of_ranks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct shard s = new_blocks(cuts[i][0], cuts[i][1], cuts[i][2], cuts[i][3]);
        struct shard other = new_blocks(cuts[i][0], cuts[i][1], cuts[i][2], cuts[i][3]);
        int64_t alone[1003], together[1003];

        for (int64_t epoch = 0; epoch < 3; epoch++) {
            bool seen[1003] = {false};
            const int64_t n = walk(&s, epoch, 1, alone);

            assert_int_equal(n, cuts[i][0]);
            for (int64_t k = 0; k < n; k++) {
                assert_in_range(alone[k], 0, n - 1);
                assert_false(seen[alone[k]]);
                seen[alone[k]] = true;
            }
            walk(&other, epoch, 3, together);
            assert_memory_equal(alone, together, (size_t)n * sizeof *alone);
        }
        shard_release(&s);
        shard_release(&other);
    }
}

/* 100 blocks of 10 and one of 3, 8 of which fill a window: 80 samples, two steps of 40. */
static void a_window_is_a_few_blocks_in_a_new_order_each_epoch(void **state) {
    (void)state;
    struct shard s = new_blocks(1003, 40, 10, 8);
    int64_t order[1003], before[1003];

    for (int64_t epoch = 0; epoch < 3; epoch++) {
        walk(&s, epoch, 1, order);
        for (int64_t at = 0; at < 1003; at += 80) {
            bool has[101] = {false};
            int n_blocks = 0;
            for (int64_t k = at; k < at + 80 && k < 1003; k++) {
                n_blocks += !has[order[k] / 10];
                has[order[k] / 10] = true;
            }
            assert_in_range(n_blocks, 1, 9); /* 9: the short one makes the last begin earlier */
        }
        if (epoch)
            assert_memory_not_equal(order, before, sizeof order);
        memcpy(before, order, sizeof order);
    }
    shard_release(&s);
}

/* A rank's samples of a step are of 8 / 4 blocks, give or take one at either end and what chance
 * moves; of the same ones throughout the window, so that each block is read once. */
static void ranks_read_blocks_of_their_own(void **state) {
    (void)state;
    struct shard s = new_blocks(6400, 64, 64, 8); /* windows of 8 steps */
    int64_t n_read = 0;

    for (int64_t window = 0; window < 12; window++)
        for (int rank = 0; rank < 4; rank++) {
            bool has[100] = {false};
            for (int64_t step = 8 * window; step < 8 * window + 8; step++) {
                const int64_t *samples;
                int64_t n, first;
                shard_part(&s, 0, step, rank, 4, &samples, &n, &first);
                assert_int_equal(n, 16);
                for (int64_t k = 0; k < n; k++) {
                    n_read += !has[samples[k] / 64];
                    has[samples[k] / 64] = true;
                    assert_true(!k || samples[k] > samples[k - 1]);
                }
            }
        }
    assert_in_range(n_read, 96, 96 * 2); /* full: 4 * 96 and more */
    shard_release(&s);
}

/* In 6000 epochs of 12 samples in blocks of 2, windows of 3, any sample is about equally often in
 * the first half; as in every_sample_may_be_anywhere. */
static void every_sample_of_blocks_may_be_in_any_window(void **state) {
    (void)state;
    struct shard s = new_blocks(12, 2, 2, 3);
    int64_t order[12];
    int count[12] = {0}, together = 0;

    for (int64_t epoch = 0; epoch < 6000; epoch++) {
        walk(&s, epoch, 1, order);
        for (int i = 0; i < 6; i++)
            count[order[i]]++;
        for (int i = 0; i < 12; i += 2)
            together += order[i] / 2 == order[i + 1] / 2;
    }
    for (int i = 0; i < 12; i++)
        assert_in_range(count[i], 3000 - 5 * 39, 3000 + 5 * 39);
    /* 1 of the 5 others in a window is of the same block: of 36000 pairs 7200, deviation 76. */
    assert_in_range(together, 7200 - 5 * 80, 7200 + 5 * 80);
    shard_release(&s);
}

static void windows_hold_eight_batches_and_eight_blocks(void **state) {
    (void)state;
    assert_int_equal(shard_usual_window(64, 256), 32);
    assert_int_equal(shard_usual_window(100, 64), 8);
    assert_int_equal(shard_usual_window(100, 256), 21);
    assert_int_equal(shard_usual_window(1, INT64_MAX / 16), INT64_MAX / 16 * 8);
}

static void blocks_keep_or_leave_out_the_tail(void **state) {
    (void)state;
    const struct shard plan = {
        .n_samples = 1003, .batch = 64, .shuffle = SHARD_BLOCKS, .block = 10, .drop_last = true};
    struct shard left;
    struct err err = {0};
    int64_t order[1003];

    assert_int_equal(shard_init(&left, &plan, &err), 0);
    assert_int_equal(walk(&left, 0, 3, order), 960);
    shard_release(&left);
}

static void orders_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    const int32_t label[10] = {0};
    const struct shard plans[] = {
        {.n_samples = 10, .batch = 2, .shuffle = SHARD_BLOCKS, .block = 2, .labels = label},
        {.n_samples = 10, .batch = 2, .shuffle = SHARD_BLOCKS, .block = 0},
    };
    struct shard s = {0};
    struct err err = {0};

    assert_int_equal(shard_init(&s, &plans[0], &err), -1);
    assert_string_equal(err.msg,
                        "samples of each class equally often are drawn from everywhere: that is no "
                        "order of blocks, and none as stored");
    assert_int_equal(shard_init(&s, &plans[1], &err), -1);
    assert_string_equal(err.msg, "0 blocks of 0 samples cannot be mixed");
}

/* Behind the last sample of every part comes the next rank's first, behind that of the last rank
 * the step's first: in a last step of few samples, too, and with ranks that have none. */
static void samples_of_a_step_go_round(void **state) {
    (void)state;
    struct shard s = new_shard(1003, 64, 5, true, false);

    for (int64_t step = 0; step < shard_steps(&s); step++) {
        const int64_t *samples, *all, len = shard_batch_len(&s, step);
        int64_t n, first;

        shard_part(&s, 2, step, 0, 1, &all, &n, &first);
        for (int rank = 0; rank < 50; rank++) {
            shard_part(&s, 2, step, rank, 50, &samples, &n, &first);
            assert_int_equal(*shard_at(&s, step, first + n), all[(first + n) % len]);
        }
        assert_int_equal(*shard_at(&s, step, len), all[0]);
    }
    shard_release(&s);
}

/* Of 1003 samples 3 are of class 0, 100 of class 1, none of class 2, the others of class 3. */
static void label_them(int32_t label[1003]) {
    for (int i = 0; i < 1003; i++)
        label[i] = i % 400 == 7 ? 0 : i % 10 == 3 ? 1 : 3;
}

static struct shard new_balanced(const int32_t *label) {
    const struct shard plan = {.n_samples = 1003,
                               .batch = 64,
                               .seed = 5,
                               .shuffle = true,
                               .labels = label,
                               .n_classes = 4};
    struct shard s;
    struct err err = {0};

    if (shard_init(&s, &plan, &err))
        fail_msg("%s", err.msg);
    return s;
}

static void balanced_epochs_have_as_many_of_each_class(void **state) {
    (void)state;
    int32_t label[1003];
    int64_t order[1003];
    int more[4] = {0};

    label_them(label);
    struct shard s = new_balanced(label);
    for (int64_t epoch = 0; epoch < 60; epoch++) {
        int count[4] = {0}, times[1003] = {0}, of_class[4] = {0};

        assert_int_equal(walk(&s, epoch, 3, order), 1003);
        for (int i = 0; i < 1003; i++) {
            count[label[order[i]]]++;
            times[order[i]]++;
        }
        assert_int_equal(count[2], 0);
        for (int c = 0; c < 4; c++) {
            if (c != 2)
                assert_in_range(count[c], 334, 335); /* 1003 = 3 * 334 + 1 */
            more[c] += count[c] == 335;
        }
        /* No sample again before all of its class were there. */
        for (int i = 0; i < 1003; i++)
            of_class[label[i]]++;
        for (int i = 0; i < 1003; i++)
            assert_in_range(times[i], count[label[i]] / of_class[label[i]],
                            count[label[i]] / of_class[label[i]] + 1);
    }
    for (int c = 0; c < 4; c++) /* 20 each, standard deviation 3.7 */
        if (c != 2)
            assert_in_range(more[c], 6, 36);
    shard_release(&s);
}

static void balanced_orders_do_not_depend_on_the_number_of_ranks(void **state) {
    (void)state;
    int32_t label[1003];
    int64_t alone[1003], together[1003], again[1003];

    label_them(label);
    struct shard s = new_balanced(label), other = new_balanced(label);
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        walk(&s, epoch, 1, alone);
        for (int ranks = 2; ranks <= 5; ranks++) {
            walk(&other, epoch, ranks, together);
            assert_memory_equal(alone, together, sizeof alone);
        }
        walk(&other, epoch + 1, 1, again);
        assert_memory_not_equal(alone, again, sizeof alone);
    }
    shard_release(&s);
    shard_release(&other);
}

static void visits_count_how_often_a_sample_was_there(void **state) {
    (void)state;
    int32_t label[1003];
    int32_t next[1003] = {0};
    int most = 0;

    label_them(label);
    struct shard s = new_balanced(label), plain = new_shard(10, 4, 1, true, false);
    for (int64_t step = 0; step < shard_steps(&s); step++)
        for (int rank = 0; rank < 2; rank++) {
            const int64_t *samples;
            int64_t n, first;
            shard_part(&s, 2, step, rank, 2, &samples, &n, &first);
            const int32_t *visits = shard_visits(&s, samples);
            for (int64_t i = 0; i < n; i++) {
                assert_int_equal(visits[i], next[samples[i]]);
                next[samples[i]]++;
                most = visits[i] > most ? visits[i] : most;
            }
        }
    assert_in_range(most, 110, 111); /* 334 or 335 of a class of three */
    const int64_t *samples;
    int64_t n, first;
    shard_part(&plain, 0, 0, 0, 1, &samples, &n, &first);
    assert_null(shard_visits(&plain, samples));
    shard_release(&s);
    shard_release(&plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_epoch_visits_every_sample_once),
        cmocka_unit_test(the_order_does_not_depend_on_the_number_of_ranks),
        cmocka_unit_test(shards_do_not_depend_on_the_number_of_ranks),
        cmocka_unit_test(epochs_and_seeds_differ_and_return),
        cmocka_unit_test(every_sample_may_be_anywhere),
        cmocka_unit_test(without_shuffling_samples_come_as_stored),
        cmocka_unit_test(the_tail_is_kept_or_left_out),
        cmocka_unit_test(parts_differ_by_one_sample_at_most),
        cmocka_unit_test(nothing_to_share_is_refused),
        cmocka_unit_test(blocks_visit_every_sample_once_for_any_number_of_ranks),
        cmocka_unit_test(a_window_is_a_few_blocks_in_a_new_order_each_epoch),
        cmocka_unit_test(ranks_read_blocks_of_their_own),
        cmocka_unit_test(every_sample_of_blocks_may_be_in_any_window),
        cmocka_unit_test(windows_hold_eight_batches_and_eight_blocks),
        cmocka_unit_test(blocks_keep_or_leave_out_the_tail),
        cmocka_unit_test(samples_of_a_step_go_round),
        cmocka_unit_test(orders_that_do_not_go_together_are_refused),
        cmocka_unit_test(balanced_epochs_have_as_many_of_each_class),
        cmocka_unit_test(balanced_orders_do_not_depend_on_the_number_of_ranks),
        cmocka_unit_test(visits_count_how_often_a_sample_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
