/* Files, what they include, and how they become one job. */
#include "core/lang/merge.h"
#include "core/lang/reader.h"
#include "core/lang/source_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that was or is being read. */
struct visit {
    const char *path;
    dev_t device;
    ino_t inode;
    const struct visit *by; /* the file that includes it; NULL for the job file */
    struct visit *before;   /* all visits form a list, newest first */
    bool done;
};

struct source_read {
    struct source *source;
    struct visit *visits;
    int64_t bytes;              /* of all files so far */
    struct source_files *files; /* where they are read from or kept; NULL: neither */
    struct err *err;
    bool circle; /* the error names all includes already */
};

/* "b.ini:2:11: include cycle: a.ini -> b.ini -> a.ini" */
static int cycle_error(struct source_read *job, const struct visit *to, const struct visit *from,
                       struct pos place) {
    struct pool *pool = &job->source->pool;
    const char *chain = pool_print(pool, "%s -> %s", from->path, to->path);

    for (const struct visit *v = from; v != to;) {
        v = v->by;
        chain = pool_print(pool, "%s -> %s", v->path, chain);
    }
    job->circle = true;
    return pos_error(job->err, place, "include cycle: %s", chain);
}

static int open_error(struct source_read *job, const char *path, const char *reason,
                      const struct pos *place) {
    if (!place)
        return err_set(job->err, ERR_IO, "%s: cannot open: %s", path, reason);
    return err_set(job->err, ERR_IO, "%s:%d:%d: cannot open '%s': %s", place->file, place->line,
                   place->column, path, reason);
}

static int visit_file(struct source_read *job, const char *path, const struct visit *by,
                      const struct pos *place);

/* The path that an include in the file at base means: relative to its folder. */
static const char *included_path(struct source_read *job, const char *base, const char *word,
                                 size_t len) {
    const char *slash = strrchr(base, '/');
    size_t folder = *word == '/' || !slash ? 0 : (size_t)(slash - base) + 1;

    return pool_print(&job->source->pool, "%.*s%.*s", (int)folder, base, (int)len, word);
}

/* Visit every file that the include key names. */
static int visit_includes(struct source_read *job, const struct entry *include,
                          const struct visit *by) {
    const char *blanks = " \t\r\n\v\f", *s = include->raw;
    struct pos pos = include->pos;

    for (;;) {
        for (; *s && strchr(blanks, *s); s++) {
            pos.column = *s == '\n' ? 1 : pos.column + 1;
            pos.line += *s == '\n';
        }
        if (!*s)
            return 0;
        size_t len = strcspn(s, blanks);
        const char *path = included_path(job, by->path, s, len);
        if (visit_file(job, path, by, &pos))
            return -1;
        s += len;
        pos.column += (int)len;
    }
}

/* Read one file into the job, after all that it includes; closes it. */
static int read_visited(struct source_read *job, FILE *stream, struct visit *visit,
                        const struct stat *status) {
    struct file file = {.path = visit->path};

    if (job->files && !job->files->complete) {
        stream = source_files_keep(job->files, visit->path, stream, status);
        if (!stream)
            return err_set(job->err, ERR_IO, "%s: cannot read: %s", visit->path, strerror(errno));
    }
    const int rc = reader_read(&job->source->pool, stream, &file, job->err);
    fclose(stream);
    if (rc)
        return -1;
    const struct section *head = sections_find(file.sections, &file.names, "job", "");
    const struct entry *include = head ? section_find(head, "include") : NULL;
    if (include && visit_includes(job, include, visit))
        return -1;
    visit->done = true;
    merge_file(job->source, &file);
    return 0;
}

static void add_include(struct source *s, const char *path, struct pos by) {
    s->includes = pool_grow(&s->pool, s->includes, s->n_includes, sizeof *s->includes);
    s->includes[s->n_includes++] = (struct source_include){path, by};
}

/* As open_file, of what somebody else has read. */
static FILE *open_kept(struct source_read *job, const char *path, const struct pos *place,
                       struct stat *status) {
    FILE *stream = source_files_open(job->files, path, status);

    if (!stream)
        open_error(job, path, strerror(errno), place);
    return stream;
}

