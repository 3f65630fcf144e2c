/* Nets that ask for more than any computer has, in a few lines. Where one is made nevertheless, the
 * alarm ends the test. */
#include "core/graph/graph_case.h"

enum { SECONDS = 60 };

#define IN_NET(statement) "[net m(image)]\nout = image | " statement "\n[step]\nout = m(image)\n"

static void blocks_that_double_are_refused(void **state) {
    (void)state;
    check_step_refused("[block b(x, n)]\ny = if(n > 0, b(x, n - 1) + b(x, n - 1), x)\n" //
                       IN_NET("b(40)"),
                       "job.ini:2:29: here more than 5000000 values are computed before the first "
                       "step, expected fewer: something doubles what it is made of, over and over");
    check_step_refused("[block b(x, n)]\ny = if(n > 0, x | b(n - 1) | b(n - 1), x)\n" //
                       IN_NET("b(40)"),
                       "job.ini:2:19: here more than 5000000 values are computed before the first "
                       "step, expected fewer: something doubles what it is made of, over and over");
}

static void powers_of_powers_are_refused(void **state) {
    (void)state;
    check_step_refused("[block a(x)]\ny = x | relu^100\n[block c(x)]\ny = x | a^100\n" //
                       IN_NET("c^100"),
                       "job.ini:2:9: relu: more than 100000 operators and numbers in this job, "
                       "expected less");
}

static void deep_blocks_are_told_from_circles(void **state) {
    char text[4096];
    int n = 0;

    (void)state;
    for (int i = 0; i < 49; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "[block b%d(x)]\ny = x | b%d\n", i, i + 1);
    n += snprintf(text + n, sizeof text - (size_t)n, "[block b49(x)]\ny = x | relu\n");
    snprintf(text + n, sizeof text - (size_t)n, IN_NET("b0"));
    check_step_refused(
        text,
        "job.ini:94:9: b47 stands in blocks inside each other more than 48 deep, expected less");
}

static void sizes_that_overflow_are_refused(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {IN_NET("conv(8, 2000000001)"), "conv: its weight would be 2000000001x2000000001x3x8"},
        {IN_NET("conv(8, dilation=1000000000)"),
         "conv: its padded input would be 2000000008x2000000008"},
        {IN_NET("conv(8, 3, pad=2147483647, stride=2147483647)"),
         "conv: its padded input would be 4294967302x4294967302"},
        {IN_NET("conv_transpose(8, 3, stride=2147483647)"),
         "conv_transpose: its output would be 4x15032385532x15032385532x8"},
        {IN_NET("conv_transpose(8, 3, stride=30000)"),
         "conv_transpose: kernel 1x3x3 with stride 1x30000x30000, expected smaller ones"},
        {IN_NET("flatten | linear(2147483647) | linear(2147483647)"),
         "linear: its weight would be 2147483647x2147483647"},
        {IN_NET("upsample(2147483647)"), "upsample: its output would be "
                                         "4x17179869176x17179869176x3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[256];
        const char *word = strchr(cases[i].text, '|') + 2;
        const char *last = strstr(word, "linear(2147483647) | ");

        if (last)
            word = last + strlen("linear(2147483647) | ");
        snprintf(message, sizeof message, "job.ini:2:%d: %s",
                 (int)(word - strchr(cases[i].text, '\n')), cases[i].message);
        check_step_refused(cases[i].text, message);
    }
}

/* A kernel larger than the image sees zeros beyond it. */
static void wide_windows_are_still_planned(void **state) {
    struct job_case job;
    struct step_case step;

    (void)state;
    job_init(&job, "[net m(image)]\nh = image | conv(4, 65, dilation=20)\n"
                   "out = h | maxpool(64, stride=1, pad=32) | global_avgpool\n"
                   "[step]\nloss = cross_entropy(m(image), label)\ntrain = m\n");
    step_init(&step, &job, "");
    release_one(&job, &step);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_double_are_refused),
        cmocka_unit_test(powers_of_powers_are_refused),
        cmocka_unit_test(deep_blocks_are_told_from_circles),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(wide_windows_are_still_planned),
    };

    alarm(SECONDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
