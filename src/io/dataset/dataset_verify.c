#include "io/dataset/dataset_verify.h"
#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_private.h"
#include "io/dataset/verify_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASS_BYTES = 4 << 20, HASH_TEXT = 24 };

/* Rows to read at a time of so many bytes each. */
static int64_t rows_of(int64_t row_bytes) {
    return row_bytes < PASS_BYTES ? PASS_BYTES / row_bytes : 1;
}

static void tell(const struct verify_progress *progress, int64_t rows) {
    if (progress && progress->add)
        progress->add(progress->context, rows);
}

/* What a pass over a field needs. */
struct verify_pass {
    struct dataset *ds;
    int field;
    int64_t *index; /* [most] */
    void *values;   /* [most, sample] of 4 bytes */
    int64_t *count; /* [classes] */
    int64_t most;
};

static int pass_init(struct verify_pass *p, struct dataset *ds, int field, struct err *err) {
    const int64_t len = dataset_sample_len(dataset_field(ds, field));

    *p = (struct verify_pass){.ds = ds, .field = field, .most = rows_of(len * 4)};
    p->index = malloc((size_t)p->most * sizeof *p->index);
    p->values = malloc((size_t)(p->most * len) * 4);
    p->count = calloc((size_t)dataset_field_classes(ds, field) + 1, sizeof *p->count);
    return p->index && p->values && p->count ? 0 : dataset_no_memory(ds, err);
}

static void pass_release(struct verify_pass *p) {
    free(p->index);
    free(p->values);
    free(p->count);
}

/* Rows first .. first + n - 1, which were read. */
static void look(struct verify_pass *p, int64_t first, int64_t n, struct verify_result *out) {
    const struct dataset_field *f = dataset_field(p->ds, p->field);
    const int64_t len = dataset_sample_len(f);
    const float *number = p->values;
    const int32_t *class = p->values;

    for (int64_t k = 0; f->kind == DATASET_CLASS && k < n * len; k++)
        if (class[k] >= 0)
            p->count[class[k]]++;
    for (int64_t k = 0; f->kind == DATASET_REALS && k < n * len; k++)
        if (!isfinite(number[k]) && !out->n++) {
            out->row = first + k / len;
            out->at = k % len;
            out->value = (double)number[k];
        }
}

/* Does the file say rightly how often each class occurs? */
static int check_counts(const struct verify_pass *p, struct err *err) {
    const int64_t *told = dataset_class_counts(p->ds, p->field);

    for (int k = 0; k < dataset_field_classes(p->ds, p->field); k++)
        if (told[k] != p->count[k])
            return err_set(err, ERR_DATA,
                           "%s: %s holds class %d %" PRId64
                           " times, but its attribute class_counts says %" PRId64,
                           dataset_name(p->ds), dataset_field_path(p->ds, p->field), k, p->count[k],
                           told[k]);
    return 0;
}

int verify_field(struct dataset *ds, int i, const struct verify_progress *progress,
                 struct verify_result *out, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    struct verify_pass p;
    int status = pass_init(&p, ds, i, err);

    *out = (struct verify_result){0};
    for (int64_t first = 0; !status && first < f->rows; first += p.most) {
        const int64_t n = f->rows - first < p.most ? f->rows - first : p.most;

        for (int64_t k = 0; k < n; k++)
            p.index[k] = first + k;
        status = dataset_read(ds, i, p.index, n, p.values, err);
        if (!status)
            look(&p, first, n, out);
        tell(progress, n);
    }
    if (!status && f->kind == DATASET_CLASS)
        status = check_counts(&p, err);
    pass_release(&p);
    return status;
}

/* XXH3 of all rows, each of which is compared, too. */
static int hash_rows(struct h5_data *data, const struct verify_progress *progress,
                     struct verify_rows *rows, struct content_hash *hash, struct err *err) {
    const int64_t bytes = rows->row_bytes, each = rows->hashes.each ? rows->hashes.each : 1;
    const int64_t some = rows_of(bytes ? bytes : 1), most = some < each ? each : some - some % each;
    void *values = malloc((size_t)(most * (bytes ? bytes : 1)));
    int status = values ? 0 : err_set(err, ERR_IO, "not enough memory to read rows");

    for (int64_t first = 0; !status && first < rows->rows; first += most) {
        const int64_t n = rows->rows - first < most ? rows->rows - first : most;

        status = h5_data_read_stored(data, first, n, values, err);
        if (!status) {
            content_hash_add(hash, values, (size_t)(n * bytes));
            verify_rows_add(rows, first, n, values);
        }
        tell(progress, n);
    }
    free(values);
    return status;
}

static int compare_rows(struct h5 *file, const char *path, struct h5_data *data,
                        const struct verify_progress *progress, uint64_t *found, struct err *err) {
    const struct h5_info *info = h5_data_info(data);
    struct content_hash *hash = content_hash_new();
    struct verify_rows rows = {0};
    int status = hash ? verify_rows_init(&rows, file, path, info->rank ? info->dim[0] : 1,
                                         h5_row_len(info) * info->item_bytes, err)
                      : err_set(err, ERR_IO, "%s: out of memory", h5_name(file));

    if (!status)
        status = hash_rows(data, progress, &rows, hash, err);
    if (!status) {
        *found = content_hash_value(hash);
        status = verify_rows_end(&rows, file, path, err) < 0 ? -1 : 0;
    }
    verify_rows_release(&rows);
    content_hash_free(hash);
    return status;
}

static int compute(struct h5 *file, const char *path, const struct verify_progress *progress,
                   uint64_t *hash, struct err *err) {
    struct h5_data *data;

    if (h5_data_open(&data, file, path, err))
        return -1;
    const int status = compare_rows(file, path, data, progress, hash, err);
    h5_data_close(data);
    return status;
}

int verify_hash_found(struct h5 *file, const char *path, uint64_t hash, struct err *err) {
    const int told = h5_attr_exists(file, path, CONTENT_HASH, err);
    char found[HASH_TEXT], *written;
    int status = 1;

    if (told <= 0)
        return told;
    if (h5_attr_text(file, path, CONTENT_HASH, &written, err))
        return -1;
    snprintf(found, sizeof found, "xxh3:%016" PRIx64, hash);
    if (strcmp(found, written) != 0)
        status = err_set(err, ERR_DATA,
                         "%s:%s: is not what was written: its content_hash is %.40s, but it holds "
                         "%s; take a copy that is sound, or delete the attribute if it was changed "
                         "on purpose",
                         h5_name(file), path, written, found);
    free(written);
    return status;
}

int verify_hash(struct h5 *file, const char *path, const struct verify_progress *progress,
                struct err *err) {
    const int told = h5_attr_exists(file, path, CONTENT_HASH, err);
    const int by_row = told < 0 ? -1 : row_hashes_exist(file, path, err);
    uint64_t hash;

    if (by_row < 0)
        return -1;
    if (!told && !by_row)
        return 0;
    if (compute(file, path, progress, &hash, err))
        return -1;
    return told ? verify_hash_found(file, path, hash, err) : 1;
}

int verify_rowless(struct h5 *file, const char *path, struct err *err) {
    const int by_row = row_hashes_exist(file, path, err);

    if (by_row)
        return by_row < 0 ? -1 : 0;
    return verify_hash(file, path, NULL, err);
}
