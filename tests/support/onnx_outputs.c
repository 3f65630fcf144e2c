/* onnx_outputs JOB.ini FOLDER [SIZE [GFLOP]]: what every network of that file computes, and its
 * ONNX file, for other programs to compare. Weights are random, running statistics and scales, too;
 * so are the inputs, two samples of each. Images have the least size that the network takes of a
 * list, or SIZE. For each net
 *   FOLDER/FILE.NET.onnx  with batch norm as it is; FILE.NET.folded.onnx
 *   FOLDER/FILE.NET.json  {"inputs": [{"name", "type", "dims"}], "output": {...}, "ops": [..]}
 *   FOLDER/FILE.NET.I     numbers of input I, FILE.NET.y of the output, in the order of ONNX
 * What is refused has its message in FILE.NET.refused; where GFLOP is given, a network that takes
 * more for one sample, or more than 64 MiB of weights, is only named. Nets of files that JOB.ini
 * includes are not taken.
 * onnx_outputs --words: the operators that an ONNX file can say, a line each. */
#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/graph/run.h"
#include "export/export.h"
#include "export/lower.h"
#include "io/file/file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 64 << 20 /* bytes */ };
enum { SAMPLES = 2, CLASSES = 10, CODE = 100, REGIONS = 5, MAP = 16, MAX_INPUTS = 8 };

static const int sizes[] = {32, 64, 96, 128, 224, 256, 299};

struct outputs {
    struct source *source;
    const struct section *net;
    const char *path; /* of what is written, without its end */
    struct field field[MAX_INPUTS];
    int n_fields;
    struct model model;
    struct graph *graph;
    struct pool pool;
};

static int write_file(const struct outputs *o, const char *end, const void *bytes, size_t len,
                      struct err *err) {
    char path[1024];

    snprintf(path, sizeof path, "%s.%s", o->path, end);
    return file_replace(path, bytes, len, err);
}

/* Labels, codes, regions, maps of a pyramid (p2: of a quarter of the size) and images by the name
 * of the input. */
static struct field field_of(const char *name, int size) {
    struct field f = {.name = name, .sample = {3, {size, size, 3}}, .kind = TENSOR_ACTS};

    if (!strcmp(name, "label"))
        f = (struct field){.name = name, .kind = TENSOR_INDICES, .n_classes = CLASSES};
    if (!strcmp(name, "z"))
        f.sample = (struct shape){1, {CODE}};
    if (!strcmp(name, "signal"))
        f.sample = (struct shape){2, {size, 3}};
    if (!strcmp(name, "volume"))
        f.sample = (struct shape){4, {8, 12, 10, 4}};
    if (!strcmp(name, "regions"))
        f.sample = (struct shape){2, {REGIONS, 4}};
    if (name[0] == 'p' && name[1] >= '2' && name[1] <= '5' && !name[2]) {
        const int side = size >> (name[1] - '0');
        f.sample = (struct shape){3, {side, side, MAP}};
    }
    if (!strcmp(name, "pool"))
        f.sample = (struct shape){3, {1, 1, MAP}};
    return f;
}

static int build(struct outputs *o, int size, struct err *err) {
    struct entry *entry = pool_take(&o->pool, sizeof *entry);
    struct section *section = pool_take(&o->pool, sizeof *section);
    const char *call = o->net->name, *comma = "(";

    o->n_fields = 0;
    for (int i = 0; i < o->net->n_params && o->n_fields < MAX_INPUTS; i++)
        if (!strcmp(o->net->params[i].name, "classes") && !o->net->params[i].fallback) {
            call = pool_print(&o->pool, "%s%sclasses=%d", call, comma, CLASSES);
            comma = ", ";
        } else if (!o->net->params[i].fallback) {
            o->field[o->n_fields++] = field_of(o->net->params[i].name, size);
            call = pool_print(&o->pool, "%s%s%s", call, comma, o->net->params[i].name);
            comma = ", ";
        }
    call = pool_print(&o->pool, "%s)", call);
    *entry = (struct entry){
        .key = "output", .value = call, .raw = call, .pos = o->net->pos, .key_pos = o->net->pos};
    *section = (struct section){
        .kind = "step", .name = "", .entries = entry, .n_entries = 1, .pos = o->net->pos};
    const struct graph_config config = {.model = &o->model,
                                        .source = o->source,
                                        .section = section,
                                        .fields = o->field,
                                        .n_fields = o->n_fields,
                                        .batch = SAMPLES};
    return graph_new(&o->graph, &config, err);
}

