#include "core/graph/graph_case.h"

/* As in the manual of the language; names and sizes as in torchvision. */
static const char resnet50[] =
    "[block bottleneck(x, width, stride=1)]\n"
    "y    = x | conv(width, 1) | bn | relu | conv(width, 3, stride=stride) | bn | relu |"
    " conv(4*width, 1) | bn\n"
    "skip = if(stride > 1 or channels(x) != 4*width, x | conv(4*width, 1, stride=stride) | bn, x)\n"
    "out  = y + skip | relu\n"
    "[net resnet50(image, classes=1000)]\n"
    "stem   = image | conv(64, 7, stride=2) | bn | relu | maxpool(3, stride=2, pad=1)\n"
    "layer1 = stem   | bottleneck(64)^3\n"
    "layer2 = layer1 | bottleneck(128, stride=2) | bottleneck(128)^3\n"
    "layer3 = layer2 | bottleneck(256, stride=2) | bottleneck(256)^5\n"
    "layer4 = layer3 | bottleneck(512, stride=2) | bottleneck(512)^2\n"
    "fc     = layer4 | global_avgpool | linear(classes)\n"
    "[step]\n"
    "loss  = cross_entropy(resnet50(image), label)\n"
    "train = resnet50\n";

/* The net m of a job whose step is: out = m(image). */
static void check_names(const char *text, const char *expected) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};
    char names[4096];

    job_init(&job, text);
    const struct graph_config config = job_config(&job, "");
    if (graph_new(&step.graph, &config, &err))
        fail_msg("%s", err.msg);
    net_names(&model_find(&job.model, "m")->weights, names, sizeof names);
    assert_string_equal(names, expected);
    job_release(&job);
}

static bool shape_is(const struct param *p, int rank, int64_t a, int64_t b, int64_t c, int64_t d) {
    return shape_equal(&p->shape, &(struct shape){rank, {a, b, c, d}});
}

/* 25,557,032 weights in 161 tensors and 106 running statistics: torchvision's resnet50. */
static void resnet50_has_the_names_and_sizes_of_torchvision(void **state) {
    (void)state;
    struct job_case job;
    struct step_case step;

    job_init(&job, resnet50);
    job.batch = 1;
    job.fields[0].sample = (struct shape){3, {224, 224, 3}};
    step_init(&step, &job, "");
    const struct net *net = model_find(&job.model, "resnet50");
    assert_int_equal(net_n_weights(net), 25557032);
    assert_int_equal(net->weights.n, 161);
    assert_int_equal(net->states.n, 106);
    assert_true(shape_is(find_param(net, "conv1.weight"), 4, 7, 7, 3, 64));
    assert_true(shape_is(find_param(net, "bn1.bias"), 1, 64, 0, 0, 0));
    assert_true(shape_is(find_param(net, "layer1.0.conv1.weight"), 4, 1, 1, 64, 64));
    assert_true(shape_is(find_param(net, "layer1.0.conv4.weight"), 4, 1, 1, 64, 256));
    assert_true(shape_is(find_param(net, "layer3.5.conv2.weight"), 4, 3, 3, 256, 256));
    assert_true(shape_is(find_param(net, "layer4.2.bn3.weight"), 1, 2048, 0, 0, 0));
    assert_true(shape_is(find_param(net, "fc.weight"), 2, 2048, 1000, 0, 0) ||
                shape_is(find_param(net, "fc.weight"), 2, 1000, 2048, 0, 0));
    assert_true(shape_is(find_param(net, "fc.bias"), 1, 1000, 0, 0, 0));
    job_release(&job);
}

static void a_single_operator_takes_the_name_of_its_statement(void **state) {
    (void)state;
    check_names("[net m(image)]\n"
                "stem = image | conv(4) | relu | maxpool(2)\n"
                "fc   = stem | flatten | linear(5)\n"
                "[step]\nout = m(image)\n",
                "stem.weight stem.bias fc.weight fc.bias");
}

static void a_single_block_takes_the_name_of_its_statement(void **state) {
    (void)state;
    check_names("[block unit(x, width)]\n"
                "y = x | conv(width, bias=false) | bn | relu\n"
                "[net m(image)]\n"
                "first = image | unit(4) | maxpool(2)\n"
                "[step]\nout = m(image)\n",
                "first.conv1.weight first.bn1.weight first.bn1.bias");
}

