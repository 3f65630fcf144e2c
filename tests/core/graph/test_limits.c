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

static bool is_whole(const struct arg_spec *a) {
    return a->kind == ARG_INT || a->kind == ARG_INTS || a->kind == ARG_INTS_OR_WORD;
}

/* The operator's call with that value for the whole numbers of `which`: the number of an argument,
 * or -1 for all of them. Others that must be there are 4. */
static void write_call(const struct op *op, int which, int value, char text[1024]) {
    int n = snprintf(text, 1024, "[net m(image)]\nout = %s(image", op->word.name);

    for (int i = 1; i < op->min_x; i++)
        n += snprintf(text + n, 1024 - (size_t)n, ", image");
    for (int i = 0; op->word.args && op->word.args[i].name; i++) {
        const struct arg_spec *a = &op->word.args[i];
        const bool set = is_whole(a) && (which < 0 || which == i);

        if (set || (a->required && a->kind != ARG_WORD && a->kind != ARG_APPLIED))
            n += snprintf(text + n, 1024 - (size_t)n, ", %s=%d", a->name, set ? value : 4);
    }
    snprintf(text + n, 1024 - (size_t)n, ")\n[step]\nout = m(image)\n");
}

/* It is planned or refused: with sanitizers without overflow, and never for ever. */
static int try_call(const struct op *op, int which, int value) {
    char text[1024];
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    write_call(op, which, value, text);
    job_init(&job, text);
    const int refused = step_try(&step, &job, "", &err);
    if (refused && err.kind != ERR_CONFIG)
        fail_msg("%s: %s", text, err.msg);
    job_release(&job);
    return refused && !strstr(err.msg, "is no mean");
}

static void operators_plan_or_refuse_the_largest_numbers(void **state) {
    static const int values[] = {INT32_MAX, INT32_MAX - 1, 1 << 30, 65537, 46341, 4096};
    int n_ops, n_refused = 0;
    const struct op *const *ops = op_table(&n_ops);

    (void)state;
    for (int i = 0; i < n_ops; i++) {
        const struct arg_spec *args = ops[i]->word.args;

        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            n_refused += try_call(ops[i], -1, values[k]);
            for (int a = 0; args && args[a].name; a++)
                if (is_whole(&args[a]))
                    n_refused += try_call(ops[i], a, values[k]);
        }
    }
    assert_true(n_refused > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_double_are_refused),
        cmocka_unit_test(powers_of_powers_are_refused),
        cmocka_unit_test(deep_blocks_are_told_from_circles),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(wide_windows_are_still_planned),
        cmocka_unit_test(operators_plan_or_refuse_the_largest_numbers),
    };

    alarm(SECONDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
