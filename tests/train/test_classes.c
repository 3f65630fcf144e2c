/* Data with more classes than a network chooses from is refused, by the name of that data. */
#include "train/job_text.h"
#include "train/replica_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Class 255 occurs, and with it 0 .. 2; or 0 .. 3. */
static const int64_t with_255[256] = {[0] = 5, [1] = 4, [2] = 1, [255] = 7};
static const int64_t four_and_255[256] = {[0] = 5, [1] = 4, [2] = 1, [3] = 1, [255] = 7};
static const int64_t four[] = {2, 2, 2, 2};

/* What a job with three outputs says of data with those labels; "" where it says nothing. */
static const char *told(const char *loss, const char *measure, const struct field *train,
                        const struct field *validate) {
    static struct err err;
    const struct field fields[] = {{.name = "image", .sample = {1, {4}}}, *train},
                       measured[] = {{.name = "image", .sample = {1, {4}}}, *validate};
    const struct replica_data validate_data = {"v.h5", measured, 2, NULL};
    struct replica replica = {0};
    struct job job = {0};
    char text[1024];

    snprintf(text, sizeof text,
             "[net n(image)]\none = image | linear(1)\ny = image | linear(3)\n[step]\nloss = "
             "%s\ntrain = n\n"
             "optimizer = sgd(lr=0.1)\n[validate]\nmeasure = %s\n",
             loss, measure);
    err = (struct err){0};
    if (job_of_text(&job, text, &err))
        fail_msg("%s", err.msg);
    const struct replica_config config = {.job = &job,
                                          .fields = fields,
                                          .n_fields = 2,
                                          .batch = 2,
                                          .validate_batch = 2,
                                          .training = true,
                                          .threads = 1,
                                          .data_name = "t.h5",
                                          .validate_data = &validate_data};
    if (replica_init(&replica, &config, &err) && err.kind != ERR_DATA)
        fail_msg("%s", err.msg);
    replica_release(&replica);
    job_release(&job);
    return strchr(err.msg, ' ') ? strchr(err.msg, ' ') + 1 : "";
}

static struct field labels(int n, const int64_t *counts) {
    return (struct field){
        .name = "label", .kind = TENSOR_INDICES, .n_classes = n, .class_counts = counts};
}

#define LOSS "cross_entropy(n(image), label)"
#define IGNORING "cross_entropy(n(image), label, ignore=255)"

static void the_data_that_has_more_classes_is_named(void **state) {
    const struct field many = labels(4, four), few = labels(3, four);

    (void)state;
    assert_string_equal(told(LOSS, LOSS, &few, &few), "");
    assert_string_equal(told(LOSS, LOSS, &many, &few),
                        "t.h5: label has 4 classes, but the network gives 3 numbers here");
    assert_string_equal(told(LOSS, LOSS, &few, &many),
                        "v.h5: label has 4 classes, but the network gives 3 numbers here");
    assert_string_equal(told("mse(n(image), one_hot(label, 3))", LOSS, &many, &few),
                        "t.h5: label has 4 classes, but 3 are expected here");
}

static void a_label_that_is_ignored_is_no_class(void **state) {
    const struct field some = labels(256, with_255), more = labels(256, four_and_255),
                       few = labels(3, four);

    (void)state;
    assert_string_equal(told(IGNORING, IGNORING, &some, &some), "");
    assert_string_equal(told(IGNORING, LOSS, &some, &few), "");
    assert_string_equal(told(IGNORING, LOSS, &some, &some),
                        "v.h5: label has 256 classes, but the network gives 3 numbers here");
    assert_string_equal(told(IGNORING, IGNORING, &more, &some),
                        "t.h5: label has 4 classes, but the network gives 3 numbers here");
    assert_string_equal(told("cross_entropy(n(image), label, ignore=1)", LOSS, &some, &few),
                        "t.h5: label has 256 classes, but the network gives 3 numbers here");
}

/* Of data that is not there nothing is known. */
static void unknown_classes_are_no_fault(void **state) {
    const struct field unknown = labels(-1, NULL);

    (void)state;
    assert_string_equal(told(LOSS, IGNORING, &unknown, &unknown), "");
}

/* Binary cross-entropy would take class 3 for a target of 3 and fall without end. */
static void more_than_two_classes_are_no_target_of_bce(void **state) {
    const struct field two = labels(2, four), many = labels(4, four);
    const char *said = "t.h5: label has 4 classes, but bce takes targets from 0 to 1: of two "
                       "classes, or one_hot(label, 4) against as many numbers";

    (void)state;
    assert_string_equal(told("bce(n(image).one, label)", LOSS, &many, &two), said);
    assert_string_equal(told("bce(n(image).one, label)", LOSS, &two, &two), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_data_that_has_more_classes_is_named),
        cmocka_unit_test(a_label_that_is_ignored_is_no_class),
        cmocka_unit_test(unknown_classes_are_no_fault),
        cmocka_unit_test(more_than_two_classes_are_no_target_of_bce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