static void uses_of_one_block_are_numbered_from_0(void **state) {
    (void)state;
    check_names("[block unit(x, width)]\n"
                "mix = x | conv(width, bias=false)\n"
                "[net m(image)]\n"
                "deep = image | unit(4) | relu | unit(6)^2\n"
                "wide = deep | unit(4)^2\n"
                "[step]\nout = m(image)\n",
                "deep.0.mix.weight deep.1.mix.weight deep.2.mix.weight wide.0.mix.weight "
                "wide.1.mix.weight");
}

static void other_operators_are_counted_through_their_block(void **state) {
    (void)state;
    check_names("[net m(image)]\n"
                "a = image | conv(4) | bn | relu | conv(4) | bn\n"
                "b = a | conv(2, bias=false)\n"
                "c = b | conv(4) | bn\n"
                "[step]\nout = m(image)\n",
                "conv1.weight bn1.weight bn1.bias conv2.weight bn2.weight bn2.bias b.weight "
                "conv3.weight bn3.weight bn3.bias");
}

static void a_block_starts_its_own_count(void **state) {
    (void)state;
    check_names("[block unit(x, width)]\n"
                "y = x | conv(width, bias=false) | conv(width, bias=false)\n"
                "[net m(image)]\n"
                "a = image | conv(4, bias=false) | unit(4) | conv(4, bias=false)\n"
                "b = a | unit(4)\n"
                "[step]\nout = m(image)\n",
                "conv1.weight unit1.conv1.weight unit1.conv2.weight conv2.weight b.conv1.weight "
                "b.conv2.weight");
}

static void blocks_of_two_kinds_are_counted_by_kind(void **state) {
    (void)state;
    check_names("[block one(x)]\n"
                "y = x | conv(4, bias=false)\n"
                "[block two(x)]\n"
                "y = x | conv(4, 1, bias=false)\n"
                "[net m(image)]\n"
                "a = image | one | two | one\n"
                "[step]\nout = m(image)\n",
                "one1.y.weight two1.y.weight one2.y.weight");
}

static void what_has_no_parameters_takes_no_name(void **state) {
    (void)state;
    check_names("[block pool(x)]\n"
                "y = x | relu | maxpool(2)\n"
                "[net m(image)]\n"
                "a = image | pool | conv(4, bias=false) | pool\n"
                "[step]\nout = m(image)\n",
                "a.weight");
}

/* The count leaves out what the statement's name or name= has taken. */
static void counted_names_avoid_names_that_are_taken(void **state) {
    (void)state;
    check_names("[net m(image)]\n"
                "conv1 = image | conv(4, bias=false)\n"
                "b     = conv1 | conv(4, bias=false) | conv(4, bias=false)\n"
                "[step]\nout = m(image)\n",
                "conv1.weight conv2.weight conv3.weight");
    check_names("[net m(image)]\n"
                "conv2 = image | conv(4, bias=false)\n"
                "b     = conv2 | conv(4, bias=false) | conv(4, bias=false)\n"
                "[step]\nout = m(image)\n",
                "conv2.weight conv3.weight conv4.weight");
}

static void the_branch_of_an_if_that_is_not_taken_has_no_parameters(void **state) {
    (void)state;
    check_names("[net m(image, deep=0)]\n"
                "a = if(deep > 0, image | conv(4) | conv(4), image | conv(2, bias=false))\n"
                "[step]\nout = m(image)\n",
                "a.weight");
}

static void name_overrides(void **state) {
    (void)state;
    check_names("[block unit(x)]\n"
                "y = x | conv(4, bias=false)\n"
                "[net m(image)]\n"
                "a = image | conv(4, bias=false, name=stem) | unit(name=\"body\")\n"
                "b = a | conv(4, bias=false, name=c) | conv(4, bias=false)\n"
                "[step]\nout = m(image)\n",
                "stem.weight body.y.weight c.weight b.weight");
}

