/* The networks of configs/: each has as many parameters as its paper or the implementation named
 * in it says, those that torchvision has too have its names and shapes, and each one trains. */
#include "core/graph/graph.h"
#include "support/program.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 3 };

struct net_case {
    const char *name;       /* of the net and of its file */
    int size;               /* of its images */
    const char *args;       /* of the net as counted; NULL: none */
    int64_t n_weights;      /* as counted */
    const char *small_args; /* of the net as trained here; NULL: detectors, elsewhere */
    int small_size;         /* of its images */
    uint64_t names;         /* from tests/golden/torchvision_names.py; 0: not of torchvision */
};

static const struct net_case nets[] = {
    {"alexnet", 224, NULL, 61100840, "hidden=64", 64, 0xa2f135e2bbbf6953},
    {"darknet53", 256, NULL, 41609928, "width=4", 64, 0},
    {"densenet121", 224, NULL, 7978856, "growth=8", 32, 0x1fbd7fd86c0b090c},
    {"densenet169", 224, NULL, 14149480, "growth=4", 32, 0x9a01bb13b60e11a0},
    {"densenet201", 224, NULL, 20013928, "growth=4", 32, 0x2957ce233ddeac5c},
    {"googlenet", 224, NULL, 13004888, "", 64, 0x8504ad3a2b8617b9},
    {"inception_resnet_v2", 299, NULL, 55843464, "a=1, b=1, c=1", 75, 0},
    {"inception_v3", 299, NULL, 27161264, "aux=false", 75, 0xc49f94e16d4bcb31},
    {"lenet5", 32, NULL, 62006, "", 32, 0},
    {"mlp", 32, NULL, 1841162, "width=32", 32, 0},
    {"mobilenet_v1", 224, NULL, 4231976, "width=0.25", 64, 0},
    {"mobilenet_v2", 224, NULL, 3504872, "width=0.5", 64, 0x75ace6c4ef0aea3e},
    {"mobilenet_v3_large", 224, NULL, 5483032, "width=0.5", 64, 0x57a6a8a68d22e983},
    {"polynet", 331, NULL, 95366600, "a=1, b=1, c=1", 107, 0},
    {"resnet101", 224, NULL, 44549160, "width=8", 64, 0x1acc8b4ee34f4777},
    {"resnet110", 32, NULL, 1727962, "", 32, 0},
    {"resnet152", 224, NULL, 60192808, "width=8", 64, 0x559401f87c7c7122},
    {"resnet18", 224, NULL, 11689512, "width=16", 64, 0xb85c3fdea5b49c71},
    {"resnet20", 32, NULL, 269722, "", 32, 0},
    {"resnet32", 32, NULL, 464154, "", 32, 0},
    {"resnet34", 224, NULL, 21797672, "width=16", 64, 0xe2106f8184c681b9},
    {"resnet44", 32, NULL, 658586, "", 32, 0},
    {"resnet50", 224, NULL, 25557032, "width=16", 64, 0x61317d261fa01009},
    {"resnet56", 32, NULL, 853018, "", 32, 0},
    {"resnet50_fpn", 64, NULL, 26852416, NULL, 0, 0},
    {"resnext50_32x4d", 224, NULL, 25028904, "width=16, groups=8", 64, 0x5d935c96ea6956a4},
    {"retinanet_resnet50_fpn", 64, NULL, 6691415, NULL, 0, 0}, /* without the pyramid's 27376704 */
    {"se_resnet50", 224, NULL, 28088024, "width=16", 64, 0},
    {"shufflenet_v1", 224, NULL, 1865728, "width=60", 64, 0},
    {"shufflenet_v2_x1_0", 224, NULL, 2278604, "width=24", 64, 0x6df6a11d56cde9b6},
    {"softmax_regression", 32, NULL, 30730, "", 32, 0},
    {"squeezenet1_0", 224, NULL, 1248424, "", 64, 0x5a2fad6c4de9f6dc},
    {"squeezenet1_1", 224, NULL, 1235496, "", 64, 0x1d98d6c3c17fa40f},
    {"ssd300_vgg16", 300, NULL, 35641826, NULL, 0, 0}, /* one name of its own */
    {"ssdlite320_mobilenet_v3_large", 320, NULL, 3440060, NULL, 0, 0x41dff9249fed9450},
    {"vgg11", 224, NULL, 132863336, "width=8, hidden=64", 32, 0x6e9513194a0b5de8},
    {"vgg11_cifar", 32, NULL, 9228362, "", 32, 0},
    {"vgg16", 224, NULL, 138357544, "width=8, hidden=64", 32, 0x5c5c8b2398040527},
    {"vgg16_bn", 224, NULL, 138365992, "width=8, hidden=64", 32, 0xe5bd70a2a9f94e36},
    {"vgg19", 224, NULL, 143667240, "width=8, hidden=64", 32, 0x00e5466267cbcee3},
    {"vgg19_bn", 224, NULL, 143678248, "width=8, hidden=64", 32, 0xcdfb220b614fd43f},
    {"wide_resnet50_2", 224, NULL, 68883240, "width=8", 64, 0xcb39236b6f919f5d},
    {"window", 32, NULL, 57746, "width=4", 32, 0},
    {"wrn28_10", 32, NULL, 36479194, "k=1", 32, 0},
    {"xception", 299, NULL, 22855952, "width=1", 64, 0},
    {"googlenet", 224, "aux=false", 6624904, "aux=false", 64, 0},
};

