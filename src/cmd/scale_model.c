#include "cmd/scale.h"

#include <math.h>
#include <string.h>

/* A share of the step: where nothing but computing takes more, that is its limit. */
static const double WORTH_NAMING = 0.1;

const char *scale_limit_text(enum scale_limit limit) {
    static const char *const texts[SCALE_LIMITS] = {
        "computation",     "link bandwidth", "link latency", "memory bandwidth",
        "batch too small", "decoding",       "reading",      "memory of the host"};

    return texts[limit];
}

struct scale_line scale_fit(const double *n, const double *found, int points) {
    double w = 0, x = 0, y = 0, xx = 0, xy = 0; /* sums, each point by 1 / n^2 */

    for (int i = 0; i < points; i++) {
        const double weight = 1 / (n[i] * n[i]);
        w += weight, x += weight * n[i], y += weight * found[i];
        xx += weight * n[i] * n[i], xy += weight * n[i] * found[i];
    }
    const double spread = w * xx - x * x;
    const double slope = spread > 1e-12 * w * xx ? (w * xy - x * y) / spread : xy / xx;
    const double fixed = points > 1 ? (y - slope * x) / w : 0;
    if (slope < 0)
        return (struct scale_line){y / w, 0};
    return fixed < 0 ? (struct scale_line){0, xy / xx} : (struct scale_line){fixed, slope};
}

/* One row while it is computed. */
struct tally {
    const struct scale_setting *s;
    struct scale_row row;
    struct cost_cluster cluster;
    double local;     /* ranks of a full host */
    double n, mean_n; /* samples of a rank in a part of the batch: the most, the mean */
};

/* How many times as long ranks compute that share a host as one alone: as measured, and so on. */
static double slowdown(const struct tally *t) {
    const struct scale_profile *p = t->s->profile;
    const double known = p->sharing > 1 ? (t->local - 1) / (p->sharing - 1) : 1;

    return 1 + fmin(known, 1) * (p->slowdown - 1);
}

/* Seconds of a step for a line of them, of which bytes pass through memory; its parts to the row.
 */
static double computing(struct tally *t, const struct scale_line *seconds,
                        const struct scale_line *bytes, double times) {
    const struct scale_profile *p = t->s->profile;
    const double scale = t->s->thread_scale, alone = scale * scale_at(seconds, t->n);
    const double moved = bytes && t->local > p->sharing ? scale_at(bytes, t->n) : 0;
    const double traffic = moved > p->cache_bytes ? t->local * moved : 0;
    const double shared = fmax(alone * slowdown(t), traffic / t->s->cluster.memory_bytes_per_s);

    t->row.part_s[SCALE_COMPUTING] += times * scale * seconds->per_sample * t->mean_n;
    t->row.part_s[SCALE_SMALL] +=
        times * scale * (seconds->fixed + seconds->per_sample * (t->n - t->mean_n));
    t->row.part_s[SCALE_MEMORY] += times * (shared - alone);
    return shared;
}

/* Gradients of all the job's [step]s. */
static double gradient_bytes(const struct scale_step *step) {
    double bytes = 0;

    for (int i = 0; i < step->n_buckets; i++)
        bytes += step->buckets[i].bytes;
    return bytes;
}

/* Of the update, which begins with the buckets that are there while others travel. */
static double beside_update(const struct scale_setting *s, const struct scale_step *step) {
    const double own = gradient_bytes(step);
    double all = 0;

    for (int i = 0; i < s->profile->n_steps; i++)
        all += gradient_bytes(&s->profile->step[i]);
    if (step->waits || !(own > 0))
        return 0;
    const double last = step->buckets[step->n_buckets - 1].bytes;
    return s->thread_scale * s->profile->optimizer.fixed * (own - last) / all;
}

/* When each operator is done in a pass, or begins: [n_operators + 1]. */
struct passes {
    double *forward_s;  /* begins; the last: all are done */
    double *backward_s; /* done, since backward began; the last: 0 */
    double *moves_s;    /* the same, rising */
};

