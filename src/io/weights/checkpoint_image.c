/* checkpoint_image.c - a checkpoint as it is going to be on the disk. */
#include "io/file/file.h"
#include "io/file/kept.h"
#include "io/h5/h5.h"
#include "io/weights/checkpoint.h"
#include "io/weights/checkpoint_private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checkpoint_image {
    struct h5 *h5; /* whose bytes they are */
    unsigned char *bytes;
    size_t len;
};

/* A dataset, and where its bytes go. */
struct image_part {
    const char *path;
    enum h5_type type;
    struct shape shape;
    const void *data; /* [bytes] */
    size_t bytes;
    int64_t place;
};

static int no_memory(const char *file, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: not enough memory", file);
}

/* Create the groups that a dataset's path names. */
static int make_groups(struct h5 *file, const char *path, struct err *err) {
    char *part = file_text("%s", path);
    int status = part ? 0 : no_memory(h5_name(file), err);

    for (char *at = part ? strchr(part + 1, '/') : NULL; at && !status; at = strchr(at + 1, '/')) {
        *at = 0;
        const int there = h5_exists(file, part, err);

        if (there <= 0)
            status = there ? -1 : h5_group_create(file, part, err);
        *at = '/';
    }
    free(part);
    return status;
}

/* Say of a dataset what its bytes are, and where. */
static int add_record(struct h5 *file, const struct image_part *p, struct err *err) {
    char hash[CHECKPOINT_DIGITS + 1];

    checkpoint_hash(p->data, p->bytes, hash);
    json_t *record =
        json_pack("{s:s, s:I, s:I, s:s}", "xxh3_64", hash, "place", (json_int_t)p->place, "bytes",
                  (json_int_t)p->bytes, "path", p->path);
    char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
    const int status = text ? h5_attr_write_text(file, p->path, "saved", text, err)
                            : no_memory(h5_name(file), err);
    free(text);
    json_decref(record);
    return status;
}

static int add_part(struct h5 *file, struct image_part *p, struct err *err) {
    return make_groups(file, p->path, err) ||
                   h5_reserve(file, p->path, p->type, p->shape.rank, p->shape.dim, &p->place,
                              err) ||
                   add_record(file, p, err)
               ? -1
               : 0;
}

static struct image_part part_of(const struct checkpoint_tensor *t) {
    return (struct image_part){
        t->path, H5_TYPE_F32, t->shape, t->data, (size_t)shape_len(&t->shape) * sizeof *t->data, 0};
}

/* Everything but the numbers, for which part[n + 1] says the places. */
static int fill(struct h5 *file, const struct checkpoint_tensor *t, int n, const char *meta,
                struct image_part *part, struct err *err) {
    char text[sizeof CHECKPOINT_MARK + CHECKPOINT_DIGITS];
    const size_t meta_len = strlen(meta);

    snprintf(text, sizeof text, "%s%0*d", CHECKPOINT_MARK, CHECKPOINT_DIGITS, 0);
    part[0] = (struct image_part){"/meta", H5_TYPE_U8, {1, {(int64_t)meta_len}}, meta, meta_len, 0};
    if (h5_attr_write_int(file, "/", "dltrain_checkpoint", CHECKPOINT_VERSION, err) ||
        h5_attr_write_text(file, "/", "xxh3_64", text, err) || add_part(file, &part[0], err))
        return -1;
    for (int i = 0; i < n; i++) {
        part[i + 1] = part_of(&t[i]);
        if (add_part(file, &part[i + 1], err) ||
            (t[i].plain && h5_attr_write_int(file, t[i].path, "plain", 1, err)))
            return -1;
    }
    return 0;
}

/* The numbers, and last the hash of all. */
static int complete(struct checkpoint_image *image, const char *file, const struct image_part *part,
                    int n, struct err *err) {
    char hash[CHECKPOINT_DIGITS + 1];
    char *digits;

    for (int i = 0; i < n; i++)
        memcpy(image->bytes + part[i].place, part[i].data, part[i].bytes);
    if (!(digits = checkpoint_digits((char *)image->bytes, image->len)))
        return err_set(err, ERR_IO, "%s: HDF5 does not store the checksum as text", file);
    checkpoint_hash(image->bytes, image->len, hash);
    memcpy(digits, hash, CHECKPOINT_DIGITS);
    return 0;
}

int checkpoint_image_new(struct checkpoint_image **out, const char *file,
                         const struct checkpoint_tensor *t, int n, const char *meta,
                         struct err *err) {
    struct checkpoint_image *image = calloc(1, sizeof *image);
    struct image_part *part = calloc((size_t)n + 1, sizeof *part);
    int status;

    if (!image || !part)
        status = no_memory(file, err);
    else
        status = h5_create_memory(&image->h5, file, err) ||
                 fill(image->h5, t, n, meta, part, err) ||
                 h5_image(image->h5, &image->bytes, &image->len, err) ||
                 complete(image, file, part, n + 1, err);
    free(part);
    if (status) {
        checkpoint_image_free(image);
        return -1;
    }
    *out = image;
    return 0;
}

int checkpoint_image_write(const struct checkpoint_image *image, const char *file, int keep,
                           const struct lock *lock, struct err *err) {
    return kept_replace(file, image->bytes, image->len, keep, lock, err);
}

void checkpoint_image_free(struct checkpoint_image *image) {
    if (!image)
        return;
    h5_close(image->h5);
    free(image);
}

int checkpoint_write(const char *file, const struct checkpoint_tensor *t, int n, const char *meta,
                     struct err *err) {
    struct checkpoint_image *image = NULL;
    const int status = checkpoint_image_new(&image, file, t, n, meta, err) ||
                       checkpoint_image_write(image, file, 1, NULL, err);

    checkpoint_image_free(image);
    return status ? -1 : 0;
}
