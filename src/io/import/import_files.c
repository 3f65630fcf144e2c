#include "io/import/import_files.h"

#include "io/import/import_split.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

int file_set_init(struct file_set *set, const char *source, struct err *err) {
    *set = (struct file_set){0};
    if (tree_init(&set->tree, source, err))
        return -1;
    set->used = calloc((size_t)set->tree.n_folders + 1, sizeof *set->used);
    return set->used ? 0 : no_memory(source, err);
}

void file_set_release(struct file_set *set) {
    for (int i = 0; i < set->n_splits; i++)
        for (int k = 0; k < FILES_LISTS; k++)
            free(set->split[i].list[k].path);
    free(set->split);
    free(set->used);
    tree_release(&set->tree);
    *set = (struct file_set){0};
}

int file_compare(const char *a, const char *b) {
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            const size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            const int order = n != m ? (n > m) - (n < m) : strncmp(a, b, n);
            if (order)
                return order;
            a += n;
            b += m;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int by_path(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    const int order = file_compare(x, y);

    return order ? order : strcmp(x, y);
}

/* Those from heic on are refused by name when they are read: a picture that nobody misses would be
 * worse. */
static const char *const endings[] = {"jpg", "jpeg", "jpe",  "jfif", "png",  "webp", "bmp", "gif",
                                      "tif", "tiff", "heic", "heif", "avif", "jp2",  "jxl"};

bool file_is_image(const char *name) {
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

struct file_split *file_set_add(struct file_set *set, const char *name, struct err *err) {
    struct file_split *more = realloc(set->split, (size_t)(set->n_splits + 1) * sizeof *more);

    if (!more) {
        no_memory(name, err);
        return NULL;
    }
    set->split = more;
    more[set->n_splits] = (struct file_split){0};
    snprintf(more[set->n_splits].name, sizeof more->name, "%s", name);
    return &more[set->n_splits++];
}

static struct file_split *find_split(struct file_set *set, const char *name, struct err *err) {
    for (int i = 0; i < set->n_splits; i++)
        if (strcmp(set->split[i].name, name) == 0)
            return &set->split[i];
    return file_set_add(set, name, err);
}

/* The images that are in the folder itself: n of them, from the first on. */
static int64_t direct_images(const struct tree *t, int folder, int64_t *first) {
    *first = folder < 0 ? 0 : t->folder[folder].first;
    if (folder >= 0)
        return t->folder[folder].n_direct;
    int64_t n = 0;
    while (n < t->n_images && t->image[n].folder[0] < 0)
        n++;
    return n;
}

/* Nothing in a folder of images is passed over in silence. */
static int check_folder(const struct tree *t, int folder, int64_t n, int64_t first,
                        struct err *err) {
    if (folder >= 0 && t->folder[folder].n_deep)
        return err_set(
            err, ERR_DATA,
            "%s: is in a folder within %s, whose images alone are read; move them up, or "
            "away",
            t->image[first + n].path, t->folder[folder].path);
    for (int64_t i = 0; i < n; i++)
        if (t->image[first + i].dangling)
            return err_set(err, ERR_DATA, "%s: is a link to what is not there",
                           t->image[first + i].path);
    return 0;
}

int file_set_take(struct file_set *set, const char *name, int k, int folder, struct err *err) {
    const struct tree *t = &set->tree;
    const char *known = name ? split_group(name) : "train", *group = known ? known : name;
    struct file_split *split = find_split(set, group, err);
    int64_t first, n;

    if (!split)
        return -1;
    struct file_list *list = &split->list[k];
    n = direct_images(t, folder, &first);
    if (check_folder(t, folder, n, first, err))
        return -1;
    if (!n)
        return err_set(err, ERR_DATA, "%s: has no " IMPORT_ENDINGS,
                       folder < 0 ? group : t->folder[folder].path);
    if (list->n)
        return err_set(err, ERR_DATA,
                       "%s and %s would both be images of the group %s; rename one of them",
                       list->path[0], t->image[first].path, group);
    list->path = malloc((size_t)n * sizeof *list->path);
    if (!list->path)
        return no_memory(group, err);
    list->room = n;
    for (; list->n < n; list->n++)
        list->path[list->n] = t->image[first + list->n].path;
    qsort(list->path, (size_t)n, sizeof *list->path, by_path);
    set->used[1 + folder] = true;
    return 0;
}

void file_set_finish(struct file_set *set, struct import_result *result) {
    const char *left = NULL;
    int64_t n_left = 0;

    for (int i = 1; i < set->n_splits; i++)
        if (split_is_train(set->split[i].name)) {
            const struct file_split train = set->split[i];

            memmove(&set->split[1], &set->split[0], (size_t)i * sizeof train);
            set->split[0] = train;
        }
    for (int64_t i = 0; i < set->tree.n_images; i++) {
        const struct tree_image *image = &set->tree.image[i];
        const int in = image->folder[1] >= 0 ? image->folder[1] : image->folder[0];

        if (!set->used[1 + in])
            left = n_left++ ? left : image->path;
    }
    if (n_left)
        import_note(result, "%lld images in other folders were left out, the first: %s",
                    (long long)n_left, left);
    if (!split_is_train(set->split[0].name))
        import_note(result, "no split is called train: mean and std are those of %s",
                    set->split[0].name);
    tree_note_twins(&set->tree, result);
    result->n_ignored = set->tree.n_ignored;
}

void file_set_count(const struct file_set *set, struct import_result *result) {
    for (int i = 0; i < set->n_splits && set->n_splits > 1; i++) {
        const struct file_split *s = &set->split[i];
        const int64_t n = s->list[0].n, m = s->list[1].n;

        if (m && m != n)
            import_note(result, "%s: %lld and %lld images", s->name, (long long)n, (long long)m);
        else
            import_note(result, "%s: %lld images", s->name, (long long)n);
    }
}