/* Times of a pass over a part of the batch, to the row. */
static void pass_forward(struct tally *t, const struct scale_step *step, double times,
                         struct passes *p) {
    p->forward_s[0] = 0;
    for (int i = 0; i < step->n_operators; i++) {
        const struct scale_operator *op = &step->operators[i];
        p->forward_s[i + 1] =
            p->forward_s[i] + computing(t, &op->forward, &op->forward_bytes, times);
    }
    t->row.forward_s += times * p->forward_s[step->n_operators];
}

static void pass_backward(struct tally *t, const struct scale_step *step, double times,
                          struct passes *p) {
    const int n = step->n_operators;

    p->backward_s[n] = 0;
    for (int i = n - 1; i >= 0; i--) {
        const struct scale_operator *op = &step->operators[i];
        p->backward_s[i] =
            p->backward_s[i + 1] + computing(t, &op->backward, &op->backward_bytes, times);
        p->moves_s[n - 1 - i] = p->backward_s[i];
    }
    t->row.backward_s += times * p->backward_s[0];
}

/* What goes on after backward without the sums of that bucket. */
static double needed(const struct tally *t, const struct scale_step *step, int behind,
                     const struct passes *p) {
    if (step->waits)
        return 0;
    return t->s->early ? p->forward_s[behind] : beside_update(t->s, step);
}

/* What sums of gradients add to a step. */
static void communicate(struct tally *t, const struct scale_step *step, const struct passes *p,
                        struct cost_bucket *bucket) {
    const double share = 1 / (double)step->every, small = cost_small(&t->cluster);
    const struct cost_backward pass = {.seconds = p->backward_s[0],
                                       .progress_s = t->s->moves_always ? NULL : p->moves_s,
                                       .n_progress = step->n_operators,
                                       .overtakes = t->s->early};

    for (int i = 0; i < step->n_buckets; i++) {
        const struct scale_bucket *b = &step->buckets[i];
        bucket[i] =
            (struct cost_bucket){p->backward_s[b->behind], b->bytes, needed(t, step, b->behind, p)};
    }
    const struct cost_exposed e =
        cost_replay(t->row.model, &t->cluster, bucket, step->n_buckets, &pass);
    t->row.exposed_s += share * (e.seconds + small);
    t->row.part_s[SCALE_LATENCY] += share * (e.latency_s + small);
    t->row.part_s[SCALE_MEMORY] += share * e.memory_s;
    t->row.part_s[SCALE_BANDWIDTH] += share * (e.seconds - e.latency_s - e.memory_s);
}

static void add_step(struct tally *t, const struct scale_step *step) {
    const double times = (double)t->s->parts / (double)step->every;
    const size_t room = ((size_t)step->n_operators + 1) * sizeof(double);
    struct pool pool = {0};
    struct passes p = {pool_take(&pool, room), pool_take(&pool, room), pool_take(&pool, room)};

    pass_forward(t, step, times, &p);
    pass_backward(t, step, times, &p);
    communicate(t, step, &p,
                pool_take(&pool, ((size_t)step->n_buckets + 1) * sizeof(struct cost_bucket)));
    pool_release(&pool);
}

/* Reading and decoding; ranks decode with the processors that they compute on. */
static void add_data(struct tally *t) {
    const struct scale_profile *p = t->s->profile;
    struct scale_row *r = &t->row;

    r->data_s = r->part_s[SCALE_DECODING] =
        p->decode_s * (double)r->per_rank / (double)t->s->threads;
    r->step_s = r->forward_s + r->backward_s + r->exposed_s + r->update_s + r->data_s;
    if (t->s->storage_bytes_per_s > 0) {
        const double reading =
            p->sample_bytes * (double)r->batch / t->s->storage_bytes_per_s - r->step_s;
        r->part_s[SCALE_READING] = fmax(0, reading);
        r->data_s += r->part_s[SCALE_READING];
        r->step_s += r->part_s[SCALE_READING];
    }
    r->samples_per_s = (double)r->batch / r->step_s;
    r->read_bytes_per_s = p->sample_bytes * r->samples_per_s;
    r->decoders = p->decode_s * r->samples_per_s / (double)r->hosts;
}

