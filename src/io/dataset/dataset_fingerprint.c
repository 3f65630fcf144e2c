/* What tells one dataset from another: a hash of everything that training sees of it. */
#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PROBES = 64, LEAST_PROBES = 2 };

/* Name, shape, type, classes and their counts, statistics. */
static void hash_head(const struct dataset *ds, int i, XXH3_state_t *state) {
    const struct dataset_field *f = &ds->field[i];
    const struct column *c = &ds->column[i];
    const int64_t head[] = {f->sample.rank, f->kind,     f->image,       c->type,
                            c->n_classes,   f->unpaired, c->mean != NULL};
    const size_t channels = c->mean ? (size_t)shape_channels(&f->sample) : 0;

    XXH3_64bits_update(state, f->name, strlen(f->name) + 1);
    XXH3_64bits_update(state, head, sizeof head);
    XXH3_64bits_update(state, &f->rows, sizeof f->rows);
    XXH3_64bits_update(state, f->sample.dim, sizeof f->sample.dim);
    for (int k = 0; k < c->n_classes; k++)
        XXH3_64bits_update(state, c->class_name[k], strlen(c->class_name[k]) + 1);
    if (c->counts)
        XXH3_64bits_update(state, c->counts, (size_t)c->n_classes * sizeof *c->counts);
    if (channels) {
        XXH3_64bits_update(state, c->mean, channels * sizeof *c->mean);
        XXH3_64bits_update(state, c->std, channels * sizeof *c->std);
    }
    if (c->offset)
        XXH3_64bits_update(state, c->offset, (size_t)(f->rows + 1) * sizeof *c->offset);
}

/* "xxh3:0123456789abcdef" of the field's dataset; *found: there is one. */
static int read_content_hash(const struct dataset *ds, int i, bool *found, uint64_t *hash,
                             struct err *err) {
    const char *path = ds->column[i].path;
    char *text;
    int end = 0, status = 0;

    const int exists = h5_attr_exists(ds->file, path, CONTENT_HASH, err);
    *found = exists > 0;
    if (exists <= 0)
        return exists;
    if (h5_attr_text(ds->file, path, CONTENT_HASH, &text, err))
        return -1;
    if (sscanf(text, "xxh3:%16" SCNx64 "%n", hash, &end) != 1 || end != 21 || text[end])
        status = err_set(err, ERR_DATA,
                         "%s: attribute content_hash of %s is '%.40s', expected xxh3: and 16 "
                         "hexadecimal digits",
                         ds->name, path, text);
    free(text);
    return status;
}

/* Memory for a row. */
struct probe {
    unsigned char *plain; /* one row of numbers */
    struct dataset_buffer encoded;
};

static int probe_read(struct probe *p, struct dataset *ds, int i, int64_t row,
                      struct dataset_blob *out, struct err *err) {
    const size_t bytes = dataset_out_bytes(&ds->field[i]);

    if (ds->field[i].kind == DATASET_ENCODED)
        return dataset_read_encoded(ds, i, &row, 1, out, &p->encoded, err);
    if (!p->plain && !(p->plain = malloc(bytes)))
        return dataset_no_memory(ds, err);
    *out = (struct dataset_blob){p->plain, bytes};
    return dataset_read(ds, i, &row, 1, p->plain, err);
}

static void probe_release(struct probe *p) {
    free(p->plain);
    dataset_buffer_release(&p->encoded);
}

int dataset_row_hash(struct dataset *ds, int i, int64_t row, uint64_t *hash, struct err *err) {
    struct probe probe = {0};
    struct dataset_blob blob;
    const int status = probe_read(&probe, ds, i, row, &blob, err);

    if (!status)
        *hash = XXH3_64bits(blob.bytes, blob.len);
    probe_release(&probe);
    return status;
}

/* Rows from the first to the last, equally far apart. */
static int hash_probes(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    const int share = PROBES / ds->n_alike;
    int64_t n = share > LEAST_PROBES ? share : LEAST_PROBES;
    struct probe probe = {0};
    struct dataset_blob blob;
    int status = 0;

    n = n < f->rows ? n : f->rows;
    for (int64_t k = 0; k < n && !status; k++) {
        status = probe_read(&probe, ds, i, n > 1 ? k * (f->rows - 1) / (n - 1) : 0, &blob, err);
        if (!status)
            XXH3_64bits_update(state, blob.bytes, blob.len);
    }
    probe_release(&probe);
    return status;
}

/* The values of one field. In memory they are as an importer stores them, so that their hash is the
 * one that it notes in content_hash. */
static int hash_values(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    struct column *c = &ds->column[i];
    uint64_t hash = 0;
    bool found = false;

    if (c->kept)
        hash = c->hash = XXH3_64bits(c->kept, (size_t)dataset_field_bytes(ds, i));
    else if (read_content_hash(ds, i, &found, &hash, err))
        return -1;
    if (!c->kept && !found)
        ds->hashed = HASHED_ROWS;
    else if (!c->kept && ds->hashed == HASHED_ALL)
        ds->hashed = HASHED_BEFORE;
    XXH3_64bits_update(state, &hash, sizeof hash);
    return hash_probes(ds, i, state, err);
}

int dataset_take_fingerprint(struct dataset *ds, struct err *err) {
    XXH3_state_t *state = XXH3_createState();
    int status = state ? 0 : dataset_no_memory(ds, err);

    if (status)
        return -1;
    XXH3_64bits_reset(state);
    ds->hashed = HASHED_ALL;
    for (int i = 0; i < ds->n_fields && !ds->n_parts && !status; i++) {
        hash_head(ds, i, state);
        status = hash_values(ds, i, state, err);
    }
    for (int k = 0; k < ds->n_parts; k++)
        XXH3_64bits_update(state, &ds->part[k].ds->fingerprint, sizeof ds->fingerprint);
    ds->fingerprint = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return status;
}
