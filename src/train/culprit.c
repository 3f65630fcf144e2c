#include "train/culprit.h"
#include "core/learn/finite.h"
#include "train/node_label.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void culprit_losses_add(struct culprit_losses *l, double loss) {
    if (l->n == CULPRIT_LOSSES) {
        memmove(l->v, l->v + 1, (CULPRIT_LOSSES - 1) * sizeof *l->v);
        l->n--;
    }
    l->v[l->n++] = loss;
}

static const char *number(double value, struct pool *pool) {
    return isfinite(value) ? pool_print(pool, "%.4g", value) : isnan(value) ? "nan" : "infinite";
}

const char *culprit_weight(const struct replica *r, struct pool *pool) {
    for (int i = 0; i < r->n_spans; i++) {
        const struct span *span = &r->spans[i];
        for (int k = 0; span->kind != SPAN_COUNTER && k < span_n_pieces(span); k++) {
            const struct span_piece piece = span_piece(span, k);
            const real *v = piece.data;
            const int64_t n = (int64_t)(piece.bytes / sizeof *v);
            const int64_t at = finite_first(v, n, r->team);
            if (at < 0)
                continue;
            const struct shape flat = {1, {n}};
            return pool_print(pool, "%s%s%s[%s] is %s", span->name, piece.name ? ", " : "",
                              piece.name ? piece.name : "",
                              probe_place(piece.param ? &piece.param->shape : &flat, at, pool),
                              number((double)v[at], pool));
        }
    }
    return NULL;
}

static void say(struct culprit *c, const char *text) {
    if (c->fault.n_lines < CULPRIT_LINES)
        c->line[c->fault.n_lines++] = text;
}

/* --- what was found --- */

/* The field of the data that a sample is named by: that which holds the number, else the first. */
static int field_of(const struct culprit_case *k) {
    const char *name = k->replica->step[k->fault->which].graph->nodes[k->hit->seen.node].field;
    const int i = name ? dataset_find_field(k->feed->dataset, name) : -1;

    return i < 0 ? 0 : i;
}

static void name_samples(struct culprit *c, const struct culprit_case *k, struct pool *pool) {
    const int field = field_of(k);
    char text[DATASET_ROW_TEXT];
    int n = 0;

    if (k->hit->n_samples == k->batch->data.n && k->hit->n_samples > 1) {
        c->sample[n++] = pool_print(pool, "all %" PRId64 " of this rank", k->batch->data.n);
        c->fault.sample = c->sample;
        c->fault.n_samples = n;
        return;
    }
    for (; n < k->hit->n_samples && n < PROBE_SAMPLES; n++) {
        const int64_t row = loader_batch_row(&k->batch->data, field, k->hit->sample[n]);
        c->sample[n] = pool_print(pool, "%s", dataset_row_text(k->feed->dataset, field, row, text));
    }
    if (k->hit->n_samples > n)
        c->sample[n++] = pool_print(pool, "and %" PRId64 " others of the %" PRId64 " of this rank",
                                    k->hit->n_samples - PROBE_SAMPLES, k->batch->data.n);
    c->fault.sample = c->sample;
    c->fault.n_samples = n;
}

static void describe_hit(struct culprit *c, const struct culprit_case *k, struct pool *pool) {
    const struct probe_hit *hit = k->hit;
    const struct graph *g = k->replica->step[k->fault->which].graph;
    const struct node *node = &g->nodes[hit->seen.node];
    const char *label = node_label(g, hit->seen.node, pool);
    const char *phase = probe_is_backward(&hit->seen) ? "backward" : "forward";

    c->fault.phase = phase;
    c->fault.node = node->pos.file ? pool_print(pool, "%s, at %s:%d:%d", label, node->pos.file,
                                                node->pos.line, node->pos.column)
                                   : label;
    c->fault.tensor =
        pool_print(pool, "%s is %s; %" PRId64 " of its %" PRId64 " numbers are not finite",
                   probe_text(g, &hit->seen, hit->at, pool), number(hit->value, pool), hit->n_bad,
                   shape_len(&hit->seen.shape));
    c->said = hit->seen.what == PROBE_FIELD
                  ? ""
                  : pool_print(pool, "it begins in %s of %s", phase, label);
    name_samples(c, k, pool);
}

/* --- why --- */

/* Is the loss larger than it was, by far? */
static bool has_grown(const struct culprit_losses *l, double *from, double *to) {
    *from = *to = (double)NAN;
    for (int i = 0; i < l->n; i++)
        if (isfinite(l->v[i])) {
            *from = isnan(*from) ? l->v[i] : fmin(*from, l->v[i]);
            *to = l->v[i];
        }
    return fabs(*to) > 2 * fabs(*from) && *to > *from;
}

static const char data_advice[] =
    "Mend the samples that are named or leave them out, and start the job again with --resume; "
    "checkpoints of before are kept.";
