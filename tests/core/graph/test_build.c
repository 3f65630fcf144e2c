#include "core/graph/graph_case.h"

/* Shape of the value of `out` in a job's [step]. */
static struct shape shape_of(const char *text) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, text);
    const struct graph_config config = job_config(&job, "");
    if (graph_new(&step.graph, &config, &err))
        fail_msg("%s", err.msg);
    const int out = graph_find(step.graph, "out");
    assert_true(out >= 0);
    const struct shape shape = step.graph->nodes[out].plan.y;
    job_release(&job);
    return shape;
}

static void check_shape(const char *text, struct shape expected) {
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];
    const struct shape shape = shape_of(text);

    assert_string_equal(shape_text(&shape, found), shape_text(&expected, wanted));
}

/* [net m(image)] of one statement `out`, used on the image. */
static void check_net(const char *value, struct shape expected) {
    char text[1024];

    snprintf(text, sizeof text, "[net m(image)]\nout = %s\n[step]\nout = m(image)\n", value);
    check_shape(text, expected);
}

/* The same, refused; its value begins at job.ini:2:7. */
static void check_net_refused(const char *value, const char *message) {
    char text[1024];

    snprintf(text, sizeof text, "[net m(image)]\nout = %s\n[step]\nout = m(image)\n", value);
    check_step_refused(text, message);
}

/* The value of [step] out, which begins at job.ini:2:7, refused. */
static void check_value_refused(const char *value, const char *message) {
    char text[1024];

    snprintf(text, sizeof text, "[step]\nout = %s\n[net m(image)]\nmid = image\nout = mid | relu\n",
             value);
    check_step_refused(text, message);
}

/* Names of the weights of net m after [step] out = m(image) is built. */
static void check_weights(const char *text, const char *expected) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};
    char names[1024];

    job_init(&job, text);
    const struct graph_config config = job_config(&job, "");
    if (graph_new(&step.graph, &config, &err))
        fail_msg("%s", err.msg);
    net_names(&model_find(&job.model, "m")->weights, names, sizeof names);
    assert_string_equal(names, expected);
    job_release(&job);
}

static void shapes_follow_the_operators(void **state) {
    (void)state;
    check_net("image | conv(16, 3, stride=2) | relu", (struct shape){4, {4, 4, 4, 16}});
    check_net("image | maxpool(2) | flatten | linear(7)", (struct shape){2, {4, 7}});
    check_net("concat(image, image | conv(5))", (struct shape){4, {4, 8, 8, 8}});
}

static void statements_of_a_step_stand_in_any_order(void **state) {
    (void)state;
    check_shape("[net m(image)]\nfc = image | flatten | linear(5)\n"
                "[step]\nout = middle | relu\nmiddle = m(image)\n",
                (struct shape){2, {4, 5}});
    check_step_refused(
        "[step]\nout = middle | relu\nmiddle = out | relu\n",
        "job.ini:3:10: found 'out', expected the name of a known operator, block, net or "
        "value (the data has the fields image, label)");
}

/* In d(d(x)) a batch norm of the second use reads a convolution of the first: what one use needs
 * not decide for the other, as both have the same parameters. */
static void a_net_after_itself_keeps_its_bias(void **state) {
    (void)state;
    check_weights("[net m(image)]\na = image | bn\nb = a | conv(3)\n"
                  "[step]\nout = m(m(image))\n",
                  "a.weight a.bias b.weight b.bias");
}

static void shared_blocks_take_their_arguments_where_they_are_shared(void **state) {
    (void)state;
    check_shape("[block b(x, width)]\nc = x | conv(width)\n"
                "[block user(x, f)]\nwidth = 9\nout = x | f\n"
                "[net m(image)]\nwidth = 3\nf = share(b, width)\nout = image | user(f)\n"
                "[step]\nout = m(image)\n",
                shape_of("[net m(image)]\nout = image | conv(3)\n[step]\nout = m(image)\n"));
}

