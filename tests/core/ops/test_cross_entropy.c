#include "core/ops/cross_entropy.h"
#include "core/ops/loss_case.h"

static const char smooth[] = "smoothing=0.1";
static const char weighted[] = "[1, 2, 0.5]";
static const char both[] = "[1, 2, 0.5], 0.1";
static const char ignoring[] = "ignore=1";

/* Four samples of three classes. What is expected below is numpy's, from
 *   logp = logits - log(exp(logits).sum(1)),
 *   (-(1 - s) * w[label] * logp[label] - s / 3 * (w * logp).sum(1)).sum() / w[label].sum(),
 * which is the formula in the documentation of PyTorch's CrossEntropyLoss. */
static const act logits[] = {1, 0, 4, 2, -1, 0.5, 0.3, 0.2, -0.1, 1, 2, 3}, label[] = {2, 0, 1, 1};

static struct op_case four(const char *with) {
    return (struct op_case){
        "cross_entropy",           .with = with,     .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
        .x_data = {logits, label}, .tolerance = 1e-9};
}

static void check_loss(const char *with, double expected) {
    const struct op_case c = four(with);
    check_output(&c, (struct shape){1, {1}}, &(const act){(act)expected});
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char *const all[] = {NULL, smooth, weighted, both, ignoring};

    for (int i = 0; i < 5; i++) {
        struct op_case c = four(all[i]);
        c.tolerance = 0;
        check_gradients(&c);
    }
}

static void gradient_where_every_pixel_has_a_label(void **state) {
    (void)state;
    const act mask[] = {0, 4, 2, 1, 3, -1, 0, 0, 1, 2, 4, 4};
    check_gradients(&(struct op_case){"cross_entropy", .n_x = 2,
                                      .x = {{4, {2, 2, 3, 5}}, {3, {2, 2, 3}}},
                                      .x_data = {NULL, mask}});
    check_gradients(&(struct op_case){"cross_entropy", .n_x = 2,
                                      .x = {{4, {2, 2, 3, 5}}, {4, {2, 2, 3, 1}}},
                                      .x_data = {NULL, mask}});
}

/* -log(54.598150033 / 58.316431862) = 0.0658839038: label 2 of logits 1, 0, 4. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act loss[] = {0.0658839038};
    check_output(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {1, 3}}, {1, {1}}},
                                   .x_data = {logits, label}, .tolerance = 1e-8},
                 (struct shape){1, {1}}, loss);
}

static void mean_over_the_batch(void **state) {
    (void)state;
    check_loss(NULL, 0.690177962050);
}

static void smoothing_is_that_of_pytorch(void **state) {
    (void)state;
    check_loss(smooth, 0.787677962050);
}

static void weights_are_those_of_pytorch(void **state) {
    (void)state;
    check_loss(weighted, 0.942052098929);
    check_count(&(struct op_case){"cross_entropy", .with = weighted, .n_x = 2,
                                  .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {logits, label}},
                5.5);
}

static void weights_and_smoothing_go_together(void **state) {
    (void)state;
    check_loss(both, 1.017316534301);
}

static void ignored_labels_do_not_count(void **state) {
    (void)state;
    check_loss(ignoring, 0.153597600207);
    check_count(&(struct op_case){"cross_entropy", .with = ignoring, .n_x = 2,
                                  .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {logits, label}},
                2);
}

static void a_batch_without_labels_costs_nothing(void **state) {
    (void)state;
    const act none[] = {-1, -1, -1, -1}, zero[] = {0};
    check_output(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
                                   .x_data = {logits, none}},
                 (struct shape){1, {1}}, zero);
    check_gradients(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
                                      .x_data = {logits, none}});
}

/* Eight times half of the mean. */
static void forward_gives_the_sum_of_terms(void **state) {
    (void)state;
    const act sum[] = {8 * 0.345088981025};
    check_sum(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
                                .x_data = {logits, label}},
              (struct shape){1, {1}}, sum);
}

/* log(1 + exp(-1000) + exp(-2000)) = 0; 2000 for the last class. */
static void large_logits_do_not_overflow(void **state) {
    (void)state;
    const act large[] = {1000, 0, -1000, 1000, 0, -1000}, classes[] = {0, 2}, loss[] = {1000};
    check_output(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                   .x_data = {large, classes}},
                 (struct shape){1, {1}}, loss);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{2, {8, 10}}, {1, {4}}}},
                  "cross_entropy: logits are 8x10 and labels 4");
    check_refused(
        &(struct op_case){"cross_entropy", .n_x = 2, .x = {{4, {8, 4, 4, 10}}, {4, {8, 4, 4, 10}}}},
        "cross_entropy: logits are 8x4x4x10 and labels 8x4x4x10");
    check_refused(&(struct op_case){"cross_entropy", .n_x = 2, .x = {{1, {8}}, {1, {8}}}},
                  "cross_entropy: logits are 8, expected samples with a number per class");
}

