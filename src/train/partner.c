#define _XOPEN_SOURCE 700 /* realpath */
#include "train/partner.h"
#include "dist/agree.h"
#include "dist/shm.h"
#include "io/file/file.h"
#include "io/file/kept.h"
#include "train/meta.h"
#include "train/save.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE = 16 << 20 };

/* --- names --- */

void partner_init(struct partner *p, struct comm *comm, const struct sinks *sinks) {
    *p = (struct partner){.comm = comm, .sinks = sinks};
}

static bool keeps(const struct partner *p) {
    return comm_local_rank(p->comm) == 0;
}

static const char *folder_of(struct partner *p) {
    return pool_print(&p->pool, "/dev/shm/dltrain-%u", (unsigned)geteuid());
}

static const char *file_of(struct partner *p) {
    return pool_print(&p->pool, "%s/%s-%s.h5", folder_of(p), p->place, p->run);
}

/* A folder of this user alone: others may write to /dev/shm, too. Returns -1 with errno set. */
static int open_folder(struct partner *p) {
    const char *folder = folder_of(p);
    struct stat st;

    if (mkdir(folder, 0700) && errno != EEXIST)
        return -1;
    if (lstat(folder, &st))
        return -1;
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077))
        return 0;
    errno = EPERM;
    return -1;
}

static void hash(const char *text, size_t len, char out[PARTNER_HASH]) {
    snprintf(out, PARTNER_HASH, "%016" PRIx64, (uint64_t)XXH3_64bits(text, len));
}

/* The run in a folder: the first line of its events, and the job that it was started with last. */
static void name_run(struct partner *p, const char *folder) {
    char *events = NULL, *job = NULL;
    struct err ignored = {0};
    size_t len;

    if (!file_read(pool_print(&p->pool, "%s/events.jsonl", folder), &events, &len, &ignored) &&
        !file_read(pool_print(&p->pool, "%s/job.ini", folder), &job, &len, &ignored)) {
        const char *text =
            pool_print(&p->pool, "%.*s\n%s", (int)strcspn(events, "\n"), events, job);
        hash(text, strlen(text), p->run);
    }
    free(events);
    free(job);
}

/* On rank 0, for all: where the run is, and which. Without a folder or its events there is none. */
static void name(struct partner *p, const char *folder) {
    char path[PATH_MAX];

    p->place[0] = p->run[0] = 0;
    if (comm_rank(p->comm) == 0 && realpath(folder, path)) {
        hash(path, strlen(path), p->place);
        name_run(p, folder);
    }
    comm_bcast(p->comm, p->place, sizeof p->place, 0);
    comm_bcast(p->comm, p->run, sizeof p->run, 0);
}

/* --- going on from a copy --- */

/* *step: of this host's copy; -1: it has none that is whole. Errors: why not, of one that is there.
 */
static int look(struct partner *p, int64_t *step, struct err *err) {
    struct meta meta = {0};
    int rc = 0;

    *step = -1;
    if (!keeps(p) || !p->run[0] || open_folder(p) || access(file_of(p), F_OK))
        return 0;
    rc = meta_open(&meta, file_of(p), err);
    if (!rc)
        *step = meta_step(&meta);
    meta_release(&meta);
    return rc;
}

int partner_find(struct partner *p, const char *folder, int64_t newest, int64_t *step) {
    const int size = comm_size(p->comm);
    int64_t *all = calloc((size_t)size, sizeof *all);
    struct err err = {0};
    int64_t mine;
    int owner = -1;

    name(p, folder);
    if (agree(p->comm, look(p, &mine, &err), &err))
        sinks_warn(p->sinks, "%s; this copy of the run's state is passed over", err.msg);
    comm_bcast(p->comm, &newest, sizeof newest, 0);
    if (comm_max_double(p->comm, !all) > 0) { /* nobody goes on from what one cannot see */
        free(all);
        return -1;
    }
    comm_all_gather(p->comm, &mine, all, sizeof mine);
    *step = newest;
    for (int r = 0; r < size; r++)
        if (all[r] > *step)
            *step = all[r], owner = r;
    free(all);
    return owner;
}

/* Everyone gets the owner's bytes, piece by piece; rank 0 keeps them. */
static int receive(struct partner *p, int owner, char *bytes, size_t len, struct err *err) {
    const bool has = comm_rank(p->comm) == 0 || comm_rank(p->comm) == owner;
    char *piece = has ? NULL : malloc(PIECE);
    const int rc = has || piece ? 0 : err_set(err, ERR_IO, "no memory for pieces of the state");

    if (agree(p->comm, rc, err)) {
        free(piece);
        return -1;
    }
    for (size_t at = 0; at < len; at += PIECE)
        comm_bcast(p->comm, has ? bytes + at : piece, len - at < PIECE ? len - at : PIECE, owner);
    free(piece);
    return 0;
}

