/* Several files as one dataset: opened one by one, checked to be alike, read as if they were one.
 */
#include "core/base/files.h"
#include "io/dataset/dataset_private.h"
#include "io/dataset/dataset_spec.h"

#include <stdlib.h>
#include <string.h>

enum {
    JOIN_BYTES = 4 << 20, /* rows of one part that are on their way at a time */
    JOIN_ROWS = 1024,
};

static int64_t rows_at_a_time(const struct dataset_field *f) {
    const int64_t bytes = (int64_t)dataset_out_bytes(f), n = JOIN_BYTES / (bytes ? bytes : 1);

    return n < 1 ? 1 : n < JOIN_ROWS ? n : JOIN_ROWS;
}

static const char *kind_text(const struct dataset_field *f) {
    if (f->kind == DATASET_CLASS)
        return "class numbers";
    if (f->kind == DATASET_ENCODED)
        return "encoded pictures";
    if (f->image)
        return f->kind == DATASET_BYTES ? "images of bytes" : "images of floats";
    return f->kind == DATASET_BYTES ? "bytes" : "floats";
}

/* Encoded pictures have no size, but are grey or not. */
static const char *sample_text(const struct dataset_field *f, char text[SHAPE_TEXT]) {
    if (f->kind != DATASET_ENCODED)
        return shape_text(&f->sample, text);
    return f->sample.dim[2] == 1 ? "encoded pictures in grey" : "encoded pictures in colour";
}

static int check_field(const struct dataset *a, const struct dataset_field *f,
                       const struct dataset *b, const struct dataset_field *g, struct err *err) {
    char x[SHAPE_TEXT], y[SHAPE_TEXT];

    const bool encoded = f->kind == DATASET_ENCODED, other = g->kind == DATASET_ENCODED;
    if (encoded == other && !shape_equal(&f->sample, &g->sample))
        return err_set(err, ERR_DATA, "%s has %s of %s, but %s of %s: they are no one dataset",
                       b->name, f->name, sample_text(g, x), a->name, sample_text(f, y));
    if (f->kind != g->kind || f->image != g->image)
        return err_set(err, ERR_DATA, "%s has %s of %s, but %s of %s: they are no one dataset",
                       b->name, f->name, kind_text(g), a->name, kind_text(f));
    if (f->unpaired != g->unpaired)
        return err_set(err, ERR_DATA, "%s of %s is unpaired, but that of %s is not", f->name,
                       (f->unpaired ? a : b)->name, (f->unpaired ? b : a)->name);
    return 0;
}

/* Find the fields of the first part in another one, which has no others. */
static int match_fields(const struct dataset *first, struct dataset_part *p, struct err *err) {
    const struct dataset *ds = p->ds;

    for (int i = 0; i < first->n_fields; i++) {
        const struct dataset_field *f = &first->field[i];

        p->field[i] = dataset_find_field(ds, f->name);
        if (p->field[i] < 0)
            return err_set(err, ERR_DATA, "%s has no field %s, but %s has: they are no one dataset",
                           ds->name, f->name, first->name);
        if (check_field(first, f, ds, &ds->field[p->field[i]], err))
            return -1;
    }
    for (int i = 0; i < ds->n_fields; i++)
        if (dataset_find_field(first, ds->field[i].name) < 0)
            return err_set(err, ERR_DATA, "%s has no field %s, but %s has: they are no one dataset",
                           first->name, ds->field[i].name, ds->name);
    return 0;
}

size_t dataset_drop_run(struct dataset *part) {
    const size_t bytes = part->run ? dataset_run_bytes(part) : 0;

    free(part->run);
    part->run = NULL;
    return bytes;
}

int dataset_share_memory(struct dataset *ds, size_t run, struct err *err) {
    size_t most = 1;

    for (int i = 0; i < ds->n_fields; i++) {
        const size_t bytes =
            (size_t)rows_at_a_time(&ds->field[i]) * dataset_out_bytes(&ds->field[i]);
        most = bytes > most ? bytes : most;
    }
    ds->joined = malloc(most);
    ds->run = run ? malloc(run) : NULL;
    if (!ds->joined || (run && !ds->run))
        return dataset_no_memory(ds, err);
    for (int k = 0; k < ds->n_parts; k++)
        ds->part[k].ds->run = ds->run;
    return 0;
}

static int open_parts(struct dataset *ds, const struct dataset_spec *spec,
                      const struct dataset_memory *memory, size_t *run, struct err *err) {
    struct dataset_memory left = *memory;

    ds->part = calloc((size_t)spec->n, sizeof *ds->part);
    if (!ds->part)
        return dataset_no_memory(ds, err);
    files_allow(spec->n); /* parts that are not kept stay open */
    for (; ds->n_parts < spec->n; ds->n_parts++) {
        struct dataset_part *p = &ds->part[ds->n_parts];

        if (dataset_open_file(&p->ds, spec->part[ds->n_parts], &left, spec->n, err))
            return -1;
        left.bytes -= dataset_kept_bytes(p->ds);
        const size_t bytes = dataset_drop_run(p->ds);
        *run = bytes > *run ? bytes : *run;
        if (match_fields(ds->part[0].ds, p, err)) {
            ds->n_parts++;
            return -1;
        }
    }
    return 0;
}

