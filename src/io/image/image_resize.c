/* Separable resampling: rows first, then columns, in float. Source of the filter: Pillow's
 * "bilinear with antialiasing", a triangle of half-width max(1, reduction). */
#include "io/image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The weights of one direction: output i is the sum of weight[i * taps + k] * input[first[i] + k].
 */
struct kernel {
    int taps, *first;
    float *weight;
};

static void kernel_release(struct kernel *k) {
    free(k->first);
    free(k->weight);
}

/* Outputs i lie at begin + (i + 0.5) * step of an input of `len` pixels. */
static int kernel_init(struct kernel *k, int len, int n, double begin, double step) {
    const double reach = step > 1 ? step : 1;
    const int taps = (int)ceil(2 * reach) + 1;

    k->taps = taps;
    k->first = malloc((size_t)n * sizeof *k->first);
    k->weight = calloc((size_t)n * (size_t)taps, sizeof *k->weight);
    if (!k->first || !k->weight)
        return -1;
    for (int i = 0; i < n; i++) {
        const double centre = begin + (i + 0.5) * step;
        float *w = k->weight + (size_t)i * (size_t)taps;
        int low = (int)floor(centre - reach);
        double sum = 0;

        low = low < 0 ? 0 : low > len - 1 ? len - 1 : low;
        for (int t = 0; t < taps && low + t < len; t++) {
            const double far = fabs(low + t + 0.5 - centre) / reach;

            w[t] = far < 1 ? (float)(1 - far) : 0;
            sum += (double)w[t];
        }
        for (int t = 0; t < taps; t++)
            w[t] = (float)((double)w[t] / sum);
        k->first[i] = low;
    }
    return 0;
}

/* in[height, len, c] bytes to out[height, n, c]. */
static void along_rows(const struct kernel *k, const struct image *in, int n, float *out) {
    const int c_n = in->channels, len = in->width;

    for (int y = 0; y < in->height; y++)
        for (int i = 0; i < n; i++) {
            const unsigned char *row = in->pixels + (size_t)y * (size_t)len * (size_t)c_n;
            const float *w = k->weight + (size_t)i * (size_t)k->taps;
            float *to = out + ((size_t)y * (size_t)n + (size_t)i) * (size_t)c_n;

            memset(to, 0, (size_t)c_n * sizeof *to);
            for (int t = 0; t < k->taps && k->first[i] + t < len; t++)
                for (int c = 0; c < c_n; c++)
                    to[c] += w[t] * (float)row[(k->first[i] + t) * c_n + c];
        }
}

/* in[len, row_len] to bytes out[n, row_len], by way of sum[row_len]. */
static void along_columns(const struct kernel *k, const float *in, int len, size_t row_len, int n,
                          float *sum, unsigned char *out) {
    for (int i = 0; i < n; i++) {
        const float *w = k->weight + (size_t)i * (size_t)k->taps;

        memset(sum, 0, row_len * sizeof *sum);
        for (int t = 0; t < k->taps && k->first[i] + t < len; t++)
            for (size_t x = 0; x < row_len; x++)
                sum[x] += w[t] * in[(size_t)(k->first[i] + t) * row_len + x];
        for (size_t x = 0; x < row_len; x++) {
            const float v = sum[x] + 0.5F;

            out[(size_t)i * row_len + x] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

int image_resize(const struct image *image, int width, int height, enum image_fit fit,
                 unsigned char *out, struct err *err) {
    const size_t row_len = (size_t)width * (size_t)image->channels;
    double step_x = (double)image->width / width, step_y = (double)image->height / height;
    struct kernel across = {0}, down = {0};
    float *wide = malloc(((size_t)image->height + 1) * row_len * sizeof *wide);
    int status = 0;

    if (fit == IMAGE_CROP)
        step_x = step_y = step_x < step_y ? step_x : step_y;
    if (!wide ||
        kernel_init(&across, image->width, width, (image->width - width * step_x) / 2, step_x) ||
        kernel_init(&down, image->height, height, (image->height - height * step_y) / 2, step_y))
        status = err_set(err, ERR_IO, "out of memory");
    else {
        along_rows(&across, image, width, wide);
        along_columns(&down, wide, image->height, row_len, height,
                      wide + (size_t)image->height * row_len, out);
    }
    kernel_release(&across);
    kernel_release(&down);
    free(wide);
    return status;
}

void image_resize_nearest(const struct image *image, int width, int height, enum image_fit fit,
                          unsigned char *out) {
    const size_t c = (size_t)image->channels;
    double step_x = (double)image->width / width, step_y = (double)image->height / height;

    if (fit == IMAGE_CROP)
        step_x = step_y = step_x < step_y ? step_x : step_y;
    const double left = (image->width - width * step_x) / 2;
    const double top = (image->height - height * step_y) / 2;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, out += c) {
            const int row = (int)(top + (y + 0.5) * step_y), at = (int)(left + (x + 0.5) * step_x);
            const size_t i = (size_t)(row < image->height ? row : image->height - 1),
                         j = (size_t)(at < image->width ? at : image->width - 1);

            memcpy(out, image->pixels + (i * (size_t)image->width + j) * c, c);
        }
}
