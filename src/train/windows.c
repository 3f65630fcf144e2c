#include "train/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The Gaussian's deviation is an eighth of the window, as nnU-Net's. */
static const double DEVIATION = 1.0 / 8;

struct windows_axis windows_axis_of(int64_t len, int64_t size, int64_t scale, double overlap) {
    struct windows_axis a = {.len = len, .size = size, .scale = scale, .n = 1};
    const double most = fmax((double)size * (1 - overlap), 1);

    if (len <= size) {
        a.begin = (double)(-(size - len) / 2);
        return a;
    }
    a.n = 1 + (int64_t)ceil((double)(len - size) / most);
    a.stride = (double)(len - size) / (double)(a.n - 1);
    return a;
}

int64_t windows_begin(const struct windows_axis *a, int64_t k) {
    return (int64_t)floor(a->begin + (double)k * a->stride + 0.5);
}

static int weigh(struct windows_axis *a, struct err *err) {
    const int64_t n = a->size * a->scale;
    const double middle = (double)(n - 1) / 2, deviation = (double)n * DEVIATION;

    a->weight = malloc((size_t)n * sizeof *a->weight);
    if (!a->weight)
        return err_set(err, ERR_IO, "no memory for the weights of a window");
    for (int64_t i = 0; i < n; i++) {
        const double x = ((double)i - middle) / deviation;
        a->weight[i] = (float)exp(-x * x / 2);
    }
    return 0;
}

/* Dimension of an axis in shapes of so many: pictures have no depth. */
static int64_t dim_of(const struct shape *s, int axes, int axis) {
    const int at = axis - (WINDOW_AXES - axes);

    return at < 0 ? 1 : s->dim[at];
}

static int refuse_shape(const struct predictor *p, struct err *err) {
    char in[SHAPE_TEXT], out[SHAPE_TEXT];

    return err_set(err, ERR_USAGE,
                   "--window needs a prediction of each pixel, and %s gives %s for %s", p->what,
                   p->sample.rank ? shape_text(&p->sample, out) : "one number",
                   shape_text(&p->input->sample, in));
}

int windows_init(struct windows *w, struct predictor *p, double overlap, struct err *err) {
    const struct shape *in = p->input ? &p->input->sample : NULL, *out = &p->sample;

    *w = (struct windows){.predictor = p, .overlap = overlap};
    if (!in || in->rank < 3)
        return err_set(err, ERR_USAGE, "--window cuts pictures, which the networks do not read");
    w->axes = in->rank - 1;
    w->channels = shape_channels(in);
    w->maps = out->rank == w->axes;
    w->out_channels = w->maps ? 1 : shape_channels(out);
    if ((out->rank != in->rank && !w->maps) || p->kind == PREDICT_INDICES)
        return refuse_shape(p, err);
    for (int i = 0; i < WINDOW_AXES; i++) {
        const int64_t size = dim_of(in, w->axes, i), given = dim_of(out, w->axes, i);
        w->scale[i] = given / size;
        if (!w->scale[i] || given % size)
            return refuse_shape(p, err);
    }
    w->samples = malloc((size_t)(p->batch * shape_len(in)) * sizeof(float));
    w->predictions = malloc((size_t)(p->batch * predictor_len(p)) * sizeof(float));
    return w->samples && w->predictions ? 0 : err_set(err, ERR_IO, "no memory for windows");
}

struct shape windows_shape(const struct windows *w, const struct shape *sample) {
    struct shape s = *sample;

    for (int i = 0; i < w->axes; i++)
        s.dim[i] *= w->scale[i + WINDOW_AXES - w->axes];
    s.dim[w->axes] = w->maps ? 0 : w->out_channels;
    s.rank = w->axes + !w->maps;
    return s;
}

/* Mirrored at both edges, again and again where the sample is small. */
static int64_t mirror(int64_t i, int64_t len) {
    const int64_t period = len > 1 ? 2 * (len - 1) : 1;

    i = (i % period + period) % period;
    return i < len ? i : period - i;
}

static void cut(const float *sample, const struct windows_axis *axis, const int64_t *begin,
                int64_t channels, float *out) {
    for (int64_t z = 0; z < axis[0].size; z++)
        for (int64_t y = 0; y < axis[1].size; y++)
            for (int64_t x = 0; x < axis[2].size; x++, out += channels) {
                const int64_t from_z = mirror(begin[0] + z, axis[0].len);
                const int64_t from_y = mirror(begin[1] + y, axis[1].len);
                const int64_t from_x = mirror(begin[2] + x, axis[2].len);
                const int64_t at = (from_z * axis[1].len + from_y) * axis[2].len + from_x;
                memcpy(out, sample + at * channels, (size_t)channels * sizeof *out);
            }
}

