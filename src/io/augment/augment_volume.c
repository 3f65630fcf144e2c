#include "io/augment/augment_volume.h"

#include "core/base/rng.h"

#include <math.h>
#include <string.h>

enum { AXES = 3 };

/* The voxel there; NULL: beyond the edges. */
static const float *voxel(const struct augment_call *c, int64_t z, int64_t y, int64_t x) {
    const int64_t *dim = c->in_shape.dim;

    if (z < 0 || z >= dim[0] || y < 0 || y >= dim[1] || x < 0 || x >= dim[2])
        return NULL;
    return c->in + ((z * dim[1] + y) * dim[2] + x) * dim[3];
}

static void fetch_nearest(const struct augment_call *c, const double at[3], float *out) {
    const float *v = voxel(c, (int64_t)floor(at[0] + 0.5), (int64_t)floor(at[1] + 0.5),
                           (int64_t)floor(at[2] + 0.5));

    for (int64_t k = 0; k < c->in_shape.dim[3]; k++)
        out[k] = v ? v[k] : augment_fill(c);
}

void augment_volume_fetch(const struct augment_call *c, const double at[3], float *out) {
    const int64_t z = (int64_t)floor(at[0]), y = (int64_t)floor(at[1]), x = (int64_t)floor(at[2]);
    const int64_t channels = c->in_shape.dim[3];
    const float part[AXES] = {(float)(at[0] - (double)z), (float)(at[1] - (double)y),
                              (float)(at[2] - (double)x)};

    if (c->source->role == AUGMENT_MASK) {
        fetch_nearest(c, at, out);
        return;
    }
    memset(out, 0, (size_t)channels * sizeof *out);
    for (int corner = 0; corner < 1 << AXES; corner++) {
        const int dz = corner >> 2, dy = corner >> 1 & 1, dx = corner & 1;
        const float *v = voxel(c, z + dz, y + dy, x + dx);
        const float weight = (dz ? part[0] : 1 - part[0]) * (dy ? part[1] : 1 - part[1]) *
                             (dx ? part[2] : 1 - part[2]);

        for (int64_t k = 0; v && k < channels; k++)
            out[k] += weight * v[k];
    }
}

/* m[3, 3] times the turn by an angle from axis p to axis q. */
static void turn(double m[AXES][AXES], int p, int q, double degrees) {
    const double angle = degrees * 3.14159265358979323846 / 180, s = sin(angle), k = cos(angle);

    for (int i = 0; i < AXES; i++) {
        const double a = m[i][p], b = m[i][q];

        m[i][p] = k * a - s * b;
        m[i][q] = s * a + k * b;
    }
}

void augment_volume_rotate(const struct augment_call *c, const double degrees[3]) {
    const int64_t *dim = c->in_shape.dim;
    double m[AXES][AXES] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, middle[AXES];
    float *out = c->out;

    for (int axis = 0; axis < AXES; axis++) {
        turn(m, (axis + 1) % AXES, (axis + 2) % AXES, degrees[axis]);
        middle[axis] = (double)(dim[axis] - 1) / 2;
    }
    for (int64_t z = 0; z < dim[0]; z++)
        for (int64_t y = 0; y < dim[1]; y++)
            for (int64_t x = 0; x < dim[2]; x++, out += dim[3]) {
                const double from[AXES] = {(double)z - middle[0], (double)y - middle[1],
                                           (double)x - middle[2]};
                double at[AXES];

                for (int i = 0; i < AXES; i++)
                    at[i] = middle[i] + m[i][0] * from[0] + m[i][1] * from[1] + m[i][2] * from[2];
                augment_volume_fetch(c, at, out);
            }
}

static void exchange(float *restrict a, float *restrict b, int64_t len) {
    for (int64_t i = 0; i < len; i++) {
        const float kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

void augment_volume_flip(const struct augment_call *c, int axis) {
    const int64_t *dim = c->in_shape.dim, n = dim[axis];
    int64_t inner = dim[3], outer = 1;

    for (int k = axis + 1; k < AXES; k++)
        inner *= dim[k];
    for (int k = 0; k < axis; k++)
        outer *= dim[k];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < n / 2; i++)
            exchange(c->out + (o * n + i) * inner, c->out + (o * n + n - 1 - i) * inner, inner);
}

static int64_t reach_of(double sigma) {
    return (int64_t)ceil(3 * sigma);
}

int64_t augment_volume_elastic_scratch(const struct shape *in, double sigma) {
    return (AXES + 1) * in->dim[0] * in->dim[1] * in->dim[2] + 2 * reach_of(sigma) + 1;
}

/* v[outer, n, inner] smoothed along n by the bell [2 r + 1]; nothing beyond the edges. */
static void smooth_axis(float *v, int64_t outer, int64_t n, int64_t inner, const float *bell,
                        int64_t r, float *between) {
    memcpy(between, v, (size_t)(outer * n * inner) * sizeof *between);
    memset(v, 0, (size_t)(outer * n * inner) * sizeof *v);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = i < r ? -i : -r; k <= r && i + k < n; k++) {
                const float *from = between + (o * n + i + k) * inner;
                float *to = v + (o * n + i) * inner;

                for (int64_t e = 0; e < inner; e++)
                    to[e] += bell[k + r] * from[e];
            }
}

/* The bell [2 * reach + 1], whose sum is 1. */
static void make_bell(double sigma, float *bell) {
    const int64_t r = reach_of(sigma);
    double sum = 0;

    for (int64_t k = -r; k <= r; k++)
        sum += exp(-0.5 * (double)(k * k) / (sigma * sigma));
    for (int64_t k = -r; k <= r; k++)
        bell[k + r] = (float)(exp(-0.5 * (double)(k * k) / (sigma * sigma)) / sum);
}

void augment_volume_elastic(const struct augment_call *c, double alpha, double sigma) {
    const int64_t *dim = c->in_shape.dim, volume = dim[0] * dim[1] * dim[2];
    const int64_t r = reach_of(sigma);
    float *between = c->scratch + AXES * volume, *bell = between + volume, *out = c->out;

    make_bell(sigma, bell);
    for (int axis = 0; axis < AXES; axis++) {
        /* More draws than a word has: a key of its own for each direction. */
        const uint64_t key = rng_key(c->key, RNG_AUGMENT, c->first, (uint64_t)axis);
        float *move = c->scratch + axis * volume;

        for (int64_t i = 0; i < volume; i++)
            move[i] = (float)alpha * (2 * rng_uniform(key, (uint64_t)i) - 1);
        smooth_axis(move, 1, dim[0], dim[1] * dim[2], bell, r, between);
        smooth_axis(move, dim[0], dim[1], dim[2], bell, r, between);
        smooth_axis(move, dim[0] * dim[1], dim[2], 1, bell, r, between);
    }
    for (int64_t i = 0; i < volume; i++, out += dim[3]) {
        const double at[AXES] = {(double)(i / dim[2] / dim[1]) + (double)c->scratch[i],
                                 (double)(i / dim[2] % dim[1]) + (double)c->scratch[volume + i],
                                 (double)(i % dim[2]) + (double)c->scratch[2 * volume + i]};

        augment_volume_fetch(c, at, out);
    }
}
