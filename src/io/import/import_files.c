#include "io/import/import_files.h"

#include "io/file/folder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

static void list_release(struct file_list *list) {
    for (int64_t i = 0; i < list->n; i++)
        free(list->path[i]);
    free(list->path);
    *list = (struct file_list){0};
}

void file_set_release(struct file_set *set) {
    for (int i = 0; i < set->n_splits; i++) {
        for (int k = 0; k < FILES_LISTS; k++)
            list_release(&set->split[i].list[k]);
        free(set->split[i].name);
    }
    free(set->split);
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
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    const int order = file_compare(x, y);

    return order ? order : strcmp(x, y);
}

static bool is_image(const char *name) {
    const char *dot = strrchr(name, '.');

    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                   strcasecmp(dot, ".png") == 0);
}

/* Takes path. */
static int list_add(struct file_list *list, char *path, const char *folder, struct err *err) {
    if (list->n == list->room) {
        const int64_t room = list->room ? 2 * list->room : 256;
        char **more = path ? realloc(list->path, (size_t)room * sizeof *more) : NULL;

        if (!more) {
            free(path);
            return no_memory(folder, err);
        }
        list->path = more;
        list->room = room;
    }
    if (!path)
        return no_memory(folder, err);
    list->path[list->n++] = path;
    return 0;
}

int file_list_init(struct file_list *list, const char *folder, int64_t *n_ignored,
                   struct err *err) {
    struct folder entries;
    int status = 0;

    if (folder_init(&entries, folder, err))
        return -1;
    for (int i = 0; i < entries.n && !status; i++) {
        const struct folder_entry *e = &entries.entry[i];

        if (!e->folder && is_image(e->name))
            status = list_add(list, folder_join(folder, e->name), folder, err);
        else
            *n_ignored += !e->folder;
    }
    folder_release(&entries);
    if (!status && !list->n)
        return err_set(err, ERR_DATA, "%s: has no .jpg, .jpeg or .png", folder);
    if (!status)
        qsort(list->path, (size_t)list->n, sizeof *list->path, by_path);
    return status;
}

struct file_split *file_set_add(struct file_set *set, const char *name, struct err *err) {
    struct file_split *more = realloc(set->split, (size_t)(set->n_splits + 1) * sizeof *more);
    struct file_split *added;

    if (!more) {
        no_memory(name, err);
        return NULL;
    }
    set->split = more;
    added = &more[set->n_splits];
    *added = (struct file_split){.name = malloc(strlen(name) + 1)};
    if (!added->name) {
        no_memory(name, err);
        return NULL;
    }
    strcpy(added->name, name);
    set->n_splits++;
    return added;
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

static int move_tail(struct file_list *from, int64_t n, struct file_list *to, struct err *err) {
    const size_t bytes = (size_t)n * sizeof *to->path;

    to->path = malloc(bytes);
    if (!to->path)
        return no_memory("validate", err);
    from->n -= n;
    memcpy(to->path, from->path + from->n, bytes);
    to->n = to->room = n;
    return 0;
}

int file_set_hold_out(struct file_set *set, int64_t n, double share, struct err *err) {
    struct file_split *train = &set->split[0];

    if (!n && share <= 0)
        return 0;
    for (int i = 0; i < set->n_splits; i++)
        if (strcmp(set->split[i].name, "validate") == 0)
            return err_set(err, ERR_USAGE,
                           "data: there is a folder validate already, --validate "
                           "has nothing to do");
    struct file_split *out = file_set_add(set, "validate", err);
    if (!out)
        return -1;
    train = &set->split[0];
    for (int k = 0; k < FILES_LISTS; k++) {
        struct file_list *list = &train->list[k];
        const int64_t some = n ? n : (int64_t)((double)list->n * share + 0.5);

        if (list->n && (some < 1 || some >= list->n))
            return err_set(err, ERR_USAGE,
                           "data: --validate would hold out %lld of %lld images of %s, expected "
                           "some, not all",
                           (long long)some, (long long)list->n, train->name);
        if (list->n && move_tail(list, some, &out->list[k], err))
            return -1;
    }
    return 0;
}
