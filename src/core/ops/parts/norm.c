#include "core/ops/parts/norm.h"
#include "core/ops/parts/init.h"
#include "core/ops/parts/norm_ranks.h"
#include "core/ops/parts/norm_rows.h"

#include <math.h>
#include <string.h>

/* Numbers in the innermost loop, at least; numbers and rows of a chunk, whose sums are taken in
 * `real` and depend on no other chunk: error grows with the chunk, not with the batch. */
enum { MIN_WIDTH = 256, CHUNK_LEN = 65536, MIN_CHUNK_ROWS = 64 };

/* Rows of `width` in scratch: of each chunk, and the coefficients of each set. */
enum { CHUNK_SCRATCH = 3, SET_SCRATCH = 5 };

/* What the coefficients of a set are, in rows: for forward the first three. */
enum { MEAN, SCALE, BIAS, OFFSET, SLOPE };

static const struct constant_args one = {1};

/* One call and how its numbers are cut: all but channels and n_chunks in numbers. */
struct norm_task {
    const struct norm *n;
    const struct op_call *c;
    int64_t channels, set_len, width, chunk;
    int64_t n_chunks; /* of a set */
    bool fixed;
    const double *shared; /* products of the channels over all ranks; NULL: this one is alone */
};

static struct norm_task job_of(const struct norm *n, const struct shape *x) {
    struct norm_task k = {
        .n = n, .channels = shape_channels(x), .set_len = shape_len(x) / n->n_sets};
    const int64_t rows = k.set_len / k.channels;
    int64_t repeats = k.channels < MIN_WIDTH ? MIN_WIDTH / k.channels : 1;

    repeats = repeats < rows ? repeats : rows > 0 ? rows : 1;
    k.width = k.channels * repeats;
    const int64_t wide_rows = CHUNK_LEN / k.width;
    k.chunk = k.width * (wide_rows < MIN_CHUNK_ROWS ? MIN_CHUNK_ROWS : wide_rows);
    k.n_chunks = (k.set_len + k.chunk - 1) / k.chunk;
    return k;
}

/* A stretch of numbers of one set, with a place for its sums. */
struct norm_piece {
    int64_t set, at, len;
    real *sums; /* [CHUNK_SCRATCH, width] */
};

static struct norm_piece piece_of(const struct norm_task *k, int64_t i) {
    const int64_t set = i / k->n_chunks, from = i % k->n_chunks * k->chunk;
    const int64_t len = k->set_len - from < k->chunk ? k->set_len - from : k->chunk;

    return (struct norm_piece){set, set * k->set_len + from, len,
                               (real *)k->c->scratch + i * CHUNK_SCRATCH * k->width};
}

static real *coefficients(const struct norm_task *k, int64_t set, int row) {
    real *first = (real *)k->c->scratch + k->n->n_sets * k->n_chunks * CHUNK_SCRATCH * k->width;

    return first + (set * SET_SCRATCH + row) * k->width;
}

size_t norm_saved_bytes(const struct norm *n) {
    const size_t statistics = 3 * (size_t)(n->n_sets * n->n_groups) * sizeof(real);

    return (statistics + sizeof(double) - 1) / sizeof(double) * sizeof(double) + sizeof(double);
}

double *norm_rows_saved(const struct norm *n, const struct op_call *c) {
    return (double *)(void *)((unsigned char *)c->saved + norm_saved_bytes(n) - sizeof(double));
}

/* Room for a message to other ranks, behind the coefficients. */
static double *message_of(const struct norm_task *k) {
    const uintptr_t end = (uintptr_t)coefficients(k, k->n->n_sets, 0);

    return (double *)((end + sizeof(double) - 1) / sizeof(double) * sizeof(double));
}

