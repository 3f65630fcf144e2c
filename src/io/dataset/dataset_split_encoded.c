#include "io/dataset/dataset_split_encoded.h"

#include "io/dataset/content_hash.h"
#include "io/dataset/encoded_scan.h"
#include "io/dataset/row_hash.h"
#include "io/h5/h5_copy.h"
#include "io/h5/h5_raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 256, CHUNK_BYTES = 1 << 20, NAME_TEXT = 1024, BESIDE_PATH = LAYOUT_PATH + 16 };

/* The pictures of one group, on their way. */
struct encoded_piece {
    struct h5_data *data;
    struct content_hash *hash;
    struct row_hash *rows;
    int64_t *offset; /* [n + 1] */
    int64_t n;
};

static int no_memory(const struct encoded_cut *cut, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", dataset_name(cut->ds));
}

static int64_t count(const struct encoded_cut *cut, int g) {
    const int64_t rows = dataset_field(cut->ds, cut->field)->rows;
    int64_t n = 0;

    for (int64_t k = 0; k < rows; k++)
        n += cut->group[k] == g;
    return n;
}

static int open_pieces(const struct encoded_cut *cut, struct encoded_piece *piece,
                       struct err *err) {
    for (int g = 0; g < cut->n_groups; g++) {
        struct encoded_piece *p = &piece[g];

        p->hash = content_hash_new();
        p->rows = row_hash_new(0);
        p->offset = calloc((size_t)count(cut, g) + 1, sizeof *p->offset);
        if (!p->hash || !p->rows || !p->offset)
            return no_memory(cut, err);
        if (h5_data_create(&p->data, cut->to, cut->path[g], H5_TYPE_U8, 1, NULL, CHUNK_BYTES, err))
            return -1;
    }
    return 0;
}

static int add(const struct encoded_cut *cut, struct encoded_piece *p,
               const struct dataset_blob *blob, struct err *err) {
    const int64_t len = (int64_t)blob->len;

    if (row_hash_add_one(p->rows, blob->bytes, blob->len))
        return no_memory(cut, err);
    content_hash_add(p->hash, blob->bytes, blob->len);
    p->offset[p->n + 1] = p->offset[p->n] + len;
    p->n++;
    return h5_data_append(p->data, len, blob->bytes, err);
}

static int copy_pictures(const struct encoded_cut *cut, struct encoded_piece *piece,
                         struct err *err) {
    const int64_t rows = dataset_field(cut->ds, cut->field)->rows;
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob[BATCH_ROWS];
    int64_t row[BATCH_ROWS];
    int status = 0;

    for (int64_t first = 0; first < rows && !status; first += BATCH_ROWS) {
        const int64_t n = rows - first < BATCH_ROWS ? rows - first : BATCH_ROWS;

        for (int64_t k = 0; k < n; k++)
            row[k] = first + k;
        status = dataset_read_encoded(cut->ds, cut->field, row, n, blob, &buffer, err);
        for (int64_t k = 0; k < n && !status; k++)
            status = add(cut, &piece[cut->group[first + k]], &blob[k], err);
        cut->progress(cut->context, n);
    }
    dataset_buffer_release(&buffer);
    return status;
}

/* The longest name. */
static int find_width(struct h5_data *names, int64_t rows, int *width, struct err *err) {
    char text[NAME_TEXT];

    *width = 1;
    for (int64_t k = 0; k < rows; k++) {
        if (h5_text_read(names, k, text, sizeof text, err))
            return -1;
        const int len = (int)strlen(text);
        *width = len > *width ? len : *width;
    }
    return 0;
}

/* The names of group g, [n][width]. */
static int write_names(const struct encoded_cut *cut, struct h5_data *names, int g, int64_t n,
                       int width, struct err *err) {
    const int64_t rows = dataset_field(cut->ds, cut->field)->rows;
    char path[BESIDE_PATH], text[NAME_TEXT];
    char *all = calloc((size_t)n + 1, (size_t)width);
    int status = all ? 0 : no_memory(cut, err);

    for (int64_t k = 0, at = 0; k < rows && !status; k++) {
        if (cut->group[k] != g)
            continue;
        status = h5_text_read(names, k, text, sizeof text, err);
        if (!status)
            memcpy(all + at++ * width, text, strlen(text));
    }
    snprintf(path, sizeof path, "%s_names", cut->path[g]);
    if (!status)
        status = h5_write_texts(cut->to, path, width, n, all, err);
    free(all);
    return status;
}

static int copy_names(const struct encoded_cut *cut, const struct encoded_piece *piece,
                      struct err *err) {
    struct h5_data *names = NULL;
    int width;

    if (!*cut->at->names)
        return 0;
    if (h5_data_open(&names, cut->from, cut->at->names, err))
        return -1;
    int status = find_width(names, dataset_field(cut->ds, cut->field)->rows, &width, err);
    for (int g = 0; g < cut->n_groups && !status; g++)
        status = write_names(cut, names, g, piece[g].n, width, err);
    h5_data_close(names);
    return status;
}

static int finish(const struct encoded_cut *cut, struct encoded_piece *p, int g, struct err *err) {
    static const char *const written_anew[] = {CONTENT_HASH, "encoding", "channels", NULL};
    const int64_t n = p->n + 1, channels = dataset_field(cut->ds, cut->field)->sample.dim[2];
    const char *path = cut->path[g];
    char offsets[BESIDE_PATH];

    snprintf(offsets, sizeof offsets, "%s_offsets", path);
    return h5_copy_attrs(cut->from, cut->at->path, cut->to, path, written_anew, err) ||
                   h5_attr_write_text(cut->to, path, "encoding", "files", err) ||
                   h5_attr_write_int(cut->to, path, "channels", channels, err) ||
                   content_hash_write(p->hash, cut->to, path, err) ||
                   row_hash_write(p->rows, cut->to, path, err) ||
                   h5_write(cut->to, offsets, H5_TYPE_I64, 1, &n, p->offset, err)
               ? -1
               : 0;
}

int dataset_split_encoded(const struct encoded_cut *cut, struct err *err) {
    struct encoded_piece *piece = calloc((size_t)cut->n_groups, sizeof *piece);
    int status = piece ? open_pieces(cut, piece, err) : no_memory(cut, err);

    if (!status)
        status = copy_pictures(cut, piece, err);
    for (int g = 0; g < cut->n_groups && !status; g++)
        status = finish(cut, &piece[g], g, err);
    if (!status)
        status = copy_names(cut, piece, err);
    for (int g = 0; piece && g < cut->n_groups; g++) {
        h5_data_close(piece[g].data);
        content_hash_free(piece[g].hash);
        row_hash_free(piece[g].rows);
        free(piece[g].offset);
    }
    free(piece);
    return status;
}
