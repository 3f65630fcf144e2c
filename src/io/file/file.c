#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

char *file_text(const char *fmt, ...) {
    va_list ap;
    char *text;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = len < 0 ? NULL : malloc((size_t)len + 1);
    if (!text)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return text;
}

int file_write(int fd, const void *bytes, size_t len) {
    const char *at = bytes;

    while (len) {
        const ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : ENOSPC;
            return -1;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* All of bytes[len] to the disk. Returns -1 with errno set. */
static int write_synced(const char *path, const void *bytes, size_t len) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = 0;

    if (fd < 0)
        return -1;
    if (file_write(fd, bytes, len) || fsync(fd))
        failed = errno;
    if (close(fd) && !failed)
        failed = errno;
    errno = failed;
    return failed ? -1 : 0;
}

/* Bring a rename to the disk. File systems that cannot sync a folder say EINVAL. */
static int sync_folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char folder[FILE_PATH] = ".";
    int fd, failed = 0;

    if (slash) /* of "/file" it is "/" */
        snprintf(folder, FILE_PATH, "%.*s", (int)(slash - path) + (slash == path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        failed = errno;
    if (fd >= 0)
        close(fd);
    errno = failed;
    return failed ? -1 : 0;
}

int file_remove(const char *path) {
    return unlink(path) && errno != ENOENT && unlink(path) ? -1 : 0;
}

int file_beside(const char *path, char beside[FILE_PATH]) {
    if (snprintf(beside, FILE_PATH, "%s.tmp", path) < FILE_PATH)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* What stands in the way of a plain file, or NULL. */
static const char *kind_of(mode_t mode) {
    return S_ISREG(mode)                    ? NULL
           : S_ISDIR(mode)                  ? "a folder"
           : S_ISFIFO(mode)                 ? "a pipe"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
           : S_ISLNK(mode)                  ? "a link"
                                            : "no plain file";
}

/* As file_check_target, of one name: of `target` itself or what is written on the way to it. A link
 * on the way is refused: what it leads to would be overwritten. */
static int check_name(const char *name, const char *target, const char *const *inputs, int n,
                      struct err *err) {
    const bool on_the_way = name != target;
    struct stat st, input;

    if (on_the_way ? lstat(name, &st) : stat(name, &st))
        return errno == ENOENT
                   ? 0
                   : err_set(err, ERR_IO, "%s: cannot be written: %s", name, strerror(errno));
    const char *kind = kind_of(st.st_mode);
    if (kind && on_the_way)
        return err_set(err, ERR_USAGE,
                       "%s: is %s, but it is written on the way to %s; remove it first", name, kind,
                       target);
    if (kind)
        return err_set(err, ERR_USAGE, "%s: is %s, expected the name of a file to write", name,
                       kind);
    for (int i = 0; i < n; i++)
        if (!stat(inputs[i], &input) && input.st_dev == st.st_dev && input.st_ino == st.st_ino)
            return err_set(err, ERR_USAGE,
                           "%s: is the same file as %s, which is read; give another name for what "
                           "is written",
                           name, inputs[i]);
    return 0;
}

/* The file that is renamed takes the place of a link; who made it wants the data where it leads. */
static int check_link(const char *path, struct err *err) {
    struct stat st;

    if (lstat(path, &st) || !S_ISLNK(st.st_mode))
        return 0;
    return err_set(
        err, ERR_USAGE,
        "%s: is a link, which what is written would replace; give the name that it leads "
        "to, or remove it",
        path);
}

int file_check_target(const char *path, const char *const *inputs, int n, struct err *err) {
    const size_t len = strlen(path);
    char beside[FILE_PATH];

    if (!len || path[len - 1] == '/')
        return err_set(err, ERR_USAGE, "'%s': expected the name of a file to write", path);
    if (file_beside(path, beside))
        return err_set(err, ERR_USAGE, "%.80s...: the path is too long", path);
    const int status = check_name(path, path, inputs, n, err) ||
                       check_name(beside, path, inputs, n, err) || check_link(path, err);
    return status ? -1 : 0;
}

static int unwritable(const char *path, int reason, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(reason));
}

int file_write_beside(const char *path, const void *bytes, size_t len, struct err *err) {
    char beside[FILE_PATH];
    int failed = 0;

    if (check_name(path, path, NULL, 0, err)) {
        err->kind = ERR_IO;
        return -1;
    }
    if (file_beside(path, beside))
        return unwritable(path, errno, err);
    if (write_synced(beside, bytes, len)) {
        failed = errno;
        file_remove(beside);
    }
    return failed ? unwritable(path, failed, err) : 0;
}

int file_take_place(const char *path, struct err *err) {
    char beside[FILE_PATH];
    int failed = 0;

    if (file_beside(path, beside))
        return unwritable(path, errno, err);
    if (rename(beside, path)) {
        failed = errno;
        file_remove(beside);
    } else if (sync_folder_of(path)) {
        failed = errno;
    }
    return failed ? unwritable(path, failed, err) : 0;
}

int file_replace(const char *path, const void *bytes, size_t len, struct err *err) {
    return file_write_beside(path, bytes, len, err) ? -1 : file_take_place(path, err);
}

/* Returns what there is from here to the end, or NULL with errno set. */
static char *read_rest(int fd, size_t *len) {
    size_t room = 1 << 16;
    char *bytes = malloc(room);
    struct stat st;

    *len = 0;
    if (bytes && !fstat(fd, &st) && st.st_size > 0) {
        room = (size_t)st.st_size + 2; /* one for the 0, one to see the end without growing */
        free(bytes);
        bytes = malloc(room);
    }
    while (bytes) {
        const ssize_t n = read(fd, bytes + *len, room - 1 - *len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        *len += (size_t)n;
        bytes[*len] = 0;
        if (n == 0)
            return bytes;
        if (*len == room - 1) {
            char *larger = realloc(bytes, room *= 2);

            if (!larger)
                break;
            bytes = larger;
        }
    }
    free(bytes);
    return NULL;
}

static int unreadable(const char *path, const char *reason, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be read: %s", path, reason);
}

int file_open(const char *path, struct err *err) {
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return unreadable(path, strerror(errno), err);
    if (fstat(fd, &st))
        unreadable(path, strerror(errno), err);
    else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        unreadable(path, "it is no regular file", err);
    else
        return fd;
    close(fd);
    return -1;
}

int file_read(const char *path, char **bytes, size_t *len, struct err *err) {
    const int fd = file_open(path, err);
    char *content = fd < 0 ? NULL : read_rest(fd, len);
    const int failed = errno;

    if (fd < 0)
        return -1;
    close(fd);
    if (!content)
        return unreadable(path, strerror(failed), err);
    *bytes = content;
    return 0;
}

int file_make_folders(const char *path, struct err *err) {
    char *part = file_text("%s", path);
    struct stat st;
    int failed = part ? 0 : ENOMEM;

    for (char *at = part; at && *at && !failed;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        const char kept = *at;

        *at = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            failed = errno;
        else if (stat(part, &st))
            failed = errno;
        else if (!S_ISDIR(st.st_mode))
            failed = ENOTDIR;
        if (failed)
            err_set(err, ERR_IO, "%s: cannot be created: %s", part, strerror(failed));
        *at = kept;
    }
    if (!part)
        err_set(err, ERR_IO, "%s: cannot be created: %s", path, strerror(failed));
    free(part);
    return failed ? -1 : 0;
}

int file_make_folder_of(const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    char *folder;
    int rc;

    if (!slash || slash == path)
        return 0;
    if (!(folder = file_text("%.*s", (int)(slash - path), path)))
        return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(ENOMEM));
    rc = file_make_folders(folder, err);
    free(folder);
    return rc;
}

double file_space_left(const char *path) {
    char *place = strdup(path);
    struct statvfs st;
    int known = place ? statvfs(place, &st) : -1;

    while (known && place && strrchr(place, '/')) { /* what is above it is there already */
        *strrchr(place, '/') = 0;
        known = statvfs(*place ? place : "/", &st);
    }
    if (known)
        known = statvfs(*path == '/' ? "/" : ".", &st);
    free(place);
    return known ? -1 : (double)st.f_bavail * (double)st.f_frsize;
}
