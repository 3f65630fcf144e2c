/* convert_darknet.c - weights of Darknet, which have neither names nor shapes: those are the net's
 * that a job describes, layer by layer as its text has them. Of a layer with batch norm the file
 * holds offset, scale, running mean and variance, then the weights; of one without the bias and the
 * weights. Source: github.com/pjreddie/darknet, src/parser.c. */
#include "cmd/convert_network.h"
#include "io/weights/darknet.h"
#include "io/weights/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of the net, in the order of the file. */
struct darknet_tensor {
    const struct param *param;
    bool state;
    bool last; /* of its layer */
};

struct darknet_layers {
    struct pool *pool;
    const struct net *net;
    struct darknet_tensor *tensor;
    int n;
    int64_t len; /* numbers */
};

static void add(struct darknet_layers *l, const struct params *params, int index) {
    const struct param *p = &params->items[index];

    l->tensor = pool_grow(l->pool, l->tensor, l->n, sizeof *l->tensor);
    l->tensor[l->n++] = (struct darknet_tensor){.param = p, .state = params == &l->net->states};
    l->len += p->len;
}

static bool has(const struct darknet_layers *l, const struct param *p) {
    for (int i = 0; i < l->n; i++)
        if (l->tensor[i].param == p)
            return true;
    return false;
}

/* The only node that reads that one, where it is batch norm; or NULL. */
static const struct node *norm_behind(const struct graph *g, int node) {
    const struct node *reader = NULL;

    for (int i = node + 1; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_x; k++)
            if (g->nodes[i].x[k] == node) {
                if (reader)
                    return NULL;
                reader = &g->nodes[i];
            }
    return reader && reader->op && !strcmp(reader->op->word.name, "bn") ? reader : NULL;
}

static int refuse(const struct node *n, const char *why, struct err *err) {
    return pos_error(err, n->pos, "%s: %s", n->op->word.name, why);
}

static int add_layer(struct darknet_layers *l, const struct graph *g, int node, struct err *err) {
    const struct node *n = &g->nodes[node], *norm = norm_behind(g, node);
    const struct params *w = &l->net->weights;
    const bool biased = n->plan.w[1].shape.rank > 0;

    if (strcmp(n->op->word.name, "conv") && strcmp(n->op->word.name, "linear"))
        return refuse(n, "Darknet's files hold conv and linear alone, with bn or without", err);
    if (n->plan.state[0].shape.rank)
        return refuse(n, "Darknet's files hold no spectral norm", err);
    if (biased == (norm != NULL))
        return refuse(n,
                      norm ? "Darknet has no bias beside bn; bias=false leaves it out"
                           : "Darknet has no layer without a bias or bn behind it; bias=true",
                      err);
    if (has(l, &w->items[n->w[0]])) /* another use of the same weights */
        return 0;
    if (norm) {
        add(l, w, norm->w[1]);
        add(l, w, norm->w[0]);
        add(l, &l->net->states, norm->state[0]);
        add(l, &l->net->states, norm->state[1]);
    } else {
        add(l, w, n->w[1]);
    }
    add(l, w, n->w[0]);
    l->tensor[l->n - 1].last = true;
    return 0;
}

/* The net's layers in the order of its text. */
static int find_layers(struct darknet_layers *l, const struct convert_network *o, struct err *err) {
    const struct graph *g = o->graph;

    l->net = o->use->net;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = &g->nodes[i];
        if (!n->op || n->net != l->net || !n->plan.w[0].shape.rank)
            continue;
        if (n->op->fusion.role != FUSION_NORM && add_layer(l, g, i, err))
            return -1;
        if (n->op->fusion.role == FUSION_NORM && !has(l, &l->net->weights.items[n->w[0]]))
            return refuse(n, "Darknet has batch norm behind conv and linear alone", err);
    }
    return l->n ? 0
                : err_set(err, ERR_CONFIG, "convert: net %s of %s has no weights", l->net->name,
                          o->in);
}

/* --- reading --- */

/* Tensors that a file of so many numbers fills: all, or with --partial those of its first layers.
 */
