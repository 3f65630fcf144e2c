#include "io/dataset/dataset_index.h"
#include "core/base/files.h"
#include "io/dataset/dataset_private.h"
#include "io/h5/h5_files.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { MOST_PARTS = 1 << 20, ALIGN = 64 };

/* --- bytes, one after another --- */

/* Saving and reading are the same walk over a dataset. */
struct walk {
    unsigned char *bytes;
    size_t at, len; /* of len bytes */
    bool saves;
    bool failed; /* no memory, or no such bytes */
};

static void walk_bytes(struct walk *w, void *value, size_t n) {
    if (w->saves && !w->failed && n > w->len - w->at) {
        const size_t len = 2 * w->len + n;
        unsigned char *more = realloc(w->bytes, len);

        w->failed = !more;
        w->bytes = more ? more : w->bytes;
        w->len = more ? len : w->len;
    }
    w->failed = w->failed || n > w->len - w->at;
    if (w->failed || !n)
        return;
    if (w->saves)
        memcpy(w->bytes + w->at, value, n);
    else
        memcpy(value, w->bytes + w->at, n);
    w->at += n;
}

/* *array: n items of so many bytes, or NULL. Returns it; read, it is malloc'd. */
static void *walk_array(struct walk *w, void *array, size_t n, size_t item) {
    bool there = array != NULL;

    walk_bytes(w, &there, sizeof there);
    if (w->saves && there)
        walk_bytes(w, array, n * item);
    if (w->saves || !there || w->failed)
        return w->saves ? array : NULL;
    w->failed = item && n > (w->len - w->at) / item;
    array = w->failed ? NULL : malloc(n * item + 1);
    w->failed = w->failed || !array;
    if (array)
        walk_bytes(w, array, n * item);
    return array;
}

/* Likewise of numbers that nobody will change: read, they stay where they are. */
static void *walk_numbers(struct walk *w, void *array, size_t n, size_t item) {
    static const unsigned char nothing[ALIGN];
    bool there = array != NULL;

    walk_bytes(w, &there, sizeof there);
    if (!there || w->failed)
        return NULL;
    const size_t gap = (ALIGN - w->at % ALIGN) % ALIGN;
    if (w->saves) {
        walk_bytes(w, (void *)(uintptr_t)nothing, gap);
        walk_bytes(w, array, n * item);
        return array;
    }
    w->failed = gap > w->len - w->at || n > (w->len - w->at - gap) / item;
    if (w->failed)
        return NULL;
    array = w->bytes + w->at + gap;
    w->at += gap + n * item;
    return array;
}

static char *walk_text(struct walk *w, char *text) {
    size_t n = text ? strlen(text) + 1 : 0;

    walk_bytes(w, &n, sizeof n);
    text = walk_array(w, text, n, 1);
    if (!w->saves && text && (w->failed || !n || text[n - 1])) {
        w->failed = true;
        free(text);
        text = NULL;
    }
    return text;
}

/* --- a dataset --- */

/* Names are owned one by one. */
static void walk_names(struct walk *w, struct column *c) {
    bool there = c->class_name != NULL;

    walk_bytes(w, &there, sizeof there);
    if (!there || w->failed)
        return;
    if (!w->saves)
        c->class_name = calloc((size_t)c->n_classes + 1, sizeof *c->class_name);
    w->failed = !c->class_name;
    for (int k = 0; k < c->n_classes && !w->failed; k++)
        c->class_name[k] = walk_text(w, c->class_name[k]);
}

/* Numbers of a column that arrays have as many of; false where they cannot be. */
static bool counts_fit(const struct column *c, const struct dataset_field *f) {
    return c->n_classes >= 0 && c->n_map >= 0 && f->rows >= 0 && c->hashes.each >= 0 &&
           c->hashes.each <= ROW_HASH_BYTES && f->sample.rank >= 0 &&
           f->sample.rank <= SHAPE_MAX_RANK;
}

static struct column without_pointers(const struct column *c) {
    struct column plain = *c;

    plain.data = NULL;
    plain.kept = NULL;
    plain.offset = NULL;
    plain.hashes.value = NULL;
    plain.blob = NULL;
    plain.class_name = NULL;
    plain.counts = plain.first = NULL;
    plain.map = NULL;
    plain.mean = plain.std = NULL;
    return plain;
}