static void dimensions_are_numbers(void **state) {
    (void)state;
    check_shape("[net m(x)]\nout = x | conv(channels(x) + height(x), 1) | maxpool([1, width(x)])\n"
                "[step]\nout = m(image | maxpool([2, 4]))\n",
                (struct shape){4, {4, 4, 1, 7}});
    check_net("image | flatten | linear(image | channels)", (struct shape){2, {4, 3}});
    check_net_refused("image | conv(height(image | flatten))",
                      "job.ini:2:20: height takes images [n, h, w, c]");
    check_net_refused("image | conv(channels())", "job.ini:2:20: channels takes one tensor");
    check_net_refused("image | conv(channels(\"a\"))",
                      "job.ini:2:29: channels: found a string, expected a tensor");
}

static void whole_numbers_are_needed_where_they_are(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a = image | conv(65)\n"
                       "b = a | conv(channels(a)/2)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:3:25: conv: channels is 32.5, expected a whole number");
    check_net("image | conv(64) | conv(64 / 2)", (struct shape){4, {4, 8, 8, 32}});
}

static void if_takes_only_one_branch(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, "[net m(image, wide=1)]\n"
                   "out = if(wide > 0, image | conv(8), image | conv(4) | nonsense)\n"
                   "[step]\nout = m(image)\n");
    const struct graph_config config = job_config(&job, "");
    assert_int_equal(graph_new(&step.graph, &config, &err), 0);
    assert_int_equal(step.graph->n_nodes, 2); /* the input and one conv */
    job_release(&job);
}

static void statements_of_a_net_are_its_members(void **state) {
    (void)state;
    check_shape("[net m(image)]\n"
                "aux = image | global_avgpool | linear(5)\n"
                "out = image | flatten | linear(2)\n"
                "[step]\ny = m(image)\nout = y.aux\n",
                (struct shape){2, {4, 5}});
    check_shape("[net m(image)]\nout = image | conv(6)\n[step]\nout = (m(image)).out | flatten\n",
                (struct shape){2, {4, 384}});
}

static void members_that_are_not_there_are_refused(void **state) {
    (void)state;
    check_value_refused("m(image).mod", "job.ini:2:16: net m has no statement 'mod'; did you mean "
                                        "'mid'?");
    check_value_refused("m(image).something", "job.ini:2:16: net m has no statement 'something'");
    check_value_refused("image.mid",
                        "job.ini:2:13: '.mid' of a tensor, expected the output of a net");
    check_step_refused("[block b(x)]\nmid = x | conv(2)\n"
                       "[net m(image)]\ny = image | b\nz = y.mid\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:5:7: '.mid' of a tensor, expected the output of a net");
}

static void operators_with_parameters_in_a_step_are_refused(void **state) {
    (void)state;
    check_value_refused("image | conv(4)",
                        "job.ini:2:15: conv has parameters: it stands in [net] and [block] only");
    check_value_refused("image | bn",
                        "job.ini:2:15: bn has parameters: it stands in [net] and [block] only");
    check_step_refused("[block b(x)]\ny = x | conv(2)\n[step]\nout = image | b\n",
                       "job.ini:4:15: block b stands in [net] and [block] only");
    check_step_refused("[block b(x)]\ny = x | conv(2)\n[step]\nf = share(b)\n",
                       "job.ini:4:5: block b stands in [net] and [block] only");
}

static void unknown_words_are_told_the_nearest(void **state) {
    (void)state;
    check_net_refused("image\n    | conv(4)\n    | rleux",
                      "job.ini:4:7: found 'rleux', expected the name of a known operator, block, "
                      "net or value");
    check_net_refused("image | relux",
                      "job.ini:2:15: found 'relux', expected the name of a known operator, block, "
                      "net or value; did you mean 'relu'?");
    check_net_refused("imag | relu",
                      "job.ini:2:7: found 'imag', expected the name of a known operator, block, "
                      "net or value; did you mean 'image'?");
    check_value_refused("accuracy(imag, lable)",
                        "job.ini:2:16: found 'imag', expected the name of a known operator, block, "
                        "net or value; did you mean 'image'? (the data has the fields image, "
                        "label)");
    check_net_refused("image | conv(4, kernl=3)",
                      "job.ini:2:23: conv has no argument 'kernl'; did you mean 'kernel'?");
}

