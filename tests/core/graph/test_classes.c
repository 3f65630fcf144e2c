/* The number of classes of the data in nets and steps. */
#include "core/graph/graph_case.h"

/* Build [step] of the text where the data has so many classes of label (-1: not known, 0: label is
 * no class), and give the channels of `out`; -1 with err. */
static int64_t channels_of(const char *text, int n_classes, struct err *err) {
    struct job_case job;
    struct graph *graph;
    int64_t channels = -1;

    job_init(&job, text);
    job.fields[1].n_classes = n_classes;
    const struct graph_config config = job_config(&job, "");
    if (!graph_new(&graph, &config, err)) {
        const int out = graph_find(graph, "out");
        channels = shape_channels(&graph->nodes[out].plan.y);
    }
    job_release(&job);
    return channels;
}

static void gives(const char *text, int64_t channels) {
    struct err err = {0};
    const int64_t found = channels_of(text, 7, &err);

    if (found != channels)
        fail_msg("%s\ngives %lld channels: %s", text, (long long)found, err.msg);
}

static void is_refused(const char *text, int n_classes, const char *message) {
    struct err err = {0};

    assert_int_equal(channels_of(text, n_classes, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    if (!strstr(err.msg, message))
        fail_msg("\"%s\" does not contain \"%s\"", err.msg, message);
}

#define NET "[net m(image, classes)]\nfc = image | flatten | linear(classes)\n"

static void auto_is_the_number_of_labels(void **state) {
    (void)state;
    gives(NET "[step]\nout = m(image, classes=auto)\n", 7);
    gives(NET "[step]\nout = m(image, auto)\n", 7);
    gives(NET "[job]\nmodel = m(classes=auto)\n[step]\nout = model(image)\n", 7);
    gives(NET "[let]\nn = auto\n[step]\nout = m(image, n)\n", 7);
    gives("[net m(image, classes=auto)]\nfc = image | flatten | linear(2*classes)\n"
          "[step]\nout = m(image)\n",
          14);
    gives("[block b(x, n=auto)]\ny = x | conv(n)\n[net m(image)]\nfc = image | b\n"
          "[step]\nout = m(image)\n",
          7);
}

/* One net is one net, however its number of classes was written. */
static void uses_with_auto_and_with_the_number_are_the_same_net(void **state) {
    (void)state;
    gives(NET "[step]\nmid = m(image, 7)\nout = m(image, auto)\n", 7);
    is_refused(NET "[step]\nmid = m(image, 6)\nout = m(image, auto)\n", 7,
               "net m is used with another classes than before");
}

static void classes_of_any_field_are_counted(void **state) {
    (void)state;
    gives(NET "[step]\nout = m(image, classes(label))\n", 7);
    gives("[net m(image)]\nfc = image | flatten | linear(classes(label) + 1)\n"
          "[step]\nout = m(image)\n",
          8);
    is_refused(
        NET "[step]\nout = m(image, classes(lable))\n", 7,
        "job.ini:4:24: classes: the data has no field 'lable'; did you mean 'label'? (the data "
        "has the fields ");
    is_refused(NET "[step]\nout = m(image, classes(image))\n", 7,
               "job.ini:4:16: classes: image of the data is no class");
    is_refused(NET "[step]\nout = m(image, classes(2))\n", 7,
               "job.ini:4:16: classes takes the name of a field, as in classes(label)");
}

static void what_is_not_known_is_refused(void **state) {
    (void)state;
    is_refused(NET "[step]\nout = m(image, auto)\n", -1,
               "job.ini:4:16: auto: how many classes label has is not known without data");
    is_refused(NET "[step]\nout = m(image, classes(label))\n", -1,
               "classes: how many classes label has is not known without data");
    is_refused(NET "[step]\nout = m(image, auto)\n", 0,
               "job.ini:4:16: auto: label of the data is no class");
}

static void auto_stands_for_arguments_of_nets_only(void **state) {
    (void)state;
    is_refused("[net m(image)]\nfc = image | flatten | linear(auto)\n[step]\nout = m(image)\n", 7,
               "linear: channels is auto, expected a number");
    is_refused("[net m(image)]\nfc = image + auto\n[step]\nout = m(image)\n", 7,
               "found auto, expected a tensor");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_is_the_number_of_labels),
        cmocka_unit_test(uses_with_auto_and_with_the_number_are_the_same_net),
        cmocka_unit_test(classes_of_any_field_are_counted),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(auto_stands_for_arguments_of_nets_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
