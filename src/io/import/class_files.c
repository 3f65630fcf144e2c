#include "io/import/class_files.h"

#include "io/file/folder.h"
#include "io/import/import_split.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A search on its way. */
struct class_search {
    struct class_files *files;
    const char *const *endings;
    struct import_result *result;
    int32_t class, split;
};

static bool ends_in(const char *name, const char *const *endings) {
    const size_t len = strlen(name);

    for (; *endings; endings++) {
        const size_t n = strlen(*endings);

        if (len > n && strcasecmp(name + len - n, *endings) == 0)
            return true;
    }
    return false;
}

static int add(const struct class_search *s, const char *folder, const char *name,
               struct err *err) {
    struct class_files *f = s->files;

    if (f->n == f->room) {
        const size_t room = f->room ? 2 * (size_t)f->room : 256;
        char **path = realloc(f->path, room * sizeof *path);
        f->path = path ? path : f->path;
        int32_t *class = realloc(f->class, room * sizeof *class);
        f->class = class ? class : f->class;
        int32_t *split = realloc(f->split, room * sizeof *split);
        f->split = split ? split : f->split;
        if (!path || !class || !split)
            return err_set(err, ERR_IO, "%s: out of memory", folder);
        f->room = (int64_t)room;
    }
    f->path[f->n] = folder_join(folder, name);
    if (!f->path[f->n])
        return err_set(err, ERR_IO, "%s: out of memory", folder);
    f->class[f->n] = s->class;
    f->split[f->n++] = s->split;
    return 0;
}

/* The number of a name in a list that grows, or -1 with err. */
static int32_t number_of(char ***names, int *n, const char *name, struct err *err) {
    for (int k = 0; k < *n; k++)
        if (strcmp((*names)[k], name) == 0)
            return k;
    char **grown = realloc(*names, ((size_t)*n + 1) * sizeof *grown);
    *names = grown ? grown : *names;
    if (!grown || !(grown[*n] = strdup(name)))
        return err_set(err, ERR_IO, "%s: out of memory", name);
    return (*n)++;
}

static int add_files(struct class_search *s, const char *path, const struct folder *folder,
                     struct err *err) {
    for (int i = 0; i < folder->n; i++) {
        const struct folder_entry *e = &folder->entry[i];

        if (e->folder || !ends_in(e->name, s->endings)) {
            s->result->n_ignored += !e->folder;
            continue;
        }
        if (add(s, path, e->name, err))
            return -1;
    }
    return 0;
}

/* The files of one class. */
static int add_class(struct class_search *s, const char *path, struct err *err) {
    struct folder folder = {0};
    const int status = folder_init(&folder, path, err) || add_files(s, path, &folder, err);

    folder_release(&folder);
    return status ? -1 : 0;
}

static bool all_splits(const struct folder *folder) {
    int n = 0;

    for (int i = 0; i < folder->n; i++) {
        if (folder->entry[i].folder && !split_group(folder->entry[i].name))
            return false;
        n += folder->entry[i].folder;
    }
    return n > 0;
}

static int n_kinds(const struct class_search *s, const struct folder *folder, bool folders) {
    int n = 0;

    for (int i = 0; i < folder->n; i++)
        n += folder->entry[i].folder ? folders
                                     : !folders && ends_in(folder->entry[i].name, s->endings);
    return n;
}

/* The folders of classes in `path`, or of splits of such. */
static int search(struct class_search *s, const char *path, bool outermost, struct err *err) {
    struct folder folder = {0};
    int status = folder_init(&folder, path, err);
    const bool splits = !status && outermost && all_splits(&folder);
    const int n_folders = status ? 0 : n_kinds(s, &folder, true);

    if (!status && n_folders && n_kinds(s, &folder, false))
        status = err_set(err, ERR_DATA,
                         "%s: holds files beside folders, expected folders of "
                         "classes, or files alone",
                         path);
    if (!status && !n_folders)
        status = add_files(s, path, &folder, err);
    for (int i = 0; !status && n_folders && i < folder.n; i++) {
        const char *name = folder.entry[i].name;
        struct class_files *f = s->files;
        char *inner;

        if (!folder.entry[i].folder)
            continue;
        int32_t *number = splits ? &s->split : &s->class;
        *number = splits ? number_of(&f->split_name, &f->n_splits, split_group(name), err)
                         : number_of(&f->class_name, &f->n_classes, name, err);
        inner = *number < 0 ? NULL : folder_join(path, name);
        if (!inner)
            status = *number < 0 ? -1 : err_set(err, ERR_IO, "%s: out of memory", path);
        else
            status = splits ? search(s, inner, false, err) : add_class(s, inner, err);
        free(inner);
    }
    folder_release(&folder);
    return status ? -1 : 0;
}

/* Classes in the order of their names, whichever split had them first. */
static int sort_classes(struct class_files *f, struct err *err) {
    int32_t *place = malloc((size_t)f->n_classes * sizeof *place + 1);

    if (!place)
        return err_set(err, ERR_IO, "out of memory");
    for (int k = 0; k < f->n_classes; k++) {
        place[k] = 0;
        for (int other = 0; other < f->n_classes; other++)
            place[k] += strcmp(f->class_name[other], f->class_name[k]) < 0;
    }
    for (int64_t i = 0; i < f->n; i++)
        f->class[i] = place[f->class[i]];
    for (int k = 0; k < f->n_classes; k++)
        while (place[k] != k) { /* a cycle at a time */
            const int32_t to = place[k];
            char *name = f->class_name[to];

            f->class_name[to] = f->class_name[k];
            f->class_name[k] = name;
            place[k] = place[to];
            place[to] = to;
        }
    free(place);
    return 0;
}

int class_files_init(struct class_files *files, const char *source, const char *const *endings,
                     const char *what, struct import_result *result, struct err *err) {
    struct class_search s = {.files = files, .endings = endings, .result = result};
    int status;

    *files = (struct class_files){0};
    status = search(&s, source, true, err);
    if (!status && !files->n)
        status = err_set(err, ERR_DATA, "%s: holds no %s", source, what);
    if (!status && files->n_classes)
        status = sort_classes(files, err);
    if (status)
        class_files_release(files);
    return status;
}

void class_files_release(struct class_files *files) {
    for (int64_t i = 0; i < files->n; i++)
        free(files->path[i]);
    for (int k = 0; k < files->n_classes; k++)
        free(files->class_name[k]);
    for (int k = 0; k < files->n_splits; k++)
        free(files->split_name[k]);
    free(files->path);
    free(files->class);
    free(files->split);
    free(files->class_name);
    free(files->split_name);
    *files = (struct class_files){0};
}
