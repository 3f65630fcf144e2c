#include "train/save.h"
#include "io/weights/checkpoint.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of the replica and its place in the file. */
struct item {
    const char *path;
    struct shape shape;
    real *data;
    bool plain;
};

struct items {
    struct pool pool;
    struct item *item;
    int n, n_nets; /* the nets' come first */
};

static void add(struct items *items, const char *path, struct shape shape, real *data, bool plain) {
    items->item = pool_grow(&items->pool, items->item, items->n, sizeof *items->item);
    items->item[items->n++] = (struct item){path, shape, data, plain};
}

static void add_span(struct items *items, const struct span *span) {
    if (span->flat) {
        add(items, span->path, (struct shape){1, {(int64_t)(span->bytes / sizeof(real))}},
            span->data, false);
        return;
    }
    for (int i = 0; i < span_n_pieces(span); i++) {
        const struct span_piece piece = span_piece(span, i);
        const struct param *p = piece.param;
        add(items, pool_print(&items->pool, "%s/%s", span->path, p->name), p->shape, piece.data,
            p->plain);
    }
}

static void list_items(struct items *items, const struct replica *r) {
    for (int i = 0; i < r->n_spans; i++) {
        const struct span *span = &r->spans[i];
        if (span->path)
            add_span(items, span);
        if (span->kind == SPAN_WEIGHTS || span->kind == SPAN_RUNNING)
            items->n_nets = items->n;
    }
}

static json_t *describe(const struct replica *r, const struct progress *p,
                        const struct save_identity *id) {
    json_t *meta = json_object(), *measures = json_array(), *updates = json_array();
    json_t *optimizers = json_array();
    char data[24];

    snprintf(data, sizeof data, "%016" PRIx64, id->data);
    for (int i = 0; i < p->n_measures; i++)
        json_array_append_new(measures,
                              isfinite(p->measure[i]) ? json_real(p->measure[i]) : json_null());
    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].kind == SPAN_COUNTER)
            json_array_append_new(updates, json_integer(*(const int64_t *)r->spans[i].data));
    for (int i = 0; i < r->n_steps; i++)
        json_array_append_new(optimizers, json_string(r->step[i].optimizer->word.name));
    json_object_set_new(meta, "step", json_integer(p->step));
    json_object_set_new(meta, "epoch", json_real((double)p->step / (double)p->steps_per_epoch));
    json_object_set_new(meta, "validated", json_boolean(p->validated));
    json_object_set_new(meta, "batch", json_integer(id->batch));
    json_object_set_new(meta, "seed", json_integer((json_int_t)id->seed));
    json_object_set_new(meta, "data", json_string(data));
    json_object_set_new(meta, "updates", updates);
    json_object_set_new(meta, "optimizers", optimizers);
    json_object_set_new(meta, "measures", measures);
    return meta;
}

/* Numbers that are not finite cannot be trained on: the checkpoint before them is worth more. */
static int check_finite(const char *file, const struct item *item, struct err *err) {
    const int64_t len = shape_len(&item->shape);

    for (int64_t i = 0; i < len; i++)
        if (!isfinite(item->data[i]))
            return err_set(err, ERR_DATA,
                           "%s is not replaced: %s has become %g; a lower learning "
                           "rate, warmup= or clip_norm may help",
                           file, item->path, (double)item->data[i]);
    return 0;
}

int save_write(const char *file, const struct replica *r, const struct progress *p,
               const struct save_identity *id, struct err *err) {
    struct items items = {0};
    json_t *meta = describe(r, p, id);
    char *text = json_dumps(meta, JSON_REAL_PRECISION(17));
    int rc = 0;

    list_items(&items, r);
    struct checkpoint_tensor *t = pool_take(&items.pool, (size_t)(items.n + 1) * sizeof *t);
    for (int i = 0; i < items.n_nets && !rc; i++)
        rc = check_finite(file, &items.item[i], err);
    for (int i = 0; i < items.n; i++)
        t[i] = (struct checkpoint_tensor){items.item[i].path, items.item[i].shape,
                                          items.item[i].data, items.item[i].plain};
    if (!rc)
        rc = text ? checkpoint_write(file, t, items.n, text, err)
                  : err_set(err, ERR_IO, "%s: no memory to describe the checkpoint", file);
    pool_release(&items.pool);
    json_decref(meta);
    free(text);
    return rc;
}

/* A table and a matrix of the same shape have their numbers in another order. */
static int read_item(const struct checkpoint *ck, const char *file, const struct item *item,
                     struct err *err) {
    const struct checkpoint_tensor *t = checkpoint_find(ck, item->path);

    if (t && t->plain != item->plain)
        return err_set(err, ERR_DATA,
                       "%s: %s is stored as %s, but in the job it is %s; convert the file again %s "
                       "--plain",
                       file, item->path, t->plain ? "a table" : "a matrix",
                       t->plain ? "a matrix" : "a table", t->plain ? "without" : "with");
    return checkpoint_read(ck, item->path, &item->shape, item->data, err);
}

static int read_items(const struct checkpoint *ck, const char *file, const struct items *items,
                      int n, struct err *err) {
    int n_stored;
    const struct checkpoint_tensor *stored = checkpoint_tensors(ck, &n_stored);

    for (int i = 0; i < n; i++)
        if (read_item(ck, file, &items->item[i], err))
            return -1;
    for (int i = 0; i < n_stored; i++) {
        bool known = strncmp(stored[i].path, "/nets/", 6) != 0;
        for (int k = 0; !known && k < items->n_nets; k++)
            known = !strcmp(stored[i].path, items->item[k].path);
        if (!known)
            return err_set(err, ERR_DATA, "%s: holds %s, which the job's networks do not have",
                           file, stored[i].path);
    }
    return 0;
}

