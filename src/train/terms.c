#include "train/terms.h"

#include <math.h>
#include <stdlib.h>

enum { LARGEST_TALLY = 4096 };

int terms_init(struct terms *t, struct plan *plan, struct err *err) {
    int64_t most = 1;

    *t = (struct terms){.plan = plan};
    t->leaf = calloc((size_t)plan->n_leaves + 1, sizeof *t->leaf);
    for (int i = 0; t->leaf && i < plan->n_leaves; i++) {
        const struct op *op = plan->graph->nodes[plan->leaves[i]].op;
        struct terms_leaf *l = &t->leaf[i];

        l->len = plan->leaf_at[i + 1] - plan->leaf_at[i];
        l->kept = run_has_samples(plan, i) && !op->meaning.whole &&
                  (l->len == 1 || (op->meaning.tally && l->len <= LARGEST_TALLY));
        most = l->kept && l->len > most ? l->len : most;
    }
    t->sums = malloc((size_t)most * sizeof *t->sums);
    if (!t->leaf || !t->sums)
        return err_set(err, ERR_IO, "no memory for the errors of %d measures", plan->n_leaves);
    return 0;
}

void terms_release(struct terms *t) {
    for (int i = 0; t->leaf && i < t->plan->n_leaves; i++) {
        free(t->leaf[i].count);
        free(t->leaf[i].end);
        free(t->leaf[i].at);
        free(t->leaf[i].value);
    }
    free(t->leaf);
    free(t->shard);
    free(t->sums);
    *t = (struct terms){0};
}

/* Room for n items in place of what there is; false: there is no memory. */
static bool grow(void *list, size_t item, int64_t n) {
    void **old = list;
    void *more = realloc(*old, (size_t)n * item);

    if (more)
        *old = more;
    return more != NULL;
}

void terms_begin(struct terms *t, int shard, int64_t n) {
    const int64_t need = t->n + n;

    t->first = t->n;
    if (need > t->room && !t->full) {
        const int64_t room = need > 2 * t->room ? need : 2 * t->room;

        t->full = !grow(&t->shard, sizeof *t->shard, room);
        for (int i = 0; i < t->plan->n_leaves && !t->full; i++)
            t->full = !grow(&t->leaf[i].count, sizeof *t->leaf[i].count, room) ||
                      !grow(&t->leaf[i].end, sizeof *t->leaf[i].end, room);
        t->room = room;
    }
    if (t->full)
        return;
    for (int64_t k = 0; k < n; k++)
        t->shard[t->first + k] = shard;
    t->n = need;
}

static int64_t begin_of(const struct terms_leaf *l, int64_t sample) {
    return sample ? l->end[sample - 1] : 0;
}

/* Append the numbers of one sample that are not 0. */
static void append(struct terms *t, struct terms_leaf *l, int64_t sample) {
    int64_t end = begin_of(l, sample);

    if (end + l->len > l->room) {
        const int64_t room = 2 * l->room + l->len;

        t->full = !grow(&l->at, sizeof *l->at, room) || !grow(&l->value, sizeof *l->value, room);
        l->room = t->full ? l->room : room;
    }
    for (int32_t k = 0; k < l->len && !t->full; k++)
        if (t->sums[k] != 0) {
            l->at[end] = k;
            l->value[end++] = t->sums[k];
        }
    l->end[sample] = end;
}

void terms_take(struct terms *t, int leaf) {
    struct terms_leaf *l = &t->leaf[leaf];

    for (int64_t i = t->first; l->kept && i < t->n && !t->full; i++) {
        l->count[i] = run_sample(t->plan, leaf, i - t->first, t->sums);
        append(t, l, i);
    }
}

int terms_check(const struct terms *t, struct err *err) {
    return t->full
               ? err_set(err, ERR_IO, "no memory for the terms of %lld samples", (long long)t->n)
               : 0;
}

double terms_mean(const struct terms *t, int leaf, int64_t sample) {
    const struct terms_leaf *l = &t->leaf[leaf];
    const int64_t begin = begin_of(l, sample);

    if (!(l->count[sample] > 0))
        return (double)NAN;
    return l->end[sample] > begin ? (double)l->value[begin] / l->count[sample] : 0;
}
