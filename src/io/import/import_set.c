/* Sets of files: which folders hold them, which belong together, which are held out. */
#include "io/dataset/folds.h"
#include "io/import/import_files.h"
#include "io/import/import_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

/* The folder in `parent` (-1: the source) with images and one of the names to *found; -1 where
 * there is none. Errors: ERR_DATA where there are two. */
static int find_list(const struct tree *t, int parent, const char *const *names, int *found,
                     struct err *err) {
    *found = -1;
    for (int i = 0; i < t->n_folders; i++) {
        const struct tree_folder *f = &t->folder[i];

        if (f->parent != parent || f->n_direct + f->n_deep == 0 || !is_one_of(f->name, names))
            continue;
        if (*found >= 0)
            return err_set(err, ERR_DATA,
                           "%s and %s: which of them is meant? Rename the other, or move it away",
                           t->folder[*found].path, f->path);
        *found = i;
    }
    return 0;
}

/* Images in the folder, or in the source itself. */
static bool has_images(const struct tree *t, int folder) {
    return folder < 0 ? t->n_images && t->image[0].folder[0] < 0 : t->folder[folder].n_direct > 0;
}

/* Take the lists that are in `parent` as a split: 1, else 0, -1 with err. */
static int scan_folder(struct file_set *set, int parent, const struct file_layout *layout,
                       struct err *err) {
    const char *name = parent < 0 ? NULL : set->tree.folder[parent].name;
    int found[FILES_LISTS];

    for (int k = 0; k < FILES_LISTS; k++)
        if (find_list(&set->tree, parent, layout->names[k], &found[k], err))
            return -1;
    if (found[0] >= 0 && found[1] >= 0)
        return file_set_take(set, name, 0, found[0], err) ||
                       file_set_take(set, name, 1, found[1], err)
                   ? -1
                   : 1;
    if (!layout->suffix || !has_images(&set->tree, parent))
        return 0;
    return file_set_take(set, name, 0, parent, err) ? -1 : 1;
}

