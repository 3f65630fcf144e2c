#include "job/job_files.h"

#include <string.h>

/* What stands in front of the path and the text of a file. */
struct packed_file {
    uint64_t path_len, text_len, device, inode;
};

static char *put(char *at, const void *data, size_t len) {
    memcpy(at, data, len);
    return at + len;
}

static size_t packed_len(const struct source_files *files) {
    size_t len = 0;

    for (int i = 0; i < files->n; i++)
        len += sizeof(struct packed_file) + strlen(files->file[i].path) + files->file[i].len;
    return len;
}

static void pack(const struct source_files *files, char *at) {
    for (int i = 0; i < files->n; i++) {
        const struct source_file *f = &files->file[i];
        const struct packed_file head = {strlen(f->path), f->len, f->device, f->inode};
        at = put(at, &head, sizeof head);
        at = put(at, f->path, head.path_len);
        at = put(at, f->text, f->len);
    }
}

static void unpack(struct source_files *files, const char *at, size_t len) {
    for (const char *end = at + len; at < end;) {
        struct packed_file head;
        memcpy(&head, at, sizeof head);
        at += sizeof head;
        const struct source_file file = {pool_copy(&files->pool, at, head.path_len),
                                         at + head.path_len, head.text_len, head.device,
                                         head.inode};
        source_files_add(files, &file);
        at += head.path_len + head.text_len;
    }
}

void job_files_broadcast(struct comm *comm, struct source_files *files) {
    const bool mine = comm_rank(comm) == 0;
    struct pool pool = {0};
    size_t len = mine ? packed_len(files) : 0;

    comm_bcast(comm, &len, sizeof len, 0);
    char *bytes = pool_take(&pool, len + 1);
    if (mine)
        pack(files, bytes);
    comm_bcast(comm, bytes, len, 0);
    if (!mine)
        unpack(files, bytes, len);
    files->complete = true;
    pool_release(&pool);
}
