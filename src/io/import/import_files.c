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

bool file_is_image(const char *name) {
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

        if (e->dangling && file_is_image(e->name))
            status =
                err_set(err, ERR_DATA, "%s/%s: is a link to what is not there", folder, e->name);
        else if (!e->folder && file_is_image(e->name))
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