/* As torch.nn.Sequential counts: every stage, with parameters or without, each use of ^. */
static void numbered_counts_every_stage_that_follows(void **state) {
    (void)state;
    check_names("[net m(image)]\n"
                "features = image | numbered | conv(4, bias=false) | relu | maxpool(2) |"
                " conv(4, bias=false)^2 | relu^2 | conv(4, bias=false)\n"
                "fc = features | flatten | numbered | dropout | linear(5, bias=false)\n"
                "[step]\nout = m(image)\n",
                "features.0.weight features.3.weight features.4.weight features.7.weight "
                "fc.1.weight");
}

static void a_block_is_one_stage_and_has_names_of_its_own(void **state) {
    (void)state;
    check_names("[block unit(x)]\n"
                "y = x | conv(4, bias=false) | bn\n"
                "[net m(image)]\n"
                "a = image | numbered | unit | relu | unit^2 | conv(3, bias=false)\n"
                "[step]\nout = m(image)\n",
                "a.0.conv1.weight a.0.bn1.weight a.0.bn1.bias a.2.conv1.weight a.2.bn1.weight "
                "a.2.bn1.bias a.3.conv1.weight a.3.bn1.weight a.3.bn1.bias a.4.weight");
}

static void numbered_takes_another_name_or_none(void **state) {
    (void)state;
    check_names("[block unit(x)]\n"
                "y = x | numbered(name=\"\") | conv(4, bias=false) | relu | conv(4, bias=false)\n"
                "[net m(image)]\n"
                "a = image | numbered(name=\"body.conv\") | unit\n"
                "[step]\nout = m(image)\n",
                "body.conv.0.0.weight body.conv.0.2.weight");
}

static void a_numbered_chain_ends_with_its_pipe(void **state) {
    (void)state;
    check_names("[block unit(x)]\n"
                "y = x | conv(4, bias=false)\n"
                "[net m(image)]\n"
                "a = image | numbered | conv(4, bias=false)\n"
                "b = a | conv(4, bias=false)\n"
                "c = b | numbered | unit\n"
                "d = if(channels(c) > 3, c | numbered | conv(4, 1, bias=false), c) +"
                " (c | conv(4, 1, bias=false)) | bn\n"
                "[step]\nout = m(image)\n",
                "a.0.weight b.weight c.0.y.weight d.0.weight conv1.weight bn1.weight bn1.bias");
}

static void a_name_may_leave_its_place_in_the_numbers(void **state) {
    (void)state;
    check_names("[net m(image)]\n"
                "a = image | numbered | conv(4, bias=false, name=stem) | conv(4, bias=false)\n"
                "[step]\nout = m(image)\n",
                "stem.weight a.1.weight");
}

static void a_group_is_repeated_as_if_written_out(void **state) {
    (void)state;
    check_names("[net m(image, n=2)]\n"
                "a = image | numbered | (conv(4, bias=false) | relu)^(n) | maxpool(2) |"
                " ((conv(5, bias=false) | relu)^2 | maxpool(2))^1 | (conv(6) | relu)^0\n"
                "b = a | (conv(3, bias=false) | relu)^2\n"
                "[step]\nout = m(image)\n",
                "a.0.weight a.2.weight a.5.weight a.7.weight conv1.weight conv2.weight");
}

static void a_pattern_counts_its_parts_in_the_body(void **state) {
    (void)state;
    check_names("[block layer(x)]\n"
                "y = x | bn(name=\"norm#\") | conv(4, bias=false) | bn(name=\"norm#\")\n"
                "[net m(image)]\n"
                "a = image | layer(name=\"block1.layer#\")^2\n"
                "b = a | layer(name=\"block2.layer#\") | bn(name=\"norm#\")\n"
                "[step]\nout = m(image)\n",
                "block1.layer1.norm1.weight block1.layer1.norm1.bias block1.layer1.y.weight "
                "block1.layer1.norm2.weight block1.layer1.norm2.bias block1.layer2.norm1.weight "
                "block1.layer2.norm1.bias block1.layer2.y.weight block1.layer2.norm2.weight "
                "block1.layer2.norm2.bias block2.layer1.norm1.weight block2.layer1.norm1.bias "
                "block2.layer1.y.weight block2.layer1.norm2.weight block2.layer1.norm2.bias "
                "norm1.weight norm1.bias");
}

