#include "core/lang/source_files.h"

#include <errno.h>
#include <string.h>

static FILE *stream_of(const struct source_file *file) {
    return fmemopen((void *)(uintptr_t)file->text, file->len, "r"); /* is not written to */
}

void source_files_add(struct source_files *files, const struct source_file *file) {
    struct pool *pool = &files->pool;
    char *text = pool_take(pool, file->len + 1);

    files->file = pool_grow(pool, files->file, files->n, sizeof *files->file);
    files->file[files->n++] = (struct source_file){pool_copy(pool, file->path, strlen(file->path)),
                                                   memcpy(text, file->text, file->len), file->len,
                                                   file->device, file->inode};
}

FILE *source_files_keep(struct source_files *files, const char *path, FILE *stream,
                        const struct stat *status) {
    struct pool once = {0};
    char *text = pool_take(&once, (size_t)status->st_size + 1);

    errno = 0;
    const size_t len = fread(text, 1, (size_t)status->st_size, stream);
    const bool failed = ferror(stream) != 0;
    const int reason = errno;
    fclose(stream);
    if (!failed)
        source_files_add(files, &(struct source_file){path, text, len, (uint64_t)status->st_dev,
                                                      (uint64_t)status->st_ino});
    pool_release(&once);
    errno = reason;
    return failed ? NULL : stream_of(&files->file[files->n - 1]);
}

FILE *source_files_open(const struct source_files *files, const char *path, struct stat *status) {
    for (int i = 0; i < files->n; i++) {
        const struct source_file *file = &files->file[i];
        if (strcmp(file->path, path) != 0)
            continue;
        *status = (struct stat){.st_dev = (dev_t)file->device,
                                .st_ino = (ino_t)file->inode,
                                .st_size = (off_t)file->len};
        return stream_of(file);
    }
    errno = ENOENT;
    return NULL;
}

void source_files_release(struct source_files *files) {
    pool_release(&files->pool);
    *files = (struct source_files){0};
}
