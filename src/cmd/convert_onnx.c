/* convert_onnx.c - a network of a run or of a job as an ONNX file. */
#include "cmd/convert_network.h"
#include "export/export.h"
#include "io/augment/augment.h"
#include "io/file/file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything between the two files. */
struct onnx_conversion {
    struct conversion *c;
    struct convert_network net;
    const struct meta_field *image; /* what the pipeline of the job is about */
    const float *mean, *std;        /* of `normalize`; NULL: there is none */
    bool normalizes;                /* the job does */
    struct export_text *texts;
    int n_texts;
};

/* --- what is done to the input before --- */

static const struct reals *numbers_of(const struct applied *word, const char *name) {
    const struct arg_spec *spec = word->word->args;

    while (strcmp(spec->name, name))
        spec++;
    return (const struct reals *)(const void *)((const char *)word->args + spec->offset);
}

/* Each channel's number: the job's, else those of the data; NULL where neither says any. */
static const float *channels_of(struct onnx_conversion *o, const struct reals *given,
                                const float *known, int64_t n) {
    float *v = pool_take(&o->c->pool, (size_t)(n + 1) * sizeof *v);

    if (given->n == 1 && isnan(given->v[0]))
        return known;
    for (int64_t i = 0; i < n && given->n; i++)
        v[i] = (float)given->v[given->n == 1 ? 0 : i];
    return v;
}

/* The input of the net that is the data's images, or NULL. */
static const char *image_input(const struct onnx_conversion *o) {
    const struct section *s = o->net.use->net->section;

    for (int i = 0; i < s->n_params; i++) {
        const struct value *v = &o->net.use->values[i];
        const bool tensor = v->kind == VALUE_TENSOR || v->kind == VALUE_USE;
        const char *field = tensor ? o->net.graph->nodes[v->index].field : NULL;
        if (field && !strcmp(field, "image"))
            return s->params[i].name;
    }
    return NULL;
}

static void find_normalisation(struct onnx_conversion *o) {
    const struct word *normalize = augment_find("normalize");
    int64_t channels = 0;

    for (int i = 0; i < o->net.n_fields; i++)
        if (!strcmp(o->net.field[i].name, "image"))
            channels = shape_channels(&o->net.field[i].sample);
    for (int i = 0; i < o->net.n_known; i++)
        if (!strcmp(o->net.known[i].name, "image"))
            o->image = &o->net.known[i];
    for (int i = 0; i < o->net.job.n_augment; i++) {
        const struct applied *word = &o->net.job.augment[i];
        if (word->word != normalize)
            continue;
        o->normalizes = true;
        o->mean =
            channels_of(o, numbers_of(word, "mean"), o->image ? o->image->mean : NULL, channels);
        o->std = channels_of(o, numbers_of(word, "std"), o->image ? o->image->std : NULL, channels);
    }
}

static int check_normalisation(const struct onnx_conversion *o, struct err *err) {
    if (!o->c->normalize || (o->mean && o->std && image_input(o)))
        return 0;
    if (!image_input(o) || !o->normalizes)
        return err_set(err, ERR_CONFIG, "convert: --with-normalize: %s",
                       !o->normalizes ? "the job has no normalize in [data] augment"
                                      : "the net reads no image of the data");
    return err_set(
        err, ERR_CONFIG,
        "convert: --with-normalize: normalize takes its numbers from the data, which a job "
        "does not hold; expected a run in its place, or normalize(mean=[...], std=[...])");
}

/* "[0.5, 0.5, 0.5]", which is JSON, too. */
static const char *list_text(struct onnx_conversion *o, const float *v, int64_t n) {
    const char *text = "[";

    for (int64_t i = 0; i < n; i++)
        text = pool_print(&o->c->pool, "%s%s%.9g", text, i ? ", " : "", (double)v[i]);
    return pool_print(&o->c->pool, "%s]", text);
}

static void add_text(struct onnx_conversion *o, const char *key, const char *text) {
    o->texts = pool_grow(&o->c->pool, o->texts, o->n_texts, sizeof *o->texts);
    o->texts[o->n_texts++] = (struct export_text){key, text};
}

/* What else the reader of the file must know: classes, the run, how images are prepared. */
static const char *describe(struct onnx_conversion *o) {
    const json_t *classes = meta_at(&o->net.meta, "classes");
    const char *image = image_input(o), *key;
    json_t *names;

    if (o->net.meta.json) {
        add_text(o, "run", meta_name(&o->net.meta));
        add_text(o, "epoch", pool_print(&o->c->pool, "%.6g", meta_epoch(&o->net.meta)));
    }
    json_object_foreach((json_t *)(uintptr_t)classes, key, names) {
        char *text = json_dumps(names, 0);
        if (text)
            add_text(o, pool_print(&o->c->pool, "classes.%s", key),
                     pool_copy(&o->c->pool, text, strlen(text)));
        free(text);
    }
    if (!image)
        return NULL;
    const char *scale = o->image && o->image->reals ? "numbers as the data has them"
                                                    : "pixels from 0 to 1 (bytes / 255)";
    if (!o->mean || !o->std)
        return pool_print(&o->c->pool, "%s: %s%s", image, scale,
                          o->normalizes ? ", normalised as the training data says" : "");
    const struct node *n = NULL;
    for (int i = 0; i < o->net.graph->n_nodes; i++)
        if (o->net.graph->nodes[i].field && !strcmp(o->net.graph->nodes[i].field, "image"))
            n = &o->net.graph->nodes[i];
    const int64_t channels = shape_channels(&n->plan.y);
    add_text(o, pool_print(&o->c->pool, "mean.%s", image), list_text(o, o->mean, channels));
    add_text(o, pool_print(&o->c->pool, "std.%s", image), list_text(o, o->std, channels));
    return pool_print(&o->c->pool, "%s: %s%s(x - mean) / std of each channel, mean %s, std %s%s",
                      image, scale, o->c->normalize ? "; the file computes " : ", then ",
                      list_text(o, o->mean, channels), list_text(o, o->std, channels),
                      o->c->normalize ? " itself" : "");
}

static int write(struct onnx_conversion *o, const char *doc, struct err *err) {
    const struct conversion *c = o->c;
    struct export_result result;
    const struct export_config config = {.graph = o->net.graph,
                                         .use = o->net.use,
                                         .opset = (int)c->opset,
                                         .batch = c->batch,
                                         .fold = c->fold,
                                         .normalised = c->normalize ? image_input(o) : NULL,
                                         .mean = o->mean,
                                         .std = o->std,
                                         .version = DLTRAIN_VERSION,
                                         .doc = doc,
                                         .texts = o->texts,
                                         .n_texts = o->n_texts};

    if (export_onnx(&config, &result, err))
        return -1;
    const int rc = file_replace(c->out, result.bytes, result.len, err);
    free(result.bytes);
    if (!rc)
        printf("%s: net %s, %d nodes, %d tensors, %.1f MiB, opset %" PRId64 "\n", c->out,
               o->net.use->net->name, result.n_nodes, result.n_weights,
               (double)result.len / (1 << 20), c->opset);
    return rc;
}

static int convert(struct onnx_conversion *o, struct err *err) {
    if (convert_network_open(&o->net, o->c, o->c->in, err))
        return -1;
    find_normalisation(o);
    if (check_normalisation(o, err))
        return -1;
    const char *doc = describe(o);
    return convert_network_load(&o->net, err) || write(o, doc, err) ? -1 : 0;
}

int convert_to_onnx(struct conversion *c, struct err *err) {
    struct onnx_conversion o = {.c = c};
    const int rc = convert(&o, err);

    convert_network_release(&o.net);
    return rc;
}