static void a_number_that_is_taken_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a = (image | numbered | conv(3)) + (image | numbered | conv(3))\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:2:56: found the name a.0, which another part of m has");
}

static void numbered_out_of_place_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a = numbered(image) | conv(3)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:2:5: numbered stands behind a bar, as in x | numbered | conv(8) | "
                       "relu");
    check_step_refused("[net m(image)]\n"
                       "a = image | numbered(first=3) | conv(3)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:2:22: numbered: found 'first', expected nothing or name=");
    check_step_refused("[step]\nout = image | numbered | relu\n",
                       "job.ini:2:15: numbered stands in [net] and [block] only");
}

static void names_that_no_file_could_hold_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"", "a/b", "a b", ".a", "a.", "a..b", "l#.#"};
    char text[128], message[256];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text,
                 "[net m(image)]\na = image | conv(3, name=\"%s\")\n[step]\nout = m(image)\n",
                 names[i]);
        snprintf(message, sizeof message,
                 "job.ini:2:26: conv: found the name '%s', expected letters, digits, _, -, dots "
                 "between them and at most one # for a count",
                 names[i]);
        check_step_refused(text, message);
    }
}

static void two_parts_of_one_name_are_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a = image | conv(3, bias=false, name=c) | conv(3, bias=false, name=c)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:2:63: found the name c, which another part of m has");
}

static void a_statement_of_a_taken_name_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a     = image | conv(3) | conv(3)\n"
                       "conv2 = a | conv(3)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:3:1: found the name conv2, which another part of m has");
}

static void a_name_that_is_no_name_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "a = image | conv(3, name=3)\n"
                       "[step]\nout = m(image)\n",
                       "job.ini:2:26: conv: name is not a word, expected a name");
}

/* x + (x | f) + (x | f | f) of PolyNet has the parameters of one f. */
static void a_shared_block_has_one_set_of_parameters(void **state) {
    (void)state;
    check_names("[block unit(x, width)]\n"
                "y = x | conv(width) | bn | relu | conv(3, bias=false)\n"
                "[net m(image)]\n"
                "f   = share(unit, 6)\n"
                "out = image + (image | f) + (image | f | f)\n"
                "[step]\nout = m(image)\n",
                "f.conv1.weight f.bn1.weight f.bn1.bias f.conv2.weight");
}

/* F of PolyNet's poly-2: its uses share a convolution and have batch norms of their own. */
static void a_shared_block_can_be_handed_to_blocks(void **state) {
    (void)state;
    check_names("[block plain(x, width)]\n"
                "y = x | conv(width, bias=false)\n"
                "[block unit(x, f)]\n"
                "out = x | f | bn\n"
                "[net m(image)]\n"
                "f = share(plain, 3)\n"
                "a = image | unit(f)\n"
                "b = a | unit(f)\n"
                "[step]\nout = m(image)\n",
                "f.y.weight a.out.weight a.out.bias b.out.weight b.out.bias");
}

static void a_net_in_a_pipe_shares_its_one_set(void **state) {
    (void)state;
    static const char text[] = "[net f(x)]\n"
                               "y = x | conv(3)\n"
                               "[net m(image)]\n"
                               "y = image | f | f | f\n"
                               "[step]\nout = m(image)\n";
    struct job_case job;
    struct step_case step;
    struct err err = {0};
    char names[256];

    job_init(&job, text);
    const struct graph_config config = job_config(&job, "");
    assert_int_equal(graph_new(&step.graph, &config, &err), 0);
    net_names(&model_find(&job.model, "f")->weights, names, sizeof names);
    assert_string_equal(names, "y.weight y.bias");
    assert_int_equal(model_find(&job.model, "m")->weights.n, 0);
    job_release(&job);
}

static void a_block_in_a_pipe_has_new_ones(void **state) {
    (void)state;
    check_names("[block f(x)]\n"
                "y = x | conv(3, bias=false)\n"
                "[net m(image)]\n"
                "a = image | f | f | f\n"
                "[step]\nout = m(image)\n",
                "a.0.y.weight a.1.y.weight a.2.y.weight");
}

