/* select.c - some parameters of some nets, named as in `freeze = backbone, model.layer1`. */
#include "core/graph/build.h"
#include "core/base/nearest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Does the path name this parameter or part, or what it stands in? */
static bool begins(const char *name, const char *path) {
    const size_t len = strlen(path);

    return !len || (!strncmp(name, path, len) && (name[len] == '.' || !name[len]));
}

static bool any_begins(const struct params *params, const char *path) {
    for (int i = 0; i < params->n; i++)
        if (begins(params->items[i].name, path))
            return true;
    return false;
}

/* The net that a name means; `model` is the one of [job]. */
static int find_net(const struct graph_config *config, const struct entry *entry, const char *name,
                    struct net **out, struct err *err) {
    struct model *m = config->model;
    const char *names[64];
    int n = 0;

    if (!strcmp(name, "model") && config->model_entry) {
        struct entry model = *config->model_entry;
        struct net **nets;
        model.key = entry->key;
        if (graph_nets(config, &model, &nets, &n, err))
            return -1;
        *out = nets[0];
        return 0;
    }
    if ((*out = model_find(m, name)))
        return 0;
    for (; n < m->n_nets && n < 64; n++)
        names[n] = m->nets[n]->name;
    const char *near = nearest(name, names, n);
    return pos_error(err, entry->pos, "%s: '%s' is no net that is used%s%s%s", entry->key, name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The number behind a name. */
static int read_number(const struct entry *entry, const char *name, const char *text, double *out,
                       struct err *err) {
    char *end;

    *out = strtod(text, &end);
    if (end != text && !*end && *out >= 0 && *out <= 1e9)
        return 0;
    return pos_error(err, entry->pos,
                     "%s: found %s%s%s behind '%s', expected a number from 0 to 1e9, as in %s = "
                     "%s 10",
                     entry->key, *text ? "'" : "", *text ? text : "nothing", *text ? "'" : "", name,
                     entry->key, name);
}

/* "model.layer1 0.1", trimmed. */
static int select_one(const struct graph_config *config, const struct entry *entry, char *text,
                      bool numbers, struct selection *out, struct err *err) {
    char *number = text + strcspn(text, " \t\n");
    char *dot;

    out->number = 1;
    if (!*text)
        return pos_error(err, entry->pos, "%s: expected nets or parts, as in %s", entry->key,
                         numbers ? "model.layer1 0.1" : "model.layer1");
    if (*number)
        *number++ = 0;
    number += strspn(number, " \t\n");
    if (!numbers && *number)
        return pos_error(err, entry->pos, "%s: found '%s' behind %s, expected a comma", entry->key,
                         number, text);
    if (numbers && read_number(entry, text, number, &out->number, err))
        return -1;
    if ((dot = strchr(text, '.')))
        *dot = 0;
    if (find_net(config, entry, text, &out->net, err))
        return -1;
    out->path = dot ? dot + 1 : "";
    if (*out->path && !any_begins(&out->net->weights, out->path))
        return pos_error(err, entry->pos, "%s: net %s has no parameter %s", entry->key,
                         out->net->name, out->path);
    return 0;
}

int graph_select(const struct graph_config *config, const struct entry *entry, bool numbers,
                 struct selection **out, int *n, struct err *err) {
    struct pool *pool = &config->model->pool;
    const char *at = entry->value;

    *out = NULL;
    *n = 0;
    for (;;) {
        at += strspn(at, " \t\n");
        size_t len = strcspn(at, ",");
        const bool last = !at[len];
        const char *next = at + len + !last;
        while (len && isspace((unsigned char)at[len - 1]))
            len--;
        *out = pool_grow(pool, *out, *n, sizeof **out);
        if (select_one(config, entry, pool_copy(pool, at, len), numbers, &(*out)[(*n)++], err))
            return -1;
        if (last)
            return 0;
        at = next;
    }
}

const struct selection *selection_of(const struct selection *list, int n, const struct net *net,
                                     const char *param) {
    for (int i = n - 1; i >= 0; i--)
        if (list[i].net == net && begins(param, list[i].path))
            return &list[i];
    return NULL;
}

void graph_freeze(struct graph *g, const struct selection *list, int n) {
    struct pool *pool = &g->model->pool;

    for (int i = 0; i < g->n_nodes; i++) {
        struct node *node = &g->nodes[i];
        const struct part *part = node->part ? node->part : node->inside;
        if (node->home && selection_of(list, n, node->home, part_path(pool, part, "")))
            node->frozen = true;
    }
}
