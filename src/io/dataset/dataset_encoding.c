/* Which datasets of a file have encoded pictures: by the attribute encoding, and in files from
 * elsewhere by their type. */
#include "io/dataset/dataset_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_PATH = 2 * LAYOUT_PATH, TOLD = 2 };

/* As others call them. */
static const char *const encoded_names[] = {
    "image_bytes", "jpegs", "jpeg", "encoded", "encoded_images", "image_data", "imgs", "img", NULL};

/* Where others keep what the pictures were called, beside them. */
static const char *const names_beside[] = {"filenames", "file_names", "names",
                                           "paths",     "files",      NULL};

/* Rows, class and dimensions of a dataset; 0 where there is none, -1 with err. */
static int look_at(struct h5 *file, const char *path, struct h5_info *info, struct err *err) {
    const int there = h5_is_data(file, path, err);
    struct h5_data *data;

    if (there <= 0)
        return there;
    if (h5_data_open(&data, file, path, err))
        return -1;
    *info = *h5_data_info(data);
    h5_data_close(data);
    return 1;
}

/* Does the attribute encoding say files? 1, 0 where it does not, -1 with err. Others may mean other
 * things by it, but not beside offsets. */
static int read_encoding(struct h5 *file, const char *path, struct err *err) {
    const int told = h5_attr_exists(file, path, "encoding", err);
    char offsets[ENTRY_PATH], *text;
    int status = 1;

    if (told <= 0)
        return told;
    if (h5_attr_text(file, path, "encoding", &text, err))
        return -1;
    snprintf(offsets, sizeof offsets, "%s_offsets", path);
    if (strcmp(text, "files") != 0)
        status = h5_is_data(file, offsets, err);
    if (status > 0 && strcmp(text, "files") != 0)
        status = err_set(err, ERR_DATA, "%s:%s: attribute encoding is '%.40s', expected 'files'",
                         h5_name(file), path, text);
    free(text);
    return status;
}

/* The rows of pictures that lie end to end. */
static int count_offsets(struct h5 *file, struct layout_field *f, struct err *err) {
    char path[LAYOUT_PATH + 16];
    struct h5_info info;

    snprintf(path, sizeof path, "%s_offsets", f->path);
    const int there = look_at(file, path, &info, err);
    if (there < 0)
        return -1;
    if (!there)
        return err_set(err, ERR_DATA,
                       "%s: %s has the attribute encoding = files, but there is no %s, the byte at "
                       "which each picture begins, and the end of the last",
                       h5_name(file), f->path, path);
    const bool whole = info.class == H5_CLASS_INT || info.class == H5_CLASS_UINT;
    if (info.rank != 1 || !whole || info.dim[0] < 1)
        return err_set(err, ERR_DATA,
                       "%s: %s has %s, expected integers [n + 1]: where each picture begins, and "
                       "the end of the last",
                       h5_name(file), path,
                       !whole           ? "no integers"
                       : info.rank != 1 ? "another number of dimensions than one"
                                        : "no rows");
    f->rows = info.dim[0] - 1;
    return 0;
}

/* Is there a dataset of as many texts? */
static int are_names(struct h5 *file, const char *path, int64_t rows, struct err *err) {
    struct h5_info info;
    const int there = look_at(file, path, &info, err);

    return there <= 0 ? there
                      : info.class == H5_CLASS_TEXT && info.rank == 1 && info.dim[0] == rows;
}

static int find_names(struct h5 *file, struct layout_field *f, struct err *err) {
    const int group = (int)(strrchr(f->path, '/') - f->path);
    char path[ENTRY_PATH];
    int found;

    snprintf(path, sizeof path, "%s_names", f->path);
    found = are_names(file, path, f->rows, err);
    for (int k = 0; !found && names_beside[k]; k++) {
        snprintf(path, sizeof path, "%.*s/%s", group, f->path, names_beside[k]);
        found = are_names(file, path, f->rows, err);
    }
    if (found > 0 && strlen(path) < sizeof f->names)
        strcpy(f->names, path);
    return found < 0 ? -1 : 0;
}

int layout_encoding(struct h5 *file, const struct h5_info *info, struct layout_field *f,
                    struct err *err) {
    const bool bytes = info->class == H5_CLASS_UINT && info->item_bytes == 1;

    if (info->rank != 1 || (!bytes && info->class != H5_CLASS_BLOB))
        return 0;
    const int told = read_encoding(file, f->path, err);
    if (told < 0)
        return -1;
    f->told = told;
    f->rows = info->dim[0];
    f->encoding = info->class == H5_CLASS_BLOB ? LAYOUT_BLOBS : told ? LAYOUT_FILES : LAYOUT_PLAIN;
    if (f->encoding == LAYOUT_FILES && count_offsets(file, f, err))
        return -1;
    return f->encoding ? find_names(file, f, err) : 0;
}

static bool is_encoded_name(const char *name) {
    for (int k = 0; encoded_names[k]; k++)
        if (strcmp(name, encoded_names[k]) == 0)
            return true;
    return false;
}

/* Of the datasets of a list: the best that was found, "" where several are none better than the
 * others. What a file says goes before what its names say. */
static int choose(struct h5 *file, const char *group, const struct h5_list *list, char *name,
                  struct err *err) {
    struct layout_field f;
    struct h5_info info;
    int best = -1, n = 0;

    *name = 0;
    for (int i = 0; i < list->n; i++) {
        const char *entry = list->entry[i].name;

        f = (struct layout_field){0};
        if (list->entry[i].group || snprintf(f.path, LAYOUT_PATH, "%s/%s",
                                             strcmp(group, "/") ? group : "", entry) >= LAYOUT_PATH)
            continue;
        if (look_at(file, f.path, &info, err) < 0 || layout_encoding(file, &info, &f, err))
            return -1;
        if (!f.encoding)
            continue;
        const int rank = f.told * TOLD + is_encoded_name(entry);
        n = rank > best ? 1 : n + (rank == best);
        if (rank > best)
            strcpy(name, entry);
        best = rank > best ? rank : best;
    }
    if (n > 1 && (best == 0 || best == TOLD)) /* of which nothing tells the image */
        *name = 0;
    return 0;
}

int layout_find_encoded(struct h5 *file, const char *group, char name[LAYOUT_PATH],
                        struct err *err) {
    struct h5_list list;

    if (h5_list(file, group, &list, err))
        return -1;
    const int status = choose(file, group, &list, name, err);
    h5_list_release(&list);
    return status;
}

bool layout_is_companion(const struct dataset_layout *at, const char *path, bool *unread) {
    const int n = at->n_fields < DATASET_MAX_FIELDS ? at->n_fields : DATASET_MAX_FIELDS;

    for (int i = 0; i < n; i++) {
        const struct layout_field *f = &at->field[i];
        const size_t len = strlen(f->path);

        *unread = false;
        if (!f->encoding)
            continue;
        if (strcmp(path, f->names) == 0)
            return true;
        if (strncmp(path, f->path, len) != 0)
            continue;
        *unread = strcmp(path + len, "_names") == 0;
        if (*unread || (f->encoding == LAYOUT_FILES && strcmp(path + len, "_offsets") == 0))
            return true;
    }
    return false;
}