void norm_plan(const struct norm *n, const struct shape *x, bool affine, struct op_plan *plan) {
    const struct norm_task k = job_of(n, x);
    const int64_t rows = n->n_sets * (k.n_chunks * CHUNK_SCRATCH + SET_SCRATCH);

    plan->y = x[0];
    if (affine) {
        plan->w[0] = (struct op_param){.name = "weight",
                                       .shape = {1, {k.channels}},
                                       .init = {&init_constant.word, &one},
                                       .fan_in = 1,
                                       .fan_out = 1,
                                       .norm = true};
        plan->w[1] = (struct op_param){
            .name = "bias", .shape = {1, {k.channels}}, .fan_in = 1, .fan_out = 1, .norm = true};
    }
    plan->saved_bytes = norm_saved_bytes(n);
    plan->scratch_bytes =
        (size_t)(rows * k.width) * sizeof(real) + (size_t)(2 * k.channels + 2) * sizeof(double);
    plan->flops = 8 * (double)shape_len(x);
}

int norm_refuse(const char *name, const char *whose, const struct shape *x, struct err *err) {
    char text[SHAPE_TEXT];

    return err_set(
        err, ERR_CONFIG,
        "%s: x is %s, so %s has 1 value, which normalised is always 0; expected at least "
        "2 values",
        name, shape_text(x, text), whose);
}

/* Add up the repeats of each channel: v[width] to v[channels]. */
static void fold(real *v, const struct norm_task *k) {
    for (int64_t i = k->channels; i < k->width; i++)
        v[i % k->channels] += v[i];
}

/* Repeat v[channels] to v[width]. */
static void repeat(real *v, const struct norm_task *k) {
    for (int64_t i = k->channels; i < k->width; i++)
        v[i] = v[i - k->channels];
}

/* s += x - shift, q += (x - shift)^2 */
static void add_moments(const act *restrict x, const real *restrict shift, int64_t len,
                        real *restrict s, real *restrict q) {
    for (int64_t i = 0; i < len; i++) {
        const real d = x[i] - shift[i];

        s[i] += d;
        q[i] += d * d;
    }
}

/* Mean and sum of squared deviations of each channel in each chunk, from sums about the chunk's
 * first row, so that a mean far from 0 costs no digits. */
static void moments_of_chunks(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t i = begin; i < end; i++) {
        const struct norm_piece p = piece_of(k, i);
        const act *x = k->c->x->data + p.at;
        const real rows = (real)(p.len / k->channels);
        real *s = p.sums, *q = s + k->width, *shift = q + k->width;

        memset(s, 0, 2 * (size_t)k->width * sizeof(real));
        for (int64_t ch = 0; ch < k->channels; ch++)
            shift[ch] = x[ch];
        repeat(shift, k);
        for (int64_t at = 0; at < p.len; at += k->width)
            add_moments(x + at, shift, p.len - at < k->width ? p.len - at : k->width, s, q);
        fold(s, k), fold(q, k);
        for (int64_t ch = 0; ch < k->channels; ch++) {
            const real squares = q[ch] - s[ch] * (s[ch] / rows);

            s[ch] = shift[ch] + s[ch] / rows;
            q[ch] = squares > 0 ? squares : 0;
        }
    }
}

/* Statistics of a group from those of its channels in its chunks, in their order.
 * Source: Chan, Golub & LeVeque 1979, equation 2.1. */
static void merge_moments(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;
    const int64_t groups = k->n->n_groups, in_group = k->channels / groups;
    real *mean_of = k->c->saved, *inverse = mean_of + k->n->n_sets * groups;
    real *variance = inverse + k->n->n_sets * groups;

    for (int64_t i = begin; i < end; i++) {
        const int64_t set = i / groups, first = i % groups * in_group;
        double n = 0, mean = 0, squares = 0;

        for (int64_t ch = first; ch < first + in_group; ch++)
            for (int64_t chunk = 0; chunk < k->n_chunks; chunk++) {
                const struct norm_piece p = piece_of(k, set * k->n_chunks + chunk);
                const double m = (double)(p.len / k->channels);
                const double delta = (double)p.sums[ch] - mean;

                squares += (double)p.sums[k->width + ch] + delta * delta * n * m / (n + m);
                mean += delta * m / (n + m);
                n += m;
            }
        mean_of[i] = (real)mean;
        inverse[i] = (real)(1 / sqrt(squares / n + k->n->eps));
        variance[i] = (real)(squares / n);
    }
}