/* The least size of the list that the network takes. */
static int build_any(struct outputs *o, int size, struct err *err) {
    const int n = (int)(sizeof sizes / sizeof *sizes);

    for (int i = 0; i < n; i++) {
        struct err ignored = {0};
        model_release(&o->model);
        o->model = (struct model){0};
        if (!build(o, size ? size : sizes[i], i < n - 1 && !size ? &ignored : err))
            return 0;
        if (size)
            return -1;
    }
    return -1;
}

static double gflop(const struct outputs *o) {
    double flops = 0;

    for (int i = 0; i < o->graph->n_nodes; i++)
        flops += o->graph->nodes[i].plan.flops;
    return flops / SAMPLES / 1e9;
}

static void draw(float *v, int64_t len, uint64_t key, double low, double high) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (float)(low + (high - low) * (double)rng_uniform(key, (uint64_t)i));
}

static bool ends(const char *text, const char *end) {
    const size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && !strcmp(text + len - end_len, end);
}

/* Scales, offsets and running statistics that are those of no fresh network. */
static void randomise(struct outputs *o) {
    for (int i = 0; i < o->model.n_nets; i++) {
        struct net *net = o->model.nets[i];
        for (int k = 0; k < net->weights.n; k++) {
            const struct param *p = &net->weights.items[k];
            if (p->norm || p->shape.rank == 1)
                draw(net->w + p->offset, p->len, (uint64_t)k + 1,
                     ends(p->name, "weight") ? 0.5 : -0.2, ends(p->name, "weight") ? 1.5 : 0.2);
        }
        for (int k = 0; k < net->states.n; k++) {
            const struct param *p = &net->states.items[k];
            if (ends(p->name, "running_mean"))
                draw(net->state + p->offset, p->len, (uint64_t)k + 1000, -0.2, 0.2);
            if (ends(p->name, "running_var"))
                draw(net->state + p->offset, p->len, (uint64_t)k + 1000, 0.5, 1.5);
        }
    }
}

/* Channels last -> channels second, of what has pixels. */
static void *turned(struct outputs *o, const struct tensor *t) {
    const struct shape *s = &t->shape;
    const int64_t len = shape_len(s), channels = shape_channels(s);
    const int64_t pixels = s->rank > 2 ? shape_sample_len(s) / channels : 1;
    float *out = pool_take(&o->pool, (size_t)len * sizeof *out);

    if (t->kind == TENSOR_INDICES)
        return t->indices;
    for (int64_t i = 0; i < len; i++) {
        const int64_t n = i / (pixels * channels), p = i / channels % pixels, c = i % channels;
        out[(n * channels + c) * pixels + p] = t->data[i];
    }
    return s->rank > 2 ? out : t->data;
}

static json_t *described(const struct outputs *o, const char *name, const struct tensor *t) {
    const struct shape *s = &t->shape;
    json_t *dims = json_array();

    (void)o;
    for (int i = 0; i < s->rank; i++)
        json_array_append_new(dims, json_integer(s->dim[s->rank < 3 || t->kind == TENSOR_INDICES ? i
                                                        : i == 0                                 ? 0
                                                        : i == 1 ? s->rank - 1
                                                                 : i - 1]));
    return json_pack("{s:s, s:s, s:o}", "name", name, "type",
                     t->kind == TENSOR_INDICES ? "int64" : "float32", "dims", dims);
}

static struct tensor make_input(struct outputs *o, int i) {
    const struct field *f = &o->field[i];
    struct tensor t = {.shape = {f->sample.rank + 1, {SAMPLES}}, .kind = f->kind};

    memcpy(t.shape.dim + 1, f->sample.dim, (size_t)f->sample.rank * sizeof *t.shape.dim);
    const int64_t len = shape_len(&t.shape);
    if (f->kind == TENSOR_INDICES) {
        t.indices = pool_take(&o->pool, (size_t)len * sizeof *t.indices);
        for (int64_t k = 0; k < len; k++)
            t.indices[k] = (int32_t)(k * 7 % CLASSES) - (k == 1 ? CLASSES : 0);
    } else {
        t.data = pool_take(&o->pool, (size_t)len * sizeof *t.data);
        draw(t.data, len, 77 + (uint64_t)i, -1, 1);
    }
    return t;
}