static void find_limit(struct tally *t) {
    struct scale_row *r = &t->row;

    double most = WORTH_NAMING * r->step_s;

    for (int i = SCALE_COMPUTING + 1; i < SCALE_LIMITS; i++)
        if (r->part_s[i] > most) {
            most = r->part_s[i];
            r->limit = (enum scale_limit)i;
        }
    if (r->batch < r->ranks)
        r->limit = SCALE_SMALL;
    if (t->s->host_bytes > 0 && r->host_bytes > t->s->host_bytes)
        r->limit = SCALE_ROOM;
}

/* By that algorithm, compared with nothing. */
static struct scale_row alone(const struct scale_setting *s, int64_t ranks,
                              const struct cost_model *model) {
    const int64_t batch = s->weak ? s->batch * ranks : s->batch;
    struct tally t = {.s = s, .cluster = s->cluster};
    struct scale_row *r = &t.row;

    t.cluster.ranks = ranks;
    *r = (struct scale_row){.ranks = ranks,
                            .hosts = cost_hosts(&t.cluster),
                            .batch = batch,
                            .per_rank = (batch + ranks - 1) / ranks,
                            .model = model};
    t.local = (double)(ranks < s->cluster.per_host ? ranks : s->cluster.per_host);
    t.n = (double)r->per_rank / (double)s->parts;
    t.mean_n = (double)batch / (double)ranks / (double)s->parts;
    for (int i = 0; i < s->profile->n_steps; i++)
        add_step(&t, &s->profile->step[i]);
    r->update_s = computing(&t, &s->profile->optimizer, NULL, 1) +
                  (double)s->parts * computing(&t, &s->profile->other, NULL, (double)s->parts);
    if (s->parts > 1) { /* ranks say how many terms their losses have */
        r->exposed_s += cost_small(&t.cluster);
        r->part_s[SCALE_LATENCY] += cost_small(&t.cluster);
    }
    r->host_bytes = t.local * scale_at(&s->profile->rank_bytes, t.n);
    add_data(&t);
    find_limit(&t);
    return *r;
}

static struct scale_row fastest(const struct scale_setting *s, int64_t ranks,
                                const struct cost_model *model) {
    struct scale_row best = alone(s, ranks, model ? model : cost_at(0));

    for (int i = 1; !model && cost_at(i); i++) {
        const struct scale_row row = alone(s, ranks, cost_at(i));
        if (row.step_s < best.step_s)
            best = row;
    }
    return best;
}

struct scale_row scale_row(const struct scale_setting *s, int64_t ranks,
                           const struct cost_model *model) {
    const int64_t per_host = s->cluster.per_host;
    struct scale_row row = fastest(s, ranks, model);
    const struct scale_row one = fastest(s, 1, model), host = fastest(s, per_host, model);

    row.speedup = row.samples_per_s / one.samples_per_s;
    row.efficiency = row.speedup / (double)ranks;
    row.host_efficiency =
        row.samples_per_s / ((double)ranks / (double)per_host * host.samples_per_s);
    row.epoch_s = s->samples / row.samples_per_s;
    row.host_hours = (double)row.hosts * s->epochs * row.epoch_s / 3600;
    return row;
}

/* 1, 2, 4 .. within a host, then whole hosts; past `most` where there are no more. */
static int64_t next_ranks(const struct scale_setting *s, int64_t ranks) {
    const int64_t per_host = s->cluster.per_host;

    if (ranks >= per_host)
        return ranks + per_host;
    return 2 * ranks < per_host ? 2 * ranks : per_host;
}

static bool fits(const struct scale_row *row) {
    return row->limit != SCALE_ROOM && row->batch >= row->ranks;
}

bool scale_least(const struct scale_setting *s, int64_t most, double target_s,
                 struct scale_row *out) {
    for (int64_t ranks = 1; ranks <= most; ranks = next_ranks(s, ranks)) {
        *out = scale_row(s, ranks, NULL);
        if (out->epoch_s <= target_s && fits(out))
            return true;
    }
    return false;
}

bool scale_most(const struct scale_setting *s, int64_t most, double efficiency,
                struct scale_row *out) {
    bool found = false;

    for (int64_t ranks = 1; ranks <= most; ranks = next_ranks(s, ranks)) {
        const struct scale_row row = scale_row(s, ranks, NULL);
        if (row.efficiency >= efficiency && fits(&row)) {
            *out = row;
            found = true;
        }
    }
    return found;
}