/* The open file, if it is one that ends; NULL with err. Opening a pipe waits for nobody. */
static FILE *open_file(struct source_read *job, const char *path, const struct pos *place,
                       struct stat *status) {
    if (job->files && job->files->complete)
        return open_kept(job, path, place, status);
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const bool known = fd >= 0 && !fstat(fd, status);
    const bool other = known && !S_ISREG(status->st_mode);
    FILE *stream = known && !other ? fdopen(fd, "r") : NULL;

    if (stream)
        return stream;
    open_error(job, path,
               !other                     ? strerror(errno)
               : S_ISDIR(status->st_mode) ? "it is a folder"
                                          : "it is no regular file",
               place);
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* Read a file and all it includes, unless that has happened already.
 *   place  of the path in the file that includes it; NULL for the job file */
static int visit_file(struct source_read *job, const char *path, const struct visit *by,
                      const struct pos *place) {
    struct stat status;
    FILE *stream = open_file(job, path, place, &status);

    if (!stream)
        return -1;
    struct visit *seen = job->visits;
    while (seen && (seen->device != status.st_dev || seen->inode != status.st_ino))
        seen = seen->before;
    if (seen) {
        fclose(stream);
        return seen->done ? 0 : cycle_error(job, seen, by, *place);
    }
    struct visit *visit = pool_take(&job->source->pool, sizeof *visit);
    *visit = (struct visit){.path = path, .by = by, .before = job->visits};
    if (place)
        add_include(job->source, visit->path, *place);
    visit->device = status.st_dev;
    visit->inode = status.st_ino;
    job->visits = visit;
    job->bytes += status.st_size;
    if (job->bytes <= SOURCE_MAX_BYTES)
        return read_visited(job, stream, visit, &status);
    fclose(stream);
    return err_set(job->err, ERR_CONFIG,
                   "%s: with the files before it %lld bytes, expected at most %d in a job", path,
                   (long long)job->bytes, SOURCE_MAX_BYTES);
}

int source_read(struct source *s, const char *path, const char *const *sets, int n_sets,
                const char *const *keys, struct err *err) {
    return source_read_files(s, path, NULL, sets, n_sets, keys, err);
}

int source_read_files(struct source *s, const char *path, struct source_files *files,
                      const char *const *sets, int n_sets, const char *const *keys,
                      struct err *err) {
    struct source_read job = {.source = s, .files = files, .err = err};
    const char *first = files && files->complete && files->n ? files->file[0].path : path;

    *s = (struct source){0};
    int status = visit_file(&job, pool_copy(&s->pool, first, strlen(first)), NULL, NULL);
    for (int i = 0; !status && i < n_sets; i++)
        status = merge_set(s, sets[i], i + 1, keys, err);
    if (status) {
        if (!job.circle)
            source_explain(s, err);
        source_release(s);
    }
    return status;
}

static const struct source_include *find_include(const struct source *s, const char *path,
                                                 size_t len) {
    for (int i = 0; i < s->n_includes; i++)
        if (strlen(s->includes[i].path) == len && !strncmp(s->includes[i].path, path, len))
            return &s->includes[i];
    return NULL;
}

/* The included file whose place the message names first: at its beginning, or after the rank that
 * found it. */
static const struct source_include *named_include(const struct source *s, const char *msg) {
    const char *words = msg;

    for (const char *colon = msg; (colon = strchr(colon, ':')); colon++) {
        const struct source_include *found = find_include(s, words, (size_t)(colon - words));
        if (found)
            return found;
        if (colon[1] == ' ')
            words = colon + 2;
    }
    return NULL;
}

void source_explain(const struct source *s, struct err *err) {
    const struct source_include *at = named_include(s, err->msg);
    size_t used = strlen(err->msg);

    while (at && used < sizeof err->msg) {
        used += (size_t)snprintf(err->msg + used, sizeof err->msg - used, " (included by %s:%d)",
                                 at->by.file, at->by.line);
        at = find_include(s, at->by.file, strlen(at->by.file));
    }
}

void source_release(struct source *s) {
    pool_release(&s->pool);
    *s = (struct source){0};
}

int source_spend(struct source *s, int work, struct pos pos, struct err *err) {
    s->work += work;
    if (s->work <= SOURCE_MAX_WORK)
        return 0;
    return pos_error(err, pos,
                     "here more than %d values are computed before the first step, expected fewer: "
                     "something doubles what it is made of, over and over",
                     SOURCE_MAX_WORK);
}
