/* Is a file what another process says of it? A hash of what it says of itself, which is in its
 * first blocks, of all labels, and of some rows. */
#include "io/dataset/dataset_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    PROBES = 64, /* of a file; of parts together, but at least two of each */
    LEAST_PROBES = 2,
    PROBE_BYTES = 4 << 10, /* rather several rows than a few bytes */
    RUN_BYTES = 1 << 20,
};

/* Whatever an attribute of a dataset, a group or a file can mean to this program. */
static const char *const attributes[] = {"dltrain_dataset", "classes",      "mean",     "std",
                                         "class_counts",    "content_hash", "unpaired", "kind",
                                         "layout",          "encoding",     "channels"};

static int hash_attribute(struct h5 *file, const char *object, const char *name,
                          XXH3_state_t *state, struct err *err) {
    struct err other = {0};
    const int there = h5_attr_exists(file, object, name, err);
    double *number;
    char **text;
    int n;

    XXH3_64bits_update(state, &there, sizeof there);
    if (there <= 0)
        return there;
    if (!h5_attr_texts(file, object, name, &text, &n, &other)) {
        for (int k = 0; k < n; k++)
            XXH3_64bits_update(state, text[k], strlen(text[k]) + 1);
        h5_texts_free(text, n);
        return 0;
    }
    if (h5_attr_reals(file, object, name, &number, &n, &other)) /* neither: nobody reads it */
        return 0;
    XXH3_64bits_update(state, number, (size_t)n * sizeof *number);
    free(number);
    return 0;
}

static int hash_attributes(struct h5 *file, const char *object, XXH3_state_t *state,
                           struct err *err) {
    for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
        if (hash_attribute(file, object, attributes[k], state, err))
            return -1;
    return 0;
}

static void hash_info(const struct h5_info *info, XXH3_state_t *state) {
    const int64_t head[] = {info->rank,       info->class,     info->truth,  info->named,
                            info->item_bytes, info->n_filters, info->chunked};

    XXH3_64bits_update(state, head, sizeof head);
    XXH3_64bits_update(state, info->dim, (size_t)info->rank * sizeof *info->dim);
}

static int64_t n_probes(const struct dataset *ds) {
    const int share = PROBES / ds->n_alike;

    return share > LEAST_PROBES ? share : LEAST_PROBES;
}

/* Rows first .. first + n - 1 as they are stored, a run at a time. */
static int hash_rows(struct h5_data *data, int64_t first, int64_t n, void *room, int64_t most,
                     XXH3_state_t *state, struct err *err) {
    const struct h5_info *info = h5_data_info(data);
    const size_t row = (size_t)h5_row_len(info) * (size_t)info->item_bytes;

    for (int64_t end = first + n; first < end; first += most) {
        const int64_t rows = end - first < most ? end - first : most;

        if (h5_data_read_stored(data, first, rows, room, err))
            return -1;
        XXH3_64bits_update(state, room, (size_t)rows * row);
    }
    return 0;
}

/* Rows from the first to the last, equally far apart, so many at a time; or all. */
static int hash_some(const struct dataset *ds, struct h5_data *data, bool all, XXH3_state_t *state,
                     struct err *err) {
    const struct h5_info *info = h5_data_info(data);
    const int64_t row = h5_row_len(info) * info->item_bytes, rows = info->dim[0];
    const int64_t bytes = all ? RUN_BYTES : PROBE_BYTES, each = row < bytes ? bytes / row : 1;
    const int64_t n = n_probes(ds);
    void *room = malloc((size_t)(each * row));
    int rc = room ? 0 : dataset_no_memory(ds, err);

    if (!rc && (all || rows <= n * each))
        rc = hash_rows(data, 0, rows, room, each, state, err);
    else
        for (int64_t k = 0; k < n && !rc; k++)
            rc = hash_rows(data, k * (rows - each) / (n - 1), each, room, each, state, err);
    free(room);
    return rc;
}

/* Where pictures begin that lie end to end. */
static int hash_offsets(const struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    struct h5_data *data = NULL;
    char path[LAYOUT_PATH + 16];

    snprintf(path, sizeof path, "%s_offsets", ds->column[i].path);
    if (h5_exists(ds->file, path, err) <= 0) /* they are of one length */
        return err->msg[0] ? -1 : 0;
    if (h5_data_open_known(&data, ds->file, path, err))
        return -1;
    hash_info(h5_data_info(data), state);
    const int rc = hash_some(ds, data, true, state, err);
    h5_data_close(data);
    return rc;
}

/* Where all pictures are, and some of them. */
static int hash_pictures(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, n = n_probes(ds) < rows ? n_probes(ds) : rows;
    struct dataset_buffer buffer = {0};
    struct dataset_blob picture;
    int rc = 0;

    if (c->blob)
        XXH3_64bits_update(state, c->blob, (size_t)rows * sizeof *c->blob);
    else
        rc = hash_offsets(ds, i, state, err);
    for (int64_t k = 0; k < n && !rc; k++) {
        const int64_t row = n > 1 ? k * (rows - 1) / (n - 1) : 0;

        rc = dataset_read_encoded(ds, i, &row, 1, &picture, &buffer, err);
        if (!rc)
            XXH3_64bits_update(state, picture.bytes, picture.len);
    }
    dataset_buffer_release(&buffer);
    return rc;
}

static int hash_values(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    const struct dataset_field *f = &ds->field[i];

    if (f->kind == DATASET_ENCODED)
        return hash_pictures(ds, i, state, err);
    return hash_some(ds, ds->column[i].data, f->kind == DATASET_CLASS && !f->sample.rank, state,
                     err);
}

static int hash_field(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    XXH3_64bits_update(state, ds->column[i].path, strlen(ds->column[i].path) + 1);
    hash_info(h5_data_info(ds->column[i].data), state);
    return hash_attributes(ds->file, ds->column[i].path, state, err) ||
                   hash_values(ds, i, state, err)
               ? -1
               : 0;
}

int dataset_take_witness(struct dataset *ds, uint64_t *out, struct err *err) {
    XXH3_state_t *state = XXH3_createState();
    int rc = state ? 0 : dataset_no_memory(ds, err);

    if (rc)
        return -1;
    XXH3_64bits_reset(state);
    if (hash_attributes(ds->file, "/", state, err) ||
        hash_attributes(ds->file, ds->group, state, err))
        rc = -1;
    for (int i = 0; i < ds->n_fields && !rc; i++)
        rc = hash_field(ds, i, state, err);
    *out = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return rc;
}
