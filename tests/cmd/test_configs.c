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
    const char *small_args; /* of the net as trained here */
    int small_size;         /* of its images */
};

static const struct net_case nets[] = {
    {"densenet121", 224, NULL, 7978856, "growth=8", 32},
    {"densenet169", 224, NULL, 14149480, "growth=4", 32},
    {"densenet201", 224, NULL, 20013928, "growth=4", 32},
    {"lenet5", 32, NULL, 62006, "", 32},
    {"mlp", 32, NULL, 1841162, "width=32", 32},
    {"mobilenet_v1", 224, NULL, 4231976, "width=0.25", 64},
    {"resnet101", 224, NULL, 44549160, "width=8", 64},
    {"resnet110", 32, NULL, 1727962, "", 32},
    {"resnet152", 224, NULL, 60192808, "width=8", 64},
    {"resnet18", 224, NULL, 11689512, "width=16", 64},
    {"resnet20", 32, NULL, 269722, "", 32},
    {"resnet32", 32, NULL, 464154, "", 32},
    {"resnet34", 224, NULL, 21797672, "width=16", 64},
    {"resnet44", 32, NULL, 658586, "", 32},
    {"resnet50", 224, NULL, 25557032, "width=16", 64},
    {"resnet56", 32, NULL, 853018, "", 32},
    {"resnext50_32x4d", 224, NULL, 25028904, "width=16, groups=8", 64},
    {"softmax_regression", 32, NULL, 30730, "", 32},
    {"vgg11_cifar", 32, NULL, 9228362, "", 32},
    {"wide_resnet50_2", 224, NULL, 68883240, "width=8", 64},
    {"wrn28_10", 32, NULL, 36479194, "k=1", 32},
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
    if (source_read(&b->source, "show.ini", NULL, 0, &err))
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
    program_expect(0, NULL, "$DLTRAIN %s.ini --set lr=0.01", c->name);
    if (finite_losses(c->name) != STEPS)
        fail_msg("%s: losses are missing or not finite", c->name);
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN %s.ini --set lr=0.01 --set name=np2", c->name);
    if (finite_losses("np2") != STEPS)
        fail_msg("%s on 2 ranks: losses are missing or not finite", c->name);
    program_expect(0, NULL, "rm -r runs");
}

static void every_net_trains_on_one_and_two_ranks(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN data synth tiny.h5 --train 12 --test 4");
    for (int i = 0; i < N_NETS; i++)
        train(&nets[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_net_has_the_parameters_of_its_source),
        cmocka_unit_test(every_net_trains_on_one_and_two_ranks),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
