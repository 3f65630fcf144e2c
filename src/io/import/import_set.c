/* Sets of files: which folders hold them, which belong together, which are held out. */
#include "io/dataset/folds.h"
#include "io/file/folder.h"
#include "io/import/import_files.h"
#include "io/import/import_split.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

/* The folder in `entries` that has one of the names, or NULL. */
static const char *find_folder(const struct folder *entries, const char *const *names) {
    for (; *names; names++)
        for (int i = 0; i < entries->n; i++)
            if (entries->entry[i].folder && strcasecmp(entries->entry[i].name, *names) == 0)
                return entries->entry[i].name;
    return NULL;
}

/* Add the split where the folder at path has folders for both lists: 1, else 0, -1 with err. */
static int scan_folder(struct file_set *set, const char *path, const char *name,
                       const char *const *const names[], struct err *err) {
    const char *found[FILES_LISTS];
    struct folder entries;
    int status = 1;

    if (folder_init(&entries, path, err))
        return -1;
    for (int k = 0; k < FILES_LISTS; k++)
        found[k] = find_folder(&entries, names[k]);
    if (!found[0] || !found[1]) {
        folder_release(&entries);
        return 0;
    }
    struct file_split *split = file_set_add(set, name, err);
    for (int k = 0; k < FILES_LISTS && status > 0; k++) {
        char *folder = folder_join(path, found[k]);

        if (!split || !folder || file_list_init(&split->list[k], folder, &set->n_ignored, err))
            status = !folder && split ? no_memory(path, err) : -1;
        free(folder);
    }
    folder_release(&entries);
    return status;
}

int file_set_scan(struct file_set *set, const char *source, const char *const *const names[],
                  const char *expected, struct err *err) {
    struct folder top;
    int status = scan_folder(set, source, "train", names, err);

    if (status)
        return status < 0 ? -1 : 0;
    if (folder_init(&top, source, err))
        return -1;
    for (int pass = 0; pass < 2 && status >= 0; pass++)
        for (int i = 0; i < top.n && status >= 0; i++) {
            const bool first = strcmp(top.entry[i].name, "train") == 0;

            if (!top.entry[i].folder || first != (pass == 0))
                continue;
            char *path = folder_join(source, top.entry[i].name);
            status = path ? scan_folder(set, path, top.entry[i].name, names, err)
                          : no_memory(source, err);
            free(path);
        }
    folder_release(&top);
    if (status < 0)
        return -1;
    return set->n_splits ? 0 : err_set(err, ERR_DATA, "%s: %s", source, expected);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Compare two files' names without their endings. */
static int compare_stems(const char *a, const char *b) {
    const char *x = base_name(a), *y = base_name(b);
    const size_t n = (size_t)(strrchr(x, '.') - x), m = (size_t)(strrchr(y, '.') - y);

    if (n == m && strncmp(x, y, n) == 0)
        return 0;
    const int order = file_compare(x, y);
    return order ? order : strcmp(x, y);
}

int file_split_match(const struct file_split *split, struct err *err) {
    const struct file_list *a = &split->list[0], *b = &split->list[1];

    for (int64_t i = 0; i < a->n || i < b->n; i++) {
        const int order = i == a->n ? 1 : i == b->n ? -1 : compare_stems(a->path[i], b->path[i]);
        if (order == 0)
            continue;
        const char *alone = order < 0 ? a->path[i] : b->path[i];
        const char *other = order < 0 ? b->path[0] : a->path[0];
        return err_set(err, ERR_DATA, "%s: there is no file of that name in %.*s", alone,
                       (int)(base_name(other) - other - 1), other);
    }
    return 0;
}

/* Move the files for which held_out is 1 to the list out. */
static int move_files(struct file_list *from, const int32_t *held_out, int64_t n,
                      struct file_list *out, struct err *err) {
    int64_t kept = 0;

    out->path = malloc((size_t)n * sizeof *out->path);
    if (!out->path)
        return no_memory("validate", err);
    out->room = n;
    for (int64_t i = 0; i < from->n; i++) {
        if (held_out[i])
            out->path[out->n++] = from->path[i];
        else
            from->path[kept++] = from->path[i];
    }
    from->n = kept;
    return 0;
}

/* Files of the same number in several lists go together: the draw depends on their number alone. */
static int draw(struct file_list *from, const char *group, const struct import_split *how,
                struct file_list *out, struct err *err) {
    int32_t *held_out = malloc((size_t)from->n * sizeof *held_out);
    int64_t n;
    int status = -1;

    if (!held_out)
        return no_memory(group, err);
    if (!split_count(how, from->n, group, &n, err) &&
        (n = folds_hold_out(NULL, from->n, n, how->seed, held_out, err)) > 0)
        status = move_files(from, held_out, n, out, err);
    free(held_out);
    return status;
}

int file_set_hold_out(struct file_set *set, const struct import_split *how, struct err *err) {
    if (!how->n && how->share <= 0)
        return 0;
    for (int i = 0; i < set->n_splits; i++)
        if (split_check(set->split[i].name, i, set->n_splits, err))
            return -1;
    struct file_split *out = file_set_add(set, "validate", err);
    if (!out)
        return -1;
    struct file_split *train = &set->split[0];
    for (int k = 0; k < FILES_LISTS; k++)
        if (train->list[k].n && draw(&train->list[k], train->name, how, &out->list[k], err))
            return -1;
    return 0;
}