int partner_bring(struct partner *p, int owner, const char *file, int keep, struct err *err) {
    const int rank = comm_rank(p->comm);
    char *bytes = NULL;
    size_t len = 0;
    int rc = rank == owner ? file_read(file_of(p), &bytes, &len, err) : 0;

    if (agree(p->comm, rc, err)) {
        free(bytes);
        return -1;
    }
    comm_bcast(p->comm, &len, sizeof len, owner);
    if (rank == 0 && owner && !(bytes = malloc(len)))
        rc = err_set(err, ERR_IO, "no memory for the state of %zu bytes", len);
    rc = agree(p->comm, rc, err) || receive(p, owner, bytes, len, err) ? -1 : 0;
    if (!rc)
        rc = agree(p->comm, rank ? 0 : kept_replace(file, bytes, len, keep, NULL, err), err);
    free(bytes);
    return rc;
}

/* --- keeping copies --- */

/* What is not of this run, in its place. */
static void remove_old(struct partner *p) {
    const char *folder = folder_of(p), *own = strrchr(file_of(p), '/') + 1;
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (!strncmp(entry->d_name, p->place, strlen(p->place)) && strcmp(entry->d_name, own))
            unlink(pool_print(&p->pool, "%s/%s", folder, entry->d_name));
    if (dir)
        closedir(dir);
}

static int refuse_folder(struct partner *p, struct err *err) {
    if (errno == EPERM)
        return err_set(err, ERR_IO,
                       "%s: is not a folder that only this user may enter (mode 0700); remove it",
                       folder_of(p));
    return err_set(err, ERR_IO, "%s: cannot be used: %s", folder_of(p), strerror(errno));
}

/* Collective: the lowest rank that has something to say is heard, once. */
static void warn(struct partner *p, int rc, struct err *err) {
    if (!agree(p->comm, rc, err))
        return;
    if (!p->warned)
        sinks_warn(p->sinks, "%s; training goes on without a copy of its state there", err->msg);
    p->warned = true;
}

void partner_begin(struct partner *p, const char *folder, double bytes) {
    const double left = shm_left(), mib = 1 << 20;
    struct err err = {0};
    int rc = 0;

    name(p, folder);
    if (keeps(p) && p->place[0]) {
        if (open_folder(p))
            rc = refuse_folder(p, &err);
        else
            remove_old(p);
    }
    if (keeps(p) && !rc && left >= 0 && left < 2 * bytes)
        rc = err_set(&err, ERR_IO,
                     "/dev/shm has %.3g MiB left, and [checkpoint] partner needs %.3g MiB, for a "
                     "copy and the next one",
                     left / mib, 2 * bytes / mib);
    warn(p, rc, &err);
}

/* Measures are known to rank 0 alone. Those of the others are their own copies then. Returns -1, on
 * all, where one has no memory. */
static int share_history(struct partner *p, const struct progress *from, struct progress *to) {
    *to = *from;
    comm_bcast(p->comm, &to->n_measures, sizeof to->n_measures, 0);
    const size_t n = (size_t)to->n_measures;
    to->measure = calloc(n + 1, sizeof *to->measure);
    to->measured_at = calloc(n + 1, sizeof *to->measured_at);
    if (comm_max_double(p->comm, !to->measure || !to->measured_at) > 0)
        return -1;
    if (comm_rank(p->comm) == 0 && n) {
        memcpy(to->measure, from->measure, n * sizeof *to->measure);
        memcpy(to->measured_at, from->measured_at, n * sizeof *to->measured_at);
    }
    comm_bcast(p->comm, to->measure, n * sizeof *to->measure, 0);
    comm_bcast(p->comm, to->measured_at, n * sizeof *to->measured_at, 0);
    return 0;
}

static int write_copy(struct partner *p, const struct identity *id, const struct replica *r,
                      const struct progress *progress, struct err *err) {
    const char *file = file_of(p);
    struct save save = {0};
    int rc = save_take(&save, file, id, r, progress, NULL, err);

    if (!rc)
        rc = checkpoint_write(file, save.t, save.n, save.meta, err);
    save_release(&save);
    return rc;
}

void partner_keep(struct partner *p, const struct identity *id, const struct replica *r,
                  const struct progress *progress) {
    struct progress whole;
    struct err err = {0};
    int rc = share_history(p, progress, &whole);

    if (rc)
        err_set(&err, ERR_IO, "no memory for the history of measures");
    else if (keeps(p) && p->run[0])
        rc = write_copy(p, id, r, &whole, &err);
    warn(p, rc, &err);
    free(whole.measure);
    free(whole.measured_at);
}

void partner_remove(struct partner *p) {
    if (keeps(p) && p->run[0])
        unlink(file_of(p));
}

void partner_release(struct partner *p) {
    pool_release(&p->pool);
    *p = (struct partner){0};
}