static void walk_column(struct walk *w, struct dataset *ds, int i) {
    struct dataset_field *f = &ds->field[i];
    struct column *c = &ds->column[i], plain = without_pointers(c);

    walk_bytes(w, f, sizeof *f);
    walk_bytes(w, &plain, sizeof plain);
    if (!w->saves)
        *c = plain;
    w->failed = w->failed || !counts_fit(c, f);
    if (w->failed) {
        if (!w->saves)
            *c = (struct column){0};
        return;
    }
    const size_t channels = f->kind == DATASET_CLASS ? 0 : (size_t)shape_channels(&f->sample);
    const bool label = f->kind == DATASET_CLASS && !f->sample.rank;

    walk_names(w, c);
    c->counts = walk_array(w, c->counts, (size_t)c->n_classes, sizeof *c->counts);
    c->first = walk_array(w, c->first, (size_t)c->n_classes, sizeof *c->first);
    c->map = walk_array(w, c->map, (size_t)c->n_map, sizeof *c->map);
    c->indexed = c->indexed || !w->saves;
    c->offset = walk_numbers(w, c->offset, (size_t)f->rows + 1, sizeof *c->offset);
    c->hashes.value =
        walk_numbers(w, c->hashes.value, (size_t)row_hashes_len(f->rows, c->hashes.each),
                     sizeof *c->hashes.value);
    c->mean = walk_array(w, c->mean, channels, sizeof *c->mean);
    c->std = walk_array(w, c->std, channels, sizeof *c->std);
    if (label)
        c->kept = walk_array(w, c->kept, (size_t)f->rows, c->row_bytes);
}

/* Members that are no pointers. */
static void walk_head(struct walk *w, struct dataset *ds) {
    walk_bytes(w, ds->group, sizeof ds->group);
    walk_bytes(w, &ds->n_parts, sizeof ds->n_parts);
    walk_bytes(w, &ds->n_fields, sizeof ds->n_fields);
    walk_bytes(w, &ds->len, sizeof ds->len);
    walk_bytes(w, &ds->declared, sizeof ds->declared);
    walk_bytes(w, &ds->kept, sizeof ds->kept);
    walk_bytes(w, ds->ignored, sizeof ds->ignored);
    walk_bytes(w, &ds->fingerprint, sizeof ds->fingerprint);
    walk_bytes(w, &ds->witness, sizeof ds->witness);
    walk_bytes(w, &ds->hashed, sizeof ds->hashed);
    walk_bytes(w, &ds->n_alike, sizeof ds->n_alike);
    w->failed = w->failed || ds->n_fields < 0 || ds->n_fields > DATASET_MAX_FIELDS ||
                ds->n_parts < 0 || ds->n_parts > MOST_PARTS;
    if (w->failed && !w->saves)
        ds->n_parts = ds->n_fields = 0;
}

static void walk_dataset(struct walk *w, struct dataset *ds);

static void walk_parts(struct walk *w, struct dataset *ds) {
    if (!w->saves && ds->n_parts)
        ds->part = calloc((size_t)ds->n_parts, sizeof *ds->part);
    if (ds->n_parts && !ds->part) {
        w->failed = true;
        ds->n_parts = 0;
    }
    for (int k = 0; k < ds->n_parts && !w->failed; k++) {
        struct dataset_part *p = &ds->part[k];

        walk_bytes(w, p->field, sizeof p->field);
        walk_bytes(w, p->begin, sizeof p->begin);
        if (!w->saves)
            p->ds = calloc(1, sizeof *p->ds);
        w->failed = w->failed || !p->ds;
        for (int i = 0; i < DATASET_MAX_FIELDS && !w->failed; i++)
            w->failed = p->field[i] < 0 || p->field[i] >= DATASET_MAX_FIELDS;
        if (!w->failed)
            walk_dataset(w, p->ds);
    }
}

/* The file's own name, which the spec does not always tell from the group's. */
static void walk_dataset(struct walk *w, struct dataset *ds) {
    ds->name = walk_text(w, ds->name);
    ds->path = walk_text(w, ds->path);
    ds->guesses = walk_text(w, ds->guesses);
    walk_head(w, ds);
    for (int i = 0; i < ds->n_fields && !w->failed; i++)
        walk_column(w, ds, i);
    w->failed = w->failed || !ds->name || (!ds->n_parts && !ds->path);
    walk_parts(w, ds);
}

int dataset_index_save(const struct dataset *ds, void **bytes, size_t *len, struct err *err) {
    struct walk w = {.saves = true};
    uint64_t hash;

    walk_dataset(&w, (struct dataset *)(uintptr_t)ds); /* only read */
    hash = w.failed ? 0 : XXH3_64bits(w.bytes, w.at);
    walk_bytes(&w, &hash, sizeof hash);
    if (w.failed) {
        free(w.bytes);
        return dataset_no_memory(ds, err);
    }
    *bytes = w.bytes;
    *len = w.at;
    return 0;
}

/* --- opening --- */

