#include "io/weights/checkpoint.h"
#include "io/file/file.h"
#include "io/h5/h5.h"
#include "io/weights/checkpoint_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

struct checkpoint {
    char *file, *meta;
    struct checkpoint_tensor *t; /* [n] sorted by path; path and data owned */
    int n, room;
    bool wrong; /* it is whole, but not what the format says: err is set */
};

/* Compare the hash, with the digits out of the way: damage anywhere is found before HDF5 looks at
 * the file. */
static int verify(const char *file, char *bytes, size_t len, struct err *err) {
    char hash[CHECKPOINT_DIGITS + 1], damage[CHECKPOINT_DAMAGE];
    char found[CHECKPOINT_DIGITS] = {0}, *digits = checkpoint_digits(bytes, len);

    if (!digits && len)
        return err_set(err, ERR_DATA,
                       "%s: not a checkpoint, or one that is cut off: it has no checksum", file);
    if (digits) {
        memcpy(found, digits, CHECKPOINT_DIGITS);
        memset(digits, '0', CHECKPOINT_DIGITS);
        checkpoint_hash(bytes, len, hash);
        if (!memcmp(found, hash, CHECKPOINT_DIGITS))
            return 0;
    }
    checkpoint_damage(bytes, len, damage);
    return err_set(err, ERR_DATA, "%s: %s", file, damage);
}

static int no_memory(const struct checkpoint *ck, struct err *err) {
    return err_set(err, ERR_IO, "%s: not enough memory to read it", ck->file);
}

/* Whole and yet not as the format has it; somebody else's. */
static int is_wrong(struct checkpoint *ck) {
    ck->wrong = true;
    return -1;
}

/* After the checksum has matched, what HDF5 cannot do is no damage of the file. */
static int not_damaged(const struct checkpoint *ck, struct err *err) {
    const struct err inner = *err;

    if (ck->wrong || inner.kind != ERR_DATA)
        return -1;
    return err_set(err, ERR_IO,
                   "%s; the file is whole by its checksum: is there too little memory?", inner.msg);
}

/* Take over path and data. */
static int add(struct checkpoint *ck, char *path, const struct shape *shape, float *data,
               bool plain, struct err *err) {
    if (ck->n == ck->room) {
        const int room = ck->room ? 2 * ck->room : 64;
        struct checkpoint_tensor *t = realloc(ck->t, (size_t)room * sizeof *t);

        if (!t) {
            free(path);
            free(data);
            return no_memory(ck, err);
        }
        ck->t = t;
        ck->room = room;
    }
    ck->t[ck->n++] = (struct checkpoint_tensor){path, *shape, data, plain};
    return 0;
}

static int read_shape(struct checkpoint *ck, struct h5 *file, const char *path, struct shape *shape,
                      struct err *err) {
    const struct h5_info *info;
    struct h5_data *data;
    int status = 0;

    if (h5_data_open(&data, file, path, err))
        return -1;
    info = h5_data_info(data);
    *shape = (struct shape){info->rank, {0}};
    if (info->class != H5_CLASS_FLOAT || info->rank < 1 || info->rank > SHAPE_MAX_RANK) {
        err_set(err, ERR_DATA, "%s:%s: expected a float tensor of 1 to %d dimensions",
                h5_name(file), path, SHAPE_MAX_RANK);
        status = is_wrong(ck);
    }
    for (int i = 0; !status && i < info->rank; i++)
        shape->dim[i] = info->dim[i];
    h5_data_close(data);
    return status;
}

/* Takes over path. */
static int read_tensor(struct checkpoint *ck, struct h5 *file, char *path, struct err *err) {
    struct shape shape;
    float *data = NULL;

    if (read_shape(ck, file, path, &shape, err)) {
        free(path);
        return -1;
    }
    const int64_t len = shape_len(&shape);
    data = malloc((size_t)(len ? len : 1) * sizeof *data);
    if (data ? h5_read(file, path, H5_TYPE_F32, len, data, err) : no_memory(ck, err)) {
        free(data);
        free(path);
        return -1;
    }
    const int plain = h5_attr_exists(file, path, "plain", err);
    if (plain < 0) {
        free(data);
        free(path);
        return -1;
    }
    return add(ck, path, &shape, data, plain, err);
}

