#include "io/regions/likeness.h"

#include <math.h>
#include <string.h>

static int bin_of(double share, int bins) {
    const int bin = (int)(share * bins);

    return bin < 0 ? 0 : bin < bins ? bin : bins - 1;
}

static void count_place(struct portion *p, int64_t x, int64_t y) {
    if (!p->size++) {
        *p = (struct portion){.size = 1, .left = x, .right = x + 1, .top = y, .bottom = y + 1};
        return;
    }
    p->left = x < p->left ? x : p->left;
    p->right = x + 1 > p->right ? x + 1 : p->right;
    p->bottom = y + 1;
}

/* The slope along each direction, as far as it rises, of the steepest of the picture. */
static void count_slopes(struct portion *p, int plane, double right, double down, double steepest) {
    static const double r = 0.70710678118654752;
    const double rise[LIKE_TURNS / 2] = {right, r * (right + down), down, r * (down - right)};
    float *texture = p->texture + plane * LIKE_TURNS * LIKE_GRADIENTS;

    for (int t = 0; t < LIKE_TURNS; t++) {
        const double s = t < LIKE_TURNS / 2 ? rise[t] : -rise[t - LIKE_TURNS / 2];
        texture[t * LIKE_GRADIENTS + bin_of(s > 0 ? s / steepest : 0, LIKE_GRADIENTS)] += 1;
    }
}

void pieces_describe(const float *planes, const float *slopes, int c, int64_t height, int64_t width,
                     const int32_t *label, int64_t n, struct portion *out) {
    const int64_t len = height * width;
    double steepest[COLOUR_MOST_PLANES];

    memset(out, 0, (size_t)n * sizeof *out);
    for (int k = 0; k < c; k++) {
        double most = 1e-6;
        for (int64_t i = k * len; i < (k + 1) * len; i++)
            most = fmax(most, hypot((double)slopes[i], (double)slopes[c * len + i]));
        steepest[k] = most;
    }
    for (int64_t i = 0; i < len; i++) {
        struct portion *p = &out[label[i]];
        count_place(p, i % width, i / width);
        for (int k = 0; k < c; k++) {
            const int64_t at = k * len + i;
            p->colour[k * LIKE_COLOURS + bin_of((double)planes[at] / 255, LIKE_COLOURS)] += 1;
            count_slopes(p, k, (double)slopes[at], (double)slopes[c * len + at], steepest[k]);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const float colours = (float)(c * out[i].size);
        for (int k = 0; k < LIKE_COLOUR_BINS; k++)
            out[i].colour[k] /= colours;
        for (int k = 0; k < LIKE_TEXTURE_BINS; k++)
            out[i].texture[k] /= colours * LIKE_TURNS;
    }
}

static void mix(const float *a, double share, const float *b, int n, float *out) {
    for (int i = 0; i < n; i++)
        out[i] = (float)(share * (double)a[i] + (1 - share) * (double)b[i]);
}

void pieces_join(const struct portion *a, const struct portion *b, struct portion *out) {
    const double share = (double)a->size / (double)(a->size + b->size);

    out->size = a->size + b->size;
    out->left = a->left < b->left ? a->left : b->left;
    out->top = a->top < b->top ? a->top : b->top;
    out->right = a->right > b->right ? a->right : b->right;
    out->bottom = a->bottom > b->bottom ? a->bottom : b->bottom;
    mix(a->colour, share, b->colour, LIKE_COLOUR_BINS, out->colour);
    mix(a->texture, share, b->texture, LIKE_TEXTURE_BINS, out->texture);
}

static float shared(const float *a, const float *b, int n) {
    float sum = 0;

    for (int i = 0; i < n; i++)
        sum += a[i] < b[i] ? a[i] : b[i];
    return sum;
}

float pieces_alike(const struct portion *a, const struct portion *b, unsigned which,
                   int64_t picture) {
    const int64_t left = a->left < b->left ? a->left : b->left;
    const int64_t top = a->top < b->top ? a->top : b->top;
    const int64_t right = a->right > b->right ? a->right : b->right;
    const int64_t bottom = a->bottom > b->bottom ? a->bottom : b->bottom;
    const double both = (double)(a->size + b->size), all = (double)picture;
    float sum = 0;

    if (which & LIKE_COLOUR)
        sum += shared(a->colour, b->colour, LIKE_COLOUR_BINS);
    if (which & LIKE_TEXTURE)
        sum += shared(a->texture, b->texture, LIKE_TEXTURE_BINS);
    if (which & LIKE_SIZE)
        sum += (float)(1 - both / all);
    if (which & LIKE_FILL)
        sum += (float)(1 - ((double)((right - left) * (bottom - top)) - both) / all);
    return sum;
}
