#define _DEFAULT_SOURCE /* flock */
#include "train/runfolder.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void runfolder_init(struct runfolder *f, const struct job *job, const struct sinks *sinks) {
    *f = (struct runfolder){.job = job, .sinks = sinks, .lock = -1};
    f->path = pool_print(&f->pool, "%s/%s", job->output, job->name);
}

const char *runfolder_file(struct runfolder *f, const char *name) {
    return pool_print(&f->pool, "%s/%s", f->path, name);
}

/* Keep other processes out of the folder while this one lives: two runs would mix their files.
 * File systems without locks go without. */
static int lock_folder(struct runfolder *f, struct err *err) {
    const int folder = open(f->path, O_RDONLY | O_DIRECTORY);

    if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        close(folder);
        return err_set(err, ERR_IO,
                       "%s is in use by another run; give this one another name=", f->path);
    }
    if (f->lock >= 0)
        close(f->lock);
    f->lock = folder;
    return 0;
}

static int move_aside(struct runfolder *f, struct err *err) {
    if (access(runfolder_file(f, "job.ini"), F_OK))
        return 0;
    for (int i = 1;; i++) {
        const char *aside = pool_print(&f->pool, "%s.%d", f->path, i);
        if (!access(aside, F_OK))
            continue;
        if (rename(f->path, aside))
            return err_set(err, ERR_IO, "%s: cannot be renamed to %s: %s", f->path, aside,
                           strerror(errno));
        sinks_note(f->sinks, "%s holds an earlier run, which is now %s", f->path, aside);
        close(f->lock);
        f->lock = -1;
        return 0;
    }
}

int runfolder_lock(struct runfolder *f, bool resume, struct err *err) {
    return lock_folder(f, err) || (!resume && move_aside(f, err)) ? -1 : 0;
}

int runfolder_open(struct runfolder *f, struct err *err) {
    char *text = source_print(&f->job->source);

    if (!text)
        return err_set(err, ERR_IO, "%s: no memory for the job's text", f->path);
    int rc = file_make_folders(f->path, err);
    if (!rc)
        rc = file_replace(runfolder_file(f, "job.ini"), text, strlen(text), err);
    free(text);
    if (!rc && f->lock < 0) /* the folder is new */
        rc = lock_folder(f, err);
    return rc;
}

void runfolder_release(struct runfolder *f) {
    if (f->lock >= 0)
        close(f->lock);
    pool_release(&f->pool);
    *f = (struct runfolder){.lock = -1};
}
