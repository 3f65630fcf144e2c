#include "io/import/import_deal.h"

#include "io/dataset/dataset_split.h"
#include "io/dataset/folds.h"
#include "io/import/import_split.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Samples that are dealt as one: by themselves, or with those of their group. */
struct units {
    int64_t n;
    int32_t *of;    /* [samples] */
    int32_t *label; /* [n] that of its first sample; NULL: none */
    int32_t *part;  /* [n] */
};

/* The samples that may be dealt: of the one split there is, or of train. */
struct dealt {
    const struct rows_source *source;
    int64_t *sample; /* [n] */
    int64_t n;
};

static void units_release(struct units *u) {
    free(u->of);
    free(u->label);
    free(u->part);
}

static int units_init(struct units *u, const struct dealt *d, struct err *err) {
    const struct rows_source *s = d->source;
    int32_t *number;
    int64_t most = 0;

    *u = (struct units){0};
    for (int64_t i = 0; s->group && i < d->n; i++)
        most = s->group[d->sample[i]] > most ? s->group[d->sample[i]] : most;
    number = malloc((size_t)(most + 1) * sizeof *number);
    u->of = malloc((size_t)d->n * sizeof *u->of);
    u->part = calloc((size_t)d->n, sizeof *u->part);
    u->label = s->label ? malloc((size_t)d->n * sizeof *u->label) : NULL;
    if (!number || !u->of || !u->part || (s->label && !u->label)) {
        free(number);
        return err_set(err, ERR_IO, "%s: out of memory for %" PRId64 " %s", s->name, d->n, s->what);
    }
    for (int64_t g = 0; g <= most; g++)
        number[g] = -1;
    for (int64_t i = 0; i < d->n; i++) {
        const int64_t at = d->sample[i];
        int32_t *unit = s->group ? &number[s->group[at]] : NULL;

        if (!unit || *unit < 0) {
            if (s->label)
                u->label[u->n] = s->label[at];
            u->of[i] = (int32_t)u->n++;
            if (unit)
                *unit = u->of[i];
        } else {
            u->of[i] = *unit;
        }
    }
    free(number);
    return 0;
}

/* The end of them is held out, and what both ends would share goes to none. */
static int hold_end(struct deal *deal, const struct dealt *d, int64_t held, struct err *err) {
    const int64_t kept = d->n - held - d->source->apart;

    if (kept < 1)
        return err_set(err, ERR_USAGE,
                       "data: --split would hold out %" PRId64 " of %" PRId64 " %s of %s and leave "
                       "%" PRId64 " between, expected some to train on",
                       held, d->n, d->source->what, d->source->name, d->source->apart);
    for (int64_t i = 0; i < d->n; i++)
        deal->part[d->sample[i]] = i < kept ? 0 : i < d->n - held ? -1 : deal->n - 1;
    return 0;
}

static int hold_out(struct deal *deal, const struct dealt *d, const struct import_split *how,
                    struct err *err) {
    const double share = how->n ? (double)how->n / (double)d->n : how->share;
    struct units u = {0};
    int64_t held;
    int status = 0;

    if (split_count(how, d->n, d->source->what, d->source->name, &held, err))
        return -1;
    if (d->source->ordered)
        return hold_end(deal, d, held, err);
    if (units_init(&u, d, err))
        status = -1;
    held = (int64_t)(share * (double)u.n + 0.5);
    if (!status && (held < 1 || held >= u.n))
        status = err_set(err, ERR_USAGE,
                         "data: --split would hold out %" PRId64 " of %" PRId64
                         " groups of %s, expected some, not all",
                         held, u.n, d->source->name);
    if (!status && folds_hold_out(u.label, u.n, held, how->seed, u.part, err) < 0)
        status = -1;
    for (int64_t i = 0; !status && i < d->n; i++)
        if (u.part[u.of[i]])
            deal->part[d->sample[i]] = deal->n - 1;
    units_release(&u);
    return status;
}

static int make_folds(struct deal *deal, const struct dealt *d, const struct import_split *how,
                      struct err *err) {
    struct units u = {0};
    int status = units_init(&u, d, err);

    if (!status && u.n < how->folds)
        status = err_set(err, ERR_USAGE,
                         "data: --folds %d of %" PRId64 " %s of %s, expected no "
                         "more folds than that",
                         how->folds, u.n, d->source->group ? "groups" : d->source->what,
                         d->source->name);
    if (!status)
        status = folds_deal(u.label, u.n, how->folds, how->seed, u.part, err);
    for (int64_t i = 0; !status && i < d->n; i++)
        deal->part[d->sample[i]] = u.part[u.of[i]];
    units_release(&u);
    return status;
}

/* Names of all splits, the one that is trained on first, and the source's own parts. */
static int take_splits(struct deal *deal, const struct rows_source *s,
                       const struct import_split *how, struct err *err) {
    const bool held = how->n || how->share > 0;
    const int own = s->n_splits ? s->n_splits : 1;
    int first = 0;

    deal->n = how->folds ? how->folds : own + held;
    deal->name = calloc((size_t)deal->n, sizeof *deal->name);
    deal->part = calloc((size_t)s->n, sizeof *deal->part);
    deal->count = calloc((size_t)deal->n, sizeof *deal->count);
    if (!deal->name || !deal->part || !deal->count)
        return err_set(err, ERR_IO, "%s: out of memory", s->name);
    for (int k = 0; k < s->n_splits; k++)
        first = split_is_train(s->split_name[k]) ? k : first;
    for (int k = 0; k < own; k++) {
        const int at = k == first ? 0 : k < first ? k + 1 : k;
        const char *name = s->n_splits ? s->split_name[k] : "train";

        if ((held || how->folds) && split_check(name, at, own, err))
            return -1;
        snprintf(deal->name[at % deal->n], DEAL_NAME, "%s", name);
    }
    for (int64_t i = 0; s->n_splits && i < s->n; i++) {
        const int k = s->split_of[i];
        deal->part[i] = k == first ? 0 : k < first ? k + 1 : k;
    }
    for (int k = 0; k < how->folds; k++)
        split_name(&(struct split_plan){.folds = how->folds}, k, deal->name[k]);
    if (held)
        snprintf(deal->name[deal->n - 1], DEAL_NAME, "validate");
    return 0;
}

int deal_init(struct deal *deal, const struct rows_source *source, const struct import_split *how,
              struct err *err) {
    struct dealt d = {.source = source};
    int status = 0;

    *deal = (struct deal){0};
    if (how->folds && source->n_splits > 1)
        return err_set(err, ERR_USAGE, "data: --folds is of one group, %s has %d", source->name,
                       source->n_splits);
    if (how->folds && source->ordered)
        return err_set(err, ERR_USAGE,
                       "data: --folds mixes what follows in time, so that a fold "
                       "is known from its neighbours; --split holds the end out");
    if (take_splits(deal, source, how, err))
        return -1;
    d.sample = malloc((size_t)source->n * sizeof *d.sample);
    if (!d.sample)
        return err_set(err, ERR_IO, "%s: out of memory", source->name);
    for (int64_t i = 0; i < source->n; i++)
        if (!deal->part[i])
            d.sample[d.n++] = i;
    if (how->folds)
        status = make_folds(deal, &d, how, err);
    else if (how->n || how->share > 0)
        status = hold_out(deal, &d, how, err);
    for (int64_t i = 0; !status && i < source->n; i++)
        if (deal->part[i] >= 0)
            deal->count[deal->part[i]]++;
    free(d.sample);
    return status;
}

void deal_release(struct deal *deal) {
    free(deal->name);
    free(deal->part);
    free(deal->count);
}