/* What blends the windows of one sample. */
struct blend {
    struct windows_axis axis[WINDOW_AXES];
    float *sum, *weight; /* [pixels of the prediction, channels]; [pixels] */
};

static void add_pixel(struct blend *b, int64_t pixel, float weight, const float *values,
                      int64_t channels) {
    for (int64_t c = 0; c < channels; c++)
        b->sum[pixel * channels + c] += weight * values[c];
    b->weight[pixel] += weight;
}

static void add(struct blend *b, const int64_t *begin, const float *values, int64_t channels) {
    const struct windows_axis *a = b->axis;
    const int64_t size[] = {a[0].size * a[0].scale, a[1].size * a[1].scale, a[2].size * a[2].scale};
    const int64_t len[] = {a[0].len * a[0].scale, a[1].len * a[1].scale, a[2].len * a[2].scale};

    for (int64_t i = 0; i < size[0] * size[1] * size[2]; i++) {
        const int64_t in[] = {i / size[2] / size[1], i / size[2] % size[1], i % size[2]};
        const int64_t z = begin[0] * a[0].scale + in[0], y = begin[1] * a[1].scale + in[1],
                      x = begin[2] * a[2].scale + in[2];

        if (z >= 0 && z < len[0] && y >= 0 && y < len[1] && x >= 0 && x < len[2])
            add_pixel(b, (z * len[1] + y) * len[2] + x,
                      a[0].weight[in[0]] * a[1].weight[in[1]] * a[2].weight[in[2]],
                      values + i * channels, channels);
    }
}

static void place_of(const struct windows_axis *axis, int64_t k, int64_t begin[WINDOW_AXES]) {
    begin[2] = windows_begin(&axis[2], k % axis[2].n);
    begin[1] = windows_begin(&axis[1], k / axis[2].n % axis[1].n);
    begin[0] = windows_begin(&axis[0], k / axis[2].n / axis[1].n);
}

static void run_all(struct windows *w, const float *sample, const struct predictor_draw *draw,
                    struct blend *b) {
    struct predictor *p = w->predictor;
    const int64_t in_len = shape_len(&p->input->sample), out_len = predictor_len(p);
    const int64_t n = b->axis[0].n * b->axis[1].n * b->axis[2].n;
    int64_t begin[WINDOW_AXES];

    for (int64_t first = 0; first < n; first += p->batch) {
        const int64_t some = n - first < p->batch ? n - first : p->batch;
        for (int64_t k = 0; k < some; k++) {
            place_of(b->axis, first + k, begin);
            cut(sample, b->axis, begin, w->channels, w->samples + k * in_len);
        }
        predictor_run(p, w->samples, NULL, some, draw, w->predictions);
        for (int64_t k = 0; k < some; k++) {
            place_of(b->axis, first + k, begin);
            add(b, begin, w->predictions + k * out_len, w->out_channels);
        }
    }
}

static int blend_init(struct blend *b, const struct windows *w, const struct shape *shape,
                      struct err *err) {
    const struct shape *in = &w->predictor->input->sample;
    const struct shape out = windows_shape(w, shape);
    const size_t len = (size_t)shape_len(&out);

    for (int i = 0; i < WINDOW_AXES; i++) {
        b->axis[i] = windows_axis_of(dim_of(shape, w->axes, i), dim_of(in, w->axes, i), w->scale[i],
                                     w->overlap);
        if (weigh(&b->axis[i], err))
            return -1;
    }
    b->sum = calloc(len, sizeof *b->sum);
    b->weight = calloc(len / (size_t)w->out_channels, sizeof *b->weight);
    return b->sum && b->weight
               ? 0
               : err_set(err, ERR_IO, "no memory for a prediction of %zu numbers", len);
}

int windows_run(struct windows *w, const float *sample, const struct shape *shape,
                const struct predictor_draw *draw, float **out, struct err *err) {
    struct blend b = {0};
    int rc = blend_init(&b, w, shape, err);

    if (!rc && shape_equal(shape, &w->predictor->input->sample)) {
        predictor_run(w->predictor, sample, NULL, 1, draw, b.sum);
    } else if (!rc) {
        run_all(w, sample, draw, &b);
        const struct shape all = windows_shape(w, shape);
        for (int64_t i = 0; i < shape_len(&all); i++)
            b.sum[i] /= b.weight[i / w->out_channels];
    }
    for (int i = 0; i < WINDOW_AXES; i++)
        free(b.axis[i].weight);
    free(b.weight);
    if (rc)
        free(b.sum);
    else
        *out = b.sum;
    return rc;
}

void windows_release(struct windows *w) {
    free(w->samples);
    free(w->predictions);
    *w = (struct windows){0};
}
