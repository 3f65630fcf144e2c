/* What the parts of dltrain data say of encoded pictures. */
#include "cmd/data_encoded.h"

#include "cmd/data_pace.h"
#include "core/base/clock.h"
#include "io/dataset/encoded_scan.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 64, MOST_FORMATS = 8, CHANNELS = 3, BAR = 40 };

struct picture_size {
    int width, height;
};

struct format_count {
    const char *name;
    int n;
};

/* Some pictures of a field. */
struct sampled {
    pthread_mutex_t lock;
    struct picture_size size[LOOKED_AT];
    int n;
    struct format_count format[MOST_FORMATS];
    int n_broken;
    struct err first; /* of what is broken */
};

static void take(void *context, int slot, const struct encoded_picture *p) {
    struct sampled *s = context;
    char what[IMAGE_WHAT];
    const char *name = image_format_of(p->blob.bytes, p->blob.len, what);
    int k = 0;

    (void)slot;
    pthread_mutex_lock(&s->lock);
    s->size[s->n++] = (struct picture_size){p->image->width, p->image->height};
    while (k < MOST_FORMATS - 1 && s->format[k].name && strcmp(s->format[k].name, name))
        k++;
    s->format[k].name = name;
    s->format[k].n++;
    pthread_mutex_unlock(&s->lock);
}

static void take_broken(void *context, int64_t row, const struct err *problem) {
    struct sampled *s = context;

    (void)row;
    if (!s->n_broken++)
        s->first = *problem;
}

/* By area; those of one area, too, in an order. */
static int by_area(const void *a, const void *b) {
    const struct picture_size *x = a, *y = b;
    const int64_t p = (int64_t)x->width * x->height, q = (int64_t)y->width * y->height;

    return p != q ? (p > q) - (p < q) : (x->width > y->width) - (x->width < y->width);
}

/* The commonest first; those that do not occur last. */
static int by_count(const void *a, const void *b) {
    const struct format_count *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : x->n ? strcmp(x->name, y->name) : 0;
}

static void print_sampled(struct sampled *s) {
    const struct picture_size *size = s->size;

    qsort(s->size, (size_t)s->n, sizeof *s->size, by_area);
    qsort(s->format, MOST_FORMATS, sizeof *s->format, by_count);
    printf("    of %d looked at:", s->n + s->n_broken);
    for (int k = 0; k < MOST_FORMATS && s->format[k].n; k++)
        printf("%s %d %s", k ? "," : "", s->format[k].n, s->format[k].name);
    if (s->n)
        printf("; %dx%d to %dx%d, median %dx%d pixels", size[0].width, size[0].height,
               size[s->n - 1].width, size[s->n - 1].height, size[s->n / 2].width,
               size[s->n / 2].height);
    printf("%s\n", s->n ? "" : " none can be decoded");
    if (s->n_broken)
        printf("    warning: %d of them cannot be decoded, the first: %s\n", s->n_broken,
               s->first.msg);
}

int data_encoded_info(struct dataset *ds, int i, struct err *err) {
    const int64_t rows = dataset_field(ds, i)->rows, n = rows < LOOKED_AT ? rows : LOOKED_AT;
    struct sampled s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct encoded_listener listener = {
        .picture = take, .broken = take_broken, .context = &s};
    int64_t row[LOOKED_AT], bytes = 0, least = INT64_MAX, most = 0;

    for (int64_t k = 0; k < rows; k++) {
        const int64_t len = encoded_len(ds, i, k);

        bytes += len;
        least = len < least ? len : least;
        most = len > most ? len : most;
    }
    printf("    %" PRId64 " pictures of %.1f MiB: %.1f KiB each, %.1f to %.1f\n", rows,
           (double)bytes / (1 << 20), (double)bytes / (double)rows / 1024, (double)least / 1024,
           (double)most / 1024);
    for (int64_t k = 0; k < n; k++)
        row[k] = n > 1 ? k * (rows - 1) / (n - 1) : 0;
    if (encoded_scan(ds, i, row, n, &listener, err))
        return -1;
    print_sampled(&s);
    return 0;
}

/* What one thread has added up; whole numbers, so that sums are exact in any order. */
struct encoded_sums {
    uint64_t n_pixels, sum[CHANNELS], squares[CHANNELS];
    unsigned char least[CHANNELS], most[CHANNELS];
    int64_t n_pictures, by_side[DATA_N_SIDES];
};

struct sums_pass {
    struct encoded_sums sums[SCAN_MOST_SLOTS];
    struct import_pace pace;
    double begun;
    int64_t n_broken;
    struct err first;
};

/* The upper ends of the classes of shorter sides; the last has none. */
static const int side_end[DATA_N_SIDES - 1] = {32,  64,  128, 192,  256, 320,
                                               384, 512, 768, 1024, 2048};

