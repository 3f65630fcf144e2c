/* Rows cut into parts of one mixture of classes. */
#include "io/scratch.h"

#include "io/dataset/folds.h"

enum { MOST = 1000, MOST_CLASSES = 16 };

/* Classes of very different sizes, and rows of none. */
static void make_labels(int32_t *label, int n) {
    for (int i = 0; i < n; i++)
        label[i] = i % 10 < 5 ? 0 : i % 10 < 8 ? 3 : i % 10 == 8 ? (i % 7 ? 5 : 12) : -1;
}

/* How many rows of each class (class -1 first) are in a fold. */
static void count(const int32_t *label, const int32_t *fold, int n, int which, int *counts) {
    memset(counts, 0, MOST_CLASSES * sizeof *counts);
    for (int i = 0; i < n; i++)
        counts[label[i] + 1] += fold[i] == which;
}

static void folds_are_of_one_size_and_mixture(void **state) {
    int32_t label[MOST], fold[MOST];
    struct err err = {0};

    (void)state;
    make_labels(label, MOST);
    for (int n = 1; n <= MOST; n = 3 * n + 1)
        for (int k = 2; k <= 7; k++) {
            int all[MOST_CLASSES] = {0}, found[MOST_CLASSES], most = 0, least = n;

            for (int i = 0; i < n; i++)
                all[label[i] + 1]++;
            assert_int_equal(folds_deal(label, n, k, 1, fold, &err), 0);
            for (int f = 0; f < k; f++) {
                int size = 0;

                count(label, fold, n, f, found);
                for (int c = 0; c < MOST_CLASSES; c++) {
                    assert_in_range(found[c], all[c] / k, (all[c] + k - 1) / k);
                    size += found[c];
                }
                most = size > most ? size : most;
                least = size < least ? size : least;
            }
            assert_true(most - least <= 1);
        }
}

static void so_many_are_held_out_of_each_class(void **state) {
    int32_t label[MOST], held[MOST];
    struct err err = {0};

    (void)state;
    make_labels(label, MOST);
    for (int want = 1; want < 9 * MOST / 10; want += 37) {
        int all[MOST_CLASSES] = {0}, found[MOST_CLASSES];

        for (int i = 0; i < MOST; i++)
            all[label[i] + 1]++;
        assert_int_equal(folds_hold_out(label, MOST, want, 1, held, &err), want);
        count(label, held, MOST, 1, found);
        for (int c = 0; c < MOST_CLASSES; c++) {
            const double due = (double)all[c] * want / MOST;

            assert_true(found[c] > due - 1.001 && found[c] < due + 1.001);
            assert_true(!all[c] || found[c] < all[c]);
        }
    }
}

/* A class of one row stays where it can be learned. */
static void the_last_of_a_class_stays(void **state) {
    const int32_t label[6] = {0, 1, 2, 2, 2, 2};
    int32_t held[6];
    struct err err = {0};

    (void)state;
    assert_int_equal(folds_hold_out(label, 6, 3, 1, held, &err), 3);
    assert_true(!held[0] && !held[1]);
    assert_int_equal(folds_hold_out(label, 6, 5, 1, held, &err), 3);
    assert_int_equal(folds_hold_out((const int32_t[]){2, 2, 2, 2, 3, 4}, 6, 3, 1, held, &err), 3);
    assert_true(!held[4] && !held[5]);
    assert_int_equal(folds_hold_out(label, 2, 1, 1, held, &err), 0);
}

static void the_seed_alone_decides(void **state) {
    int32_t first[MOST], again[MOST];
    struct err err = {0};
    int same = 0;

    (void)state;
    assert_int_equal(folds_deal(NULL, MOST, 5, 1, first, &err), 0);
    assert_int_equal(folds_deal(NULL, MOST, 5, 1, again, &err), 0);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(folds_deal(NULL, MOST, 5, 2, again, &err), 0);
    for (int i = 0; i < MOST; i++)
        same += first[i] == again[i];
    assert_in_range(same, MOST / 5 - 60, MOST / 5 + 60); /* five standard deviations: 63 */
    assert_int_equal(folds_hold_out(NULL, MOST, 100, 1, again, &err), 100);
    assert_int_equal(folds_hold_out(NULL, 2, 1, 1, again, &err), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_of_one_size_and_mixture),
        cmocka_unit_test(so_many_are_held_out_of_each_class),
        cmocka_unit_test(the_last_of_a_class_stays),
        cmocka_unit_test(the_seed_alone_decides),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
