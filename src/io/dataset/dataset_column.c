/* What is known of a field by its name and its attributes, and what it must hold. */
#include "io/dataset/dataset_kind.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MOST_SAMPLE = INT32_MAX / 8,
    SAMPLE_RANK = SHAPE_MAX_RANK - 1,
};

struct attr_homes dataset_attr_homes(const struct dataset_layout *at, int field, bool shared) {
    return (struct attr_homes){{at->field[field].path, at->group, "/"}, shared ? 3 : 1};
}

int dataset_attr(const struct dataset *ds, const struct attr_homes *homes, const char *name,
                 const char **home, struct err *err) {
    *home = NULL;
    for (int i = 0; i < homes->n && !*home; i++) {
        const int found = h5_attr_exists(ds->file, homes->path[i], name, err);

        if (found < 0)
            return -1;
        *home = found ? homes->path[i] : NULL;
    }
    return 0;
}

/* Before anything is read: is there something, of a size that can be? */
static int check_size(const struct dataset *ds, const struct found *f, struct err *err) {
    char text[FOUND_TEXT];

    if (f->at->rows == 0)
        return err_set(err, ERR_DATA, "%s: %s is empty, expected at least one %s", ds->name,
                       f->at->path, f->is_image ? "image" : "row");
    if (h5_row_len(f->info) <= 0 || h5_row_len(f->info) > MOST_SAMPLE)
        return err_set(err, ERR_DATA, "%s: %s is %s, expected 1 to %d numbers in a sample",
                       ds->name, f->at->path, dataset_found_text(f, text), MOST_SAMPLE);
    return 0;
}

/* A file may claim rows that it does not hold; they would read as zeros. */
int dataset_check_stored(const struct dataset *ds, const char *path, const struct h5_info *info,
                         struct err *err) {
    const int64_t bytes = info->dim[0] * h5_row_len(info) * info->item_bytes;
    const int64_t least = info->most_ratio > 0 ? bytes / info->most_ratio : bytes;

    if (info->stored_bytes >= least)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %s claims %lld bytes but stores %lld; it was not written completely",
                   ds->name, path, (long long)bytes, (long long)info->stored_bytes);
}

/* Words of names that say that integers are classes, of samples or pixels. */
static bool is_class_word(const char *word, size_t len) {
    static const char *const words[] = {
        "mask", "masks",        "label",         "labels",      "target", "targets",
        "seg",  "segmentation", "annotation",    "annotations", "gt",     "truth",
        "segs", "groundtruth",  "segmentations", "labelmap"};

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == len && strncasecmp(word, words[k], len) == 0)
            return true;
    return (len > 4 && strncasecmp(word + len - 4, "mask", 4) == 0) ||
           (len > 5 && strncasecmp(word + len - 5, "masks", 5) == 0);
}

/* Does one of the words of a name, between _ and digits, say classes? tumor_mask2, lungMask; y. */
static bool says_class(const char *name) {
    if (strcasecmp(name, "y") == 0)
        return true;
    for (size_t len; *name; name += len + (name[len] != 0)) {
        len = strcspn(name, "_0123456789");
        if (is_class_word(name, len))
            return true;
    }
    return false;
}

static bool says_label(const char *path) {
    const char *name = strrchr(path, '/') + 1;

    return strstr(name, "label") || strstr(name, "Label");
}

/* How the rows are read and kept, once it is known what they are. */
static void plan_reading(struct dataset *ds, int i, const struct found *f) {
    const struct dataset_field *field = &ds->field[i];
    struct column *c = &ds->column[i];

    c->type = field->kind == DATASET_REALS                                       ? H5_TYPE_F32
              : field->kind == DATASET_BYTES || (f->bytes && field->sample.rank) ? H5_TYPE_U8
                                                                                 : H5_TYPE_I32;
    c->row_bytes = (size_t)dataset_sample_len(field) * (c->type == H5_TYPE_U8 ? 1 : 4);
}

/* By the attribute kind, and by what is known without it. */
static int init(struct dataset *ds, int i, const struct dataset_layout *at, struct found *f,
                struct err *err) {
    const struct h5_info *info = f->info;
    const int told = h5_attr_exists(ds->file, f->at->path, "kind", err);

    if (told < 0 || (told && h5_attr_text(ds->file, f->at->path, "kind", &f->kind, err)))
        return -1;
    if (!f->whole && info->class != H5_CLASS_FLOAT)
        return dataset_refuse(ds, f, err, "%s",
                              f->is_label ? ", expected class numbers; np.unique(y, "
                                            "return_inverse=True) gives the classes and their "
                                            "numbers"
                              : strcmp(f->at->name, "image") == 0
                                  ? ", expected numbers, or files of pictures as uint8 of any "
                                    "length: dtype=h5py.vlen_dtype('uint8')"
                                  : ", expected numbers");
    if (info->rank > SAMPLE_RANK + 1)
        return dataset_refuse(ds, f, err, ", expected at most %d dimensions", SAMPLE_RANK + 1);
    if (check_size(ds, f, err) || dataset_check_stored(ds, f->at->path, info, err) ||
        dataset_kind(ds, i, at, f, err))
        return -1;
    plan_reading(ds, i, f);
    return 0;
}

int dataset_column_init(struct dataset *ds, int i, const struct dataset_layout *at,
                        struct err *err) {
    const struct h5_info *info = h5_data_info(ds->column[i].data);
    struct found f = {.at = &at->field[i], .info = info};

    f.is_image = strcmp(f.at->name, "image") == 0;
    f.is_label = strcmp(f.at->name, "label") == 0;
    f.is_class = f.is_label || says_class(f.at->name);
    f.says_label = f.is_label && says_label(f.at->path);
    f.is_boxes = (!strcmp(f.at->name, "boxes") || !strcmp(f.at->name, "bboxes")) &&
                 info->rank == 3 && info->dim[2] == DATASET_BOX;
    f.is_table = f.at->table;
    f.whole = info->class == H5_CLASS_INT || info->class == H5_CLASS_UINT;
    f.bytes = info->class == H5_CLASS_UINT && info->item_bytes == 1;
    strcpy(ds->field[i].name, f.at->name);
    strcpy(ds->column[i].path, f.at->path);
    ds->column[i].enumerated = info->named;
    ds->field[i].rows = f.at->rows;
    ds->field[i].unpaired = f.at->unpaired;
    strcpy(ds->column[i].names, f.at->names);
    const int status =
        f.at->encoding ? dataset_encoded_init(ds, i, at, err) : init(ds, i, at, &f, err);
    free(f.kind);
    return status;
}
