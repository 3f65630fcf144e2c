#include "io/dataset/dataset_file.h"

#include "core/base/unfinished.h"
#include "io/file/file.h"
#include "io/h5/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is it empty, or does the signature stand at the beginning or after a block of another program's?
 */
static int check_content(const char *path, struct err *err) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool fine = fd < 0; /* absent; or opening it to write will say why not */

    for (off_t at = 0; !fine && at <= 2048; at = at ? 2 * at : 512) {
        unsigned char found[sizeof signature];
        const ssize_t n = pread(fd, found, sizeof found, at);

        fine = n < 0 || (n == 0 && at == 0) ||
               (n == (ssize_t)sizeof found && memcmp(found, signature, sizeof found) == 0);
    }
    if (fd >= 0)
        close(fd);
    return fine ? 0
                : err_set(err, ERR_USAGE,
                          "%s: exists and is no HDF5 file; remove it first, or give another name "
                          "for the dataset",
                          path);
}

/* A run has few of them, and hours are in each. */
static int check_checkpoint(const char *path, struct err *err) {
    static const char mark[] = "dltrain_checkpoint"; /* io/weights/checkpoint.h */
    struct err ignored = {0};
    struct h5 *h5;

    if (access(path, F_OK) || h5_open(&h5, path, &ignored))
        return 0;
    const bool is = h5_attr_exists(h5, "/", mark, &ignored) == 1;
    h5_close(h5);
    return is ? err_set(err, ERR_USAGE,
                        "%s: exists and is a checkpoint; remove it first, or give another name for "
                        "the dataset",
                        path)
              : 0;
}

int dataset_file_check(const char *path, const char *const *inputs, int n, struct err *err) {
    return file_check_target(path, inputs, n, err) || check_content(path, err) ||
                   check_checkpoint(path, err)
               ? -1
               : 0;
}

/* Keep other processes from writing the temporary file. File systems without locks let it be. */
static int lock(struct dataset_file *file, struct err *err) {
    struct stat named, opened;

    for (;;) {
        const int fd = open(file->temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return err_set(err, ERR_IO, "%s: cannot be created: %s", file->temporary,
                           strerror(errno));
        const bool taken = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
        if (taken) {
            close(fd);
            return err_set(err, ERR_IO, "%s: is being written by another process", file->path);
        }
        /* Renamed between opening and locking it is another's finished file. */
        if (!stat(file->temporary, &named) && !fstat(fd, &opened) &&
            named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
            file->lock = 1 + fd;
            return 0;
        }
        close(fd);
    }
}

int dataset_file_init(struct dataset_file *file, const char *path, struct err *err) {
    *file = (struct dataset_file){0};
    if (strlen(path) + 5 > DATASET_FILE_PATH)
        return err_set(err, ERR_USAGE, "%.80s...: the path is too long", path);
    if (dataset_file_check(path, NULL, 0, err) || file_make_folder_of(path, err))
        return -1;
    strcpy(file->path, path);
    strcpy(file->temporary, path);
    strcat(file->temporary, ".tmp");
    if (!lock(file, err)) {
        file->unfinished = unfinished_add(file->temporary);
        if (!h5_create(&file->h5, file->temporary, err))
            return 0;
    }
    if (!file->lock)
        *file->temporary = 0; /* what is there is not ours */
    dataset_file_release(file);
    return -1;
}

/* Make the new name last: it is an entry of the directory. */
static int sync_directory(const char *path, struct err *err) {
    char directory[DATASET_FILE_PATH];
    char *slash;
    int fd, status = 0;

    strcpy(directory, path);
    slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = 0;
    fd = open(slash ? directory : ".", O_RDONLY | O_CLOEXEC);
    /* Some file systems cannot sync directories (EINVAL). */
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

int dataset_file_rename(const char *from, const char *path, struct err *err) {
    if (strlen(path) + 1 > DATASET_FILE_PATH)
        return err_set(err, ERR_USAGE, "%.80s...: the path is too long", path);
    if (dataset_file_check(path, NULL, 0, err))
        return -1;
    if (rename(from, path))
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return sync_directory(path, err);
}

int dataset_file_finish(struct dataset_file *file, struct err *err) {
    if (h5_attr_write_int(file->h5, "/", "dltrain_dataset", 1, err) || h5_sync(file->h5, err))
        return -1;
    h5_close(file->h5);
    file->h5 = NULL;
    if (rename(file->temporary, file->path))
        return err_set(err, ERR_IO, "%s: %s", file->path, strerror(errno));
    *file->temporary = 0;
    unfinished_drop(file->unfinished);
    file->unfinished = NULL;
    return sync_directory(file->path, err);
}

void dataset_file_release(struct dataset_file *file) {
    h5_close(file->h5);
    if (*file->temporary)
        file_remove(file->temporary);
    unfinished_drop(file->unfinished);
    if (file->lock)
        close(file->lock - 1);
    *file = (struct dataset_file){0};
}