void norm_statistics(const struct norm *n, const struct op_call *c) {
    struct norm_task k = job_of(n, &c->x->shape);

    k.c = c;
    team_run(c->team, n->n_sets * k.n_chunks, moments_of_chunks, &k);
    if (k.n_chunks)
        team_run(c->team, n->n_sets * n->n_groups, merge_moments, &k);
    *norm_rows_saved(n, c) = (double)(k.set_len / k.channels);
    if (c->ranks)
        norm_share_statistics(n, c, message_of(&k));
}

/* Mean and scale of each channel of a set, and its bias or 0. */
static void fill_coefficients(const struct norm_task *k, int64_t set, real *mean, real *scale,
                              real *bias) {
    const int64_t groups = k->n->n_groups, in_group = k->channels / groups;
    const real *saved = (const real *)k->c->saved + set * groups;
    const real *inverse = saved + k->n->n_sets * groups;

    for (int64_t ch = 0; ch < k->channels; ch++) {
        mean[ch] = saved[ch / in_group];
        scale[ch] = inverse[ch / in_group] * (k->c->w[0] ? k->c->w[0][ch] : 1);
        bias[ch] = k->c->w[1] ? k->c->w[1][ch] : 0;
    }
    repeat(mean, k), repeat(scale, k), repeat(bias, k);
}

static void prepare_sets(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t set = begin; set < end; set++)
        fill_coefficients(k, set, coefficients(k, set, MEAN), coefficients(k, set, SCALE),
                          coefficients(k, set, BIAS));
}

/* At most `width` numbers of a chunk. */
static struct norm_row row_of(const struct norm_task *k, const struct norm_piece *p, int64_t at) {
    const struct op_call *c = k->c;
    const int64_t from = p->at + at;
    const bool other = c->n_x > 1;

    return (struct norm_row){.x = c->x[0].data + from,
                             .dy = c->dy.data ? c->dy.data + from : NULL,
                             .other = other ? c->x[1].data + from : NULL,
                             .y = c->y.data + from,
                             .dx = c->dx[0].data ? c->dx[0].data + from : NULL,
                             .dother = other && c->dx[1].data ? c->dx[1].data + from : NULL,
                             .mean = coefficients(k, p->set, MEAN),
                             .scale = coefficients(k, p->set, SCALE),
                             .bias = coefficients(k, p->set, BIAS),
                             .offset = coefficients(k, p->set, OFFSET),
                             .slope = coefficients(k, p->set, SLOPE),
                             .s = p->sums,
                             .q = p->sums + k->width,
                             .then = k->n->then,
                             .put = c->dx[0].data == c->dy.data || c->dx_first & 1,
                             .put_other = c->dx_first >> 1 & 1,
                             .len = p->len - at < k->width ? p->len - at : k->width};
}

static void normalise_chunks(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t i = begin; i < end; i++) {
        const struct norm_piece p = piece_of(k, i);

        for (int64_t at = 0; at < p.len; at += k->width) {
            const struct norm_row r = row_of(k, &p, at);
            norm_row_value(&r);
        }
    }
}

void norm_forward(const struct norm *n, const struct op_call *c) {
    struct norm_task k = job_of(n, &c->x->shape);

    k.c = c;
    team_run(c->team, n->n_sets, prepare_sets, &k);
    team_run(c->team, n->n_sets * k.n_chunks, normalise_chunks, &k);
}

static void products_of_chunks(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t i = begin; i < end; i++) {
        const struct norm_piece p = piece_of(k, i);

        memset(p.sums, 0, 2 * (size_t)k->width * sizeof(real));
        for (int64_t at = 0; at < p.len; at += k->width) {
            const struct norm_row r = row_of(k, &p, at);
            norm_row_products(&r);
        }
        fold(p.sums, k), fold(p.sums + k->width, k);
    }
}

/* Sums over the chunks of a set. */
static void channel_products(const struct norm_task *k, int64_t set, int64_t ch, double *sum,
                             double *product) {
    *sum = *product = 0;
    for (int64_t chunk = 0; chunk < k->n_chunks; chunk++) {
        const real *s = piece_of(k, set * k->n_chunks + chunk).sums;

        *sum += (double)s[ch];
        *product += (double)s[k->width + ch];
    }
}

