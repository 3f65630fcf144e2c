#include "job/job_files.h"
#include "dist/agree.h"

#include <stdlib.h>
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

/* Where a rank looks for files. */
struct job_folder {
    char host[64];
    uint64_t device, inode;
};

/* Is it the first of the ranks that look there, and is that not where rank 0 has read? Nobody looks
 * where there is no memory to ask. */
static bool looks(struct comm *comm) {
    const int rank = comm_rank(comm);
    struct job_folder *all = calloc((size_t)comm_size(comm), sizeof *all), mine = {0};
    struct stat status;
    bool first = true;

    if (comm_max_double(comm, !all) > 0) {
        free(all);
        return false;
    }
    strncpy(mine.host, comm_host(comm), sizeof mine.host - 1);
    if (!stat(".", &status))
        mine.device = (uint64_t)status.st_dev, mine.inode = (uint64_t)status.st_ino;
    comm_all_gather(comm, &mine, all, sizeof mine);
    for (int r = 0; r < rank; r++)
        first = first && memcmp(&all[r], &mine, sizeof mine) != 0;
    free(all);
    return rank > 0 && first;
}

/* Is there no such file here, or the same text? */
static bool fits(const struct source_file *file) {
    FILE *stream = fopen(file->path, "r");
    char piece[4096];
    size_t at = 0, n;
    bool same = true;

    if (!stream)
        return true;
    while (same && (n = fread(piece, 1, sizeof piece, stream)) > 0) {
        same = n <= file->len - at && !memcmp(piece, file->text + at, n);
        at += n;
    }
    same = same && (at == file->len || ferror(stream));
    fclose(stream);
    return same;
}

int job_files_compare(struct comm *comm, const struct source_files *files, struct err *err) {
    int rc = 0;

    if (comm_size(comm) == 1)
        return 0;
    const bool here = looks(comm);
    for (int i = 0; here && !rc && i < files->n; i++)
        if (!fits(&files->file[i]))
            rc = err_set(err, ERR_CONFIG,
                         "%s is another file than the one that rank 0 has read for all; make them "
                         "the same, or remove it here",
                         files->file[i].path);
    return agree(comm, rc, err);
}