/* Inside a net the dataset is not in sight, nor are names of a step. */
static void nets_see_only_their_parameters(void **state) {
    (void)state;
    check_step_refused("[net m(x)]\ny = label\n[step]\nout = m(image)\n",
                       "job.ini:2:5: found 'label', expected the name of a known operator, block, "
                       "net or value");
    check_step_refused("[net m(x)]\ny = above | relu\n[step]\nabove = image\nout = m(image)\n",
                       "job.ini:2:5: found 'above', expected the name of a known operator, block, "
                       "net or value");
}

static void shapes_that_do_not_fit_are_told_with_their_place(void **state) {
    (void)state;
    check_net_refused("image | conv(4, 9, pad=0)",
                      "job.ini:2:15: conv: kernel 9x9 is larger than the padded input 8x8");
    check_net_refused("(image | conv(4)) + image",
                      "job.ini:2:25: add: shapes 4x8x8x4 and 4x8x8x3 do not match");
}

static void inputs_are_counted(void **state) {
    (void)state;
    check_value_refused("cross_entropy(image)",
                        "job.ini:2:7: cross_entropy takes 2 inputs, found 1");
    check_value_refused("image | noise(3)",
                        "job.ini:2:15: noise takes no input, found a value before the bar");
    check_value_refused("mse(m, 0)", "job.ini:2:11: mse: found a net, expected a tensor");
}

static void arguments_of_nets_are_checked(void **state) {
    (void)state;
    static const char net[] = "[net m(image, classes, deep=1)]\n"
                              "out = image | flatten | linear(classes)\n"
                              "[step]\n";
    static const struct {
        const char *value, *message;
    } cases[] = {
        {"m(image)", "job.ini:4:7: m: classes is missing"},
        {"m(image, clases=3)",
         "job.ini:4:16: m has no parameter 'clases'; did you mean 'classes'?"},
        {"m(image, 1, 2, 3)", "job.ini:4:22: m takes 3 parameters, found more"},
        {"m(image, 1, classes=2)", "job.ini:4:19: m: classes is given twice"},
        {"image | m(1, image=image)", "job.ini:4:20: m: image is given twice"},
        {"m(image, image)", "job.ini:2:32: linear: channels is a tensor, expected a number"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];

        snprintf(text, sizeof text, "%sout = %s\n", net, cases[i].value);
        check_step_refused(text, cases[i].message);
    }
}

static void nets_are_bound_before_they_are_used(void **state) {
    (void)state;
    check_shape("[job]\nmodel = m(classes=9)\n"
                "[net m(image, classes=10)]\nout = image | flatten | linear(classes)\n"
                "[step]\nout = model(image)\n",
                (struct shape){2, {4, 9}});
    check_shape("[net m(image, classes=10)]\nout = image | flatten | linear(classes)\n"
                "[step]\nf = m(classes=6)\nout = image | f\n",
                (struct shape){2, {4, 6}});
    check_step_refused("[step]\nout = model(image)\n",
                       "job.ini:2:7: found 'model', but [job] has no key model");
    check_step_refused("[job]\nmodel = 3\n[step]\nout = model(image)\n",
                       "job.ini:2:9: model: found a number, expected a net as in "
                       "resnet20(classes=10)");
}

static void a_net_ends_in_a_tensor(void **state) {
    (void)state;
    check_net_refused("channels(image)",
                      "job.ini:2:7: m: its last statement is a number, expected a tensor");
    check_step_refused("[net m(image)]\n[step]\nout = m(image)\n",
                       "job.ini:1:1: [net m] has no statements");
}

static void a_block_inside_itself_is_refused(void **state) {
    (void)state;
    check_step_refused("[block b(x)]\ny = x | conv(2) | b\n"
                       "[net m(image)]\nout = image | b\n[step]\nout = m(image)\n",
                       "job.ini:2:19: b is used inside itself more than 48 deep, expected less");
    check_step_refused("[net m(image)]\nout = image | m\n[step]\nout = m(image)\n",
                       "job.ini:2:15: m is used inside itself more than 48 deep, expected less");
    check_step_refused("[block a(x)]\ny = x | b\n[block b(x)]\ny = x | a\n"
                       "[net m(image)]\nout = image | a\n[step]\nout = m(image)\n",
                       "job.ini:2:9: b is used inside itself more than 48 deep, expected less");
}