static const char growth_advice[] =
    "Begin again, or go on from the last checkpoint by --resume, with a lower "
    "learning rate, warmup= or clip_norm; `dltrain find-lr` measures one.";
static const char hardware_advice[] = "Checkpoints of before are kept: start the job again with "
                                      "--resume, without that host, and have "
                                      "its memory tested.";
static const char numbers_advice[] =
    "Keep what the operator reads away from where it has no value: clamp it, or add a small number "
    "before log, sqrt and division; or a lower learning rate, warmup= or clip_norm. Checkpoints of "
    "before are kept, and --resume goes on from there. `dltrain replay` with this folder "
    "computes the step again; --at OPERATOR shows its numbers.";

static void blame_data(struct culprit *c) {
    say(c, c->fault.n_samples ? "The data are the cause: as the networks see them, the samples "
                                "named above hold numbers that are not finite."
                              : "The data are the cause: they hold numbers that are not finite.");
    c->fault.advice = data_advice;
}

static void blame_weight(struct culprit *c, const struct culprit_case *k, const char *weight,
                         struct pool *pool) {
    say(c, pool_print(pool,
                      k->is_first ? "%s since before this step, the first of this process: it came "
                                    "from a file, or memory is damaged."
                                  : "%s since before this step: its update in the step before, at "
                                    "learning rate %.4g, made it so.",
                      weight, k->lr));
    c->fault.advice = growth_advice;
    c->said = pool_print(pool, "%s since before this step", weight);
}

/* Weights that no training leads to which goes well. */
static const char *large_weight(const struct culprit_case *k, struct pool *pool) {
    const double most = 1e8;

    for (int i = 0; i < k->replica->n_spans; i++) {
        const struct span *span = &k->replica->spans[i];
        for (int j = 0; span->kind == SPAN_WEIGHTS && j < span_n_pieces(span); j++) {
            const struct span_piece piece = span_piece(span, j);
            const real *v = piece.data;
            for (int64_t at = 0; at < piece.param->len; at++)
                if (fabs((double)v[at]) > most)
                    return pool_print(pool,
                                      "%s, %s[%s] has grown to %.4g by updates at learning rate "
                                      "%.4g, which is too large for it.",
                                      span->name, piece.name,
                                      probe_place(&piece.param->shape, at, pool), (double)v[at],
                                      k->lr);
        }
    }
    return NULL;
}

static void blame_numbers(struct culprit *c, const struct culprit_case *k, struct pool *pool) {
    double from, to;
    const char *large = large_weight(k, pool);

    c->fault.advice = numbers_advice;
    if (k->hit->found && !isnan(k->hit->in_min))
        say(c, pool_print(pool, "What that operator reads is finite, from %.4g to %.4g.",
                          k->hit->in_min, k->hit->in_max));
    if (k->hit->seen.what == PROBE_TAIL)
        say(c, "The parts of the loss are finite: see by what they are multiplied or divided.");
    const bool grown = has_grown(k->losses, &from, &to);
    if (grown)
        say(c, pool_print(pool,
                          "The loss grew from %.4g to %.4g in the steps before, at learning rate "
                          "%.4g: training has diverged.",
                          from, to, k->lr));
    if (large)
        say(c, large);
    if (grown || large)
        c->fault.advice = growth_advice;
}

static void blame_nobody(struct culprit *c, const struct culprit_case *k) {
    if (k->fault->moved) {
        say(c, "Computed again, the step is finite on all ranks; but some weights had been updated "
               "by it, and those of before are gone. With [dist] overlap = off, or clip_norm, none "
               "is before all gradients have been seen.");
        c->fault.advice = growth_advice;
        return;
    }
    say(c, "Computed again from the same weights and samples, the step is finite on all ranks: the "
           "first time something else was computed. A bit has flipped, in memory, in a processor "
           "or on the way between hosts.");
    c->fault.advice = hardware_advice;
    c->said = "computed again it is finite, and hardware is to be suspected";
}

void culprit_find(struct culprit *c, const struct culprit_case *k, struct pool *pool) {
    const struct step_fault *f = k->fault;
    const struct replica_step *step = &k->replica->step[f->which];
    const char *weight = culprit_weight(k->replica, pool);

    *c = (struct culprit){.said = ""};
    c->fault = (struct fault){.kind = FAULT_NOT_FINITE,
                              .size = k->size,
                              .step = f->step + 1,
                              .which = step->job->name,
                              .loss = k->losses->v,
                              .n_losses = k->losses->n};
    if (k->hit->found)
        describe_hit(c, k, pool);
    if (k->hit->found && k->hit->seen.what == PROBE_FIELD)
        blame_data(c);
    else if (weight)
        blame_weight(c, k, weight, pool);
    else if (k->hit->found)
        blame_numbers(c, k, pool);
    else
        blame_nobody(c, k);
    if (k->hit->found && f->moved)
        say(c, "Some weights had been updated by this step already when it was computed again; "
               "what is said above holds of them as they are.");
    c->fault.line = c->line;
}
