#include "io/import/import_tree.h"

#include "io/file/folder.h"
#include "io/import/import_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder being read, and those around it. */
struct place {
    const struct place *around;
    const char *path;
    dev_t device;
    ino_t inode;
    int depth; /* 0: the source */
    int folder[TREE_LEVELS];
};

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

/* Room for one item more in list[n], which may move; NULL without memory. */
static void *grow(void *list, int64_t n, int64_t *room, size_t bytes) {
    if (n < *room)
        return list;
    const int64_t more = *room ? 2 * *room : 64;
    void *moved = realloc(list, (size_t)more * bytes);

    if (moved)
        *room = more;
    return moved;
}

/* Takes path. */
static int add_image(struct tree *tree, const struct place *at, char *path, bool dangling,
                     struct err *err) {
    struct tree_image *more =
        path ? grow(tree->image, tree->n_images, &tree->room_images, sizeof *more) : NULL;

    if (!more) {
        free(path);
        return no_memory(at->path, err);
    }
    tree->image = more;
    more[tree->n_images++] = (struct tree_image){.path = path,
                                                 .folder = {at->folder[0], at->folder[1]},
                                                 .nested = at->depth > TREE_LEVELS,
                                                 .dangling = dangling};
    for (int i = 0; i < TREE_LEVELS && i < at->depth; i++) {
        struct tree_folder *f = &tree->folder[at->folder[i]];

        f->n_direct += at->depth == i + 1;
        f->n_deep += at->depth > i + 1;
    }
    return 0;
}

static int add_folder(struct tree *tree, struct place *at, const char *path, struct err *err) {
    int64_t room = tree->room_folders;
    struct tree_folder *more = grow(tree->folder, tree->n_folders, &room, sizeof *more);
    char *copy = more ? malloc(strlen(path) + 1) : NULL;

    if (more)
        tree->folder = more;
    if (!copy)
        return no_memory(path, err);
    tree->room_folders = (int)room;
    more[tree->n_folders] = (struct tree_folder){
        .path = strcpy(copy, path),
        .name = strrchr(copy, '/') + 1,
        .parent = at->depth == 1 ? -1 : at->folder[0],
        .first = tree->n_images,
        .device = at->device,
        .inode = at->inode,
    };
    at->folder[at->depth - 1] = tree->n_folders++;
    return 0;
}

/* Where the folder at path is: refused within itself. */
static int enter(const char *path, const struct place *around, struct place *at, struct err *err) {
    struct stat st;

    if (stat(path, &st))
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    *at = (struct place){around, path, st.st_dev, st.st_ino, 0, {-1, -1}};
    if (!around)
        return 0;
    at->depth = around->depth + 1;
    memcpy(at->folder, around->folder, sizeof at->folder);
    for (const struct place *p = around; p; p = p->around)
        if (p->device == at->device && p->inode == at->inode)
            return err_set(err, ERR_DATA, "%s: is a link that leads back to %s, which it is in",
                           path, p->path);
    return 0;
}

static int walk(struct tree *tree, const char *path, const struct place *around, struct err *err) {
    struct folder entries;
    struct place at;
    int status = 0;

    if (enter(path, around, &at, err) || folder_init(&entries, path, err))
        return -1;
    tree->n_ignored += entries.n_others;
    if (at.depth && at.depth <= TREE_LEVELS)
        status = add_folder(tree, &at, path, err);
    for (int pass = 0; pass < 2; pass++) /* files, then folders */
        for (int i = 0; i < entries.n && !status; i++) {
            const struct folder_entry *e = &entries.entry[i];
            const bool image = !e->folder && file_is_image(e->name);

            tree->n_ignored += pass == 0 && !e->folder && !image;
            if (e->folder != (pass == 1) || (!e->folder && !image))
                continue;
            char *inner = folder_join(path, e->name);
            if (image) {
                status = add_image(tree, &at, inner, e->dangling, err);
                continue;
            }
            status = inner ? walk(tree, inner, &at, err) : no_memory(path, err);
            free(inner);
        }
    folder_release(&entries);
    return status;
}

static int by_inode(const void *a, const void *b) {
    const struct tree_folder *x = *(const struct tree_folder *const *)a;
    const struct tree_folder *y = *(const struct tree_folder *const *)b;

    if (x->device != y->device)
        return (x->device > y->device) - (x->device < y->device);
    if (x->inode != y->inode)
        return (x->inode > y->inode) - (x->inode < y->inode);
    return (x > y) - (x < y);
}

void tree_note_twins(const struct tree *tree, struct import_result *result) {
    const struct tree_folder **sorted = calloc((size_t)tree->n_folders + 1, sizeof *sorted);
    int n = 0;

    if (!sorted) /* nothing but a note is lost */
        return;
    for (int i = 0; i < tree->n_folders; i++)
        if (tree->folder[i].n_direct + tree->folder[i].n_deep)
            sorted[n++] = &tree->folder[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_inode);
    for (int i = 1; i < n; i++)
        if (sorted[i]->device == sorted[i - 1]->device &&
            sorted[i]->inode == sorted[i - 1]->inode) {
            import_note(result, "%s and %s are one folder under two names: its images are in both",
                        sorted[i - 1]->path, sorted[i]->path);
            break;
        }
    free(sorted);
}

int tree_init(struct tree *tree, const char *source, struct err *err) {
    *tree = (struct tree){0};
    if (!walk(tree, source, NULL, err))
        return 0;
    tree_release(tree);
    return -1;
}

void tree_release(struct tree *tree) {
    for (int64_t i = 0; i < tree->n_images; i++)
        free(tree->image[i].path);
    for (int i = 0; i < tree->n_folders; i++)
        free(tree->folder[i].path);
    free(tree->image);
    free(tree->folder);
    *tree = (struct tree){0};
}
