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

const char *runfolder_file(struct runfolder *f, const char *name) {
    return pool_print(&f->pool, "%s/%s", f->path, name);
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

int runfolder_lock(struct runfolder *f, bool resume, struct err *err) {
    char left[LOCK_TEXT];

    if (file_make_folders(f->path, err) ||
        lock_take(&f->lock, f->path, "give this one another name=", left, err))
        return -1;
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

int runfolder_keep(const struct runfolder *f, struct err *err) {
    return lock_keep(&f->lock, err);
}

void runfolder_release(struct runfolder *f) {
    const bool held = f->lock.text != NULL;

    lock_release(&f->lock);
    if (held)
        rmdir(f->path); /* where nothing was written into it */
    pool_release(&f->pool);
    *f = (struct runfolder){0};
}
