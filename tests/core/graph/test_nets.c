/* Whole networks of configs/ in double against torchvision's, whose numbers tests/golden/nets.py
 * printed. Weights, images and the directions that gradients are multiplied with are a formula of
 * names and element numbers, the same there. */
#include "core/graph/graph_case.h"

enum { N = 2, CLASSES = 3 };

struct golden {
    const char *name; /* of the net and of its file */
    int size;         /* of its images */
    double logits[N * CLASSES];
    double loss, gradient, states;
};

static const struct golden goldens[] = {
    {"densenet121",
     64,
     {0.744987287905, 1.18777687105, 0.493785524018, 0.65675353304, 1.09449543268, 0.493297019219},
     1.28090870084,
     108.867650862,
     71.3851469443},
    {"googlenet",
     64,
     {-3.89457560599, 0.248364240865, 6.9290076748, -3.649728556, -0.413311580315, 6.21052113178},
     2.49715700605,
     -401.70010811,
     -47.2394292658},
    {"inception_v3",
     107,
     {-2.07042322391, 0.783821729844, 1.73749602143, -2.24255353328, 0.732278432849, 1.77057183923},
     1.97104234432,
     -721.49415557,
     89.3882623997},
    {"mobilenet_v2",
     64,
     {-4.26707433548, -1.78907905491, 3.03557072532, -3.49937522043, -1.65516735481, 3.46939052377},
     2.13955839894,
     -162.505474492,
     -17.0920322935},
    {"resnet18",
     64,
     {-53.8015694753, -22.7295150635, 60.1947595053, -56.2678521747, -26.9291903428, 48.3005804698},
     5.91927803842,
     -78.1416478856,
     11.0568502975},
    {"resnext50_32x4d",
     64,
     {-2341.76415751, 215.685214238, 3077.51313933, -2314.44663793, 120.396966804, 3144.65509999},
     4.58665766897,
     762.336325822,
     1.48100343798},
    {"shufflenet_v2_x1_0",
     64,
     {18.6564539258, -57.323736346, 60.6787361744, 19.4416767818, -56.1704343446, 59.6524881347},
     2.12573006257,
     135.68284954,
     57.3501646786},
    {"squeezenet1_1",
     64,
     {0, 0.115721683325, 0.990707185656, 0, 0.0979403497243, 0.89407384938},
     1.49432335464,
     -1.63354956598,
     0},
};

/* FNV-1a of before and name, one after the other. */
static uint64_t name_key(const char *before, const char *name) {
    uint64_t h = 0xcbf29ce484222325u;

    for (; *before; before++)
        h = (h ^ (unsigned char)*before) * 0x100000001b3u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

/* In [-1, 1): the mixing at the end of MurmurHash3. */
static double number(uint64_t key, int64_t i) {
    uint64_t x = key + (uint64_t)i * 0x9e3779b97f4a7c15u;

    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    return 2 * ((double)(x >> 11) * 0x1p-53) - 1;
}

static bool ends_with(const char *name, const char *end) {
    const size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && !strcmp(name + len - end_len, end);
}

/* value = offset + scale * number */
static void fill(const struct params *params, real *span) {
    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        const uint64_t key = name_key("", p->name);
        const int rank = p->shape.rank;
        double offset = 0, scale = 0.2;

        if (rank > 1) {
            scale = sqrt(6 * (double)p->shape.dim[rank - 1] / (double)p->len);
        } else if (ends_with(p->name, ".weight")) {
            offset = 1;
            scale = 0.25;
        } else if (ends_with(p->name, ".running_var")) {
            offset = 1;
            scale = 0.5;
        }
        for (int64_t k = 0; k < p->len; k++)
            span[p->offset + k] = (real)(offset + scale * number(key, k));
    }
}

/* The scalar product of a span with numbers of the formula. */
static double product(const struct params *params, const real *span) {
    double sum = 0;

    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        const uint64_t key = name_key("along ", p->name);
        for (int64_t k = 0; k < p->len; k++)
            sum += (double)span[p->offset + k] * number(key, k);
    }
    return sum;
}

static void check(const char *name, const char *what, double found, double expected) {
    if (!(fabs(found - expected) <= 1e-8 * (fabs(expected) + 1e-3)))
        fail_msg("%s: %s is %.12g, expected %.12g", name, what, found, expected);
}

