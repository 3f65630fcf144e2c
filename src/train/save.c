#include "train/save.h"
#include "io/weights/checkpoint.h"

#include "train/meta.h"

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

int64_t save_len(const struct replica *r) {
    int64_t len = 0;

    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].path)
            len += (int64_t)(r->spans[i].bytes / sizeof(real));
    return len;
}

/* Without a way out, which compilers make fast. */
static bool all_finite(const real *v, int64_t n) {
    int bad = 0;

    for (int64_t i = 0; i < n; i++)
        bad |= !isfinite(v[i]);
    return !bad;
}

/* To room where there is some, in pieces that stay in the cache until they are looked through.
 * Numbers that are not finite cannot be trained on: the checkpoint before them is worth more. */
static int take_numbers(const char *file, const struct item *item, bool of_net, real *room,
                        struct err *err) {
    enum { PIECE = 1 << 14 };
    const int64_t len = shape_len(&item->shape);

    for (int64_t at = 0; at < len; at += PIECE) {
        const int64_t n = len - at < PIECE ? len - at : PIECE;
        const real *from = item->data + at;
        if (room)
            memcpy(room + at, from, (size_t)n * sizeof *from);
        if (!of_net || all_finite(from, n))
            continue;
        while (isfinite(*from))
            from++;
        return err_set(err, ERR_DATA,
                       "%s is not replaced: %s has become %g; a lower learning "
                       "rate, warmup= or clip_norm may help",
                       file, item->path, (double)*from);
    }
    return 0;
}

int save_take(struct save *s, const char *file, const struct identity *id, const struct replica *r,
              const struct progress *p, real *room, struct err *err) {
    struct items items = {0};
    int rc = 0;

    *s = (struct save){0};
    list_items(&items, r);
    s->t = pool_take(&items.pool, (size_t)(items.n + 1) * sizeof *s->t);
    for (int i = 0; i < items.n && !rc; i++) {
        const struct item *item = &items.item[i];
        rc = take_numbers(file, item, i < items.n_nets, room, err);
        s->t[s->n++] = (struct checkpoint_tensor){item->path, item->shape, room ? room : item->data,
                                                  item->plain};
        room = room ? room + shape_len(&item->shape) : NULL;
    }
    if (!rc && !(s->meta = meta_text(id, r, p)))
        rc = err_set(err, ERR_IO, "%s: no memory to describe the checkpoint", file);
    s->pool = items.pool;
    if (rc)
        save_release(s);
    return rc;
}

void save_release(struct save *s) {
    pool_release(&s->pool);
    free(s->meta);
    *s = (struct save){0};
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

/* They were when it was saved; a file made elsewhere may hold anything. */
static int check_read(const char *file, const struct item *item, struct err *err) {
    const int64_t len = shape_len(&item->shape);

    for (int64_t i = 0; i < len; i++)
        if (!isfinite(item->data[i]))
            return err_set(err, ERR_DATA, "%s: %s holds %g, expected finite numbers", file,
                           item->path, (double)item->data[i]);
    return 0;
}

static int read_items(const struct checkpoint *ck, const char *file, const struct items *items,
                      int n, struct err *err) {
    int n_stored;
    const struct checkpoint_tensor *stored = checkpoint_tensors(ck, &n_stored);

    for (int i = 0; i < n; i++)
        if (read_item(ck, file, &items->item[i], err) ||
            (i < items->n_nets && check_read(file, &items->item[i], err)))
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

int save_read(const struct checkpoint *ck, const char *file, struct replica *r, struct err *err) {
    struct items items = {0};

    list_items(&items, r);
    const int rc = read_items(ck, file, &items, items.n, err);
    pool_release(&items.pool);
    return rc;
}

/* Where the file has averages of weights, they take the weights' places. */
static int read_averages(const struct checkpoint *ck, const char *file, const struct items *items,
                         struct err *err) {
    struct pool pool = {0};
    int rc = 0;

    for (int i = 0; i < items->n_nets && !rc; i++) {
        const struct item *item = &items->item[i];
        const char *path = pool_print(&pool, "/ema/%s", item->path + strlen("/nets/"));
        if (checkpoint_find(ck, path))
            rc = checkpoint_read(ck, path, &item->shape, item->data, err) ||
                 check_read(file, item, err);
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
        rc = read_items(ck, file, &items, items.n_nets, err) || read_averages(ck, file, &items, err)
                 ? -1
                 : 0;
    checkpoint_close(ck);
    pool_release(&items.pool);
    return rc;
}