/* A whole number of the meta text. */
static int meta_int(const json_t *meta, const char *file, const char *key, int64_t *out,
                    struct err *err) {
    const json_t *v = json_object_get(meta, key);

    if (!json_is_integer(v))
        return err_set(err, ERR_DATA, "%s: has no %s: it is no checkpoint of a job", file, key);
    *out = json_integer_value(v);
    return 0;
}

static int check_identity(const json_t *meta, const char *file, const struct save_identity *id,
                          struct err *err) {
    const char *data = json_string_value(json_object_get(meta, "data"));
    int64_t batch = 0, seed = 0;
    char now[24];

    snprintf(now, sizeof now, "%016" PRIx64, id->data);
    if (meta_int(meta, file, "batch", &batch, err) || meta_int(meta, file, "seed", &seed, err))
        return -1;
    if (batch != id->batch)
        return err_set(err, ERR_CONFIG,
                       "%s was saved with batch = %" PRId64 ", the job has %" PRId64
                       "; resume with the same batch",
                       file, batch, id->batch);
    if ((uint64_t)seed != id->seed)
        return err_set(err, ERR_CONFIG,
                       "%s was saved with seed = %" PRId64 ", the job has %" PRIu64
                       "; resume with the same seed",
                       file, seed, id->seed);
    if (!data || strcmp(data, now))
        return err_set(err, ERR_CONFIG,
                       "%s was saved while training on other data than the job "
                       "has now; resume with the same data",
                       file);
    return 0;
}

/* Moments mean something to their own optimiser only. */
static int check_optimizers(const json_t *meta, const char *file, const struct replica *r,
                            struct err *err) {
    const json_t *names = json_object_get(meta, "optimizers");

    if (json_array_size(names) != (size_t)r->n_steps)
        return err_set(err, ERR_CONFIG, "%s was saved by a job of %zu steps, this one has %d", file,
                       json_array_size(names), r->n_steps);
    for (int i = 0; i < r->n_steps; i++) {
        const char *saved = json_string_value(json_array_get(names, (size_t)i));
        const char *now = r->step[i].optimizer->word.name;
        if (!saved || strcmp(saved, now))
            return err_set(err, ERR_CONFIG,
                           "%s was saved with the optimizer %s, the job has %s; "
                           "resume with the same one",
                           file, saved ? saved : "none", now);
    }
    return 0;
}

static int read_progress(const json_t *meta, const char *file, struct replica *r,
                         struct progress *p, struct err *err) {
    const json_t *measures = json_object_get(meta, "measures");
    const json_t *updates = json_object_get(meta, "updates");
    size_t n = 0;

    if (meta_int(meta, file, "step", &p->step, err))
        return -1;
    p->validated = json_is_true(json_object_get(meta, "validated"));
    for (size_t i = 0; i < json_array_size(measures); i++) {
        const json_t *v = json_array_get(measures, i);
        if (progress_add(p, json_is_null(v) ? (double)NAN : json_number_value(v), err))
            return -1;
    }
    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].kind == SPAN_COUNTER)
            *(int64_t *)r->spans[i].data = json_integer_value(json_array_get(updates, n++));
    return 0;
}

int save_resume(const char *file, struct replica *r, struct progress *p,
                const struct save_identity *id, struct err *err) {
    struct checkpoint *ck = NULL;
    struct items items = {0};
    json_t *meta = NULL;
    int rc = -1;

    list_items(&items, r);
    if (checkpoint_open(&ck, file, err))
        goto done;
    meta = json_loads(checkpoint_meta(ck), 0, NULL);
    if (!meta) {
        err_set(err, ERR_DATA, "%s: its meta text is not JSON", file);
        goto done;
    }
    if (check_identity(meta, file, id, err) || check_optimizers(meta, file, r, err) ||
        read_items(ck, file, &items, items.n, err) || read_progress(meta, file, r, p, err))
        goto done;
    rc = 0;
done:
    json_decref(meta);
    checkpoint_close(ck);
    pool_release(&items.pool);
    return rc;
}

/* Where the file has averages of weights, they take the weights' places. */
static int read_averages(const struct checkpoint *ck, const struct items *items, struct err *err) {
    struct pool pool = {0};
    int rc = 0;

    for (int i = 0; i < items->n_nets && !rc; i++) {
        const struct item *item = &items->item[i];
        const char *path = pool_print(&pool, "/ema/%s", item->path + strlen("/nets/"));
        if (checkpoint_find(ck, path))
            rc = checkpoint_read(ck, path, &item->shape, item->data, err);
    }
    pool_release(&pool);
    return rc;
}

int save_load_nets(const char *file, struct replica *r, struct err *err) {
    struct checkpoint *ck = NULL;
    struct items items = {0};
    int rc = -1;

    list_items(&items, r);
    if (!checkpoint_open(&ck, file, err))
        rc = read_items(ck, file, &items, items.n_nets, err) || read_averages(ck, &items, err) ? -1
                                                                                               : 0;
    checkpoint_close(ck);
    pool_release(&items.pool);
    return rc;
}