enum { N_NETS = sizeof nets / sizeof *nets };

/* A net built for one image from its config, as `dltrain show` does. */
struct built {
    struct source source;
    struct model model;
    struct graph *graph;
};

static void build(struct built *b, const char *file, const char *call, int size) {
    const struct field image = {.name = "image", .sample = {3, {size, size, 3}}};
    struct err err = {0};

    *b = (struct built){0};
    program_write("show.ini", "[job]\ninclude = %s/%s.ini\n[step]\nnet = %s\nlogits = net(image)\n",
                  DLTRAIN_CONFIGS, file, call);
    if (source_read(&b->source, "show.ini", NULL, 0, NULL, &err))
        fail_msg("%s: %s", call, err.msg);
    const struct graph_config config = {
        .model = &b->model,
        .source = &b->source,
        .section = source_find(&b->source, "step", ""),
        .fields = &image,
        .n_fields = 1,
        .batch = 1,
    };
    if (graph_new(&b->graph, &config, &err))
        fail_msg("%s: %s", call, err.msg);
}

static void built_release(struct built *b) {
    model_release(&b->model);
    source_release(&b->source);
}

/* Counts of the nets of torchvision, of Keras and of papers; each config says whose. Those of the
 * small ones can be worked by hand: softmax_regression has 3072 * 10 + 10. */
static void every_net_has_the_parameters_of_its_source(void **state) {
    char call[128];

    (void)state;
    for (int i = 0; i < N_NETS; i++) {
        const struct net_case *c = &nets[i];
        struct built b;

        snprintf(call, sizeof call, "%s(%s)", c->name, c->args ? c->args : "");
        build(&b, c->name, c->args ? call : c->name, c->size);
        const int64_t n = net_n_weights(model_find(&b.model, c->name));
        if (n != c->n_weights)
            fail_msg("%s has %lld parameters, expected %lld", call, (long long)n,
                     (long long)c->n_weights);
        built_release(&b);
    }
}

static uint64_t fnv1a(const char *text) {
    uint64_t h = 0xcbf29ce484222325u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

/* The sum over parameters of FNV-1a of "NAME D0 D1 ..", the shape as PyTorch has it. */
static uint64_t names_number(const struct params *params) {
    uint64_t sum = 0;

    for (int i = 0; i < params->n; i++) {
        const struct shape *s = &params->items[i].shape;
        char text[256];
        int at = snprintf(text, sizeof text, "%s", params->items[i].name);
        for (int k = 0; k < s->rank; k++) {
            const int from = s->rank < 2 ? k : k < 2 ? s->rank - 1 - k : k - 2;
            at += snprintf(text + at, sizeof text - (size_t)at, " %lld", (long long)s->dim[from]);
        }
        sum += fnv1a(text);
    }
    return sum;
}

static void nets_of_torchvision_have_its_names_and_shapes(void **state) {
    (void)state;
    for (int i = 0; i < N_NETS; i++) {
        struct built b;

        if (!nets[i].names)
            continue;
        build(&b, nets[i].name, nets[i].name, nets[i].size);
        const struct net *net = model_find(&b.model, nets[i].name);
        if (names_number(&net->weights) + names_number(&net->states) != nets[i].names)
            fail_msg("%s has other names or shapes than in torchvision", nets[i].name);
        built_release(&b);
    }
}

/* The losses of the steps of runs/NAME. Returns how many are finite. */
static int finite_losses(const char *name) {
    char path[128], line[1024];
    int n = 0;

    snprintf(path, sizeof path, "runs/%s/metrics.jsonl", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        const json_t *loss = json_object_get(object, "loss");
        n += json_is_number(loss) && isfinite(json_number_value(loss));
        json_decref(object);
    }
    fclose(file);
    return n;
}

static void train(const struct net_case *c) {
    char job[96];

    snprintf(job, sizeof job, "%s.ini", c->name);
    program_write(job,
                  "[job]\n"
                  "include = %s/%s.ini %s/classify.ini\n"
                  "model = %s(%s%sclasses=10)\n"
                  "steps = %d\n"
                  "[data]\n"
                  "train = tiny.h5:train\n"
                  "validate = tiny.h5:test\n"
                  "augment = image | resize(%d) | normalize\n"
                  "batch = 4\n"
                  "[checkpoint]\n"
                  "last = never\n"
                  "best = false\n"
                  "[log]\n"
                  "every = 1\n",
                  DLTRAIN_CONFIGS, c->name, DLTRAIN_CONFIGS, c->name, c->small_args,
                  c->small_args[0] ? ", " : "", STEPS, c->small_size);
    program_expect(0, NULL, "$DLTRAIN %s.ini --set lr=0.001", c->name);
    if (finite_losses(c->name) != STEPS)
        fail_msg("%s: losses are missing or not finite", c->name);
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN %s.ini --set lr=0.001 --set name=np2", c->name);
    if (finite_losses("np2") != STEPS)
        fail_msg("%s on 2 ranks: losses are missing or not finite", c->name);
    program_expect(0, NULL, "rm -r runs");
}

static void every_net_trains_on_one_and_two_ranks(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN data synth tiny.h5 --train 12 --test 4");
    for (int i = 0; i < N_NETS; i++)
        if (nets[i].small_args)
            train(&nets[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_net_has_the_parameters_of_its_source),
        cmocka_unit_test(nets_of_torchvision_have_its_names_and_shapes),
        cmocka_unit_test(every_net_trains_on_one_and_two_ranks),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