/* Compute, and write down what came in and out. */
static int compute(struct outputs *o, struct err *err) {
    const int output = graph_find(o->graph, "output");
    struct plan *plan;
    struct arena arena = {0};
    json_t *inputs = json_array();
    char end[32];
    int rc = 0;

    const struct plan_config config = {
        .graph = o->graph, .outputs = &output, .n_outputs = 1, .loss = -1, .tensors = true};
    if (plan_new(&plan, &config, err) || arena_init(&arena, plan_bytes(plan), err))
        return -1;
    plan_place(plan, arena_take(&arena, plan_bytes(plan)), NULL, NULL);
    for (int i = 0; i < o->n_fields && !rc; i++) {
        const struct tensor t = make_input(o, i);
        if (t.kind == TENSOR_INDICES)
            run_indices(plan, o->field[i].name, t.indices);
        else
            run_input(plan, o->field[i].name, t.data);
        snprintf(end, sizeof end, "%d", i);
        rc = write_file(o, end, turned(o, &t), (size_t)shape_len(&t.shape) * 4, err);
        json_array_append_new(inputs, described(o, o->field[i].name, &t));
    }
    run_resize(plan, SAMPLES);
    run_forward(plan, &(struct run_context){.seed = 1});
    const struct tensor *y = &plan->nodes[output].call.y;
    rc = rc || write_file(o, "y", turned(o, y), (size_t)shape_len(&y->shape) * 4, err) ? -1 : 0;
    json_t *ops = json_array();
    for (int i = 0; i < o->graph->n_nodes; i++)
        if (o->graph->nodes[i].op)
            json_array_append_new(ops, json_string(o->graph->nodes[i].op->word.name));
    json_t *meta = json_pack("{s:o, s:o, s:o}", "inputs", inputs, "output",
                             described(o, "output", y), "ops", ops);
    char *text = json_dumps(meta, 0);
    rc = rc || write_file(o, "json", text, strlen(text), err) ? -1 : 0;
    free(text);
    json_decref(meta);
    arena_release(&arena);
    return rc;
}

static int export_net(struct outputs *o, bool fold, struct err *err) {
    const struct export_config config = {.graph = o->graph,
                                         .use = &o->graph->uses[o->graph->n_uses - 1],
                                         .opset = ONNX_OPSET_MAX,
                                         .fold = fold,
                                         .version = "test"};
    struct export_result result;

    if (export_onnx(&config, &result, err))
        return -1;
    const int rc = write_file(o, fold ? "folded.onnx" : "onnx", result.bytes, result.len, err);
    free(result.bytes);
    return rc;
}

static int do_net(struct outputs *o, int size, double most, struct err *err) {
    struct err refused = {0};

    if (build_any(o, size, err))
        return -1;
    if (most > 0 && (gflop(o) > most || model_bytes(&o->model) > LARGE)) {
        printf("%s: left out, takes %.2f GFLOP and %zu MiB\n", o->net->name, gflop(o),
               model_bytes(&o->model) >> 20);
        return 0;
    }
    if (model_allocate(&o->model, 5, err))
        return -1;
    randomise(o);
    if (export_net(o, false, &refused)) {
        printf("%s: refused: %s\n", o->net->name, refused.msg);
        return write_file(o, "refused", refused.msg, strlen(refused.msg), err);
    }
    return export_net(o, true, err) || compute(o, err) ? -1 : 0;
}

int main(int argc, char **argv) {
    struct source source = {0};
    struct err err = {0};
    const char *sets[] = {NULL};

    if (argc == 2 && !strcmp(argv[1], "--words")) {
        for (int i = 0; lower_at(i); i++)
            puts(lower_at(i)->word);
        return 0;
    }
    if (argc < 3)
        return 64;
    int rc = source_read(&source, argv[1], sets, 0, NULL, &err);
    const char *slash = strrchr(argv[1], '/');
    for (int i = 0; i < source.n_sections && !rc; i++) {
        struct outputs o = {.source = &source, .net = &source.sections[i]};
        if (strcmp(o.net->kind, "net") || strcmp(o.net->pos.file, argv[1]))
            continue;
        o.path = pool_print(&o.pool, "%s/%s.%s", argv[2], slash ? slash + 1 : argv[1], o.net->name);
        rc = do_net(&o, argc > 3 ? atoi(argv[3]) : 0, argc > 4 ? atof(argv[4]) : 0, &err);
        model_release(&o.model);
        pool_release(&o.pool);
    }
    source_release(&source);
    if (rc)
        fprintf(stderr, "%s\n", err.msg);
    return rc ? 1 : 0;
}