static int read_group(struct checkpoint *ck, struct h5 *file, const char *group, int depth,
                      struct err *err) {
    struct h5_list list = {0};
    int status = 0;

    if (depth > MAX_DEPTH) {
        err_set(err, ERR_DATA, "%s:%s: groups are nested too deeply", ck->file, group);
        return is_wrong(ck);
    }
    if (h5_list(file, group, &list, err))
        return -1;
    for (int i = 0; i < list.n && !status; i++) {
        char *path = file_text("%s/%s", group[1] ? group : "", list.entry[i].name);

        if (!path)
            status = no_memory(ck, err);
        else if (list.entry[i].group)
            status = read_group(ck, file, path, depth + 1, err);
        else if (strcmp(path, "/meta")) {
            status = read_tensor(ck, file, path, err);
            continue; /* which has taken path over */
        }
        free(path);
    }
    h5_list_release(&list);
    return status;
}

static int read_meta(struct checkpoint *ck, struct h5 *file, struct err *err) {
    struct h5_data *data;
    int64_t version, len = 0;

    if (h5_attr_int(file, "/", "dltrain_checkpoint", &version, err))
        return -1;
    if (version != CHECKPOINT_VERSION) {
        err_set(err, ERR_DATA, "%s: is of version %" PRId64 ", expected %d", ck->file, version,
                CHECKPOINT_VERSION);
        return is_wrong(ck);
    }
    if (h5_data_open(&data, file, "/meta", err))
        return -1;
    if (h5_data_info(data)->rank == 1)
        len = h5_data_info(data)->dim[0];
    h5_data_close(data);
    if (!(ck->meta = calloc(1, (size_t)len + 1)))
        return no_memory(ck, err);
    return h5_read(file, "/meta", H5_TYPE_U8, len, ck->meta, err);
}

static int by_path(const void *a, const void *b) {
    const struct checkpoint_tensor *x = a, *y = b;

    return strcmp(x->path, y->path);
}

int checkpoint_open(struct checkpoint **out, const char *file, struct err *err) {
    struct checkpoint *ck = calloc(1, sizeof *ck);
    struct h5 *h5 = NULL;
    char *bytes = NULL;
    size_t len = 0;
    int status;

    if (!ck || !(ck->file = file_text("%s", file))) {
        checkpoint_close(ck);
        return err_set(err, ERR_IO, "%s: not enough memory to read it", file);
    }
    status = file_read(file, &bytes, &len, err) || verify(file, bytes, len, err);
    if (!status && (h5_open_image(&h5, bytes, len, file, err) || read_meta(ck, h5, err) ||
                    read_group(ck, h5, "/", 0, err)))
        status = not_damaged(ck, err);
    free(bytes);
    h5_close(h5);
    if (status) {
        checkpoint_close(ck);
        return -1;
    }
    if (ck->n)
        qsort(ck->t, (size_t)ck->n, sizeof *ck->t, by_path);
    *out = ck;
    return 0;
}

const char *checkpoint_meta(const struct checkpoint *ck) {
    return ck->meta;
}

const struct checkpoint_tensor *checkpoint_tensors(const struct checkpoint *ck, int *n) {
    *n = ck->n;
    return ck->t;
}

const struct checkpoint_tensor *checkpoint_find(const struct checkpoint *ck, const char *path) {
    const struct checkpoint_tensor key = {.path = path};

    return ck->n ? bsearch(&key, ck->t, (size_t)ck->n, sizeof *ck->t, by_path) : NULL;
}

int checkpoint_read(const struct checkpoint *ck, const char *path, const struct shape *shape,
                    float *out, struct err *err) {
    const struct checkpoint_tensor *t = checkpoint_find(ck, path);
    char found[SHAPE_TEXT], expected[SHAPE_TEXT];

    if (!t)
        return err_set(err, ERR_DATA, "%s: there is no tensor %s", ck->file, path);
    if (!shape_equal(&t->shape, shape))
        return err_set(err, ERR_DATA, "%s: tensor %s is %s, expected %s", ck->file, path,
                       shape_text(&t->shape, found), shape_text(shape, expected));
    memcpy(out, t->data, (size_t)shape_len(shape) * sizeof *out);
    return 0;
}

void checkpoint_close(struct checkpoint *ck) {
    if (!ck)
        return;
    for (int i = 0; i < ck->n; i++) {
        free((void *)ck->t[i].path);
        free((void *)ck->t[i].data);
    }
    free(ck->t);
    free(ck->meta);
    free(ck->file);
    free(ck);
}
