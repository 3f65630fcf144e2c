/* spans.c - what a replica consists of. */
#include "train/replica_parts.h"

static void add(struct replica *r, struct span span) {
    r->spans = pool_grow(&r->model.pool, r->spans, r->n_spans, sizeof *r->spans);
    r->spans[r->n_spans++] = span;
}

/* A span beside the weights of a net, cut as they are. */
static struct span of_weights(const struct net *net, enum span_kind kind, real **home) {
    return (struct span){.kind = kind,
                         .net = net,
                         .params = &net->weights,
                         .bytes = (size_t)net->weights.len * sizeof(real),
                         .home = home};
}

static void add_net(struct replica *r, struct net *net) {
    struct span weights = of_weights(net, SPAN_WEIGHTS, &net->w);
    struct span running = {.kind = SPAN_RUNNING,
                           .net = net,
                           .params = &net->states,
                           .bytes = (size_t)net->states.len * sizeof(real),
                           .home = &net->state};

    weights.name = pool_print(&r->model.pool, "weights of %s", net->name);
    running.name = pool_print(&r->model.pool, "running statistics of %s", net->name);
    weights.path = running.path = pool_print(&r->model.pool, "/nets/%s", net->name);
    add(r, weights);
    add(r, running);
}

static void add_averages(struct replica *r, struct net *net) {
    struct span span = of_weights(net, SPAN_AVERAGES, &net->ema);

    span.name = pool_print(&r->model.pool, "averaged weights of %s", net->name);
    span.path = pool_print(&r->model.pool, "/ema/%s", net->name);
    add(r, span);
}

static void add_step(struct replica *r, struct replica_step *s) {
    const char *step = s->job->name[0] ? s->job->name : "step";

    for (int k = 0; s->plan && k < s->n_train; k++)
        for (int m = 0; m < s->optimizer->n_moments; m++) {
            struct span span = of_weights(s->train[k], SPAN_MOMENT, &s->nets[k].moment[m]);
            span.trained = true;
            span.bytes = (size_t)s->train[k]->weights.trained_len * sizeof(real);
            span.flat = s->train[k]->weights.trained_len == s->train[k]->weights.len;
            span.name = pool_print(&r->model.pool, "moment %d of %s%s for %s", m,
                                   s->job->name[0] ? "step " : "the ", step, s->train[k]->name);
            span.path =
                pool_print(&r->model.pool, "/optimizer/%s/%s/%d", step, s->train[k]->name, m);
            add(r, span);
        }
    add(r, (struct span){.kind = SPAN_COUNTER,
                         .name = pool_print(&r->model.pool, "number of updates of %s%s",
                                            s->job->name[0] ? "step " : "the ", step),
                         .data = &s->n_updates,
                         .bytes = sizeof s->n_updates});
}

void replica_list_spans(struct replica *r) {
    for (int i = 0; i < r->model.n_nets; i++)
        add_net(r, r->model.nets[i]);
    for (int i = 0; i < r->model.n_nets; i++)
        if (r->model.nets[i]->averaged)
            add_averages(r, r->model.nets[i]);
    for (int i = 0; i < r->n_steps; i++)
        add_step(r, &r->step[i]);
}

void replica_place_spans(struct replica *r) {
    for (int i = 0; i < r->n_spans; i++) {
        struct span *span = &r->spans[i];
        if (span->kind == SPAN_MOMENT)
            *span->home = arena_take(&r->arena, span->bytes);
        if (span->home)
            span->data = *span->home;
    }
}

/* The i-th of the parameters that the span holds; NULL past the last. */
static const struct param *param_of(const struct span *span, int i) {
    for (int k = 0; k < span->params->n; k++)
        if (!(span->trained && span->params->items[k].frozen) && i-- == 0)
            return &span->params->items[k];
    return NULL;
}

int span_n_pieces(const struct span *span) {
    int n = 0;

    while (span->params && param_of(span, n))
        n++;
    return span->params ? n : 1;
}

struct span_piece span_piece(const struct span *span, int i) {
    if (!span->params)
        return (struct span_piece){.data = span->data, .bytes = span->bytes};
    const struct param *p = param_of(span, i);
    return (struct span_piece){p->name, p, (real *)span->data + p->offset,
                               (size_t)p->len * sizeof(real)};
}
