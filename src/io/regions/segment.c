#include "io/regions/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT = 11, DIGITS = 3, BINS = 1 << DIGIT }; /* of 32 bits */

/* Between two pixels, by the bits of its weight, which are in the order of the weights. */
struct edge {
    uint32_t weight;
    int32_t a, b;
};

static int no_memory(struct err *err) {
    return err_set(err, ERR_IO, "no memory to cut a picture into pieces");
}

static int64_t within(int64_t i, int64_t n) {
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* One line of n values, `step` apart. */
static void smooth_line(float *values, int64_t n, int64_t step, const double *weight, int radius,
                        double *line) {
    for (int64_t i = 0; i < n; i++)
        line[i] = (double)values[i * step];
    for (int64_t i = 0; i < n; i++) {
        double sum = weight[0] * line[i];
        for (int k = 1; k <= radius; k++)
            sum += weight[k] * (line[within(i - k, n)] + line[within(i + k, n)]);
        values[i * step] = (float)sum;
    }
}

int segment_smooth(float *planes, int c, int64_t height, int64_t width, double sigma,
                   struct err *err) {
    const int radius = (int)ceil(4 * sigma);
    double *weight = malloc((size_t)(radius + 1) * sizeof *weight), sum = 0;
    double *line = malloc((size_t)(height > width ? height : width) * sizeof *line);
    const int rc = weight && line ? 0 : no_memory(err);

    for (int k = 0; !rc && k <= radius; k++) {
        weight[k] = k || sigma > 0 ? exp(-0.5 * (k / sigma) * (k / sigma)) : 1;
        sum += k ? 2 * weight[k] : weight[k];
    }
    for (int k = 0; !rc && k <= radius; k++)
        weight[k] /= sum;
    for (int p = 0; !rc && radius && p < c; p++) {
        float *plane = planes + p * height * width;
        for (int64_t y = 0; y < height; y++)
            smooth_line(plane + y * width, width, 1, weight, radius, line);
        for (int64_t x = 0; x < width; x++)
            smooth_line(plane + x, height, width, weight, radius, line);
    }
    free(weight);
    free(line);
    return rc;
}

static uint32_t weight_of(const float *planes, int c, int64_t len, int64_t a, int64_t b) {
    double sum = 0;
    uint32_t bits;

    for (int p = 0; p < c; p++) {
        const double d = (double)planes[p * len + a] - (double)planes[p * len + b];
        sum += d * d;
    }
    const float weight = (float)sqrt(sum);
    memcpy(&bits, &weight, sizeof bits);
    return bits;
}

/* From each pixel to the right, down, and along both diagonals down. */
static int64_t find_edges(const float *planes, int c, int64_t height, int64_t width,
                          struct edge *edge) {
    static const int to[][2] = {{1, 0}, {0, 1}, {1, 1}, {-1, 1}};
    int64_t n = 0;

    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            for (int i = 0; i < 4; i++) {
                const int64_t u = x + to[i][0], v = y + to[i][1];
                if (u < 0 || u >= width || v >= height)
                    continue;
                const int64_t a = y * width + x, b = v * width + u;
                edge[n++] = (struct edge){weight_of(planes, c, height * width, a, b), (int32_t)a,
                                          (int32_t)b};
            }
    return n;
}

/* By digits, from the lowest: equal weights stay in their order. The result is in `other`. */
static void sort_edges(struct edge *edge, struct edge *other, int64_t n) {
    for (int d = 0; d < DIGITS; d++) {
        int64_t first[BINS + 1] = {0};
        struct edge *from = d % 2 ? other : edge, *to = d % 2 ? edge : other;

        for (int64_t i = 0; i < n; i++)
            first[(from[i].weight >> d * DIGIT) % BINS + 1]++;
        for (int i = 0; i < BINS; i++)
            first[i + 1] += first[i];
        for (int64_t i = 0; i < n; i++)
            to[first[(from[i].weight >> d * DIGIT) % BINS]++] = from[i];
    }
}

/* Pieces as trees of pixels: a root has its size and threshold, the largest weight within it and
 * tau. */
struct forest {
    int32_t *parent, *size;
    float *threshold;
};

static int32_t root_of(struct forest *f, int32_t i) {
    while (f->parent[i] != i)
        i = f->parent[i] = f->parent[f->parent[i]];
    return i;
}

static int32_t join(struct forest *f, int32_t a, int32_t b) {
    const int32_t into = f->size[a] >= f->size[b] ? a : b, from = into == a ? b : a;

    f->parent[from] = into;
    f->size[into] += f->size[from];
    return into;
}

static void grow(struct forest *f, const struct edge *edge, int64_t n,
                 const struct segment_options *o) {
    for (int64_t i = 0; i < n; i++) {
        const int32_t a = root_of(f, edge[i].a), b = root_of(f, edge[i].b);
        float weight;

        memcpy(&weight, &edge[i].weight, sizeof weight);
        if (a == b || weight > f->threshold[a] || weight > f->threshold[b])
            continue;
        const int32_t c = join(f, a, b);
        f->threshold[c] = (float)((double)weight + o->k / f->size[c]);
    }
    for (int64_t i = 0; i < n; i++) {
        const int32_t a = root_of(f, edge[i].a), b = root_of(f, edge[i].b);
        if (a != b && (f->size[a] < o->least || f->size[b] < o->least))
            (void)join(f, a, b);
    }
}

/* The roots become numbers in the order of the first pixels. */
static int64_t number(struct forest *f, int64_t len, int32_t *label) {
    int64_t n = 0;

    for (int64_t i = 0; i < len; i++) {
        const int32_t root = root_of(f, (int32_t)i);
        if (f->size[root] > 0) { /* from now on less its number and one */
            f->size[root] = (int32_t) - (n + 1);
            n++;
        }
        label[i] = -f->size[root] - 1;
    }
    return n;
}

int segment_picture(float *planes, int c, int64_t height, int64_t width,
                    const struct segment_options *options, int32_t *label, int64_t *n,
                    struct err *err) {
    const int64_t len = height * width;
    struct edge *edge = NULL, *sorted = NULL;
    struct forest f = {malloc((size_t)len * sizeof *f.parent), malloc((size_t)len * sizeof *f.size),
                       malloc((size_t)len * sizeof *f.threshold)};
    int rc = len <= INT32_MAX && f.parent && f.size && f.threshold
                 ? segment_smooth(planes, c, height, width, options->sigma, err)
                 : no_memory(err);

    if (!rc) {
        edge = malloc((size_t)(4 * len) * sizeof *edge);
        sorted = malloc((size_t)(4 * len) * sizeof *sorted);
        rc = edge && sorted ? 0 : no_memory(err);
    }
    if (!rc) {
        const int64_t n_edges = find_edges(planes, c, height, width, edge);
        sort_edges(edge, sorted, n_edges);
        for (int64_t i = 0; i < len; i++) {
            f.parent[i] = (int32_t)i;
            f.size[i] = 1;
            f.threshold[i] = (float)options->k;
        }
        grow(&f, sorted, n_edges, options);
        *n = number(&f, len, label);
    }
    free(edge);
    free(sorted);
    free(f.parent);
    free(f.size);
    free(f.threshold);
    return rc;
}
