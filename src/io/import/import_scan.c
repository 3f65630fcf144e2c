#include "io/import/import_scan.h"

#include "core/base/rng.h"
#include "io/file/folder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_image(const struct folder_entry *e) {
    const char *dot = strrchr(e->name, '.');

    return !e->folder && dot &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

static bool has_images(const struct folder *folder) {
    for (int i = 0; i < folder->n; i++)
        if (is_image(&folder->entry[i]))
            return true;
    return false;
}

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

static char *copy_text(const char *text) {
    char *copy = malloc(strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

/* Takes path. */
static int add_image(struct scan_split *split, char *path, int32_t class, struct err *err) {
    if (split->n == split->room) {
        const int64_t room = split->room ? 2 * split->room : 256;
        struct scan_image *more = realloc(split->image, (size_t)room * sizeof *more);

        if (!more) {
            free(path);
            return no_memory(split->name, err);
        }
        split->image = more;
        split->room = room;
    }
    split->image[split->n++] = (struct scan_image){path, class};
    return 0;
}

static int find_class(const struct scan *scan, const char *name) {
    for (int i = 0; i < scan->n_classes; i++)
        if (strcmp(scan->class_name[i], name) == 0)
            return i;
    return -1;
}

/* All images of one class. */
static int scan_class(struct scan *scan, struct scan_split *split, const char *path, int32_t class,
                      struct err *err) {
    const int64_t before = split->n;
    struct folder folder;
    int status = 0;

    if (folder_init(&folder, path, err))
        return -1;
    for (int i = 0; !status && i < folder.n; i++) {
        char *image;

        if (!is_image(&folder.entry[i])) {
            scan->n_ignored++;
            continue;
        }
        image = folder_join(path, folder.entry[i].name);
        status = image ? add_image(split, image, class, err) : no_memory(path, err);
    }
    folder_release(&folder);
    if (!status && split->n == before)
        return err_set(err, ERR_DATA, "%s: has no .jpg, .jpeg or .png, expected images of a class",
                       path);
    scan->n_images += split->n - before;
    return status;
}

/* The folders of `classes` are the classes. The first split decides which there are. */
static int name_classes(struct scan *scan, const struct folder *classes, const char *path,
                        struct err *err) {
    scan->class_name = calloc((size_t)classes->n + 1, sizeof *scan->class_name);
    if (!scan->class_name)
        return no_memory(path, err);
    for (int i = 0; i < classes->n; i++) {
        if (!classes->entry[i].folder)
            continue;
        scan->class_name[scan->n_classes] = copy_text(classes->entry[i].name);
        if (!scan->class_name[scan->n_classes++])
            return no_memory(path, err);
    }
    return 0;
}

/* Mix the classes (Fisher-Yates), always in the same way: neighbours in the file are read
 * together, and should not be of one class. */
static void mix(struct scan_split *split) {
    const uint64_t key = rng_key(0, RNG_SHUFFLE, 0, 0);

    for (int64_t i = split->n - 1; i > 0; i--) {
        const int64_t j = (int64_t)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
        const struct scan_image other = split->image[j];

        split->image[j] = split->image[i];
        split->image[i] = other;
    }
}

static int scan_split(struct scan *scan, const char *name, const char *path,
                      const struct folder *classes, struct err *err) {
    struct scan_split *split = &scan->split[scan->n_splits++];

    split->name = copy_text(name);
    if (!split->name)
        return no_memory(path, err);
    if (!scan->class_name && name_classes(scan, classes, path, err))
        return -1;
    for (int i = 0; i < classes->n; i++) {
        const char *class_name = classes->entry[i].name;
        const int class = find_class(scan, class_name);
        char *class_path;
        int status;

        if (!classes->entry[i].folder) {
            scan->n_ignored++;
            continue;
        }
        if (class < 0)
            return err_set(err, ERR_DATA, "%s: has the class '%s', which %s has not", path,
                           class_name, scan->split[0].name);
        class_path = folder_join(path, class_name);
        status =
            class_path ? scan_class(scan, split, class_path, class, err) : no_memory(path, err);
        free(class_path);
        if (status)
            return -1;
    }
    if (split->n == 0)
        return err_set(err, ERR_DATA, "%s: has no folders of classes", path);
    mix(split);
    return 0;
}

/* Does the first folder in `top` hold images, so that the folders are classes? */
static int are_classes(const char *source, const struct folder *top, bool *answer,
                       struct err *err) {
    *answer = false;
    for (int i = 0; i < top->n; i++) {
        struct folder folder;
        char *path;
        int status;

        if (!top->entry[i].folder)
            continue;
        path = folder_join(source, top->entry[i].name);
        status = path ? folder_init(&folder, path, err) : no_memory(source, err);
        free(path);
        if (status)
            return -1;
        *answer = has_images(&folder);
        folder_release(&folder);
        return 0;
    }
    return err_set(err, ERR_DATA,
                   "%s: has no folders, expected CLASS/IMAGE or SPLIT/CLASS/IMAGE in it", source);
}

static int scan_one_of(struct scan *scan, const char *source, const char *name, struct err *err) {
    char *path = folder_join(source, name);
    struct folder classes;
    int status;

    if (!path || folder_init(&classes, path, err)) {
        status = path ? -1 : no_memory(source, err);
        free(path);
        return status;
    }
    status = scan_split(scan, name, path, &classes, err);
    folder_release(&classes);
    free(path);
    return status;
}

static int scan_all(struct scan *scan, const char *source, const struct folder *top,
                    struct err *err) {
    bool classes;

    scan->split = calloc((size_t)top->n + 1, sizeof *scan->split);
    if (!scan->split)
        return no_memory(source, err);
    if (are_classes(source, top, &classes, err))
        return -1;
    if (classes)
        return scan_split(scan, "train", source, top, err);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < top->n; i++) {
            const bool first = strcmp(top->entry[i].name, "train") == 0;

            if (top->entry[i].folder && first == (pass == 0) &&
                scan_one_of(scan, source, top->entry[i].name, err))
                return -1;
            scan->n_ignored += pass == 0 && !top->entry[i].folder;
        }
    return 0;
}

int scan_init(struct scan *scan, const char *source, struct err *err) {
    struct folder top;
    int status;

    *scan = (struct scan){0};
    if (folder_init(&top, source, err))
        return -1;
    status = scan_all(scan, source, &top, err);
    folder_release(&top);
    if (status)
        scan_release(scan);
    return status;
}

void scan_release(struct scan *scan) {
    for (int s = 0; s < scan->n_splits; s++) {
        for (int64_t i = 0; i < scan->split[s].n; i++)
            free(scan->split[s].image[i].path);
        free(scan->split[s].image);
        free(scan->split[s].name);
    }
    for (int i = 0; i < scan->n_classes; i++)
        free(scan->class_name[i]);
    free(scan->split);
    free(scan->class_name);
    *scan = (struct scan){0};
}