static void add_picture(void *context, int slot, const struct encoded_picture *p) {
    struct encoded_sums *s = &((struct sums_pass *)context)->sums[slot];
    const struct image *image = p->image;
    const int64_t n = (int64_t)image->width * image->height;
    const int shorter = image->width < image->height ? image->width : image->height;
    const int channels = image->channels;
    int side = 0;

    for (int64_t k = 0; k < n; k++)
        for (int c = 0; c < channels; c++) {
            const unsigned char v = image->pixels[k * channels + c];

            s->sum[c] += v;
            s->squares[c] += (unsigned)v * v;
            s->least[c] = v < s->least[c] ? v : s->least[c];
            s->most[c] = v > s->most[c] ? v : s->most[c];
        }
    while (side < DATA_N_SIDES - 1 && shorter >= side_end[side])
        side++;
    s->n_pixels += (uint64_t)n;
    s->n_pictures++;
    s->by_side[side]++;
}

static void add_stored(void *context, const struct dataset_blob *blob) {
    ((struct sums_pass *)context)->pace.bytes += (int64_t)blob->len;
}

static void add_broken(void *context, int64_t row, const struct err *problem) {
    struct sums_pass *m = context;

    (void)row;
    if (!m->n_broken++)
        m->first = *problem;
}

static void show(void *context, int64_t rows) {
    struct sums_pass *m = context;

    m->pace.done += rows;
    m->pace.seconds = clock_now() - m->begun;
    data_show_pace(NULL, &m->pace);
}

/* All threads' sums to the first. */
static void add_up(struct sums_pass *m) {
    struct encoded_sums *to = &m->sums[0];

    for (int k = 1; k < SCAN_MOST_SLOTS; k++) {
        const struct encoded_sums *s = &m->sums[k];

        to->n_pixels += s->n_pixels;
        to->n_pictures += s->n_pictures;
        for (int c = 0; c < CHANNELS; c++) {
            to->sum[c] += s->sum[c];
            to->squares[c] += s->squares[c];
            to->least[c] = s->least[c] < to->least[c] ? s->least[c] : to->least[c];
            to->most[c] = s->most[c] > to->most[c] ? s->most[c] : to->most[c];
        }
        for (int side = 0; side < DATA_N_SIDES; side++)
            to->by_side[side] += s->by_side[side];
    }
}

static void print_sums(const struct encoded_sums *s, int channels) {
    const double n = (double)s->n_pixels;
    int64_t most = 1;

    printf("  %-8s %10s %10s %10s %10s\n", "channel", "mean", "std", "least", "largest");
    for (int c = 0; c < channels; c++) {
        const double mean = (double)s->sum[c] / n / 255;
        const double square = (double)s->squares[c] / n / 255 / 255;

        printf("  %-8d %10.4g %10.4g %10.4g %10.4g\n", c, mean, sqrt(fmax(0, square - mean * mean)),
               s->least[c] / 255.0, s->most[c] / 255.0);
    }
    for (int k = 0; k < DATA_N_SIDES; k++)
        most = s->by_side[k] > most ? s->by_side[k] : most;
    printf("  pixels of the shorter side\n");
    for (int k = 0; k < DATA_N_SIDES; k++) {
        if (!s->by_side[k])
            continue;
        if (k < DATA_N_SIDES - 1)
            printf("  %4d to %-4d %10" PRId64 "  ", k ? side_end[k - 1] : 1, side_end[k] - 1,
                   s->by_side[k]);
        else
            printf("  from %-7d %10" PRId64 "  ", side_end[k - 1], s->by_side[k]);
        for (int64_t bar = 0; bar < BAR * s->by_side[k] / most; bar++)
            putchar('#');
        putchar('\n');
    }
}

int data_encoded_stats(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    struct sums_pass *m = calloc(1, sizeof *m);
    const struct encoded_listener listener = {.picture = add_picture,
                                              .stored = add_stored,
                                              .broken = add_broken,
                                              .progress = show,
                                              .context = m};

    if (!m)
        return err_set(err, ERR_IO, "%s: out of memory", dataset_name(ds));
    m->pace.total = f->rows;
    m->begun = clock_now();
    for (int k = 0; k < SCAN_MOST_SLOTS; k++)
        memset(m->sums[k].least, UINT8_MAX, sizeof m->sums[k].least);
    int status = encoded_scan(ds, i, NULL, f->rows, &listener, err);
    if (!status)
        add_up(m);
    if (!status && m->sums[0].n_pictures)
        print_sums(&m->sums[0], (int)f->sample.dim[2]);
    if (!status && m->n_broken)
        printf("  warning: %" PRId64 " cannot be decoded and are not counted, the first: %s\n",
               m->n_broken, m->first.msg);
    free(m);
    return status;
}

int data_encoded_tile(struct dataset *ds, int i, const int64_t *rows, int64_t n, int side,
                      unsigned char *out, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    const size_t len = (size_t)side * (size_t)side * (size_t)f->sample.dim[2];
    struct dataset_buffer buffer = {0};
    int status = 0;

    for (int64_t k = 0; k < n && !status; k++) {
        struct dataset_blob blob;
        struct image image = {0};
        char name[DATASET_ROW_TEXT];

        status = dataset_read_encoded(ds, i, &rows[k], 1, &blob, &buffer, err) ||
                 image_decode(blob.bytes, blob.len, dataset_row_text(ds, i, rows[k], name),
                              f->sample.dim[2] == 1 ? IMAGE_GREY : IMAGE_COLOUR, &image, err) ||
                 image_resize(&image, side, side, IMAGE_CROP, out + (size_t)k * len, err);
        image_release(&image);
    }
    dataset_buffer_release(&buffer);
    return status ? -1 : 0;
}
