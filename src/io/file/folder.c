#include "io/file/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

char *folder_join(const char *path, const char *name) {
    const size_t bytes = strlen(path) + strlen(name) + 2;
    const size_t len = strlen(path);
    char *joined = malloc(bytes);

    if (joined)
        snprintf(joined, bytes, "%s%s%s", path, len && path[len - 1] == '/' ? "" : "/", name);
    return joined;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct folder_entry *)a)->name, ((const struct folder_entry *)b)->name);
}

/* Nothing that a user put there. */
static bool is_left_behind(const char *name) {
    static const char *const names[] = {
        "__MACOSX", "Thumbs.db", "ehthumbs.db",  "desktop.ini", "@eaDir",
        "#recycle", "@Recycle",  "$RECYCLE.BIN", "lost+found",  "System Volume Information"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

/* Does a link lead nowhere, or in a circle? What there is else goes to *st. */
static bool is_dangling(const char *path, struct stat *st) {
    const int failed = errno;
    const bool dangling = (failed == ENOENT || failed == ELOOP || failed == ENOTDIR) &&
                          lstat(path, st) == 0 && S_ISLNK(st->st_mode);

    errno = failed;
    return dangling;
}

/* Add one entry; *room grows by doubling. */
static int add(struct folder *folder, int *room, const char *path, const char *name,
               struct err *err) {
    char *joined = folder_join(path, name), *copy = NULL;
    struct stat st;
    const bool there = joined && stat(joined, &st) == 0;
    const bool dangling = joined && !there && is_dangling(joined, &st);
    const bool known = there || dangling;

    free(joined);
    if (joined && !known)
        return err_set(err, ERR_IO, "%s/%s: %s", path, name, strerror(errno));
    if (there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        folder->n_others++;
        return 0;
    }
    if (known && folder->n == *room) {
        const int more = *room ? 2 * *room : 64;
        struct folder_entry *entry = realloc(folder->entry, (size_t)more * sizeof *entry);

        if (!entry)
            return err_set(err, ERR_IO, "%s: out of memory", path);
        folder->entry = entry;
        *room = more;
    }
    if (known)
        copy = malloc(strlen(name) + 1);
    if (!copy)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    strcpy(copy, name);
    folder->entry[folder->n++] = (struct folder_entry){copy, S_ISDIR(st.st_mode), dangling};
    return 0;
}

int folder_init(struct folder *folder, const char *path, struct err *err) {
    DIR *dir = opendir(path);
    const struct dirent *d;
    int room = 0, status = 0;

    *folder = (struct folder){0};
    if (!dir)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (errno = 0; !status && (d = readdir(dir)); errno = 0)
        if (!is_left_behind(d->d_name))
            status = add(folder, &room, path, d->d_name, err);
    if (!status && errno)
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    closedir(dir);
    if (status) {
        folder_release(folder);
        return -1;
    }
    if (folder->n)
        qsort(folder->entry, (size_t)folder->n, sizeof *folder->entry, by_name);
    return 0;
}

void folder_release(struct folder *folder) {
    for (int i = 0; i < folder->n; i++)
        free(folder->entry[i].name);
    free(folder->entry);
    *folder = (struct folder){0};
}