/* Of pictures of any length, each is looked for where this file has it. */
static int open_columns(struct dataset *ds, struct err *err) {
    for (int i = 0; i < ds->n_fields; i++) {
        struct column *c = &ds->column[i];

        if (h5_data_open_known(&c->data, ds->file, c->path, err))
            return -1;
        if (ds->field[i].kind != DATASET_ENCODED || !h5_data_info(c->data)->variable)
            continue;
        if (h5_data_info(c->data)->dim[0] != ds->field[i].rows)
            return err_set(err, ERR_DATA, "%s: has other rows", ds->name);
        if (dataset_find_blobs(ds, i, err))
            return -1;
    }
    return 0;
}

/* Read what is to be kept, and look whether it is what was kept before. */
static int fill(struct dataset *ds, enum dataset_alike *alike, struct err *err) {
    for (int i = 0; i < ds->n_fields; i++) {
        const struct column *c = &ds->column[i];

        if (!c->lent)
            continue;
        if (dataset_load(ds, i, err))
            return -1;
        if (XXH3_64bits(c->kept, (size_t)dataset_cached_bytes(ds, i)) != c->hash)
            *alike = DATASET_UNLIKE;
    }
    return 0;
}

/* Only labels need not be in the file any more. */
static void close_labels(struct dataset *ds) {
    for (int i = 0; i < ds->n_fields; i++)
        if (!dataset_cached_bytes(ds, i)) {
            h5_data_close(ds->column[i].data);
            ds->column[i].data = NULL;
        }
}

/* What has no place in the file is another file's; damage is found by dataset_open, which says it.
 */
static int compare(struct dataset *ds, enum dataset_alike *alike, struct err *err) {
    struct err other = {0};
    uint64_t witness = 0;

    *alike = DATASET_UNLIKE;
    const int rc = open_columns(ds, &other) || dataset_take_witness(ds, &witness, &other);
    if (rc && other.kind != ERR_DATA) {
        *err = other;
        return -1;
    }
    if (!rc && witness == ds->witness)
        *alike = DATASET_ALIKE;
    return 0;
}

static int open_leaf(struct dataset *ds, const struct dataset_memory *memory,
                     enum dataset_alike *alike, struct err *err) {
    bool filled;

    if (h5_files_open(memory->files, ds->path, &ds->file, err))
        return -1;
    ds->run = malloc(dataset_run_bytes(ds));
    if (!ds->run)
        return dataset_no_memory(ds, err);
    if (compare(ds, alike, err))
        return -1;
    if (*alike == DATASET_UNLIKE)
        return 0;
    close_labels(ds);
    if (!ds->kept)
        return 0;
    if (dataset_take_memory(ds, memory, &filled, err) || (!filled && fill(ds, alike, err)))
        return -1;
    dataset_close_file(ds);
    return 0;
}

static int open_parts(struct dataset *ds, const struct dataset_memory *memory,
                      enum dataset_alike *alike, struct err *err) {
    size_t run = 0;

    files_allow(ds->n_parts);
    for (int k = 0; k < ds->n_parts; k++) {
        if (open_leaf(ds->part[k].ds, memory, alike, err))
            return -1;
        if (*alike == DATASET_UNLIKE)
            return 0;
        const size_t bytes = dataset_drop_run(ds->part[k].ds);
        run = bytes > run ? bytes : run;
    }
    return dataset_share_memory(ds, run, err);
}

static int read_index(struct dataset *ds, const void *bytes, size_t len, struct err *err) {
    struct walk w = {.bytes = (unsigned char *)(uintptr_t)bytes}; /* only read */
    uint64_t hash;

    if (len < sizeof hash)
        return err_set(err, ERR_DATA, "the index of a dataset has only %zu bytes", len);
    w.len = len - sizeof hash;
    memcpy(&hash, w.bytes + w.len, sizeof hash);
    if (hash != XXH3_64bits(bytes, w.len))
        return err_set(err, ERR_DATA, "the index of a dataset is damaged");
    walk_dataset(&w, ds);
    return w.failed ? err_set(err, ERR_IO, "no memory for the index of a dataset") : 0;
}

int dataset_index_open(struct dataset **out, const void *bytes, size_t len,
                       const struct dataset_memory *memory, enum dataset_alike *alike,
                       struct err *err) {
    struct dataset *ds = calloc(1, sizeof *ds);
    int rc = ds ? 0 : err_set(err, ERR_IO, "no memory for the index of a dataset");

    *alike = DATASET_ALIKE;
    if (!rc)
        rc = read_index(ds, bytes, len, err);
    if (!rc)
        rc = ds->n_parts ? open_parts(ds, memory, alike, err) : open_leaf(ds, memory, alike, err);
    if (rc || *alike == DATASET_UNLIKE) {
        dataset_close(ds);
        return rc;
    }
    *out = ds;
    return 0;
}