static void add_weight_gradients(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;
    const int64_t groups = k->n->n_groups, in_group = k->channels / groups;
    const real *inverse = (const real *)k->c->saved + k->n->n_sets * groups;

    for (int64_t ch = begin; ch < end; ch++) {
        double dweight = 0, dbias = 0, sum, product;

        for (int64_t set = 0; set < k->n->n_sets; set++) {
            channel_products(k, set, ch, &sum, &product);
            dweight += product * (double)inverse[set * groups + ch / in_group];
            dbias += sum;
        }
        if (k->c->dw[0])
            k->c->dw[0][ch] += (real)dweight;
        if (k->c->dw[1])
            k->c->dw[1][ch] += (real)dbias;
    }
}

/* With m numbers in a group, g = weight dy and d = x - mean, what backward subtracts from
 * g / sqrt(var + eps): the offset sum(g) / m / sqrt(var + eps), and d times the slope
 * sum(g d) / m / (var + eps)^(3/2). */
static void merge_products(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;
    const int64_t groups = k->n->n_groups, in_group = k->channels / groups;
    const double m = k->fixed ? 1 : *norm_rows_saved(k->n, k->c) * (double)in_group;
    const real *inverse = (const real *)k->c->saved + k->n->n_sets * groups;

    for (int64_t i = begin; i < end; i++) {
        const int64_t first = i % groups * in_group;
        const double inv = (double)inverse[i];
        real *offset = coefficients(k, i / groups, OFFSET);
        real *slope = coefficients(k, i / groups, SLOPE);
        double g = 0, gd = 0, sum, product;

        for (int64_t ch = first; ch < first + in_group && !k->fixed; ch++) {
            const double w = k->c->w[0] ? (double)k->c->w[0][ch] : 1;

            if (k->shared)
                sum = k->shared[ch], product = k->shared[k->channels + ch];
            else
                channel_products(k, i / groups, ch, &sum, &product);
            g += w * sum;
            gd += w * product;
        }
        for (int64_t ch = first; ch < first + in_group; ch++) {
            offset[ch] = (real)(g / m * inv);
            slope[ch] = (real)(gd / m * inv * inv * inv);
        }
    }
}

/* Products of the one set over all ranks: [2, channels]. */
static const double *share_products(const struct norm_task *k) {
    double *message = message_of(k);

    for (int64_t ch = 0; ch < k->channels; ch++)
        channel_products(k, 0, ch, &message[ch], &message[k->channels + ch]);
    k->c->ranks->sum(k->c->ranks, message, 2 * k->channels);
    return message;
}

static void gradient_chunks(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t i = begin; i < end; i++) {
        const struct norm_piece p = piece_of(k, i);

        for (int64_t at = 0; at < p.len; at += k->width) {
            const struct norm_row r = row_of(k, &p, at);
            norm_row_gradient(&r);
        }
    }
}

static void repeat_pulls(void *context, int64_t begin, int64_t end) {
    const struct norm_task *k = context;

    for (int64_t set = begin; set < end; set++)
        repeat(coefficients(k, set, OFFSET), k), repeat(coefficients(k, set, SLOPE), k);
}

void norm_backward(const struct norm *n, const struct op_call *c, bool fixed) {
    struct norm_task k = job_of(n, &c->x->shape);

    k.c = c, k.fixed = fixed;
    team_run(c->team, n->n_sets, prepare_sets, &k);
    team_run(c->team, n->n_sets * k.n_chunks, products_of_chunks, &k);
    if (c->dw[0] || c->dw[1])
        team_run(c->team, k.channels, add_weight_gradients, &k);
    if (!c->dx[0].data && (c->n_x == 1 || !c->dx[1].data))
        return;
    if (c->ranks && !fixed)
        k.shared = share_products(&k);
    team_run(c->team, n->n_sets * n->n_groups, merge_products, &k);
    team_run(c->team, n->n_sets, repeat_pulls, &k);
    team_run(c->team, n->n_sets * k.n_chunks, gradient_chunks, &k);
}