static int count_tensors(const struct darknet_layers *l, const struct convert_network *o,
                         const struct darknet *d, int *n, struct err *err) {
    const struct conversion *c = o->c;
    int64_t len = 0;

    if (d->n > l->len)
        return err_set(err, ERR_DATA,
                       "%s: holds %lld numbers, expected %lld: net %s of %s has no more", c->in,
                       (long long)d->n, (long long)l->len, l->net->name, o->in);
    for (*n = 0; *n < l->n && len + l->tensor[*n].param->len <= d->n; ++*n)
        len += l->tensor[*n].param->len;
    const bool whole = *n && len == d->n && l->tensor[*n - 1].last;
    if (*n < l->n && !(c->partial && whole))
        return err_set(err, ERR_DATA,
                       "%s: holds %lld numbers, expected %lld of net %s of %s: they end %s %s%s",
                       c->in, (long long)d->n, (long long)l->len, l->net->name, o->in,
                       whole ? "before" : "within", l->tensor[*n].param->name,
                       whole ? ", after a whole layer; --partial takes the layers there are" : "");
    return 0;
}

static int take(struct conversion *c, const struct darknet_tensor *t, const float *numbers,
                struct err *err) {
    struct tensor_file *f = &c->file;
    const struct shape *ours = &t->param->shape;
    const char *name = pool_copy(&c->pool, t->param->name, strlen(t->param->name));
    float **read = &c->read[f->n];

    if (!(*read = malloc((size_t)(t->param->len + 1) * sizeof **read)))
        return err_set(err, ERR_IO, "%s: not enough memory to read it", c->in);
    memcpy(*read, numbers, (size_t)t->param->len * sizeof **read);
    f->item = pool_grow(&f->pool, f->item, f->n, sizeof *f->item);
    f->item[f->n] = (struct tensor_item){
        .name = name,
        .stored = name,
        .net = "",
        .shape = ours->rank > 1 && !t->param->plain ? layout_to_torch(ours) : *ours,
        .index = f->n};
    f->n++;
    return 0;
}

static int fill(struct conversion *c, const struct darknet_layers *l, const struct darknet *d,
                int n, struct err *err) {
    const float *at = d->numbers;

    c->file.path = c->in;
    c->read = pool_take(&c->pool, (size_t)n * sizeof *c->read);
    for (int i = 0; i < n; i++, at += l->tensor[i - 1].param->len) {
        if (take(c, &l->tensor[i], at, err))
            return -1;
        c->n_read = c->file.n;
    }
    return 0;
}

int convert_open_darknet(struct conversion *c, struct err *err) {
    struct convert_network o = {0};
    struct darknet d = {0};
    struct darknet_layers l = {.pool = &c->pool};
    int n = 0;

    if (c->ema)
        return err_set(err, ERR_USAGE, "convert: --ema is for checkpoints, found %s", c->in);
    int rc = convert_network_open(&o, c, c->job, err);
    rc = rc || find_layers(&l, &o, err) || darknet_read(&d, c->in, err) ||
                 count_tensors(&l, &o, &d, &n, err) || fill(c, &l, &d, n, err)
             ? -1
             : 0;
    if (!rc)
        c->net = pool_copy(&c->pool, l.net->name, strlen(l.net->name));
    darknet_release(&d);
    convert_network_release(&o);
    return rc;
}

void convert_read_darknet(const struct conversion *c, const struct tensor_item *item, float *out) {
    if (item->shape.rank > 1 && !item->plain)
        layout_read_torch(&item->shape, c->read[item->index], out);
    else
        memcpy(out, c->read[item->index], (size_t)shape_len(&item->shape) * sizeof *out);
}

/* --- writing --- */

static int write(const struct conversion *c, const struct darknet_layers *l, struct err *err) {
    struct darknet d = {.n = l->len, .numbers = malloc((size_t)l->len * sizeof *d.numbers)};
    float *at = d.numbers;

    if (!at)
        return err_set(err, ERR_IO, "%s: not enough memory to write it", c->out);
    for (int i = 0; i < l->n; i++) {
        const struct param *p = l->tensor[i].param;
        const float *from = (l->tensor[i].state ? l->net->state : l->net->w) + p->offset;

        if (p->shape.rank > 1)
            layout_write_torch(&p->shape, from, at);
        else
            memcpy(at, from, (size_t)p->len * sizeof *at);
        at += p->len;
    }
    const int rc = darknet_write(&d, c->out, err);
    darknet_release(&d);
    if (!rc)
        printf("%s: net %s, %d tensors of %lld numbers\n", c->out, l->net->name, l->n,
               (long long)l->len);
    return rc;
}

int convert_to_darknet(struct conversion *c, struct err *err) {
    struct convert_network o = {0};
    struct darknet_layers l = {.pool = &c->pool};

    const int rc = convert_network_open(&o, c, c->in, err) || find_layers(&l, &o, err) ||
                           convert_network_load(&o, err) || write(c, &l, err)
                       ? -1
                       : 0;
    convert_network_release(&o);
    return rc;
}
