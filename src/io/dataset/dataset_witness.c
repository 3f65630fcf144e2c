/* Is a file what another process says of it? A hash of what it says of itself, which is in its
 * first blocks, of all labels, and of some rows. */
#include "io/dataset/dataset_private.h"

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

/* All labels; of other fields rows from the first to the last, equally far apart. */
static int hash_values(struct dataset *ds, int i, XXH3_state_t *state, struct err *err) {
    struct h5_data *data = ds->column[i].data;
    const struct h5_info *info = h5_data_info(data);
    const int64_t row = h5_row_len(info) * info->item_bytes, rows = info->dim[0];
    const bool all = ds->field[i].kind == DATASET_CLASS && !ds->field[i].sample.rank;
    const int64_t bytes = all ? RUN_BYTES : PROBE_BYTES, each = row < bytes ? bytes / row : 1;
    const int64_t share = PROBES / ds->n_alike > LEAST_PROBES ? PROBES / ds->n_alike : LEAST_PROBES;
    void *room = malloc((size_t)(each * row));
    int rc = room ? 0 : dataset_no_memory(ds, err);

    if (!rc && (all || rows <= share * each))
        rc = hash_rows(data, 0, rows, room, each, state, err);
    else
        for (int64_t k = 0; k < share && !rc; k++)
            rc = hash_rows(data, k * (rows - each) / (share - 1), each, room, each, state, err);
    free(room);
    return rc;
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