/* 64 channels 8x8, pool to 4x4, 128 channels twice, mean, 10 classes. */
static void arch_reads_the_notation_of_lectures(void **state) {
    (void)state;
    static const char text[] = "[job]\nmodel = arch(\"C64 B R R P C128 B R C128 B R G L10\")\n"
                               "[step]\nout = model(image)\n";
    struct job_case job;
    struct step_case step;
    struct err err = {0};
    char names[512];

    check_shape(text, (struct shape){2, {4, 10}});
    job_init(&job, text);
    const struct graph_config config = job_config(&job, "");
    assert_int_equal(graph_new(&step.graph, &config, &err), 0);
    net_names(&job.model.nets[0]->weights, names, sizeof names);
    assert_string_equal(names, "conv1.weight bn1.weight bn1.bias conv2.weight bn2.weight bn2.bias "
                               "conv3.weight bn3.weight bn3.bias linear1.weight linear1.bias");
    /* 3*3*(3*64 + 64*128 + 128*128), 2 of each norm's channels, 128*10 + 10 */
    assert_int_equal(net_n_weights(job.model.nets[0]), 222912 + 640 + 1290);
    job_release(&job);
}

static void arch_flattens_what_is_not_pooled_away(void **state) {
    (void)state;
    check_shape("[job]\nmodel = arch(\" C2 P  D0.3 L7 R D L5\")\n[step]\nout = model(image)\n",
                (struct shape){2, {4, 5}});
}

static void arch_refuses_what_it_does_not_know(void **state) {
    (void)state;
    static const char *const words[] = {"C",  "C0",  "C2.5", "C-3", "X",
                                        "R3", "P2x", "L",    "Cx",  "c8"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[256], message[256];

        snprintf(text, sizeof text, "[step]\nf = arch(\"C4 %s\")\nout = f(image)\n", words[i]);
        snprintf(message, sizeof message,
                 "job.ini:2:10: arch: found '%s', expected C<channels>, B, R, P, G, D<p> or "
                 "L<channels>",
                 words[i]);
        check_step_refused(text, message);
    }
    check_step_refused("[step]\nf = arch(4)\n",
                       "job.ini:2:5: arch takes one string, as in arch(\"C64 B R G L10\")");
}

static void two_archs_in_one_job_are_refused(void **state) {
    (void)state;
    check_step_refused("[step]\nf = arch(\"C4 G L2\")\ng = arch(\"C4 R G L2\")\n"
                       "a = f(image)\nb = g(image)\n",
                       "job.ini:5:5: found another arch(...) than before; write them as two "
                       "[net] instead");
}

static void bias_is_left_out_where_bn_follows(void **state) {
    (void)state;
    check_weights("[net m(image)]\n"
                  "a = image | conv(4)\n"
                  "b = a | bn | relu\n"
                  "c = b | conv(4)\n"
                  "d = c | relu | bn\n"
                  "[step]\nout = m(image)\n",
                  "a.weight b.weight b.bias c.weight c.bias d.weight d.bias");
    check_weights("[block unit(x)]\n"
                  "y = x | conv(4)\n"
                  "[net m(image)]\n"
                  "a = image | unit\n"
                  "n = a | bn\n"
                  "f = n | flatten | linear(5)\n"
                  "g = f | bn\n"
                  "[step]\nout = m(image)\n",
                  "a.y.weight n.weight n.bias f.weight g.weight g.bias");
}

static void bias_stays_where_someone_else_reads_too(void **state) {
    (void)state;
    check_weights("[net m(image)]\n"
                  "a = image | conv(4)\n"
                  "b = (a | bn) + a\n"
                  "[step]\nout = m(image)\n",
                  "a.weight a.bias b.weight b.bias");
    check_weights("[net m(image)]\n"
                  "a = image | conv(4)\n"
                  "b = concat(a | bn(name=one), a | bn(name=two))\n"
                  "[step]\nout = m(image)\n",
                  "a.weight one.weight one.bias two.weight two.bias");
    check_weights("[net m(image)]\n"
                  "a = image | conv(4, bias=true)\n"
                  "b = a | bn\n"
                  "c = b | conv(4, bias=false)\n"
                  "[step]\nout = m(image)\n",
                  "a.weight a.bias b.weight b.bias c.weight");
}

