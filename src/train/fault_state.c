#include "train/fault_state.h"
#include "io/weights/checkpoint.h"
#include "train/meta.h"

#include <stdlib.h>
#include <string.h>

struct tensors {
    struct pool pool;
    struct checkpoint_tensor *t;
    int n;
};

static void add(struct tensors *all, const char *path, const struct shape *shape, const float *data,
                bool plain) {
    all->t = pool_grow(&all->pool, all->t, all->n, sizeof *all->t);
    all->t[all->n++] = (struct checkpoint_tensor){path, *shape, data, plain};
}

static void add_span(struct tensors *all, const struct span *span) {
    const struct shape whole = {1, {(int64_t)(span->bytes / sizeof(real))}};

    if (span->flat)
        add(all, span->path, &whole, span->data, false);
    for (int i = 0; !span->flat && i < span_n_pieces(span); i++) {
        const struct span_piece piece = span_piece(span, i);
        add(all, pool_print(&all->pool, "%s/%s", span->path, piece.name), &piece.param->shape,
            piece.data, piece.param->plain);
    }
}

/* Classes become the same numbers as floats, which all below 2^24 are to the bit. */
static void add_field(struct tensors *all, const struct field *f, const struct loader_batch *batch,
                      int i) {
    struct shape shape = {.rank = f->sample.rank + 1, .dim = {batch->n}};
    const char *path = pool_print(&all->pool, "/batch/%s", f->name);
    const float *data = batch->field[i];

    memcpy(shape.dim + 1, f->sample.dim, (size_t)f->sample.rank * sizeof *shape.dim);
    const int64_t len = shape_len(&shape);
    if (f->kind == TENSOR_INDICES) {
        float *numbers = pool_take(&all->pool, (size_t)(len + 1) * sizeof *numbers);
        for (int64_t k = 0; k < len; k++)
            numbers[k] = (float)batch->classes[i][k];
        data = numbers;
    }
    if (len)
        add(all, path, &shape, data, true);
}

static json_t *cuts(const struct probe_config *c) {
    json_t *list = json_array();

    for (int i = 0; i < c->n_cuts; i++)
        json_array_append_new(
            list, json_pack("[I, I]", (json_int_t)c->cut[i].first, (json_int_t)c->cut[i].n));
    return list;
}

static json_t *totals(const struct fault_state *s) {
    const int n = s->totals ? s->replica->step[s->probe->which].plan->n_leaves : 0;
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_real(s->totals[i]));
    return list;
}

/* How often each class occurs in the whole dataset, which weights of classes are made of. */
static json_t *counts(const struct replica *r) {
    json_t *fields = json_object();

    for (int i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        if (!f->class_counts)
            continue;
        json_t *list = json_array();
        for (int k = 0; k < f->n_classes; k++)
            json_array_append_new(list, json_integer(f->class_counts[k]));
        json_object_set_new(fields, f->name, list);
    }
    return fields;
}

/* JSON is UTF-8; a name that is none is left out. */
static json_t *names(const struct fault_state *s) {
    json_t *list = json_array();

    for (int64_t i = 0; i < s->probe->batch->data.n; i++) {
        json_t *name = json_string(s->sample[i]);
        json_array_append_new(list, name ? name : json_string(""));
    }
    return list;
}

static char *describe(const struct fault_state *s) {
    const struct probe_config *c = s->probe;
    char *text = meta_text(s->identity, s->replica, s->progress), *out = NULL;
    json_t *meta = text ? json_loads(text, 0, NULL) : NULL;
    json_t *fault =
        json_pack("{s:i, s:I, s:i, s:i, s:s, s:I, s:I, s:I, s:b, s:s, s:s, s:o, s:o, s:o, s:o}",
                  "which", c->which, "step", (json_int_t)c->step, "rank", s->rank, "ranks", s->size,
                  "host", s->host, "n", (json_int_t)c->batch->data.n, "first",
                  (json_int_t)c->batch->first, "global_n", (json_int_t)c->batch->global_n, "exact",
                  s->exact, "message", s->message, "operator", s->node, "cuts", cuts(c), "totals",
                  totals(s), "counts", counts(s->replica), "samples", names(s));

    if (meta && fault && !json_object_set(meta, "fault", fault))
        out = json_dumps(meta, JSON_REAL_PRECISION(17));
    json_decref(fault);
    json_decref(meta);
    free(text);
    return out;
}

int fault_state_write(const char *file, const struct fault_state *s, struct err *err) {
    const struct replica *r = s->replica;
    struct tensors all = {0};
    char *meta = describe(s);

    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].path)
            add_span(&all, &r->spans[i]);
    for (int i = 0; i < r->n_fields; i++)
        add_field(&all, &r->fields[i], &s->probe->batch->data, i);
    const int rc = meta ? checkpoint_write(file, all.t, all.n, meta, err)
                        : err_set(err, ERR_IO, "%s: no memory to describe the step", file);
    free(meta);
    pool_release(&all.pool);
    return rc;
}
