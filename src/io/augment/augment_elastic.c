/* elastic: every pixel comes from a little elsewhere, neighbours from nearly the same direction.
 * Source: Simard et al. 2003, doi:10.1109/ICDAR.2003.1227801, as U-Net uses it. */
#include "core/base/rng.h"
#include "io/augment/augment_volume.h"

#include <math.h>
#include <string.h>

struct elastic {
    double alpha, sigma;
};

/* Beyond three standard deviations the bell is nearly zero. */
static int64_t reach(const struct elastic *a) {
    return (int64_t)ceil(3 * a->sigma);
}

static int plan_elastic(const void *args, bool training, const struct augment_source *source,
                        struct augment_stage *s, struct err *err) {
    const int64_t area = s->in.dim[0] * s->in.dim[1];

    (void)training, (void)source, (void)err;
    if (s->in.rank == 4) {
        s->scratch_len =
            augment_volume_elastic_scratch(&s->in, ((const struct elastic *)args)->sigma);
        return 0;
    }
    s->scratch_len = 3 * area + 2 * reach(args) + 1;
    return 0;
}

/* The bell [2 * reach + 1], whose sum is 1. */
static void make_bell(const struct elastic *a, float *bell) {
    const int64_t r = reach(a);
    double sum = 0;

    for (int64_t k = -r; k <= r; k++)
        sum += exp(-0.5 * (double)(k * k) / (a->sigma * a->sigma));
    for (int64_t k = -r; k <= r; k++)
        bell[k + r] = (float)(exp(-0.5 * (double)(k * k) / (a->sigma * a->sigma)) / sum);
}

/* out[h, w] += by * in, moved up by down lines and left by right places; nothing beyond the edges.
 */
static void add_moved(const float *restrict in, int64_t h, int64_t w, int64_t down, int64_t right,
                      float by, float *restrict out) {
    const int64_t y0 = down < 0 ? -down : 0, y1 = down > 0 ? h - down : h;
    const int64_t x0 = right < 0 ? -right : 0, x1 = right > 0 ? w - right : w;

    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++)
            out[y * w + x] += by * in[(y + down) * w + x + right];
}

/* Smooth v[h, w] by the bell, first along lines, then along columns. between: [h, w]. */
static void smooth(float *v, int64_t h, int64_t w, const float *bell, int64_t r, float *between) {
    memset(between, 0, (size_t)(h * w) * sizeof *between);
    for (int64_t k = -r; k <= r; k++)
        add_moved(v, h, w, 0, k, bell[k + r], between);
    memset(v, 0, (size_t)(h * w) * sizeof *v);
    for (int64_t k = -r; k <= r; k++)
        add_moved(between, h, w, k, 0, bell[k + r], v);
}

static void apply_elastic(const struct augment_call *c) {
    const struct elastic *a = c->args;
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1], n = c->in_shape.dim[2];
    const int64_t area = h * w, r = reach(a);
    float *move[2] = {c->scratch, c->scratch + area}, *between = move[1] + area;
    float *bell = between + area, *out = c->out;

    if (c->in_shape.rank == 4) {
        augment_volume_elastic(c, a->alpha, a->sigma);
        return;
    }
    make_bell(a, bell);
    for (uint64_t d = 0; d < 2; d++) {
        /* More draws than a word has: a key of its own for each direction. */
        const uint64_t key = rng_key(c->key, RNG_AUGMENT, c->first, d);

        for (int64_t i = 0; i < area; i++)
            move[d][i] = (float)a->alpha * (2 * rng_uniform(key, (uint64_t)i) - 1);
        smooth(move[d], h, w, bell, r, between);
    }
    for (int64_t i = 0; i < area; i++, out += n)
        augment_fetch(c, (double)(i / w) + (double)move[0][i], (double)(i % w) + (double)move[1][i],
                      out);
}

static const struct arg_spec elastic_args[] = {
    {.name = "alpha",
     .kind = ARG_REAL,
     .offset = offsetof(struct elastic, alpha),
     .max = 1e6,
     .required = true,
     .help = "strength: pixels that a pixel moves before smoothing, at most, each way"},
    {.name = "sigma",
     .kind = ARG_REAL,
     .offset = offsetof(struct elastic, sigma),
     .min = 0.1,
     .max = 1000,
     .required = true,
     .help = "pixels: standard deviation of the bell that smooths the moves"},
    {0},
};

const struct augment augment_elastic = {
    .word = {"elastic", "pulled about smoothly; zeros come in", sizeof(struct elastic),
             elastic_args},
    .training_only = true,
    .moves = true,
    .volumes = true,
    .plan = plan_elastic,
    .apply = apply_elastic,
};