static void weights_for_another_number_of_classes_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"cross_entropy", .with = weighted, .n_x = 2,
                                    .x = {{2, {8, 10}}, {1, {8}}}},
                  "cross_entropy: 3 weights for 10 classes");
}

/* --- a share for each class --- */

/* The same four samples; the last one is of no class. */
static struct op_case shared(const char *with) {
    static const act shares[] = {0.3, 0, 0.7, 1, 0, 0, 0.25, 0.5, 0.1, 0, 0, 0};
    struct op_case c = four(with);

    c.internal = &op_cross_entropy_shares;
    c.x[1] = c.x[0];
    c.x_data[1] = shares;
    return c;
}

static struct op_case shared_pixels(void) {
    struct op_case c = case_of_two("cross_entropy", weighted);

    c.internal = &op_cross_entropy_shares;
    c.x_data[1] = NULL;
    return c;
}

/* tests/golden/losses.py: PyTorch, of the three rows that are of a class. */
static void shares_are_taken_as_by_pytorch(void **state) {
    (void)state;
    check_number(shared(NULL), 0.700406427085);
    check_number(shared(smooth), 0.805469313835);
    check_number(shared(weighted), 0.844606574148);
    check_number(shared(both), 1.010544478879);
    const struct op_case c = shared(both);
    check_count(&c, 3);
}

/* The teacher's softmax as PyTorch has it, of each pixel. */
static void shares_of_pixels_are_taken_as_by_pytorch(void **state) {
    struct op_case teacher = case_of_two("softmax", NULL), c = shared_pixels();
    struct shape shape;

    (void)state;
    teacher.n_x = 1;
    teacher.x_data[0] = teacher.x_data[1];
    act *p = forward_of(&teacher, &shape);
    c.x_data[1] = p;
    check_number(c, 1.840215793654);
    free(p);
}

static void both_gradients_of_shares_agree_with_differences(void **state) {
    const char *const all[] = {NULL, smooth, weighted, both};
    struct op_case c = shared_pixels();

    (void)state;
    check_gradients(&c);
    for (int i = 0; i < 4; i++) {
        const act none[12] = {0}, some[] = {0.3, 0.2, 0.5, 1, -0.5, 0.25, 0.25, 0.5, 0.1, 1, 1, 1};
        c = shared(all[i]);
        c.tolerance = 0;
        c.x_data[1] = some; /* a difference from 0 would make a row count */
        check_gradients(&c);
        c.x_data[1] = none;
        c.constant = 2;
        check_gradients(&c);
    }
}

/* One class with all of the share is its label. */
static void shares_of_one_class_are_its_label(void **state) {
    (void)state;
    const act one_hot[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0};
    struct op_case c = shared(smooth);

    c.x_data[1] = one_hot;
    check_number(c, 0.787677962050);
}

static void shares_of_other_classes_are_refused(void **state) {
    (void)state;
    struct op_case c = shared(NULL);

    c.x[1].dim[1] = 4;
    check_refused(&c, "cross_entropy: logits are 4x3 and targets 4x4, expected class indices or a "
                      "share for each class");
    c = shared("[1, 2]");
    check_refused(&c, "cross_entropy: 2 weights for 3 classes");
    c = shared(ignoring);
    check_refused(&c, "cross_entropy: ignore is a class index, but targets are shares of classes; "
                      "those that are all 0 do not count");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_where_every_pixel_has_a_label),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(mean_over_the_batch),
        cmocka_unit_test(smoothing_is_that_of_pytorch),
        cmocka_unit_test(weights_are_those_of_pytorch),
        cmocka_unit_test(weights_and_smoothing_go_together),
        cmocka_unit_test(ignored_labels_do_not_count),
        cmocka_unit_test(a_batch_without_labels_costs_nothing),
        cmocka_unit_test(forward_gives_the_sum_of_terms),
        cmocka_unit_test(large_logits_do_not_overflow),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
        cmocka_unit_test(weights_for_another_number_of_classes_are_refused),
        cmocka_unit_test(shares_are_taken_as_by_pytorch),
        cmocka_unit_test(shares_of_pixels_are_taken_as_by_pytorch),
        cmocka_unit_test(both_gradients_of_shares_agree_with_differences),
        cmocka_unit_test(shares_of_one_class_are_its_label),
        cmocka_unit_test(shares_of_other_classes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