/* The logits in evaluation, before the step moves the running statistics. */
static void check_logits(struct job_case *job, const struct golden *golden, const act *image) {
    const struct graph_config config = job_config(job, "evaluation");
    struct step_case step = {0};
    struct err err = {0};

    if (graph_new(&step.graph, &config, &err))
        fail_msg("%s", err.msg);
    const int logits = graph_find(step.graph, "logits");
    const struct plan_config plan = {
        .graph = step.graph, .outputs = &logits, .n_outputs = 1, .loss = -1, .tensors = true};
    if (plan_new(&step.plan, &plan, &err))
        fail_msg("%s", err.msg);
    step_place(&step);
    step_run(&step, image, NULL, N, 0, NULL);
    const act *y = step.plan->nodes[logits].call.y.data;
    for (int i = 0; i < N * CLASSES; i++)
        check(golden->name, "a logit", (double)y[i], golden->logits[i]);
    step_release(&step);
}

static void check_net(const struct golden *golden, const char *args, const char *more_loss) {
    const int64_t len = (int64_t)N * golden->size * golden->size * 3;
    const int32_t label[N] = {0, 1};
    struct job_case job;
    struct step_case step;
    char text[1024];

    snprintf(text, sizeof text,
             "[job]\ninclude = %s/%s.ini\nmodel = %s(%sclasses=%d)\n"
             "[step evaluation]\nlogits = model(image)\n"
             "[step]\nm = model(image)\nloss = cross_entropy(m, label)%s\ntrain = %s\n",
             DLTRAIN_CONFIGS, golden->name, golden->name, args, CLASSES, more_loss, golden->name);
    job_init(&job, text);
    job.batch = N;
    job.fields[0].sample = (struct shape){3, {golden->size, golden->size, 3}};
    step_init(&step, &job, "");
    job_allocate(&job, &step, 1);
    const struct net *net = model_find(&job.model, golden->name);
    fill(&net->weights, net->w);
    fill(&net->states, net->state);
    act *image = malloc((size_t)len * sizeof *image);
    assert_non_null(image);
    for (int64_t i = 0; i < len; i++)
        image[i] = (act)number(name_key("", "image"), i);

    check_logits(&job, golden, image);
    step_place(&step);
    step_run(&step, image, label, N, 0, NULL);
    check(golden->name, "the loss", run_value(step.plan, step.plan->loss), golden->loss);
    check(golden->name, "the gradient along the numbers", product(&net->weights, net->dw),
          golden->gradient);
    check(golden->name, "the sum over running statistics", product(&net->states, net->state),
          golden->states);
    free(image);
    release_one(&job, &step);
}

static const struct golden *find_golden(const char *name) {
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++)
        if (!strcmp(goldens[i].name, name))
            return &goldens[i];
    fail_msg("no numbers of %s", name);
    return NULL;
}

#define TEST(net, args, more_loss)                                                                 \
    static void net##_computes_what_torchvision_does(void **state) {                               \
        (void)state;                                                                               \
        check_net(find_golden(#net), args, more_loss);                                             \
    }
TEST(densenet121, "", "")
TEST(googlenet, "dropout=0, aux_dropout=0, ",
     " + 0.3 * cross_entropy(m.aux1, label) + 0.2 * cross_entropy(m.aux2, label)")
TEST(inception_v3, "dropout=0, aux=false, ", "")
TEST(mobilenet_v2, "dropout=0, ", "")
TEST(resnet18, "", "")
TEST(resnext50_32x4d, "", "")
TEST(shufflenet_v2_x1_0, "", "")
TEST(squeezenet1_1, "dropout=0, ", "")

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densenet121_computes_what_torchvision_does),
        cmocka_unit_test(googlenet_computes_what_torchvision_does),
        cmocka_unit_test(inception_v3_computes_what_torchvision_does),
        cmocka_unit_test(mobilenet_v2_computes_what_torchvision_does),
        cmocka_unit_test(resnet18_computes_what_torchvision_does),
        cmocka_unit_test(resnext50_32x4d_computes_what_torchvision_does),
        cmocka_unit_test(shufflenet_v2_x1_0_computes_what_torchvision_does),
        cmocka_unit_test(squeezenet1_1_computes_what_torchvision_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