static void another_graph_finds_the_same_parameters(void **state) {
    (void)state;
    struct job_case job;
    struct step_case one, two;

    job_init(&job, "[net m(image)]\n"
                   "a = image | conv(4) | bn | relu | global_avgpool\n"
                   "b = a | linear(2)\n"
                   "[step one]\nloss = cross_entropy(m(image), label)\ntrain = m\n"
                   "[step two]\nloss = mse(m(image), 1)\ntrain = m\n");
    step_init(&one, &job, "one");
    const int n = job.model.nets[0]->weights.n;
    step_init(&two, &job, "two");
    assert_int_equal(job.model.n_nets, 1);
    assert_int_equal(job.model.nets[0]->weights.n, n);
    assert_int_equal(n, 5);
    job_release(&job);
}

static void a_net_used_with_other_arguments_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image, classes=10)]\n"
                       "fc = image | flatten | linear(classes)\n"
                       "[step]\n"
                       "a = m(image, classes=4)\n"
                       "b = m(image, 5)\n",
                       "job.ini:5:5: net m is used with another classes than before; a net has "
                       "one set of parameters, a block has new ones at each use");
    check_step_refused("[net m(image, stride=1)]\n"
                       "c = image | conv(4, stride=stride)\n"
                       "[step]\n"
                       "a = m(image, stride=[1, 2])\n"
                       "b = m(image, [2, 1])\n",
                       "job.ini:5:5: net m is used with another stride than before; a net has "
                       "one set of parameters, a block has new ones at each use");
}

static void a_net_whose_input_changes_its_parameters_is_refused(void **state) {
    (void)state;
    check_step_refused("[net m(image)]\n"
                       "fc = image | flatten | linear(2)\n"
                       "[step]\n"
                       "a = m(image)\n"
                       "b = m(image | maxpool(2))\n",
                       "job.ini:2:24: net m: parameter fc.weight would have the shapes 192x2 and "
                       "48x2 in two uses of its net");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet50_has_the_names_and_sizes_of_torchvision),
        cmocka_unit_test(a_single_operator_takes_the_name_of_its_statement),
        cmocka_unit_test(a_single_block_takes_the_name_of_its_statement),
        cmocka_unit_test(uses_of_one_block_are_numbered_from_0),
        cmocka_unit_test(other_operators_are_counted_through_their_block),
        cmocka_unit_test(a_block_starts_its_own_count),
        cmocka_unit_test(blocks_of_two_kinds_are_counted_by_kind),
        cmocka_unit_test(what_has_no_parameters_takes_no_name),
        cmocka_unit_test(counted_names_avoid_names_that_are_taken),
        cmocka_unit_test(the_branch_of_an_if_that_is_not_taken_has_no_parameters),
        cmocka_unit_test(name_overrides),
        cmocka_unit_test(numbered_counts_every_stage_that_follows),
        cmocka_unit_test(a_block_is_one_stage_and_has_names_of_its_own),
        cmocka_unit_test(numbered_takes_another_name_or_none),
        cmocka_unit_test(a_numbered_chain_ends_with_its_pipe),
        cmocka_unit_test(a_name_may_leave_its_place_in_the_numbers),
        cmocka_unit_test(a_group_is_repeated_as_if_written_out),
        cmocka_unit_test(a_pattern_counts_its_parts_in_the_body),
        cmocka_unit_test(a_number_that_is_taken_is_refused),
        cmocka_unit_test(numbered_out_of_place_is_refused),
        cmocka_unit_test(names_that_no_file_could_hold_are_refused),
        cmocka_unit_test(two_parts_of_one_name_are_refused),
        cmocka_unit_test(a_statement_of_a_taken_name_is_refused),
        cmocka_unit_test(a_name_that_is_no_name_is_refused),
        cmocka_unit_test(a_shared_block_has_one_set_of_parameters),
        cmocka_unit_test(a_shared_block_can_be_handed_to_blocks),
        cmocka_unit_test(a_net_in_a_pipe_shares_its_one_set),
        cmocka_unit_test(a_block_in_a_pipe_has_new_ones),
        cmocka_unit_test(another_graph_finds_the_same_parameters),
        cmocka_unit_test(a_net_used_with_other_arguments_is_refused),
        cmocka_unit_test(a_net_whose_input_changes_its_parameters_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
