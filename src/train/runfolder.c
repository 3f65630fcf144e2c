#include "train/runfolder.h"
#include "io/file/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void runfolder_init(struct runfolder *f, const struct job *job, const struct sinks *sinks) {
    *f = (struct runfolder){.job = job, .sinks = sinks};
    f->path = pool_print(&f->pool, "%s/%s", job->output, job->name);
}

struct runfolder_path {
    struct runfolder_path *next;
    const char *name, *path;
};

/* A run of days asks for the same ones again and again. */
const char *runfolder_file(struct runfolder *f, const char *name) {
    struct runfolder_path *p = f->paths;

    while (p && strcmp(p->name, name) != 0)
        p = p->next;
    if (p)
        return p->path;
    p = pool_take(&f->pool, sizeof *p);
    *p = (struct runfolder_path){f->paths, pool_copy(&f->pool, name, strlen(name)),
                                 pool_print(&f->pool, "%s/%s", f->path, name)};
    f->paths = p;
    return p->path;
}

static int move(struct runfolder *f, const char *name, const char *aside, struct err *err) {
    const char *from = runfolder_file(f, name);

    return rename(from, pool_print(&f->pool, "%s/%s", aside, name))
               ? err_set(err, ERR_IO, "%s: cannot be moved to %s: %s", from, aside, strerror(errno))
               : 0;
}

/* Everything but the lock, which stays where it is so that nobody comes between; job.ini is last,
 * as it says that there is a run. */
static int move_all(struct runfolder *f, const char *aside, struct err *err) {
    static const char *const stay[] = {".", "..", "lock", "lock.new", "job.ini"};
    const struct dirent *entry;
    DIR *folder = opendir(f->path);
    int rc = folder ? 0 : err_set(err, ERR_IO, "%s: cannot be read: %s", f->path, strerror(errno));

    while (!rc && (entry = readdir(folder))) {
        bool moves = true;
        for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
            moves = moves && strcmp(entry->d_name, stay[i]);
        if (moves)
            rc = move(f, entry->d_name, aside, err);
    }
    if (folder)
        closedir(folder);
    return rc ? rc : move(f, "job.ini", aside, err);
}

static int move_aside(struct runfolder *f, struct err *err) {
    const char *aside;

    if (access(runfolder_file(f, "job.ini"), F_OK))
        return 0;
    for (int i = 1; aside = pool_print(&f->pool, "%s.%d", f->path, i), mkdir(aside, 0777); i++)
        if (errno != EEXIST)
            return err_set(err, ERR_IO, "%s: cannot be created: %s", aside, strerror(errno));
    if (move_all(f, aside, err))
        return -1;
    sinks_note(f->sinks, "%s holds an earlier run, which is now %s", f->path, aside);
    return 0;
}

static void remember(struct runfolder *f) {
    struct stat st = {0};

    stat(f->path, &st);
    f->device = st.st_dev;
    f->inode = st.st_ino;
}

int runfolder_lock(struct runfolder *f, bool resume, struct err *err) {
    char left[LOCK_TEXT];

    if (file_make_folders(f->path, err) ||
        lock_take(&f->lock, f->path, "give this one another name=", left, err))
        return -1;
    remember(f);
    if (left[0])
        sinks_note(f->sinks, "%s was in use by a run that has ended without giving it back (%s)",
                   f->path, left);
    return resume ? 0 : move_aside(f, err);
}

int runfolder_open(struct runfolder *f, struct err *err) {
    char *text = source_print(&f->job->source);

    if (!text)
        return err_set(err, ERR_IO, "%s: no memory for the job's text", f->path);
    const int rc = file_replace(runfolder_file(f, "job.ini"), text, strlen(text), err);
    free(text);
    return rc;
}

/* Whoever deleted it may have begun another run there: then the lock is that one's. */
static int make_again(struct runfolder *f, struct err *err) {
    const struct event e = {.kind = EVENT_FOLDER, .folder = f->path};

    if (file_make_folders(f->path, err) || lock_keep(&f->lock, &f->lost, err) ||
        runfolder_open(f, err))
        return -1;
    remember(f);
    sinks_tell(f->sinks, &e);
    sinks_warn(f->sinks, "%s was moved or deleted, and is made again for what is saved from now on",
               f->path);
    return 0;
}

int runfolder_keep(struct runfolder *f, struct err *err) {
    struct stat st;

    if (stat(f->path, &st))
        return errno == ENOENT
                   ? make_again(f, err)
                   : err_set(err, ERR_IO, "%s: cannot be looked at: %s", f->path, strerror(errno));
    if (!access(f->lock.path, F_OK))
        return lock_keep(&f->lock, &f->lost, err);
    /* Whoever of this run writes a file may have made the folder since. */
    if (access(runfolder_file(f, "job.ini"), F_OK))
        return make_again(f, err);
    /* Without the lock, inodes are asked: there are file systems that make them up. */
    if (st.st_dev == f->device && st.st_ino == f->inode)
        return lock_keep(&f->lock, &f->lost, err);
    f->lost = true;
    return err_set(err, ERR_IO,
                   "%s is no longer the folder that this run began in, but holds another run; "
                   "nothing more is saved",
                   f->path);
}

void runfolder_release(struct runfolder *f) {
    const bool held = f->lock.text != NULL;

    lock_release(&f->lock);
    if (held)
        rmdir(f->path); /* where nothing was written into it */
    pool_release(&f->pool);
    *f = (struct runfolder){0};
}