int file_set_scan(struct file_set *set, const char *source, const struct file_layout *layout,
                  struct import_result *result, struct err *err) {
    int itself, below = 0;

    if (file_set_init(set, source, err) || (itself = scan_folder(set, -1, layout, err)) < 0)
        return -1;
    for (int i = 0; i < set->tree.n_folders; i++) {
        if (set->tree.folder[i].parent >= 0 || set->used[1 + i])
            continue;
        const int status = scan_folder(set, i, layout, err);
        if (status < 0)
            return -1;
        if (status && itself)
            return err_set(err, ERR_DATA,
                           "%s: is a split, but %s has images of its own, which would be another; "
                           "move one of them away",
                           set->tree.folder[i].path, source);
        below += status;
    }
    if (!itself && !below)
        return err_set(err, ERR_DATA, "%s: %s", source, layout->expected);
    file_set_finish(set, result);
    return layout->suffix ? file_set_part(set, layout->suffix, err) : 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Length of a file's name up to its ending. */
static size_t stem_len(const char *name) {
    return (size_t)(strrchr(name, '.') - name);
}

/* Does the file's name end with the suffix, its ending apart? */
static bool has_suffix(const char *path, const char *suffix) {
    const char *name = base_name(path);
    const size_t n = stem_len(name), m = strlen(suffix);

    return n > m && strncmp(name + n - m, suffix, m) == 0;
}

/* A mask and how it would be called without the suffix. */
struct keyed {
    char *key;
    const char *path;
};

static int by_key(const void *a, const void *b) {
    const char *x = ((const struct keyed *)a)->key, *y = ((const struct keyed *)b)->key;
    const int order = file_compare(x, y);

    return order ? order : strcmp(x, y);
}

/* Files in the order of their names without the suffix. */
static int sort_keyed(struct file_list *list, const char *suffix, struct err *err) {
    struct keyed *keyed = list->n > 0 ? calloc((size_t)list->n, sizeof *keyed) : NULL;
    int status = keyed ? 0 : no_memory(suffix, err);

    for (int64_t i = 0; i < list->n && !status; i++) {
        const char *path = list->path[i], *ending = strrchr(path, '.');

        keyed[i] = (struct keyed){malloc(strlen(path) + 1), path};
        if (keyed[i].key)
            sprintf(keyed[i].key, "%.*s%s", (int)(ending - path - (long)strlen(suffix)), path,
                    ending);
        else
            status = no_memory(path, err);
    }
    if (!status)
        qsort(keyed, (size_t)list->n, sizeof *keyed, by_key);
    for (int64_t i = 0; keyed && i < list->n; i++) {
        if (!status)
            list->path[i] = keyed[i].path;
        free(keyed[i].key);
    }
    free(keyed);
    return status;
}

/* Move the files with the suffix from one list to the other. */
static int part(struct file_list *images, struct file_list *masks, const char *suffix,
                struct err *err) {
    int64_t kept = 0;

    masks->path = malloc((size_t)images->n * sizeof *masks->path);
    if (!masks->path)
        return no_memory(images->path[0], err);
    masks->room = images->n;
    for (int64_t i = 0; i < images->n; i++) {
        if (has_suffix(images->path[i], suffix))
            masks->path[masks->n++] = images->path[i];
        else
            images->path[kept++] = images->path[i];
    }
    if (!kept || !masks->n)
        return err_set(err, ERR_DATA,
                       "%s: %s of the files beside it ends in '%s' before its ending, expected "
                       "images and as many masks",
                       images->path[0], kept ? "none" : "each", suffix);
    images->n = kept;
    return 0;
}

int file_set_part(struct file_set *set, const char *suffix, struct err *err) {
    for (int s = 0; s < set->n_splits; s++) {
        struct file_list *list = set->split[s].list, *masks = &list[1];

        if (!masks->n && part(&list[0], masks, suffix, err))
            return -1;
        for (int64_t i = 0; i < masks->n; i++)
            if (!has_suffix(masks->path[i], suffix))
                return err_set(err, ERR_DATA, "%s: is a mask, expected a name that ends in '%s'",
                               masks->path[i], suffix);
        if (sort_keyed(masks, suffix, err))
            return -1;
    }
    return 0;
}

/* Compare two files' names without their endings, and the second without `drop` characters more. */
static int compare_stems(const char *a, const char *b, size_t drop) {
    const char *x = base_name(a), *y = base_name(b);
    const size_t n = stem_len(x), m = stem_len(y) - drop;

    if (n == m && strncmp(x, y, n) == 0)
        return 0;
    const int order = file_compare(x, y);
    return order ? order : strcmp(x, y);
}

static bool same_stem(const char *a, const char *b) {
    const char *x = base_name(a), *y = base_name(b);

    return stem_len(x) == stem_len(y) && strncmp(x, y, stem_len(x)) == 0;
}

/* What follows the image's name in that of the first mask that begins with it, or NULL. */
static const char *longer_name(const struct file_list *masks, const char *image, int *len) {
    const char *x = base_name(image);
    const size_t n = stem_len(x);

    for (int64_t i = 0; i < masks->n; i++) {
        const char *y = base_name(masks->path[i]);

        if (stem_len(y) > n && strncmp(x, y, n) == 0) {
            *len = (int)(stem_len(y) - n);
            return y + n;
        }
    }
    return NULL;
}

int file_split_match(const struct file_split *split, const char *suffix, struct err *err) {
    const struct file_list *a = &split->list[0], *b = &split->list[1];
    const size_t drop = suffix ? strlen(suffix) : 0;

    for (int64_t i = 0; i < a->n || i < b->n; i++) {
        const int order = i == a->n   ? 1
                          : i == b->n ? -1
                                      : compare_stems(a->path[i], b->path[i], drop);
        if (order == 0)
            continue;
        const struct file_list *list = order < 0 ? a : b;
        const char *alone = list->path[i];
        if (i > 0 && same_stem(list->path[i - 1], alone))
            return err_set(err, ERR_DATA,
                           "%s and %s: have one name, their endings apart; expected one of them",
                           list->path[i - 1], alone);
        const char *other = order < 0 ? b->path[0] : a->path[0];
        int len = 0;
        const char *more = order < 0 && !suffix ? longer_name(b, alone, &len) : NULL;
        return err_set(err, ERR_DATA, "%s: there is no file of that name%s%s in %.*s%s%.*s", alone,
                       drop && order < 0 ? " and " : "", drop && order < 0 ? suffix : "",
                       (int)(base_name(other) - other - 1), other,
                       more ? "; of masks, --mask-suffix " : "", len, more ? more : "");
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
    if (!split_count(how, from->n, "images", group, &n, err) &&
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
    struct file_split *train = &set->split[0];
    if (!out)
        return -1;
    for (int k = 0; k < FILES_LISTS; k++)
        if (train->list[k].n && draw(&train->list[k], train->name, how, &out->list[k], err))
            return -1;
    return 0;
}
