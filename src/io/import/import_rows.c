#include "io/import/import_rows.h"

#include "io/import/import_deal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 4 << 20, MOST_SLAB = 4096 };

struct rows_writing {
    const struct rows_source *source;
    const struct deal *deal;
    const struct import_options *options;
    struct dataset_writer *writer;
    int64_t done, total;
};

static size_t row_bytes(const struct writer_field *f) {
    const size_t len = f->sample.rank ? (size_t)shape_len(&f->sample) : 1;
    const bool narrow =
        f->kind == DATASET_BYTES || (f->kind == DATASET_CLASS && f->sample.rank && !f->wide);

    return len * (narrow ? 1 : sizeof(float));
}

/* A number that is none would make mean and std, and every step, none either. */
static int check_finite(const struct rows_source *s, const struct writer_field *f, int64_t i,
                        const float *v, struct err *err) {
    const int64_t len = f->sample.rank ? shape_len(&f->sample) : 1;
    int64_t k = 0;

    while (k < len && isfinite(v[k]))
        k++;
    if (k == len)
        return 0;
    err_set(err, ERR_DATA, "%s holds %g, expected finite numbers that float32 has", f->name,
            (double)v[k]);
    return s->file_of ? err_wrap(err, "%s", s->file_of(s->context, i))
                      : err_wrap(err, "%s: sample %" PRId64, s->name, i);
}

/* One field of one split, a slab at a time. */
static int write_field(struct rows_writing *w, int split, int field, struct err *err) {
    const struct rows_source *s = w->source;
    const size_t bytes = row_bytes(&s->field[field]);
    const int64_t fit = (int64_t)(SLAB_BYTES / (bytes ? bytes : 1));
    const int64_t rows = fit < 1 ? 1 : fit > MOST_SLAB ? MOST_SLAB : fit;
    unsigned char *slab = malloc((size_t)rows * bytes + 1);
    int64_t n = 0;
    int status = slab ? 0 : err_set(err, ERR_IO, "%s: out of memory", s->name);

    for (int64_t i = 0; !status && i < s->n; i++) {
        if (w->deal->part[i] != split)
            continue;
        unsigned char *to = slab + (size_t)n * bytes;
        status = s->make(s->context, i, field, to, err);
        if (!status && s->field[field].kind == DATASET_REALS)
            status = check_finite(s, &s->field[field], i, (const float *)(const void *)to, err);
        n += !status;
        if (!status && n == rows) {
            status = dataset_writer_add(w->writer, field, slab, n, err);
            import_report(w->options, w->done += n, w->total);
            n = 0;
        }
    }
    if (!status && n)
        status = dataset_writer_add(w->writer, field, slab, n, err);
    import_report(w->options, w->done += n, w->total);
    free(slab);
    return status;
}

static int tell_trained(const struct rows_source *s, const struct deal *deal, struct err *err) {
    bool *trained = calloc((size_t)s->n, sizeof *trained);
    int status;

    if (!trained)
        return err_set(err, ERR_IO, "%s: out of memory", s->name);
    for (int64_t i = 0; i < s->n; i++)
        trained[i] = deal->part[i] == 0;
    status = s->trained(s->context, trained, err);
    free(trained);
    return status;
}

static int write_splits(struct rows_writing *w, struct import_result *result, struct err *err) {
    const struct rows_source *s = w->source;
    const struct deal *deal = w->deal;

    for (int k = 0; k < deal->n; k++) {
        if (!deal->count[k])
            return err_set(err, ERR_USAGE, "%s: no %s would be left in %s", s->name, s->what,
                           deal->name[k]);
        if (dataset_writer_fields(w->writer, deal->name[k], s->field, s->n_fields, err))
            return -1;
        for (int f = 0; f < s->n_fields; f++)
            if (write_field(w, k, f, err))
                return -1;
        if (s->describe && s->describe(s->context, w->writer, err))
            return -1;
        if (deal->n > 1)
            import_note(result, "%s: %" PRId64 " %s", deal->name[k], deal->count[k], s->what);
        result->n_images += deal->count[k];
        result->n_splits++;
    }
    return 0;
}

int import_rows(const struct rows_source *source, const char *target,
                const struct import_options *options, struct import_result *result,
                struct err *err) {
    struct deal deal = {0};
    struct rows_writing w = {.source = source, .deal = &deal, .options = options};
    int status;

    result->what = source->what;
    if (source->n < 1)
        return err_set(err, ERR_DATA, "%s: there are no %s", source->name, source->what);
    for (int f = 0; f < source->n_fields; f++)
        if (source->field[f].sample.rank && shape_len(&source->field[f].sample) < 1)
            return err_set(err, ERR_DATA, "%s: a sample of %s holds nothing", source->name,
                           source->field[f].name);
    status = deal_init(&deal, source, &options->split, err);
    for (int k = 0; !status && k < deal.n; k++)
        w.total += deal.count[k] * source->n_fields;
    if (!status && source->trained)
        status = tell_trained(source, &deal, err);
    if (!status)
        status = dataset_writer_new(&w.writer, target, err);
    if (!status)
        status = write_splits(&w, result, err) || dataset_writer_finish(w.writer, NULL, 0, err);
    dataset_writer_free(w.writer);
    deal_release(&deal);
    return status ? -1 : 0;
}
