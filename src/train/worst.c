#include "train/worst.h"
#include "dist/agree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How well a leaf tells which samples are wrong; 0: not at all. */
static int fitness(const struct plan *p, int leaf) {
    const int node = p->leaves[leaf];
    const struct node *n = &p->graph->nodes[node];
    int64_t limit;
    const bool labels = graph_class_input(p->graph, node, &limit) == 1 &&
                        p->graph->nodes[n->x[0]].plan.y.rank == 2 && !n->op->meaning.whole;
    const bool is_loss = n->op->backward && n->op->meaning.better <= 0 &&
                         shape_len(&n->plan.y) == 1 && run_has_samples(p, leaf);

    return labels && is_loss ? 3 : labels ? 2 : is_loss ? 1 : 0;
}

int worst_init(struct worst *w, const struct replica *r, int64_t count, struct err *err) {
    const struct plan *p = r->validate_plan;
    int best = 0;

    *w = (struct worst){.leaf = -1};
    for (int leaf = 0; p && leaf < p->n_leaves; leaf++)
        if (fitness(p, leaf) > best) {
            best = fitness(p, leaf);
            w->leaf = leaf;
        }
    w->classifies = best >= 2;
    w->is_loss = best != 2;
    if (w->classifies) {
        const struct node *leaf = &p->graph->nodes[p->leaves[w->leaf]];
        w->field = p->graph->nodes[leaf->x[1]].field;
    }
    w->room = w->leaf < 0 ? 0 : count >= 0 ? count : w->classifies ? WORST_USUAL : 0;
    w->sample = malloc((size_t)(w->room + 1) * sizeof *w->sample);
    return w->sample
               ? 0
               : err_set(err, ERR_IO, "no memory for the %lld worst samples", (long long)w->room);
}

void worst_release(struct worst *w) {
    free(w->sample);
    *w = (struct worst){0};
}

/* Worse ones come first; what is not a number is the worst. */
static int worse_first(const void *a, const void *b) {
    const struct worst_sample *x = a, *y = b;
    const double p = isnan(x->loss) ? INFINITY : x->loss, q = isnan(y->loss) ? INFINITY : y->loss;

    if (p > q || p < q)
        return (p < q) - (p > q);
    return (x->index > y->index) - (x->index < y->index);
}

/* Put a sample where it belongs, if it is among the worst. */
static void insert(struct worst *w, const struct worst_sample *s) {
    int64_t at = w->n;

    if (w->n == w->room && (!w->room || worse_first(s, &w->sample[w->n - 1]) > 0))
        return;
    w->n += w->n < w->room;
    for (at = at < w->n ? at : w->n - 1; at > 0 && worse_first(s, &w->sample[at - 1]) < 0; at--)
        w->sample[at] = w->sample[at - 1];
    w->sample[at] = *s;
}

/* Class, guess and their probabilities of sample k of the batch. One score stands beside a 0. */
static void classify(const struct op_call *c, int64_t k, struct worst_sample *s) {
    const int64_t n = shape_channels(&c->x[0].shape), classes = n == 1 ? 2 : n;
    const act *x = c->x[0].data + k * n;
    double sum = 0, max = n == 1 ? 0 : (double)x[0];

    s->label = c->x[1].indices[k];
    s->guess = 0;
    for (int64_t j = 0; j < n; j++)
        if ((double)x[j] > max) {
            max = (double)x[j];
            s->guess = (int32_t)(n == 1 ? 1 : j);
        }
    for (int64_t j = 0; j < classes; j++) {
        const double e = exp((n == 1 ? (j ? (double)x[0] : 0) : (double)x[j]) - max);
        sum += e;
        s->p_label = j == s->label ? e : s->p_label;
    }
    s->p = 1 / sum;
    s->p_label = s->label >= 0 ? s->p_label / sum : (double)NAN;
}

void worst_take(struct worst *w, const struct terms *terms, int64_t i, int64_t k, int64_t index) {
    const struct op_call *call = &terms->plan->nodes[terms->plan->leaves[w->leaf]].call;
    struct worst_sample s = {.index = index, .label = -1, .guess = -1};

    if (w->is_loss) {
        s.loss = terms_mean(terms, w->leaf, i);
        if (!(terms->leaf[w->leaf].count[i] > 0) ||
            (w->n == w->room && (!w->room || worse_first(&s, &w->sample[w->n - 1]) > 0)))
            return;
    }
    if (w->classifies)
        classify(call, k, &s);
    if (!w->is_loss) {
        s.loss = -log(s.p_label);
        if (s.label < 0)
            return;
    }
    insert(w, &s);
}

int worst_gather(struct worst *w, struct comm *comm, struct err *err) {
    const int size = comm_size(comm);
    struct worst_sample *all = calloc((size_t)(size * w->room + 1), sizeof *all);
    int64_t *n = calloc((size_t)size, sizeof *n);
    const bool fails = !all || !n;
    int rc = agree(comm, fails ? err_set(err, ERR_IO, "no memory for the worst samples") : 0, err);

    if (!rc && w->room) {
        comm_all_gather(comm, &w->n, n, sizeof *n);
        comm_all_gather(comm, w->sample, all, (size_t)w->room * sizeof *all);
        w->n = 0;
        for (int rank = 0; rank < size; rank++)
            for (int64_t i = 0; i < n[rank]; i++)
                insert(w, &all[rank * w->room + i]);
    }
    free(all);
    free(n);
    return rc;
}
