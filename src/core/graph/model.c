#include "core/graph/model.h"
#include "core/ops/parts/init.h"
#include "core/base/rng.h"

#include <string.h>

enum { ALIGN_LEN = ARENA_ALIGN / sizeof(real) };

void model_release(struct model *m) {
    arena_release(&m->arena);
    pool_release(&m->pool);
    *m = (struct model){0};
}

struct net *model_find(const struct model *m, const char *name) {
    for (int i = 0; i < m->n_nets; i++)
        if (!strcmp(m->nets[i]->name, name))
            return m->nets[i];
    return NULL;
}

struct net *model_add(struct model *m, const char *name, const struct section *section) {
    struct net *net = pool_take(&m->pool, sizeof *net);

    *net = (struct net){.name = name, .section = section, .index = m->n_nets};
    m->nets = pool_grow(&m->pool, m->nets, m->n_nets, sizeof(struct net *));
    m->nets[m->n_nets++] = net;
    return net;
}

int params_find_or_add(struct params *params, struct pool *pool, const char *name,
                       const struct op_param *spec, int *out, struct err *err) {
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];

    const int known = names_find(&params->names, "", name);
    if (known >= 0) {
        const struct param *p = &params->items[known];
        if (!shape_equal(&p->shape, &spec->shape))
            return err_set(err, ERR_CONFIG,
                           "parameter %s would have the shapes %s and %s in two uses of its net",
                           name, shape_text(&p->shape, found), shape_text(&spec->shape, wanted));
        *out = known;
        return 0;
    }
    const int64_t len = shape_len(&spec->shape);
    if (params->len > TENSOR_MAX_LEN - len)
        return err_set(err, ERR_CONFIG, "more than %lld parameters with %s of %s",
                       (long long)TENSOR_MAX_LEN, name, shape_text(&spec->shape, wanted));
    params->items = pool_grow(pool, params->items, params->n, sizeof *params->items);
    params->items[params->n] = (struct param){
        .name = pool_copy(pool, name, strlen(name)),
        .shape = spec->shape,
        .init = spec->init,
        .fan_in = spec->fan_in,
        .fan_out = spec->fan_out,
        .decay = spec->decay,
        .norm = spec->norm,
        .plain = spec->plain && spec->shape.rank > 1,
        .offset = params->len,
        .len = len,
    };
    names_set(&params->names, pool, "", params->items[params->n].name, params->n);
    params->len += param_room(&params->items[params->n]);
    params->trained_len = params->len;
    *out = params->n++;
    return 0;
}

const struct param *param_at(const struct params *params, int64_t element) {
    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        if (element >= p->offset && element < p->offset + p->len)
            return p;
    }
    return NULL;
}

int64_t param_room(const struct param *param) {
    return (param->len + ALIGN_LEN - 1) / ALIGN_LEN * ALIGN_LEN;
}

void params_arrange(struct params *params) {
    int64_t len = 0;

    for (int frozen = 0; frozen < 2; frozen++) {
        for (int i = 0; i < params->n; i++) {
            if (params->items[i].frozen != frozen)
                continue;
            params->items[i].offset = len;
            len += param_room(&params->items[i]);
        }
        if (!frozen)
            params->trained_len = len;
    }
}

static size_t span_bytes(int64_t len) {
    return arena_round((size_t)len * sizeof(real));
}

size_t model_gradient_bytes(const struct model *m) {
    size_t bytes = 0;

    for (int i = 0; i < m->n_nets; i++)
        bytes += m->nets[i]->trained ? span_bytes(m->nets[i]->weights.trained_len) : 0;
    return bytes;
}

size_t model_bytes(const struct model *m) {
    size_t bytes = 0;

    for (int i = 0; i < m->n_nets; i++) {
        const struct net *net = m->nets[i];
        bytes += span_bytes(net->weights.len) * (1 + (size_t)net->averaged);
        bytes += span_bytes(net->states.len);
    }
    return bytes + model_gradient_bytes(m);
}

/* FNV-1a: a number for a name. */
static uint64_t name_number(const char *name) {
    uint64_t h = 0xcbf29ce484222325u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

static void params_fill(const struct params *params, uint64_t seed, const char *net, real *span) {
    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        const uint64_t key = rng_key(seed, RNG_INIT, name_number(net), name_number(p->name));
        init_fill(&p->init, p->fan_in, p->fan_out, key, span + p->offset, p->len);
    }
}

int model_allocate(struct model *m, uint64_t seed, struct err *err) {
    const size_t elsewhere = m->gradients ? model_gradient_bytes(m) : 0;
    struct arena given = {m->gradients, elsewhere, 0};
    struct arena *gradients = m->gradients ? &given : &m->arena;

    if (arena_init(&m->arena, model_bytes(m) - elsewhere, err))
        return err_wrap(err, "weights and gradients");
    for (int i = 0; i < m->n_nets; i++) {
        struct net *net = m->nets[i];
        net->w = arena_take(&m->arena, (size_t)net->weights.len * sizeof(real));
        if (net->trained)
            net->dw = arena_take(gradients, (size_t)net->weights.trained_len * sizeof(real));
        if (net->averaged)
            net->ema = arena_take(&m->arena, (size_t)net->weights.len * sizeof(real));
        net->state = arena_take(&m->arena, (size_t)net->states.len * sizeof(real));
        params_fill(&net->weights, seed, net->name, net->w);
        params_fill(&net->states, seed, net->name, net->state);
    }
    return 0;
}

int64_t net_n_weights(const struct net *net) {
    int64_t n = 0;

    for (int i = 0; i < net->weights.n; i++)
        n += net->weights.items[i].len;
    return n;
}
