/* dltrain data stats: what a split looks like, in numbers and as a picture. */
#include "cmd/data.h"
#include "cmd/data_encoded.h"
#include "cmd/options.h"
#include "io/file/file.h"
#include "report/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, BAR = 40, NAME_COLUMNS = 24, MOST_CHANNELS = 32, MOST_SHOWN = 1000 };

/* Of one channel, over all samples. */
struct channel {
    double sum, squares, least, most;
};

struct stats_options {
    const char *sheet;
    int64_t each;
};

static void add_values(struct channel *channel, int64_t channels, const struct dataset_field *f,
                       const void *rows, int64_t len) {
    for (int64_t k = 0; k < len; k++) {
        struct channel *c = &channel[k % channels];
        const double v = f->kind == DATASET_BYTES ? ((const unsigned char *)rows)[k] / 255.0
                                                  : (double)((const float *)rows)[k];
        c->sum += v;
        c->squares += v * v;
        c->least = fmin(c->least, v);
        c->most = fmax(c->most, v);
    }
}

/* Read all rows of field i, some at a time. */
static int measure(struct dataset *ds, int i, int64_t channels, struct channel *channel,
                   struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    const int64_t len = f->sample.rank ? shape_len(&f->sample) : 1;
    void *rows = malloc((size_t)(ROWS * len) * sizeof(float));
    int64_t index[ROWS];
    int rc = rows ? 0 : err_set(err, ERR_IO, "%s: no memory for %d rows", dataset_name(ds), ROWS);

    for (int64_t k = 0; k < channels; k++)
        channel[k] = (struct channel){0, 0, INFINITY, -INFINITY};
    for (int64_t first = 0; first < f->rows && !rc; first += ROWS) {
        const int64_t n = f->rows - first < ROWS ? f->rows - first : ROWS;
        for (int64_t k = 0; k < n; k++)
            index[k] = first + k;
        rc = dataset_read(ds, i, index, n, rows, err);
        if (!rc)
            add_values(channel, channels, f, rows, n * len);
    }
    free(rows);
    return rc;
}

/* Numbers: of each channel of images, of all others together. */
static int print_numbers(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    const int64_t last = f->sample.rank ? f->sample.dim[f->sample.rank - 1] : 1;
    const int64_t channels = f->image && last <= MOST_CHANNELS ? last : 1;
    const double n =
        (double)f->rows * (double)((f->sample.rank ? shape_len(&f->sample) : 1) / channels);
    struct channel channel[MOST_CHANNELS];

    if (measure(ds, i, channels, channel, err))
        return -1;
    printf("  %-8s %10s %10s %10s %10s\n", channels > 1 ? "channel" : "", "mean", "std", "least",
           "largest");
    for (int64_t k = 0; k < channels; k++) {
        const double mean = channel[k].sum / n;
        printf("  %-8" PRId64 " %10.4g %10.4g %10.4g %10.4g\n", k, mean,
               sqrt(fmax(0, channel[k].squares / n - mean * mean)), channel[k].least,
               channel[k].most);
    }
    return 0;
}

/* A bar for each class, in the order of the classes. */
static void print_classes(const struct dataset *ds, int i) {
    const int64_t *count = dataset_class_counts(ds, i);
    const int n = dataset_field_classes(ds, i), shown = n < MOST_SHOWN ? n : MOST_SHOWN;
    int64_t most = 1, all = 0;

    for (int k = 0; k < n; k++) {
        most = count[k] > most ? count[k] : most;
        all += count[k];
    }
    for (int k = 0; k < shown; k++) {
        fputs("  ", stdout);
        columns_print(stdout, dataset_class_name(ds, i, k), NAME_COLUMNS, 1);
        printf(" %10" PRId64 " %6.2f %%  ", count[k],
               all ? 100 * (double)count[k] / (double)all : 0.0);
        for (int64_t bar = 0; bar < BAR * count[k] / most; bar++)
            putchar('#');
        putchar('\n');
    }
    if (shown < n)
        printf("  and %d classes more\n", n - shown);
}

static int print_field(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    const bool sized = f->sample.rank && f->kind != DATASET_ENCODED;
    char shape[SHAPE_TEXT];

    printf("%s: %s%s%s", f->name,
           f->kind == DATASET_CLASS     ? "class"
           : f->kind == DATASET_ENCODED ? "encoded pictures, as 0 .. 1"
           : f->kind == DATASET_BYTES   ? "bytes, as 0 .. 1"
                                        : "numbers",
           sized ? ", " : "", sized ? shape_text(&f->sample, shape) : "");
    if (f->rows != dataset_len(ds))
        printf(", %" PRId64 " rows", f->rows);
    putchar('\n');
    if (f->kind == DATASET_ENCODED)
        return data_encoded_stats(ds, i, err);
    if (f->kind != DATASET_CLASS)
        return print_numbers(ds, i, err);
    print_classes(ds, i);
    return 0;
}

static int print_all(const char *spec, const struct stats_options *o, struct err *err) {
    struct dataset *ds;
    int rc = 0;

    if (dataset_open(&ds, spec, 0, err))
        return -1;
    printf("%s: %" PRId64 " samples\n", dataset_name(ds), dataset_len(ds));
    for (int i = 0; i < dataset_n_fields(ds) && !rc; i++)
        rc = print_field(ds, i, err);
    if (!rc && o->sheet)
        rc = data_sheet(ds, o->sheet, o->each, err);
    dataset_close(ds);
    return rc;
}

/* A dataset is no picture, and none is replaced by one. */
static int check_sheet(const char *path, struct err *err) {
    const size_t len = strlen(path);

    if (len < 4 || strcmp(path + len - 4, ".png") != 0)
        return err_set(err, ERR_USAGE, "--sheet: found '%s', expected a file that ends in .png",
                       path);
    return file_check_target(path, NULL, 0, err);
}

int data_stats(int argc, char **argv, struct err *err) {
    static const struct option_spec specs[] = {
        {"sheet", OPTION_TEXT, .offset = offsetof(struct stats_options, sheet)},
        {"each", OPTION_WHOLE, .offset = offsetof(struct stats_options, each), .min = 1,
         .max = 1000},
        {0}};
    struct stats_options o = {.each = 10};
    const int first = options_read(&o, specs, "data", argc, argv, err);

    if (first < 0)
        return -1;
    if (argc - first != 1)
        return err_set(err, ERR_USAGE, "data: stats takes one FILE.h5[:GROUP], found %d",
                       argc - first);
    if (o.sheet && check_sheet(o.sheet, err))
        return -1;
    return print_all(argv[first], &o, err);
}
