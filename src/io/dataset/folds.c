#include "io/dataset/folds.h"

#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

/* All rows, class by class, each class mixed. */
struct by_class {
    int64_t *row;   /* [n] */
    int64_t *begin; /* [n_classes + 1] in row; class 0 is that of rows without one */
    int64_t n_classes;
};

static int64_t class_of(const int32_t *label, int64_t i) {
    return label && label[i] >= 0 ? (int64_t)label[i] + 1 : 0;
}

static void by_class_release(struct by_class *c) {
    free(c->row);
    free(c->begin);
}

static void mix(int64_t *row, int64_t n, uint64_t key) {
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
        const int64_t other = row[j];

        row[j] = row[i];
        row[i] = other;
    }
}

static int by_class_init(struct by_class *c, const int32_t *label, int64_t n, uint64_t seed,
                         struct err *err) {
    *c = (struct by_class){.n_classes = 1};
    for (int64_t i = 0; i < n; i++)
        if (class_of(label, i) >= c->n_classes)
            c->n_classes = class_of(label, i) + 1;
    c->row = malloc((size_t)n * sizeof *c->row + 1);
    c->begin = calloc((size_t)c->n_classes + 2, sizeof *c->begin);
    if (!c->row || !c->begin) {
        by_class_release(c);
        return err_set(err, ERR_IO, "out of memory for the order of %lld rows", (long long)n);
    }
    /* Counted two places on, summed, and moved one place back by filling. */
    for (int64_t i = 0; i < n; i++)
        c->begin[class_of(label, i) + 2]++;
    for (int64_t k = 1; k < c->n_classes; k++)
        c->begin[k + 1] += c->begin[k];
    for (int64_t i = 0; i < n; i++)
        c->row[c->begin[class_of(label, i) + 1]++] = i;
    for (int64_t k = 0; k < c->n_classes; k++)
        mix(c->row + c->begin[k], c->begin[k + 1] - c->begin[k],
            rng_key(seed, RNG_SPLIT, (uint64_t)k, 0));
    return 0;
}

int folds_deal(const int32_t *label, int64_t n, int k, uint64_t seed, int32_t *fold,
               struct err *err) {
    struct by_class c;

    if (by_class_init(&c, label, n, seed, err))
        return -1;
    for (int64_t i = 0; i < n; i++)
        fold[c.row[i]] = (int32_t)(i % k);
    by_class_release(&c);
    return 0;
}

/* How many rows of class k can be spared. */
static int64_t spare(const struct by_class *c, int64_t k) {
    return c->begin[k + 1] - c->begin[k] - 1;
}

/* How many rows of each class: some[n_classes]. Returns their sum. */
static int64_t share_out(const struct by_class *c, int64_t n, int64_t held, int64_t *some) {
    int64_t taken = 0, room = 1;

    for (int64_t k = 0; k < c->n_classes; k++) {
        /* So many should be taken up to here; what small classes lack is taken from later ones. */
        const double due = (double)held * (double)c->begin[k + 1] / (double)n;
        const int64_t want = (int64_t)(due + 1e-6) - taken;

        some[k] = want > spare(c, k) ? spare(c, k) : want;
        some[k] = some[k] > 0 ? some[k] : 0;
        taken += some[k];
    }
    while (taken < held && room) { /* the last ones were small, too */
        room = 0;
        for (int64_t k = 0; k < c->n_classes && taken < held; k++)
            if (some[k] < spare(c, k)) {
                some[k]++;
                taken++;
                room++;
            }
    }
    return taken;
}

int64_t folds_hold_out(const int32_t *label, int64_t n, int64_t held, uint64_t seed,
                       int32_t *held_out, struct err *err) {
    struct by_class c;

    if (by_class_init(&c, label, n, seed, err))
        return -1;
    int64_t *some = malloc((size_t)c.n_classes * sizeof *some);
    const int64_t taken = some ? share_out(&c, n, held, some)
                               : err_set(err, ERR_IO, "out of memory for the counts of classes");
    memset(held_out, 0, (size_t)n * sizeof *held_out);
    for (int64_t k = 0; some && k < c.n_classes; k++)
        for (int64_t i = 0; i < some[k]; i++)
            held_out[c.row[c.begin[k] + i]] = 1;
    free(some);
    by_class_release(&c);
    return taken;
}