static void arithmetic_broadcasts(void **state) {
    (void)state;
    check_net("image * 2 - 1", (struct shape){4, {4, 8, 8, 3}});
    check_net("-image / 4", (struct shape){4, {4, 8, 8, 3}});
    check_net("image * (image | global_avgpool)", (struct shape){4, {4, 8, 8, 3}});
    check_net("1 - (image | conv(1)) * image", (struct shape){4, {4, 8, 8, 3}});
    check_value_refused("image * \"a\"", "job.ini:2:15: mul: found a string, expected a tensor");
    check_value_refused("image > 2",
                        "job.ini:2:13: '>' between a tensor and a number, expected numbers");
}

static void share_takes_a_block(void **state) {
    (void)state;
    check_net_refused("share(relu)", "job.ini:2:13: share: 'relu' is no block");
    check_net_refused("share()", "job.ini:2:7: share takes the name of a block first");
    check_net_refused("share(3)", "job.ini:2:7: share takes the name of a block first");
}

static void what_is_no_function_cannot_be_called(void **state) {
    (void)state;
    check_net_refused("image | image", "job.ini:2:15: 'image' is a tensor and cannot be called");
    check_value_refused("3 | label(2)", "job.ini:2:11: 'label' is a tensor and cannot be called");
    check_step_refused("[net label(x)]\ny = x | relu\n[step]\nout = label(image)\n",
                       "job.ini:4:7: 'label' is a tensor and cannot be called; [net label] of the "
                       "same name is hidden by it: rename the net");
}

static void train_lists_nets_that_are_used(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\nfc = image | flatten | linear(2)\n"
                       "[net other(image)]\nfc = image | flatten | linear(2)\n"
                       "[step]\nloss = mse(m(image), 0)\ntrain = m, other\n",
                       "job.ini:7:12: train: net other is not used");
    check_step_refused("[net m(image)]\nfc = image | flatten | linear(2)\n"
                       "[step]\nloss = mse(m(image), 0)\ntrain = image\n",
                       "job.ini:5:9: train: found a tensor, expected the name of a net");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_follow_the_operators),
        cmocka_unit_test(statements_of_a_step_stand_in_any_order),
        cmocka_unit_test(a_net_after_itself_keeps_its_bias),
        cmocka_unit_test(shared_blocks_take_their_arguments_where_they_are_shared),
        cmocka_unit_test(dimensions_are_numbers),
        cmocka_unit_test(whole_numbers_are_needed_where_they_are),
        cmocka_unit_test(if_takes_only_one_branch),
        cmocka_unit_test(statements_of_a_net_are_its_members),
        cmocka_unit_test(members_that_are_not_there_are_refused),
        cmocka_unit_test(operators_with_parameters_in_a_step_are_refused),
        cmocka_unit_test(unknown_words_are_told_the_nearest),
        cmocka_unit_test(nets_see_only_their_parameters),
        cmocka_unit_test(shapes_that_do_not_fit_are_told_with_their_place),
        cmocka_unit_test(inputs_are_counted),
        cmocka_unit_test(arguments_of_nets_are_checked),
        cmocka_unit_test(nets_are_bound_before_they_are_used),
        cmocka_unit_test(a_net_ends_in_a_tensor),
        cmocka_unit_test(a_block_inside_itself_is_refused),
        cmocka_unit_test(arch_reads_the_notation_of_lectures),
        cmocka_unit_test(arch_flattens_what_is_not_pooled_away),
        cmocka_unit_test(arch_refuses_what_it_does_not_know),
        cmocka_unit_test(two_archs_in_one_job_are_refused),
        cmocka_unit_test(bias_is_left_out_where_bn_follows),
        cmocka_unit_test(bias_stays_where_someone_else_reads_too),
        cmocka_unit_test(arithmetic_broadcasts),
        cmocka_unit_test(share_takes_a_block),
        cmocka_unit_test(what_is_no_function_cannot_be_called),
        cmocka_unit_test(train_lists_nets_that_are_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