/* Rows one after another, those of unpaired fields too. */
static void join_rows(struct dataset *ds) {
    const struct dataset *first = ds->part[0].ds;

    ds->n_fields = first->n_fields;
    for (int i = 0; i < ds->n_fields; i++) {
        ds->field[i] = first->field[i];
        ds->field[i].rows = 0;
    }
    for (int k = 0; k < ds->n_parts; k++) {
        struct dataset_part *p = &ds->part[k];

        ds->len += p->ds->len;
        for (int i = 0; i < ds->n_fields; i++) {
            p->begin[i] = ds->field[i].rows;
            ds->field[i].rows += p->ds->field[p->field[i]].rows;
        }
        if (!*ds->ignored)
            strcpy(ds->ignored, p->ds->ignored);
    }
}

/* A copy under another name is no new data. */
static int tell_copies(struct dataset *ds, struct err *err) {
    for (int k = 1; k < ds->n_parts; k++)
        for (int j = 0; j < k; j++)
            if (ds->part[j].ds->fingerprint == ds->part[k].ds->fingerprint)
                return dataset_guess(ds, err, "%s holds the same samples as %s: they count twice",
                                     ds->part[k].ds->name, ds->part[j].ds->name);
    return 0;
}

/* Parts are alike, and so is what is guessed of them: that of the first will do. */
static int join_guesses(struct dataset *ds, struct err *err) {
    const char *at = "", *end;

    for (int k = 0; k < ds->n_parts && !*at; k++)
        at = dataset_guesses(ds->part[k].ds);
    for (; *at; at = end + (*end == '\n')) {
        end = at + strcspn(at, "\n");
        if (dataset_guess(ds, err, "%.*s", (int)(end - at), at))
            return -1;
    }
    return 0;
}

static int join(struct dataset *ds, size_t run, struct err *err) {
    join_rows(ds);
    if (join_guesses(ds, err) || tell_copies(ds, err))
        return -1;
    for (int i = 0; i < ds->n_fields; i++)
        if (dataset_join_field(ds, i, err))
            return -1;
    return dataset_share_memory(ds, run, err) || dataset_take_fingerprint(ds, err) ? -1 : 0;
}

static int open_set(struct dataset **out, const char *name, const struct dataset_spec *spec,
                    const struct dataset_memory *memory, struct err *err) {
    struct dataset *ds = calloc(1, sizeof *ds);
    size_t run = 0;

    if (ds)
        ds->name = strdup(name);
    if (!ds || !ds->name) {
        free(ds);
        return err_set(err, ERR_IO, "%s: out of memory", name);
    }
    if (open_parts(ds, spec, memory, &run, err) || join(ds, run, err)) {
        dataset_close(ds);
        return -1;
    }
    *out = ds;
    return 0;
}

int dataset_open_in(struct dataset **out, const char *spec, const struct dataset_memory *memory,
                    struct err *err) {
    struct dataset_spec list = {0};
    int rc = dataset_spec_read(&list, spec, err);

    if (!rc)
        rc = list.n == 1 ? dataset_open_file(out, list.part[0], memory, 1, err)
                         : open_set(out, spec, &list, memory, err);
    dataset_spec_release(&list);
    return rc;
}

int dataset_open(struct dataset **out, const char *spec, int64_t cache_bytes, struct err *err) {
    const struct dataset_memory memory = {.bytes = cache_bytes};

    return dataset_open_in(out, spec, &memory, err);
}

/* Which part has that row. */
const struct dataset_part *dataset_part_of(const struct dataset *ds, int i, int64_t row) {
    int low = 0, high = ds->n_parts - 1;

    while (low < high) {
        const int middle = (low + high + 1) / 2;

        if (row < ds->part[middle].begin[i])
            high = middle - 1;
        else
            low = middle;
    }
    return &ds->part[low];
}

/* Part by part, so that neighbours in a file are read together. */
int dataset_read_parts(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                       struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    const int64_t most = rows_at_a_time(f);
    const size_t bytes = dataset_out_bytes(f);
    int64_t row[JOIN_ROWS];

    if (dataset_sort_rows(ds, index, n, err))
        return -1;
    const struct wanted *wanted = ds->wanted;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        const struct dataset_part *p = dataset_part_of(ds, i, wanted[begin].row);
        const int64_t rows = p->ds->field[p->field[i]].rows;

        for (end = begin; end < n && end - begin < most; end++) {
            if (wanted[end].row - p->begin[i] >= rows)
                break;
            row[end - begin] = wanted[end].row - p->begin[i];
        }
        if (dataset_read(p->ds, p->field[i], row, end - begin, ds->joined, err))
            return -1;
        for (int64_t k = begin; k < end; k++)
            memcpy((unsigned char *)out + (size_t)wanted[k].at * bytes,
                   ds->joined + (size_t)(k - begin) * bytes, bytes);
    }
    return 0;
}
